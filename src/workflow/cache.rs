//! Policies that were read before, in a file that may be lost at any time.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::{Error, FileProblem};
use super::files::write_whole;
use crate::live::PolicyCache;

/// The cache of one run.
pub struct Cache {
    file: PathBuf,
    policies: PolicyCache,
}

impl Cache {
    /// Opens the cache. One that is damaged is begun anew; the error says so and ends nothing.
    pub fn open(file: &Path) -> (Self, Option<Error>) {
        let warn = |source: Box<dyn std::error::Error + Send + Sync>| {
            Some(Error::file(file, FileProblem::CacheBegunAnew).because(source))
        };
        let (policies, warning) = match std::fs::read(file) {
            Ok(text) => match PolicyCache::parse(&text) {
                Ok(cache) => (cache, None),
                Err(error) => (PolicyCache::default(), warn(error.into())),
            },
            Err(error) if error.kind() == IoErrorKind::NotFound => (PolicyCache::default(), None),
            Err(error) => (PolicyCache::default(), warn(error.into())),
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
