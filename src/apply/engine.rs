//! The engine: one pass over a plan, secrets side by side, each secret's actions in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;

use super::event::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome};
use super::schedule::{Schedule, Skipped};
use super::values::{Values, put, render};
use super::writer::{Created, NewSecret, NewSettings, Receipt, WriteSecrets};
use crate::desired::{SecretName, TagPatterns, Template};
use crate::live::{Live, LiveSecret, PolicyVerdict, ServiceError, ServiceErrorKind};
use crate::plan::{Action, LabelVersion, ObservedField, Plan, SecretPlan, conflicts, destroyed, rests_on_policy};

/// How an apply runs.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// Secrets that are worked on at once, 1 or more.
    ///
    /// The default is 8: at some 100 ms a call that is about 80 writes a second, above the 50 that AWS allows for each
    /// group of writing operations, so the client-side quotas set the pace and not this; and a run that is killed
    /// leaves at most this many secrets half-written.
    pub concurrency: usize,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { concurrency: 8 }
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
}

/// Carries out a plan, and goes on with independent secrets when one fails.
///
/// When `stop` turns true, secrets that have begun are finished and no other begins.
pub async fn apply<W: WriteSecrets, V: Values>(
    writer: &W,
    values: &V,
    work: Work<'_>,
    options: ApplyOptions,
    mut stop: watch::Receiver<bool>,
    events: &(dyn Fn(ApplyEvent<'_>) + Sync),
) -> ApplyReport {
    let Work { plan, live, ignored } = work;
    let run = Run {
        writer,
        values,
        ignored,
        other_regions: &live.other_regions,
        arns: Mutex::new(live.secrets.iter().map(|(name, secret)| (name.clone(), secret.arn.clone())).collect()),
        actions_done: AtomicUsize::new(0),
        events,
    };
    let run = &run;
    let mut report = ApplyReport::default();
    let mut schedule = Schedule::new(plan);
    let mut running = FuturesUnordered::new();
    schedule.start();
    loop {
        if *stop.borrow() && !report.interrupted {
            report.interrupted = record_skipped(schedule.stop(), &mut report, events);
        }
        while running.len() < options.concurrency.max(1)
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
    report.actions_done = run.actions_done.load(Ordering::Relaxed);
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

struct Run<'a, W, V> {
    writer: &'a W,
    values: &'a V,
    ignored: &'a TagPatterns,
    /// Secrets of other regions that the plan destroys, as they were when it was made.
    other_regions: &'a BTreeMap<(String, SecretName), Option<LiveSecret>>,
    /// ARNs of secrets that exist, those created in this run included.
    arns: Mutex<BTreeMap<SecretName, String>>,
    actions_done: AtomicUsize,
    events: &'a (dyn Fn(ApplyEvent<'_>) + Sync),
}

impl<W: WriteSecrets, V: Values> Run<'_, W, V> {
    async fn carry_out(&self, secret: &SecretPlan) -> SecretOutcome {
        let fail = |index: usize, error: ApplyError| SecretOutcome::Failed {
            done: secret.actions[..index].iter().map(Action::operation).collect(),
            failed: secret.actions[index].operation(),
            remaining: secret.actions.iter().skip(index + 1).map(Action::operation).collect(),
            error,
        };
        match self.changed_since_planned(secret).await {
            Err(error) => {
                return SecretOutcome::Failed {
                    done: Vec::new(),
                    failed: error.operation,
                    remaining: secret.actions.iter().map(Action::operation).collect(),
                    error: error.into(),
                };
            }
            Ok(changed) if !changed.is_empty() => return SecretOutcome::Conflict { changed },
            Ok(_) => {}
        }
        (self.events)(ApplyEvent::Started { secret: &secret.name, verb: secret.verb });
        // The version that the last put value got: labels that wait for it are moved to it.
        let mut just_put = None;
        for (index, action) in secret.actions.iter().enumerate() {
            let receipt = match self.call(secret, action, &mut just_put).await {
                Ok(receipt) => receipt,
                Err(error) => return fail(index, error),
            };
            self.actions_done.fetch_add(1, Ordering::Relaxed);
            (self.events)(ApplyEvent::ActionDone { secret: &secret.name, action, receipt: &receipt });
        }
        SecretOutcome::Done
    }

    /// Reads the secret once more, and says what its actions rest on and is no longer as planned.
    async fn changed_since_planned(&self, secret: &SecretPlan) -> Result<BTreeSet<ObservedField>, ServiceError> {
        let mut fresh = self.writer.describe(&secret.name).await?;
        if rests_on_policy(secret)
            && let Some(fresh) = &mut fresh
            && let Some(policy) = self.writer.policy(&secret.name).await?
        {
            fresh.policy = policy;
        }
        let mut changed = conflicts(secret, fresh.as_ref(), self.ignored);
        // What a replica destroys must still be what was seen when it was planned.
        for region in secret.regions_overwritten() {
            let there = self.writer.describe_in_region(region, &secret.name).await?;
            let planned = self.other_regions.get(&(region.clone(), secret.name.clone())).and_then(Option::as_ref);
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
        just_put: &mut Option<String>,
    ) -> Result<Receipt, ApplyError> {
        let known = |name: &SecretName| self.arns().get(name).cloned();
        let receipt = match action {
            Action::Create { description, kms_key_id, tags, secret_type, value, replicas } => {
                let value = match value {
                    Some(planned) => Some(render(self.values, &secret.name, planned, &known).await?),
                    None => None,
                };
                let new = NewSecret {
                    value,
                    description: description.as_ref().map(|template| self.text(template)).transpose()?,
                    kms_key_id: kms_key_id.clone(),
                    tags: self.texts(tags)?,
                    secret_type: secret_type.clone(),
                    replicas: replicas.clone(),
                };
                let created = match self.writer.create(&secret.name, &new).await {
                    Ok(created) => created,
                    Err(error) => self.recover_lost_create(&secret.name, &new, error).await?,
                };
                *just_put = created.version_id;
                self.arns().insert(secret.name.clone(), created.arn);
                created.receipt
            }
            Action::Restore => self.writer.restore(&self.arn(&secret.name)?).await?,
            Action::Update { description, kms_key_id, secret_type } => {
                let description = description.as_ref().map(|template| self.text(template)).transpose()?;
                let settings = NewSettings {
                    description: description.as_deref(),
                    kms_key_id: kms_key_id.as_deref(),
                    secret_type: secret_type.as_deref(),
                };
                self.writer.update(&self.arn(&secret.name)?, &settings).await?
            }
            Action::CancelRotation => self.writer.cancel_rotation(&self.arn(&secret.name)?).await?,
            Action::Rotate { setup, immediately } => {
                self.writer.rotate(&self.arn(&secret.name)?, Some(setup), *immediately).await?.receipt
            }
            Action::RemoveReplicas { regions } => {
                self.writer.remove_replicas(&self.arn(&secret.name)?, regions).await?
            }
            Action::Replicate { regions, overwrite } => {
                self.writer.replicate(&self.arn(&secret.name)?, regions, *overwrite).await?
            }
            Action::Tag { tags } => self.writer.tag(&self.arn(&secret.name)?, &self.texts(tags)?).await?,
            Action::Untag { keys } => self.writer.untag(&self.arn(&secret.name)?, keys).await?,
            Action::PutPolicy { policy, block_public_policy } => {
                let arn = self.arn(&secret.name)?;
                let policy = policy.resolve(&known).map_err(ApplyError::ArnUnknown)?.to_wire();
                match self.writer.validate_policy(Some(&arn), &policy).await {
                    PolicyVerdict::Passed => {}
                    PolicyVerdict::Rejected(problems) => return Err(ApplyError::PolicyRejected(problems)),
                    PolicyVerdict::Unavailable(error) => {
                        (self.events)(ApplyEvent::PolicyNotValidated { secret: &secret.name, error: &error });
                    }
                }
                self.writer.put_policy(&arn, &policy, *block_public_policy).await?
            }
            Action::PutValue(planned) => {
                let arn = self.arn(&secret.name)?;
                let value = render(self.values, &secret.name, planned, &known).await?;
                let put = put(self.writer, &arn, planned, value).await?;
                *just_put = Some(put.version_id);
                put.receipt
            }
            Action::MoveLabel { label, to, from } => {
                let to = match to {
                    LabelVersion::Id(id) => id.as_str(),
                    // Planned only behind a put.
                    LabelVersion::JustPut => just_put.as_deref().unwrap_or_default(),
                };
                if from.as_deref() == Some(to) {
                    return Ok(Receipt::default());
                }
                match self.writer.move_label(&self.arn(&secret.name)?, label, to, from.as_deref()).await {
                    Ok(receipt) => receipt,
                    Err(error) => {
                        let moved = |live: Option<&LiveSecret>| live.is_some_and(|live| live.holder(label) == Some(to));
                        self.recover_lost_response(&secret.name, error, moved).await?
                    }
                }
            }
            Action::RemoveLabel { label, from } => self.remove_label(&secret.name, label, from).await?,
            Action::DeletePolicy => self.writer.delete_policy(&self.arn(&secret.name)?).await?,
            Action::Delete { deletion } => match self.writer.delete(&self.arn(&secret.name)?, *deletion).await {
                Ok(receipt) => receipt,
                Err(error) => {
                    let gone = |live: Option<&LiveSecret>| live.is_none_or(LiveSecret::is_scheduled_for_deletion);
                    self.recover_lost_response(&secret.name, error, gone).await?
                }
            },
        };
        Ok(receipt)
    }

    async fn remove_label(&self, name: &SecretName, label: &str, from: &str) -> Result<Receipt, ApplyError> {
        match self.writer.remove_label(&self.arn(name)?, label, from).await {
            Ok(receipt) => Ok(receipt),
            Err(error) => {
                let gone = |live: Option<&LiveSecret>| live.is_some_and(|live| live.holder(label).is_none());
                Ok(self.recover_lost_response(name, error, gone).await?)
            }
        }
    }

    /// A create whose answer was lost is tried again by the SDK, and the second try finds the secret there: a secret
    /// without a value keeps no request token by which the service could tell. It did not exist a moment ago, so when
    /// it carries our owner tag and everything else that was sent, it is the one that was asked for.
    async fn recover_lost_create(
        &self,
        name: &SecretName,
        new: &NewSecret,
        error: ServiceError,
    ) -> Result<Created, ServiceError> {
        // With a value the request token is the version id, and the service itself tells a repeated create.
        if error.kind != ServiceErrorKind::AlreadyExists || new.value.is_some() {
            return Err(error);
        }
        let found = self.writer.describe(name).await?.filter(|found| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            found.tags == new.tags
                && text(&found.description) == text(&new.description)
                && found.kms_key_id == new.kms_key_id
                && found.secret_type == new.secret_type
                && found.replicas.keys().eq(new.replicas.keys())
                && !found.is_scheduled_for_deletion()
        });
        found.map(|found| Created { arn: found.arn, version_id: None, receipt: Receipt::default() }).ok_or(error)
    }

    /// A call whose answer was lost is tried again by the SDK. UpdateSecretVersionStage and DeleteSecret take no
    /// request token by which the service could tell, so it refuses what it has done already: the label is no longer
    /// where it is moved from, the secret is on its way out. When the desired result is there, the call is done.
    async fn recover_lost_response(
        &self,
        name: &SecretName,
        error: ServiceError,
        came_true: impl Fn(Option<&LiveSecret>) -> bool,
    ) -> Result<Receipt, ServiceError> {
        let refused = matches!(
            error.kind,
            ServiceErrorKind::Rejected | ServiceErrorKind::InvalidState | ServiceErrorKind::NotFound
        );
        if !refused {
            return Err(error);
        }
        match self.writer.describe(name).await {
            Ok(found) if came_true(found.as_ref()) => Ok(Receipt::default()),
            Ok(_) | Err(_) => Err(error),
        }
    }

    fn arns(&self) -> std::sync::MutexGuard<'_, BTreeMap<SecretName, String>> {
        // A map of ARNs is whole even if another task died while it held the lock.
        self.arns.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn arn(&self, name: &SecretName) -> Result<String, ApplyError> {
        self.arns().get(name).cloned().ok_or_else(|| ApplyError::ArnUnknown(name.clone()))
    }

    fn text(&self, template: &Template) -> Result<String, ApplyError> {
        template.resolve(&|name| self.arns().get(name).cloned()).map_err(ApplyError::ArnUnknown)
    }

    fn texts(&self, templates: &BTreeMap<String, Template>) -> Result<BTreeMap<String, String>, ApplyError> {
        templates.iter().map(|(key, template)| Ok((key.clone(), self.text(template)?))).collect()
    }
}
