//! Plans of all targets, read and made side by side, with what the guards say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use jiff::SignedDuration;
use petgraph::unionfind::UnionFind;

use super::beside::Beside;
use super::counterparts::Answers;
use super::error::{Error, ErrorKind, Hint};
use super::event::{Event, Listener};
use super::history;
use super::memories::{Memories, Remembered};
use super::session::Run;
use super::stop::{Stop, unless_stopped};
use super::values::{NoPasswords, RunValues};
use crate::attribution::Answer;
use crate::aws::Connection;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::live::{Live, Memory, ReadProgress, ReadSecrets, Remembering};
use crate::manifest::nearest;
use crate::plan::{
    Finding, GuardOverrides, GuardedTarget, OtherArn, Plan, Refusal, Rules, RunGuards, SecretPlan, Selection,
    removals_that_wait, replica_places_taken,
};
use crate::reconcile::{PlanError, Planning, Reading, TargetError, TargetPlan, Undeclared, plan_target};
use crate::rehearse::{Rehearsal, Rehearsed, rehearse};
use crate::sort_few::SortFew as _;

/// Targets that are read, or written, at once. Quotas are kept for each account and region, so they do not wait for
/// each other; this bounds connections and memory.
pub(super) const TARGETS_AT_ONCE: usize = 16;

/// How a run plans.
#[derive(Clone, Copy)]
pub struct PlanRequest<'a> {
    /// Which secrets.
    pub selection: &'a Selection,
    /// Guards that are overridden.
    pub overrides: &'a GuardOverrides,
    /// What is read beyond what the manifests need.
    pub reading: Reading<'a>,
    /// What is remembered from before, where only what changed is to be read; never for an apply.
    pub memories: Option<&'a Memories>,
    /// Ends the reading, which writes nothing.
    pub stop: &'a Stop,
    /// Told while it reads.
    pub listener: Listener<'a>,
}

/// A project with its targets planned.
pub struct Prepared<'s> {
    /// The project's name.
    pub project: &'s str,
    /// Its chosen targets, in the order of the project file.
    pub targets: Vec<PreparedTarget<'s>>,
}

impl<'s> Prepared<'s> {
    /// The targets that could be planned.
    pub fn planned(&self) -> impl Iterator<Item = (&'s Desired, &Planned)> {
        self.targets.iter().filter_map(|target| Some((target.desired, target.planned.as_ref().ok()?)))
    }

    /// The names that manifests and live secrets in scope have, over all targets; none where a target could not be
    /// read.
    pub(super) fn known_names(&self) -> Option<BTreeSet<&SecretName>> {
        if self.planned().count() < self.targets.len() {
            return None;
        }
        let declared = self.targets.iter().flat_map(|target| target.desired.secrets.keys());
        let live = self.planned().flat_map(|(_, planned)| planned.target.live.secrets.keys());
        Some(declared.chain(live).collect())
    }

    /// A name that is selected, or that a pattern fits and nothing else, and that a manifest takes away: the selection
    /// leaves out what is planned of it.
    fn selects_old_name(&self, selection: &Selection) -> Option<Error> {
        let named: BTreeSet<SecretName> = selection.named().into_iter().collect();
        let renames = || self.targets.iter().flat_map(|target| target.desired.renames());
        let old_names: BTreeSet<&SecretName> = renames().map(|(old, _)| old).collect();
        let known = self.known_names().unwrap_or_default();
        // Of a pattern that fits something else too there is more to be told.
        let only_old = selection.unmatched(known.iter().copied().filter(|name| !old_names.contains(name)));
        let only_old = Selection::matching(&only_old).ok().filter(|only_old| !only_old.is_all());
        let fits = |old: &SecretName| named.contains(old) || only_old.as_ref().is_some_and(|only| only.contains(old));
        let mut left_out = renames().filter(|(old, new)| fits(old) && !selection.contains(&new.name));
        let (old, new) = left_out.next()?;
        let hint = Hint::SelectInstead { name: new.name.clone() };
        Some(Error::from(ErrorKind::SelectsOldName { old: old.clone(), new: new.name.clone() }).hint(hint))
    }

