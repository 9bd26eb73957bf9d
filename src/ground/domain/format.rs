//! Versions of the formats of our own files, as they stand in `formatVersion`: what is read before the rest of a file
//! is, since a newer one may have members that this release does not know.

use serde::Deserialize;
use serde_json::Value;

/// Most characters of a version that are shown.
const LONGEST: usize = 16;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format_version: Value,
}

/// A file of ours whose format is not the one that is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its format is version {found}, and this keywright reads version {reads}{}",
    if *.earlier { "" } else { ": a newer keywright wrote it, and it takes one to read it" }
)]
pub struct OtherFormat {
    /// Its version, cut where it is long.
    pub found: String,
    /// The one that is read.
    pub reads: String,
    /// Whether it is surely an earlier one. What is not known may be of any release to come.
    pub earlier: bool,
}

/// Refuses JSON whose `formatVersion` is there and is another one. What has none, or is no JSON, is left to whoever
/// reads it.
pub fn check_format(text: &[u8], reads: &str) -> Result<(), OtherFormat> {
    let Ok(Header { format_version }) = serde_json::from_slice(text) else { return Ok(()) };
    let found = match format_version {
        Value::String(found) => found,
        other => other.to_string(),
    };
    if found == reads {
        return Ok(());
    }
    let earlier = matches!((found.parse::<u64>(), reads.parse::<u64>()), (Ok(found), Ok(reads)) if found < reads);
    let cut = found.char_indices().nth(LONGEST).and_then(|(at, _)| found.get(..at));
    let found = cut.map_or_else(|| found.clone(), |cut| format!("{cut}…"));
    Err(OtherFormat { found, reads: reads.to_owned(), earlier })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_told_whatever_else_is_in_the_file() {
        assert_eq!(check_format(br#"{"formatVersion": "1", "x": 1}"#, "1"), Ok(()));
        assert_eq!(check_format(b"no json", "1"), Ok(()));
        for newer in [
            &br#"{"formatVersion": "2", "unheardOf": {}}"#[..],
            br#"{"formatVersion": 2}"#,
            br#"{"formatVersion": "2.0"}"#,
            br#"{"formatVersion": "1.0"}"#,
            br#"{"formatVersion": " 1"}"#,
            br#"{"formatVersion": "v2"}"#,
            br#"{"formatVersion": ["1"]}"#,
        ] {
            assert!(check_format(newer, "1").is_err_and(|error| !error.earlier && error.to_string().contains("newer")));
        }
        assert!(check_format(br#"{"formatVersion": "0"}"#, "1").is_err_and(|error| error.earlier));
        let long = format!(r#"{{"formatVersion": "{}"}}"#, "é".repeat(1_000));
        assert!(check_format(long.as_bytes(), "1").is_err_and(|error| error.found.chars().count() == LONGEST + 1));
    }
}
