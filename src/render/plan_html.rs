//! A plan as one HTML page that needs nothing else: to be kept as an artifact of a run, and read in a browser.
//!
//! It holds no script and no reference to anything outside, and says so to the browser (Content-Security-Policy), which
//! is a second wall behind [`escape::markup`]. It is written as XHTML would be, so that a parser of XML can check it.

use super::entry::{Entry, entries};
use super::escape::{self, Escaped, Markup};
use super::finding::fold_unread;
use super::finding::{finding_help, finding_text};
use super::graph::{Graph, svg};
use super::paint::Paint;
use super::plan_text::Extent;
use super::plan_view::{PlanView, PlannedView, TargetView};
use super::rows::{Piece, Row, Tone, declared, place, refusal};
use super::{awaiting, escaped, page, plan_text, rehearsal, words};
use crate::plan::{Finding, Severity};

/// A plan of up to this many secrets is shown unfolded.
const UNFOLDED: usize = 40;

/// The plans of a project as one page.
pub fn html(view: &PlanView<'_>, extent: Extent) -> Escaped<Markup> {
    let project = escape::markup(view.project);
    let mut out = page::begin(&escaped!("keywright plan of {}: {}", project, view.headline()));
    out.push(&bar(view, &project));
    out.push(&"<main>\n");
    if let Some(cost) = view.cost().filter(|_| !extent.no_cost) {
        out.push(&escaped!("<section><p class=\"sum\">{}</p></section>\n", words::cost::<Markup>(&cost)));
    }
    for (at, targets) in view.folded().iter().enumerate() {
        out.push(&section(at, targets));
    }
    out.push(&changes(view, extent));
    out.push(&notes(view));
    out.push(&picture(view));
    out.push(&awaiting::markup(&view.awaiting(), view.targets.len() > 1));
    out.push(&page::END);
    out
}

/// The summary that stays in view.
fn bar(view: &PlanView<'_>, project: &Escaped<Markup>) -> Escaped<Markup> {
    let mut out = escaped!("<div class=\"bar\"><header><h1>Plan of {}</h1><div class=\"chips\">\n", project);
    let counts = view.counts();
    if counts.is_empty() {
        out.push(&"<span class=\"chip faint\">nothing to do</span>\n");
    }
    for (verb, number, label) in counts {
        let (sign, word) = words::verb(verb);
        let sign = escape::markup(sign);
        out.push(&escaped!("<span class=\"chip {}\">{} {} {}</span>\n", word, sign, number, label));
    }
    for (at, text) in view.rest().into_iter().enumerate() {
        let class = if at == 0 { "faint" } else { "error" };
        out.push(&escaped!("<span class=\"chip {}\">{}</span>\n", class, text));
    }
    out.push(&"</div>\n");
    let folded = view.folded();
    let names = folded.iter().map(|targets| match targets.as_slice() {
        [one] => one.name.to_owned(),
        several => format!("{} targets", several.len()),
    });
    out.push(&page::navigation(names));
    out.push(&"</header></div>\n");
    out
}

