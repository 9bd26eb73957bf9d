//! Values at rest: AES-256-GCM under a key that is kept beside the database, never in it.
//!
//! A copied or committed database file shows names and dates, and no value. Each value has a fresh random nonce, and
//! its encryption is bound to the place where it is stored.

use std::io;
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use rand::RngCore as _;
use zeroize::Zeroizing;

use keywright_ground::files::Destination;

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

/// What a database's name is followed by in that of its key.
pub(crate) const KEY_ENDING: &str = ".key";

/// The file of a database's key.
pub(crate) fn key_file(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(KEY_ENDING);
    PathBuf::from(name)
}

/// Makes a key and its file, whole or not at all, which nobody else may read. A file that is there already is an error
/// (`AlreadyExists`): it may be the key of values that somebody still wants.
pub(crate) fn create(place: &Destination) -> io::Result<Cipher> {
    let key = new_key();
    place.create_private(key.as_ref())?;
    Ok(Cipher::new(&key))
}

/// What a key file turns out to be.
pub(crate) enum KeyFile {
    Key(Cipher),
    Missing,
    /// Shorter than a key: what older versions left where they were killed while they made one. It was never used.
    Cut,
    /// Something else.
    Foreign,
}

/// Reads a key file.
pub(crate) fn read(place: &Destination) -> io::Result<KeyFile> {
    // One byte more than a key tells a longer file.
    let Some(bytes) = place.beginning(KEY_BYTES as u64 + 1)?.map(Zeroizing::new) else { return Ok(KeyFile::Missing) };
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
