//! Which values of a file are encrypted: the selection modes.

use regex::Regex;

/// A file's selection mode. It looks at every key on the way to a value; the places in lists do not count.
pub(super) enum Rules {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
    /// Comments decide (`encrypted_comment_regex`, `unencrypted_comment_regex`), which only the `sops` program looks
    /// at: from here, a value is encrypted when it looks so.
    Comments(&'static str),
}

impl Rules {
    /// What SOPS assumes when a file names none.
    pub(super) fn assumed() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }

    /// What the file's metadata calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::UnencryptedSuffix(_) => "unencrypted_suffix",
            Self::EncryptedSuffix(_) => "encrypted_suffix",
            Self::UnencryptedRegex(_) => "unencrypted_regex",
            Self::EncryptedRegex(_) => "encrypted_regex",
            Self::Comments(name) => name,
        }
    }

    /// Whether a value that is not encrypted may be meant so, by a comment.
    pub(super) fn by_comments(&self) -> bool {
        matches!(self, Self::Comments(_))
    }

    /// Whether a key decides for everything beneath it.
    pub(super) fn matches(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
            Self::UnencryptedRegex(regex) | Self::EncryptedRegex(regex) => regex.is_match(key),
            Self::Comments(_) => false,
        }
    }

    /// Whether a value is encrypted, given whether one of its keys matches; where comments decide, none can be called
    /// open that should not be.
    pub(super) fn encrypts(&self, matched: bool) -> bool {
        match self {
            Self::Comments(_) => true,
            Self::UnencryptedSuffix(_) | Self::UnencryptedRegex(_) => !matched,
            Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) => matched,
        }
    }
}