/// What and where targets are, what is to be done there, and what is in the way; several that say the same have nothing
/// to do.
fn section(at: usize, targets: &[&TargetView<'_>]) -> Escaped<Markup> {
    let Some(first) = targets.first() else { return Escaped::default() };
    let mut out = match targets {
        [target] => {
            let endpoint = words::endpoint(target.endpoint)
                .map(|endpoint| -> Escaped<Markup> { escaped!(" · <b>{}</b>", escape::markup(endpoint)) });
            escaped!(
                "<section>\n<h2 id=\"target-{}\">{}<small>{} · {}{}</small></h2>\n",
                at,
                escape::markup(target.name),
                escape::markup(target.account.unwrap_or("account not checked")),
                escape::markup(target.region),
                endpoint
            )
        }
        several => {
            let names = Escaped::join(several.iter().map(|target| escape::markup(target.name)), ", ");
            escaped!("<section>\n<h2 id=\"target-{}\">{} targets<small>{}</small></h2>\n", at, several.len(), names)
        }
    };
    match &first.planned {
        Ok(planned) => out.push(&planned_section(planned)),
        Err(error) => out.push(&escaped!(
            "<ul class=\"findings\"><li class=\"error\">\
             <span><b>error</b>: could not be planned: {}</span></li></ul>\n",
            escape::markup(error)
        )),
    }
    out.push(&"</section>\n");
    out
}

fn planned_section(planned: &PlannedView<'_>) -> Escaped<Markup> {
    let PlannedView { plan, report, refusals, rehearsed, who: _ } = planned;
    let summary = escape::markup(&plan_text::summary(Paint::new(false), plan, report));
    let mut out = escaped!("<p class=\"sum\">{}</p>\n", summary);
    let mut items = Escaped::default();
    for item in *refusals {
        let (text, help) = refusal(item);
        items.push(&finding("refused", None, &text, Some(&help), None));
    }
    if let Some(rehearsed) = rehearsed {
        let class = if rehearsal::passed(rehearsed) { "note" } else { "error" };
        let text = format!("rehearsal: {}", rehearsal::sentence(plan, rehearsed));
        items.push(&finding(class, None, &text, None, None));
        for (name, reason) in rehearsal::not_done(plan, rehearsed) {
            items.push(&finding(class, Some(name.as_str()), &reason, None, None));
        }
    }
    let (found, _) = fold_unread(&report.findings);
    for severity in [Severity::Error, Severity::Warning] {
        items.push(&findings(&found, severity, None));
    }
    out.push(&list(items));
    out
}

/// What changes, over all targets.
fn changes(view: &PlanView<'_>, extent: Extent) -> Escaped<Markup> {
    let entries = entries(view.each_planned().map(|(_, planned)| planned.plan), extent.full);
    if entries.is_empty() {
        return Escaped::default();
    }
    let unfolded = entries.len() <= UNFOLDED && !extent.summary;
    let mut out = escaped!("<section>\n<h2 id=\"changes\">Changes</h2>\n");
    for entry in &entries {
        out.push(&entry_details(entry, view, unfolded || entry.loses()));
    }
    out.push(&"</section>\n");
    out
}

/// What matters least.
fn notes(view: &PlanView<'_>) -> Escaped<Markup> {
    let mut items = Escaped::default();
    for (target, planned) in view.each_planned() {
        let label = (view.targets.len() > 1).then_some(target.name);
        let (found, unread) = fold_unread(&planned.report.findings);
        items.push(&findings(&found, Severity::Info, label));
        if let Some((text, help)) = unread {
            items.push(&finding("note", label, &text, Some(help), None));
        }
    }
    for (target, secret, lines) in view.who() {
        let name = if view.targets.len() > 1 { format!("{}: {secret}", target.name) } else { secret.to_string() };
        items.push(&finding("note", Some(&name), &lines.join("; "), None, None));
    }
    list(items)
}

fn list(items: Escaped<Markup>) -> Escaped<Markup> {
    if items.is_empty() { items } else { escaped!("<ul class=\"findings\">\n{}</ul>\n", items) }
}

/// The findings of one severity; `label` names the target, where they are not beneath its heading.
fn findings(found: &[&Finding], severity: Severity, label: Option<&str>) -> Escaped<Markup> {
    let class = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let items = found.iter().filter(|finding| finding.severity() == severity);
    items
        .map(|item| {
            let at = item.origin.as_ref().map(place);
            let name = match label {
                Some(label) => format!("{label}: {}", item.secret),
                None => item.secret.to_string(),
            };
            finding(class, Some(&name), &finding_text(item), finding_help(item), at.as_deref())
        })
        .collect()
}

fn finding(
    class: &'static str,
    name: Option<&str>,
    text: &str,
    help: Option<&str>,
    at: Option<&str>,
) -> Escaped<Markup> {
    let name =
        name.map(|name| -> Escaped<Markup> { escaped!("<span class=\"name\">{}</span> ", escape::markup(name)) });
    let at = at.map(|at| -> Escaped<Markup> { escaped!(" <span class=\"place mono\">{}</span>", escape::markup(at)) });
    let help = help.map(|help| -> Escaped<Markup> { escaped!("<p>{}</p>", page::with_commands(help)) });
    escaped!(
        "<li class=\"{}\"><b class=\"{}\">{}</b><span>: {}{}{}</span>{}</li>\n",
        class,
        class,
        class,
        name,
        escape::markup(text),
        at,
        help
    )
}

fn entry_details(entry: &Entry<'_>, view: &PlanView<'_>, unfolded: bool) -> Escaped<Markup> {
    let (sign, verb) = words::verb(entry.verb);
    let several = view.targets.len() > 1;
    let within =
        |target| several.then(|| -> Escaped<Markup> { escaped!(" <small>{}</small>", escape::markup(target)) });
    let (name, at) = match entry.single() {
        Some(member) => (
            escaped!("{}{}", escape::markup(member.secret.name.as_str()), within(member.target)),
            declared(member.secret).map(|at| escape::markup(&at)),
        ),
        None => (entry.count::<Markup>(), None),
    };
    let mut out = escaped!(
        "<details class=\"secret {}\"{}><summary><span class=\"verb {}\">{} {}</span>\
         <span class=\"name\">{}</span><span class=\"place mono\">{}</span></summary><div class=\"body\"><table>\n",
        verb,
        if unfolded { " open=\"open\"" } else { "" },
        verb,
        escape::markup(sign),
        verb,
        name,
        at
    );
    let mut before = "";
    for row in &entry.rows {
        let label = if row.label == before { "" } else { row.label };
        before = row.label;
        out.push(&table_row(row, label, entry));
    }
    if entry.single().is_none() {
        let names = entry.members.iter().map(|member| -> Escaped<Markup> {
            escaped!("{}{}", escape::markup(member.secret.name.as_str()), within(member.target))
        });
        let names = Escaped::join(names, ", ");
        out.push(&escaped!("<tr><th>on</th><td>{}</td><td class=\"at\"></td></tr>\n", names));
    }
    out.push(&"</table></div></details>\n");
    out
}

fn table_row(row: &Row, label: &'static str, entry: &Entry<'_>) -> Escaped<Markup> {
    let pieces: Escaped<Markup> = row.pieces.iter().map(inline).collect();
    let lines: Escaped<Markup> = row.lines.iter().map(line).collect();
    let lines = (!lines.is_empty()).then(|| -> Escaped<Markup> { escaped!("<pre>{}</pre>", lines) });
    let at = match entry.single() {
        Some(_) => row.origin.as_ref().map(place),
        None => entry.place_of(row),
    };
    let at = at.as_ref().map(|at| escape::markup(at));
    escaped!("<tr><th>{}</th><td>{}{}</td><td class=\"at\">{}</td></tr>\n", label, pieces, lines, at)
}

fn line(piece: &Piece) -> Escaped<Markup> {
    let Piece { tone, text, mark: _ } = piece;
    let (class, sign) = match tone {
        Tone::Added => ("add", "+"),
        Tone::Removed => ("del", "-"),
        Tone::Faint => ("faint", " "),
        Tone::Plain | Tone::Changed | Tone::Warning => ("same", " "),
    };
    escaped!("<span class=\"{}\">{} {}</span>", class, sign, escape::markup(text))
}

fn inline(piece: &Piece) -> Escaped<Markup> {
    let Piece { tone, text, mark } = piece;
    let text = escape::markup(text);
    // Signs need no colour where what they stand for has one.
    match tone {
        _ if *mark => escaped!("<span class=\"faint\">{}</span>", text),
        Tone::Plain => text,
        Tone::Added => escaped!("<ins>{}</ins>", text),
        Tone::Removed => escaped!("<del>{}</del>", text),
        Tone::Changed => escaped!("<span class=\"mod\">{}</span>", text),
        Tone::Warning => escaped!("<span class=\"warning\">{}</span>", text),
        Tone::Faint => escaped!("<span class=\"faint\">{}</span>", text),
    }
}

/// The dependencies of what changes, where there are any.
fn picture(view: &PlanView<'_>) -> Option<Escaped<Markup>> {
    let targets: Vec<_> =
        view.targets.iter().map(|target| &target.graph).filter(|graph| graph.has_arrows()).cloned().collect();
    if targets.is_empty() {
        return None;
    }
    let drawn = svg(&Graph { project: view.project.to_owned(), targets });
    Some(escaped!("<section class=\"picture\">\n{}</section>\n", drawn))
}

#[cfg(test)]
mod tests;
