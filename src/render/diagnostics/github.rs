//! Annotations of GitHub workflows: `::error file=...,line=...::message`.

use std::fmt::Write as _;

use super::{message, severity};
use crate::manifest::Diagnostics;
use crate::render::escape;

/// One workflow command for each diagnostic. `folder` is the project's folder as seen from the repository's root, with
/// a `/` at its end, or empty when it is the root: annotations find their files by it.
pub fn github(diagnostics: &Diagnostics, folder: &str) -> String {
    let mut out = String::new();
    for found in diagnostics {
        let mut text = message(found);
        for help in &found.help {
            text.push_str("\nhelp: ");
            text.push_str(help);
        }
        let _ = writeln!(
            out,
            "::{} file={},line={},col={},endColumn={},title={}::{}",
            severity(found),
            escape::workflow_property(&format!("{folder}{}", found.place.origin.file)),
            found.place.origin.line,
            found.place.origin.column,
            found.place.end_column,
            escape::workflow_property(found.code.id),
            escape::workflow_message(&text),
        );
    }
    out
}
