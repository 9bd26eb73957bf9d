//! Policies that were read before, in a file that may be lost at any time.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::{Error, FileProblem};
use super::files::{ours_or_nothing, write_whole};
use crate::files::{FileFault, read_operator_file};
use crate::live::PolicyCache;

/// The largest cache that is read, in bytes: the policies of 100,000 secrets and more.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The cache of one run.
pub struct Cache {
    file: PathBuf,
    policies: PolicyCache,
}

impl Cache {
    /// Refuses a file that is no cache: it would be written over.
    pub fn check(file: &Path) -> Result<(), Error> {
        ours_or_nothing(file, "a policy cache", PolicyCache::is_one)
    }

    /// Opens the cache. One that is damaged is begun anew; the error says so and ends nothing.
    pub fn open(file: &Path) -> (Self, Option<Error>) {
        let warn = |source: Box<dyn std::error::Error + Send + Sync>| {
            Some(Error::file(file, FileProblem::CacheBegunAnew).because(source))
        };
        let (policies, warning) = match read_operator_file(file, MAX_BYTES) {
            Ok(text) if text.is_empty() => (PolicyCache::default(), None),
            Ok(text) => match PolicyCache::parse(&text) {
                Ok(cache) => (cache, None),
                Err(error) => (PolicyCache::default(), warn(error.into())),
            },
            Err(FileFault::Missing) => (PolicyCache::default(), None),
            Err(fault) => (PolicyCache::default(), warn(format!("it {fault}").into())),
        };
        (Self { file: file.to_owned(), policies }, warning)
    }

    /// What is in it.
    pub fn policies(&self) -> &PolicyCache {
        &self.policies
    }

    /// Writes the cache back. One that cannot be written costs calls and nothing else.
    pub fn save(&self, now: Timestamp) -> Result<(), Error> {
        write_whole(&self.file, self.policies.to_text(now).as_bytes())
            .map_err(|error| Error::file(&self.file, FileProblem::CacheNotWritten).because(error))
    }
}
