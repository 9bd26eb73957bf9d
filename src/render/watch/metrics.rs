//! The metrics of the watch itself, to stand behind those of its last report.

use std::collections::BTreeMap;

use super::super::escape::{Escaped, Prometheus};
use super::super::metric::{
    APPLIES, GUARD_REFUSALS, HELD_BACK, LAST_FULL_LOOK, LAST_LOOK, LOST_NOTIFICATIONS, MANIFESTS_VALID, Metrics,
    ROUNDS, THROTTLED,
};
use crate::plan::guards;
use crate::watch::Rounds;
use crate::workflow::{Looks, Standing};

/// What a watch has counted since it began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Rounds.
    pub rounds: Rounds,
    /// Applies that did all they were for.
    pub applies_done: u64,
    /// Applies that did not.
    pub applies_failed: u64,
    /// Rounds in which something was kept from being applied.
    pub not_applied: u64,
    /// Notifications that could not be delivered at once.
    pub lost_notifications: u64,
    /// Throttled answers.
    pub throttled: u64,
}

/// The metrics of the watch itself.
pub fn metrics(
    project: &str,
    counted: &Counted,
    manifests_valid: bool,
    standing: &BTreeMap<String, Standing>,
    looks: &BTreeMap<String, Looks>,
) -> Escaped<Prometheus> {
    let Counted { rounds, applies_done, applies_failed, not_applied, lost_notifications, throttled } = *counted;
    let Rounds { complete, incomplete, failed } = rounds;
    let mut metrics = Metrics::of(project);
    metrics.begin(&HELD_BACK);
    for (target, standing) in standing {
        metrics.sample(&HELD_BACK, &[target], standing.held_back);
    }
    metrics.begin(&GUARD_REFUSALS);
    for (target, standing) in standing {
        for guard in guards() {
            let refuses = standing.refusing.contains(guard.name);
            metrics.sample(&GUARD_REFUSALS, &[target, guard.name], u8::from(refuses));
        }
    }
    metrics.only(&MANIFESTS_VALID, u8::from(manifests_valid));
    metrics.begin(&ROUNDS);
    for (result, number) in [("complete", complete), ("incomplete", incomplete), ("failed", failed)] {
        metrics.sample(&ROUNDS, &[result], number);
    }
    metrics.begin(&APPLIES);
    for (result, number) in [("done", applies_done), ("failed", applies_failed), ("not-applied", not_applied)] {
        metrics.sample(&APPLIES, &[result], number);
    }
    metrics.only(&LOST_NOTIFICATIONS, lost_notifications);
    metrics.only(&THROTTLED, throttled);
    metrics.begin(&LAST_LOOK);
    for (target, looks) in looks {
        metrics.sample(&LAST_LOOK, &[target], looks.last.as_second());
    }
    metrics.begin(&LAST_FULL_LOOK);
    for (target, looks) in looks {
        metrics.sample(&LAST_FULL_LOOK, &[target], looks.full.as_second());
    }
    metrics.out
}
