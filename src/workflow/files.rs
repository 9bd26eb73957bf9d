//! Files that commands write, and what they must not be written over.

use std::io;
use std::path::Path;

use super::error::{Error, FileProblem, Hint};
use crate::files::Destination;

/// How much of a file is looked at to tell what it is, in bytes.
const BEGINNING: u64 = 64 * 1024;

/// Writes a file whole or not at all, and into what is no regular file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Destination::named(path)?.replace(bytes)
}

/// Refuses to write over a file that is not of its own kind: a mistyped flag must not cost somebody a manifest.
/// `is_one` looks at the beginning of a file; one that is empty is nobody's.
pub fn ours_or_nothing(path: &Path, kind: &'static str, is_one: impl FnOnce(&[u8]) -> bool) -> Result<(), Error> {
    match Destination::named(path).and_then(|place| place.beginning(BEGINNING)) {
        Ok(Some(beginning)) if !beginning.is_empty() && !is_one(&beginning) => {
            Err(Error::file(path, FileProblem::OfAnotherKind(kind)).hint(Hint::DeleteItFirst))
        }
        Ok(_) => Ok(()),
        // Where it does not even have a folder is told when it is written.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file(path, FileProblem::Unwritable).because(error)),
    }
}
