//! JUnit XML, which most CI systems show as test results: what all reports of keywright have in common.

use jiff::Timestamp;

use super::escape::{self, Escaped, Markup};
use super::escaped;

/// The name of the one case of a target that could not be looked at.
const UNREACHABLE: &str = "unreachable";

/// The cases of one target.
pub(super) struct Suite<'a> {
    name: &'a str,
    /// `keywright.PROJECT.TARGET`.
    classname: Escaped<Markup>,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    cases: Escaped<Markup>,
}

impl<'a> Suite<'a> {
    pub(super) fn new(project: &str, target: &'a str) -> Self {
        let classname = escape::markup(&format!("keywright.{project}.{target}"));
        Self { name: target, classname, tests: 0, failures: 0, errors: 0, skipped: 0, cases: Escaped::default() }
    }

    /// The suite of a target that could not be looked at, and why.
    pub(super) fn unreachable(mut self, error: &str) -> Self {
        let error = escape::markup(error);
        self.add(
            UNREACHABLE,
            Some(escaped!("<error type=\"{}\" message=\"{}\">{}</error>", UNREACHABLE, error, error)),
        );
        self.errors += 1;
        self
    }

    pub(super) fn passed(&mut self, case: &'static str) {
        self.add(case, None);
    }

    /// A case that does not count, and why.
    pub(super) fn skipped(&mut self, case: &'static str, why: &Escaped<Markup>) {
        self.add(case, Some(escaped!("<skipped message=\"{}\"/>", why)));
        self.skipped += 1;
    }

    /// A case with what was found, and how more is said of it.
    pub(super) fn failed(&mut self, case: &'static str, message: &Escaped<Markup>, lines: &Escaped<Markup>) {
        let asked: Escaped<Markup> = escaped!("keywright explain {} says what causes this and what mends it", case);
        self.add(
            case,
            Some(escaped!("<failure type=\"{}\" message=\"{}\">{}\n{}</failure>", case, message, lines, asked)),
        );
        self.failures += 1;
    }

    fn add(&mut self, case: &'static str, result: Option<Escaped<Markup>>) {
        self.tests += 1;
        let case: Escaped<Markup> = escaped!("<testcase classname=\"{}\" name=\"{}\"", self.classname, case);
        self.cases.push(&match result {
            None => escaped!("    {}/>\n", case),
            Some(result) => escaped!("    {}>{}</testcase>\n", case, result),
        });
    }
}

/// The whole document: `keywright WHAT of PROJECT`.
pub(super) fn document(
    what: &'static str,
    project: &str,
    suites: &[Suite<'_>],
    started: Timestamp,
    seconds: f64,
) -> Escaped<Markup> {
    let sum = |of: fn(&Suite<'_>) -> usize| suites.iter().map(of).sum::<usize>();
    let mut out = escaped!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"keywright {} of {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
        what,
        escape::markup(project),
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
        escape::decimal::<Markup>(seconds, 3)
    );
    let date: Escaped<Markup> = escape::time(started, "%Y-%m-%dT%H:%M:%S");
    for Suite { name, classname: _, tests, failures, errors, skipped, cases } in suites {
        let counts: Escaped<Markup> =
            escaped!("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", *tests, *failures, *errors, *skipped);
        out.push(&escaped!(
            "  <testsuite name=\"{}\" {} timestamp=\"{}\">\n{}  </testsuite>\n",
            escape::markup(name),
            counts,
            date,
            cases
        ));
    }
    out.push(&"</testsuites>\n");
    out
}
