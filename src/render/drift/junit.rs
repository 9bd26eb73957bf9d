//! Drift as JUnit XML: a suite for each target, a case for each class.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Markup};
use super::super::junit::{self, Suite};
use super::super::{count, escaped};
use super::{DriftView, clues, help, sentence};
use crate::drift::{Class, Drift, DriftReport, TargetDrift};

/// The report as JUnit XML. A class that `--fail-on` leaves out is a skipped case; a target that could not be looked at
/// is one case with an error.
pub fn junit(view: &DriftView<'_>) -> Escaped<Markup> {
    let DriftReport { project, started, seconds, calls: _, targets } = view.report;
    let suites: Vec<Suite<'_>> = targets.iter().map(|target| suite(target, view)).collect();
    junit::document("drift", project, &suites, *started, *seconds)
}

fn suite<'a>(target: &'a TargetDrift, view: &DriftView<'_>) -> Suite<'a> {
    let TargetDrift { name, account: _, region: _, endpoint: _, outcome } = target;
    let mut suite = Suite::new(&view.report.project, name);
    let found = match outcome {
        Ok(found) => found,
        Err(error) => return suite.unreachable(&target_line(error)),
    };
    for class in Class::ALL {
        let drifts: Vec<&Drift> = found.drifts.iter().filter(|drift| drift.class == class).collect();
        if !view.counts(class) {
            let why = if view.fail_on.is_empty() { "it does not count" } else { "--fail-on leaves it out" };
            suite.skipped(class.word(), &escaped!("{}; {}", why, count(drifts.len(), "drift")));
        } else if drifts.is_empty() {
            suite.passed(class.word());
        } else {
            let lines = Escaped::join(drifts.iter().map(|drift| escape::markup(&line(drift))), "\n");
            suite.failed(class.word(), &message(&drifts), &lines);
        }
    }
    suite
}

fn message(drifts: &[&Drift]) -> Escaped<Markup> {
    escape::markup(&match drifts {
        [one] => format!("{} {}", one.secret, sentence(one)),
        [first, ..] => format!("{}, such as {}", count(drifts.len(), "secret"), first.secret),
        [] => String::new(),
    })
}

/// `prod/db differs in description (secrets/db.yaml:4); last changed …`.
fn line(drift: &Drift) -> String {
    let at = drift.origin.as_ref().map_or_else(String::new, |origin| format!(" ({}:{})", origin.file, origin.line));
    let mut parts = vec![format!("{} {}{at}", drift.secret, sentence(drift))];
    parts.extend(clues(drift));
    parts.push(help(drift).to_owned());
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hostile, report, view};
    use super::*;
    use crate::render::markup_check::assert_well_formed;

    const TAGS: [&str; 6] = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped"];

    #[test]
    fn a_class_is_a_case_and_a_dead_target_an_error() {
        let text = junit(&view(&report()));
        assert!(text.contains("<testcase classname=\"keywright.payments.prod\" name=\"missing\">"), "{text}");
        assert!(text.contains("name=\"replica-failed\"/>"), "{text}");
        assert!(
            text.contains("<testsuite name=\"west\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\""),
            "{text}"
        );
        assert!(
            text.contains(&format!("<testsuite name=\"prod\" tests=\"{}\" failures=\"3\"", Class::ALL.len())),
            "{text}"
        );
    }

    #[test]
    fn a_class_that_does_not_count_is_skipped() {
        let report = report();
        let text = junit(&DriftView { fail_on: &[Class::Missing], ..view(&report) });
        assert_eq!(text.matches("<failure ").count(), 1, "{text}");
        assert!(text.contains("name=\"changed\"><skipped message=\"--fail-on leaves it out; 1 drift\"/>"), "{text}");
    }

    #[test]
    fn hostile_text_stays_text() {
        let text = junit(&view(&hostile()));
        assert_well_formed(
            text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap_or_default(),
            &TAGS,
        );
    }
}
