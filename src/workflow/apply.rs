//! Plans carried out, targets side by side: told while it goes on, read again, and followed until replicas are made.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt as _};

use super::error::{Error, ErrorKind, SecretProblem};
use super::event::{Counted, Event, Listener, Place};
use super::journal::{Caller, Entries, Journal, Moves};
use super::outcome::{AppliedPart, AppliedTarget, ApplyRun, Missing, ReadAgain};
use super::prepare::{Planned, Prepared, TARGETS_AT_ONCE};
use super::removals::{Removals, is_copying_beside, parted};
use super::session::Run;
use super::stop::{Stop, stopped};
use super::turn::Turns;
use crate::apply::{
    ApplyEvent, ApplyOptions, ApplyReport, MadeSecrets, PolicyChecks, Recorder, SecretOutcome, SkipReason, Work, apply,
};
use crate::aws::quota_seconds;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::plan::{Action, OtherArn, Plan, PlannedLink, SecretPlan, stages};
use crate::reconcile::{PlanError, TargetError, Verification, Verified, WrittenPart, verify};
use crate::value::Values;

/// How a run carries plans out.
#[derive(Clone, Copy)]
pub struct ApplyRequest<'a> {
    /// How many secrets at once.
    pub options: ApplyOptions,
    /// What is read again afterwards.
    pub verification: Verification,
    /// Follow replicas until they are made, at most so long.
    pub wait_replicas: Option<Duration>,
    /// A line for each writing call goes here.
    pub journal: Option<&'a Journal>,
    /// What is in flight is finished when this turns true.
    pub stop: &'a Stop,
    /// Told what happens.
    pub listener: Listener<'a>,
}

/// A part of one target's plan.
struct Part<'p> {
    desired: &'p Desired,
    planned: &'p Planned,
    plan: Cow<'p, Plan>,
    policies: &'p PolicyChecks,
    /// What the run has made so far, in all its targets.
    made: &'p MadeSecrets,
    /// Secrets of this target that an earlier part of the run was to do and did not.
    undone: BTreeSet<SecretName>,
    /// Secrets of this part that an earlier one has written too: they are counted, and only their links are new.
    counted: BTreeSet<SecretName>,
    /// Secrets of this target whose link with another account is made later in the run.
    linked_later: BTreeSet<SecretName>,
    /// Whether other targets are written in the same run.
    among_others: bool,
}

/// Both sides of the links that are made once everything else was, by target.
fn linked_later(places: &[(&Desired, &Planned)]) -> BTreeMap<String, BTreeSet<SecretName>> {
    let mut later: BTreeMap<String, BTreeSet<SecretName>> = BTreeMap::new();
    let plans = places.iter().map(|(_, planned)| &planned.target.plan);
    for (here, secret) in plans.flat_map(|plan| plan.secrets.iter().map(|secret| (&plan.target, secret))) {
        if let Some(PlannedLink { replica: OtherArn::Later { target, name, .. }, .. }) = secret.link() {
            later.entry(here.clone()).or_default().insert(secret.name.clone());
            later.entry(target.clone()).or_default().insert(name.clone());
        }
    }
    later
}

impl Part<'_> {
    /// Leaves out what was told already not to be done, and notes it for what depends on it.
    fn goes_on_after(&mut self, before: &ApplyReport) {
        if before.outcomes.is_empty() {
            return;
        }
        let undone = before.outcomes.iter().filter(|(_, outcome)| **outcome != SecretOutcome::Done);
        self.undone = undone.map(|(name, _)| name.clone()).collect();
        let undone = &self.undone;
        self.plan.to_mut().secrets.retain(|secret| !undone.contains(&secret.name));
        let of_this = self.plan.secrets.iter().map(|secret| &secret.name);
        self.counted = of_this.filter(|name| before.outcomes.contains_key(*name)).cloned().collect();
    }

    /// What an earlier part has done to the same secrets.
    fn earlier(&self) -> Vec<&SecretPlan> {
        let whole = self.planned.target.plan.secrets.iter();
        whole.filter(|secret| self.counted.contains(&secret.name)).collect()
    }

    /// How many of these secrets no earlier part has counted, and how many were counted.
    fn count<'s>(&self, secrets: impl IntoIterator<Item = &'s SecretName>) -> Counted {
        let (linked, secrets): (Vec<_>, Vec<_>) = secrets.into_iter().partition(|name| self.counted.contains(*name));
        Counted { secrets: secrets.len(), links: linked.len() }
    }

    /// Tells what happens in it.
    fn listener<'l>(&'l self, listener: Listener<'l>) -> impl Fn(ApplyEvent<'_>) + Sync + 'l {
        let (target, among_others) = (self.plan.target.as_str(), self.among_others);
        move |event| listener(Event::Applied { target, among_others, event })
    }
}

