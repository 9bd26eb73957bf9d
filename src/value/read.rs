//! Reading the files that a manifest names.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::buffer::SecretBuffer;
use super::error::ValueError;

/// Reads a regular file of at most `limit` bytes. `shown` names it in errors.
pub(super) fn read(path: &Path, shown: &str, limit: usize) -> Result<SecretBuffer, ValueError> {
    let failed = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => ValueError::MissingFile { file: shown.to_owned() },
        kind => ValueError::UnreadableFile { file: shown.to_owned(), kind },
    };
    // Opening a pipe would wait for somebody to write to it.
    if !fs::metadata(path).map_err(|error| failed(&error))?.is_file() {
        return Err(ValueError::NotAFile { file: shown.to_owned() });
    }
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let buffer = SecretBuffer::read_to_limit(&mut file, limit).map_err(|error| failed(&error))?;
    if buffer.len() > limit {
        return Err(ValueError::FileTooLarge { file: shown.to_owned(), limit });
    }
    Ok(buffer)
}
