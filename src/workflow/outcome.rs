//! What an apply came to, over all targets.

use std::collections::{BTreeMap, BTreeSet};

use super::prepare::{Planned, Prepared};
use crate::apply::{ApplyReport, SecretOutcome, Stopped};
use crate::collect::CollectSet as _;
use crate::domain::{Region, SecretName};
use crate::live::ServiceError;
use crate::plan::{Finding, Plan, SecretPlan};
use crate::reconcile::{PoliciesVerified, TargetPlan};

/// One target's apply.
pub struct AppliedTarget<'p> {
    /// What was planned.
    pub plan: &'p Plan,
    /// What became of it.
    pub report: ApplyReport,
    /// What was read again of what was done.
    pub read_again: ReadAgain,
    /// Whether what was to follow failed: reading again, or the journal.
    pub failed_after: bool,
    /// Replicas that were waited for and were not made.
    pub(super) replicas_missing: Missing,
}

/// What did not come true of a target, and its replicas that failed.
pub(super) type Left<'t> = (&'t [SecretPlan], &'t BTreeSet<(SecretName, Region)>);

/// Replicas that were waited for and were not made.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    /// Replicas that failed, each with its secret.
    pub(super) failed: BTreeSet<(SecretName, Region)>,
    /// Whether anything else is missing: a link, or what was not to be seen.
    pub(super) others: bool,
}

impl Missing {
    /// Whether all were made.
    pub(super) fn is_empty(&self) -> bool {
        self.failed.is_empty() && !self.others
    }
}

/// What was read again of what was done.
#[derive(Clone, Debug, Default)]
pub struct ReadAgain {
    /// Whether it matches the manifests; none when it could not be read, nobody asked for it, or nothing was done.
    pub matches: Option<bool>,
    /// How many secrets.
    pub secrets: usize,
    /// Of these, how many have a value that may or may not be the declared one, since it was not read.
    pub unread: usize,
    /// Of their policies, how many.
    pub policies: PoliciesVerified,
    /// Which secrets.
    pub names: BTreeSet<SecretName>,
    /// What of them is not as declared and is left alone for now.
    pub held_back: Vec<Finding>,
    /// Secrets that could not be read, and why.
    pub unreadable: BTreeMap<SecretName, ServiceError>,
    /// Whether something could not be read.
    pub(super) failed: bool,
    /// What did not come true.
    pub(super) remaining: Vec<SecretPlan>,
    /// Whether it is not known of something whether it came true.
    pub(super) in_doubt: bool,
}

impl ReadAgain {
    /// Whether anything could be read.
    pub fn is_something(&self) -> bool {
        !self.names.is_empty()
    }

    fn merge(&mut self, other: Self) {
        let Self { matches, secrets, unread, policies, names, held_back, unreadable, failed, remaining, in_doubt } =
            other;
        self.matches = match (self.matches, matches) {
            (Some(a), Some(b)) => Some(a && b),
            (one, other) => one.or(other),
        };
        self.failed |= failed;
        if self.failed && self.matches == Some(true) {
            self.matches = Some(false);
        }
        self.secrets += secrets;
        self.unread += unread;
        self.policies += policies;
        self.remaining.extend(remaining);
        self.in_doubt |= in_doubt;
        // What was found of a secret the last time is how it stands.
        self.held_back.retain(|finding| !names.contains(&finding.secret));
        self.unreadable.retain(|name, _| !names.contains(name));
        self.names.extend(names);
        self.held_back.extend(held_back);
        self.unreadable.extend(unreadable);
    }
}

/// What became of a part of one target's plan.
#[derive(Debug, Default)]
pub(super) struct AppliedPart {
    pub(super) report: ApplyReport,
    pub(super) read_again: ReadAgain,
    pub(super) failed_after: bool,
    pub(super) replicas_missing: Missing,
}

impl AppliedPart {
    /// The part as what became of `plan` so far.
    pub(super) fn over(self, plan: &Plan) -> AppliedTarget<'_> {
        let Self { report, read_again, failed_after, replicas_missing } = self;
        AppliedTarget { plan, report, read_again, failed_after, replicas_missing }
    }
}

