//! Version ids: what the service calls ClientRequestToken when a version is made, and VersionId ever after.

use std::fmt;

use sha2::{Digest, Sha256};

/// The ids that keywright derives from ciphertext begin so.
const OURS: &str = "kw1-";

/// How many hexadecimal characters follow: 240 of SHA-256's 256 bits, which fills the 64 characters that a token may
/// have.
const HEX_LEN: usize = 60;

/// Names the way in which ids are made. It is hashed first, so that no id of another way can equal one of this.
const SCHEME: &str = "keywright/version/1";

/// A version id (32 to 64 characters; PutSecretValue, `ClientRequestToken`). It is public: whoever may describe a
/// secret sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(String);

impl VersionId {
    /// Takes an id of 32 to 64 visible ASCII characters; `None` for anything else.
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let fits = (32..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form of an id that keywright derived from ciphertext. Anybody can write that form: it proves
    /// nothing.
    pub fn is_ours(&self) -> bool {
        self.0.strip_prefix(OURS).is_some_and(|rest| {
            rest.len() == HEX_LEN && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Hashes parts, each behind its length, so that no two lists of parts can run together into the same bytes.
pub(super) struct IdHasher(Sha256);

impl IdHasher {
    pub(super) fn new() -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.part(SCHEME.as_bytes());
        hasher
    }

    pub(super) fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.part(text.as_bytes());
    }

    pub(super) fn count(&mut self, count: usize) {
        self.part(&(count as u64).to_be_bytes());
    }

    pub(super) fn finish(self) -> VersionId {
        let mut hex = hex::encode(self.0.finalize());
        hex.truncate(HEX_LEN);
        VersionId(format!("{OURS}{hex}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_checked() {
        assert!(VersionId::new("x".repeat(31)).is_none());
        assert!(VersionId::new("x".repeat(65)).is_none());
        assert!(VersionId::new(format!("{} ", "x".repeat(40))).is_none());
        let foreign = VersionId::new("EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE");
        assert!(foreign.is_some_and(|id| !id.is_ours()));
    }

    #[test]
    fn ours_fill_the_token() {
        let id = IdHasher::new().finish();
        assert_eq!(id.as_str().len(), 64);
        assert!(id.is_ours() && VersionId::new(id.as_str()).is_some_and(|again| again.is_ours()));
        assert!(VersionId::new(id.as_str().to_uppercase().replace("KW1", "kw1")).is_some_and(|id| !id.is_ours()));
    }

    fn hash(parts: &[Vec<u8>]) -> VersionId {
        let mut hasher = IdHasher::new();
        for part in parts {
            hasher.part(part);
        }
        hasher.finish()
    }

    proptest! {
        /// Splitting the same bytes elsewhere is another list of parts.
        #[test]
        fn parts_do_not_run_together(
            one in prop::collection::vec(prop::collection::vec(0_u8..3, 0..4), 0..6),
            other in prop::collection::vec(prop::collection::vec(0_u8..3, 0..4), 0..6),
        ) {
            prop_assert_eq!(one == other, hash(&one) == hash(&other));
        }
    }
}
