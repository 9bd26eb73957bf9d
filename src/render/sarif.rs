//! SARIF 2.1.0 (OASIS): what all logs of keywright have in common.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::escape::{self, Escaped, Json};
use crate::origin::Origin;

/// The project file.
const PROJECT_FILE: &str = "keywright.yaml";

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

/// Where a manifest names a secret, below the repository's root; what has no manifest stands at the beginning of the
/// project file, since code scanning shows no result without a place. `folder` is the project's, with a `/` at its end.
pub(super) fn place(folder: &str, origin: Option<&Origin>) -> Value {
    let (file, line, column) = origin.map_or((PROJECT_FILE, 1, 1), |at| (&*at.file, at.line, at.column));
    json!({
        "artifactLocation": artifact(&format!("{folder}{file}")),
        "region": { "startLine": line, "startColumn": column },
    })
}

/// The one place of what is found of a secret, with its name.
pub(super) fn locations(place: &Value, target: &str, secret: &str) -> Value {
    json!([{
        "physicalLocation": place,
        "logicalLocations": [{
            "name": &*escape::line(secret),
            "fullyQualifiedName": &*escape::line(&format!("{target}/{secret}")),
            "kind": "resource",
        }],
    }])
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