/// What came of carrying a part out, before anything is told of it.
struct CarriedOut {
    report: ApplyReport,
    verified: ReadBack,
}

/// What came of reading again.
enum ReadBack {
    /// Nothing was done that could be read.
    NothingDone,
    /// Nobody asked for it.
    NotAsked,
    Read(Box<Verified>),
    Failed(PlanError),
}

impl Run<'_> {
    /// Carries out the plans of all targets, side by side. Removals come last over the whole run: once everything else
    /// was applied to every target and read again. A secret that moves from one target to another is not deleted in the
    /// first when the second failed.
    pub async fn apply<'p>(&self, prepared: &'p Prepared<'_>, request: &ApplyRequest<'_>) -> ApplyRun<'p> {
        let stopping = async {
            stopped(request.stop).await;
            (request.listener)(Event::Stopping);
            // What is in flight decides when it is over.
            std::future::pending::<std::convert::Infallible>().await
        };
        tokio::select! {
            applied = self.apply_all(prepared, request) => applied,
            never = stopping => match never {},
        }
    }

    async fn apply_all<'p>(&self, prepared: &'p Prepared<'_>, request: &ApplyRequest<'_>) -> ApplyRun<'p> {
        // One that could not be read was not done either.
        let all_read = prepared.planned().all(|(_, planned)| {
            let report = &planned.target.report;
            report.declared_unreadable() + report.declared_refused() == 0
        });
        let places: Vec<_> = prepared.planned().filter(|(_, planned)| !planned.target.plan.is_empty()).collect();
        // What other parts of a sharded run create comes first too: a part that only removes is run again.
        let others_create =
            prepared.planned().any(|(_, planned)| planned.target.report.counts.missing_in_other_shards > 0);
        let among_others = places.len() > 1;
        // The old secret of a move goes once the new one was read again.
        let moves = places.iter().any(|(_, planned)| planned.target.plan.has_moves());
        let at_once = !among_others && all_read && !others_create && !moves && !is_copying_beside(prepared);
        let policies: Vec<PolicyChecks> = places.iter().map(|_| PolicyChecks::default()).collect();
        let (made, linked_later) = (MadeSecrets::default(), linked_later(&places));
        let stage_of = |plans: Vec<Cow<'p, Plan>>, late: bool| -> Vec<Part<'_>> {
            let of_places = places.iter().zip(&policies).zip(plans);
            let parts = of_places.map(|((&(desired, planned), policies), plan)| Part {
                desired,
                planned,
                policies,
                made: &made,
                undone: BTreeSet::new(),
                counted: BTreeSet::new(),
                linked_later: linked_later.get(&plan.target).filter(|_| late).cloned().unwrap_or_default(),
                among_others,
                plan,
            });
            parts.collect()
        };
        let plans = places.iter().map(|(_, planned)| &planned.target.plan);
        let (staged, removals) = if at_once && linked_later.is_empty() {
            (vec![plans.map(Cow::Borrowed).collect()], Vec::new())
        } else {
            let (others, removals): (Vec<Plan>, Vec<Plan>) = plans.map(Plan::split_removals).unzip();
            let staged = stages(&others).into_iter().map(|plans| plans.into_iter().map(Cow::Owned).collect());
            (staged.collect::<Vec<Vec<_>>>(), removals)
        };
        // Links come last.
        let links = staged.len() - usize::from(!linked_later.is_empty());
        let staged = staged.into_iter().enumerate();
        let mut staged: Vec<Vec<Part<'_>>> = staged.map(|(at, plans)| stage_of(plans, at < links)).collect();
        join_all(staged.iter().flatten().map(|part| request.validate_policies(part))).await;
        let mut targets: Vec<AppliedTarget<'p>> =
            places.iter().map(|(_, planned)| AppliedPart::default().over(&planned.target.plan)).collect();
        for stage in &mut staged {
            targets.iter().zip(&mut *stage).for_each(|(target, part)| part.goes_on_after(&target.report));
            let applied = self.apply_parts(stage, request).await;
            targets.iter_mut().zip(applied).for_each(|(target, part)| target.merge(part));
        }
        let begin = Removals { prepared, targets: &targets, plans: &removals, waited: request.wait_replicas.is_some() };
        let complete = all_read && begin.may_begin();
        let held_back = if removals.is_empty() { BTreeSet::new() } else { begin.held_back() };
        let skip = |plans: Vec<Plan>, reason: fn(&SecretPlan) -> SkipReason| -> Vec<AppliedPart> {
            let parts = stage_of(plans.into_iter().map(Cow::Owned).collect(), false);
            parts.iter().map(|part| request.skip(part, reason)).collect()
        };
        let (kept, removed) = if removals.is_empty() {
            (Vec::new(), Vec::new())
        } else if !complete {
            (Vec::new(), skip(removals, |_| SkipReason::EarlierFailure))
        } else if others_create {
            (Vec::new(), skip(removals, |_| SkipReason::OtherShards))
        } else {
            let (kept, others) = parted(&removals, &held_back);
            let kept = skip(kept, |secret| SkipReason::ReplicasFirst { renamed: secret.moved_to().is_some() });
            (kept, self.apply_parts(&stage_of(others.into_iter().map(Cow::Owned).collect(), false), request).await)
        };
        // None were split off, or each target's were.
        targets.iter_mut().zip(kept).for_each(|(target, part)| target.merge(part));
        targets.iter_mut().zip(removed).for_each(|(target, part)| target.merge(part));
        ApplyRun { targets }
    }

    /// Carries out parts side by side. What came of each is told in their order.
    async fn apply_parts(&self, parts: &[Part<'_>], request: &ApplyRequest<'_>) -> Vec<AppliedPart> {
        // Who asks for one secret at a time gets one at a time.
        let at_once = if request.options.concurrency == 1 { 1 } else { TARGETS_AT_ONCE };
        let turns = Turns::default();
        let turns = &turns;
        stream::iter(parts.iter().enumerate())
            .map(async |(number, part)| {
                let applied = Box::pin(self.apply_part(part, request, turns.wait(number))).await;
                turns.pass(number);
                applied
            })
            .buffered(at_once)
            .collect()
            .await
    }

    /// Carries out one part, and tells what came of it when `turn` has come.
    async fn apply_part(
        &self,
        part: &Part<'_>,
        request: &ApplyRequest<'_>,
        turn: impl Future<Output = ()>,
    ) -> AppliedPart {
        if part.plan.is_empty() {
            turn.await;
            return AppliedPart::default();
        }
        let Planned { connection, target, .. } = part.planned;
        let writer = connection.writer();
        let values = self.values_to_write(&writer);
        let place = Place { writer: &writer, caller: connection.caller.as_deref(), desired: part.desired, target };
        let plan = &*part.plan;
        (request.listener)(Event::Applying {
            target: &plan.target,
            secrets: plan.secrets.len(),
            actions: plan.action_count(),
            quota_seconds: quota_seconds(plan.secrets.iter().flat_map(|secret| &secret.actions).map(Action::operation)),
        });
        let report = Box::pin(request.carry_out(&place, part, &values)).await;
        (request.listener)(Event::Written { target: &plan.target });
        let verified = Box::pin(request.read_back(&place, part, &values, &report)).await;
        turn.await;
        request.tell(&place, part, CarriedOut { report, verified }).await
    }
}

