//! SARIF 2.1.0 (OASIS), for code scanning.

use serde_json::{Value, json};

use super::{help, message, severity};
use crate::manifest::{Diagnostics, Place, Severity, codes};
use crate::render::escape::{self, Escaped, Json};
use crate::render::explained;
use crate::render::sarif;

/// All diagnostics as a SARIF log, indented, with a line feed at the end. Columns are counted in Unicode code points.
pub fn sarif(diagnostics: &Diagnostics, folder: &str) -> Escaped<Json> {
    let rules: Vec<Value> = codes::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.id,
                "shortDescription": { "text": code.summary },
                "help": {
                    "text": explained::plain(code.id),
                    "markdown": explained::page(code.id).map(explained::markdown),
                },
                "defaultConfiguration": { "level": level(code.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = diagnostics
        .iter()
        .map(|found| {
            let mut text = escape::line(&message(found)).into_owned();
            for help in help(found) {
                text.push_str("\nhelp: ");
                text.push_str(&escape::line(&help));
            }
            let related: Vec<Value> = found
                .related
                .iter()
                .enumerate()
                .map(|(id, place)| {
                    let mut location = location(place, folder);
                    if let Some(object) = location.as_object_mut() {
                        object.insert("id".to_owned(), json!(id));
                        object.insert("message".to_owned(), json!({ "text": &*escape::line(&place.label) }));
                    }
                    location
                })
                .collect();
            json!({
                "ruleId": found.code.id,
                "ruleIndex": codes::ALL.iter().position(|code| code.id == found.code.id),
                "level": severity(found),
                "message": { "text": text },
                "locations": [location(&found.place, folder)],
                "relatedLocations": related,
            })
        })
        .collect();
    sarif::log(&rules, &results)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn location(place: &Place, folder: &str) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": sarif::artifact(&format!("{folder}{}", place.origin.file)),
            "region": {
                "startLine": place.origin.line,
                "startColumn": place.origin.column,
                "endColumn": place.end_column,
            },
        },
    })
}
