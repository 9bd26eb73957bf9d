//! What an apply tells while it runs, and its summary.

use std::fmt::Write as _;

use super::paint::Paint;
use super::{escape, words};
use crate::apply::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome, SkipReason};
use crate::domain::SecretName;
use crate::plan::{ObservedField, Plan, Verb};

/// One event as a line, without a line feed; events that only move a progress bar have none.
pub fn event(paint: Paint, event: &ApplyEvent<'_>) -> Option<String> {
    match event {
        ApplyEvent::Started { .. } | ApplyEvent::ActionDone { .. } => None,
        ApplyEvent::PolicyNotValidated { secret, error } => Some(format!(
            "{}: {}: the policy is put without validation: {}",
            paint.warning("warning"),
            escape::line(secret.as_str()),
            escape::line(&error.to_string())
        )),
        ApplyEvent::Finished { secret, verb, outcome } => Some(finished(paint, secret, *verb, outcome)),
    }
}

/// What became of one secret, with what can be done about it.
pub(super) fn finished(paint: Paint, secret: &SecretName, verb: Verb, outcome: &SecretOutcome) -> String {
    let name = escape::line(secret.as_str());
    let (sign, word) = words::verb(verb);
    match outcome {
        SecretOutcome::Done => {
            format!("  {} {name}", words::paint_verb(paint, verb, &format!("{sign} {:<8}", words::verb_done(verb))))
        }
        SecretOutcome::Failed { done, failed, remaining, error } => {
            let mut text = format!("  {} {name}: {failed} failed: {}", paint.error("x failed  "), error_text(error));
            if !done.is_empty() {
                let _ = write!(text, "\n      done before it: {}", done.join(", "));
            }
            if !remaining.is_empty() {
                let _ = write!(text, "\n      not tried: {}", remaining.join(", "));
            }
            let hint = match error {
                ApplyError::Service(error) => error.hint().map(str::to_owned),
                ApplyError::Value { hint, .. } => hint.clone(),
                ApplyError::PlantedValue { .. } => {
                    Some("look at who may write this secret; then change the value in git".to_owned())
                }
                ApplyError::PolicyRejected(_) | ApplyError::ArnUnknown(_) => None,
            };
            if let Some(hint) = hint {
                for line in escape::block(&hint).lines() {
                    let _ = write!(text, "\n      {}", paint.faint(line));
                }
            }
            text
        }
        SecretOutcome::Conflict { changed } => {
            let what: Vec<_> = changed.iter().map(|field| words::observed_field(*field)).collect();
            let changed = if changed.contains(&ObservedField::Existence) {
                "it appeared or went away".to_owned()
            } else {
                format!("somebody changed {}", what.join(" and "))
            };
            format!("  {} {name}: {changed} since it was planned; it was left alone", paint.warning("! stale   "))
        }
        SecretOutcome::Skipped { reason } => {
            let why = match reason {
                SkipReason::Dependency(dependency) => {
                    format!("it depends on {}, which was not done", escape::line(dependency.as_str()))
                }
                SkipReason::Stopped(why) => words::stopped(*why).to_owned(),
                SkipReason::EarlierFailure => "removals come last, and something before it was not done".to_owned(),
            };
            format!("  {} {name}: not begun ({word}): {why}", paint.warning(". skipped "))
        }
    }
}

/// The error with its source, on one line.
pub(super) fn error_text(error: &ApplyError) -> String {
    let text = match error {
        ApplyError::Service(error) => error.to_string(),
        ApplyError::PolicyRejected(_)
        | ApplyError::ArnUnknown(_)
        | ApplyError::Value { .. }
        | ApplyError::PlantedValue { .. } => error.to_string(),
    };
    escape::line(&text).into_owned()
}

/// What became of one target's plan, in one line.
pub fn summary(paint: Paint, plan: &Plan, report: &ApplyReport) -> String {
    let done = |verb: Verb| {
        plan.secrets
            .iter()
            .filter(|secret| secret.verb == verb && report.outcomes.get(&secret.name) == Some(&SecretOutcome::Done))
            .count()
    };
    let verbs = [Verb::Create, Verb::Restore, Verb::Adopt, Verb::Change, Verb::Release, Verb::Delete];
    let mut parts: Vec<String> = verbs
        .into_iter()
        .filter(|verb| done(*verb) > 0)
        .map(|verb| words::paint_verb(paint, verb, &format!("{} {}", done(verb), words::verb_done(verb))))
        .collect();
    let count_of = |test: fn(&SecretOutcome) -> bool| report.outcomes.values().filter(|outcome| test(outcome)).count();
    let failed = count_of(|outcome| matches!(outcome, SecretOutcome::Failed { .. }));
    let stale = count_of(|outcome| matches!(outcome, SecretOutcome::Conflict { .. }));
    let skipped = count_of(|outcome| matches!(outcome, SecretOutcome::Skipped { .. }));
    for (number, label) in [(failed, "failed"), (stale, "changed since planned"), (skipped, "not begun")] {
        if number > 0 {
            parts.push(paint.error(format!("{number} {label}")));
        }
    }
    if parts.is_empty() {
        parts.push("nothing was done".to_owned());
    }
    format!("{}: {}", paint.strong(escape::line(&plan.target)), parts.join(", "))
}

/// What verification found: whether what was touched is now as the manifests say.
pub fn verified(paint: Paint, remaining: &Plan, touched: usize) -> String {
    if remaining.is_empty() {
        return paint
            .faint(format!("  verified: {} read again, all match the manifests", words::count(touched, "secret")));
    }
    let names: Vec<_> = remaining.secrets.iter().map(|secret| escape::line(secret.name.as_str())).collect();
    format!(
        "  {}: {} still differ from the manifests: {}; plan again to see how",
        paint.error("not converged"),
        words::count(names.len(), "secret"),
        names.join(", ")
    )
}