impl ApplyRequest<'_> {
    /// Asks about the policies that are to be put, each distinct document once, before anything is written.
    async fn validate_policies(&self, part: &Part<'_>) {
        let Planned { connection, target, .. } = part.planned;
        let listener = part.listener(self.listener);
        part.policies.ask(connection.reader(), &part.plan, &target.live, &listener).await;
    }

    /// Removals that do not begin yet: each is told with the reason.
    fn skip(&self, part: &Part<'_>, reason: fn(&SecretPlan) -> SkipReason) -> AppliedPart {
        let removed = &*part.plan;
        if removed.is_empty() {
            return AppliedPart::default();
        }
        let (target, actions) = (removed.target.as_str(), removed.action_count());
        (self.listener)(Event::Applying { target, secrets: removed.secrets.len(), actions, quota_seconds: 0.0 });
        let listener = part.listener(self.listener);
        let report = ApplyReport::skipped(removed, reason);
        for secret in &removed.secrets {
            let Some(outcome) = report.outcomes.get(&secret.name) else { continue };
            listener(ApplyEvent::Finished { secret: &secret.name, verb: secret.verb, outcome });
        }
        (self.listener)(Event::Written { target });
        (self.listener)(Event::Carried { plan: removed, report: &report, counted: &part.counted });
        AppliedPart { report, ..AppliedPart::default() }
    }

    async fn carry_out(&self, place: &Place<'_>, part: &Part<'_>, values: &impl Values) -> ApplyReport {
        let Place { writer, caller, desired, target } = *place;
        let entries = Entries {
            journal: self.journal,
            moves: Moves::of(&part.plan),
            caller: Caller {
                arn: caller.map(str::to_owned),
                project: desired.project.clone(),
                target: desired.target.name.clone(),
                account: target.live.account.as_ref().map(ToString::to_string),
                region: desired.target.region.to_string(),
                endpoint: target.plan.endpoint.clone(),
            },
        };
        let plan = &*part.plan;
        let recorder = Recorder::new(writer, &entries);
        let listener = part.listener(self.listener);
        let Part { policies, made, undone, .. } = part;
        let work = Work { plan, live: &target.live, ignored: &desired.ignore_tags, made, undone, policies };
        apply(&recorder, values, work, self.options, self.stop.clone(), &listener).await
    }

    /// Reads again what was done.
    async fn read_back(
        &self,
        place: &Place<'_>,
        part: &Part<'_>,
        values: &impl Values,
        report: &ApplyReport,
    ) -> ReadBack {
        // What failed is known to differ already; verification is about what was reported as done.
        let done =
            |(name, outcome): (&SecretName, &SecretOutcome)| (*outcome == SecretOutcome::Done).then(|| name.clone());
        let done: BTreeSet<SecretName> = report.outcomes.iter().filter_map(done).collect();
        if done.is_empty() {
            return ReadBack::NothingDone;
        }
        let full = match self.verification {
            Verification::None => return ReadBack::NotAsked,
            Verification::Documents => false,
            Verification::Full => true,
        };
        let (desired, before) = (place.desired, &place.target.live);
        let written = WrittenPart {
            plan: &part.plan,
            done: &done,
            linked_later: &part.linked_later,
            counterparts: part.made.counterparts(&before.counterparts),
            earlier: part.earlier(),
            compared: &place.target.facts.compared,
        };
        match verify(place.writer, desired, before, written, full, values).await {
            Ok(verified) => ReadBack::Read(Box::new(verified)),
            Err(error) => ReadBack::Failed(error),
        }
    }

    /// Tells what came of a part, and follows its replicas.
    async fn tell(&self, place: &Place<'_>, part: &Part<'_>, carried: CarriedOut) -> AppliedPart {
        let (plan, later) = (&*part.plan, &part.linked_later);
        let CarriedOut { report, verified } = carried;
        (self.listener)(Event::Carried { plan, report: &report, counted: &part.counted });
        let missing = self.journal.and_then(Journal::failure);
        if let Some(error) = &missing {
            (self.listener)(Event::Failed(error));
        }
        let read_again = self.report_verified(part, &report, verified);
        let failed_after = read_again.failed || missing.is_some();
        let replicas_missing = match self.wait_replicas {
            Some(timeout) => Box::pin(self.follow_replicas(place, &report, later, timeout)).await,
            None => Missing::default(),
        };
        AppliedPart { report, read_again, failed_after, replicas_missing }
    }

    fn report_verified(&self, part: &Part<'_>, report: &ApplyReport, verified: ReadBack) -> ReadAgain {
        let done = report.outcomes.iter().filter(|(_, outcome)| **outcome == SecretOutcome::Done).map(|(name, _)| name);
        match verified {
            ReadBack::NothingDone => ReadAgain::default(),
            ReadBack::NotAsked => {
                (self.listener)(Event::NotVerified { done: part.count(done) });
                ReadAgain::default()
            }
            ReadBack::Read(verified) => {
                let names: BTreeSet<SecretName> =
                    done.filter(|name| !verified.unreadable.contains_key(*name)).cloned().collect();
                let read = part.count(&names);
                let shown = &part.planned.target.report.findings;
                (self.listener)(Event::Verified { verified: &verified, done: read, shown });
                for (name, error) in &verified.unreadable {
                    let error = Error::secret(name, SecretProblem::NotVerified).because(error.clone());
                    (self.listener)(Event::Failed(&error));
                }
                let Verified { remaining, held_back, awaiting: _, unread, uncompared, unreadable, policies } =
                    *verified;
                ReadAgain {
                    matches: Some(remaining.is_empty() && unreadable.is_empty() && uncompared.is_empty()),
                    in_doubt: !unreadable.is_empty() || !uncompared.is_empty(),
                    remaining: remaining.secrets,
                    secrets: read.secrets,
                    unread: unread.len(),
                    policies,
                    names,
                    held_back,
                    failed: !unreadable.is_empty(),
                    unreadable,
                }
            }
            ReadBack::Failed(error) => {
                let error = Error::from(ErrorKind::NotVerified).because(TargetError::Plan(error));
                (self.listener)(Event::Failed(&error));
                ReadAgain { failed: true, ..ReadAgain::default() }
            }
        }
    }
}
