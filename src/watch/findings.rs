//! Which findings came and went.

use std::collections::{BTreeMap, BTreeSet};

use crate::drift::{Class, Difference, DriftReport};

/// What tells one finding from another: no dates that move by themselves, no counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The target.
    pub target: String,
    /// The class.
    pub class: Class,
    /// The secret; empty when the target could not be looked at.
    pub secret: String,
    /// What differs; none when the target could not be looked at.
    pub what: Option<Difference>,
}

/// What is known to differ, over all targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(BTreeSet<Finding>);

/// What came and went between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What differs now and did not before.
    pub appeared: Vec<Finding>,
    /// What differed before and does not now.
    pub disappeared: Vec<Finding>,
}

impl Change {
    /// Whether nothing came and nothing went.
    pub fn is_empty(&self) -> bool {
        self.appeared.is_empty() && self.disappeared.is_empty()
    }
}

impl Findings {
    /// What is known after a look. Of a target that could not be looked at everything stays known: it has not gone only
    /// because nobody saw it.
    #[must_use]
    pub fn after(&self, report: &DriftReport) -> Self {
        let seen = report.identity().into_iter();
        let mut findings: BTreeSet<Finding> =
            seen.map(|(target, class, secret, what)| Finding { target, class, secret, what }).collect();
        for target in report.targets.iter().filter(|target| target.outcome.is_err()) {
            findings.extend(self.0.iter().filter(|finding| finding.target == target.name).cloned());
        }
        Self(findings)
    }

    /// What came and went from `before` to this.
    pub fn since(&self, before: &Self) -> Change {
        Change {
            appeared: self.0.difference(&before.0).cloned().collect(),
            disappeared: before.0.difference(&self.0).cloned().collect(),
        }
    }

    /// How many findings there are of each class that has one.
    pub fn counts(&self) -> BTreeMap<Class, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.0 {
            *counts.entry(finding.class).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::SecretName;
    use crate::drift::{Drift, Field, Found, TargetDrift};
    use crate::reconcile::{PlanError, TargetError};

    fn drift(secret: &str) -> Drift {
        Drift {
            class: Class::Changed,
            secret: SecretName::new(secret),
            origin: None,
            what: Difference::Fields(vec![Field::Description]),
            hints: Vec::new(),
            since: None,
        }
    }

    fn report(targets: &[(&str, Option<&[&str]>)]) -> DriftReport {
        let target = |(name, drifts): &(&str, Option<&[&str]>)| TargetDrift {
            name: (*name).to_owned(),
            account: None,
            region: "eu-west-1".to_owned(),
            endpoint: None,
            outcome: drifts
                .map(|names| Found { drifts: names.iter().map(|name| drift(name)).collect(), ..Found::default() })
                .ok_or_else(|| Arc::new(TargetError::Plan(PlanError::Values(Vec::new())))),
        };
        DriftReport {
            project: "payments".to_owned(),
            started: jiff::Timestamp::UNIX_EPOCH,
            seconds: 0.0,
            calls: BTreeMap::new(),
            targets: targets.iter().map(target).collect(),
        }
    }

    fn secrets(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|finding| format!("{} {} {}", finding.target, finding.class, finding.secret)).collect()
    }

    #[test]
    fn what_stays_is_no_change() {
        let first = Findings::default().after(&report(&[("prod", Some(&["a", "b"]))]));
        assert_eq!(secrets(&first.since(&Findings::default()).appeared), ["prod changed a", "prod changed b"]);
        let mut again = report(&[("prod", Some(&["b", "a"]))]);
        again.started = jiff::Timestamp::MAX;
        assert!(first.after(&again).since(&first).is_empty());
        let change = first.after(&report(&[("prod", Some(&["b", "c"]))])).since(&first);
        assert_eq!(
            (secrets(&change.appeared), secrets(&change.disappeared)),
            (vec!["prod changed c".to_owned()], vec!["prod changed a".to_owned()])
        );
    }

    #[test]
    fn a_target_that_is_not_reached_forgets_nothing() {
        let first = Findings::default().after(&report(&[("prod", Some(&["a"])), ("west", Some(&["w"]))]));
        let second = first.after(&report(&[("prod", None), ("west", Some(&[]))]));
        let change = second.since(&first);
        assert_eq!(secrets(&change.appeared), ["prod unreachable "]);
        assert_eq!(secrets(&change.disappeared), ["west changed w"]);
        let third = second.after(&report(&[("prod", None), ("west", Some(&[]))]));
        assert!(third.since(&second).is_empty(), "it is said once");
        let back = third.after(&report(&[("prod", Some(&["a"])), ("west", Some(&[]))])).since(&third);
        assert_eq!((back.appeared.len(), secrets(&back.disappeared)), (0, vec!["prod unreachable ".to_owned()]));
    }

    #[test]
    fn what_a_removed_target_had_is_gone() {
        let first = Findings::default().after(&report(&[("prod", Some(&["a"])), ("west", Some(&["w"]))]));
        let second = first.after(&report(&[("prod", Some(&["a"]))]));
        assert_eq!(secrets(&second.since(&first).disappeared), ["west changed w"]);
        assert_eq!(second.counts(), [(Class::Changed, 1)].into());
    }
}
