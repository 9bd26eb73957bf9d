//! Values at rest: AES-256-GCM under a key that is kept beside the database, never in it.
//!
//! A copied or committed database file shows names and dates, and no value. Each value has a fresh random nonce, and
//! its encryption is bound to the place where it is stored.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use rand::RngCore as _;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// A key, ready for use. It stays where it is in memory, and is wiped there when it goes.
pub(crate) struct Cipher(Box<Aes256Gcm>);

impl Cipher {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Box::new(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))))
    }

    /// A new key that is kept nowhere.
    pub(crate) fn ephemeral() -> Self {
        Self::new(&new_key())
    }

    /// Encrypts a value. `None` if it is too large for the algorithm, which no value is.
    pub(crate) fn seal(&self, place: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = vec![0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut sealed);
        let encrypted = self.0.encrypt(Nonce::from_slice(&sealed), Payload { msg: value, aad: place }).ok()?;
        sealed.extend_from_slice(&encrypted);
        Some(sealed)
    }

    /// Decrypts what `seal` made at the same place. `None` if it is anything else, or of another key.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, encrypted) = sealed.split_at_checked(NONCE_BYTES)?;
        let opened = self.0.decrypt(Nonce::from_slice(nonce), Payload { msg: encrypted, aad: place });
        opened.ok().map(Zeroizing::new)
    }
}

fn new_key() -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::rng().fill_bytes(key.as_mut());
    key
}

/// The file of a database's key.
pub(crate) fn key_file(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// Makes a key and its file, readable by its owner alone. A file that exists is an error: it may be the key of
/// values that are still needed.
pub(crate) fn create(path: &Path) -> io::Result<Cipher> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let key = new_key();
    let mut file = options.open(path)?;
    file.write_all(key.as_ref())?;
    file.sync_all()?;
    // The file's name is on the disk too, where the system can sync a folder.
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(Cipher::new(&key))
}

/// What a key file turns out to be.
pub(crate) enum KeyFile {
    Key(Cipher),
    Missing,
    /// Shorter than a key: what is left where a process was killed while it made one. It was never used.
    Cut,
    /// Something else.
    Foreign,
}

/// Reads a key file.
pub(crate) fn read(path: &Path) -> io::Result<KeyFile> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KeyFile::Missing),
        Err(error) => return Err(error),
    };
    // One byte more than a key shows a longer file.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
    file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(match <&[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
        Ok(key) => KeyFile::Key(Cipher::new(key)),
        Err(_) if bytes.len() < KEY_BYTES => KeyFile::Cut,
        Err(_) => KeyFile::Foreign,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_at_its_place_and_with_its_key() {
        let (cipher, other) = (Cipher::ephemeral(), Cipher::ephemeral());
        let sealed = cipher.seal(b"place", b"value").unwrap_or_default();
        assert_eq!(cipher.open(b"place", &sealed).as_deref().map(Vec::as_slice), Some(&b"value"[..]));
        assert_ne!(cipher.seal(b"place", b"value").unwrap_or_default(), sealed, "no nonce comes twice");
        assert!(cipher.open(b"another", &sealed).is_none());
        assert!(other.open(b"place", &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(cipher.open(b"place", &sealed[..length]).is_none());
        }
    }
}
