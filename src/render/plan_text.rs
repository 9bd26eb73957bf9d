//! A plan as people read it on a terminal, and in a log.

use std::collections::BTreeSet;

use super::escape::{self, Escaped, Terminal};
use super::finding::fold_unread;
use super::finding::{finding_help, finding_text};
use super::order::by_weight;
use super::paint::Paint;
use super::rows::{Piece, Tone, paint_tone, place, rows};
use super::{escaped, rows, words};
use crate::domain::AccountId;
use crate::plan::{Counts, Finding, Plan, PlanReport, Refusal, SecretPlan, Severity};

/// Width of the column that names a field.
const FIELD: usize = 12;

/// Findings of one kind of severity that are listed one by one; further ones are counted.
const LISTED_INFO: usize = 10;

/// The heading of one target: what and where it is.
pub fn heading(
    paint: Paint,
    name: &str,
    account: Option<&str>,
    region: &str,
    endpoint: Option<&str>,
) -> Escaped<Terminal> {
    let account = escape::line(account.unwrap_or("account not checked"));
    let place: Escaped<Terminal> = escaped!("  {} · {}", account, escape::line(region));
    let endpoint = words::endpoint(endpoint)
        .map(|endpoint| -> Escaped<Terminal> { escaped!(" · {}", paint.warning(escape::line(endpoint))) });
    escaped!("{}{}{}\n", paint.strong(escape::line(name)), paint.faint(place), endpoint)
}

/// One target's plan: its secrets with their differences, the findings, and a summary line.
pub fn target(paint: Paint, plan: &Plan, report: &PlanReport) -> Escaped<Terminal> {
    let account = plan.account.as_ref().map(AccountId::as_str);
    let mut out = heading(paint, &plan.target, account, plan.region.as_str(), plan.endpoint.as_deref());
    for secret in by_weight(plan) {
        out.push(&"\n");
        out.push(&secret_plan(paint, secret));
    }
    out.push(&findings(paint, &report.findings));
    out.push(&escaped!("\n  {}\n", summary(paint, plan, report)));
    out
}

/// `3 to create, 1 to change; 28 unchanged`, and how many of these changes may be none.
pub fn summary(paint: Paint, plan: &Plan, report: &PlanReport) -> Escaped<Terminal> {
    let Counts { unchanged, blocked, held_back, unreadable, unread, .. } = report.counts;
    let unreadable = (unreadable > 0).then(|| -> Escaped<Terminal> {
        escaped!("; {}", paint.error(escaped!("{} could not be read", words::count(unreadable, "secret"))))
    });
    if plan.is_empty() && blocked > 0 {
        let blocked = words::count(blocked, "secret");
        return escaped!("Nothing planned: {} held back by errors; {} unchanged{}.", blocked, unchanged, unreadable);
    }
    let unread = (unread > 0).then(|| -> Escaped<Terminal> {
        let were = if unread == 1 { "value was" } else { "values were" };
        escaped!(", of which {} {} not read (--read-values compares)", unread, were)
    });
    if plan.is_empty() && held_back > 0 {
        let held_back = paint.warning(escaped!("{} held back", words::count(held_back, "secret")));
        return escaped!(
            "Nothing to apply now: {}, see above; {} unchanged{}{}.",
            held_back,
            unchanged,
            unread,
            unreadable
        );
    }
    if let (true, Some(unreadable)) = (plan.is_empty(), &unreadable) {
        return escaped!("Nothing planned: {} unchanged{}{}.", unchanged, unread, unreadable);
    }
    if plan.is_empty() {
        return escaped!("Nothing to do: {} as the manifests say{}.", words::count(unchanged, "secret"), unread);
    }
    let planned = words::VERBS.into_iter().filter_map(|(verb, label)| {
        let number = plan.secrets.iter().filter(|secret| secret.verb == verb).count();
        (number > 0).then(|| words::paint_verb(paint, verb, &escaped!("{} {}", number, label)))
    });
    let blocked = (blocked > 0)
        .then(|| -> Escaped<Terminal> { escaped!("; {}", paint.error(escaped!("{} held back by errors", blocked))) });
    let held_back = (held_back > 0)
        .then(|| -> Escaped<Terminal> { escaped!("; {}", paint.warning(escaped!("{} held back", held_back))) });
    let re_encrypted = (plan.re_encrypted() > 0).then(|| -> Escaped<Terminal> {
        escaped!(" Re-encrypted or changed in git: {}; no value is known to differ.", plan.re_encrypted())
    });
    escaped!(
        "{}; {} unchanged{}{}{}{}.{}",
        Escaped::join(planned, ", "),
        unchanged,
        unread,
        held_back,
        blocked,
        unreadable,
        re_encrypted
    )
}

