//! One round of `watch`: reads the manifests anew, looks at all targets, and puts right what differs, when that is
//! asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::apply::ApplyRequest;
use super::drift::{Look, Looked};
use super::error::{Error, ErrorKind};
use super::event::Listener;
use super::journal::Journal;
use super::memories::Memories;
use super::outcome::ApplyRun;
use super::prepare::{Prepared, PreparedTarget};
use super::readiness::{Readiness, readiness};
use super::session::{Run, Session, mistakes};
use super::stop::Stop;
use super::values::ValueRules;
use super::who::ask_of_drifts;
use crate::apply::ApplyOptions;
use crate::attribution::Answer;
use crate::aws::Aws;
use crate::collect::{CollectMap as _, CollectSet as _};
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::drift::{Difference, Drift, DriftReport, Found, TargetDrift};
use crate::inventory::{Depth, Inventory, TargetInventory, Versions, settle_billing, take_stock};
use crate::manifest::{LoadOptions, load};
use crate::plan::{Finding as PlanFinding, Refusal, SecretPlan, Selection, Severity};
use crate::reconcile::{TargetError, Verification};
use crate::sort_few::SortFew as _;
use crate::watch::{Backoff, Finding, Findings, Outcome, Pace};

/// What rounds look at, and whether they put it right.
pub struct WatchSettings {
    /// The project's folder.
    pub project: PathBuf,
    /// Names of the targets; empty for all of them.
    pub targets: Vec<String>,
    /// Which secrets.
    pub selection: Selection,
    /// What values may come from.
    pub values: ValueRules,
    /// What is looked at.
    pub look: Look,
    /// Whether drift is put right.
    pub apply: bool,
    /// Whether what is there is told too, for the page.
    pub inventory: bool,
}

/// What goes on from round to round; none of it grows with their number.
pub struct Watch<'a> {
    /// What rounds look at.
    pub settings: WatchSettings,
    /// What targets are reached through.
    pub aws: Arc<Aws>,
    /// Ends it.
    pub stop: Stop,
    /// A line for each writing call of an apply goes here.
    pub journal: Option<Journal>,
    /// Told what a look and an apply tell.
    pub listener: Listener<'a>,
    /// How long targets are left alone that could not be read.
    pub pace: Pace,
    /// Says what differs, in words.
    pub words: &'a dyn Fn(&Difference) -> String,
    /// The project's name; empty until the manifests could be read.
    pub project: String,
    /// What differs.
    pub known: Findings,
    /// Who brought it about, as far as CloudTrail was asked and knew when it was new.
    pub who: BTreeMap<Finding, Answer>,
    /// The last report, for the metrics of a round that made none.
    pub report: Option<DriftReport>,
    /// What was found in each target the last time that it could be read, before that report.
    pub found: BTreeMap<String, Found>,
    /// What keeps each target's plan from being applied, as of then.
    pub standing: BTreeMap<String, Standing>,
    /// Targets that could not be read.
    pub backoff: Backoff,
    /// When the last complete look began.
    pub last_success: Option<Timestamp>,
    /// What is there, when that is told.
    pub inventory: Option<Arc<Inventory>>,
    /// What is remembered between rounds that read everything, and when each target was looked at.
    pub memories: Memories,
}

/// What an apply of a target would leave alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Secrets that are held back.
    pub held_back: usize,
    /// The names of the guards that would refuse.
    pub refusing: BTreeSet<&'static str>,
}