impl AppliedTarget<'_> {
    /// Whether everything was done and is as it should be.
    pub(super) fn is_complete(&self) -> bool {
        let replicas_made = self.replicas_missing.is_empty();
        self.report.is_complete() && self.read_again.matches != Some(false) && !self.failed_after && replicas_made
    }

    /// What did not come true and the replicas that failed, where nothing else keeps this from being complete.
    pub(super) fn left(&self) -> Option<Left<'_>> {
        let ReadAgain { matches, remaining, in_doubt, .. } = &self.read_again;
        let Missing { failed, others } = &self.replicas_missing;
        let matches = *matches != Some(false) || !remaining.is_empty();
        let is_all = self.report.is_complete() && !self.failed_after && !in_doubt && !others && matches;
        is_all.then_some((remaining, failed))
    }

    /// Adds what became of another part of the plan.
    pub(super) fn merge(&mut self, part: AppliedPart) {
        let AppliedPart { report, read_again, failed_after, replicas_missing } = part;
        self.report.outcomes.extend(report.outcomes);
        self.report.calls.extend(report.calls);
        self.report.stopped = self.report.stopped.or(report.stopped);
        self.read_again.merge(read_again);
        self.failed_after |= failed_after;
        self.replicas_missing.failed.extend(replicas_missing.failed);
        self.replicas_missing.others |= replicas_missing.others;
    }
}

/// An apply over all targets.
pub struct ApplyRun<'p> {
    /// The targets that something was planned for, in the order of the project file.
    pub targets: Vec<AppliedTarget<'p>>,
}

/// How an apply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// Everything was applied, and what was read again of it matches the manifests.
    Complete,
    /// Something was applied and something was not, in whatever targets.
    Partial,
    /// Nothing was applied: everything had changed since it was planned.
    Stale,
    /// Nothing was applied.
    Failed,
    /// It was interrupted.
    Interrupted,
}

