//! Who made a change: CloudTrail is asked, within a budget of calls for each target. It is for people alone: whatever
//! comes of it, what is planned, found and returned stays the same.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};

use super::error::{Error, ErrorKind, Hint};
use super::event::{Event, Listener};
use super::one_secret::OneSecret;
use super::prepare::{PlanRequest, Planned, Prepared, PreparedTarget, TARGETS_AT_ONCE};
use super::session::Run;
use super::stop::{Stop, unless_stopped};
use crate::attribution::{Answer, Changed, Question, Search};
use crate::aws::Connection;
use crate::collect::CollectMap as _;
use crate::domain::{SecretName, VersionId};
use crate::drift::{Drift, DriftReport, TargetDrift, classify};
use crate::inventory::{AuditFinding, Entry, Stock};
use crate::live::{Live, ServiceError, ServiceErrorKind, VersionEntry};

/// What CloudTrail answered.
pub struct Asked {
    /// An answer for each question, in their order; none of what was not found before CloudTrail failed.
    pub answers: Vec<Option<Answer>>,
    /// Why CloudTrail could not be asked, or not to the end.
    pub failed: Option<ServiceError>,
}

/// Asks CloudTrail in the account and region of a target. A page of fifty events is a call; so many are made at most.
pub async fn ask_who(connection: &Connection, questions: Vec<Question>, budget: u32) -> Asked {
    let mut search = Search::new(questions, connection.now(), budget);
    let mut failed = None;
    while let Some(ask) = search.next() {
        match Box::pin(connection.trail().page(&ask)).await {
            Ok((events, next)) => search.learn(&ask, &events, next),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let answers = search.answers(connection.caller.as_deref()).into_iter();
    let known = |answer: &Answer| failed.is_none() || !answer.events.is_empty();
    Asked { answers: answers.map(|answer| Some(answer).filter(known)).collect(), failed }
}

/// A question about a secret of a target.
fn question(live: &Live, secret: &SecretName, changed: BTreeSet<Changed>) -> Question {
    let known = live.secrets.get(secret);
    Question {
        secret: secret.clone(),
        arn: known.map(|known| known.arn.clone()),
        changed,
        since: known.and_then(|known| known.created),
        last_changed: known.and_then(|known| known.last_changed),
    }
}

/// Whether somebody is looked for, for a drift of a target.
type Chosen<'a> = &'a dyn Fn(&str, &Drift) -> bool;

/// Asks who brought about what a report tells, as far as `chosen` says so.
pub(super) async fn ask_of_drifts(
    prepared: &Prepared<'_>,
    report: &mut DriftReport,
    budget: u32,
    chosen: Chosen<'_>,
    stop: &Stop,
    listener: Listener<'_>,
) -> Result<(), Error> {
    let planned: BTreeMap<&str, &Planned> = prepared
        .targets
        .iter()
        .filter_map(|target| Some((target.desired.target.name.as_str(), target.planned.as_ref().ok()?)))
        .collect_map();
    let asking = stream::iter(&mut report.targets)
        .map(async |target: &mut TargetDrift| {
            let name = target.name.clone();
            let (planned, found) = (planned.get(name.as_str())?, target.outcome.as_mut().ok()?);
            let mut drifts: Vec<(&mut Drift, BTreeSet<Changed>)> = Vec::new();
            for drift in found.drifts.iter_mut().filter(|drift| chosen(&name, drift)) {
                let changed = drift.changed();
                if !changed.is_empty() {
                    drifts.push((drift, changed));
                }
            }
            let live = &planned.target.live;
            let questions = drifts.iter().map(|(drift, changed)| question(live, &drift.secret, changed.clone()));
            let questions: Vec<Question> = questions.collect();
            let Asked { answers, failed } = ask_who(&planned.connection, questions, budget).await;
            for ((drift, _), answer) in drifts.into_iter().zip(answers) {
                drift.who = answer;
            }
            Some((name, failed?))
        })
        .buffered(TARGETS_AT_ONCE)
        .filter_map(async |failed| failed)
        .collect::<Vec<_>>();
    let failed = unless_stopped(stop, asking).await?;
    tell(failed, listener);
    Ok(())
}

impl Run<'_> {
    /// Asks who brought about what the plans would change.
    pub async fn ask_of_plans(
        &self,
        prepared: &mut Prepared<'_>,
        budget: u32,
        request: &PlanRequest<'_>,
    ) -> Result<(), Error> {
        let asking = stream::iter(&mut prepared.targets)
            .map(async |target: &mut PreparedTarget<'_>| {
                let planned = target.planned.as_mut().ok()?;
                let of_plan = &planned.target;
                let selection = request.selection.of_target(target.desired);
                let now = planned.connection.now();
                let drifts = classify(target.desired, &of_plan.live, &of_plan.plan, &of_plan.report, &selection, now);
                let mut changed: BTreeMap<SecretName, BTreeSet<Changed>> = BTreeMap::new();
                let is_planned = |drift: &&Drift| of_plan.plan.secrets.iter().any(|plan| plan.name == drift.secret);
                for drift in drifts.iter().filter(is_planned) {
                    changed.entry(drift.secret.clone()).or_default().extend(drift.changed());
                }
                changed.retain(|_, changed| !changed.is_empty());
                let questions = changed.iter().map(|(name, changed)| question(&of_plan.live, name, changed.clone()));
                let questions: Vec<Question> = questions.collect();
                let Asked { answers, failed } = ask_who(&planned.connection, questions, budget).await;
                let answers = changed.into_keys().zip(answers);
                planned.who = answers.filter_map(|(name, answer)| Some((name, answer?))).collect_map();
                Some((target.desired.target.name.clone(), failed?))
            })
            .buffered(TARGETS_AT_ONCE)
            .filter_map(async |failed| failed)
            .collect::<Vec<_>>();
        let failed = unless_stopped(request.stop, asking).await?;
        tell(failed, request.listener);
        Ok(())
    }
}

