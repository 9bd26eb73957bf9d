//! The fault injector: decides the outcome of each call before it is carried out. A rule that applies decides first,
//! then the quotas, then what the profile draws.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::profile::FaultProfile;
use super::quota::{QuotaGroup, Quotas};
use super::rule::{Fault, FaultRules};
use crate::state::Call;
use crate::wire::ServiceError;

/// The outcome that was decided for a call.
#[derive(Clone, Debug)]
pub(crate) enum InjectedOutcome {
    /// No fault: it is carried out and answered.
    Execute,
    /// Answered with an error, after it was carried out or instead.
    Refuse { error: ServiceError, carried_out: bool },
    /// Not answered: the connection breaks, after the call was carried out or instead.
    Drop { carried_out: bool },
    /// The process ends, after the call was carried out or instead.
    Kill { carried_out: bool },
}

/// The rules and the profile in force, with what the profile is drawn from.
pub(crate) struct FaultInjector {
    rules: FaultRules,
    profile: FaultProfile,
    random: StdRng,
    quotas: Quotas,
}

impl Default for FaultInjector {
    /// Every call works, at once.
    fn default() -> Self {
        let profile = FaultProfile::default();
        let random = StdRng::seed_from_u64(profile.rng_seed);
        Self { rules: FaultRules::default(), profile, random, quotas: Quotas::default() }
    }
}

impl FaultInjector {
    pub(crate) fn add(&mut self, rule: Fault) {
        self.rules.add(rule);
    }

    /// Replaces the profile: what is drawn begins with its rng seed again, and every quota is whole.
    pub(crate) fn set_profile(&mut self, profile: FaultProfile) {
        self.random = StdRng::seed_from_u64(profile.rng_seed);
        self.quotas = Quotas::default();
        self.profile = profile;
    }

    pub(crate) fn profile(&self) -> &FaultProfile {
        &self.profile
    }

    /// The outcome of the next call, and how long its answer takes at least. `quota` is the group that the operation
    /// counts towards; none for a call that has no quota.
    pub(crate) fn next_outcome(
        &mut self,
        call: &Call,
        quota: Option<QuotaGroup>,
        now: Instant,
    ) -> (Duration, InjectedOutcome) {
        let fault = self.rules.next_fault(call);
        let latency = self.latency();
        match fault.map(|fault| fault.outcome(call)) {
            Some((slower, outcome)) => (latency + slower, outcome),
            None => (latency, self.draw(call, quota, now)),
        }
    }

    fn latency(&mut self) -> Duration {
        let FaultProfile { latency, jitter, .. } = self.profile;
        if jitter.is_zero() { latency } else { latency + jitter.mul_f64(self.random.random_range(0.0..1.0)) }
    }

    /// The outcome of a call that no rule applies to.
    fn draw(&mut self, call: &Call, quota: Option<QuotaGroup>, now: Instant) -> InjectedOutcome {
        let FaultProfile { throttled, failing, dropped, answer_lost, quotas, .. } = self.profile;
        let refuse = |error| InjectedOutcome::Refuse { error, carried_out: false };
        if quotas && quota.is_some_and(|group| !self.quotas.admit(call, group, now)) {
            return refuse(ServiceError::rate_exceeded());
        }
        let mut draw = |probability: f64| probability > 0.0 && self.random.random_range(0.0..1.0) < probability;
        if draw(throttled) {
            refuse(ServiceError::rate_exceeded())
        } else if draw(failing) {
            refuse(ServiceError::internal(
                "An internal error occurred. (The sandbox failed on purpose; nothing was done.)",
            ))
        } else if draw(dropped) {
            InjectedOutcome::Drop { carried_out: false }
        } else if draw(answer_lost) {
            InjectedOutcome::Drop { carried_out: true }
        } else {
            InjectedOutcome::Execute
        }
    }
}
