//! Annotations of GitHub workflows: `::error file=...,line=...::message`.

use super::{help, message, severity};
use crate::manifest::Diagnostics;
use crate::render::escape::{self, Escaped, Workflow};
use crate::render::escaped;

/// One workflow command for each diagnostic. `folder` is the project's folder as seen from the repository's root, with
/// a `/` at its end, or empty when it is the root: annotations find their files by it.
pub fn github(diagnostics: &Diagnostics, folder: &str) -> Escaped<Workflow> {
    let command = |found| -> Escaped<Workflow> {
        let mut text = vec![message(found)];
        text.extend(help(found).map(|help| format!("help: {help}")));
        escaped!(
            "::{} file={},line={},col={},endColumn={},title={}::{}\n",
            severity(found),
            escape::workflow_property(&format!("{folder}{}", found.place.origin.file)),
            found.place.origin.line,
            found.place.origin.column,
            found.place.end_column,
            found.code.id,
            escape::workflow_message(&text),
        )
    };
    diagnostics.into_iter().map(command).collect()
}
