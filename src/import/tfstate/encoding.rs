//! From the bytes of a state to its text: gzip, byte order marks and UTF-16.
//!
//! Terraform writes UTF-8. Backends and CI artefacts compress it, and PowerShell's `>` makes UTF-16 of whatever is
//! piped through it. All of it is bounded, also after it was decompressed.

use std::io::{self, Read as _};

use flate2::bufread::MultiGzDecoder;
use zeroize::Zeroizing;

use super::StateError;

/// Largest state, in bytes, decompressed. Terraform itself becomes unbearably slow long before.
pub(crate) const MAX_STATE: usize = 512 * 1024 * 1024;

/// The text of a state. It holds values, so what is made here is wiped.
pub(crate) enum StateText<'a> {
    /// It stands in the file as it is.
    Within(&'a [u8]),
    /// It was decompressed or decoded.
    Made(Zeroizing<Vec<u8>>),
}

impl StateText<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Within(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// The text of a state. Of a compressed one the decompressor keeps its last 32 KiB, which are not wiped.
pub(crate) fn plain_text(bytes: &[u8]) -> Result<StateText<'_>, StateError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return utf8(bytes);
    }
    let whole = decompressed(bytes, MAX_STATE)?;
    let made = match utf8(&whole)? {
        StateText::Made(text) => Some(text),
        StateText::Within(text) if text.len() == whole.len() => None,
        StateText::Within(text) => Some(Zeroizing::new(text.to_vec())),
    };
    Ok(StateText::Made(made.unwrap_or(whole)))
}

fn decompressed(bytes: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, StateError> {
    // Room for all there may be would be a lot, and a vector that grows leaves its old contents behind: so it is
    // decompressed twice, the first time only to count.
    let damaged = |_: io::Error| StateError::Gzip;
    let mut length = 0;
    let mut decoder = MultiGzDecoder::new(bytes);
    let mut chunk = Zeroizing::new([0_u8; 8192]);
    loop {
        let read = decoder.read(&mut chunk[..]).map_err(damaged)?;
        if read == 0 {
            break;
        }
        length += read;
        if length > limit {
            return Err(StateError::TooLarge);
        }
    }
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    MultiGzDecoder::new(bytes).take(length as u64).read_to_end(&mut text).map_err(damaged)?;
    Ok(text)
}

/// The text in UTF-8, without a byte order mark.
fn utf8(bytes: &[u8]) -> Result<StateText<'_>, StateError> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => return Ok(StateText::Within(rest)),
        [0xFF, 0xFE, ..] | [b'{' | b'\r' | b'\n' | b' ', 0, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] | [0, b'{' | b'\r' | b'\n' | b' ', ..] => u16::from_be_bytes,
        _ => return Ok(StateText::Within(bytes)),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(StateError::Utf16);
    }
    let units = pairs.iter().map(|pair| unit(*pair)).skip_while(|unit| *unit == 0xFEFF);
    // Each unit becomes three bytes at most, so nothing grows and is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(pairs.len() * 3));
    for letter in char::decode_utf16(units) {
        let letter = letter.map_err(|_| StateError::Utf16)?;
        text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(StateText::Made(text))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const TEXT: &str = "{\"version\": 4, \"tag\": \"Größe 𝄞\"}";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let marked = format!("\u{feff}{TEXT}");
        for bytes in [
            TEXT.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16(TEXT, u16::to_le_bytes),
            utf16(TEXT, u16::to_be_bytes),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(plain_text(&bytes).unwrap().as_slice(), TEXT.as_bytes());
            assert_eq!(plain_text(&gzip(&bytes)).unwrap().as_slice(), TEXT.as_bytes());
        }
        let members = [gzip(&TEXT.as_bytes()[..9]), gzip(&TEXT.as_bytes()[9..])].concat();
        assert_eq!(plain_text(&members).unwrap().as_slice(), TEXT.as_bytes());
    }

    #[test]
    fn what_is_damaged_is_named() {
        let whole = gzip(TEXT.as_bytes());
        assert_eq!(plain_text(&whole[..whole.len() - 3]).err(), Some(StateError::Gzip));
        assert_eq!(plain_text(&[0x1f, 0x8b, 8]).err(), Some(StateError::Gzip));
        assert_eq!(plain_text(&[0xFF, 0xFE, 0x41]).err(), Some(StateError::Utf16));
        assert_eq!(plain_text(&[0xFF, 0xFE, 0x00, 0xD8]).err(), Some(StateError::Utf16));
    }

    #[test]
    fn a_small_file_cannot_become_a_large_text() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(bomb.len() < 1 << 12);
        assert_eq!(decompressed(&bomb, 1 << 16).unwrap_err(), StateError::TooLarge);
        assert_eq!(decompressed(&bomb, 1 << 20).unwrap().len(), 1 << 20);
    }
}
