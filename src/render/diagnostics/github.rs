//! Annotations of GitHub workflows: `::error file=...,line=...::message`. Where there are more than GitHub shows, a
//! notice says how many are hidden.

use super::{help, message, severity};
use crate::manifest::Diagnostics;
use crate::render::annotations::{SHOWN, hidden_notice};
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
    let mut out: Escaped<Workflow> = diagnostics.into_iter().map(command).collect();
    let of = |wanted: &str| diagnostics.into_iter().filter(|found| severity(found) == wanted).count();
    let hidden: usize = ["error", "warning"].map(|wanted| of(wanted).saturating_sub(SHOWN)).iter().sum();
    if hidden > 0 {
        let found = format!("{} mistakes and warnings", diagnostics.into_iter().count());
        out.push(&hidden_notice("keywright validate", &found, hidden));
    }
    out
}
