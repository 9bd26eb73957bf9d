//! Plans carried out, target by target: told while it goes on, read again, and followed until replicas are made.

use std::collections::BTreeSet;
use std::time::Duration;

use super::error::{Error, ErrorKind, SecretProblem};
use super::event::{Event, Listener, Place};
use super::journal::{Caller, Entries, Journal};
use super::outcome::{AppliedPart, AppliedTarget, ApplyRun};
use super::prepare::{Planned, Prepared};
use super::session::Run;
use super::stop::{Stop, stopped};
use crate::apply::{ApplyEvent, ApplyOptions, ApplyReport, Recorder, SecretOutcome, SkipReason, Work, apply};
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::plan::Plan;
use crate::reconcile::{TargetError, Verified, verify};
use crate::value::Values;

/// How a run carries plans out.
#[derive(Clone, Copy)]
pub struct ApplyRequest<'a> {
    /// How many secrets at once.
    pub options: ApplyOptions,
    /// Follow replicas until they are made, at most so long.
    pub wait_replicas: Option<Duration>,
    /// A line for each writing call goes here.
    pub journal: Option<&'a Journal>,
    /// What is in flight is finished when this turns true.
    pub stop: &'a Stop,
    /// Told what happens.
    pub listener: Listener<'a>,
}

impl Run<'_> {
    /// Carries out the plans of all targets, one after the other. Removals come last over the whole run: once
    /// everything else was applied to every target and read again. A secret that moves from one target to another is
    /// not deleted in the first when the second failed.
    pub async fn apply<'p>(&self, prepared: &'p Prepared<'_>, request: &ApplyRequest<'_>) -> ApplyRun<'p> {
        // One that could not be read was not done either.
        let all_read = prepared.planned().all(|(_, planned)| {
            let report = &planned.target.report;
            report.declared_unreadable() + report.declared_refused() == 0
        });
        let places: Vec<_> = prepared.planned().filter(|(_, planned)| !planned.target.plan.is_empty()).collect();
        let mut targets: Vec<AppliedTarget<'p>> = Vec::new();
        let mut removals = Vec::new();
        // What other parts of a sharded run create comes first too: a part that only removes is run again.
        let others_create =
            prepared.planned().any(|(_, planned)| planned.target.report.counts.missing_in_other_shards > 0);
        for (desired, planned) in &places {
            let plan = &planned.target.plan;
            let applied = if places.len() == 1 && all_read && !others_create {
                self.apply_part(desired, planned, plan, request).await
            } else {
                let (others, removed) = plan.split_removals();
                removals.push(removed);
                self.apply_part(desired, planned, &others, request).await
            };
            targets.push(applied.over(plan));
        }
        let complete = all_read && targets.iter().all(AppliedTarget::is_complete);
        for (at, ((desired, planned), removed)) in places.iter().zip(&removals).enumerate() {
            if removed.is_empty() {
                continue;
            }
            let skip = |reason| Self::skip(removed, reason, request.listener);
            let part = if !complete {
                skip(&SkipReason::EarlierFailure)
            } else if others_create {
                skip(&SkipReason::OtherShards)
            } else {
                self.apply_part(desired, planned, removed, request).await
            };
            targets[at].merge(part);
        }
        ApplyRun { targets }
    }

    /// Removals that do not begin yet: each is told with the reason.
    fn skip(removed: &Plan, reason: &SkipReason, listener: Listener<'_>) -> AppliedPart {
        listener(Event::Applying { target: &removed.target, actions: removed.action_count() });
        let mut report = ApplyReport::default();
        for secret in &removed.secrets {
            let outcome = SecretOutcome::Skipped { reason: reason.clone() };
            listener(Event::Applied(ApplyEvent::Finished {
                secret: &secret.name,
                verb: secret.verb,
                outcome: &outcome,
            }));
            report.outcomes.insert(secret.name.clone(), outcome);
        }
        listener(Event::Carried(removed, &report));
        AppliedPart { report, ..AppliedPart::default() }
    }

    /// Carries out a part of one target's plan.
    async fn apply_part(
        &self,
        desired: &Desired,
        planned: &Planned,
        plan: &Plan,
        request: &ApplyRequest<'_>,
    ) -> AppliedPart {
        if plan.is_empty() {
            return AppliedPart::default();
        }
        let Planned { connection, target, .. } = planned;
        let writer = connection.writer();
        let values = self.values_to_write(&writer);
        let place = Place { writer: &writer, caller: connection.caller.as_deref(), desired, target };
        (request.listener)(Event::Applying { target: &plan.target, actions: plan.action_count() });
        let report = Box::pin(request.carry_out(&place, plan, &values)).await;
        (request.listener)(Event::Carried(plan, &report));
        let missing = request.journal.and_then(Journal::failure);
        if let Some(error) = &missing {
            (request.listener)(Event::Failed(error));
        }
        let (verified, not_read) = Box::pin(request.verify(&place, &values, &report)).await;
        let mut failed_after = not_read || missing.is_some();
        if let Some(timeout) = request.wait_replicas {
            failed_after |= !Box::pin(request.follow_replicas(&place, &report, timeout)).await;
        }
        AppliedPart { report, verified, failed_after }
    }
}

