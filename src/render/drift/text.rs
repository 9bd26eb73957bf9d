//! Drift as people read it on a terminal, and in the mail of a cron job.

use std::fmt::Write as _;

use super::super::error::target_line;
use super::super::paint::Paint;
use super::super::{escape, plan_text};
use super::{sentence, summary};
use crate::drift::{Class, DriftReport, TargetDrift};

/// The whole report.
pub fn text(paint: Paint, report: &DriftReport) -> String {
    report.targets.iter().map(|target| one_target(paint, target)).collect::<Vec<_>>().join("\n")
}

fn one_target(paint: Paint, target: &TargetDrift) -> String {
    let TargetDrift { name, account, region, outcome } = target;
    let mut out = plan_text::heading(paint, name, account.as_deref(), region);
    let found = match outcome {
        Ok(found) => found,
        Err(error) => {
            let _ = writeln!(out, "\n  {}: {}", paint.error(Class::Unreachable.word()), target_line(error));
            return out;
        }
    };
    for class in Class::ALL {
        let drifts: Vec<_> = found.drifts.iter().filter(|drift| drift.class == class).collect();
        if drifts.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n  {}", paint_class(paint, class));
        for drift in drifts {
            let at = drift.origin.as_ref().map_or_else(String::new, |origin| {
                format!("  {}", paint.faint(format!("{}:{}", escape::line(&origin.file), origin.line)))
            });
            let name = paint.strong(escape::line(drift.secret.as_str()));
            let _ = writeln!(out, "    {name} {}{at}", escape::line(&sentence(drift)));
            for hint in &drift.hints {
                let _ = writeln!(out, "        {}", paint.faint(escape::line(hint)));
            }
        }
        if let Some(help) = found.drifts.iter().find(|drift| drift.class == class).and_then(|drift| drift.help) {
            let _ = writeln!(out, "      {}", paint.faint(help));
        }
    }
    let _ = writeln!(out, "\n  {}", summary(found));
    out
}

fn paint_class(paint: Paint, class: Class) -> String {
    match class {
        Class::Unmanaged | Class::PolicyUndeclared | Class::Foreign => paint.moved(class.word()),
        Class::Unreachable | Class::Missing | Class::ScheduledForDeletion => paint.removed(class.word()),
        _ => paint.changed(class.word()),
    }
}
