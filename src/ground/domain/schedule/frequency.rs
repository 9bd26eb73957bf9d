//! How often a secret rotates, as a manifest or the service says it: the text is kept as it is, and what it means is
//! beside it.

use super::{HOURS_A_DAY, Schedule, ScheduleFault};

/// How often a secret is rotated (`RotationRules`).
#[derive(Clone, Debug)]
pub enum Frequency {
    /// `AutomaticallyAfterDays`: 1 to 1,000 days.
    EveryDays(u32),
    /// `ScheduleExpression`.
    Expression(Expression),
}

/// A ScheduleExpression. One that the service says may be in a form that keywright does not know.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    /// Boxed, since plans and changes hold frequencies by value.
    schedule: Option<Box<Schedule>>,
}

impl Expression {
    /// Reads what people wrote.
    pub fn parse(text: &str) -> Result<Self, ScheduleFault> {
        Schedule::parse(text).map(|schedule| Self { text: text.to_owned(), schedule: Some(Box::new(schedule)) })
    }

    /// Takes what the service says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { schedule: Schedule::parse(&text).ok().map(Box::new), text }
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Two ways to write one schedule are equal: `rate(30 days)` and every 30 days, `MON` and `2`.
impl PartialEq for Frequency {
    fn eq(&self, other: &Self) -> bool {
        match (self.schedule(), other.schedule()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.words() == other.words(),
            _ => false,
        }
    }
}

impl Eq for Frequency {}

impl Frequency {
    /// The frequency of an expression that the service says.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self::Expression(Expression::of_service(text))
    }

    /// The schedule that it means; none for an expression in a form that keywright does not know.
    pub fn schedule(&self) -> Option<Schedule> {
        match self {
            Self::EveryDays(days) => Some(Schedule::Days(*days)),
            Self::Expression(expression) => expression.schedule.as_deref().cloned(),
        }
    }

    /// The hours between two rotations, where they are always the same.
    pub fn interval_hours(&self) -> Option<u32> {
        match self.schedule()? {
            Schedule::Hours(hours) => Some(hours),
            Schedule::Days(days) => days.checked_mul(HOURS_A_DAY),
            Schedule::Cron(_) => None,
        }
    }

    /// The words of an expression that is not understood: case and blanks make no difference.
    fn words(&self) -> Vec<String> {
        match self {
            Self::EveryDays(_) => Vec::new(),
            Self::Expression(expression) => expression.text.split_whitespace().map(str::to_ascii_uppercase).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Frequency {
        Frequency::of_service(text)
    }

    #[test]
    fn two_ways_to_write_one_schedule_are_equal() {
        assert_eq!(Frequency::EveryDays(30), expression("rate(30 days)"));
        assert_eq!(expression("rate(1 day)"), expression("rate(1 days)"));
        assert_eq!(expression("cron(0 8 ? * MON *)"), expression("cron(0 8  ? * mon *)"));
        assert_eq!(expression("cron(0 8 ? * MON-FRI *)"), expression("cron(0 08 ? 1-12 2,3,4-6 *)"));
        assert_eq!(expression("cron(0 /8 * * ? *)"), expression("cron(0 0/8 1-31 * ? *)"));
        assert_eq!(expression("unheard of(1  MOON)"), expression("unheard of(1 moon)"));
    }

    #[test]
    fn other_schedules_are_not() {
        assert_ne!(Frequency::EveryDays(1), expression("rate(24 hours)"), "their windows differ");
        assert_ne!(expression("rate(30 days)"), expression("rate(31 days)"));
        assert_ne!(expression("cron(0 8 ? * MON *)"), expression("cron(0 8 ? * TUE *)"));
        assert_ne!(expression("rate(thirty days)"), Frequency::EveryDays(30));
        assert_ne!(expression("rate(1 moon)"), expression("rate(2 moons)"));
    }

    #[test]
    fn what_the_service_says_is_kept_whatever_it_is() {
        for text in ["", "cron(0 8,20 * * ? *)", "at(2030-01-01)", "rate(1 fortnight)", "\u{202e}"] {
            let Frequency::Expression(kept) = expression(text) else { continue };
            assert_eq!(kept.as_str(), text);
            assert_eq!(expression(text), expression(text));
        }
    }
}
