//! Bytes that are wiped, also when they grow.
//!
//! A `Zeroizing<Vec<u8>>` wipes what it holds at the end, but a vector that grows leaves its old contents behind on the
//! heap. This one moves to a new allocation by itself, so that the old one is wiped too.

use std::io::{self, Read};

use zeroize::Zeroizing;

/// A growing buffer for plaintext.
pub struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    pub(crate) fn new() -> Self {
        Self::with_capacity(256)
    }

    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// Takes over bytes that are wiped already.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.0.capacity() * 2)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn push_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// The bytes, which are as secret as they were.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes as text, if they are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// The bytes as text without copying them; `None` when they are not UTF-8.
    pub fn into_text(mut self) -> Option<Zeroizing<String>> {
        match String::from_utf8(std::mem::take(&mut *self.0)) {
            Ok(text) => Some(Zeroizing::new(text)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                None
            }
        }
    }

    /// Reads to the end, or one byte past `limit`, so that the caller sees that there was more.
    pub fn read_to_limit(reader: &mut impl Read, limit: usize) -> io::Result<Self> {
        let mut all = Self::with_capacity(4096.min(limit + 1));
        let mut chunk = Zeroizing::new([0_u8; 4096]);
        loop {
            let room = (limit + 1 - all.len()).min(chunk.len());
            if room == 0 {
                return Ok(all);
            }
            match reader.read(&mut chunk[..room]) {
                Ok(0) => return Ok(all),
                Ok(read) => all.push(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_contents_while_it_grows() {
        let mut buffer = SecretBuffer::with_capacity(1);
        for _ in 0..1000 {
            buffer.push_str("abc");
        }
        assert_eq!(buffer.len(), 3000);
        assert_eq!(buffer.as_str(), Some("abc".repeat(1000).as_str()));
    }

    #[test]
    fn reading_stops_one_byte_past_the_limit() -> io::Result<()> {
        let endless = &mut io::repeat(7);
        assert_eq!(SecretBuffer::read_to_limit(endless, 10_000)?.len(), 10_001);
        assert_eq!(SecretBuffer::read_to_limit(&mut &b"abc"[..], 3)?.as_slice(), b"abc");
        Ok(())
    }

    #[test]
    fn only_utf8_becomes_text() {
        assert!(SecretBuffer::from_bytes(Zeroizing::new(vec![0xff])).into_text().is_none());
        assert_eq!(*SecretBuffer::from_bytes(Zeroizing::new(b"ok".to_vec())).into_text().unwrap_or_default(), "ok");
    }
}
