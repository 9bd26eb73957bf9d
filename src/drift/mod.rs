//! Drift: a plan read as a report. What differs from git, of which kind, and what is known of who did it.
//!
//! Pure, like `plan`: values in, values out; the time is an input. What may not enter: I/O, output formats (those are
//! `render`), and secret values.

mod causes;
mod class;
mod classify;
mod difference;
#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may panic")]
mod tests;

pub use class::Class;
pub use classify::{Drift, classify};
pub use difference::{Clue, Difference, Field, ValueDifference};

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::desired;
use crate::reconcile::TargetError;

/// Known noise: `--ignore CLASS:GLOB:YYYY-MM-DD`.
pub type Ignore = desired::Ignore<Class>;

/// What one run over all targets found.
#[derive(Clone, Debug)]
pub struct DriftReport {
    /// The project's name.
    pub project: String,
    /// When the run began.
    pub started: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Requests by operation.
    pub calls: BTreeMap<String, u64>,
    /// The targets, in the order of the project file.
    pub targets: Vec<TargetDrift>,
}

/// What was found in one target.
#[derive(Clone, Debug)]
pub struct TargetDrift {
    /// The target's name.
    pub name: String,
    /// The account, when it is known.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Where it was reached when that is not AWS itself: an endpoint, or `sandbox`.
    pub endpoint: Option<String>,
    /// What was found, or why the target could not be looked at.
    pub outcome: Result<Found, Arc<TargetError>>,
}

/// What a look at one target found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Secrets that manifests name, after selection.
    pub checked: usize,
    /// Of these, the ones whose live value may or may not be the declared one: it was not read, and no id tells.
    pub unread: usize,
    /// What differs, by secret.
    pub drifts: Vec<Drift>,
    /// What differs and is known noise (`--ignore`).
    pub ignored: usize,
}

impl DriftReport {
    /// Whether every target could be looked at.
    pub fn is_complete(&self) -> bool {
        self.targets.iter().all(|target| target.outcome.is_ok())
    }

    /// Everything that differs, with the target it is in.
    pub fn drifts(&self) -> impl Iterator<Item = (&TargetDrift, &Drift)> {
        self.targets
            .iter()
            .flat_map(|target| target.outcome.iter().flat_map(|found| &found.drifts).map(move |drift| (target, drift)))
    }

    /// Of these, what differs from git.
    pub fn differences(&self) -> impl Iterator<Item = (&TargetDrift, &Drift)> {
        self.drifts().filter(|(_, drift)| drift.class.is_difference())
    }

    /// What tells one set of findings from another: no dates and no counts, so that a run that finds the same says the
    /// same.
    pub fn identity(&self) -> Vec<(String, Class, String, Option<Difference>)> {
        let known = |(target, drift): (&TargetDrift, &Drift)| {
            (target.name.clone(), drift.class, drift.secret.to_string(), Some(drift.what.clone()))
        };
        let mut identity: Vec<_> = self.drifts().map(known).collect();
        let failed = self.targets.iter().filter(|target| target.outcome.is_err());
        identity.extend(failed.map(|target| (target.name.clone(), Class::Unreachable, String::new(), None)));
        identity.sort();
        identity
    }
}
