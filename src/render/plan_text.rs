//! A plan as people read it on a terminal, and in a log.
//!
//! What must not be missed comes first: targets that were not planned, what guards refuse, errors; then the changes,
//! what is lost before all others. The same change of several secrets is one entry.

use std::collections::BTreeSet;

use super::entry::{Entry, Member, entries, names};
use super::escape::{self, Escaped, Terminal};
use super::finding::fold_unread;
use super::finding::{finding_help, finding_text};
use super::paint::Paint;
use super::plan_view::{PlanView, PlannedView, TargetView};
use super::rows::{Piece, Row, Tone, declared, paint_tone, place, rows};
use super::{awaiting, escaped, rehearsal, rows, words};
use crate::plan::{Counts, Finding, Plan, PlanReport, Refusal, SecretPlan, Severity, Verb};

/// Width of the column that names a field.
const FIELD: usize = 12;

/// Findings of one kind of severity that are listed one by one; further ones are counted.
const LISTED_INFO: usize = 10;

/// From this many entries on, what stands on top stands at the end again, where a terminal stops.
const LONG: usize = 6;

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one flag of the command line, or leaves a part out")]
pub struct Extent {
    /// Each secret by itself, and every name.
    pub full: bool,
    /// A line for each secret, without its differences.
    pub summary: bool,
    /// Nothing of what it costs.
    pub no_cost: bool,
    /// Without the list of secrets that wait for a value, which stands at the end of what follows.
    pub no_awaiting: bool,
}

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

/// The plans of a run.
pub fn text(paint: Paint, view: &PlanView<'_>, extent: Extent) -> Escaped<Terminal> {
    let several = view.targets.len() > 1;
    let mut out = Escaped::default();
    if let Some(not_planned) = view.not_planned().filter(|_| !several) {
        out.push(&escaped!("{}\n\n", paint.error(not_planned)));
    }
    let cost = if extent.no_cost { None } else { view.cost() };
    let total = several.then(|| -> Escaped<Terminal> {
        let head = escaped!("{} targets", view.targets.len());
        let line: Escaped<Terminal> = escaped!("{}: {}.", paint.strong(head), view.headline::<Terminal>());
        escaped!("{}\n{}", paint.line(&line, 4), cost_line(paint, "", cost.as_ref()))
    });
    if let Some(total) = &total {
        out.push(&escaped!("{}\n", total));
    }
    let sections = Escaped::join(view.folded().iter().map(|targets| section(paint, targets)), "\n");
    out.push(&sections);
    if !several {
        out.push(&cost_line(paint, "  ", cost.as_ref()));
    }
    let label = |target: &TargetView<'_>| -> Escaped<Terminal> {
        if several { escaped!("{}: ", escape::line(target.name)) } else { Escaped::default() }
    };
    for (target, planned) in view.each_planned() {
        out.push(&findings(paint, planned, &[Severity::Error, Severity::Warning], &label(target)));
    }
    let entries = entries(view.each_planned().map(|(_, planned)| planned.plan), extent.full);
    if extent.summary && !entries.is_empty() {
        out.push(&"\n");
    }
    for entry in &entries {
        if extent.summary {
            out.push(&summary_lines(paint, entry, several));
        } else {
            out.push(&escaped!("\n{}", entry_text(paint, entry, several)));
        }
    }
    for (target, planned) in view.each_planned() {
        out.push(&findings(paint, planned, &[Severity::Info], &label(target)));
    }
    let mut asked = view.who().peekable();
    if asked.peek().is_some() {
        out.push(&"\nWho made these differences, as CloudTrail knows it:\n");
    }
    for (target, secret, lines) in asked {
        out.push(&escaped!("  {}{}\n", label(target), paint.strong(escape::line(secret.as_str()))));
        for line in lines {
            out.push(&escaped!("      {}\n", escape::line(&line)));
        }
    }
    for (target, planned) in view.each_planned() {
        if let Some(rehearsed) = planned.rehearsed {
            out.push(&rehearsal::text(paint, planned.plan, rehearsed, &label(target)));
        }
    }
    if entries.len() >= LONG {
        match (total, view.each_planned().next()) {
            (Some(total), _) => out.push(&escaped!("\n{}", total)),
            (None, Some((_, planned))) => {
                out.push(&escaped!("\n  {}\n", summary(paint, planned.plan, planned.report)));
                out.push(&cost_line(paint, "  ", cost.as_ref()));
            }
            (None, None) => {}
        }
    }
    if !extent.no_awaiting {
        out.push(&awaiting::text(paint, &view.awaiting(), several, extent.full));
    }
    out
}

