//! What a watch remembers of its targets between rounds that read everything, and when each was looked at.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::aws::Connection;
use crate::desired::{Desired, Scope, Target};
use crate::live::Memory;

/// After how long everything is read again.
#[derive(Clone, Copy, Debug)]
pub enum FullInterval {
    /// After so long, whatever it costs. With none each round reads everything, and nothing is remembered.
    Given(SignedDuration),
    /// After an hour, or after one and a half where that makes the calls of full rounds a sixth of all.
    Usual {
        /// From one round to the next.
        interval: SignedDuration,
    },
}

impl FullInterval {
    const HOUR: SignedDuration = SignedDuration::from_hours(1);
    const LONGEST: SignedDuration = SignedDuration::from_mins(90);

    /// Of a target with so many secrets. A full round lists them by the hundred, in parts that are checked: a
    /// twentieth more. A round between needs one call, so five of these are wanted for each call of a full one.
    fn of(self, secrets: usize) -> SignedDuration {
        match self {
            Self::Given(given) => given,
            Self::Usual { interval } => {
                let pages = i32::try_from(secrets.div_ceil(100)).unwrap_or(i32::MAX);
                let calls = pages.saturating_add(pages / 20).saturating_add(2);
                let wanted = interval.saturating_mul(calls.saturating_mul(5));
                // Where half an hour does not bring it about, deletions are not left unseen for it.
                if (Self::HOUR..=Self::LONGEST).contains(&wanted) { Self::LONGEST } else { Self::HOUR }
            }
        }
    }
}

/// The targets' memories, by their names.
pub struct Memories {
    full_interval: FullInterval,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    remembered: BTreeMap<String, Remembered>,
    looks: BTreeMap<String, Looks>,
}

/// What is remembered of one target.
pub(super) struct Remembered {
    pub(super) memory: Memory,
    pub(super) connection: Connection,
    target: Target,
    scope: Scope,
}

/// When a target was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// When the last look began that read everything.
    pub full: Timestamp,
    /// When the last look began.
    pub last: Timestamp,
    /// Whether the last look read everything.
    pub is_full: bool,
}

impl Memories {
    /// Nothing is remembered yet, and nothing will be where the interval is none.
    pub fn new(full_interval: FullInterval) -> Self {
        Self { full_interval, known: Mutex::default() }
    }

    /// When each target was looked at, as far as it could be.
    pub fn looks(&self) -> BTreeMap<String, Looks> {
        self.known().looks.clone()
    }

    /// Whether the last look at every target read everything.
    pub fn looked_in_full(&self) -> bool {
        self.known().looks.values().all(|looks| looks.is_full)
    }

    /// Forgets targets that are there no more.
    pub(super) fn only_of(&self, targets: &[Desired]) {
        let is_there = |name: &String| targets.iter().any(|desired| desired.target.name == *name);
        let mut known = self.known();
        known.looks.retain(|name, _| is_there(name));
        known.remembered.retain(|name, _| is_there(name));
    }

    /// Everything is to be read again.
    pub fn forget(&self) {
        self.known().remembered.clear();
    }

    /// What is remembered of a target, when that is still good at `now`. Whoever takes it gives back what it becomes.
    pub(super) fn take(&self, desired: &Desired, now: Timestamp) -> Option<Remembered> {
        let mut known = self.known();
        let remembered = known.remembered.remove(&desired.target.name)?;
        let since = now.duration_since(known.looks.get(&desired.target.name)?.full);
        let is_due = since.is_negative() || since >= self.full_interval.of(remembered.memory.secrets());
        let is_same = remembered.target == desired.target && remembered.scope == desired.scope;
        (is_same && !is_due).then_some(remembered)
    }

    /// Notes a look that began at `begun`, and what it found; nothing where it cannot be told by which clock.
    pub(super) fn keep(
        &self,
        desired: &Desired,
        connection: &Connection,
        memory: Option<Memory>,
        begun: Timestamp,
        full: bool,
    ) {
        let name = desired.target.name.clone();
        let mut known = self.known();
        let before = known.looks.get(&name).map(|looks| looks.full).filter(|_| !full);
        known.looks.insert(name.clone(), Looks { full: before.unwrap_or(begun), last: begun, is_full: full });
        if let Some(memory) = memory.filter(|memory| !self.full_interval.of(memory.secrets()).is_zero()) {
            let (target, scope) = (desired.target.clone(), desired.scope.clone());
            known.remembered.insert(name, Remembered { memory, connection: connection.clone(), target, scope });
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The maps are whole even if another task died while it held the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls a round over a day, of a target with so many secrets, with a round in so many seconds and a full one of
    /// so many calls.
    fn average(secrets: usize, seconds: i64, full: u32) -> f64 {
        let interval = SignedDuration::from_secs(seconds);
        let between = FullInterval::Usual { interval }.of(secrets);
        let (mut calls, mut rounds) = (0, 0);
        let (mut now, mut last) = (SignedDuration::ZERO, None::<SignedDuration>);
        while now < SignedDuration::from_hours(24) {
            let is_due = last.is_none_or(|last| now - last >= between);
            calls += if is_due { full } else { 1 };
            last = if is_due { Some(now) } else { last };
            rounds += 1;
            now += interval + SignedDuration::from_millis(100);
        }
        f64::from(calls) / f64::from(rounds)
    }

    #[test]
    fn full_rounds_are_a_sixth_of_the_calls_where_half_an_hour_brings_that() {
        let usual = |secrets, seconds| FullInterval::Usual { interval: SignedDuration::from_secs(seconds) }.of(secrets);
        assert!(average(10_000, 10, 105) <= 1.2, "{}", average(10_000, 10, 105));
        assert_eq!(usual(10_000, 10), FullInterval::LONGEST);
        for (secrets, seconds) in [(0, 10), (500, 10), (5_000, 10), (50_000, 10), (10_000, 1), (10, 900), (10_000, 900)]
        {
            assert_eq!(usual(secrets, seconds), FullInterval::HOUR, "{secrets} secrets, {seconds} s");
        }
        assert_eq!(usual(usize::MAX, i64::MAX), FullInterval::HOUR);
    }

    #[test]
    fn what_is_given_is_what_counts() {
        for given in [SignedDuration::ZERO, SignedDuration::from_hours(1), SignedDuration::MAX] {
            assert_eq!(FullInterval::Given(given).of(10_000), given);
        }
    }
}
