//! Files that an operator names by a flag or a variable: plans, caches, faults, fixtures, states, keys.
//!
//! They may lie anywhere, since whoever names them runs the command. They are regular all the same, bounded, and never
//! waited for: in CI such a path often lies in a folder that strangers can write to.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::bounded::{BoundedFile, FileFault};

/// Opens a regular file, links followed. Reading gives at most `limit` bytes.
pub fn open_operator_file(path: &Path, limit: u64) -> Result<BoundedFile, FileFault> {
    // Merely opening some devices does something, so they are not opened at all; the opened file is looked at again.
    if !std::fs::metadata(path).map_err(|error| FileFault::of(&error))?.is_file() {
        return Err(FileFault::NotRegular);
    }
    BoundedFile::new(open(path).map_err(|error| FileFault::of(&error))?, limit)
}

/// All bytes of a regular file.
pub fn read_operator_file(path: &Path, limit: u64) -> Result<Vec<u8>, FileFault> {
    open_operator_file(path, limit)?.bytes()
}

/// A regular file as text.
pub fn read_operator_text(path: &Path, limit: u64) -> Result<String, FileFault> {
    open_operator_file(path, limit)?.text()
}

/// Opens a file for reading; what takes its place in the meantime is not waited for either.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    }
    options.open(path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn limit_holds_while_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_operator_file(&path, 5), Ok(b"12345".to_vec()));
        assert_eq!(read_operator_file(&path, 4), Err(FileFault::TooLarge(4)));
        assert_eq!(read_operator_file(folder.path(), 4), Err(FileFault::NotRegular));
        assert_eq!(read_operator_file(&folder.path().join("b"), 4), Err(FileFault::Missing));
    }

    /// A file that says that it is empty and gives bytes for as long as somebody reads.
    #[cfg(target_os = "linux")]
    #[test]
    fn size_in_metadata_is_not_believed() {
        let path = Path::new("/proc/self/environ");
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
        assert_eq!(read_operator_file(path, 1), Err(FileFault::TooLarge(1)));
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read_operator_file(&pipe, 4), Err(FileFault::NotRegular));
        assert_eq!(read_operator_file(Path::new("/dev/zero"), 4), Err(FileFault::NotRegular));
        // Even one that took a regular file's place after the first look.
        assert_eq!(BoundedFile::new(open(&pipe).unwrap(), 4).unwrap_err(), FileFault::NotRegular);
    }
}
