//! A plan as people read it on a terminal, and in a log.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::finding::{finding_help, finding_text};
use super::paint::Paint;
use super::rows::{Piece, Tone, paint_tone, place, rows};
use super::{escape, rows, words};
use crate::domain::AccountId;
use crate::plan::{Counts, Finding, Plan, PlanReport, Refusal, SecretPlan, Severity};

/// Width of the column that names a field.
const FIELD: usize = 12;

/// Findings of one kind of severity that are listed one by one; further ones are counted.
const LISTED_INFO: usize = 10;

/// The heading of one target.
pub fn heading(paint: Paint, name: &str, account: Option<&str>, region: &str) -> String {
    let account = account.unwrap_or("account not checked");
    let place = format!("  {} · {}", escape::line(account), escape::line(region));
    format!("{}{}\n", paint.strong(escape::line(name)), paint.faint(place))
}

/// One target's plan: its secrets with their differences, the findings, and a summary line.
pub fn target(paint: Paint, plan: &Plan, report: &PlanReport) -> String {
    let mut out = heading(paint, &plan.target, plan.account.as_ref().map(AccountId::as_str), plan.region.as_str());
    for secret in &plan.secrets {
        out.push('\n');
        out.push_str(&secret_plan(paint, secret));
    }
    out.push_str(&findings(paint, &report.findings));
    let _ = writeln!(out, "\n  {}", summary(paint, plan, report));
    out
}

/// `3 to create, 1 to change; 28 unchanged`, and how many of these changes may be none.
pub fn summary(paint: Paint, plan: &Plan, report: &PlanReport) -> String {
    let Counts { unchanged, blocked, held_back, unread, .. } = report.counts;
    if plan.is_empty() && blocked > 0 {
        return format!(
            "Nothing planned: {} held back by errors; {unchanged} unchanged.",
            words::count(blocked, "secret")
        );
    }
    let unread = if unread > 0 {
        let were = if unread == 1 { "value was" } else { "values were" };
        format!(", of which {unread} {were} not read (--read-values compares)")
    } else {
        String::new()
    };
    if plan.is_empty() && held_back > 0 {
        let held_back = paint.warning(format!("{} held back", words::count(held_back, "secret")));
        return format!("Nothing to apply now: {held_back}, see above; {unchanged} unchanged{unread}.");
    }
    if plan.is_empty() {
        return format!("Nothing to do: {} as the manifests say{unread}.", words::count(unchanged, "secret"));
    }
    let planned: Vec<String> = words::VERBS
        .into_iter()
        .filter_map(|(verb, label)| {
            let number = plan.secrets.iter().filter(|secret| secret.verb == verb).count();
            (number > 0).then(|| words::paint_verb(paint, verb, &format!("{number} {label}")))
        })
        .collect();
    let blocked = if blocked > 0 {
        format!("; {}", paint.error(format!("{blocked} held back by errors")))
    } else {
        String::new()
    };
    let held_back =
        if held_back > 0 { format!("; {}", paint.warning(format!("{held_back} held back"))) } else { String::new() };
    let re_encrypted = match plan.re_encrypted() {
        0 => String::new(),
        number => format!(" Re-encrypted or changed in git: {number}; no value is known to differ."),
    };
    format!("{}; {unchanged} unchanged{unread}{held_back}{blocked}.{re_encrypted}", planned.join(", "))
}

/// One secret with its differences.
pub(super) fn secret_plan(paint: Paint, secret: &SecretPlan) -> String {
    let (sign, verb) = words::verb(secret.verb);
    let head = words::paint_verb(paint, secret.verb, &format!("{sign} {verb:<7}"));
    let name = paint.strong(escape::line(secret.name.as_str()));
    let at = secret.origin.as_ref().map_or_else(String::new, |origin| format!("  {}", paint.faint(place(origin))));
    let mut out = format!("  {head} {name}{at}\n");
    let mut seen = BTreeSet::new();
    for row in rows(secret) {
        // Tags and replicas stand below each other, and the first of them is labelled.
        let again = !seen.insert(row.label) && matches!(row.label, "tags" | "replicas");
        let label = if again { "" } else { row.label };
        let at =
            row.other_place(secret.origin.as_ref()).map_or_else(String::new, |at| format!("  {}", paint.faint(at)));
        let line = format!("      {label:<FIELD$} {}{at}", row.one_line(paint));
        let _ = writeln!(out, "{}", line.trim_end());
        for Piece { tone, text, mark: _ } in &row.lines {
            let line = match tone {
                Tone::Plain => format!("  {text}"),
                Tone::Removed => paint.removed(format!("- {text}")),
                Tone::Added => paint.added(format!("+ {text}")),
                tone => paint_tone(paint, *tone, text),
            };
            let _ = writeln!(out, "          {line}");
        }
    }
    out
}

/// The findings, the worst first.
fn findings(paint: Paint, findings: &[Finding]) -> String {
    let mut out = String::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let of_severity: Vec<&Finding> = findings.iter().filter(|finding| finding.severity() == severity).collect();
        let listed = if severity == Severity::Info { LISTED_INFO } else { usize::MAX };
        for finding in of_severity.iter().take(listed) {
            let label = match severity {
                Severity::Error => paint.error("error"),
                Severity::Warning => paint.warning("warning"),
                Severity::Info => paint.faint("note"),
            };
            let name = paint.strong(escape::line(finding.secret.as_str()));
            let origin = finding.origin.as_ref().map_or_else(String::new, |at| format!("  {}", paint.faint(place(at))));
            let _ = writeln!(out, "\n  {label}: {name} {}{origin}", finding_text(finding));
            if let Some(help) = finding_help(finding) {
                let _ = writeln!(out, "      {}", paint.faint(help));
            }
        }
        if of_severity.len() > listed {
            let rest = of_severity.len() - listed;
            let _ = writeln!(out, "\n  {} more like these; --format json lists all.", words::count(rest, "note"));
        }
    }
    out
}

/// The guards that did not let the apply pass, each with what overrides it.
pub fn refusals(paint: Paint, refusals: &[Refusal]) -> String {
    let mut out = String::new();
    for refusal in refusals {
        let (text, help) = rows::refusal(refusal);
        let _ = writeln!(out, "{}: {}: {text}", paint.error("refused"), escape::line(&refusal.target));
        let _ = writeln!(out, "  {}", paint.faint(help));
    }
    out
}
