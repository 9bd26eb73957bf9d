//! The guards of one run: over each target's plan, and over all of them together.

use super::overrides::GuardOverrides;
use super::refusal::Refusal;
use super::table::guards;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::live::Live;
use crate::plan::{Plan, PlanReport, SecretPlan};

/// What guards know of one target.
#[derive(Clone, Copy, Debug)]
pub struct GuardedTarget<'a> {
    /// What the manifests say.
    pub desired: &'a Desired,
    /// What the plan was made from.
    pub live: &'a Live,
    /// The plan.
    pub plan: &'a Plan,
    /// What else planning found.
    pub report: &'a PlanReport,
}

impl GuardedTarget<'_> {
    /// The names of the planned secrets for which `test` holds.
    pub(super) fn chosen(&self, test: impl Fn(&SecretPlan) -> bool) -> Vec<SecretName> {
        self.plan.secrets.iter().filter(|secret| test(secret)).map(|secret| secret.name.clone()).collect()
    }
}

/// All targets of a run that were planned, and the guards that the caller overrides.
#[derive(Clone, Debug)]
pub struct RunGuards<'a> {
    /// The targets, in the project's order.
    pub targets: Vec<GuardedTarget<'a>>,
    /// What manifests say of the project's other targets, as far as that was looked up: of those nothing live is known.
    pub beside: Vec<&'a Desired>,
    /// Targets of the project of which not even that is known.
    pub unread: &'a [String],
    /// The flags that were given.
    pub overrides: &'a GuardOverrides,
}

impl<'a> RunGuards<'a> {
    /// The targets of the run but for one.
    pub(super) fn others(&self, target: &GuardedTarget<'_>) -> impl Iterator<Item = &GuardedTarget<'a>> {
        let name = target.plan.target.clone();
        self.targets.iter().filter(move |other| other.plan.target != name)
    }

    /// What the guards refuse: a list for each target, in the same order.
    pub fn refusals(&self) -> Vec<Vec<Refusal>> {
        let of = |target| guards().flat_map(|guard| guard.refuse(target, self)).collect();
        self.targets.iter().map(of).collect()
    }
}
