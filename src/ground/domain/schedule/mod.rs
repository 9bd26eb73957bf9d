//! When a secret rotates: `rate(...)`, `cron(...)`, a number of days, and the window; one parser for manifests,
//! `explain`, `import` and the sandbox.
//!
//! The rules are those of the user guide ("Rotation schedules") and of `RotationRulesType`:
//!
//! - `rate(N hours)` and `rate(N days)`: at least 4 hours, at most 999 days. AutomaticallyAfterDays is 1 to 1,000.
//! - `cron(0 HOUR DAY MONTH WEEKDAY *)`, with what the guide's table lists for each field and nothing else: see
//!   [`cron`]. One of day and weekday is `?`.
//! - Two windows that follow each other open at least 4 hours apart, over midnight too where two days in a row are
//!   named.
//! - A schedule that names no date of the calendar (31 February) never rotates, and is refused.
//! - A window is 1 to 24 hours. It reaches neither into the next window nor into the next UTC day; one that is as long
//!   as the interval is allowed.
//! - Without a length, a window of a schedule in hours is open for an hour, and one of a schedule in days until the day
//!   ends. Which kind a cron expression is, is not documented: here it is in hours if it names several hours of a day.

mod calendar;
mod cron;
mod frequency;
#[cfg(test)]
mod tests;
mod window;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

pub use self::cron::Cron;
pub use self::frequency::{Expression, Frequency};
pub use self::window::{RotationDuration, Window, WindowLength};

/// Two windows open at least so many hours apart.
const MIN_INTERVAL_HOURS: u32 = 4;
/// Two rotations are at most so many days apart.
const MAX_INTERVAL_DAYS: u32 = 999;
/// Longest ScheduleExpression, in bytes.
const MAX_LENGTH: usize = 256;
/// The hours of a day.
pub const HOURS_A_DAY: u32 = 24;

/// When a secret rotates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// `rate(N hours)`.
    Hours(u32),
    /// `rate(N days)`, or AutomaticallyAfterDays.
    Days(u32),
    /// `cron(...)`.
    Cron(Cron),
}

/// What is wrong with a schedule or a window, and the nearest that would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScheduleFault {
    /// What is wrong, in a sentence.
    pub message: String,
    /// What would be right.
    pub help: String,
}

fn fault<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, ScheduleFault> {
    Err(ScheduleFault { message: message.into(), help: help.into() })
}

impl Schedule {
    /// Reads a ScheduleExpression.
    pub fn parse(text: &str) -> Result<Self, ScheduleFault> {
        if text.len() > MAX_LENGTH {
            return fault(format!("a schedule has at most {MAX_LENGTH} characters"), "for example rate(30 days)");
        }
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            return parse_rate(rate);
        }
        if let Some(fields) = inner("cron") {
            return Cron::parse(fields).map(Self::Cron);
        }
        let help = match text.split_whitespace().count() {
            5 => {
                "for example rate(30 days), or cron(0 16 1,15 * ? *): six fields, minutes 0, and one of day and \
                 weekday is ?"
            }
            _ => "for example rate(30 days), or cron(0 16 1,15 * ? *)",
        };
        fault("a schedule is rate(...) or cron(...)", help)
    }

    /// The shortest time between two windows that follow each other, in hours.
    pub fn shortest_interval_hours(&self) -> u32 {
        match self {
            Self::Hours(hours) => *hours,
            Self::Days(days) => days.saturating_mul(HOURS_A_DAY),
            Self::Cron(cron) => cron.shortest_interval_hours(),
        }
    }

    /// The longest time between two dates of the schedule, in hours. The hours within a day do not count, since a
    /// secret rotates at any time of its window.
    pub fn longest_interval_hours(&self) -> u32 {
        match self {
            Self::Hours(hours) => *hours,
            Self::Days(days) => days.saturating_mul(HOURS_A_DAY),
            Self::Cron(cron) => cron.longest_interval_days().saturating_mul(HOURS_A_DAY),
        }
    }

    /// The AutomaticallyAfterDays that the service shows beside an expression: known for rates, where a part of a day
    /// counts as one.
    pub fn days(&self) -> Option<u32> {
        match self {
            Self::Hours(hours) => Some(hours.div_ceil(HOURS_A_DAY)),
            Self::Days(days) => Some(*days),
            Self::Cron(_) => None,
        }
    }

    /// When the first window after a moment opens. For a rate the moment is that of the last rotation. None where the
    /// calendar ends.
    pub fn next_opening(&self, after: Timestamp) -> Option<Timestamp> {
        let now = after.to_zoned(TimeZone::UTC).datetime();
        let opens = match self {
            Self::Hours(hours) => now.date().at(now.hour(), 0, 0, 0).checked_add(i64::from(*hours).hours()).ok()?,
            Self::Days(days) => now.date().checked_add(i64::from(*days).days()).ok()?.at(0, 0, 0, 0),
            Self::Cron(cron) => cron.next_opening(now)?,
        };
        opens.to_zoned(TimeZone::UTC).ok().map(|opens| opens.timestamp())
    }

    /// The beginnings of the windows after a moment, each from the one before.
    pub fn openings(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_opening(after), |opening| self.next_opening(*opening))
    }
}

fn parse_rate(rate: &str) -> Result<Schedule, ScheduleFault> {
    let help = "for example rate(4 hours), rate(1 day) or rate(30 days)";
    let Some((number, unit)) = rate.split_once(' ') else { return fault("a rate is a number and a unit", help) };
    // Five digits hold the hours of 999 days.
    let plain = number.len() <= 5 && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = match number.parse::<u32>() {
        Ok(number) if plain && number > 0 => number,
        _ => return fault("a rate is a whole number of hours or days", help),
    };
    let (schedule, hours) = match unit {
        "hour" | "hours" => (Schedule::Hours(number), number),
        "day" | "days" => (Schedule::Days(number), number * HOURS_A_DAY),
        "minute" | "minutes" => return fault("a rate is in hours or days", help),
        _ => return fault("the unit of a rate is `hours` or `days`", help),
    };
    if hours < MIN_INTERVAL_HOURS {
        return fault("Secrets Manager rotates at most every 4 hours", "rate(4 hours) is the shortest");
    }
    if hours > MAX_INTERVAL_DAYS * HOURS_A_DAY {
        return fault("Secrets Manager rotates at least every 999 days", "rate(999 days) is the longest");
    }
    Ok(schedule)
}
