//! SARIF 2.1.0 (OASIS): what all logs of keywright have in common.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::escape::{self, Escaped, Json};

/// A log of one run, indented, with a line feed at the end. Columns are counted in Unicode code points.
pub(super) fn log(rules: &[Value], results: &[Value]) -> Escaped<Json> {
    escape::json(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "keywright", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "ROOT": { "description": { "text": "The root of the repository." } } },
            "results": results,
        }],
    }))
}

/// What stays the same from run to run: no line, no date, no words that may be told better some day.
pub(super) fn fingerprint(name: &str, parts: &[&str]) -> Value {
    let mut hash = Sha256::new();
    for part in parts {
        // The length goes before each part, so that parts cannot flow into each other.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    json!({ name: hex::encode(hash.finalize()) })
}

/// A file below the repository's root.
pub(super) fn artifact(path: &str) -> Value {
    json!({ "uri": uri(path), "uriBaseId": "ROOT" })
}

/// A relative path as a URI reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
