//! Drift as people read it on a terminal, and in the mail of a cron job.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Terminal};
use super::super::paint::Paint;
use super::super::rows::place;
use super::super::{escaped, plan_text};
use super::{by_help, clues, not_looked_at, sentence, summary};
use crate::drift::{Class, Drift, DriftReport, TargetDrift};

/// Secrets that wait for a value that are listed; further ones are counted.
const LISTED_AWAITING: usize = 5;

/// The whole report.
pub fn text(paint: Paint, report: &DriftReport) -> Escaped<Terminal> {
    let first = not_looked_at::<Terminal>(report)
        .map(|not_looked_at| -> Escaped<Terminal> { escaped!("{}\n\n", paint.error(not_looked_at)) });
    let targets = Escaped::join(report.targets.iter().map(|target| one_target(paint, target)), "\n");
    escaped!("{}{}", first, targets)
}

fn one_target(paint: Paint, target: &TargetDrift) -> Escaped<Terminal> {
    let TargetDrift { name, account, region, endpoint, outcome } = target;
    let mut out = plan_text::heading(paint, name, account.as_deref(), region, endpoint.as_deref());
    let found = match outcome {
        Ok(found) => found,
        Err(error) => {
            let label = paint.error(Class::Unreachable.word());
            out.push(&escaped!("\n  {}: {}\n", label, target_line(error)));
            return out;
        }
    };
    for class in Class::ALL {
        let drifts: Vec<&Drift> = found.drifts.iter().filter(|drift| drift.class == class).collect();
        out.push(&one_class(paint, class, &drifts));
    }
    out.push(&escaped!("\n  {}\n", summary(found)));
    out
}

fn one_class(paint: Paint, class: Class, drifts: &[&Drift]) -> Escaped<Terminal> {
    if drifts.is_empty() {
        return Escaped::default();
    }
    let mut out = escaped!("\n  {}\n", paint_class(paint, class));
    // Nobody has changed these: they are in the way of what has.
    let listed = if class == Class::AwaitingValue { LISTED_AWAITING } else { drifts.len() };
    // What can be done is told below each that it is true of.
    for (help, drifts) in by_help(drifts) {
        for drift in drifts.iter().take(listed) {
            out.push(&one_drift(paint, drift));
        }
        if drifts.len() > listed {
            out.push(&escaped!("    and {} more: keywright plan lists them by owner\n", drifts.len() - listed));
        }
        out.push(&escaped!("      {}\n", paint.faint(help)));
    }
    out
}

fn one_drift(paint: Paint, drift: &Drift) -> Escaped<Terminal> {
    let at = drift.origin.as_ref().map(|origin| -> Escaped<Terminal> { escaped!("  {}", paint.faint(place(origin))) });
    let name = paint.strong(escape::line(drift.secret.as_str()));
    let mut out = escaped!("    {} {}{}\n", name, escape::line(&sentence(drift)), at);
    for clue in clues(drift) {
        out.push(&escaped!("        {}\n", paint.faint(escape::line(&clue))));
    }
    out
}

fn paint_class(paint: Paint, class: Class) -> Escaped<Terminal> {
    match class {
        Class::Unmanaged | Class::PolicyUndeclared | Class::ReplicasUndeclared | Class::Foreign => {
            paint.moved(class.word())
        }
        Class::Unreachable | Class::Missing | Class::ScheduledForDeletion => paint.removed(class.word()),
        _ => paint.changed(class.word()),
    }
}
