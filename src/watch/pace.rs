//! How long to wait for the next round, and for a target that could not be read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The longest wait that failures lead to, when the interval itself is not longer.
const LONGEST_BACKOFF: Duration = Duration::from_hours(1);

/// Doublings after which a wait grows no more.
const MOST_DOUBLINGS: u32 = 4;

/// The time between two rounds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the end of a round to the beginning of the next.
    pub interval: Duration,
    /// By how much a wait is longer or shorter at random, in percent of it, so that many watchers do not all ask at
    /// once.
    pub jitter: u8,
}

impl Pace {
    /// The wait after `failures` rounds in a row that could not read every target: the interval, doubled with each of
    /// them up to sixteen intervals or an hour. `random` is from 0 to 1.
    pub fn wait(&self, failures: u32, random: f64) -> Duration {
        let longest = self.interval.max(LONGEST_BACKOFF);
        let wait = self.interval.saturating_mul(1 << failures.min(MOST_DOUBLINGS)).min(longest);
        let spread = f64::from(self.jitter.min(100)) / 100.0 * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        wait.mul_f64(1.0 + spread)
    }
}

/// Targets that could not be read, each left alone for a while of its own.
#[derive(Clone, Debug, Default)]
pub struct Backoff(BTreeMap<String, Failing>);

#[derive(Clone, Copy, Debug)]
struct Failing {
    /// Looks in a row that could not read it.
    failures: u32,
    until: Instant,
}

impl Backoff {
    /// Whether a target is to be looked at.
    pub fn is_due(&self, target: &str, now: Instant) -> bool {
        self.0.get(target).is_none_or(|failing| now >= failing.until)
    }

    /// Notes how a look at a target ended.
    pub fn looked(&mut self, target: &str, read: bool, pace: Pace, now: Instant, random: f64) {
        if read {
            self.0.remove(target);
            return;
        }
        let failures = self.0.get(target).map_or(0, |failing| failing.failures).saturating_add(1);
        // The next round comes after an interval anyway, and is not missed for having come a moment early.
        let wait = pace.wait(failures, random).saturating_sub(pace.interval / 2);
        let until = now.checked_add(wait).unwrap_or(now);
        self.0.insert(target.to_owned(), Failing { failures, until });
    }

    /// All are to be looked at again.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn jitter_is_within_its_share_on_both_sides() {
        let pace = Pace { interval: 10 * MINUTE, jitter: 10 };
        assert_eq!(pace.wait(0, 0.0), 9 * MINUTE);
        assert_eq!(pace.wait(0, 0.5), 10 * MINUTE);
        assert_eq!(pace.wait(0, 1.0), 11 * MINUTE);
        assert_eq!(Pace { jitter: 0, ..pace }.wait(0, 0.9), 10 * MINUTE);
    }

    #[test]
    fn failures_slow_it_down_up_to_a_limit() {
        let pace = Pace { interval: MINUTE, jitter: 0 };
        let waits: Vec<u64> = (0..7).map(|failures| pace.wait(failures, 0.5).as_secs() / 60).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 16, 16]);
        assert_eq!(Pace { interval: 15 * MINUTE, jitter: 0 }.wait(9, 0.5), 60 * MINUTE);
        assert_eq!(Pace { interval: 120 * MINUTE, jitter: 0 }.wait(9, 0.5), 120 * MINUTE);
        assert_eq!(Pace { interval: Duration::ZERO, jitter: 100 }.wait(u32::MAX, 1.0), Duration::ZERO);
    }

    #[test]
    fn a_target_that_fails_is_left_alone_by_itself() {
        let (pace, now) = (Pace { interval: MINUTE, jitter: 0 }, Instant::now());
        let mut backoff = Backoff::default();
        backoff.looked("eu", false, pace, now, 0.5);
        backoff.looked("us", true, pace, now, 0.5);
        assert!(!backoff.is_due("eu", now + MINUTE) && backoff.is_due("us", now));
        assert!(backoff.is_due("eu", now + 2 * MINUTE), "it is missed once");
        backoff.looked("eu", false, pace, now, 0.5);
        assert!(!backoff.is_due("eu", now + 3 * MINUTE) && backoff.is_due("eu", now + 4 * MINUTE));
        backoff.looked("eu", true, pace, now, 0.5);
        assert!(backoff.is_due("eu", now));
        backoff.looked("eu", false, Pace { interval: Duration::ZERO, jitter: 0 }, now, 0.5);
        assert!(backoff.is_due("eu", now));
        backoff.looked("eu", false, pace, now, 0.5);
        backoff.forget();
        assert!(backoff.is_due("eu", now));
    }
}
