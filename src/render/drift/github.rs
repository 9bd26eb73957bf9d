//! Drift as annotations of GitHub workflows: `::warning file=...,line=...::message`.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Workflow};
use super::super::escaped;
use super::{DriftView, clues, help, sentence};
use crate::drift::{Class, Drift};

/// One workflow command for each drift, what needs somebody first, first: GitHub shows ten of a kind for a step. A
/// target that could not be looked at is an error; a class that `--fail-on` leaves out is a notice.
pub fn github(view: &DriftView<'_>) -> Escaped<Workflow> {
    let mut out = Escaped::default();
    for target in &view.report.targets {
        if let Err(error) = &target.outcome {
            let text = format!("{} could not be looked at: {}", target.name, target_line(error));
            let message = escape::workflow_message(&[text]);
            out.push(&escaped!("::error title={}::{}\n", title(Class::Unreachable), message));
        }
    }
    for class in Class::ALL {
        let command = if view.counts(class) { "warning" } else { "notice" };
        for (target, drift) in view.report.drifts().filter(|(_, drift)| drift.class == class) {
            let Drift { class: _, secret, origin, what: _, hints: _, since: _ } = drift;
            let file = origin.as_ref().map(|origin| -> Escaped<Workflow> {
                let file = escape::workflow_property(&format!("{}{}", view.folder, origin.file));
                escaped!("file={},line={},col={},", file, origin.line, origin.column)
            });
            let mut text = vec![format!("{secret} {} ({})", sentence(drift), target.name)];
            text.extend(clues(drift).map(|clue| format!("hint: {clue}")));
            text.push(format!("help: {}", help(drift)));
            let message = escape::workflow_message(&text);
            out.push(&escaped!("::{} {}title={}::{}\n", command, file, title(class), message));
        }
    }
    out
}

fn title(class: Class) -> Escaped<Workflow> {
    escape::workflow_property(&format!("keywright drift: {class}"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hostile, report, view};
    use super::*;

    #[test]
    fn a_drift_is_annotated_where_its_manifest_is() {
        let report = report();
        let text = github(&DriftView { folder: "infra/", ..view(&report) });
        let title = "title=keywright drift%3A changed";
        assert!(
            text.contains(&format!(
                "::warning file=infra/secrets/db.yaml,line=4,col=9,{title}::prod/db differs in description (prod)%0A"
            )),
            "{text}"
        );
        assert!(
            text.starts_with("::error title=keywright drift%3A unreachable::west could not be looked at"),
            "{text}"
        );
        assert!(text.contains("::warning title=keywright drift%3A orphaned::prod/old "), "{text}");
    }

    #[test]
    fn a_class_that_does_not_count_is_a_notice() {
        let report = report();
        let text = github(&DriftView { fail_on: &[Class::Missing], ..view(&report) });
        assert_eq!((text.matches("::warning ").count(), text.matches("::notice ").count()), (1, 2), "{text}");
    }

    #[test]
    fn no_line_begins_another_command() {
        let hostile = hostile();
        let lines = hostile.drifts().count() + 1;
        let text = github(&view(&hostile));
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.lines().all(|line| line.starts_with("::warning ") || line.starts_with("::error ")), "{text}");
    }
}
