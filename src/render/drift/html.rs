//! Drift as one HTML page that needs nothing else, with the look of a plan's page.

use std::fmt::Write as _;

use super::super::error::target_line;
use super::super::rows::place;
use super::super::{escape, page};
use super::{counts, headline, sentence, summary};
use crate::drift::{Class, Drift, DriftReport, TargetDrift};

/// The report as one page.
pub fn html(report: &DriftReport) -> String {
    let DriftReport { project, started, seconds: _, calls: _, targets } = report;
    let project = escape::markup(project);
    let mut out = page::begin(&format!("keywright drift of {project}: {}", headline(report)));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<div class=\"bar\"><header><h1>Drift of {project}</h1><div class=\"chips\">");
    for class in Class::ALL {
        let number = match class {
            Class::Unreachable => targets.iter().filter(|target| target.outcome.is_err()).count(),
            _ => report.drifts().filter(|(_, drift)| drift.class == class).count(),
        };
        if number > 0 {
            let _ = writeln!(out, "<span class=\"chip {}\">{number} {class}</span>", tone(class));
        }
    }
    let date = started.strftime("%Y-%m-%d %H:%M UTC");
    let _ = writeln!(out, "<span class=\"chip faint\">looked at {date}</span>\n</div>");
    out.push_str(&page::navigation(targets.iter().map(|target| target.name.as_str())));
    out.push_str("</header></div>\n<main>\n");
    for (at, target) in targets.iter().enumerate() {
        section(&mut out, at, target);
    }
    out.push_str(page::END);
    out
}

fn section(out: &mut String, at: usize, target: &TargetDrift) {
    let TargetDrift { name, account, region, outcome } = target;
    let _ = writeln!(
        out,
        "<section>\n<h2 id=\"target-{at}\">{}<small>{} · {}</small></h2>",
        escape::markup(name),
        escape::markup(account.as_deref().unwrap_or("account not checked")),
        escape::markup(region)
    );
    match outcome {
        Err(error) => {
            let error = escape::markup(&target_line(error));
            let _ = writeln!(
                out,
                "<ul class=\"findings\"><li class=\"error\"><span><b>{}</b>: {error}</span></li></ul>",
                Class::Unreachable
            );
        }
        Ok(found) => {
            let _ = writeln!(out, "<p class=\"sum\">{}</p>", summary(found));
            for class in counts(found).into_keys().collect::<Vec<_>>() {
                class_details(out, class, &found.drifts);
            }
        }
    }
    out.push_str("</section>\n");
}

fn class_details(out: &mut String, class: Class, drifts: &[Drift]) {
    let drifts: Vec<&Drift> = drifts.iter().filter(|drift| drift.class == class).collect();
    let _ = writeln!(
        out,
        "<details class=\"secret {}\" open=\"open\"><summary><span class=\"name\">{class}</span><span>{}</span>\
         <span class=\"place mono\">{}</span></summary><div class=\"body\"><table>",
        tone(class),
        class.meaning(),
        drifts.len()
    );
    for drift in &drifts {
        let at = drift.origin.as_ref().map(place).unwrap_or_default();
        let hints: String = drift
            .hints
            .iter()
            .map(|hint| format!("<br /><span class=\"faint\">{}</span>", escape::markup(hint)))
            .collect();
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}{hints}</td><td class=\"at\">{}</td></tr>",
            escape::markup(drift.secret.as_str()),
            escape::markup(&sentence(drift)),
            escape::markup(&at)
        );
    }
    out.push_str("</table>");
    if let Some(help) = drifts.iter().find_map(|drift| drift.help) {
        let _ = write!(out, "<p class=\"sum\">{}</p>", page::with_commands(help));
    }
    out.push_str("</div></details>\n");
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
        Class::Foreign | Class::Orphaned | Class::Unmanaged | Class::PolicyUndeclared => "adopt",
        Class::Unknown | Class::ReEncrypted => "note",
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

    fn check(report: &DriftReport) -> String {
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
