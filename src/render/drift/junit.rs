//! Drift as JUnit XML, which most CI systems show as test results: a suite for each target, a case for each class.

use std::fmt::Write as _;

use super::super::error::target_line;
use super::super::{escape, words};
use super::{DriftView, sentence};
use crate::drift::{Class, Drift, DriftReport, TargetDrift};

/// The report as JUnit XML. A class that `--fail-on` leaves out is a skipped case; a target that could not be looked at
/// is one case with an error.
pub fn junit(view: &DriftView<'_>) -> String {
    let DriftReport { project, started, seconds, calls: _, targets } = view.report;
    let suites: Vec<Suite> = targets.iter().map(|target| suite(target, view)).collect();
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"keywright drift of {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{seconds:.3}\">",
        escape::markup(project),
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
    );
    for (suite, target) in suites.iter().zip(targets) {
        let Suite { tests, failures, errors, skipped, cases } = suite;
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
             timestamp=\"{}\">\n{cases}  </testsuite>",
            escape::markup(&target.name),
            started.strftime("%Y-%m-%dT%H:%M:%S"),
        );
    }
    out.push_str("</testsuites>\n");
    out
}

#[derive(Default)]
struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    cases: String,
}

fn suite(target: &TargetDrift, view: &DriftView<'_>) -> Suite {
    let TargetDrift { name, account: _, region: _, outcome } = target;
    let mut suite = Suite::default();
    let classname = format!("keywright.{}.{}", view.report.project, name);
    let classname = escape::markup(&classname);
    let found = match outcome {
        Ok(found) => found,
        Err(error) => {
            let error = escape::markup(&target_line(error));
            suite.add(
                &classname,
                Class::Unreachable,
                &format!("<error type=\"unreachable\" message=\"{error}\">{error}</error>"),
            );
            suite.errors += 1;
            return suite;
        }
    };
    for class in Class::ALL {
        let drifts: Vec<&Drift> = found.drifts.iter().filter(|drift| drift.class == class).collect();
        if !view.counts(class) {
            let why = if view.fail_on.is_empty() { "it does not count" } else { "--fail-on leaves it out" };
            let message = format!("{why}; {}", words::count(drifts.len(), "drift"));
            suite.add(&classname, class, &format!("<skipped message=\"{message}\"/>"));
            suite.skipped += 1;
        } else if drifts.is_empty() {
            suite.add(&classname, class, "");
        } else {
            let message = match drifts.as_slice() {
                [one] => format!("{} {}", one.secret, sentence(one)),
                [first, ..] => format!("{}, such as {}", words::count(drifts.len(), "secret"), first.secret),
                [] => String::new(),
            };
            let lines: Vec<String> = drifts.iter().map(|drift| escape::markup(&line(drift))).collect();
            let message = escape::markup(&message);
            suite.add(
                &classname,
                class,
                &format!("<failure type=\"{class}\" message=\"{message}\">{}</failure>", lines.join("\n")),
            );
            suite.failures += 1;
        }
    }
    suite
}

impl Suite {
    /// Adds a case; `result` is markup already.
    fn add(&mut self, classname: &str, class: Class, result: &str) {
        self.tests += 1;
        let _ = if result.is_empty() {
            writeln!(self.cases, "    <testcase classname=\"{classname}\" name=\"{class}\"/>")
        } else {
            writeln!(self.cases, "    <testcase classname=\"{classname}\" name=\"{class}\">{result}</testcase>")
        };
    }
}

/// `prod/db differs in description (secrets/db.yaml:4); last changed …`.
fn line(drift: &Drift) -> String {
    let at = drift.origin.as_ref().map_or_else(String::new, |origin| format!(" ({}:{})", origin.file, origin.line));
    let mut parts = vec![format!("{} {}{at}", drift.secret, sentence(drift))];
    parts.extend(drift.hints.iter().cloned());
    parts.extend(drift.help.map(str::to_owned));
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
