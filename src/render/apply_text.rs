//! What an apply tells while it runs, and its summary.

use super::escape::{self, Escaped, Terminal};
use super::paint::Paint;
use super::{escaped, hint, words};
use crate::apply::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome, SkipReason};
use crate::domain::SecretName;
use crate::plan::{ObservedField, Plan, Verb};

/// One event as a line, without a line feed; events that only move a progress bar have none.
pub fn event(paint: Paint, event: &ApplyEvent<'_>) -> Option<Escaped<Terminal>> {
    match event {
        ApplyEvent::Started { .. } | ApplyEvent::ActionDone { .. } => None,
        ApplyEvent::PolicyNotValidated { secret, error } => Some(escaped!(
            "{}: {}: the policy is put without validation: {}",
            paint.warning("warning"),
            escape::line(secret.as_str()),
            escape::line(&error.to_string())
        )),
        ApplyEvent::Finished { secret, verb, outcome } => Some(finished(paint, secret, *verb, outcome)),
    }
}

/// What became of one secret, with what can be done about it.
pub(super) fn finished(paint: Paint, secret: &SecretName, verb: Verb, outcome: &SecretOutcome) -> Escaped<Terminal> {
    let name = escape::line(secret.as_str());
    let (sign, word) = words::verb(verb);
    match outcome {
        SecretOutcome::Done => {
            let done: Escaped<Terminal> = escape::padded(words::verb_done(verb), 8);
            escaped!("  {} {}", words::paint_verb(paint, verb, &escaped!("{} {}", sign, done)), name)
        }
        SecretOutcome::Failed { done, failed, remaining, error } => {
            let text = error_text(error);
            let mut out = escaped!("  {} {}: {} failed: {}", paint.error("x failed  "), name, *failed, text);
            if !done.is_empty() {
                out.push(&escaped!("\n      done before it: {}", Escaped::join(done, ", ")));
            }
            if !remaining.is_empty() {
                out.push(&escaped!("\n      not tried: {}", Escaped::join(remaining, ", ")));
            }
            for line in hint(error).iter().flat_map(Escaped::each_line) {
                out.push(&escaped!("\n      {}", paint.faint(line)));
            }
            out
        }
        SecretOutcome::Conflict { changed } => {
            let what = changed.iter().map(|field| words::observed_field(*field));
            let changed: Escaped<Terminal> = if changed.contains(&ObservedField::Existence) {
                escaped!("it appeared or went away")
            } else {
                escaped!("somebody changed {}", Escaped::join(what, " and "))
            };
            let label = paint.warning("! stale   ");
            escaped!("  {} {}: {} since it was planned; it was left alone", label, name, changed)
        }
        SecretOutcome::Skipped { reason } => {
            let label = paint.warning(". skipped ");
            escaped!("  {} {}: not begun ({}): {}", label, name, word, skip_reason(reason))
        }
    }
}

/// What can be done about an error.
fn hint(error: &ApplyError) -> Option<Escaped<Terminal>> {
    match error {
        ApplyError::Service(error) => error.hint().map(|hint| escaped!("{}", hint::service(hint))),
        ApplyError::Value { hint, .. } => hint.as_ref().map(|hint| escape::block(&hint::value(hint))),
        ApplyError::PlantedValue { .. } => {
            Some(escaped!("look at who may write this secret; then change the value in git"))
        }
        ApplyError::PolicyRejected(_) | ApplyError::ArnUnknown(_) | ApplyError::GeneratedPartsGone { .. } => None,
    }
}

/// Why a secret was not begun.
pub(super) fn skip_reason(reason: &SkipReason) -> Escaped<Terminal> {
    match reason {
        SkipReason::Dependency(dependency) => {
            escaped!("it depends on {}, which was not done", escape::line(dependency.as_str()))
        }
        SkipReason::Stopped(why) => words::stopped(*why).into(),
        SkipReason::OtherShards => {
            escaped!(
                "removals come last, and other parts (--shard) have not created all that is declared: run this part \
                 again"
            )
        }
        SkipReason::EarlierFailure => escaped!("removals come last, and something before it was not done"),
    }
}

/// The error with its source, on one line.
pub(super) fn error_text(error: &ApplyError) -> Escaped<Terminal> {
    escape::line(&match error {
        ApplyError::Service(error) => error.to_string(),
        ApplyError::PolicyRejected(_)
        | ApplyError::ArnUnknown(_)
        | ApplyError::Value { .. }
        | ApplyError::GeneratedPartsGone { .. }
        | ApplyError::PlantedValue { .. } => error.to_string(),
    })
}

/// What became of one target's plan, in one line.
pub fn summary(paint: Paint, plan: &Plan, report: &ApplyReport) -> Escaped<Terminal> {
    let done = |verb: Verb| {
        plan.secrets
            .iter()
            .filter(|secret| secret.verb == verb && report.outcomes.get(&secret.name) == Some(&SecretOutcome::Done))
            .count()
    };
    let verbs = [Verb::Create, Verb::Restore, Verb::Adopt, Verb::Change, Verb::Release, Verb::Delete];
    let mut parts: Vec<Escaped<Terminal>> = verbs
        .into_iter()
        .filter(|verb| done(*verb) > 0)
        .map(|verb| words::paint_verb(paint, verb, &escaped!("{} {}", done(verb), words::verb_done(verb))))
        .collect();
    let count_of = |test: fn(&SecretOutcome) -> bool| report.outcomes.values().filter(|outcome| test(outcome)).count();
    let failed = count_of(|outcome| matches!(outcome, SecretOutcome::Failed { .. }));
    let stale = count_of(|outcome| matches!(outcome, SecretOutcome::Conflict { .. }));
    let skipped = count_of(|outcome| matches!(outcome, SecretOutcome::Skipped { .. }));
    for (number, label) in [(failed, "failed"), (stale, "changed since planned"), (skipped, "not begun")] {
        if number > 0 {
            parts.push(paint.error(escaped!("{} {}", number, label)));
        }
    }
    if parts.is_empty() {
        parts.push(escaped!("nothing was done"));
    }
    escaped!("{}: {}", paint.strong(escape::line(&plan.target)), Escaped::join(parts, ", "))
}

/// What verification found: whether what was touched is now as the manifests say.
pub fn verified(paint: Paint, remaining: &Plan, held_back: usize, touched: usize) -> Escaped<Terminal> {
    if remaining.is_empty() {
        let touched = words::count(touched, "secret");
        if held_back > 0 {
            return escaped!(
                "  read again: {}; what was applied is there, and {} held back: see above",
                touched,
                paint.warning(escaped!("{} {}", held_back, if held_back == 1 { "is" } else { "are" }))
            );
        }
        return paint.faint(escaped!("  verified: {} read again, all match the manifests", touched));
    }
    escaped!(
        "  {}: {} still differ from the manifests: {}; plan again to see how",
        paint.error("not converged"),
        words::count(remaining.secrets.len(), "secret"),
        Escaped::join(remaining.secrets.iter().map(|secret| escape::line(secret.name.as_str())), ", ")
    )
}
