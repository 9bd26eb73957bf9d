//! JSON for machines: a stable format with a version.

use serde_json::{Value, json};

use super::{help, severity};
use crate::manifest::{Diagnostics, Place};
use crate::render::escape::{self, Escaped, Json};

/// The version of the format.
pub const FORMAT_VERSION: &str = "1";

/// All diagnostics as one JSON document, indented, with a line feed at the end.
///
/// JSON's own escapes make control characters safe; text is otherwise as it was written.
pub fn json(diagnostics: &Diagnostics) -> Escaped<Json> {
    let found: Vec<Value> = diagnostics
        .iter()
        .map(|found| {
            json!({
                "severity": severity(found),
                "code": found.code.id,
                "message": found.message,
                "location": place(&found.place),
                "related": found.related.iter().map(place).collect::<Vec<_>>(),
                "help": help(found).collect::<Vec<_>>(),
                "targets": found.targets,
            })
        })
        .collect();
    escape::json(&json!({
        "formatVersion": FORMAT_VERSION,
        "summary": {
            "errors": diagnostics.error_count(),
            "warnings": diagnostics.warning_count(),
            "leftOut": diagnostics.left_out(),
        },
        "diagnostics": found,
    }))
}

fn place(place: &Place) -> Value {
    json!({
        "file": &*place.origin.file,
        "line": place.origin.line,
        "column": place.origin.column,
        "endColumn": place.end_column,
        "label": place.label,
        "source": place.quote.as_ref().map(|quote| &quote.text),
    })
}
