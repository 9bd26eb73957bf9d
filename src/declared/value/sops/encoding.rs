//! From a file's bytes to its text: byte order marks, UTF-16 and carriage returns, as far as SOPS reads them.
//!
//! YAML may be UTF-16, and go-yaml takes a byte order mark off. Everywhere else SOPS reads bytes as they stand: a mark
//! becomes a part of the first key, and a carriage return one of every dotenv value. Such a file is refused with what
//! is wrong with it, since an error about its contents would send people looking in the wrong place.

use super::file::Format;
use crate::value::EncodingHint;
use crate::value::error::ValueError;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// A file that is not written as SOPS reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misencoded {
    /// The whole of it.
    File { problem: &'static str, hint: EncodingHint },
    /// This line, counted from 1, ends with a carriage return, and not all do.
    Line(usize),
}

impl Misencoded {
    pub(super) fn in_file(self, file: &str) -> ValueError {
        let file = file.to_owned();
        match self {
            Self::File { problem, hint } => ValueError::Misencoded { file, problem, hint },
            Self::Line(line) => ValueError::CarriageReturn { file, line },
        }
    }
}

const NOT_TEXT: Misencoded = Misencoded::File { problem: "is not UTF-8", hint: EncodingHint::AsText };

/// The units behind a byte order mark of UTF-16; none when there is no such mark.
fn utf16(bytes: &[u8]) -> Option<impl Iterator<Item = u16>> {
    let (rest, unit) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (rest, u16::from_le_bytes as fn([u8; 2]) -> u16),
        [0xFE, 0xFF, rest @ ..] => (rest, u16::from_be_bytes as fn([u8; 2]) -> u16),
        _ => return None,
    };
    Some(rest.chunks(2).map(move |pair| unit([pair[0], pair.get(1).copied().unwrap_or_default()])))
}

/// Whether these bytes are text in UTF-16, as PowerShell's `>` writes it. Nothing of them is kept.
pub(in crate::value) fn is_utf16(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(2)
        && utf16(bytes).is_some_and(|units| char::decode_utf16(units).all(|letter| letter.is_ok()))
}

/// The text of a file in this format.
pub(super) fn decode(bytes: &[u8], format: Format) -> Result<String, Misencoded> {
    if let Some(units) = utf16(bytes) {
        if format != Format::Yaml {
            return Err(Misencoded::File {
                problem: "is UTF-16, which sops reads in YAML only",
                hint: EncodingHint::AsUtf8,
            });
        }
        return char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| NOT_TEXT);
    }
    let (marked, bytes) = match bytes.strip_prefix(UTF8_MARK) {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    if marked {
        match format {
            Format::Yaml | Format::Ini => {}
            Format::Json | Format::Binary => {
                return Err(Misencoded::File {
                    problem: "begins with a byte order mark, which sops does not read in JSON",
                    hint: EncodingHint::WithoutMark,
                });
            }
            Format::Dotenv => {
                return Err(Misencoded::File {
                    problem: "begins with a byte order mark, which sops takes for a part of the first key",
                    hint: EncodingHint::WithoutMarkInValue,
                });
            }
        }
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NOT_TEXT)?;
    if format == Format::Dotenv
        && let Some(line) = carriage_return(text)
    {
        let ended = text.split('\n').filter(|line| !line.is_empty());
        return Err(if ended.clone().all(|line| line.ends_with('\r')) {
            Misencoded::File {
                problem: "has CRLF line ends: to sops, each carriage return is a part of its value",
                hint: EncodingHint::WithLineFeeds,
            }
        } else {
            Misencoded::Line(line)
        });
    }
    Ok(text.to_owned())
}

/// The first line, counted from 1, that ends with a carriage return where none can be: behind an encrypted value, in
/// the metadata, or alone. A value that had one before it was encrypted has it within, and of a plain one it is a part.
fn carriage_return(text: &str) -> Option<usize> {
    let misplaced = |line: &str| {
        let encrypted = line.split_once('=').is_some_and(|(_, value)| value.starts_with("ENC[AES256_GCM,"));
        line.ends_with('\r') && (line == "\r" || line.starts_with("sops_") || (encrypted && line.ends_with("]\r")))
    };
    text.split('\n').position(misplaced).map(|before| before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(error: &Misencoded) -> &'static str {
        match error {
            Misencoded::File { problem, .. } => problem,
            Misencoded::Line(_) => "",
        }
    }

    const ALL: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];

    #[test]
    fn utf_16_is_read_where_sops_reads_it() {
        let text = "a: é🔑\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(units.iter().flat_map(|unit| unit.to_le_bytes())).collect();
        let big: Vec<u8> = [0xFE, 0xFF].into_iter().chain(units.iter().flat_map(|unit| unit.to_be_bytes())).collect();
        for bytes in [little, big] {
            for format in ALL {
                match decode(&bytes, format) {
                    Ok(found) => assert!(found == text && format == Format::Yaml),
                    Err(error) => assert!(problem(&error).contains("UTF-16") && format != Format::Yaml),
                }
            }
        }
        assert_eq!(decode(&[0xFF, 0xFE, 0x00, 0xD8], Format::Yaml), Err(NOT_TEXT));
        assert_eq!(decode(&[0xFF], Format::Yaml), Err(NOT_TEXT));
    }

    #[test]
    fn utf_16_is_told_from_bytes_that_begin_alike() {
        for text in [&b"\xFF\xFEa\0"[..], b"\xFE\xFF\0a", b"\xFF\xFE"] {
            assert!(is_utf16(text), "{text:?}");
        }
        for bytes in [&b"\xFF\xFEa"[..], b"\xFF\xFE\0\xD8", b"\xFF\0", b"a\0", b""] {
            assert!(!is_utf16(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_taken_off_or_named() {
        for format in ALL {
            let taken_off = matches!(format, Format::Yaml | Format::Ini);
            match decode(b"\xEF\xBB\xBFa=1\n", format) {
                Ok(text) => assert!(taken_off && text == "a=1\n"),
                Err(error) => assert!(!taken_off && problem(&error).contains("byte order mark")),
            }
        }
    }

    #[test]
    fn crlf_in_dotenv_is_named() {
        let text = b"A=x\r\nsops_mac=y\r\n";
        for format in ALL {
            let refused = decode(text, format).is_err_and(|error| problem(&error).contains("CRLF"));
            assert_eq!(refused, format == Format::Dotenv);
        }
        assert!(decode(b"A=x\r\nsops_mac=y\n", Format::Dotenv).is_ok(), "of a plain value it is a part");
    }

    #[test]
    fn a_carriage_return_on_some_lines_of_dotenv_is_named_with_the_first_of_them() {
        let line = |text: &str| match decode(text.as_bytes(), Format::Dotenv) {
            Err(Misencoded::Line(line)) => Some(line),
            Ok(_) | Err(Misencoded::File { .. }) => None,
        };
        let value = "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]";
        assert_eq!(line(&format!("A={value}\n\nB={value}\r\nC={value}\r\nsops_mac=y\n")), Some(3));
        assert_eq!(line(&format!("A={value}\nsops_mac=y\r\n")), Some(2));
        assert_eq!(line(&format!("A={value}\n\r\nsops_mac=y\n")), Some(2));
        assert_eq!(line(&format!("A=x\r\n#{value}\r\nB={value}\nsops_mac=y\n")), None, "nothing encrypted ends so");
        assert_eq!(line(&format!("A={value}\r\nsops_mac=y\r\n")), None, "all lines do");
    }
}