    /// Names and patterns that were selected and stand for nothing, in git or live: probably a slip.
    fn selects_nothing(&self, selection: &Selection) -> Option<Error> {
        if let Some(error) = self.selects_old_name(selection) {
            return Some(error);
        }
        let known = self.known_names()?;
        let patterns = selection.unmatched(known.iter().copied());
        let near = nearest(patterns.first()?, known.iter().map(|known| known.as_str()));
        Some(Error::from(ErrorKind::NotSelected { patterns, in_inventory: false }).did_you_mean(near))
    }

    /// Whether something is not, or may not be, as declared, and is left alone for now.
    pub fn holds_back(&self) -> bool {
        self.planned().any(|(_, planned)| planned.target.report.counts.held_back > 0)
    }

    /// Whether a secret waits for a value from people, or will when it is made.
    pub fn awaits_values(&self) -> bool {
        self.planned().any(|(_, planned)| !planned.target.report.awaiting.is_empty())
    }

    /// Whether a guard would refuse an apply.
    pub fn is_refused(&self) -> bool {
        self.planned().any(|(_, planned)| !planned.refusals.is_empty())
    }

    /// Whether something is to be done anywhere.
    pub fn has_changes(&self) -> bool {
        self.planned().any(|(_, planned)| !planned.target.plan.is_empty())
    }
}

/// One target, planned or not.
pub struct PreparedTarget<'s> {
    /// Its desired state.
    pub desired: &'s Desired,
    /// Where it would be reached by what is configured, when that is not AWS itself. What was reached is in the plan.
    configured_endpoint: Option<String>,
    /// Its plan, or why there is none.
    pub planned: Result<Planned, Arc<TargetError>>,
}

impl PreparedTarget<'_> {
    /// Where it is reached when that is not AWS itself: an endpoint, or `sandbox`.
    pub fn endpoint(&self) -> Option<&str> {
        match &self.planned {
            Ok(planned) => planned.target.plan.endpoint.as_deref(),
            Err(_) => self.configured_endpoint.as_deref(),
        }
    }
}

/// A target that was reached and planned.
pub struct Planned {
    /// How it is reached.
    pub connection: Connection,
    /// The plan, and what it was made from.
    pub target: TargetPlan,
    /// What the guards refuse.
    pub refusals: Vec<Refusal>,
    /// What became of the plan on a copy of what is live, when that was asked for.
    pub rehearsed: Option<Rehearsed>,
    /// Who made what would be changed, by secret, as far as that was asked for (`--who`) and CloudTrail knows.
    pub who: BTreeMap<SecretName, Answer>,
}