/// One plan by itself, without guards.
pub fn target(paint: Paint, plan: &Plan, report: &PlanReport) -> Escaped<Terminal> {
    let view = PlanView { project: &plan.project, targets: vec![TargetView::alone(plan, report)] };
    text(paint, &view, Extent { no_cost: true, no_awaiting: true, ..Extent::default() })
}

/// What and where targets are, and what is to be done there; several that say the same have nothing to do.
fn section(paint: Paint, targets: &[&TargetView<'_>]) -> Escaped<Terminal> {
    let mut out = match targets {
        [one] => heading(paint, one.name, one.account, one.region, one.endpoint),
        several => {
            let names = Escaped::join(several.iter().map(|target| escape::line(target.name)), ", ");
            escaped!("{}  {}\n", paint.strong(escaped!("{} targets", several.len())), names)
        }
    };
    let Some(first) = targets.first() else { return out };
    match &first.planned {
        Err(error) => {
            // The artifact stands by itself: it may be read where standard error is not.
            out.push(&escaped!("  {}: {}\n", paint.error("NOT PLANNED"), error));
        }
        Ok(planned) => {
            let line: Escaped<Terminal> = escaped!("  {}", summary(paint, planned.plan, planned.report));
            out.push(&escaped!("{}\n", paint.line(&line, 4)));
            let refused = refusals(paint, planned.refusals);
            if !refused.is_empty() {
                out.push(&escaped!("\n{}", refused));
            }
        }
    }
    out
}

/// What a plan costs, on a line of its own; nothing where that does not change.
fn cost_line(paint: Paint, indent: &'static str, cost: Option<&words::Cost>) -> Option<Escaped<Terminal>> {
    let line = |cost| -> Escaped<Terminal> { escaped!("{}{}", indent, words::cost::<Terminal>(cost)) };
    cost.map(|cost| escaped!("{}\n", paint.line(&line(cost), 4)))
}

/// `3 to create, 1 to change; 28 unchanged`, and how many of these changes may be none.
pub fn summary(paint: Paint, plan: &Plan, report: &PlanReport) -> Escaped<Terminal> {
    let Counts { unchanged, blocked, held_back, unread, .. } = report.counts;
    let unreadable = words::unreadable(report.unreadable());
    let unreadable = (!unreadable.is_empty())
        .then(|| -> Escaped<Terminal> { escaped!("; {}", paint.error(Escaped::join(unreadable, "; "))) });
    if plan.is_empty() && blocked > 0 {
        let blocked = words::count(blocked, "secret");
        return escaped!("Nothing planned: {} held back by errors; {} unchanged{}.", blocked, unchanged, unreadable);
    }
    // Where there is more than what is unchanged, they may be among the others.
    let also_unread: Option<Escaped<Terminal>> = words::unread_after("; ", unread);
    let unread: Option<Escaped<Terminal>> = words::unread(unread);
    let waits = awaiting::counted(report.awaiting.len())
        .map(|waits: Escaped<Terminal>| -> Escaped<Terminal> { escaped!("; {}", paint.warning(waits)) });
    if plan.is_empty() && held_back > 0 {
        let held_back = paint.warning(escaped!("{} held back", words::count(held_back, "secret")));
        return escaped!(
            "Nothing to apply now: {}, see below{}; {} unchanged{}{}.",
            held_back,
            waits,
            unchanged,
            also_unread,
            unreadable
        );
    }
    if let (true, Some(unreadable)) = (plan.is_empty(), &unreadable) {
        return escaped!("Nothing planned: {} unchanged{}{}{}.", unchanged, unread, waits, unreadable);
    }
    if plan.is_empty() && !report.awaiting.is_empty() {
        let number = report.awaiting.len();
        let waits = awaiting::heading(number);
        return escaped!("Nothing to apply: {}, see below; {} unchanged{}.", paint.warning(waits), unchanged, unread);
    }
    if plan.is_empty() {
        return escaped!("Nothing to do: {} as the manifests say{}.", words::count(unchanged, "secret"), unread);
    }
    let planned = words::verb_counts(&plan.secrets).into_iter();
    let planned =
        planned.map(|(verb, number, label)| words::paint_verb(paint, verb, &escaped!("{} {}", number, label)));
    let blocked = (blocked > 0)
        .then(|| -> Escaped<Terminal> { escaped!("; {}", paint.error(escaped!("{} held back by errors", blocked))) });
    let held_back = (held_back > 0)
        .then(|| -> Escaped<Terminal> { escaped!("; {}", paint.warning(escaped!("{} held back", held_back))) });
    let re_encrypted = (plan.re_encrypted() > 0).then(|| -> Escaped<Terminal> {
        escaped!(" Re-encrypted or changed in git: {}; no value is known to differ.", plan.re_encrypted())
    });
    escaped!(
        "{}; {} unchanged{}{}{}{}{}.{}",
        Escaped::join(planned, ", "),
        unchanged,
        also_unread,
        held_back,
        waits,
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
    let name = paint.strong(escape::line(secret.name.as_str()));
    let mut out = escaped!("  {} {}{}\n", verb(paint, secret.verb), name, behind(paint, declared(secret)));
    let rows = rows(secret);
    out.push(&row_lines(paint, &rows, |row| row.other_place(secret.origin.as_ref())));
    out
}

/// What happens to one secret, or alike to several.
fn entry_text(paint: Paint, entry: &Entry<'_>, several_targets: bool) -> Escaped<Terminal> {
    let mut out = head(paint, entry, several_targets);
    out.push(&row_lines(paint, &entry.rows, |row| entry.place_of(row)));
    if entry.single().is_none() {
        for (at, names) in names(entry, several_targets).into_iter().enumerate() {
            let label: Escaped<Terminal> = escape::padded(if at == 0 { "on" } else { "" }, FIELD);
            let line: Escaped<Terminal> = escaped!("      {} {}", label, names);
            out.push(&escaped!("{}\n", paint.line(&line, 6 + FIELD + 3)));
        }
    }
    out
}

/// The line that begins an entry.
fn head(paint: Paint, entry: &Entry<'_>, several_targets: bool) -> Escaped<Terminal> {
    let Some(member) = entry.single() else {
        let count = paint.strong(entry.count::<Terminal>());
        return escaped!("  {} {}\n", verb(paint, entry.verb), count);
    };
    let target = several_targets.then(|| -> Escaped<Terminal> {
        escaped!("  {}", paint.faint(escaped!("in {}", escape::line(member.target))))
    });
    let name = paint.strong(escape::line(member.secret.name.as_str()));
    let at = behind(paint, declared(member.secret));
    escaped!("  {} {}{}{}\n", verb(paint, entry.verb), name, target, at)
}

/// A line for each secret of an entry.
fn summary_lines(paint: Paint, entry: &Entry<'_>, several_targets: bool) -> Escaped<Terminal> {
    let fields: BTreeSet<&str> = entry.rows.iter().map(|row| row.label).filter(|label| !label.is_empty()).collect();
    let fields = fields.into_iter().collect::<Vec<_>>().join(", ");
    let line = |member: &Member<'_>| -> Escaped<Terminal> {
        let target = several_targets.then(|| -> Escaped<Terminal> { escaped!(" in {}", escape::line(member.target)) });
        let name = escape::line(member.secret.name.as_str());
        escaped!("  {} {}{}  {}\n", verb(paint, entry.verb), name, target, paint.faint(escape::line(&fields)))
    };
    entry.members.iter().map(line).collect()
}

fn verb(paint: Paint, verb: Verb) -> Escaped<Terminal> {
    let (sign, word) = words::verb(verb);
    words::paint_verb(paint, verb, &escaped!("{} {}", sign, escape::padded::<Terminal>(word, 7)))
}

fn row_lines(paint: Paint, rows: &[Row], other_place: impl Fn(&Row) -> Option<Escaped<Terminal>>) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    let mut seen = BTreeSet::new();
    for row in rows {
        // Tags, replicas and what a policy means stand below each other, and the first of them is labelled.
        let again = !seen.insert(row.label) && matches!(row.label, "tags" | "replicas" | "policy");
        let label: Escaped<Terminal> = escape::padded(if again { "" } else { row.label }, FIELD);
        let line: Escaped<Terminal> =
            escaped!("      {} {}{}", label, row.one_line(paint), behind(paint, other_place(row)));
        let line = line.trimmed();
        if !line.is_empty() {
            out.push(&escaped!("{}\n", paint.line(&line, 6 + FIELD + 1)));
        }
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

/// What was found, of some severities. `label` names the target, where there are several.
fn findings(
    paint: Paint,
    planned: &PlannedView<'_>,
    severities: &[Severity],
    label: &Escaped<Terminal>,
) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    let (findings, unread) = fold_unread(&planned.report.findings);
    for severity in severities {
        let of_severity: Vec<&Finding> =
            findings.iter().copied().filter(|finding| finding.severity() == *severity).collect();
        let listed = if *severity == Severity::Info { LISTED_INFO } else { usize::MAX };
        for finding in of_severity.iter().take(listed) {
            out.push(&escaped!("\n{}\n", one_finding(paint, finding, label)));
        }
        if of_severity.len() > listed {
            let rest = words::count(of_severity.len() - listed, "note");
            out.push(&escaped!("\n  {}{} more like these; --format json lists all.\n", label, rest));
        }
    }
    if let Some((text, help)) = unread.filter(|_| severities.contains(&Severity::Info)) {
        let line: Escaped<Terminal> = escaped!("  {}: {}{}", paint.faint("note"), label, text);
        let help: Escaped<Terminal> = escaped!("      {}", paint.faint(help));
        out.push(&escaped!("\n{}\n{}\n", paint.line(&line, 6), paint.line(&help, 6)));
    }
    out
}

/// One finding with what can be done about it, without a final line feed.
fn one_finding(paint: Paint, finding: &Finding, label: &Escaped<Terminal>) -> Escaped<Terminal> {
    let kind = match finding.severity() {
        Severity::Error => paint.error("error"),
        Severity::Warning => paint.warning("warning"),
        Severity::Info => paint.faint("note"),
    };
    let name = paint.strong(escape::line(finding.secret.as_str()));
    let at = behind(paint, finding.origin.as_ref().map(place));
    let line: Escaped<Terminal> = escaped!("  {}: {}{} {}{}", kind, label, name, finding_text(finding), at);
    let mut out = escaped!("{}", paint.line(&line, 6));
    if let Some(help) = finding_help(finding) {
        let help: Escaped<Terminal> = escaped!("      {}", paint.faint(help));
        out.push(&escaped!("\n{}", paint.line(&help, 6)));
    }
    out
}

/// What was found after an apply, of one target: each finding without a final line feed, and how many notes are left
/// out of a long list.
pub(super) fn found(paint: Paint, findings: &[&Finding]) -> Vec<Escaped<Terminal>> {
    let (notes, others): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().copied().partition(|finding| finding.severity() == Severity::Info);
    let listed = others.into_iter().chain(notes.iter().copied().take(LISTED_INFO));
    let mut lines: Vec<_> = listed.map(|finding| one_finding(paint, finding, &Escaped::default())).collect();
    if notes.len() > LISTED_INFO {
        lines.push(escaped!("  {} more like these", words::count(notes.len() - LISTED_INFO, "note")));
    }
    lines
}

/// The guards that did not let the apply pass, each with what overrides it.
pub fn refusals(paint: Paint, refusals: &[Refusal]) -> Escaped<Terminal> {
    let lines = |refusal: &Refusal| -> Escaped<Terminal> {
        let (text, help) = rows::refusal(refusal);
        let target = escape::line(&refusal.target);
        let line: Escaped<Terminal> = escaped!("{}: {}: {}", paint.error("refused"), target, text);
        let help: Escaped<Terminal> = escaped!("  {}", paint.faint(help));
        escaped!("{}\n{}\n", paint.line(&line, 2), paint.line(&help, 2))
    };
    refusals.iter().map(lines).collect()
}
