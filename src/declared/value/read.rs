//! Reading the files that a manifest names, into memory that wipes itself.

use super::buffer::SecretBuffer;
use super::error::ValueError;
use crate::files::{FileFault, ProjectFile, is_lfs_pointer};

/// Reads a regular file of at most `limit` bytes. `shown` names it in errors.
pub(super) fn read(file: &ProjectFile, shown: &str, limit: usize) -> Result<SecretBuffer, ValueError> {
    let failed = |fault: FileFault| {
        let file = shown.to_owned();
        match fault {
            FileFault::LfsPointer => ValueError::LfsPointer { file },
            FileFault::Missing => ValueError::MissingFile { file },
            FileFault::TooLarge(_) => ValueError::FileTooLarge { file, limit },
            FileFault::Unreadable(kind) => ValueError::UnreadableFile { file, kind },
            FileFault::Outside | FileFault::NeverRead => {
                ValueError::UnreadableFile { file, kind: std::io::ErrorKind::PermissionDenied }
            }
            FileFault::NotRegular | FileFault::NotUtf8(_) | FileFault::Utf16 | FileFault::TooMany => {
                ValueError::NotAFile { file }
            }
        }
    };
    let mut opened = file.open(limit as u64).map_err(failed)?;
    let read = SecretBuffer::read_to_limit(&mut opened, limit).map_err(|error| failed(opened.fault(&error)))?;
    if is_lfs_pointer(read.as_slice()) { Err(failed(FileFault::LfsPointer)) } else { Ok(read) }
}
