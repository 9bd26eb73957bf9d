//! Which findings came, went, and moved again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::drift::{Class, Difference, Drift, DriftReport};

/// What tells one finding from another: no dates that move by themselves, no counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The target.
    pub target: String,
    /// The class.
    pub class: Class,
    /// The secret; empty when the target could not be looked at.
    pub secret: String,
    /// What differs, in words; empty when the target could not be looked at.
    pub what: String,
}

impl Finding {
    /// What one drift of a target is told as, by `words` for what differs.
    pub fn of(target: &str, drift: &Drift, words: &dyn Fn(&Difference) -> String) -> Self {
        Self {
            target: target.to_owned(),
            class: drift.class,
            secret: drift.secret.to_string(),
            what: words(&drift.what),
        }
    }
}

/// What is known to differ, over all targets, each with when its secret was last changed, where that matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub(super) BTreeMap<Finding, Option<Timestamp>>);

/// What came and went between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What differs now and did not before.
    pub appeared: Vec<Finding>,
    /// What differed before in the same way, of a secret that somebody has changed again since.
    pub again: Vec<Finding>,
    /// What differed before and does not now.
    pub disappeared: Vec<Finding>,
}

impl Change {
    /// Whether nothing came and nothing went.
    pub fn is_empty(&self) -> bool {
        self.appeared.is_empty() && self.again.is_empty() && self.disappeared.is_empty()
    }
}

impl Findings {
    /// What is known after a look, by `words` for what differs. Of a target that could not be looked at everything
    /// stays known, and so does what the look `leaves_out`: it has not gone only because it was not looked at.
    #[must_use]
    pub fn after(
        &self,
        report: &DriftReport,
        words: &dyn Fn(&Difference) -> String,
        leaves_out: &dyn Fn(&Finding) -> bool,
    ) -> Self {
        let mut findings: BTreeMap<Finding, Option<Timestamp>> = BTreeMap::new();
        // A value that people have still to put is no event: nobody is told of it at night.
        for (target, drift) in report.drifts().filter(|(_, drift)| drift.class != Class::AwaitingValue) {
            // Of other classes the date is another one, or moves by itself.
            let by_hand = matches!(drift.class, Class::Changed | Class::ValueChanged);
            findings.insert(Finding::of(&target.name, drift, words), drift.since.filter(|_| by_hand));
        }
        for target in report.targets.iter().filter(|target| target.outcome.is_err()) {
            let of_target = self.0.iter().filter(|(finding, _)| finding.target == target.name);
            findings.extend(of_target.map(|(finding, since)| (finding.clone(), *since)));
            let (target, class) = (target.name.clone(), Class::Unreachable);
            findings.insert(Finding { target, class, secret: String::new(), what: String::new() }, None);
        }
        let unseen = self.0.iter().filter(|(finding, _)| leaves_out(finding));
        for (finding, since) in unseen {
            findings.entry(finding.clone()).or_insert(*since);
        }
        Self(findings)
    }

    /// What came and went from `before` to this.
    pub fn since(&self, before: &Self) -> Change {
        let mut change = Change::default();
        for (finding, changed) in &self.0 {
            match before.0.get(finding) {
                None => change.appeared.push(finding.clone()),
                Some(earlier) if earlier.is_some() && changed > earlier => change.again.push(finding.clone()),
                Some(_) => {}
            }
        }
        change.disappeared = before.0.keys().filter(|finding| !self.0.contains_key(*finding)).cloned().collect();
        change
    }

    /// Whether this is known.
    pub fn contains(&self, finding: &Finding) -> bool {
        self.0.contains_key(finding)
    }

