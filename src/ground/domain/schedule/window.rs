//! The rotation window: how long it may be, and when the next one opens and closes.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::{HOURS_A_DAY, Schedule, ScheduleFault, fault};

/// The length of a rotation window (`Duration`), in hours: 1 to 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowLength(u32);

impl WindowLength {
    /// Reads a Duration such as `2h`.
    pub fn parse(text: &str) -> Result<Self, ScheduleFault> {
        let hours = text
            .strip_suffix('h')
            .filter(|digits| digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        match hours {
            Some(hours @ 1..=HOURS_A_DAY) => Ok(Self(hours)),
            _ => fault("a rotation window is 1h to 24h", "for example 2h"),
        }
    }

    /// Its hours.
    pub fn hours(self) -> u32 {
        self.0
    }
}

/// The `Duration` of a rotation's window as somebody wrote it; two ways to write one length are equal.
#[derive(Clone, Debug)]
pub struct RotationDuration {
    text: String,
    length: Option<WindowLength>,
}

impl RotationDuration {
    /// Takes what is checked already, or what the service says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { length: WindowLength::parse(&text).ok(), text }
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for RotationDuration {
    fn eq(&self, other: &Self) -> bool {
        match (self.length, other.length) {
            (Some(length), Some(other)) => length == other,
            _ => self.text == other.text,
        }
    }
}

impl Eq for RotationDuration {}

impl serde::Serialize for RotationDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// A rotation window. The service rotates at some time within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub opens: Timestamp,
    /// Its last second: the NextRotationDate.
    pub closes: Timestamp,
}

impl Schedule {
    /// Checks that a window reaches neither into the next one nor into the next UTC day.
    pub fn check_window(&self, length: WindowLength) -> Result<(), ScheduleFault> {
        let WindowLength(hours) = length;
        // A rate in hours opens its windows anywhere in the day, so that only the interval binds it.
        let (interval, last_hour) = match self {
            Self::Hours(interval) => (*interval, 0),
            Self::Days(_) => (HOURS_A_DAY, 0),
            Self::Cron(cron) => (cron.shortest_gap_within_a_day(), cron.last_hour()),
        };
        let longest = interval.min(HOURS_A_DAY - last_hour);
        if hours <= longest {
            return Ok(());
        }
        let help = format!("{longest}h is the longest");
        if hours > interval {
            return fault(
                format!("a window of {hours} hours doesn't end before the next one begins"),
                format!("it rotates every {interval} hours: {help}"),
            );
        }
        fault(
            format!("a window of {hours} hours that opens at {last_hour:02}:00 UTC reaches into the next day"),
            format!("a window ends with the UTC day: {help}"),
        )
    }

    /// The first window that opens after a moment. None where the calendar ends.
    pub fn next_window(&self, after: Timestamp, length: Option<WindowLength>) -> Option<Window> {
        let opens = self.next_opening(after)?;
        let whole_day = match self {
            Self::Hours(_) => false,
            Self::Days(_) => true,
            Self::Cron(cron) => cron.is_in_days(),
        };
        let end = match length {
            Some(WindowLength(hours)) => opens.checked_add(i64::from(hours).hours()).ok()?,
            None if whole_day => {
                let tomorrow = opens.to_zoned(TimeZone::UTC).date().tomorrow().ok()?;
                tomorrow.to_zoned(TimeZone::UTC).ok()?.timestamp()
            }
            None => opens.checked_add(1.hour()).ok()?,
        };
        Some(Window { opens, closes: end.checked_sub(1.second()).ok()? })
    }
}
