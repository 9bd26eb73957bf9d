//! Which values of a file are encrypted: the selection modes.

use regex::Regex;

/// A file's selection mode. It looks at every key on the way to a value; the places in lists do not count.
pub(super) enum Rules {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
}

impl Rules {
    /// What SOPS assumes when a file names none.
    pub(super) fn assumed() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }

    /// Whether a key decides for everything beneath it.
    pub(super) fn matches(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
            Self::UnencryptedRegex(regex) | Self::EncryptedRegex(regex) => regex.is_match(key),
        }
    }

    /// Whether a value is encrypted, given whether one of its keys matches.
    pub(super) fn encrypts(&self, matched: bool) -> bool {
        match self {
            Self::UnencryptedSuffix(_) | Self::UnencryptedRegex(_) => !matched,
            Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) => matched,
        }
    }
}
