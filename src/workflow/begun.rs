//! The beginning of a run that is reported: when, and which requests were made before.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use crate::aws::Aws;

/// The beginning of a run.
pub(super) struct Begun {
    pub(super) started: Timestamp,
    clock: Instant,
    /// Requests that were made before.
    calls: BTreeMap<String, u64>,
}

impl Begun {
    pub(super) fn now(aws: &Aws) -> Self {
        Self { started: aws.now(), clock: Instant::now(), calls: aws.calls().by_operation() }
    }

    /// How long ago that is, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    /// The requests since then.
    pub(super) fn calls_since(&self, aws: &Aws) -> BTreeMap<String, u64> {
        let mut calls = aws.calls().by_operation();
        for (operation, number) in &mut calls {
            *number -= self.calls.get(operation).copied().unwrap_or_default();
        }
        calls.retain(|_, number| *number > 0);
        calls
    }
}
