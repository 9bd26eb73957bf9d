//! Findings as JUnit XML: a suite for each target, a case for each kind.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Markup};
use super::super::junit::{self, Suite};
use super::super::{count, escaped, who};
use super::InventoryView;
use super::words::{fix, message};
use crate::desired::AuditKind;
use crate::inventory::{AuditFinding, Entry, Stock, TargetInventory};

/// The findings as JUnit XML. A kind that `--fail-on` does not name is a skipped case; a target that could not be
/// looked at is one case with an error.
pub fn junit(view: &InventoryView<'_>) -> Escaped<Markup> {
    let inventory = view.inventory;
    let suites: Vec<Suite<'_>> = inventory.targets.iter().map(|target| suite(view, target)).collect();
    junit::document("inventory", &inventory.project, &suites, inventory.started, inventory.seconds)
}

fn suite<'a>(view: &InventoryView<'_>, target: &'a TargetInventory) -> Suite<'a> {
    let mut suite = Suite::new(&view.inventory.project, &target.name);
    let stock = match &target.outcome {
        Ok(stock) => stock,
        Err(error) => return suite.unreachable(&target_line(error)),
    };
    for kind in AuditKind::ALL {
        let found = found(stock, kind);
        if !view.fails(kind) {
            let why = escaped!("--fail-on does not name it; {}", count(found.len(), "secret"));
            suite.skipped(kind.word(), &why);
        } else if found.is_empty() {
            suite.passed(kind.word());
        } else {
            let message = escaped!("{}: {}", count(found.len(), "secret"), escape::markup(kind.meaning()));
            suite.failed(kind.word(), &message, &lines(view, target, &found));
        }
    }
    suite
}

fn found(stock: &Stock, kind: AuditKind) -> Vec<(&Entry, &AuditFinding)> {
    let all = stock.entries.iter().flat_map(|entry| entry.findings.iter().map(move |finding| (entry, finding)));
    all.filter(|(_, finding)| finding.kind() == kind).collect()
}

fn lines(view: &InventoryView<'_>, target: &TargetInventory, found: &[(&Entry, &AuditFinding)]) -> Escaped<Markup> {
    let lines = found.iter().map(|(entry, finding)| {
        let fix = fix(finding, target, entry, &view.inventory.rules);
        let who: String = finding.who.iter().flat_map(who::lines).map(|line| format!("; {line}")).collect();
        escape::markup(&format!("{} {}{who}; {fix}", entry.secret.name, message(finding, view.inventory)))
    });
    Escaped::join(lines, "\n")
}
