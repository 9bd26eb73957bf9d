//! A plan as one HTML page that needs nothing else: to be kept as an artifact of a run, and read in a browser.
//!
//! It holds no script and no reference to anything outside, and says so to the browser (Content-Security-Policy), which
//! is a second wall behind [`escape::markup`]. It is written as XHTML would be, so that a parser of XML can check it.

use std::fmt::Write as _;

use super::finding::{finding_help, finding_text};
use super::graph::{Graph, svg};
use super::paint::Paint;
use super::plan_view::{PlanView, PlannedView, TargetView};
use super::rows::{Piece, Row, Tone, place, refusal, rows};
use super::{escape, page, plan_text, rehearsal, words};
use crate::plan::{SecretPlan, Severity};

/// A plan of up to this many secrets is shown unfolded.
const UNFOLDED: usize = 40;

/// The plans of a project as one page.
pub fn html(view: &PlanView<'_>) -> String {
    let project = escape::markup(view.project);
    let mut out = page::begin(&format!("keywright plan of {project}: {}", view.headline()));
    bar(&mut out, view, &project);
    out.push_str("<main>\n");
    let unfolded = view.secrets() <= UNFOLDED;
    for (at, target) in view.targets.iter().enumerate() {
        section(&mut out, at, target, unfolded);
    }
    picture(&mut out, view);
    out.push_str(page::END);
    out
}

/// The summary that stays in view.
fn bar(out: &mut String, view: &PlanView<'_>, project: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<div class=\"bar\"><header><h1>Plan of {project}</h1><div class=\"chips\">");
    let counts = view.counts();
    if counts.is_empty() {
        out.push_str("<span class=\"chip faint\">nothing to do</span>\n");
    }
    for (verb, number, label) in counts {
        let (sign, word) = words::verb(verb);
        let sign = escape::markup(sign);
        let _ = writeln!(out, "<span class=\"chip {word}\">{sign} {number} {label}</span>");
    }
    for (at, text) in view.rest().into_iter().enumerate() {
        let class = if at == 0 { "faint" } else { "error" };
        let _ = writeln!(out, "<span class=\"chip {class}\">{text}</span>");
    }
    out.push_str("</div>\n");
    out.push_str(&page::navigation(view.targets.iter().map(|target| target.name)));
    out.push_str("</header></div>\n");
}

fn section(out: &mut String, at: usize, target: &TargetView<'_>, unfolded: bool) {
    let account = escape::markup(target.account.unwrap_or("account not checked"));
    let _ = writeln!(
        out,
        "<section>\n<h2 id=\"target-{at}\">{}<small>{account} · {}</small></h2>",
        escape::markup(target.name),
        escape::markup(target.region)
    );
    match &target.planned {
        Ok(planned) => planned_section(out, planned, unfolded),
        Err(error) => {
            let error = escape::markup(error);
            let _ = writeln!(
                out,
                "<ul class=\"findings\"><li class=\"error\"><span><b>error</b>: could not be planned: \
                 {error}</span></li></ul>"
            );
        }
    }
    out.push_str("</section>\n");
}

fn planned_section(out: &mut String, planned: &PlannedView<'_>, unfolded: bool) {
    let PlannedView { plan, report, refusals, rehearsed } = planned;
    let _ = writeln!(out, "<p class=\"sum\">{}</p>", plan_text::summary(Paint::new(false), plan, report));
    let mut items = String::new();
    for item in *refusals {
        let (text, help) = refusal(item);
        finding(&mut items, "refused", None, &text, Some(&help), None);
    }
    if let Some(rehearsed) = rehearsed {
        let class = if rehearsal::passed(rehearsed) { "note" } else { "error" };
        let text = format!("rehearsal: {}", rehearsal::sentence(plan, rehearsed));
        finding(&mut items, class, None, &text, None, None);
        for (name, reason) in rehearsal::not_done(plan, rehearsed) {
            finding(&mut items, class, Some(name.as_str()), &reason, None, None);
        }
    }
    for severity in [Severity::Error, Severity::Warning] {
        findings(&mut items, planned, severity);
    }
    list(out, &items);
    for secret in &plan.secrets {
        secret_details(out, secret, unfolded);
    }
    let mut notes = String::new();
    findings(&mut notes, planned, Severity::Info);
    list(out, &notes);
}