/// Two spaces and where something is declared, if that is known.
fn behind(paint: Paint, place: Option<Escaped<Terminal>>) -> Option<Escaped<Terminal>> {
    place.map(|place| escaped!("  {}", paint.faint(place)))
}

/// One secret with its differences.
pub(super) fn secret_plan(paint: Paint, secret: &SecretPlan) -> Escaped<Terminal> {
    let (sign, verb) = words::verb(secret.verb);
    let head = words::paint_verb(paint, secret.verb, &escaped!("{} {}", sign, escape::padded::<Terminal>(verb, 7)));
    let name = paint.strong(escape::line(secret.name.as_str()));
    let mut out = escaped!("  {} {}{}\n", head, name, behind(paint, secret.origin.as_ref().map(place)));
    let mut seen = BTreeSet::new();
    for row in rows(secret) {
        // Tags and replicas stand below each other, and the first of them is labelled.
        let again = !seen.insert(row.label) && matches!(row.label, "tags" | "replicas");
        let label: Escaped<Terminal> = escape::padded(if again { "" } else { row.label }, FIELD);
        let at = behind(paint, row.other_place(secret.origin.as_ref()));
        let line: Escaped<Terminal> = escaped!("      {} {}{}", label, row.one_line(paint), at);
        out.push(&escaped!("{}\n", line.trimmed()));
        for piece in &row.lines {
            out.push(&escaped!("          {}\n", further_line(paint, piece)));
        }
    }
    out
}

/// A further line of a row, as of a policy.
fn further_line(paint: Paint, piece: &Piece) -> Escaped<Terminal> {
    let Piece { tone, text, mark: _ } = piece;
    let signed = |sign: &'static str| -> Escaped<Terminal> { escaped!("{} {}", sign, text) };
    match tone {
        Tone::Plain => signed(" "),
        Tone::Removed => paint.removed(signed("-")),
        Tone::Added => paint.added(signed("+")),
        tone => paint_tone(paint, *tone, text),
    }
}

/// The findings, the worst first.
fn findings(paint: Paint, findings: &[Finding]) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    let (findings, unread) = fold_unread(findings);
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let of_severity: Vec<&Finding> =
            findings.iter().copied().filter(|finding| finding.severity() == severity).collect();
        let listed = if severity == Severity::Info { LISTED_INFO } else { usize::MAX };
        for finding in of_severity.iter().take(listed) {
            let label = match severity {
                Severity::Error => paint.error("error"),
                Severity::Warning => paint.warning("warning"),
                Severity::Info => paint.faint("note"),
            };
            let name = paint.strong(escape::line(finding.secret.as_str()));
            let at = behind(paint, finding.origin.as_ref().map(place));
            out.push(&escaped!("\n  {}: {} {}{}\n", label, name, finding_text(finding), at));
            if let Some(help) = finding_help(finding) {
                out.push(&escaped!("      {}\n", paint.faint(help)));
            }
        }
        if of_severity.len() > listed {
            let rest = words::count(of_severity.len() - listed, "note");
            out.push(&escaped!("\n  {} more like these; --format json lists all.\n", rest));
        }
    }
    if let Some((text, help)) = unread {
        out.push(&escaped!("\n  {}: {}\n      {}\n", paint.faint("note"), text, paint.faint(help)));
    }
    out
}

/// The guards that did not let the apply pass, each with what overrides it.
pub fn refusals(paint: Paint, refusals: &[Refusal]) -> Escaped<Terminal> {
    let lines = |refusal: &Refusal| -> Escaped<Terminal> {
        let (text, help) = rows::refusal(refusal);
        let target = escape::line(&refusal.target);
        escaped!("{}: {}: {}\n  {}\n", paint.error("refused"), target, text, paint.faint(help))
    };
    refusals.iter().map(lines).collect()
}
