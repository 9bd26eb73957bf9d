//! The plans of a project as documents show them: Markdown and HTML, which have a heading over all targets.

use super::escape::{Escaped, Format, Terminal};
use super::graph::GraphTarget;
use super::{escaped, words};
use crate::plan::{Counts, Plan, PlanReport, Refusal, Verb};
use crate::rehearse::Rehearsed;

/// The plans of all chosen targets.
pub struct PlanView<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The targets, in the order of the project file.
    pub targets: Vec<TargetView<'a>>,
}

/// One target.
pub struct TargetView<'a> {
    /// Its name.
    pub name: &'a str,
    /// The account, when it is known.
    pub account: Option<&'a str>,
    /// The region.
    pub region: &'a str,
    /// Where calls go when that is not AWS itself: an endpoint, or `sandbox`.
    pub endpoint: Option<&'a str>,
    /// Its plan, or why there is none.
    pub planned: Result<PlannedView<'a>, Escaped<Terminal>>,
    /// The secrets that change, and what they need.
    pub graph: GraphTarget,
}

/// A target's plan with what belongs to it.
#[derive(Clone, Copy)]
pub struct PlannedView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What was found.
    pub report: &'a PlanReport,
    /// The guards that would refuse an apply.
    pub refusals: &'a [Refusal],
    /// What became of the plan on a copy of what is live, when that was asked for.
    pub rehearsed: Option<&'a Rehearsed>,
}

impl PlanView<'_> {
    fn planned(&self) -> impl Iterator<Item = &PlannedView<'_>> {
        self.targets.iter().filter_map(|target| target.planned.as_ref().ok())
    }

    /// How many secrets have something to do, over all targets.
    pub(super) fn secrets(&self) -> usize {
        self.planned().map(|planned| planned.plan.secrets.len()).sum()
    }

    /// How many secrets each verb has, over all targets; verbs without any are left out.
    pub(super) fn counts(&self) -> Vec<(Verb, usize, &'static str)> {
        let of = |verb| {
            let secrets = self.planned().flat_map(|planned| &planned.plan.secrets);
            secrets.filter(|secret| secret.verb == verb).count()
        };
        let counts = words::VERBS.into_iter().map(|(verb, label)| (verb, of(verb), label));
        counts.filter(|(_, number, _)| *number > 0).collect()
    }

    /// What stands beside the counts: what stays, and what is in the way. The first is no trouble, the others are.
    pub(super) fn rest<F: Format>(&self) -> Vec<Escaped<F>> {
        let unchanged: usize = self.planned().map(|planned| planned.report.counts.unchanged).sum();
        let blocked: usize = self.planned().map(|planned| planned.report.counts.blocked).sum();
        let held_back: usize = self.planned().map(|planned| planned.report.counts.held_back).sum();
        let unreadable: usize = self.planned().map(|planned| planned.report.counts.unreadable).sum();
        let refused: usize = self.planned().map(|planned| planned.refusals.len()).sum();
        let mut rest = vec![escaped!("{} unchanged", unchanged)];
        if held_back > 0 {
            rest.push(escaped!("{} held back", held_back));
        }
        if blocked > 0 {
            rest.push(escaped!("{} held back by errors", blocked));
        }
        if unreadable > 0 {
            rest.push(escaped!("{} could not be read", words::count(unreadable, "secret")));
        }
        if refused > 0 {
            rest.push(escaped!("{} by guards", words::count(refused, "refusal")));
        }
        rest
    }

    /// What a reader must not miss: `NOT PLANNED: 6 of 6 targets`.
    pub(super) fn not_planned<F: Format>(&self) -> Option<Escaped<F>> {
        let failed = self.targets.iter().filter(|target| target.planned.is_err()).count();
        (failed > 0).then(|| words::not_planned(failed, self.targets.len()))
    }

    /// All of it in one line: `3 to create, 1 to change; 28 unchanged`.
    pub(super) fn headline<F: Format>(&self) -> Escaped<F> {
        let counts =
            self.counts().into_iter().map(|(_, number, label)| -> Escaped<F> { escaped!("{} {}", number, label) });
        let counts = Escaped::join(counts, ", ");
        let settled = self.planned().all(|planned| {
            let Counts { held_back, blocked, unreadable, .. } = planned.report.counts;
            held_back + blocked + unreadable == 0
        }) && self.targets.iter().all(|target| target.planned.is_ok());
        let not_planned = self.not_planned();
        if let Some(not_planned) = not_planned.as_ref().filter(|_| self.planned().next().is_none()) {
            return not_planned.clone();
        }
        let nothing = if settled { "nothing to do" } else { "nothing to apply" };
        let changes = if counts.is_empty() { nothing.into() } else { counts };
        let not_planned = not_planned.map(|not_planned| -> Escaped<F> { escaped!("{}; ", not_planned) });
        escaped!("{}{}; {}", not_planned, changes, Escaped::join(self.rest(), "; "))
    }
}
