//! Known noise, in drift or in an audit, each with the day on which it stops being excused.

use std::fmt::Display;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::{SecretName, is_plain_pattern};

/// One `--ignore KIND:GLOB:YYYY-MM-DD`, with the targets that it is for behind it where it is for some only. `K` are
/// the kinds that there are.
#[derive(Clone, Debug)]
pub struct Ignore<K> {
    kind: Option<K>,
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
        "known noise is written KIND:GLOB:YYYY-MM-DD, for example *:prod/payments/*:2027-01-31 (`*` is every kind); \
         behind it may stand the targets, as in *:*:2027-01-31:stage=dev"
    )]
    Form,
    /// No such kind.
    #[error("{0}")]
    Kind(String),
    /// The pattern is wrong.
    #[error("{0}")]
    Glob(String),
    /// The date is wrong.
    #[error("the last part is the last day on which it is ignored, as YYYY-MM-DD")]
    Date,
}

impl<K: FromStr<Err: Display>> FromStr for Ignore<K> {
    type Err = IgnoreError;

    fn from_str(text: &str) -> Result<Self, IgnoreError> {
        let (kind, rest) = text.split_once(':').ok_or(IgnoreError::Form)?;
        // No name of a secret or target has a colon.
        let (names, rest) = rest.split_once(':').ok_or(IgnoreError::Form)?;
        let (until, targets) = rest.split_once(':').map_or((rest, None), |(until, targets)| (until, Some(targets)));
        Ok(Self { written: text.to_owned(), ..Self::new(kind, names, until, targets)? })
    }
}

impl<K: FromStr<Err: Display>> Ignore<K> {
    /// Of its parts: a kind or `*`, a glob of names, the last day, and the targets that it is for.
    pub fn new(kind: &str, names: &str, until: &str, targets: Option<&str>) -> Result<Self, IgnoreError> {
        let one = (kind != "*").then(|| kind.parse().map_err(|error: K::Err| IgnoreError::Kind(error.to_string())));
        Ok(Self {
            kind: one.transpose()?,
            names: names_like(names)?,
            until: until.parse().map_err(|_| IgnoreError::Date)?,
            targets: targets.map(str::to_owned),
            written: format!("{kind}:{names}:{until}"),
        })
    }
}

/// `*` and `?` also match `/`, as in `--select`.
fn names_like(glob: &str) -> Result<GlobMatcher, IgnoreError> {
    let glob = GlobBuilder::new(glob).literal_separator(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| IgnoreError::Glob(error.to_string()))
}

impl<K: Copy + PartialEq> Ignore<K> {
    /// Whether it excuses what is found of a secret at this time. Days are of UTC, and the last one counts.
    pub fn excuses(&self, kind: K, secret: &SecretName, now: Timestamp) -> bool {
        !self.is_over(now) && self.kind.is_none_or(|excused| excused == kind) && self.names.is_match(secret.as_str())
    }

    /// The name that it is for, where it is for one and no pattern.
    pub fn plain_name(&self) -> Option<&str> {
        Some(self.names.glob().glob()).filter(|glob| is_plain_pattern(glob))
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
    use super::super::AuditKind;
    use super::*;

    fn excuses(ignore: &Ignore<AuditKind>, kind: AuditKind, name: &str, now: &str) -> bool {
        ignore.excuses(kind, &SecretName::new(name), now.parse().unwrap())
    }

    #[test]
    fn noise_is_excused_until_the_end_of_its_last_day() {
        let ignore: Ignore<AuditKind> = "unused:prod/*:2026-12-31".parse().unwrap();
        assert!(excuses(&ignore, AuditKind::Unused, "prod/a/db", "2026-12-31T23:59:59Z"));
        assert!(!excuses(&ignore, AuditKind::Unused, "prod/a/db", "2027-01-01T00:00:00Z"));
        assert!(!excuses(&ignore, AuditKind::NeverRead, "prod/a/db", "2026-01-01T00:00:00Z"));
        assert!(!excuses(&ignore, AuditKind::Unused, "dev/db", "2026-01-01T00:00:00Z"));
        let ignore: Ignore<AuditKind> = "*:prod/a/db:2026-12-31".parse().unwrap();
        assert!(excuses(&ignore, AuditKind::NeverRead, "prod/a/db", "2026-01-01T00:00:00Z"));
        assert_eq!(ignore.plain_name(), Some("prod/a/db"));
    }

    #[test]
    fn a_wrong_one_is_said_to_be_wrong() {
        let parse = |text: &str| text.parse::<Ignore<AuditKind>>();
        for (text, error) in [
            ("unused", IgnoreError::Form),
            ("unused:prod/*", IgnoreError::Form),
            ("unused:prod/*:soon", IgnoreError::Date),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text}");
        }
        assert!(matches!(parse("stale:x:2026-01-01"), Err(IgnoreError::Kind(_))));
        assert!(matches!(parse("*:[:2026-01-01"), Err(IgnoreError::Glob(_))));
        let ignore = parse("*:dev/*:2026-01-01:stage in (dev, test)").unwrap();
        assert_eq!(
            (ignore.targets(), ignore.until.to_string()),
            (Some("stage in (dev, test)"), "2026-01-01".to_owned())
        );
    }
}
