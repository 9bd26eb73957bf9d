//! What a rehearsal came to: for people, and as a part of the plan's JSON.

use serde::Serialize;

use super::apply_json::{AppliedSecret, applied};
use super::apply_text::finished;
use super::escape::{self, Escaped, Terminal};
use super::paint::Paint;
use super::plan_json::{self, SecretDocument};
use super::{escaped, plan_text, words};
use crate::apply::SecretOutcome;
use crate::domain::SecretName;
use crate::plan::{Plan, SecretPlan};
use crate::rehearse::{RehearsalReport, Rehearsed};

/// What is said of secrets that the copy is not good enough for.
const DEFECT: &str = "the copy is planned otherwise than what is live, so this tells nothing about them: that is a \
                      defect of keywright and not of the plan; please report it";

/// A rehearsal as a part of the plan's document.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RehearsalDocument {
    /// Whether every action was accepted on a copy of what is live, and a plan after them was empty, but for replicas
    /// that the next apply makes.
    pub passed: bool,
    /// Why there was no rehearsal; the other members are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Writing calls that were planned.
    pub actions: usize,
    /// Writing calls that were accepted.
    pub calls_done: usize,
    /// What became of each secret on the copy, by name.
    pub secrets: Vec<AppliedSecret>,
    /// What a plan after it would do.
    pub remaining: Vec<SecretDocument>,
    /// Secrets that were planned otherwise on the copy than for real, by a defect of the rehearsal: it tells nothing
    /// about them.
    pub differs: Vec<String>,
    /// Secrets of which something waits for what a target makes that could not be planned: that is not rehearsed.
    pub waits: Vec<String>,
}

/// Whether the plan came through.
pub fn passed(rehearsed: &Rehearsed) -> bool {
    rehearsed.as_ref().is_ok_and(RehearsalReport::passed)
}

/// The rehearsal of one target's plan, below the plan.
pub fn text(paint: Paint, plan: &Plan, rehearsed: &Rehearsed, label: &Escaped<Terminal>) -> Escaped<Terminal> {
    let head = match rehearsed {
        Ok(report) if report.passed() => paint.faint("Rehearsal"),
        _ => paint.error("Rehearsal"),
    };
    let mut out = escaped!("\n  {}: {}{}\n", head, label, sentence(plan, rehearsed));
    let Ok(report) = rehearsed else { return out };
    for secret in &plan.secrets {
        match report.applied.outcomes.get(&secret.name) {
            None | Some(SecretOutcome::Done) => {}
            Some(outcome) => {
                out.push(&escaped!("{}\n", finished(paint, None, &secret.name, secret.verb, outcome)));
            }
        }
    }
    if !report.remaining.is_empty() {
        out.push(&"\n  A plan after it:\n");
        for secret in &report.remaining.secrets {
            out.push(&plan_text::secret_plan(paint, secret));
        }
    }
    out
}

/// What a rehearsal came to, in one line.
pub(super) fn sentence(plan: &Plan, rehearsed: &Rehearsed) -> Escaped<Terminal> {
    let report = match rehearsed {
        Ok(report) => report,
        Err(error) => return escaped!("not possible: {}", escape::line(&error.to_string())),
    };
    let RehearsalReport { applied, remaining, next, differs, waits } = report;
    let mut parts: Vec<Escaped<Terminal>> = Vec::new();
    let actions = plan.action_count();
    if actions == 0 {
        // There was nothing that could be refused.
    } else if applied.is_complete() {
        parts.push("all accepted".into());
    } else {
        parts.push(escaped!("{} accepted", applied.calls_done()));
        let not_done = applied.outcomes.len() - applied.done();
        parts.push(escaped!("{} not done", words::count(not_done, "secret")));
    }
    parts.push(if remaining.is_empty() {
        "a plan after it is empty".into()
    } else {
        escaped!("a plan after it still has {}", words::count(remaining.secrets.len(), "secret"))
    });
    if !next.is_empty() {
        let next = words::count(next.len(), "secret");
        parts.push(escaped!("the next apply makes the replicas of {}, whose places are free then", next));
    }
    if !waits.is_empty() {
        let waits = words::count(waits.len(), "secret");
        parts.push(escaped!("what {} wants of targets that could not be planned is not rehearsed", waits));
    }
    if !differs.is_empty() {
        let names = Escaped::join(differs.iter().map(|name| escape::line(name.as_str())), ", ");
        parts.push(escaped!("{}: {}", names, DEFECT));
    }
    let actions = words::count(actions, "action");
    escaped!("{} on a copy of what is live: {}", actions, Escaped::join(parts, "; "))
}

/// The secrets that are not done after a rehearsal, each with the reason.
pub(super) fn not_done<'a>(plan: &'a Plan, rehearsed: &Rehearsed) -> Vec<(&'a SecretName, String)> {
    let Ok(report) = rehearsed else { return Vec::new() };
    let reason = |secret: &'a SecretPlan| {
        let outcome = applied(secret, &report.applied)?;
        let reason = outcome.reason?;
        let text = outcome.failed.map_or_else(|| reason.clone(), |operation| format!("{operation} failed: {reason}"));
        Some((&secret.name, text))
    };
    plan.secrets.iter().filter_map(reason).collect()
}

/// The rehearsal of one target's plan as a document.
pub fn document(plan: &Plan, rehearsed: &Rehearsed) -> RehearsalDocument {
    let none = RehearsalDocument {
        passed: passed(rehearsed),
        error: None,
        actions: plan.action_count(),
        calls_done: 0,
        secrets: Vec::new(),
        remaining: Vec::new(),
        differs: Vec::new(),
        waits: Vec::new(),
    };
    let report = match rehearsed {
        Ok(report) => report,
        Err(error) => return RehearsalDocument { error: Some(error.to_string()), ..none },
    };
    let RehearsalReport { applied: report, remaining, next: _, differs, waits } = report;
    RehearsalDocument {
        calls_done: report.calls_done(),
        secrets: plan.secrets.iter().filter_map(|secret| applied(secret, report)).collect(),
        remaining: remaining.secrets.iter().map(plan_json::secret).collect(),
        differs: differs.iter().map(|name| name.as_str().to_owned()).collect(),
        waits: waits.iter().map(|name| name.as_str().to_owned()).collect(),
        ..none
    }
}
