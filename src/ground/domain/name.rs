//! A secret's name.

use super::text::text_type;

/// A secret's name (1 to 512 characters of `A-Za-z0-9/_+=.@-`; CreateSecret, `Name`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

text_type!(SecretName);

impl SecretName {
    /// Takes a name as it is; `manifest` has checked the ones that people wrote.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

/// Whether a pattern is a name and nothing more.
pub fn is_plain_pattern(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', ']', '{', '}', '\\'])
}
