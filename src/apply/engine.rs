//! The engine: one pass over a plan, secrets side by side, each secret's actions in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;

use super::event::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome, SkipReason, Stopped};
use super::in_flight::{MOST, PlannedCalls, in_flight};
use super::made::MadeSecrets;
use super::policies::PolicyChecks;
use super::recorder::Recorder;
use super::schedule::{Schedule, Skipped};
use super::values::{carry, put, render};
use super::writer::{NewSecret, NewSettings, WriteSecrets};
use crate::collect::CollectMap as _;
use crate::desired::{OWNER_TAG, PolicyTemplate, TagPatterns, VALUE_TAG};
use crate::domain::{Arn, SecretName, TagKey, Template, VersionId};
use crate::live::{AcceptedRisks, Live, PolicyProblem, PolicyVerdict, ReadSecrets, ServiceError};
use crate::plan::{
    Action, LabelVersion, ObservedField, OtherArn, Plan, PlannedLink, PlannedValue, SecretPlan, conflicts, destroyed,
    rests_on_policy,
};
use crate::value::{SecretValue, Values};

/// How an apply runs.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// Secrets that are worked on at once at most, 1 or more. How many are is decided by the quotas that the plan
    /// needs and the latency; a run that is killed leaves at most so many half-written.
    pub concurrency: usize,
    /// What ValidateResourcePolicy may find and is put all the same, since a flag says so.
    pub accepted: AcceptedRisks,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { concurrency: MOST, accepted: AcceptedRisks::default() }
    }
}

/// What an apply carries out.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What it was made from.
    pub live: &'a Live,
    /// Tags that nobody compares.
    pub ignored: &'a TagPatterns,
    /// What the run has made so far, in all its targets.
    pub made: &'a MadeSecrets,
    /// Secrets that an earlier part of the run was to do and did not.
    pub undone: &'a BTreeSet<SecretName>,
    /// What was asked before about the policies of the plan; about the others it is asked when they are put.
    pub policies: &'a PolicyChecks,
}

