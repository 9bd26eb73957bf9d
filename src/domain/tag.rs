//! Keys of tags.

use super::text::text_type;

/// The key of a tag (1 to 128 characters; TagResource, `Key`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagKey(String);

text_type!(TagKey);

impl TagKey {
    /// Takes a key as it is; `manifest` has checked the ones that people wrote.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Whether AWS keeps it for itself.
    pub fn is_of_aws(&self) -> bool {
        self.0.starts_with("aws:")
    }
}
