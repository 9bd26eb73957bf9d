//! A plan carried out on a copy: what is live, as it was read, in an embedded sandbox in memory.
//!
//! What a plan cannot see by itself is whether the service would take its actions, and whether nothing is left to do
//! after them. So the snapshot is loaded into a sandbox, planned there, applied there, and planned once more. Values
//! are placeholders: no key is needed, nothing is decrypted and no value is read.
//!
//! What may not enter: a connection to anything but the sandbox that is made here. This room asks the real service
//! nothing and can write nothing there. It does not know the caller's permissions, quotas, KMS keys or rotation
//! functions, so it says nothing about them.

mod copy;
mod placeholders;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::apply::{
    ApplyError, ApplyOptions, ApplyReport, MadeSecrets, PolicyChecks, Recorder, SecretOutcome, SkipReason, Work, apply,
};
use crate::aws::{Aws, ConnectError, Connection};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, Target};
use crate::domain::{AccountId, SecretName};
use crate::live::{Counterparts, Live};
use crate::plan::{FindingKind, PlaceHolder, Plan, Rules, SecretPlan, leave_kept_replicas, stages};
use crate::reconcile::{PlanError, Planning, Reading, TargetPlan, plan_target};
use crate::sandbox::{Clock, Fault, FaultKind, LoadError, Options, Sandbox};
use crate::value::Values;

use placeholders::{Placeholders, Stock};

/// What is rehearsed of one target.
pub struct Rehearsal<'a, V> {
    /// The desired state.
    pub desired: &'a Desired,
    /// The plan, and what it was made from.
    pub planned: &'a TargetPlan,
    /// What other targets hold: their secrets may stand where replicas are to be made.
    pub beside: &'a [&'a Live],
    /// How the plan was made.
    pub rules: &'a Rules,
    /// Whether live values were compared for it.
    pub read_values: bool,
    /// Where values come from. They are asked for version ids alone, never for a value.
    pub values: &'a V,
    /// The time of the rehearsal, which stands still.
    pub now: Timestamp,
}

/// What a rehearsal came to.
#[derive(Clone, Debug)]
#[must_use]
pub struct RehearsalReport {
    /// What became of the plan on the copy.
    pub applied: ApplyReport,
    /// What a plan after it would do.
    pub remaining: Plan,
    /// Secrets of which nothing remains but replicas that this plan leaves to the next one, and says so: a removal of
    /// its own makes their places free.
    pub next: BTreeSet<SecretName>,
    /// Secrets that were planned otherwise on the copy than for real: the copy is not good enough to tell about them.
    /// That is a defect of the rehearsal, and it is told as one.
    pub differs: BTreeSet<SecretName>,
    /// Secrets of which something waits for a target that is not on the copy: that is not rehearsed.
    pub waits: BTreeSet<SecretName>,
}

impl<V> Clone for Rehearsal<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Rehearsal<'_, V> {}

impl<V> Rehearsal<'_, V> {
    /// Whether nothing is left of a secret but replicas whose place the plan makes free.
    fn is_left_to_next(&self, left: &SecretPlan) -> bool {
        let found = || self.planned.report.findings.iter().filter(|finding| finding.secret == left.name);
        left.waits_only_for_places(|place| {
            found().any(|finding| match &finding.kind {
                FindingKind::ReplicaPlaceTaken { region, holder: PlaceHolder::ReplicaGoes, .. } => region == place,
                _ => false,
            })
        })
    }
}

impl RehearsalReport {
    /// Whether every action was accepted, and a plan after them is empty but for what is left to the next apply.
    pub fn passed(&self) -> bool {
        let next = |secret: &SecretPlan| self.next.contains(&secret.name);
        self.applied.is_complete() && self.remaining.secrets.iter().all(next) && self.differs.is_empty()
    }
}

