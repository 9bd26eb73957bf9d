//! The next rotation window of a secret's rules; the rules of schedules themselves are `domain`'s.

use jiff::Timestamp;

use super::record::{RotationRules, Window};
use crate::clock::Moment;
use keywright_ground::domain::{Schedule, WindowLength};

impl RotationRules {
    /// The schedule that the rules mean.
    pub(crate) fn schedule(&self) -> Option<Schedule> {
        match (self.days, &self.expression) {
            (Some(days), _) => u32::try_from(days).ok().map(Schedule::Days),
            (None, Some(expression)) => Schedule::parse(expression).ok(),
            (None, None) => None,
        }
    }

    /// The first window that opens after a moment. None if there is none within the calendar.
    pub(crate) fn next_window(&self, after: Moment) -> Option<Window> {
        let length = self.duration.as_deref().and_then(|text| WindowLength::parse(text).ok());
        let window = self.schedule()?.next_window(Timestamp::from_millisecond(after.0).ok()?, length)?;
        Some(Window { opens: moment(window.opens), closes: moment(window.closes) })
    }
}

fn moment(at: Timestamp) -> Moment {
    Moment(at.as_millisecond())
}
