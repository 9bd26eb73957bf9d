//! Versions of the formats of our own files, as they stand in `formatVersion`: what is read before the rest of a file
//! is, since a newer one may have members that nobody here knows.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format_version: Value,
}

/// A file of ours whose format is not the one that is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its format is version {found}, and this keywright reads version {reads}{}",
    if *.newer { ": a newer keywright wrote it, and it takes one to read it" } else { "" }
)]
pub struct OtherFormat {
    /// Its version.
    pub found: String,
    /// The one that is read.
    pub reads: String,
    /// Whether it is a later one.
    pub newer: bool,
}

/// Refuses JSON whose `formatVersion` is there and is another one. What has none, or is no JSON, is left to whoever
/// reads it.
pub fn check_format(text: &[u8], reads: &str) -> Result<(), OtherFormat> {
    let found = match serde_json::from_slice::<Header>(text).map(|header| header.format_version) {
        Ok(Value::String(found)) if found.len() <= 16 && found.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            found
        }
        Ok(Value::Number(found)) => found.to_string(),
        _ => return Ok(()),
    };
    if found == reads {
        return Ok(());
    }
    let newer = matches!((found.parse::<u64>(), reads.parse::<u64>()), (Ok(found), Ok(reads)) if found > reads);
    Err(OtherFormat { found, reads: reads.to_owned(), newer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_told_whatever_else_is_in_the_file() {
        assert_eq!(check_format(br#"{"formatVersion": "1", "x": 1}"#, "1"), Ok(()));
        assert_eq!(check_format(b"no json", "1"), Ok(()));
        assert_eq!(check_format(br#"{"formatVersion": ["1"]}"#, "1"), Ok(()));
        for newer in [&br#"{"formatVersion": "2", "unheardOf": {}}"#[..], br#"{"formatVersion": 2}"#] {
            assert!(check_format(newer, "1").is_err_and(|error| error.newer && error.to_string().contains("newer")));
        }
        assert!(check_format(br#"{"formatVersion": "0"}"#, "1").is_err_and(|error| !error.newer));
    }
}