/// Carries out a plan, and goes on with independent secrets when one fails.
///
/// When `stop` turns true, and when a record could not be kept, secrets that have begun are finished and no other
/// begins.
pub async fn apply<W: WriteSecrets, V: Values>(
    writer: &Recorder<'_, W>,
    values: &V,
    work: Work<'_>,
    options: ApplyOptions,
    mut stop: watch::Receiver<bool>,
    events: &(dyn Fn(ApplyEvent<'_>) + Sync),
) -> ApplyReport {
    let Work { plan, live, ignored, made, undone, policies } = work;
    let of_live = live.secrets.iter().map(|(name, secret)| (name.clone(), secret.arn.clone()));
    let arns = of_live.chain(made.of_target(&plan.target)).collect_map();
    let run = Run {
        writer,
        values,
        ignored,
        policies,
        live,
        accepted: options.accepted,
        target: &plan.target,
        made,
        arns: Mutex::new(arns),
        events,
    };
    let run = &run;
    let mut report = ApplyReport::default();
    let mut schedule = Schedule::new(plan, undone);
    let calls = PlannedCalls::of(plan);
    let mut running = FuturesUnordered::new();
    record_skipped(schedule.start(), &mut report, events);
    loop {
        let stopped = if *stop.borrow() {
            Some(Stopped::Interrupted)
        } else {
            writer.lost_a_record().then_some(Stopped::RecordLost)
        };
        if let (Some(why), None) = (stopped, report.stopped) {
            report.stopped = record_skipped(schedule.stop(why), &mut report, events).then_some(why);
        }
        while running.len() < in_flight(writer, &calls, options.concurrency)
            && let Some(secret) = schedule.begin()
        {
            running.push(async move { (secret, Box::pin(run.carry_out(secret)).await) });
        }
        tokio::select! {
            finished = running.next() => {
                let Some((secret, outcome)) = finished else { break };
                events(ApplyEvent::Finished { secret: &secret.name, verb: secret.verb, outcome: &outcome });
                let skipped = schedule.finish(&secret.name, outcome == SecretOutcome::Done);
                report.outcomes.insert(secret.name.clone(), outcome);
                record_skipped(skipped, &mut report, events);
            }
            // A closed channel means that nobody can stop the run any more: wait for the secrets alone.
            Ok(()) = stop.changed() => {}
        }
    }
    report.calls = writer.calls();
    report
}

/// Notes secrets that will not be begun; tells whether there were any.
fn record_skipped(
    skipped: Vec<Skipped<'_>>,
    report: &mut ApplyReport,
    events: &(dyn Fn(ApplyEvent<'_>) + Sync),
) -> bool {
    let any = !skipped.is_empty();
    for (secret, reason) in skipped {
        let outcome = SecretOutcome::Skipped { reason };
        events(ApplyEvent::Finished { secret: &secret.name, verb: secret.verb, outcome: &outcome });
        report.outcomes.insert(secret.name.clone(), outcome);
    }
    any
}

/// The operation that a policy is refused for.
const PUT_POLICY: &str = "PutResourcePolicy";

/// The version that the last put value got: labels that wait for it are moved to it.
struct JustPut {
    version: VersionId,
    /// The id of git's value, which is another one where an equal value is live under its own.
    of_git: Option<VersionId>,
}

struct Run<'a, W, V> {
    writer: &'a Recorder<'a, W>,
    values: &'a V,
    ignored: &'a TagPatterns,
    policies: &'a PolicyChecks,
    target: &'a str,
    made: &'a MadeSecrets,
    accepted: AcceptedRisks,
    /// What the plan was made from.
    live: &'a Live,
    /// ARNs of secrets that exist, those created in this run included.
    arns: Mutex<BTreeMap<SecretName, Arn>>,
    events: &'a (dyn Fn(ApplyEvent<'_>) + Sync),
}

impl<W: WriteSecrets, V: Values> Run<'_, W, V> {
    async fn carry_out(&self, secret: &SecretPlan) -> SecretOutcome {
        let failed = |operation: &'static str, remaining: Vec<&'static str>, error: ApplyError| SecretOutcome::Failed {
            done: self.writer.done_for(&secret.name),
            failed: operation,
            remaining,
            error,
        };
        let all = || secret.actions.iter().map(Action::operation);
        if let Some(error) = self.policy_refused(secret) {
            let others = all().filter(|operation| *operation != PUT_POLICY).collect();
            return failed(PUT_POLICY, others, error);
        }
        if let Some((target, name)) =
            secret.waits_for().find(|other| self.made.arn(other).is_none()).and_then(OtherArn::named)
        {
            let reason = SkipReason::OtherTarget { target: target.to_owned(), name: name.clone() };
            return SecretOutcome::Skipped { reason };
        }
        match self.changed_since_planned(secret).await {
            Err(error) => return failed(error.operation, all().collect(), error.into()),
            Ok(changed) if !changed.is_empty() => return SecretOutcome::Conflict { changed },
            Ok(_) => {}
        }
        (self.events)(ApplyEvent::Started { secret: &secret.name, verb: secret.verb });
        let mut just_put = None;
        for (index, action) in secret.actions.iter().enumerate() {
            match self.call(secret, action, &mut just_put).await {
                Ok(()) => (self.events)(ApplyEvent::ActionDone { secret: &secret.name, action }),
                Err(error) => return failed(action.operation(), all().skip(index + 1).collect(), error),
            }
        }
        SecretOutcome::Done
    }

    /// Why the policy of a secret is not to be put, where that was asked before the run: nothing is begun then.
    fn policy_refused(&self, secret: &SecretPlan) -> Option<ApplyError> {
        let (policy, block_public_policy) = secret.policy_as_sent(self.live)?;
        let verdict = self.policies.known(&policy.to_wire())?;
        self.left_of(verdict, block_public_policy)
    }

    /// What of a verdict keeps a policy from being put.
    fn left_of(&self, verdict: PolicyVerdict, block_public_policy: bool) -> Option<ApplyError> {
        let PolicyVerdict::Rejected(problems) = verdict else { return None };
        let left = self.accepted.left_of(problems, block_public_policy);
        let blocked = block_public_policy && left.iter().any(PolicyProblem::is_broad_access);
        (!left.is_empty()).then_some(ApplyError::PolicyRejected { problems: left, blocked })
    }

    /// Reads the secret once more, and says what its actions rest on and is no longer as planned. Whether a name is
    /// still free CreateSecret alone decides: it refuses one that is taken, and touches nothing.
    async fn changed_since_planned(&self, secret: &SecretPlan) -> Result<BTreeSet<ObservedField>, ServiceError> {
        let mut changed = BTreeSet::new();
        if secret.observed.is_some() {
            let mut fresh = self.writer.describe(&secret.name).await?;
            if rests_on_policy(secret)
                && let Some(fresh) = &mut fresh
                && let Some(policy) = self.writer.policy(&secret.name).await?
            {
                fresh.policy = policy;
            }
            changed = conflicts(secret, fresh.as_ref(), self.ignored);
        }
        // What takes its place must be there.
        if let Some(replacement) = secret.moved_to()
            && !replacement.is_there(self.writer.describe(&replacement.name).await?.as_ref())
        {
            changed.insert(ObservedField::Replacement);
        }
        // What a replica destroys must still be what was seen when it was planned.
        for region in secret.regions_overwritten() {
            let there = self.writer.describe_in_region(region, &secret.name).await?;
            let planned = self.live.other_regions.get(&(region.clone(), secret.name.clone())).and_then(Option::as_ref);
            if planned.is_none() || destroyed(planned) != destroyed(there.as_ref()) {
                changed.insert(ObservedField::Overwritten);
            }
        }
        Ok(changed)
    }

    async fn call(
        &self,
        secret: &SecretPlan,
        action: &Action,
        just_put: &mut Option<JustPut>,
    ) -> Result<(), ApplyError> {
        if let Action::Create { .. } = action {
            return self.create(secret, action, just_put).await;
        }
        let arn = &self.arn(&secret.name)?;
        match action {
            Action::PutPolicy { policy, block_public_policy } => {
                self.put_policy(&secret.name, arn, policy, *block_public_policy).await?;
            }
            Action::PutValue(planned) => {
                let known = |name: &SecretName| self.arns().get(name).cloned();
                let kept = self.kept(&secret.name, planned).await?;
                let (value, id) = render(self.values, &secret.name, planned, kept.as_ref(), &known).await?;
                let put = put(self.writer, arn, planned, &value, id.as_ref()).await?;
                *just_put = Some(JustPut { version: put.version_id, of_git: id });
            }
            Action::CarryVersion(carried) => {
                let put = carry(self.writer, arn, carried).await?;
                if carried.current {
                    *just_put = Some(JustPut { version: put.version_id, of_git: None });
                }
            }
            Action::NoteEqualValue { live } => self.note_equal_value(arn, live, just_put.as_ref()).await?,
            Action::MoveLabel { label, to, from } => {
                let to = match to {
                    LabelVersion::Id(id) => Some(id),
                    // Planned only behind a put.
                    LabelVersion::JustPut => just_put.as_ref().map(|put| &put.version),
                };
                // The put was of what is live there: nothing is left to be moved, and nothing is called.
                if let Some(to) = to.filter(|to| from.as_ref() != Some(*to)) {
                    self.writer.move_label(arn, label, to, from.as_ref()).await?;
                }
            }
            settings => self.set(&secret.name, arn, settings).await?,
        }
        Ok(())
    }

    /// The actions that are one call, with all that it needs.
    async fn set(&self, name: &SecretName, arn: &Arn, action: &Action) -> Result<(), ApplyError> {
        match action {
            Action::Restore => drop(self.writer.restore(arn).await?),
            Action::Update { description, kms_key_id, secret_type } => {
                let description = description.as_ref().map(|template| self.text(template)).transpose()?;
                let settings = NewSettings {
                    description: description.as_deref(),
                    kms_key_id: kms_key_id.as_ref(),
                    secret_type: secret_type.as_deref(),
                };
                self.writer.update(arn, &settings).await?;
            }
            Action::CancelRotation => drop(self.writer.cancel_rotation(arn).await?),
            Action::Rotate { setup, immediately } => drop(self.writer.rotate(arn, Some(setup), *immediately).await?),
            Action::RemoveReplicas { regions } => drop(self.writer.remove_replicas(arn, regions).await?),
            Action::Replicate { regions, overwrite } => drop(self.writer.replicate(arn, regions, *overwrite).await?),
            Action::StopReplication => drop(self.writer.stop_replication(name).await?),
            Action::Disassociate { replica } => drop(self.writer.disassociate(arn, replica).await?),
            Action::Associate(PlannedLink { replica, restriction, role }) => {
                let replica = self.other(replica)?;
                self.writer.associate(arn, &replica, *restriction, role.as_ref()).await?;
            }
            Action::Tag { tags } => drop(self.writer.tag(arn, &self.texts(tags)?).await?),
            Action::Untag { keys } => drop(self.writer.untag(arn, keys).await?),
            Action::RemoveLabel { label, from } => drop(self.writer.remove_label(arn, label, from).await?),
            Action::DeletePolicy => drop(self.writer.delete_policy(arn).await?),
            Action::Delete { deletion } => drop(self.writer.delete(arn, *deletion).await?),
            // These are more than a call.
            Action::Create { .. }
            | Action::PutPolicy { .. }
            | Action::PutValue(_)
            | Action::CarryVersion(_)
            | Action::NoteEqualValue { .. }
            | Action::MoveLabel { .. } => {}
        }
        Ok(())
    }

    async fn create(
        &self,
        secret: &SecretPlan,
        action: &Action,
        just_put: &mut Option<JustPut>,
    ) -> Result<(), ApplyError> {
        let Action::Create { description, kms_key_id, tags, secret_type, value, replicas, cross_account_primary } =
            action
        else {
            return Ok(());
        };
        let name = &secret.name;
        let known = |name: &SecretName| self.arns().get(name).cloned();
        let value = match value {
            Some(planned) => Some(render(self.values, name, planned, None, &known).await?),
            None => None,
        };
        let new = NewSecret {
            value,
            description: description.as_ref().map(|template| self.text(template)).transpose()?,
            kms_key_id: kms_key_id.clone(),
            tags: self.texts(tags)?,
            secret_type: secret_type.clone(),
            replicas: replicas.clone(),
            cross_account_primary: cross_account_primary.as_ref().map(|primary| self.other(primary)).transpose()?,
        };
        let created = self.writer.create(name, &new).await?;
        // The service answers a request token that it knows with the secret that has it, whoever made that.
        if new.value.is_some() && secret.actions.len() > 1 {
            let made = self.writer.describe(name).await?;
            if made.is_none_or(|made| made.tags.get(OWNER_TAG) != new.tags.get(OWNER_TAG)) {
                return Err(ApplyError::NameTaken);
            }
        }
        *just_put = created.version_id.map(|version| JustPut { version, of_git: None });
        self.made.insert(self.target, name, created.arn.clone());
        self.arns().insert(name.clone(), created.arn);
        Ok(())
    }

    /// The live value whose generated parts a put keeps.
    async fn kept(&self, name: &SecretName, planned: &PlannedValue) -> Result<Option<SecretValue>, ApplyError> {
        let Some(version) = &planned.keeps_generated_of else { return Ok(None) };
        let live = self.writer.value(name, version).await?;
        live.map(Some).ok_or_else(|| ApplyError::GeneratedPartsGone { version: version.clone() })
    }

    async fn put_policy(
        &self,
        name: &SecretName,
        arn: &Arn,
        policy: &PolicyTemplate,
        block_public_policy: bool,
    ) -> Result<(), ApplyError> {
        let known = |name: &SecretName| self.arns().get(name).cloned();
        let policy = policy.resolve(&known).map_err(ApplyError::ArnUnknown)?.to_wire();
        let (verdict, asked_now) = self.policies.verdict(self.writer, arn, &policy).await;
        if let (PolicyVerdict::Unavailable(error), true) = (&verdict, asked_now) {
            (self.events)(ApplyEvent::PolicyNotValidated { secret: name, error });
        }
        if let Some(error) = self.left_of(verdict, block_public_policy) {
            return Err(error);
        }
        self.writer.put_policy(arn, &policy, block_public_policy).await?;
        Ok(())
    }

    /// Writes down that git's value is the live version's, when the put before it has found that out; else there is
    /// nothing to call.
    async fn note_equal_value(
        &self,
        arn: &Arn,
        live: &VersionId,
        just_put: Option<&JustPut>,
    ) -> Result<(), ApplyError> {
        let Some(JustPut { version, of_git: Some(id) }) = just_put else { return Ok(()) };
        if version == live && id != live {
            let claim = format!("{}={live}", id.as_str());
            self.writer.tag(arn, &BTreeMap::from([(TagKey::of_service(VALUE_TAG), claim)])).await?;
        }
        Ok(())
    }

    fn arns(&self) -> std::sync::MutexGuard<'_, BTreeMap<SecretName, Arn>> {
        // A map of ARNs is whole even if another task died while it held the lock.
        self.arns.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn arn(&self, name: &SecretName) -> Result<Arn, ApplyError> {
        self.arns().get(name).cloned().ok_or_else(|| ApplyError::ArnUnknown(name.clone()))
    }

    /// The ARN of a secret of another account. A secret that waits for one which was not made is not begun.
    fn other(&self, other: &OtherArn) -> Result<Arn, ApplyError> {
        self.made.arn(other).ok_or_else(|| {
            ApplyError::ArnUnknown(match other {
                OtherArn::Known(arn) => SecretName::new(arn.as_str()),
                OtherArn::Later { target: _, name, account: _ } => name.clone(),
            })
        })
    }

    fn text(&self, template: &Template) -> Result<String, ApplyError> {
        template.resolve(&|name| self.arns().get(name).cloned()).map_err(ApplyError::ArnUnknown)
    }

    fn texts(&self, templates: &BTreeMap<TagKey, Template>) -> Result<BTreeMap<TagKey, String>, ApplyError> {
        templates.iter().map(|(key, template)| Ok((key.clone(), self.text(template)?))).collect()
    }
}
