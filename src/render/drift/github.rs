//! Drift as annotations of GitHub workflows: `::warning file=...,line=...::message`.

use super::super::annotations::{SHOWN, hidden_notice};
use super::super::error::target_line;
use super::super::escape::{self, Escaped, Workflow};
use super::super::escaped;
use super::sarif::level;
use super::{DriftView, clues, help, sentence};
use crate::drift::{Class, Drift};
use crate::sort_few::SortFew as _;

/// How loud an annotation is, the loudest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Command {
    Error,
    Warning,
    Notice,
}

impl Command {
    /// As SARIF has it; a class that `--fail-on` leaves out is a notice.
    fn of(class: Class, view: &DriftView<'_>) -> Self {
        match (view.counts(class), level(class)) {
            (false, _) => Self::Notice,
            (true, "error") => Self::Error,
            (true, _) => Self::Warning,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One workflow command for each drift, the worst first: GitHub shows ten of a kind for a step. Where there are more,
/// the first notice says how many are hidden.
pub fn github(view: &DriftView<'_>) -> Escaped<Workflow> {
    let mut lines: Vec<(Command, Escaped<Workflow>)> = Vec::new();
    for target in &view.report.targets {
        if let Err(error) = &target.outcome {
            let text = format!("{} could not be looked at: {}", target.name, target_line(error));
            let message = escape::workflow_message(&[text]);
            lines.push((Command::Error, escaped!("::error title={}::{}\n", title(Class::Unreachable), message)));
        }
    }
    for class in Class::ALL.into_iter().filter(|class| view.annotates(*class)) {
        let command = Command::of(class, view);
        for (target, drift) in view.report.drifts().filter(|(_, drift)| drift.class == class) {
            let Drift { class: _, secret, origin, what: _, hints: _, since: _, who: _ } = drift;
            let file = origin.as_ref().map(|origin| -> Escaped<Workflow> {
                let file = escape::workflow_property(&format!("{}{}", view.folder, origin.file));
                escaped!("file={},line={},col={},", file, origin.line, origin.column)
            });
            let mut text = vec![format!("{secret} {} ({})", sentence(drift), target.name)];
            text.extend(clues(drift).map(|clue| format!("hint: {clue}")));
            text.push(format!("help: {}", help(drift)));
            let message = escape::workflow_message(&text);
            lines.push((command, escaped!("::{} {}title={}::{}\n", command.word(), file, title(class), message)));
        }
    }
    lines.sort_few_by_key(|(command, _)| *command);
    let hidden = hidden(&lines);
    let at = lines.iter().position(|(command, _)| *command == Command::Notice).unwrap_or(lines.len());
    let mut out: Escaped<Workflow> = lines[..at].iter().map(|(_, line)| line).collect();
    if hidden > 0 {
        out.push(&hidden_notice("keywright drift", &format!("{} findings", lines.len()), hidden));
    }
    let notices: Escaped<Workflow> = lines[at..].iter().map(|(_, line)| line).collect();
    out.push(&notices);
    out
}

/// How many lines GitHub will not show. One of the notices is the line that says so.
fn hidden(lines: &[(Command, Escaped<Workflow>)]) -> usize {
    let of = |wanted: Command| lines.iter().filter(|(command, _)| *command == wanted).count();
    let [errors, warnings, notices] = [Command::Error, Command::Warning, Command::Notice].map(of);
    let loud = errors.saturating_sub(SHOWN) + warnings.saturating_sub(SHOWN);
    let all_fit = loud == 0 && notices <= SHOWN;
    if all_fit { 0 } else { loud + notices.saturating_sub(SHOWN - 1) }
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
        let counted = ["::error ", "::warning ", "::notice "].map(|command| text.matches(command).count());
        assert_eq!(counted, [2, 0, 2], "unreachable and missing are errors: {text}");
    }

    #[test]
    fn no_line_begins_another_command() {
        let hostile = hostile();
        let lines = hostile.drifts().count() + 1;
        let text = github(&view(&hostile));
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.lines().all(|line| line.starts_with("::warning ") || line.starts_with("::error ")), "{text}");
    }

    #[test]
    fn the_worst_comes_first_and_what_github_hides_is_counted() {
        let mut many = report();
        let Some(Ok(found)) = many.targets.first_mut().map(|target| &mut target.outcome) else { unreachable!() };
        let changed = found.drifts.iter().find(|drift| drift.class == Class::Changed).cloned();
        let changed = changed.into_iter().next().unwrap_or_else(|| unreachable!());
        found.drifts.extend(std::iter::repeat_n(changed.clone(), 15));
        found.drifts.push(Drift { class: Class::Missing, ..changed });
        let text = github(&view(&many));
        let warning = text.find("::warning ").unwrap_or_default();
        assert!(text.rfind("::error ").is_some_and(|error| error < warning), "{text}");
        assert_eq!(text.matches("::error ").count(), 3, "unreachable and two that are missing: {text}");
        let warnings = text.matches("::warning ").count();
        let said = format!("hides {} of them", warnings - 10);
        assert!(text.contains(&said), "{said}: {text}");
    }
}
