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

use jiff::Timestamp;
use tokio::sync::watch;

use crate::apply::{
    ApplyError, ApplyOptions, ApplyReport, MadeSecrets, PolicyChecks, Recorder, SecretOutcome, SkipReason, Work, apply,
};
use crate::aws::{Aws, ConnectError};
use crate::desired::{Desired, Target};
use crate::domain::{AccountId, SecretName};
use crate::live::Live;
use crate::plan::{Plan, Rules, SecretPlan};
use crate::reconcile::{PlanError, Planning, Reading, TargetPlan, plan_target};
use crate::sandbox::{Clock, Fault, FaultKind, LoadError, Options, Sandbox};
use crate::value::Values;

use placeholders::{Placeholders, Stock};

/// What is rehearsed.
#[derive(Clone, Copy)]
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
    /// Secrets that were planned otherwise on the copy than for real: the copy is not good enough to tell about them.
    /// That is a defect of the rehearsal, and it is told as one.
    pub differs: BTreeSet<SecretName>,
    /// Secrets of which something waits for what another target makes: that is not rehearsed.
    pub waits: BTreeSet<SecretName>,
}

impl RehearsalReport {
    /// Whether every action was accepted, and a plan after them is empty.
    pub fn passed(&self) -> bool {
        self.applied.is_complete() && self.remaining.is_empty() && self.differs.is_empty()
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
pub type Rehearsed = Result<RehearsalReport, RehearsalError>;

/// Applies a plan to a copy of what it was made from.
pub async fn rehearse<V: Values>(rehearsal: &Rehearsal<'_, V>) -> Result<RehearsalReport, RehearsalError> {
    let Rehearsal { desired, planned, beside, rules, read_values, values, now } = *rehearsal;
    // New secrets get ARNs that depend on the rng seed: the same ones in every rehearsal.
    let sandbox = Sandbox::in_memory(Options { rng_seed: 0, clock: Clock::manual(now) });
    let stock = Stock::new(desired);
    sandbox.load(&copy::snapshots(desired, planned, beside, &stock, now))?;
    leave_out_policy_validation(&sandbox);

    let connection = Aws::rehearsal(sandbox).connect(&stand_in(&desired.target, &planned.live)).await?;
    let writer = connection.writer();
    let values = Placeholders::new(&stock, values, &writer);
    let reading = Reading { read_values, ..Reading::default() };
    let counterparts = &planned.live.counterparts;
    let planning = Planning { rules, values: &values, reading, counterparts, progress: &|_| {} };
    // The account as the real plan knew it, for keys are compared by it.
    let account = planned.live.account.as_ref();
    let before = plan_target(connection.reader(), desired, account, &planning).await?;
    let differs = differing(&planned.plan, &before.plan);

    // Nobody stops a rehearsal.
    let (_stop, never) = watch::channel(false);
    let policies = PolicyChecks::default();
    let made = MadeSecrets::default();
    let (ignored, undone) = (&desired.ignore_tags, BTreeSet::new());
    let of = |plan| Work { plan, live: &before.live, ignored, made: &made, undone: &undone, policies: &policies };
    let (others, removals) = before.plan.split_removals();
    let (first, waits) = others.without_waiting();
    // One after the other: the same order, and the same words, in every rehearsal.
    let options = ApplyOptions { concurrency: 1, ..ApplyOptions::default() };
    let recorder = Recorder::new(&writer, &());
    let mut applied = Box::pin(apply(&recorder, &values, of(&first), options, never.clone(), &|_| {})).await;
    let removed = if applied.is_complete() {
        Box::pin(apply(&recorder, &values, of(&removals), options, never, &|_| {})).await
    } else {
        ApplyReport::skipped(&removals, &SkipReason::EarlierFailure)
    };
    applied.outcomes.extend(removed.outcomes);
    applied.calls = recorder.calls();
    forget_requests(&mut applied);
    let mut after = plan_target(connection.reader(), desired, account, &planning).await?;
    after.plan.secrets.retain(|secret| !waits.contains(&secret.name));
    Ok(RehearsalReport { applied, remaining: after.plan, differs, waits })
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
        plan.secrets.iter().map(|secret| (&secret.name, secret)).collect()
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
