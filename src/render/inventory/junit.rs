//! Findings as JUnit XML: a suite for each target, a case for each kind.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Markup};
use super::super::{count, escaped, who};
use super::InventoryView;
use super::words::{fix, message};
use crate::desired::AuditKind;
use crate::inventory::{AuditFinding, Entry, Stock, TargetInventory};

/// The findings as JUnit XML. A kind that `--fail-on` does not name is a skipped case; a target that could not be
/// looked at is one case with an error.
pub fn junit(view: &InventoryView<'_>) -> Escaped<Markup> {
    let inventory = view.inventory;
    let suites: Vec<Suite> = inventory.targets.iter().map(|target| Suite::of(view, target)).collect();
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    let mut out = escaped!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"keywright inventory of {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
        escape::markup(&inventory.project),
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
        escape::decimal::<Markup>(inventory.seconds, 3)
    );
    let date: Escaped<Markup> = escape::time(inventory.started, "%Y-%m-%dT%H:%M:%S");
    for (suite, target) in suites.iter().zip(&inventory.targets) {
        let Suite { tests, failures, errors, skipped, cases } = suite;
        let counts: Escaped<Markup> =
            escaped!("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", *tests, *failures, *errors, *skipped);
        out.push(&escaped!(
            "  <testsuite name=\"{}\" {} timestamp=\"{}\">\n{}  </testsuite>\n",
            escape::markup(&target.name),
            counts,
            date,
            cases
        ));
    }
    out.push(&"</testsuites>\n");
    out
}

#[derive(Default)]
struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    cases: Escaped<Markup>,
}

impl Suite {
    fn of(view: &InventoryView<'_>, target: &TargetInventory) -> Self {
        let mut suite = Self::default();
        let classname = escape::markup(&format!("keywright.{}.{}", view.inventory.project, target.name));
        let stock = match &target.outcome {
            Ok(stock) => stock,
            Err(error) => {
                let error = escape::markup(&target_line(error));
                let result = escaped!("<error type=\"unreachable\" message=\"{}\">{}</error>", error, error);
                suite.add(&classname, "unreachable", Some(result));
                suite.errors += 1;
                return suite;
            }
        };
        for kind in AuditKind::ALL {
            let found = found(stock, kind);
            if !view.fails(kind) {
                let found = count(found.len(), "secret");
                let result = escaped!("<skipped message=\"--fail-on does not name it; {}\"/>", found);
                suite.add(&classname, kind.word(), Some(result));
                suite.skipped += 1;
            } else if found.is_empty() {
                suite.add(&classname, kind.word(), None);
            } else {
                suite.add(&classname, kind.word(), Some(failure(view, target, kind, &found)));
                suite.failures += 1;
            }
        }
        suite
    }

    fn add(&mut self, classname: &Escaped<Markup>, name: &'static str, result: Option<Escaped<Markup>>) {
        self.tests += 1;
        let case: Escaped<Markup> = escaped!("<testcase classname=\"{}\" name=\"{}\"", classname, name);
        self.cases.push(&match result {
            None => escaped!("    {}/>\n", case),
            Some(result) => escaped!("    {}>{}</testcase>\n", case, result),
        });
    }
}

fn found(stock: &Stock, kind: AuditKind) -> Vec<(&Entry, &AuditFinding)> {
    let all = stock.entries.iter().flat_map(|entry| entry.findings.iter().map(move |finding| (entry, finding)));
    all.filter(|(_, finding)| finding.kind() == kind).collect()
}

fn failure(
    view: &InventoryView<'_>,
    target: &TargetInventory,
    kind: AuditKind,
    found: &[(&Entry, &AuditFinding)],
) -> Escaped<Markup> {
    let lines = found.iter().map(|(entry, finding)| {
        let fix = fix(finding, target, entry, &view.inventory.rules);
        let who: String = finding.who.iter().flat_map(who::lines).map(|line| format!("; {line}")).collect();
        escape::markup(&format!("{} {}{who}; {fix}", entry.secret.name, message(finding, view.inventory)))
    });
    escaped!(
        "<failure type=\"{}\" message=\"{}: {}\">{}</failure>",
        kind.word(),
        count(found.len(), "secret"),
        escape::markup(kind.meaning()),
        Escaped::join(lines, "\n")
    )
}
