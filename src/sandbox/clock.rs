//! The sandbox's idea of now.
//!
//! Every date that the sandbox answers with, and every decision about an ended recovery window, comes from here, so
//! that a test can let thirty days pass. No other file of the sandbox may ask the operating system for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where the sandbox reads the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The operating system's clock.
    #[default]
    System,
    /// A clock that moves only when it is advanced: milliseconds since 1970, as they are the service's resolution.
    /// Clones share it.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A manual clock that shows `start` (cut to milliseconds) until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// Moves a manual clock by `by`, which may be negative; a move beyond the ends of time stops there. The operating
    /// system's clock is not moved.
    pub fn advance(&self, by: SignedDuration) {
        let Self::Manual(milliseconds) = self else { return };
        let step = i64::try_from(by.as_millis()).unwrap_or(if by.is_negative() { i64::MIN } else { i64::MAX });
        let earliest = Timestamp::MIN.as_millisecond();
        let latest = Timestamp::MAX.as_millisecond();
        // The closure always returns a value, so the update cannot fail.
        let _ = milliseconds.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
            Some(now.saturating_add(step).clamp(earliest, latest))
        });
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::System => Moment(Timestamp::now().as_millisecond()),
            Self::Manual(milliseconds) => Moment(milliseconds.load(Ordering::Acquire)),
        }
    }
}

/// Real time, for latency and request quotas: these are about real clients, whatever the
/// sandbox's date is.
pub(crate) fn stopwatch() -> Instant {
    Instant::now()
}

/// A moment in milliseconds since 1970, the resolution of every date that the service was seen to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(pub(crate) i64);

const DAY: i64 = 24 * 60 * 60 * 1000;

impl Moment {
    /// The moment `days` days later.
    pub(crate) fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY)))
    }

    /// The moment that much later.
    pub(crate) fn plus(self, time: Duration) -> Self {
        let latest = Timestamp::MAX.as_millisecond();
        Self(self.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)).min(latest))
    }

    /// The moment that much earlier.
    pub(crate) fn minus(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The next representable moment.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The midnight (UTC) that began this day: access dates have the resolution of a day.
    pub(crate) fn midnight(self) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY))
    }

    /// The form on the wire: seconds since 1970 with a fraction of milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any year that jiff can show stay below 2^53")]
    pub(crate) fn epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_advanced() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        assert_eq!(clock.now(), Moment(0));
        other.advance(SignedDuration::from_hours(24));
        assert_eq!(clock.now(), Moment(0).plus_days(1));
        other.advance(SignedDuration::MAX);
        assert_eq!(clock.now().0, Timestamp::MAX.as_millisecond());
    }

    #[test]
    fn dates_have_three_decimals_and_days_begin_at_midnight() {
        assert_eq!(serde_json::json!(Moment(1_718_000_000_123).epoch_seconds()).to_string(), "1718000000.123");
        assert_eq!(Moment(1_718_000_000_123).midnight(), Moment(1_717_977_600_000));
        assert_eq!(Moment(-1).midnight(), Moment(-DAY));
    }
}
