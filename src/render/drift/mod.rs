//! What differs from git, for people and for programs: one report, a format in each file.

mod github;
mod html;
pub mod json;
mod junit;
mod markdown;
mod prometheus;
#[cfg(test)]
mod samples;
mod sarif;
pub mod text;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use github::github;
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use prometheus::{last_success, prometheus};
pub use sarif::sarif;

use super::words;
use crate::drift::{Class, DriftReport, Found};

/// A report with what some formats need beside it.
#[derive(Clone, Copy)]
pub struct DriftView<'a> {
    /// The report.
    pub report: &'a DriftReport,
    /// The project's folder as seen from the repository's root, with a `/` at its end, or empty when it is the root.
    pub folder: &'a str,
    /// The classes that count; without any, the usual ones.
    pub fail_on: &'a [Class],
    /// When the last run before this one began that read every target, as far as that is known.
    pub last_success: Option<Timestamp>,
}

impl DriftView<'_> {
    /// Whether a class counts.
    fn counts(&self, class: Class) -> bool {
        class.counts(self.fail_on)
    }
}

/// How many drifts there are of each class that has one.
fn counts(found: &Found) -> BTreeMap<Class, usize> {
    let mut counts = BTreeMap::new();
    for drift in &found.drifts {
        *counts.entry(drift.class).or_default() += 1;
    }
    counts
}

/// One drift as a sentence behind the secret's name. Not escaped.
fn sentence(drift: &crate::drift::Drift) -> String {
    match drift.class {
        Class::Changed if !drift.what.contains(' ') || !drift.what.starts_with("is ") => {
            format!("differs in {}", drift.what)
        }
        _ => drift.what.clone(),
    }
}

/// `3 drifts: 2 changed, 1 missing; 40 secrets checked.`
fn summary(found: &Found) -> String {
    let ignored = if found.ignored > 0 { format!("; {} ignored", found.ignored) } else { String::new() };
    let checked = format!("{} checked{ignored}", words::count(found.checked, "secret"));
    if found.drifts.is_empty() {
        return format!("No drift: {checked}.");
    }
    let classes: Vec<String> = counts(found).into_iter().map(|(class, number)| format!("{number} {class}")).collect();
    format!("{}: {}; {checked}.", words::count(found.drifts.len(), "drift"), classes.join(", "))
}

/// Everything in a few words: `3 drifts in 2 targets; 1 target could not be looked at`.
fn headline(report: &DriftReport) -> String {
    let drifts = report.drifts().count();
    let read = report.targets.iter().filter(|target| target.outcome.is_ok()).count();
    let found = if drifts == 0 { "no drift".to_owned() } else { words::count(drifts, "drift") };
    match report.targets.len() - read {
        0 => format!("{found} in {}", words::count(read, "target")),
        failed => format!(
            "{found} in {}; {} could not be looked at",
            words::count(read, "target"),
            words::count(failed, "target")
        ),
    }
}