    /// How many findings there are of each class that has one.
    pub fn counts(&self) -> BTreeMap<Class, usize> {
        let mut counts = BTreeMap::new();
        for finding in self.0.keys() {
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
    use crate::drift::{Field, Found, TargetDrift};
    use crate::reconcile::{PlanError, TargetError};

    fn drift(secret: &str) -> Drift {
        Drift {
            class: Class::Changed,
            secret: SecretName::new(secret),
            origin: None,
            what: Difference::Fields(vec![Field::Description]),
            hints: Vec::new(),
            since: None,
            who: None,
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

    fn after(before: &Findings, report: &DriftReport) -> Findings {
        before.after(report, &|what| format!("{what:?}"), &|_| false)
    }

    fn secrets(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|finding| format!("{} {} {}", finding.target, finding.class, finding.secret)).collect()
    }

    #[test]
    fn what_stays_is_no_change() {
        let first = after(&Findings::default(), &report(&[("prod", Some(&["a", "b"]))]));
        assert_eq!(secrets(&first.since(&Findings::default()).appeared), ["prod changed a", "prod changed b"]);
        let mut again = report(&[("prod", Some(&["b", "a"]))]);
        again.started = jiff::Timestamp::MAX;
        assert!(after(&first, &again).since(&first).is_empty());
        let change = after(&first, &report(&[("prod", Some(&["b", "c"]))])).since(&first);
        assert_eq!(
            (secrets(&change.appeared), secrets(&change.disappeared)),
            (vec!["prod changed c".to_owned()], vec!["prod changed a".to_owned()])
        );
    }

    #[test]
    fn a_target_that_is_not_reached_forgets_nothing() {
        let first = after(&Findings::default(), &report(&[("prod", Some(&["a"])), ("west", Some(&["w"]))]));
        let second = after(&first, &report(&[("prod", None), ("west", Some(&[]))]));
        let change = second.since(&first);
        assert_eq!(secrets(&change.appeared), ["prod unreachable "]);
        assert_eq!(secrets(&change.disappeared), ["west changed w"]);
        let third = after(&second, &report(&[("prod", None), ("west", Some(&[]))]));
        assert!(third.since(&second).is_empty(), "it is said once");
        let back = after(&third, &report(&[("prod", Some(&["a"])), ("west", Some(&[]))])).since(&third);
        assert_eq!((back.appeared.len(), secrets(&back.disappeared)), (0, vec!["prod unreachable ".to_owned()]));
    }

    #[test]
    fn what_a_removed_target_had_is_gone() {
        let first = after(&Findings::default(), &report(&[("prod", Some(&["a"])), ("west", Some(&["w"]))]));
        let second = after(&first, &report(&[("prod", Some(&["a"]))]));
        assert_eq!(secrets(&second.since(&first).disappeared), ["west changed w"]);
        assert_eq!(second.counts(), [(Class::Changed, 1)].into());
    }

    #[test]
    fn what_a_look_leaves_out_stays_known() {
        let first = after(&Findings::default(), &report(&[("prod", Some(&["a", "b"])), ("west", Some(&["w"]))]));
        let leaves_out = |finding: &Finding| finding.target == "west" || finding.secret == "b";
        let words = |what: &Difference| format!("{what:?}");
        let narrow = first.after(&report(&[("prod", Some(&[]))]), &words, &leaves_out);
        assert_eq!(secrets(&narrow.since(&first).disappeared), ["prod changed a"]);
        let whole = after(&narrow, &report(&[("prod", Some(&["b"])), ("west", Some(&[]))]));
        let change = whole.since(&narrow);
        assert_eq!((change.appeared.len(), secrets(&change.disappeared)), (0, vec!["west changed w".to_owned()]));
    }

    #[test]
    fn a_second_change_of_the_same_kind_is_told() {
        let mut look = report(&[("prod", Some(&["a"]))]);
        let mut changed = |seconds: i64| {
            if let Ok(found) = &mut look.targets[0].outcome {
                found.drifts[0].since = Timestamp::from_second(seconds).ok();
            }
            after(&Findings::default(), &look)
        };
        let (first, second) = (changed(10), changed(20));
        assert_eq!(secrets(&second.since(&first).again), ["prod changed a"]);
        assert!(changed(20).since(&second).is_empty() && first.since(&second).is_empty());
    }
}
