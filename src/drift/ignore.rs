//! Known noise, each with the day on which it stops being excused.

use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::class::Class;
use super::classify::Drift;
use crate::plan::is_plain_name;

/// One `--ignore CLASS:GLOB:YYYY-MM-DD`, with the targets that it is for behind it where it is for some only.
#[derive(Clone, Debug)]
pub struct Ignore {
    class: Option<Class>,
    names: GlobMatcher,
    until: Date,
    targets: Option<String>,
    written: String,
}

/// Why an `--ignore` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// It has not three parts.
    #[error(
        "known noise is written CLASS:GLOB:YYYY-MM-DD, for example changed:prod/payments/*:2027-01-31 (`*` is every \
         class); behind it may stand the targets, as in changed:*:2027-01-31:stage=dev"
    )]
    Form,
    /// No such class.
    #[error(transparent)]
    Class(#[from] super::class::UnknownClass),
    /// The pattern is wrong.
    #[error("{0}")]
    Glob(String),
    /// The date is wrong.
    #[error("the last part is the last day on which it is ignored, as YYYY-MM-DD")]
    Date,
}

impl FromStr for Ignore {
    type Err = IgnoreError;

    fn from_str(text: &str) -> Result<Self, IgnoreError> {
        let (class, rest) = text.split_once(':').ok_or(IgnoreError::Form)?;
        // No name of a secret or target has a colon.
        let (names, rest) = rest.split_once(':').ok_or(IgnoreError::Form)?;
        let (until, targets) = rest.split_once(':').map_or((rest, None), |(until, targets)| (until, Some(targets)));
        let glob = GlobBuilder::new(names).literal_separator(false).build();
        Ok(Self {
            class: if class == "*" { None } else { Some(class.parse()?) },
            names: glob.map_err(|error| IgnoreError::Glob(error.to_string()))?.compile_matcher(),
            until: until.parse().map_err(|_| IgnoreError::Date)?,
            targets: targets.map(str::to_owned),
            written: text.to_owned(),
        })
    }
}

impl Ignore {
    /// Whether it excuses `drift` at this time. Days are of UTC, and the last one counts.
    pub fn excuses(&self, drift: &Drift, now: Timestamp) -> bool {
        !self.is_over(now)
            && self.class.is_none_or(|class| class == drift.class)
            && self.names.is_match(drift.secret.as_str())
    }

    /// The name that it is for, where it is for one and no pattern.
    pub fn plain_name(&self) -> Option<&str> {
        Some(self.names.glob().glob()).filter(|glob| is_plain_name(glob))
    }

    /// The targets that it is for, as they are written: a name, a glob or a selector of labels; none for all.
    pub fn targets(&self) -> Option<&str> {
        self.targets.as_deref()
    }

    /// Whether its last day is past.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.to_zoned(TimeZone::UTC).date() > self.until
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the texts of these tests are well-formed")]
mod tests {
    use super::*;
    use crate::domain::SecretName;
    use crate::drift::Difference;

    fn drift(class: Class, name: &str) -> Drift {
        Drift {
            class,
            secret: SecretName::new(name),
            origin: None,
            what: Difference::Missing,
            hints: Vec::new(),
            since: None,
        }
    }

    #[test]
    fn noise_is_excused_until_the_end_of_its_last_day() {
        let ignore: Ignore = "changed:prod/*:2026-12-31".parse().unwrap();
        let db = drift(Class::Changed, "prod/a/db");
        assert!(ignore.excuses(&db, "2026-12-31T23:59:59Z".parse().unwrap()));
        assert!(!ignore.excuses(&db, "2027-01-01T00:00:00Z".parse().unwrap()));
        assert!(!ignore.excuses(&drift(Class::Missing, "prod/a/db"), "2026-01-01T00:00:00Z".parse().unwrap()));
        assert!(!ignore.excuses(&drift(Class::Changed, "dev/db"), "2026-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_wrong_one_is_said_to_be_wrong() {
        for (text, error) in [
            ("changed", IgnoreError::Form),
            ("changed:prod/*", IgnoreError::Form),
            ("changed:prod/*:soon", IgnoreError::Date),
        ] {
            assert_eq!(text.parse::<Ignore>().unwrap_err(), error, "{text}");
        }
        assert!(matches!("drifted:x:2026-01-01".parse::<Ignore>(), Err(IgnoreError::Class(_))));
        assert!("*:[:2026-01-01".parse::<Ignore>().is_err());
        let ignore: Ignore = "*:dev/*:2026-01-01:stage in (dev, test)".parse().unwrap();
        assert_eq!(
            (ignore.targets(), ignore.until.to_string()),
            (Some("stage in (dev, test)"), "2026-01-01".to_owned())
        );
    }
}