impl<'s> Run<'s> {
    /// Reads and plans every target. One that fails does not keep the others from being planned.
    pub async fn plan(&self, request: &PlanRequest<'_>) -> Result<Prepared<'s>, Error> {
        let rules = Rules { selection: request.selection.clone(), as_of: Some(self.session.aws.now()) };
        let listener = |step: ReadProgress| (request.listener)(Event::Reading(step));
        let values = self.values();
        let Answers { counterparts, connections } =
            unless_stopped(request.stop, self.counterparts(request.selection)).await?;
        let (reading, counterparts, connections) = (request.reading, &counterparts, &connections);
        let planning = Planning { rules: &rules, values: &values, reading, counterparts, progress: &listener };
        let planning = &planning;
        let session = self.session;
        let reading = stream::iter(&session.desired)
            .map(async |desired| {
                let planned = self.plan_one(desired, planning, (request.memories, connections)).await.map_err(Arc::new);
                let configured_endpoint = session.aws.endpoint(&desired.target);
                PreparedTarget { desired, configured_endpoint, planned }
            })
            .buffered(TARGETS_AT_ONCE)
            .collect();
        let mut targets: Vec<_> = unless_stopped(request.stop, reading).await?;
        find_taken_places(&mut targets);
        let beside = Beside::of(&session.root, &targets);
        check_guards(&mut targets, &beside, request.overrides);
        if request.reading.undeclared == Undeclared::PoliciesOfLeaving {
            history::find_commits(&session.root, &mut targets).await;
        }
        let prepared = Prepared { project: &session.project, targets };
        match prepared.selects_nothing(request.selection) {
            // What is selected may come to be: a watch waits for it.
            Some(warning) if request.memories.is_some() => (request.listener)(Event::Warning(&warning)),
            Some(error) => return Err(error),
            None => {}
        }
        Ok(prepared)
    }

    async fn plan_one(
        &self,
        desired: &Desired,
        planning: &Planning<'_, RunValues<'_, NoPasswords>>,
        (memories, connections): (Option<&Memories>, &BTreeMap<String, Connection>),
    ) -> Result<Planned, TargetError> {
        let Some(memories) = memories else {
            return Box::pin(self.plan_in_full(desired, planning, connections)).await;
        };
        let (now, begun) = (self.session.aws.now(), Instant::now());
        if let Some(Remembered { memory, connection, .. }) = memories.take(desired, now) {
            let refreshed = memory.refreshed(connection.reader(), &desired.scope).await.map_err(PlanError::from)?;
            if let Some(memory) = refreshed {
                let reader = Remembering::new(connection.reader(), &memory);
                let planned = Box::pin(plan_through(&reader, &connection, desired, planning)).await?;
                memories.keep(desired, &connection, found(desired, &planned, &connection, begun), now, false);
                return Ok(Planned {
                    connection,
                    target: planned,
                    refusals: Vec::new(),
                    rehearsed: None,
                    who: BTreeMap::new(),
                });
            }
        }
        let begun = Instant::now();
        let planned = Box::pin(self.plan_in_full(desired, planning, connections)).await?;
        let memory = found(desired, &planned.target, &planned.connection, begun);
        memories.keep(desired, &planned.connection, memory, now, true);
        Ok(planned)
    }

    async fn plan_in_full(
        &self,
        desired: &Desired,
        planning: &Planning<'_, RunValues<'_, NoPasswords>>,
        connections: &BTreeMap<String, Connection>,
    ) -> Result<Planned, TargetError> {
        // One that was asked for another target's sake is connected already.
        let connection = match connections.get(&desired.target.name) {
            Some(connection) => connection.clone(),
            None => self.session.aws.connect(&desired.target).await?,
        };
        let target = Box::pin(plan_through(connection.reader(), &connection, desired, planning)).await?;
        Ok(Planned { connection, target, refusals: Vec::new(), rehearsed: None, who: BTreeMap::new() })
    }

    /// Carries every target's plan out on a copy of what is live.
    pub async fn rehearse(&self, prepared: &mut Prepared<'_>, request: &PlanRequest<'_>) -> Result<(), Error> {
        let rehearsed = unless_stopped(request.stop, self.rehearse_all(prepared, request)).await?;
        for (target, rehearsed) in prepared.targets.iter_mut().zip(rehearsed) {
            if let Ok(planned) = &mut target.planned {
                planned.rehearsed = rehearsed;
            }
        }
        Ok(())
    }

    async fn rehearse_all(&self, prepared: &Prepared<'_>, request: &PlanRequest<'_>) -> Vec<Option<Rehearsed>> {
        let values = self.values();
        let planned: Vec<(&Desired, Option<&Planned>)> =
            prepared.targets.iter().map(|target| (target.desired, target.planned.as_ref().ok())).collect();
        let rules =
            planned.iter().map(|(desired, _)| Rules { selection: request.selection.of_target(desired), as_of: None });
        let rules: Vec<Rules> = rules.collect();
        let beside = |at: usize| {
            let others = planned.iter().enumerate().filter(move |(other, _)| *other != at);
            others.filter_map(|(_, (_, planned))| Some(&planned.as_ref()?.target.live)).collect::<Vec<_>>()
        };
        let beside: Vec<Vec<&Live>> = (0..planned.len()).map(beside).collect();
        let mut rehearsed: Vec<Option<Rehearsed>> = planned.iter().map(|_| None).collect();
        for group in waiting_together(prepared) {
            let of_group = group.iter().filter_map(|at| {
                let (desired, planned) = planned.get(*at)?;
                let planned = (*planned)?;
                Some(Rehearsal {
                    desired,
                    planned: &planned.target,
                    beside: beside.get(*at)?,
                    rules: rules.get(*at)?,
                    read_values: request.reading.read_values,
                    values: &values,
                    now: planned.connection.now(),
                })
            });
            let of_group: Vec<_> = of_group.collect();
            let reports: Vec<Rehearsed> = match Box::pin(rehearse(&of_group)).await {
                Ok(reports) => reports.into_iter().map(Ok).collect(),
                Err(error) => {
                    let error = Arc::new(error);
                    of_group.iter().map(|_| Err(Arc::clone(&error))).collect()
                }
            };
            for (at, report) in group.into_iter().zip(reports) {
                if let Some(place) = rehearsed.get_mut(at) {
                    *place = Some(report);
                }
            }
        }
        rehearsed
    }
}

/// The planned targets by their places, those together that wait for secrets of one another. A rehearsal of each on a
/// copy of its own tells nothing of the others' failures.
fn waiting_together(prepared: &Prepared<'_>) -> Vec<Vec<usize>> {
    let places = || prepared.targets.iter().enumerate();
    let mut sets = UnionFind::<usize>::new(prepared.targets.len());
    for (at, target) in places() {
        let Ok(planned) = &target.planned else { continue };
        let secrets = planned.target.plan.secrets.iter();
        for (other, _) in secrets.flat_map(SecretPlan::waits_for).filter_map(OtherArn::named) {
            let there = places().find(|(_, target)| target.planned.is_ok() && target.desired.target.name == other);
            if let Some((there, _)) = there {
                sets.union(at, there);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, _) in places().filter(|(_, target)| target.planned.is_ok()) {
        groups.entry(sets.find(at)).or_default().push(at);
    }
    groups.into_values().collect()
}

/// Plans a target by what `reader` shows of it.
async fn plan_through<R: ReadSecrets>(
    reader: &R,
    connection: &Connection,
    desired: &Desired,
    planning: &Planning<'_, RunValues<'_, NoPasswords>>,
) -> Result<TargetPlan, TargetError> {
    let account = connection.account.as_ref();
    // A shard keeps secrets together that depend on each other, which differs from target to target.
    let rules = Rules { selection: planning.rules.selection.of_target(desired), ..*planning.rules };
    let planning = Planning { rules: &rules, ..*planning };
    let mut target = Box::pin(plan_target(reader, desired, account, &planning)).await?;
    target.live.caller.clone_from(&connection.caller);
    target.plan.endpoint = connection.endpoint();
    Ok(target)
}

/// What a look found that began then, for the next one; nothing where the service does not tell its time.
fn found(desired: &Desired, planned: &TargetPlan, connection: &Connection, begun: Instant) -> Option<Memory> {
    let elapsed = SignedDuration::try_from(begun.elapsed()).ok()?;
    let looked = connection.reader().service_time()?.checked_sub(elapsed).ok()?;
    Some(Memory::of(&planned.live, desired.secrets.keys(), looked))
}

/// Finds replicas whose place another target has, and removals that wait for those of another one, once every target is
/// planned.
fn find_taken_places(targets: &mut [PreparedTarget<'_>]) {
    let planned: Vec<(&Live, &Plan)> = targets
        .iter()
        .filter_map(|target| target.planned.as_ref().ok())
        .map(|planned| (&planned.target.live, &planned.target.plan))
        .collect();
    let found: Vec<Vec<Finding>> = planned.iter().map(|(_, plan)| replica_places_taken(plan, &planned)).collect();
    let waits: Vec<_> = planned.iter().map(|(_, plan)| removals_that_wait(plan, &planned)).collect();
    let planned = targets.iter_mut().filter_map(|target| target.planned.as_mut().ok());
    for ((planned, found), waits) in planned.zip(found).zip(waits) {
        for secret in planned.target.plan.secrets.iter_mut().filter(|secret| waits.contains(&secret.name)) {
            secret.leaving.replicas_wait = true;
        }
        if found.is_empty() {
            continue;
        }
        let findings = &mut planned.target.report.findings;
        findings.extend(found);
        findings.sort_few_by(|a, b| a.secret.cmp(&b.secret));
    }
}

/// Asks the guards once every target is planned: some look at all of them together.
fn check_guards(targets: &mut [PreparedTarget<'_>], beside: &Beside, overrides: &GuardOverrides) {
    let unplanned = targets.iter().filter(|target| target.planned.is_err()).map(|target| target.desired);
    let (unread, beside) = (beside.unread.as_slice(), unplanned.chain(&beside.desired).collect());
    let planned = targets.iter().filter_map(|PreparedTarget { desired, configured_endpoint: _, planned }| {
        let TargetPlan { plan, report, live, facts: _ } = &planned.as_ref().ok()?.target;
        Some(GuardedTarget { desired, live, plan, report })
    });
    let refusals = RunGuards { targets: planned.collect(), beside, unread, overrides }.refusals();
    let planned = targets.iter_mut().filter_map(|target| target.planned.as_mut().ok());
    for (planned, refusals) in planned.zip(refusals) {
        planned.refusals = refusals;
    }
}