fn list(out: &mut String, items: &str) {
    if !items.is_empty() {
        let _ = writeln!(out, "<ul class=\"findings\">\n{items}</ul>");
    }
}

fn findings(out: &mut String, planned: &PlannedView<'_>, severity: Severity) {
    let class = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    for item in planned.report.findings.iter().filter(|finding| finding.severity() == severity) {
        let at = item.origin.as_ref().map(place);
        let help = finding_help(item);
        let name = Some(item.secret.as_str());
        finding(out, class, name, &finding_text(item), help.as_deref(), at.as_deref());
    }
}

fn finding(out: &mut String, class: &str, name: Option<&str>, text: &str, help: Option<&str>, at: Option<&str>) {
    let name = name.map(|name| format!("<span class=\"name\">{}</span> ", escape::markup(name))).unwrap_or_default();
    let at = at.map(|at| format!(" <span class=\"place mono\">{}</span>", escape::markup(at))).unwrap_or_default();
    let help = help.map(|help| format!("<p>{}</p>", page::with_commands(help))).unwrap_or_default();
    let text = escape::markup(text);
    let _ = writeln!(
        out,
        "<li class=\"{class}\"><b class=\"{class}\">{class}</b><span>: {name}{text}{at}</span>{help}</li>"
    );
}

fn secret_details(out: &mut String, secret: &SecretPlan, unfolded: bool) {
    let (sign, verb) = words::verb(secret.verb);
    let open = if unfolded { " open=\"open\"" } else { "" };
    let at = secret.origin.as_ref().map(place).unwrap_or_default();
    let _ = writeln!(
        out,
        "<details class=\"secret {verb}\"{open}><summary><span class=\"verb {verb}\">{} {verb}</span>\
         <span class=\"name\">{}</span><span class=\"place mono\">{}</span></summary><div class=\"body\"><table>",
        escape::markup(sign),
        escape::markup(secret.name.as_str()),
        escape::markup(&at)
    );
    let mut before = "";
    for row in rows(secret) {
        let label = if row.label == before { "" } else { row.label };
        before = row.label;
        table_row(out, &row, label);
    }
    out.push_str("</table></div></details>\n");
}

fn table_row(out: &mut String, row: &Row, label: &str) {
    let pieces: String = row.pieces.iter().map(inline).collect();
    let at = row.origin.as_ref().map(place).unwrap_or_default();
    let _ = write!(out, "<tr><th>{label}</th><td>{pieces}");
    if !row.lines.is_empty() {
        out.push_str("<pre>");
        for Piece { tone, text, mark: _ } in &row.lines {
            let (class, sign) = match tone {
                Tone::Added => ("add", "+"),
                Tone::Removed => ("del", "-"),
                Tone::Faint => ("faint", " "),
                Tone::Plain | Tone::Changed | Tone::Warning => ("same", " "),
            };
            let _ = write!(out, "<span class=\"{class}\">{sign} {}</span>", escape::markup(text));
        }
        out.push_str("</pre>");
    }
    let _ = writeln!(out, "</td><td class=\"at\">{}</td></tr>", escape::markup(&at));
}

fn inline(piece: &Piece) -> String {
    let Piece { tone, text, mark } = piece;
    let text = escape::markup(text);
    // Signs need no colour where what they stand for has one.
    match tone {
        _ if *mark => format!("<span class=\"faint\">{text}</span>"),
        Tone::Plain => text,
        Tone::Added => format!("<ins>{text}</ins>"),
        Tone::Removed => format!("<del>{text}</del>"),
        Tone::Changed => format!("<span class=\"mod\">{text}</span>"),
        Tone::Warning => format!("<span class=\"warning\">{text}</span>"),
        Tone::Faint => format!("<span class=\"faint\">{text}</span>"),
    }
}

/// The dependencies of what changes, where there are any.
fn picture(out: &mut String, view: &PlanView<'_>) {
    let targets: Vec<_> =
        view.targets.iter().map(|target| &target.graph).filter(|graph| !graph.edges.is_empty()).cloned().collect();
    if targets.is_empty() {
        return;
    }
    let drawn = svg(&Graph { project: view.project.to_owned(), targets });
    let _ = writeln!(out, "<section class=\"picture\">\n{drawn}</section>");
}

#[cfg(test)]
mod tests;