impl ApplyRequest<'_> {
    async fn carry_out(&self, place: &Place<'_>, plan: &Plan, values: &impl Values) -> ApplyReport {
        let Place { writer, caller, desired, target } = *place;
        let entries = Entries {
            journal: self.journal,
            caller: Caller {
                arn: caller.map(str::to_owned),
                project: desired.project.clone(),
                target: desired.target.name.clone(),
                account: target.live.account.as_ref().map(ToString::to_string),
                region: desired.target.region.to_string(),
                endpoint: target.plan.endpoint.clone(),
            },
        };
        let recorder = Recorder::new(writer, &entries);
        let listener = |event: ApplyEvent<'_>| (self.listener)(Event::Applied(event));
        let work = Work { plan, live: &target.live, ignored: &desired.ignore_tags };
        let stopping = async {
            stopped(self.stop).await;
            (self.listener)(Event::Stopping);
            // What is in flight decides when it is over.
            std::future::pending::<std::convert::Infallible>().await
        };
        tokio::select! {
            report = apply(&recorder, values, work, self.options, self.stop.clone(), &listener) => report,
            never = stopping => match never {},
        }
    }

    /// Reads what was done once more, and compares it with the manifests. The second answer is whether that failed.
    async fn verify(&self, place: &Place<'_>, values: &impl Values, report: &ApplyReport) -> (Option<bool>, bool) {
        if report.done() == 0 {
            return (None, false);
        }
        let touched: BTreeSet<SecretName> = report.touched().cloned().collect();
        match verify(place.writer, place.desired, &place.target.live, &touched, values).await {
            Ok(Verified { mut remaining, mut held_back, unreadable }) => {
                // What failed is known to differ already; verification is about what was reported as done.
                let done = |name: &SecretName| report.outcomes.get(name) == Some(&SecretOutcome::Done);
                remaining.secrets.retain(|secret| done(&secret.name));
                held_back.retain(|name| done(name));
                let not_read: Vec<_> = unreadable.into_iter().filter(|(name, _)| done(name)).collect();
                let read = report.done().saturating_sub(not_read.len());
                (self.listener)(Event::Verified { remaining: &remaining, held_back: held_back.len(), done: read });
                for (name, error) in &not_read {
                    let error = Error::secret(name, SecretProblem::NotVerified).because(error.clone());
                    (self.listener)(Event::Failed(&error));
                }
                (Some(remaining.is_empty() && not_read.is_empty()), !not_read.is_empty())
            }
            Err(error) => {
                let error = Error::from(ErrorKind::NotVerified).because(TargetError::Plan(error));
                (self.listener)(Event::Failed(&error));
                (None, true)
            }
        }
    }
}
