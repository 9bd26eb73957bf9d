//! Findings as SARIF 2.1.0 (OASIS), for code scanning: each at the line of the secret's manifest.

use serde_json::{Value, json};

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Json};
use super::super::{explained, sarif, who};
use super::InventoryView;
use super::words::{fix, message};
use crate::desired::{AuditKind, Severity};
use crate::inventory::{AuditFinding, Entry, TargetInventory};

/// The rule under which a target is told that could not be looked at.
const UNREACHABLE: &str = "unreachable";

/// The findings as a SARIF log.
pub fn sarif(view: &InventoryView<'_>) -> Escaped<Json> {
    let mut rules: Vec<Value> = AuditKind::ALL.iter().map(|kind| rule(*kind)).collect();
    rules.push(json!({
        "id": UNREACHABLE,
        "shortDescription": { "text": "A target could not be looked at." },
        "help": { "text": explained::plain(UNREACHABLE) },
        "defaultConfiguration": { "level": "error" },
    }));
    let mut results = Vec::new();
    for target in &view.inventory.targets {
        match &target.outcome {
            Ok(stock) => {
                let found =
                    stock.entries.iter().flat_map(|entry| entry.findings.iter().map(move |finding| (entry, finding)));
                results.extend(found.map(|(entry, finding)| result(view, target, entry, finding)));
            }
            Err(error) => results.push(json!({
                "ruleId": UNREACHABLE,
                "ruleIndex": AuditKind::ALL.len(),
                "level": "error",
                "message": { "text": format!(
                    "{} could not be looked at: {}", escape::line(&target.name), target_line(error)
                ) },
                "locations": [{ "physicalLocation": sarif::place(view.folder, None) }],
                "partialFingerprints": sarif::fingerprint(PRINT, &[&view.inventory.project, &target.name, UNREACHABLE]),
            })),
        }
    }
    sarif::log(&rules, &results)
}

/// The name of the fingerprints.
const PRINT: &str = "keywrightInventory/v1";

fn rule(kind: AuditKind) -> Value {
    let checks: Vec<String> = kind.checks().iter().map(|check| format!("{} {}", check.tool, check.id)).collect();
    json!({
        "id": kind.word(),
        "shortDescription": { "text": kind.meaning() },
        "help": { "text": explained::plain(kind.word()) },
        "defaultConfiguration": { "level": level(kind.severity()) },
        "properties": { "tags": checks },
    })
}

fn result(view: &InventoryView<'_>, target: &TargetInventory, entry: &Entry, finding: &AuditFinding) -> Value {
    let (kind, name, inventory) = (finding.kind(), entry.secret.name.as_str(), view.inventory);
    let mut text = escape::line(&format!("{name} {} ({})", message(finding, inventory), target.name)).into_owned();
    for line in finding.who.iter().flat_map(who::lines) {
        text.push_str("\nwho: ");
        text.push_str(&escape::line(&line));
    }
    text.push_str("\nhelp: ");
    text.push_str(&escape::line(&fix(finding, target, entry, &inventory.rules)));
    let place = sarif::place(view.folder, entry.manifest.as_ref());
    json!({
        "ruleId": kind.word(),
        "ruleIndex": AuditKind::ALL.iter().position(|other| *other == kind),
        "level": level(kind.severity()),
        "message": { "text": text },
        "locations": sarif::locations(&place, &target.name, name),
        "partialFingerprints": sarif::fingerprint(
            PRINT,
            &[&inventory.project, &target.name, kind.word(), name, &nth(entry, finding)],
        ),
    })
}

/// Which of several findings of one kind it is.
fn nth(entry: &Entry, finding: &AuditFinding) -> String {
    let alike = entry.findings.iter().filter(|other| other.kind() == finding.kind());
    let before = alike.take_while(|other| *other != finding).count();
    (before + 1).to_string()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}
