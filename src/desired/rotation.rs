//! Rotation as one thing, whether it is desired or live: who rotates, and when.

use std::collections::BTreeMap;

/// `spec.rotation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredRotation {
    /// Who rotates, and when.
    pub setup: RotationSetup,
    /// `RotateImmediately`. Never a difference by itself: it says what happens when something else is one.
    pub rotate_immediately: bool,
}

/// Who rotates a secret, and when (RotateSecret).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSetup {
    /// Who rotates.
    pub rotator: Rotator,
    /// How often.
    pub frequency: Frequency,
    /// `Duration`: the length of the window, such as `2h`. Where it is desired, none leaves it as it is.
    pub duration: Option<String>,
}

/// Who rotates a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotator {
    /// A Lambda function of the account, by its ARN (`RotationLambdaARN`).
    Lambda(String),
    /// The partner that the secret's `Type` names (managed external secrets).
    External {
        /// The role that Secrets Manager assumes (`ExternalSecretRotationRoleArn`).
        role_arn: Option<String>,
        /// What the partner needs to know (`ExternalSecretRotationMetadata`).
        metadata: BTreeMap<String, String>,
    },
}

/// How often a secret is rotated (`RotationRules`).
#[derive(Clone, Debug)]
pub enum Frequency {
    /// `AutomaticallyAfterDays`: 1 to 1,000 days.
    EveryDays(u32),
    /// `ScheduleExpression`: `rate(...)` or `cron(...)`.
    Expression(String),
}

/// Two ways to write one schedule are equal: `rate(30 days)` and every 30 days, `MON` and `mon`.
impl PartialEq for Frequency {
    fn eq(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }
}

impl Eq for Frequency {}

#[derive(PartialEq, Eq)]
enum Normal {
    Days(u32),
    Hours(u32),
    Other(Vec<String>),
}

impl Frequency {
    /// The hours between two rotations, where they are always the same.
    pub fn interval_hours(&self) -> Option<u32> {
        match self.normal() {
            Normal::Days(days) => days.checked_mul(24),
            Normal::Hours(hours) => Some(hours),
            Normal::Other(_) => None,
        }
    }

    fn normal(&self) -> Normal {
        let text = match self {
            Self::EveryDays(days) => return Normal::Days(*days),
            Self::Expression(text) => text.trim(),
        };
        let rate = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
        let mut words = rate.unwrap_or_default().split_whitespace();
        match (words.next().and_then(|number| number.parse().ok()), words.next(), words.next()) {
            (Some(days), Some("day" | "days"), None) => Normal::Days(days),
            (Some(hours), Some("hour" | "hours"), None) => Normal::Hours(hours),
            _ => Normal::Other(text.split_whitespace().map(str::to_ascii_uppercase).collect()),
        }
    }
}

impl RotationSetup {
    /// Whether `live` is what is desired. A duration that is not declared is not compared.
    pub fn is_met_by(&self, live: &Self) -> bool {
        self.rotator == live.rotator
            && self.frequency == live.frequency
            && (self.duration.is_none() || self.duration == live.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Frequency {
        Frequency::Expression(text.to_owned())
    }

    #[test]
    fn two_ways_to_write_one_schedule_are_equal() {
        assert_eq!(Frequency::EveryDays(30), expression("rate(30 days)"));
        assert_eq!(expression("rate(1 day)"), expression("rate(1 days)"));
        assert_eq!(expression("cron(0 8 ? * MON *)"), expression("cron(0 8  ? * mon *)"));
    }

    #[test]
    fn other_schedules_are_not() {
        assert_ne!(Frequency::EveryDays(1), expression("rate(24 hours)"), "their windows differ");
        assert_ne!(expression("rate(30 days)"), expression("rate(31 days)"));
        assert_ne!(expression("cron(0 8 ? * MON *)"), expression("cron(0 8 ? * TUE *)"));
        assert_ne!(expression("rate(thirty days)"), Frequency::EveryDays(30));
    }

    #[test]
    fn a_window_that_is_not_declared_is_not_compared() {
        let setup = |duration: Option<&str>| RotationSetup {
            rotator: Rotator::Lambda("arn".to_owned()),
            frequency: Frequency::EveryDays(30),
            duration: duration.map(str::to_owned),
        };
        assert!(setup(None).is_met_by(&setup(Some("2h"))));
        assert!(!setup(Some("3h")).is_met_by(&setup(Some("2h"))));
        assert!(!setup(Some("3h")).is_met_by(&setup(None)));
    }
}
