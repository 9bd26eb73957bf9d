//! The plans of a project as every format shows them, with a heading over all targets.

use std::collections::{BTreeMap, HashMap};

use super::escape::{Escaped, Format, Terminal};
use super::graph::GraphTarget;
use super::paint::Paint;
use super::words::Cost;
use super::{awaiting, escaped, plan_text, who, words};
use crate::attribution::Answer;
use crate::domain::{AccountId, SecretName};
use crate::plan::{Counts, Plan, PlanReport, Refusal, Verb};
use crate::rehearse::Rehearsed;
use crate::sort_few::SortFew as _;

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
    /// The secrets that change, and what they need; empty for a format that does not draw it.
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
    /// Who made what would be changed, as far as CloudTrail was asked.
    pub who: Option<&'a BTreeMap<SecretName, Answer>>,
}

impl<'a> TargetView<'a> {
    /// A plan by itself, of which nothing more is known.
    pub(super) fn alone(plan: &'a Plan, report: &'a PlanReport) -> Self {
        Self {
            name: &plan.target,
            account: plan.account.as_ref().map(AccountId::as_str),
            region: plan.region.as_str(),
            endpoint: plan.endpoint.as_deref(),
            planned: Ok(PlannedView { plan, report, refusals: &[], rehearsed: None, who: None }),
            graph: GraphTarget::default(),
        }
    }

    /// Whether there is nothing to say of it but its summary.
    fn is_quiet(&self) -> bool {
        self.planned.as_ref().is_ok_and(|planned| {
            let PlannedView { plan, report, refusals, rehearsed, who: _ } = planned;
            plan.is_empty() && report.findings.is_empty() && refusals.is_empty() && rehearsed.is_none()
        })
    }
}

impl<'a> PlanView<'a> {
    /// The targets, those that were not planned or are refused first; quiet ones of which the same is to be said are
    /// together.
    pub(super) fn folded(&self) -> Vec<Vec<&TargetView<'a>>> {
        let trouble = |target: &TargetView<'_>| match &target.planned {
            Err(_) => 0,
            Ok(planned) if !planned.refusals.is_empty() => 1,
            Ok(_) => 2,
        };
        let mut folded: Vec<Vec<&TargetView<'a>>> = Vec::new();
        let mut quiet: HashMap<String, usize> = HashMap::new();
        let mut targets: Vec<&TargetView<'a>> = self.targets.iter().collect();
        targets.sort_few_by_key(|target| trouble(target));
        for target in targets {
            let said = target.planned.as_ref().ok().filter(|_| target.is_quiet());
            let said =
                said.map(|planned| plan_text::summary(Paint::new(false), planned.plan, planned.report).into_owned());
            let same = said.as_ref().and_then(|said| quiet.get(said)).and_then(|at| folded.get_mut(*at));
            if let Some(same) = same {
                same.push(target);
            } else {
                quiet.extend(said.map(|said| (said, folded.len())));
                folded.push(vec![target]);
            }
        }
        folded
    }

    /// The targets that were planned, with their plans.
    pub(super) fn each_planned(&self) -> impl Iterator<Item = (&TargetView<'a>, &PlannedView<'a>)> {
        self.targets.iter().filter_map(|target| Some((target, target.planned.as_ref().ok()?)))
    }

    /// What the plans change of the monthly bill; none when nothing, or where AWS's list price does not hold.
    pub(super) fn cost(&self) -> Option<Cost> {
        let in_usd = |target: &TargetView<'_>| !target.region.starts_with("cn-");
        let plans = || self.each_planned().filter(|(target, _)| in_usd(target)).map(|(_, planned)| planned);
        let change: i64 = plans().map(|planned| planned.plan.billed_change()).sum();
        // What was adopted is billed in the same account, but was not counted as ours before.
        let adopted = |plan: &Plan| plan.secrets.iter().filter(|secret| secret.verb == Verb::Adopt).count();
        let whole = self.targets.iter().all(in_usd)
            && self.targets.iter().all(|target| target.planned.is_ok())
            && plans().all(|planned| planned.report.counts.whole_scope && adopted(planned.plan) == 0);
        let before: usize = plans().map(|planned| planned.report.counts.billed).sum();
        let after = i64::try_from(before).unwrap_or(i64::MAX).saturating_add(change);
        (change != 0).then(|| Cost { change, after: whole.then_some(after) })
    }

    /// Who made what would be changed: for each secret with its target, what CloudTrail says, in sentences.
    pub(super) fn who(&self) -> impl Iterator<Item = (&TargetView<'a>, &SecretName, Vec<String>)> {
        self.each_planned().flat_map(|(target, planned)| {
            let answers = planned.who.into_iter().flatten();
            answers.map(move |(secret, answer)| (target, secret, who::lines(answer)))
        })
    }

    /// The secrets that wait for a value, by target.
    pub(super) fn awaiting(&self) -> Vec<awaiting::OfTarget<'a>> {
        let of = |planned: &PlannedView<'a>| planned.report.awaiting.iter().collect();
        self.each_planned().map(|(target, planned)| (target.name, of(planned))).collect()
    }

    fn planned(&self) -> impl Iterator<Item = &PlannedView<'_>> {
        self.each_planned().map(|(_, planned)| planned)
    }

    /// How many secrets have something to do, over all targets.
    pub(super) fn secrets(&self) -> usize {
        self.planned().map(|planned| planned.plan.secrets.len()).sum()
    }

    /// How many secrets each verb has, over all targets; verbs without any are left out.
    pub(super) fn counts(&self) -> Vec<(Verb, usize, &'static str)> {
        words::verb_counts(self.planned().flat_map(|planned| &planned.plan.secrets))
    }

    /// What stands beside the counts: what stays, and what is in the way. The first is no trouble, the others are.
    pub(super) fn rest<F: Format>(&self) -> Vec<Escaped<F>> {
        let unchanged: usize = self.planned().map(|planned| planned.report.counts.unchanged).sum();
        let blocked: usize = self.planned().map(|planned| planned.report.counts.blocked).sum();
        let held_back: usize = self.planned().map(|planned| planned.report.counts.held_back).sum();
        let unreadable = self.planned().map(|planned| planned.report.unreadable());
        let unreadable =
            unreadable.fold((0, 0), |(secrets, values), (more, more_values)| (secrets + more, values + more_values));
        let refused: usize = self.planned().map(|planned| planned.refusals.len()).sum();
        let mut rest = vec![escaped!("{} unchanged", unchanged)];
        if held_back > 0 {
            rest.push(escaped!("{} held back", held_back));
        }
        rest.extend(awaiting::counted(self.awaiting().iter().map(|(_, awaiting)| awaiting.len()).sum()));
        if blocked > 0 {
            rest.push(escaped!("{} held back by errors", blocked));
        }
        rest.extend(words::unreadable(unreadable));
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
            held_back + blocked + unreadable + planned.report.awaiting.len() == 0
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