/// Something that a round has to tell.
pub enum WatchEvent<'a> {
    /// Something differs that did not before; why its target could not be looked at, when that is it; and who brought
    /// it about, when that was asked for and is known.
    Appeared(&'a Finding, Option<&'a TargetError>, Option<&'a Answer>),
    /// Something that differs was changed again.
    ChangedAgain(&'a Finding, Option<&'a Answer>),
    /// Something does not differ any more.
    Disappeared(&'a Finding),
    /// Every target was looked at, as far as it could be.
    Looked {
        /// What was found.
        report: &'a DriftReport,
        /// Whether all of it was read, and not what changed.
        full: bool,
        /// Secrets that are held back.
        held_back: usize,
    },
    /// The round could not do what it is for.
    Failed(&'a Error),
    /// Drift was put right, or that was tried.
    Applied {
        /// What came of it.
        run: &'a ApplyRun<'a>,
        /// Secrets that are held back after it.
        held_back: usize,
    },
    /// What kept drift from being put right; empty when nothing did.
    NotApplied(&'a [Obstacle<'a>]),
}

/// What keeps a target's plan from being applied.
pub enum Obstacle<'a> {
    /// The target could not be planned.
    Target(&'a str, &'a TargetError),
    /// A finding of its plan is an error.
    Finding(&'a str, &'a PlanFinding),
    /// A guard refuses.
    Refusal(&'a str, &'a Refusal),
    /// Values could not be made.
    Values(&'a Error),
    /// Secrets of the target would be removed, and of other targets nobody knows now what moved there.
    RemovalsWait(&'a str, &'a [String]),
}

/// How a round ended.
pub struct Round {
    /// Whether every target was read.
    pub outcome: Outcome,
    /// Why it could not do what it is for.
    pub failure: Option<Error>,
}

/// What a look led to.
enum Step {
    Ended,
    /// Something was written: what came of it is to be seen.
    Wrote,
}

impl Watch<'_> {
    /// Runs one round. What fails is told and is in what comes back; an interruption is an error.
    pub async fn round(&mut self, listener: &dyn Fn(&str, WatchEvent<'_>)) -> Result<Round, Error> {
        let mut step = Box::pin(self.look(self.settings.apply, listener)).await;
        if matches!(step, Ok(Step::Wrote)) {
            // The second look of a round writes nothing.
            step = Box::pin(self.look(false, listener)).await;
        }
        match step {
            Ok(_) => {
                let complete = self.report.as_ref().is_some_and(DriftReport::is_complete);
                Ok(Round { outcome: if complete { Outcome::Complete } else { Outcome::Incomplete }, failure: None })
            }
            Err(error) if matches!(error.kind, ErrorKind::Interrupted { .. }) => Err(error),
            Err(error) => {
                listener(&self.project, WatchEvent::Failed(&error));
                Ok(Round { outcome: Outcome::Failed, failure: Some(error) })
            }
        }
    }

    /// Reads the manifests and looks at every target once; with `apply`, puts right what differs.
    async fn look(&mut self, apply: bool, listener: &dyn Fn(&str, WatchEvent<'_>)) -> Result<Step, Error> {
        let options = LoadOptions { targets: self.settings.targets.clone(), ..LoadOptions::default() };
        let loaded = load(&self.settings.project, &options);
        if let Some(project) = &loaded.project {
            self.project.clone_from(project);
        }
        if loaded.diagnostics.has_errors() {
            return Err(mistakes(loaded));
        }
        self.memories.only_of(&loaded.desired);
        let extent = Extent::of(&self.settings, &loaded.desired);
        let names: Vec<String> = loaded.desired.iter().map(|desired| desired.target.name.clone()).collect();
        let now = Instant::now();
        let mut loaded = loaded;
        loaded.desired.retain(|desired| self.backoff.is_due(&desired.target.name, now));
        let session = Session::through(Arc::clone(&self.aws), loaded, &self.settings.values);
        let run = session.run();
        // Of what differs already nobody is asked again in each round.
        let mut look = Look { who: None, ..self.settings.look.clone() };
        if self.settings.apply {
            // What was read before is good enough to look, and not to write.
            look.cache = None;
        }
        let selection = &self.settings.selection;
        let memories = Some(&self.memories);
        let mut looked = run.look(&look, selection, memories, &self.stop, self.listener).await?;
        if apply && !self.memories.looked_in_full() && has_something_to_apply(&looked.prepared) {
            // What is written rests on what is read now, and on all of it.
            self.memories.forget();
            looked = run.look(&look, selection, memories, &self.stop, self.listener).await?;
        }
        let Looked { mut prepared, report } = looked;
        self.note(&prepared, &names);
        let mut report = self.with_those_left_alone(report, &names);
        if let Some(budget) = self.settings.look.who {
            self.ask_who(&prepared, &mut report, &extent, budget).await?;
        }
        if self.settings.inventory {
            let inventory = self.take_inventory(&prepared, &report, &names);
            self.inventory = Some(Arc::new(inventory));
        }
        self.observe(report, &extent, listener);
        if !apply || !self.may_apply(&run, &mut prepared, listener).await {
            return Ok(Step::Ended);
        }
        let request = ApplyRequest {
            options: ApplyOptions::default(),
            verification: Verification::default(),
            wait_replicas: None,
            journal: self.journal.as_ref(),
            stop: &self.stop,
            listener: self.listener,
        };
        let applied = Box::pin(run.apply(&prepared, &request)).await;
        self.memories.forget();
        let held_back = applied.held_back(&prepared);
        listener(&self.project, WatchEvent::Applied { run: &applied, held_back });
        if *self.stop.borrow() { Err(ErrorKind::Interrupted { what: None }.into()) } else { Ok(Step::Wrote) }
    }

    /// Notes how the look at each target ended, and what keeps its plan from being applied.
    fn note(&mut self, prepared: &Prepared<'_>, names: &[String]) {
        let now = Instant::now();
        for target in &prepared.targets {
            let name = &target.desired.target.name;
            self.backoff.looked(name, target.planned.is_ok(), self.pace, now, rand::random());
            if let Ok(planned) = &target.planned {
                let refusing = planned.refusals.iter().map(|refusal| refusal.guard.name).collect();
                let held_back = planned.target.report.counts.held_back;
                self.standing.insert(name.clone(), Standing { held_back, refusing });
            }
        }
        self.standing.retain(|name, _| names.contains(name));
        self.found.retain(|name, _| names.contains(name));
    }

    /// What is there, by this look; of targets that were left alone, what the last one said.
    fn take_inventory(&self, prepared: &Prepared<'_>, report: &DriftReport, names: &[String]) -> Inventory {
        let looked = prepared.targets.iter().filter_map(|target| {
            let drift = report.targets.iter().find(|drift| drift.name == target.desired.target.name)?;
            Some(self.stock_of(target, drift))
        });
        let mut targets: Vec<TargetInventory> = looked.collect();
        let before = self.inventory.iter().flat_map(|inventory| &inventory.targets);
        let left_alone: Vec<TargetInventory> = before
            .filter(|target| names.contains(&target.name) && targets.iter().all(|other| other.name != target.name))
            .cloned()
            .collect();
        targets.extend(left_alone);
        targets.sort_few_by_key(|target| names.iter().position(|name| *name == target.name));
        settle_billing(&mut targets);
        Inventory {
            project: report.project.clone(),
            started: report.started,
            seconds: report.seconds,
            calls: report.calls.clone(),
            depth: Depth { whole_account: false, audited: self.settings.look.audit },
            group_by: Vec::new(),
            rules: prepared.targets.first().map(|target| target.desired.audit.clone()).unwrap_or_default(),
            targets,
        }
    }

    /// What is there in one target, with what of it differs from git, and who brought that about.
    fn stock_of(&self, target: &PreparedTarget<'_>, drift: &TargetDrift) -> TargetInventory {
        let desired = target.desired;
        let outcome = match &target.planned {
            Err(error) => Err(Arc::clone(error)),
            Ok(planned) => {
                let mut live = planned.target.live.clone();
                let selection = self.settings.selection.of_target(desired);
                live.secrets.retain(|name, _| selection.contains(name));
                let depth = Depth { whole_account: false, audited: live.audited };
                let mut stock =
                    take_stock(desired, live, Versions::new(), depth, &|_, _| false, planned.connection.now());
                // What waits for a value from people differs from nothing.
                let drifts = drift.outcome.iter().flat_map(|found| &found.drifts);
                let drifts = drifts.filter(|found| found.class.is_difference());
                stock.note_drifts(drifts.map(|found| {
                    let known = || self.who.get(&Finding::of(&drift.name, found, self.words)).cloned();
                    Drift { who: found.who.clone().or_else(known), ..found.clone() }
                }));
                Ok(stock)
            }
        };
        let TargetDrift { name, account, region, endpoint, outcome: _ } = drift.clone();
        TargetInventory { name, account, region, endpoint, outcome }
    }

    /// Asks CloudTrail who brought about what is new.
    async fn ask_who(
        &mut self,
        prepared: &Prepared<'_>,
        report: &mut DriftReport,
        extent: &Extent,
        budget: u32,
    ) -> Result<(), Error> {
        let change = self.known_after(report, extent).since(&self.known);
        let new: BTreeSet<Finding> = change.appeared.into_iter().chain(change.again).collect_set();
        let finding = |target: &str, drift: &Drift| Finding::of(target, drift, self.words);
        let is_new = |target: &str, drift: &Drift| new.contains(&finding(target, drift));
        ask_of_drifts(prepared, report, budget, &is_new, &self.stop, self.listener).await?;
        for (target, drift) in report.drifts() {
            if let Some(answer) = &drift.who {
                self.who.insert(Finding::of(&target.name, drift, self.words), answer.clone());
            }
        }
        Ok(())
    }

    /// The report with what the last one said of the targets that were left alone this time: that they could not be
    /// read.
    fn with_those_left_alone(&self, mut report: DriftReport, names: &[String]) -> DriftReport {
        let before = self.report.iter().flat_map(|report| &report.targets);
        let looked: BTreeSet<String> = report.targets.iter().map(|target| target.name.clone()).collect();
        let left_alone = before.filter(|target| names.contains(&target.name) && !looked.contains(&target.name));
        report.targets.extend(left_alone.cloned());
        report.targets.sort_few_by_key(|target| names.iter().position(|name| *name == target.name));
        report
    }

    /// Whether there is something to apply and nothing in its way; what is in its way is told. Of `prepared` only what
    /// may be applied is left: a target that could not be read stops the others only from removing anything, since
    /// nobody knows what moved there.
    async fn may_apply(
        &self,
        run: &Run<'_>,
        prepared: &mut Prepared<'_>,
        listener: &dyn Fn(&str, WatchEvent<'_>),
    ) -> bool {
        let (read, unread): (Vec<_>, Vec<_>) =
            std::mem::take(&mut prepared.targets).into_iter().partition(|target| target.planned.is_ok());
        let unread_names: Vec<String> = self
            .report
            .iter()
            .flat_map(|report| &report.targets)
            .filter(|target| target.outcome.is_err())
            .map(|target| target.name.clone())
            .collect();
        let (waiting, free): (Vec<_>, Vec<_>) =
            read.into_iter().partition(|target| !unread_names.is_empty() && removes(target));
        prepared.targets = free;
        let readiness = readiness(prepared);
        let wrong =
            if readiness == Readiness::Ready { run.validate_values(prepared, &|_| {}).await } else { Vec::new() };
        let own: Vec<Obstacle<'_>> = match readiness {
            Readiness::Ready => wrong.iter().map(Obstacle::Values).collect(),
            Readiness::NothingToDo => Vec::new(),
            Readiness::Errors | Readiness::Guard => prepared.targets.iter().flat_map(obstacles).collect(),
        };
        let may = readiness == Readiness::Ready && own.is_empty();
        let of_unread = unread.iter().flat_map(obstacles);
        let of_waiting = waiting.iter().map(|target| Obstacle::RemovalsWait(name_of(target), &unread_names));
        let all: Vec<Obstacle<'_>> = own.into_iter().chain(of_unread).chain(of_waiting).collect();
        listener(&self.project, WatchEvent::NotApplied(&all));
        may
    }

    /// What is known to differ after a look.
    fn known_after(&self, report: &DriftReport, extent: &Extent) -> Findings {
        self.known.after(report, self.words, &|finding| extent.leaves_out(finding))
    }

    /// Tells what came and went.
    fn observe(&mut self, report: DriftReport, extent: &Extent, listener: &dyn Fn(&str, WatchEvent<'_>)) {
        let known = self.known_after(&report, extent);
        let change = known.since(&self.known);
        change.disappeared.iter().for_each(|finding| listener(&self.project, WatchEvent::Disappeared(finding)));
        self.who.retain(|finding, _| known.contains(finding));
        for finding in &change.again {
            listener(&self.project, WatchEvent::ChangedAgain(finding, self.who.get(finding)));
        }
        for finding in &change.appeared {
            let target = report.targets.iter().find(|target| target.name == finding.target);
            let reason = target.and_then(|target| target.outcome.as_ref().err().map(AsRef::as_ref));
            listener(&self.project, WatchEvent::Appeared(finding, reason, self.who.get(finding)));
        }
        let held_back = self.standing.values().map(|standing| standing.held_back).sum();
        let full = self.memories.looked_in_full();
        listener(&self.project, WatchEvent::Looked { report: &report, full, held_back });
        if report.is_complete() {
            self.last_success = Some(report.started);
        }
        self.known = known;
        for TargetDrift { name, outcome, .. } in
            self.report.replace(report).into_iter().flat_map(|before| before.targets)
        {
            if let Ok(found) = outcome {
                self.found.insert(name, found);
            }
        }
    }
}

/// What of a project a look is at.
struct Extent {
    /// All targets of the project.
    targets: BTreeSet<String>,
    /// Those that are looked at, and which of their secrets.
    chosen: BTreeMap<String, Selection>,
    /// Whether what no manifest declares is looked at too.
    audit: bool,
}

impl Extent {
    fn of(settings: &WatchSettings, desired: &[Desired]) -> Self {
        let chosen = |desired: &Desired| (desired.target.name.clone(), settings.selection.of_target(desired));
        Self {
            targets: desired.iter().flat_map(|desired| desired.targets.keys()).cloned().collect(),
            chosen: desired.iter().map(chosen).collect_map(),
            audit: settings.look.audit,
        }
    }

    /// Whether what a watch before this one may have known is not looked at: that it is not seen says nothing. What
    /// the project does not have any more is gone.
    fn leaves_out(&self, finding: &Finding) -> bool {
        match self.chosen.get(&finding.target) {
            None => self.targets.contains(&finding.target),
            Some(_) if finding.secret.is_empty() => false,
            Some(selection) => {
                (finding.class.is_of_audit() && !self.audit) || !selection.contains(&SecretName::new(&finding.secret))
            }
        }
    }
}

fn name_of<'p>(target: &'p PreparedTarget<'_>) -> &'p str {
    &target.desired.target.name
}

/// Whether a target's plan removes secrets.
fn removes(target: &PreparedTarget<'_>) -> bool {
    target.planned.as_ref().is_ok_and(|planned| planned.target.plan.secrets.iter().any(SecretPlan::is_destructive))
}

/// Whether a plan of the targets that could be read would be applied as far as the plans tell.
fn has_something_to_apply(prepared: &Prepared<'_>) -> bool {
    prepared.has_changes() && !prepared.has_blockers() && !prepared.is_refused()
}

/// Everything that keeps a target's plan from being applied.
fn obstacles<'p>(target: &'p PreparedTarget<'_>) -> Vec<Obstacle<'p>> {
    let name = name_of(target);
    match &target.planned {
        Err(error) => vec![Obstacle::Target(name, error)],
        Ok(planned) => {
            let findings = planned.target.report.findings.iter();
            let errors = findings.filter(|finding| finding.severity() == Severity::Error);
            let errors = errors.map(|finding| Obstacle::Finding(name, finding));
            errors.chain(planned.refusals.iter().map(|refusal| Obstacle::Refusal(name, refusal))).collect()
        }
    }
}