/// Why a plan could not be rehearsed. It says nothing about the plan.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// What is live could not be copied.
    #[error("what is live could not be copied into a sandbox: {0}")]
    Load(#[from] LoadError),
    /// The copy could not be reached.
    #[error("the copy could not be reached: {0}")]
    Connect(#[from] ConnectError),
    /// The copy could not be planned.
    #[error("the copy could not be planned: {0}")]
    Plan(#[from] PlanError),
}

/// A rehearsal that was asked for.
pub type Rehearsed = Result<RehearsalReport, Arc<RehearsalError>>;

/// Applies the plans of targets that wait for one another to a copy of what they were made from, in one sandbox and in
/// the stages of an apply. What came of each is in their order.
pub async fn rehearse<V: Values>(rehearsals: &[Rehearsal<'_, V>]) -> Result<Vec<RehearsalReport>, RehearsalError> {
    let Some(Rehearsal { now, .. }) = rehearsals.first().copied() else { return Ok(Vec::new()) };
    // New secrets get ARNs that depend on the rng seed: the same ones in every rehearsal.
    let sandbox = Sandbox::in_memory(Options { rng_seed: 0, clock: Clock::manual(now) });
    let stocks: Vec<Stock<'_>> = rehearsals.iter().map(|rehearsal| Stock::new(rehearsal.desired)).collect();
    let with_stocks = || rehearsals.iter().zip(&stocks);
    let own = with_stocks().flat_map(|(of, stock)| copy::own(of.desired, of.planned, stock, now));
    let around = with_stocks().flat_map(|(of, stock)| copy::around(of.desired, of.planned, of.beside, stock, now));
    sandbox.load(&own.chain(around).collect::<Vec<_>>())?;
    leave_out_policy_validation(&sandbox);

    let aws = Aws::rehearsal(sandbox);
    let names: BTreeSet<&str> = rehearsals.iter().map(|of| of.planned.plan.target.as_str()).collect();
    let mut targets = Vec::with_capacity(rehearsals.len());
    for (of, stock) in with_stocks() {
        let connection = aws.connect(&stand_in(&of.desired.target, &of.planned.live)).await?;
        targets.push(OnCopy::new(of, stock, connection, &names).await?);
    }
    let made = MadeSecrets::default();
    let first: Vec<Plan> = targets.iter().map(|target| target.first.clone()).collect();
    for stage in stages(&first) {
        for (target, plan) in targets.iter_mut().zip(stage) {
            target.carry_out(plan, &made).await;
        }
    }
    let complete = targets.iter().all(|target| target.applied.is_complete());
    for target in &mut targets {
        let removals = target.removals.clone();
        if complete {
            target.carry_out(removals, &made).await;
        } else {
            target.applied.outcomes.extend(ApplyReport::skipped(&removals, |_| SkipReason::EarlierFailure).outcomes);
        }
    }
    let mut reports = Vec::with_capacity(targets.len());
    for target in targets {
        reports.push(target.report(&made).await?);
    }
    Ok(reports)
}

/// One target on the copy.
struct OnCopy<'a, V> {
    of: &'a Rehearsal<'a, V>,
    stock: &'a Stock<'a>,
    connection: Connection,
    /// The plan of the copy.
    before: TargetPlan,
    differs: BTreeSet<SecretName>,
    /// What can be carried out here, but for removals.
    first: Plan,
    removals: Plan,
    waits: BTreeSet<SecretName>,
    applied: ApplyReport,
}

impl<'a, V: Values> OnCopy<'a, V> {
    /// `names` are the targets on the copy.
    async fn new(
        of: &'a Rehearsal<'a, V>,
        stock: &'a Stock<'a>,
        connection: Connection,
        names: &BTreeSet<&str>,
    ) -> Result<Self, PlanError> {
        let before = plan_on(of, stock, &connection, &of.planned.live.counterparts).await?;
        let differs = differing(&of.planned.plan, &before.plan);
        let (others, removals) = before.plan.split_removals();
        let (first, waits) = others.without_waiting(names);
        Ok(Self { of, stock, connection, before, differs, first, removals, waits, applied: ApplyReport::default() })
    }

    /// Carries a part of the plan out.
    async fn carry_out(&mut self, mut plan: Plan, made: &MadeSecrets) {
        let undone = self.applied.outcomes.iter().filter(|(_, outcome)| **outcome != SecretOutcome::Done);
        let undone: BTreeSet<SecretName> = undone.map(|(name, _)| name.clone()).collect();
        plan.secrets.retain(|secret| !undone.contains(&secret.name));
        if plan.is_empty() {
            return;
        }
        // Nobody stops a rehearsal.
        let (_stop, never) = watch::channel(false);
        let writer = self.connection.writer();
        let values = Placeholders::new(self.stock, self.of.values, &writer);
        let recorder = Recorder::new(&writer, &());
        let (live, ignored) = (&self.before.live, &self.of.desired.ignore_tags);
        let policies = PolicyChecks::default();
        let work = Work { plan: &plan, live, ignored, made, undone: &undone, policies: &policies };
        // One after the other: the same order, and the same words, in every rehearsal.
        let options = ApplyOptions { concurrency: 1, ..ApplyOptions::default() };
        let report = Box::pin(apply(&recorder, &values, work, options, never, &|_| {})).await;
        self.applied.outcomes.extend(report.outcomes);
        self.applied.calls.extend(recorder.calls());
    }

    /// Plans again.
    async fn report(self, made: &MadeSecrets) -> Result<RehearsalReport, PlanError> {
        let counterparts = made.counterparts(&self.of.planned.live.counterparts);
        let mut after = plan_on(self.of, self.stock, &self.connection, &counterparts).await?;
        let Self { of, differs, waits, mut applied, before, .. } = self;
        forget_requests(&mut applied);
        leave_kept_replicas(&mut after.plan, &before.live, before.plan.secrets.iter());
        after.plan.secrets.retain(|secret| !waits.contains(&secret.name));
        let next = after.plan.secrets.iter().filter(|secret| of.is_left_to_next(secret));
        let next = next.map(|secret| secret.name.clone()).collect();
        Ok(RehearsalReport { applied, remaining: after.plan, next, differs, waits })
    }
}

/// Plans a target on the copy.
async fn plan_on<V: Values>(
    of: &Rehearsal<'_, V>,
    stock: &Stock<'_>,
    connection: &Connection,
    counterparts: &Counterparts,
) -> Result<TargetPlan, PlanError> {
    let writer = connection.writer();
    let values = Placeholders::new(stock, of.values, &writer);
    let reading = Reading { read_values: of.read_values, ..Reading::default() };
    let planning = Planning { rules: of.rules, values: &values, reading, counterparts, progress: &|_| {} };
    // The account as the real plan knew it, for keys are compared by it.
    Box::pin(plan_target(connection.reader(), of.desired, of.planned.live.account.as_ref(), &planning)).await
}

/// The target as the sandbox takes it: an account, and neither role nor profile.
///
/// The sandbox finds secrets by their ARN's account, so one that nobody asked for is taken from there.
fn stand_in(target: &Target, live: &Live) -> Target {
    let known = || live.secrets.values().find_map(|secret| Some(AccountId::of_service(secret.arn.parts()?.account)));
    Target {
        account: target.account.clone().or_else(|| live.account.clone()).or_else(known),
        assume_role: None,
        profile: None,
        endpoint_url: None,
        ..target.clone()
    }
}

/// ValidateResourcePolicy also tells whether a policy shuts its caller out. The sandbox's caller is nobody of the real
/// account, so it would say that of the wrong one; a guard of the plan has looked at the right one. PutResourcePolicy
/// checks everything else.
fn leave_out_policy_validation(sandbox: &Sandbox) {
    let operation = Some("ValidateResourcePolicy".to_owned());
    sandbox.inject(Fault { operation, secret: None, skip: 0, times: None, kind: FaultKind::AccessDenied });
}

/// Nobody at AWS would find the requests of a sandbox.
fn forget_requests(report: &mut ApplyReport) {
    for call in &mut report.calls {
        call.request_id = None;
    }
    for outcome in report.outcomes.values_mut() {
        if let SecretOutcome::Failed { error: ApplyError::Service(error), .. } = outcome {
            error.request_id = None;
        }
    }
}

/// Secrets that the two plans would treat differently.
fn differing(real: &Plan, rehearsed: &Plan) -> BTreeSet<SecretName> {
    fn by_name(plan: &Plan) -> BTreeMap<&SecretName, &SecretPlan> {
        plan.secrets.iter().map(|secret| (&secret.name, secret)).collect_map()
    }
    let same =
        |a: &SecretPlan, b: &SecretPlan| a.verb == b.verb && a.actions == b.actions && a.depends_on == b.depends_on;
    let (real, rehearsed) = (by_name(real), by_name(rehearsed));
    let names: BTreeSet<&SecretName> = real.keys().chain(rehearsed.keys()).copied().collect();
    names
        .into_iter()
        .filter(|name| !matches!((real.get(name), rehearsed.get(name)), (Some(a), Some(b)) if same(a, b)))
        .cloned()
        .collect()
}