impl ApplyRun<'_> {
    /// Whether a writing call was carried out.
    pub fn wrote(&self) -> bool {
        self.targets.iter().any(|target| target.report.calls_done() > 0)
    }

    /// Secrets that are not as the manifests say and were left alone, as they were read again, and as they were planned
    /// where nothing was.
    pub fn held_back(&self, prepared: &Prepared<'_>) -> usize {
        let of_target = |planned: &Planned| {
            let TargetPlan { plan, report, .. } = &planned.target;
            let run = self.targets.iter().find(|run| run.plan.target == plan.target);
            let read_again = |name: &SecretName| run.is_some_and(|run| run.read_again.names.contains(name));
            let before = report.findings.iter().filter(|finding| !read_again(&finding.secret));
            let after = run.into_iter().flat_map(|run| &run.read_again.held_back);
            let kept = before.chain(after).filter(|finding| finding.holds_back());
            kept.map(|finding| &finding.secret).collect_set().len()
        };
        prepared.planned().map(|(_, planned)| of_target(planned)).sum()
    }

    /// How it ended.
    pub fn outcome(&self) -> ApplyOutcome {
        if self.targets.iter().any(|target| target.report.stopped == Some(Stopped::Interrupted)) {
            return ApplyOutcome::Interrupted;
        }
        if self.targets.iter().all(AppliedTarget::is_complete) {
            return ApplyOutcome::Complete;
        }
        if self.wrote() {
            return ApplyOutcome::Partial;
        }
        let mut outcomes = self.targets.iter().flat_map(|target| target.report.outcomes.values());
        if outcomes.all(|outcome| matches!(outcome, SecretOutcome::Conflict { .. })) {
            ApplyOutcome::Stale
        } else {
            ApplyOutcome::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{Answer, CallRecord};
    use crate::live::ServiceErrorKind;
    use crate::live::in_memory::failed;
    use crate::plan::{FindingKind, ObservedField};

    fn done() -> SecretOutcome {
        SecretOutcome::Done
    }

    fn call() -> CallRecord {
        CallRecord {
            at: jiff::Timestamp::UNIX_EPOCH,
            operation: "UpdateSecret",
            secret: SecretName::new("a"),
            arn: None,
            answer: Answer::Done,
            request_id: None,
        }
    }

    fn conflict() -> SecretOutcome {
        SecretOutcome::Conflict { changed: BTreeSet::from([ObservedField::Description]) }
    }

    fn skipped() -> SecretOutcome {
        SecretOutcome::Skipped { reason: crate::apply::SkipReason::EarlierFailure }
    }

    /// The outcome of targets, each with what became of its one secret.
    fn outcome(targets: &[SecretOutcome]) -> ApplyOutcome {
        let plan = Plan::bare(Vec::new());
        let targets = targets
            .iter()
            .map(|outcome| AppliedTarget {
                plan: &plan,
                report: ApplyReport {
                    outcomes: BTreeMap::from([(SecretName::new("a"), outcome.clone())]),
                    calls: if *outcome == SecretOutcome::Done { vec![call()] } else { Vec::new() },
                    stopped: None,
                },
                read_again: ReadAgain {
                    matches: (*outcome == SecretOutcome::Done).then_some(true),
                    ..ReadAgain::default()
                },
                failed_after: false,
                replicas_missing: Missing::default(),
            })
            .collect();
        ApplyRun { targets }.outcome()
    }

    #[test]
    fn one_target_done_and_one_not_is_applied_in_part_whatever_kept_the_other() {
        assert_eq!(outcome(&[done(), done()]), ApplyOutcome::Complete);
        assert_eq!(outcome(&[done(), skipped()]), ApplyOutcome::Partial);
        assert_eq!(outcome(&[conflict(), done()]), ApplyOutcome::Partial);
    }

    #[test]
    fn without_any_write_it_is_stale_only_when_everything_had_changed() {
        assert_eq!(outcome(&[conflict(), conflict()]), ApplyOutcome::Stale);
        assert_eq!(outcome(&[conflict(), skipped()]), ApplyOutcome::Failed);
        assert_eq!(outcome(&[skipped()]), ApplyOutcome::Failed);
    }

    #[test]
    fn what_was_applied_and_could_not_be_read_again_is_applied_in_part() {
        let plan = Plan::bare(Vec::new());
        let report = ApplyReport {
            outcomes: BTreeMap::from([(SecretName::new("a"), SecretOutcome::Done)]),
            calls: vec![call()],
            stopped: None,
        };
        let read_again = ReadAgain::default();
        let mut target =
            AppliedTarget { plan: &plan, report, read_again, failed_after: true, replicas_missing: Missing::default() };
        let (report, read_again) = (target.report.clone(), target.read_again.clone());
        assert_eq!(
            ApplyRun {
                targets: vec![AppliedTarget { report, read_again, replicas_missing: Missing::default(), ..target }]
            }
            .outcome(),
            ApplyOutcome::Partial
        );
        target.failed_after = false;
        target.report.stopped = Some(Stopped::Interrupted);
        assert_eq!(ApplyRun { targets: vec![target] }.outcome(), ApplyOutcome::Interrupted);
    }

    #[test]
    fn replicas_that_failed_are_left_and_what_else_is_missing_is_not() {
        let plan = Plan::bare(Vec::new());
        let target = |missing: Missing| AppliedPart { replicas_missing: missing, ..AppliedPart::default() }.over(&plan);
        let failed = BTreeSet::from([(SecretName::new("a"), Region::of_service("us-east-1"))]);
        let only_failed = target(Missing { failed: failed.clone(), others: false });
        assert!(!only_failed.is_complete());
        assert_eq!(only_failed.left().map(|(_, failed)| failed), Some(&failed));
        let late = target(Missing { failed, others: true });
        assert!(!late.is_complete());
        assert!(late.left().is_none());
    }

    #[test]
    fn what_a_later_part_has_read_again_is_how_a_secret_stands() {
        let name = |text: &str| SecretName::new(text);
        let waits =
            |secret: &str| Finding { secret: name(secret), origin: None, kind: FindingKind::RotationWaitsForValue };
        let denied = || failed("DescribeSecret", ServiceErrorKind::AccessDenied, None);
        let read = |names: &[&str], held_back: &[&str], unreadable: &[&str]| ReadAgain {
            matches: Some(true),
            names: names.iter().map(|one| name(one)).collect(),
            held_back: held_back.iter().map(|one| waits(one)).collect(),
            unreadable: unreadable.iter().map(|one| (name(one), denied())).collect(),
            ..ReadAgain::default()
        };
        let mut all = read(&["a", "b"], &["a", "b"], &["c", "d"]);
        all.merge(read(&["b", "c"], &["c"], &["e"]));
        assert_eq!(all.held_back, ["a", "c"].map(waits));
        assert_eq!(all.unreadable.keys().map(SecretName::as_str).collect::<Vec<_>>(), ["d", "e"]);
        assert_eq!(all.names.len(), 3);
    }
}
