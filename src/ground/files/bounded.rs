//! An open regular file that gives no more than its limit, and why a file cannot be used.

use std::fs::File;
use std::io::{self, Read};

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// It isn't there.
    Missing,
    /// It is a folder, a device, a pipe, or the like.
    NotRegular,
    /// It lies outside the project, by its path or by a link, or the path is absolute.
    Outside,
    /// It is Git's or keywright's own, and no source for anything.
    NeverRead,
    /// It is larger than the limit, in bytes.
    TooLarge(u64),
    /// It is not UTF-8; the byte at which that shows.
    NotUtf8(usize),
    /// It is UTF-16, with or without a byte order mark.
    Utf16,
    /// It is what Git LFS leaves in the place of a file until its content is fetched.
    LfsPointer,
    /// The operating system refuses.
    Unreadable(io::ErrorKind),
    /// There are more files than are looked at.
    TooMany,
}

impl std::fmt::Display for FileFault {
    /// The rest of a sentence that begins with the file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("does not exist"),
            Self::NotRegular => f.write_str("is not a regular file"),
            Self::Outside => f.write_str("is outside the project"),
            Self::NeverRead => f.write_str("is in .git or .keywright, which are never read"),
            Self::TooLarge(limit) => write!(f, "is larger than {limit} bytes"),
            Self::NotUtf8(at) => write!(f, "is not UTF-8 (byte {})", at + 1),
            Self::Utf16 => f.write_str("is UTF-16, not UTF-8"),
            Self::LfsPointer => f.write_str("is a pointer of Git LFS, and not the content that it stands for"),
            Self::Unreadable(kind) => write!(f, "cannot be read: {kind}"),
            Self::TooMany => f.write_str("holds too many files"),
        }
    }
}

impl std::error::Error for FileFault {}

impl FileFault {
    /// What an error of the operating system means.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            // cap-std's answer to a path that leads out of its folder; the operating system's own refusals have a
            // number.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Self::Outside,
            kind => Self::Unreadable(kind),
        }
    }
}

/// Whether this is a pointer of Git LFS (its specification, "The Pointer"): fewer than 1,024 bytes, the version first.
pub fn is_lfs_pointer(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"version https://git-lfs.github.com/spec/v1") else { return false };
    let oid = b"\noid ";
    bytes.len() < 1024
        && rest.first().is_some_and(u8::is_ascii_whitespace)
        && rest.windows(oid.len()).any(|at| at == oid)
}

/// A regular file that is open. Reading past its limit is an error (`FileTooLarge`), however long the file said to be.
#[derive(Debug)]
pub struct BoundedFile {
    file: File,
    limit: u64,
    left: u64,
}

impl BoundedFile {
    /// Takes a file that was opened without waiting. `NotRegular` for anything that is no regular file.
    pub(super) fn new(file: File, limit: u64) -> Result<Self, FileFault> {
        if !file.metadata().map_err(|error| FileFault::of(&error))?.is_file() {
            return Err(FileFault::NotRegular);
        }
        Ok(Self { file, limit, left: limit })
    }

    /// All of its bytes.
    pub fn bytes(mut self) -> Result<Vec<u8>, FileFault> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(|error| self.fault(&error))?;
        Ok(bytes)
    }

    /// All of it as text, without its byte-order mark.
    pub fn text(self) -> Result<String, FileFault> {
        let mut bytes = self.bytes()?;
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        // Texts that are read so begin with two characters of ASCII, which tells UTF-16 without a mark.
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, 0, _, ..] | [_, 0, _, 0, ..] = bytes.as_slice() {
            return Err(FileFault::Utf16);
        }
        if is_lfs_pointer(&bytes) {
            return Err(FileFault::LfsPointer);
        }
        String::from_utf8(bytes).map_err(|error| FileFault::NotUtf8(error.utf8_error().valid_up_to()))
    }

    /// What an error means that reading this file gave.
    pub fn fault(&self, error: &io::Error) -> FileFault {
        match error.kind() {
            io::ErrorKind::FileTooLarge => FileFault::TooLarge(self.limit),
            _ => FileFault::of(error),
        }
    }
}

impl Read for BoundedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return match self.file.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::ErrorKind::FileTooLarge.into()),
            };
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(buffer.get_mut(..room).unwrap_or_default())?;
        self.left -= read as u64;
        Ok(read)
    }
}
