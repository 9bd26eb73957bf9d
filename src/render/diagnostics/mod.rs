//! Diagnostics of manifests for people and machines: text with source lines, JSON, SARIF, and annotations of GitHub
//! workflows.
//!
//! The wording is made in `manifest`; here it is laid out and made safe to print. What may not enter: reading files.
//! The lines that are shown are in the diagnostics already, masked.

mod github;
mod json;
mod sarif;
mod text;

pub use self::github::github;
pub use self::json::{FORMAT_VERSION, json};
pub use self::sarif::sarif;
pub use self::text::text;

use crate::manifest::{Diagnostic, Severity};

/// `error` or `warning`.
fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The message, with the targets when it is not found in all of them.
fn message(diagnostic: &Diagnostic) -> String {
    let targets: Vec<String> = diagnostic.targets.iter().map(|target| format!("`{target}`")).collect();
    match targets.as_slice() {
        [] => diagnostic.message.clone(),
        [one] => format!("{} (in target {one})", diagnostic.message),
        [most @ .., last] => format!("{} (in targets {} and {last})", diagnostic.message, most.join(", ")),
    }
}

/// What would be right, line by line. Not escaped.
fn help(diagnostic: &Diagnostic) -> impl Iterator<Item = String> {
    let hint = diagnostic.hint.as_ref().map(super::hint::value);
    diagnostic.help.iter().cloned().chain(hint)
}

#[cfg(test)]
mod tests;
