//! One round of `watch`: reads the manifests anew, looks at all targets, and puts right what differs, when that is
//! asked for.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::apply::ApplyRequest;
use super::drift::{Look, Looked};
use super::error::{Error, ErrorKind};
use super::event::Listener;
use super::journal::Journal;
use super::memories::Memories;
use super::outcome::ApplyRun;
use super::prepare::Prepared;
use super::readiness::{Readiness, readiness};
use super::session::{Run, Session};
use super::stop::Stop;
use super::values::ValueRules;
use crate::apply::ApplyOptions;
use crate::aws::Aws;
use crate::drift::DriftReport;
use crate::manifest::{LoadOptions, load};
use crate::plan::{Finding as PlanFinding, Refusal, Selection, Severity};
use crate::reconcile::{TargetError, Verification};
use crate::watch::{Finding, Findings, Outcome};

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
    /// The project's name; empty until the manifests could be read.
    pub project: String,
    /// What differs.
    pub known: Findings,
    /// The last report, for the metrics of a round that made none.
    pub report: Option<DriftReport>,
    /// When the last complete look began.
    pub last_success: Option<Timestamp>,
    /// What is remembered between rounds that read everything, and when each target was looked at.
    pub memories: Memories,
}

/// Something that a round has to tell.
pub enum WatchEvent<'a> {
    /// Something differs that did not before; and why its target could not be looked at, when that is it.
    Appeared(&'a Finding, Option<&'a TargetError>),
    /// Something does not differ any more.
    Disappeared(&'a Finding),
    /// Every target was looked at, as far as it could be; and whether all of it was read, and not what changed.
    Looked(&'a DriftReport, bool),
    /// The round could not do what it is for.
    Failed(&'a Error),
    /// Drift was put right, or that was tried.
    Applied(&'a ApplyRun<'a>),
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
            return Err(ErrorKind::Manifests(Box::new(loaded.diagnostics)).into());
        }
        let session = Session::through(Arc::clone(&self.aws), loaded, &self.settings.values);
        let run = session.run();
        let mut look = self.settings.look.clone();
        if self.settings.apply {
            // What was read before is good enough to look, and not to write.
            look.cache = None;
        }
        let selection = &self.settings.selection;
        let memories = Some(&self.memories);
        self.memories.only_of(&session.desired);
        let mut looked = run.look(&look, selection, memories, &self.stop, self.listener).await?;
        if apply && !self.memories.looked_in_full() && readiness(&looked.prepared) == Readiness::Ready {
            // What is written rests on what is read now, and on all of it.
            self.memories.forget();
            looked = run.look(&look, selection, memories, &self.stop, self.listener).await?;
        }
        let Looked { prepared, report } = looked;
        self.observe(report, listener);
        if !apply || !self.may_apply(&run, &prepared, listener).await {
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
        listener(&self.project, WatchEvent::Applied(&applied));
        if *self.stop.borrow() { Err(ErrorKind::Interrupted { what: None }.into()) } else { Ok(Step::Wrote) }
    }

    /// Whether there is something to apply and nothing in its way; what is in its way is told.
    async fn may_apply(&self, run: &Run<'_>, prepared: &Prepared<'_>, listener: &dyn Fn(&str, WatchEvent<'_>)) -> bool {
        let readiness = readiness(prepared);
        let wrong =
            if readiness == Readiness::Ready { run.validate_values(prepared, &|_| {}).await } else { Vec::new() };
        let obstacles = match readiness {
            Readiness::Ready => wrong.iter().map(Obstacle::Values).collect(),
            Readiness::NothingToDo => Vec::new(),
            Readiness::Errors | Readiness::Guard => obstacles(prepared),
        };
        listener(&self.project, WatchEvent::NotApplied(&obstacles));
        readiness == Readiness::Ready && obstacles.is_empty()
    }

    /// Tells what came and went.
    fn observe(&mut self, report: DriftReport, listener: &dyn Fn(&str, WatchEvent<'_>)) {
        let known = self.known.after(&report);
        let change = known.since(&self.known);
        change.disappeared.iter().for_each(|finding| listener(&self.project, WatchEvent::Disappeared(finding)));
        for finding in &change.appeared {
            let target = report.targets.iter().find(|target| target.name == finding.target);
            let reason = target.and_then(|target| target.outcome.as_ref().err().map(AsRef::as_ref));
            listener(&self.project, WatchEvent::Appeared(finding, reason));
        }
        listener(&self.project, WatchEvent::Looked(&report, self.memories.looked_in_full()));
        if report.is_complete() {
            self.last_success = Some(report.started);
        }
        self.known = known;
        self.report = Some(report);
    }
}

/// Everything that keeps plans from being applied.
fn obstacles<'p>(prepared: &'p Prepared<'_>) -> Vec<Obstacle<'p>> {
    let of = |target: &'p super::prepare::PreparedTarget<'_>| {
        let name = target.desired.target.name.as_str();
        match &target.planned {
            Err(error) => vec![Obstacle::Target(name, error)],
            Ok(planned) => {
                let findings = planned.target.report.findings.iter();
                let errors = findings.filter(|finding| finding.severity() == Severity::Error);
                let errors = errors.map(|finding| Obstacle::Finding(name, finding));
                errors.chain(planned.refusals.iter().map(|refusal| Obstacle::Refusal(name, refusal))).collect()
            }
        }
    };
    prepared.targets.iter().flat_map(of).collect()
}
