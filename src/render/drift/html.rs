//! Drift as one HTML page that needs nothing else, with the look of a plan's page.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Markup};
use super::super::rows::place;
use super::super::{escaped, page, words};
use super::{by_help, clues, counts, headline, sentence, summary};
use crate::drift::{Class, Drift, DriftReport, TargetDrift};

/// The report as one page.
pub fn html(report: &DriftReport) -> Escaped<Markup> {
    let DriftReport { project, started, seconds: _, calls: _, targets } = report;
    let project = escape::markup(project);
    let mut out = page::begin(&escaped!("keywright drift of {}: {}", project, headline(report)));
    out.push(&escaped!("<div class=\"bar\"><header><h1>Drift of {}</h1><div class=\"chips\">\n", project));
    for class in Class::ALL {
        let number = match class {
            Class::Unreachable => targets.iter().filter(|target| target.outcome.is_err()).count(),
            _ => report.drifts().filter(|(_, drift)| drift.class == class).count(),
        };
        if number > 0 {
            out.push(&escaped!("<span class=\"chip {}\">{} {}</span>\n", tone(class), number, class.word()));
        }
    }
    let date: Escaped<Markup> = escape::time(*started, "%Y-%m-%d %H:%M UTC");
    out.push(&escaped!("<span class=\"chip faint\">looked at {}</span>\n</div>\n", date));
    out.push(&page::navigation(targets.iter().map(|target| target.name.as_str())));
    out.push(&"</header></div>\n<main>\n");
    for (at, target) in targets.iter().enumerate() {
        out.push(&section(at, target));
    }
    out.push(&page::END);
    out
}

fn section(at: usize, target: &TargetDrift) -> Escaped<Markup> {
    let TargetDrift { name, account, region, endpoint, outcome } = target;
    let endpoint = words::endpoint(endpoint.as_deref())
        .map(|endpoint| -> Escaped<Markup> { escaped!(" · <b>{}</b>", escape::markup(endpoint)) });
    let mut out = escaped!(
        "<section>\n<h2 id=\"target-{}\">{}<small>{} · {}{}</small></h2>\n",
        at,
        escape::markup(name),
        escape::markup(account.as_deref().unwrap_or("account not checked")),
        escape::markup(region),
        endpoint
    );
    match outcome {
        Err(error) => out.push(&escaped!(
            "<ul class=\"findings\"><li class=\"error\"><span><b>{}</b>: {}</span></li></ul>\n",
            Class::Unreachable.word(),
            escape::markup(&target_line(error))
        )),
        Ok(found) => {
            out.push(&escaped!("<p class=\"sum\">{}</p>\n", summary(found)));
            for class in counts(found).into_keys() {
                out.push(&class_details(class, &found.drifts));
            }
        }
    }
    out.push(&"</section>\n");
    out
}

fn class_details(class: Class, drifts: &[Drift]) -> Escaped<Markup> {
    let drifts: Vec<&Drift> = drifts.iter().filter(|drift| drift.class == class).collect();
    let mut out = escaped!(
        "<details class=\"secret {}\" open=\"open\"><summary><span class=\"name\">{}</span><span>{}</span>\
         <span class=\"place mono\">{}</span></summary><div class=\"body\">",
        tone(class),
        class.word(),
        class.meaning(),
        drifts.len()
    );
    // What can be done is told below each that it is true of.
    for (help, drifts) in by_help(&drifts) {
        out.push(&"<table>\n");
        for drift in drifts {
            out.push(&one_drift(drift));
        }
        out.push(&escaped!("</table><p class=\"sum\">{}</p>", page::with_commands(help)));
    }
    out.push(&"</div></details>\n");
    out
}

fn one_drift(drift: &Drift) -> Escaped<Markup> {
    let hints = clues(drift)
        .map(|clue| -> Escaped<Markup> { escaped!("<br /><span class=\"faint\">{}</span>", escape::markup(&clue)) });
    escaped!(
        "<tr><th>{}</th><td>{}{}</td><td class=\"at\">{}</td></tr>\n",
        escape::markup(drift.secret.as_str()),
        escape::markup(&sentence(drift)),
        hints.collect::<Escaped<Markup>>(),
        drift.origin.as_ref().map(|origin| escape::markup(&place(origin)))
    )
}

/// The class of the style sheet that a class of drift is shown with.
fn tone(class: Class) -> &'static str {
    match class {
        Class::Unreachable | Class::Missing | Class::ScheduledForDeletion | Class::ReplicaFailed => "error",
        Class::ValueChanged
        | Class::Changed
        | Class::RotationStuck
        | Class::RotationOverdue
        | Class::DanglingPrincipal => "warning",
        Class::Foreign | Class::Orphaned | Class::Unmanaged | Class::PolicyUndeclared | Class::ReplicasUndeclared => {
            "adopt"
        }
        Class::Unknown | Class::ReEncrypted | Class::AwaitingValue => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hostile, report};
    use super::*;
    use crate::render::markup_check::assert_well_formed;

    const TAGS: [&str; 26] = [
        "html", "head", "meta", "title", "style", "body", "div", "header", "h1", "span", "nav", "a", "main", "section",
        "h2", "small", "p", "details", "summary", "table", "tr", "th", "td", "br", "footer", "ul",
    ];

    fn check(report: &DriftReport) -> Escaped<Markup> {
        let text = html(report);
        assert_well_formed(&text, &[&TAGS[..], &["li", "b", "code"]].concat());
        text
    }

    #[test]
    fn a_page_shows_every_class_and_every_target() {
        let text = check(&report());
        for shown in [
            "<h1>Drift of payments</h1>",
            "1 missing</span>",
            "1 unreachable</span>",
            "href=\"#target-1\"",
            "prod/old",
            "secrets/db.yaml:4",
        ] {
            assert!(text.contains(shown), "{shown} in {text}");
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        check(&hostile());
    }
}