/// Asks who brought findings of an inventory about.
pub(super) async fn ask_of_findings(
    target: &str,
    connection: &Connection,
    stock: &mut Stock,
    budget: u32,
    listener: Listener<'_>,
) {
    let mut asked: Vec<(&mut AuditFinding, Question)> = Vec::new();
    for Entry { secret, findings, .. } in &mut stock.entries {
        for finding in findings {
            let changed = finding.changed();
            if !changed.is_empty() {
                let (name, arn) = (secret.name.clone(), Some(secret.arn.clone()));
                let last_changed = secret.last_changed;
                let since = secret.created;
                asked.push((finding, Question { secret: name, arn, changed, since, last_changed }));
            }
        }
    }
    let (findings, questions): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    let Asked { answers, failed } = ask_who(connection, questions, budget).await;
    for (finding, answer) in findings.into_iter().zip(answers) {
        finding.who = answer;
    }
    tell(failed.map(|error| (target.to_owned(), error)).into_iter().collect(), listener);
}

/// Asks who put each version of a secret; why CloudTrail could not be asked comes with what was found before.
pub async fn ask_of_versions(
    found: &OneSecret,
    entries: &[VersionEntry],
    budget: u32,
) -> (BTreeMap<VersionId, Answer>, Option<Error>) {
    let question = |entry: &VersionEntry| Question {
        secret: found.secret.name.clone(),
        arn: Some(found.secret.arn.clone()),
        changed: [Changed::Version(entry.id.to_string())].into(),
        since: found.secret.created,
        last_changed: None,
    };
    let Asked { answers, failed } = ask_who(&found.connection, entries.iter().map(question).collect(), budget).await;
    let answers = entries.iter().zip(answers).filter_map(|(entry, answer)| Some((entry.id.clone(), answer?)));
    let target = found.desired.target.name.clone();
    (answers.collect_map(), failed.and_then(|error| notes(vec![(target, error)]).pop()))
}

/// Says where CloudTrail could not be asked.
fn tell(failed: Vec<(String, ServiceError)>, listener: Listener<'_>) {
    for note in notes(failed) {
        listener(Event::Warning(&note));
    }
}

/// One note for each cause, with the targets that it concerns.
fn notes(failed: Vec<(String, ServiceError)>) -> Vec<Error> {
    let mut groups: Vec<(Vec<String>, ServiceError)> = Vec::new();
    for (target, error) in failed {
        match groups.iter_mut().find(|(_, other)| (other.kind, &other.code) == (error.kind, &error.code)) {
            Some((targets, _)) => targets.push(target),
            None => groups.push((vec![target], error)),
        }
    }
    let note = |(targets, error): (Vec<String>, ServiceError)| {
        let denied = error.kind == ServiceErrorKind::AccessDenied;
        let note = Error::from(ErrorKind::WhoUnknown(targets)).because(error);
        if denied { note.hint(Hint::WhoPermission) } else { note }
    };
    groups.into_iter().map(note).collect()
}
