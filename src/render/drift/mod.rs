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
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use github::github;
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use prometheus::{last_success, prometheus};
pub use sarif::sarif;
pub use words::difference;
use words::{by_help, clues, help, hints, sentence};

use super::escape::{Escaped, Format};
use super::words::unread;
use super::{awaiting, count, escaped};
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

    /// Whether a class has a place among the findings of a code review: what is no difference has one when it counts.
    fn annotates(&self, class: Class) -> bool {
        class.is_difference() || self.counts(class)
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

/// `3 drifts: 2 changed, 1 missing; 40 secrets checked, of which 1 value was not read (--read-values compares).`
fn summary<F: Format>(found: &Found) -> Escaped<F> {
    let ignored = (found.ignored > 0).then(|| -> Escaped<F> { escaped!("; {} ignored", found.ignored) });
    let checked: Escaped<F> = escaped!("{} checked{}{}", count(found.checked, "secret"), unread(found.unread), ignored);
    let (differences, waiting): (Vec<_>, Vec<_>) =
        counts(found).into_iter().partition(|(class, _)| class.is_difference());
    let waits = awaiting::counted(waiting.iter().map(|(_, number)| number).sum());
    let waits = waits.map(|waits: Escaped<F>| -> Escaped<F> { escaped!("{}; ", waits) });
    if differences.is_empty() {
        return escaped!("No drift: {}{}.", waits, checked);
    }
    let drifts = count(differences.iter().map(|(_, number)| number).sum(), "drift");
    let classes =
        differences.into_iter().map(|(class, number)| -> Escaped<F> { escaped!("{} {}", number, class.word()) });
    escaped!("{}: {}; {}{}.", drifts, Escaped::join(classes, ", "), waits, checked)
}

/// What a reader must not miss: `NOT LOOKED AT: 2 of 6 targets`.
fn not_looked_at<F: Format>(report: &DriftReport) -> Option<Escaped<F>> {
    let failed = report.targets.iter().filter(|target| target.outcome.is_err()).count();
    (failed > 0).then(|| escaped!("NOT LOOKED AT: {} of {}", failed, count(report.targets.len(), "target")))
}

/// Everything in a few words: `3 drifts in 2 targets`, and before it what could not be looked at.
fn headline<F: Format>(report: &DriftReport) -> Escaped<F> {
    let drifts = report.differences().count();
    let read = report.targets.iter().filter(|target| target.outcome.is_ok()).count();
    let found: Escaped<F> = if drifts == 0 { "no drift".into() } else { escaped!("{}", count(drifts, "drift")) };
    match not_looked_at(report) {
        None => escaped!("{} in {}", found, count(read, "target")),
        Some(not_looked_at) if read == 0 => not_looked_at,
        Some(not_looked_at) => escaped!("{}; {} in the others", not_looked_at, found),
    }
}
