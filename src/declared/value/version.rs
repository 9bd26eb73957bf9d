//! How a version id is derived from what git holds: what the service calls ClientRequestToken when a version is made,
//! and VersionId ever after.

use sha2::{Digest, Sha256};

use crate::domain::VersionId;

/// Names the way in which ids are made. It is hashed first, so that no id of another way can equal one of this.
const SCHEME: &str = "keywright/version/1";

/// Hashes parts, each behind its length, so that no two lists of parts can run together into the same bytes.
#[derive(Clone)]
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
        VersionId::derived(&hex::encode(self.0.finalize()))
    }

    /// The id of a value of which a part is generated.
    pub(super) fn finish_generated(self) -> VersionId {
        VersionId::generated(&hex::encode(self.0.finalize()))
    }
}

/// An id for the value that git knows under `wanted`, where the service may hold other generated parts under that id
/// already. It follows from the version that is current, so a run that was killed makes the same one again.
pub fn version_after(wanted: &VersionId, current: &VersionId) -> VersionId {
    let mut hasher = IdHasher::new();
    hasher.text("after");
    hasher.text(wanted.as_str());
    hasher.text(current.as_str());
    hasher.finish_generated()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
