//! Drift as SARIF 2.1.0 (OASIS), for code scanning: each drift at the line of the manifest that it differs from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Json};
use super::super::{explained, sarif};
use super::{DriftView, clues, help, sentence};
use crate::drift::{Class, Drift, TargetDrift};

/// The report as a SARIF log.
pub fn sarif(view: &DriftView<'_>) -> Escaped<Json> {
    let rules: Vec<Value> = Class::ALL
        .iter()
        .map(|class| {
            json!({
                "id": class.word(),
                "shortDescription": { "text": class.meaning() },
                "help": { "text": explained::plain(class.word()) },
                "defaultConfiguration": { "level": level(*class) },
            })
        })
        .collect();
    let mut results = Vec::new();
    let mut seen = BTreeMap::new();
    for target in &view.report.targets {
        let TargetDrift { name, account: _, region: _, endpoint: _, outcome } = target;
        match outcome {
            Ok(found) => {
                let drifts = found.drifts.iter().filter(|drift| view.annotates(drift.class));
                results.extend(drifts.map(|drift| result(view, name, drift, &mut seen)));
            }
            Err(error) => results.push(unreachable(view, name, &target_line(error), &mut seen)),
        }
    }
    sarif::log(&rules, &results)
}

/// How often a class of a secret was met already: several drifts of it have different fingerprints.
type Seen = BTreeMap<(String, Class, String), usize>;

fn result(view: &DriftView<'_>, target: &str, drift: &Drift, seen: &mut Seen) -> Value {
    let Drift { class, secret, origin, what: _, hints: _, since: _, who: _ } = drift;
    let mut text = escape::line(&format!("{secret} {} ({target})", sentence(drift))).into_owned();
    for clue in clues(drift) {
        text.push_str("\nhint: ");
        text.push_str(&escape::line(&clue));
    }
    text.push_str("\nhelp: ");
    text.push_str(help(drift));
    let place = sarif::place(view.folder, origin.as_ref());
    json!({
        "ruleId": class.word(),
        "ruleIndex": Class::ALL.iter().position(|other| other == class),
        "level": level(*class),
        "message": { "text": text },
        "locations": sarif::locations(&place, target, secret.as_str()),
        "partialFingerprints": fingerprints(view, target, *class, secret.as_str(), seen),
    })
}

fn unreachable(view: &DriftView<'_>, target: &str, error: &str, seen: &mut Seen) -> Value {
    let class = Class::Unreachable;
    let place = sarif::place(view.folder, None);
    json!({
        "ruleId": class.word(),
        "ruleIndex": Class::ALL.iter().position(|other| *other == class),
        "level": level(class),
        "message": { "text": format!("{} could not be looked at: {}", escape::line(target), escape::line(error)) },
        "locations": [{ "physicalLocation": place }],
        "partialFingerprints": fingerprints(view, target, class, "", seen),
    })
}

/// What stays the same from run to run: no line, no date, no words that may be told better some day.
fn fingerprints(view: &DriftView<'_>, target: &str, class: Class, secret: &str, seen: &mut Seen) -> Value {
    let nth = seen.entry((target.to_owned(), class, secret.to_owned())).or_default();
    *nth += 1;
    let nth = nth.to_string();
    sarif::fingerprint("keywrightDrift/v1", &[view.report.project.as_str(), target, class.word(), secret, &nth])
}

pub(super) fn level(class: Class) -> &'static str {
    match class {
        Class::Unreachable
        | Class::ValueChanged
        | Class::Missing
        | Class::ScheduledForDeletion
        | Class::RotationStuck
        | Class::ReplicaFailed => "error",
        Class::Changed | Class::RotationOverdue | Class::DanglingPrincipal | Class::Foreign | Class::Orphaned => {
            "warning"
        }
        Class::Unmanaged
        | Class::PolicyUndeclared
        | Class::ReplicasUndeclared
        | Class::ReEncrypted
        | Class::AwaitingValue
        | Class::Unknown => "note",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]
mod tests {
    use super::super::samples::{hostile, report, view};
    use super::*;
    use crate::drift::{Difference, DriftReport};

    fn results(report: &DriftReport) -> Vec<Value> {
        let log: Value = serde_json::from_str(&sarif(&DriftView { folder: "infra/", ..view(report) })).unwrap();
        log["runs"][0]["results"].as_array().unwrap().clone()
    }

    #[test]
    fn a_drift_points_at_its_manifest_and_an_orphan_at_the_project() {
        let results = results(&report());
        let place = |rule: &str| {
            let result = results.iter().find(|result| result["ruleId"] == rule).unwrap();
            result["locations"][0]["physicalLocation"].clone()
        };
        assert_eq!(place("changed")["artifactLocation"]["uri"], "infra/secrets/db.yaml");
        assert_eq!(place("changed")["region"]["startLine"], 4);
        assert_eq!(place("orphaned")["artifactLocation"]["uri"], "infra/keywright.yaml");
        assert_eq!(place("orphaned")["region"]["startLine"], 1);
        assert_eq!(place("unreachable")["artifactLocation"]["uri"], "infra/keywright.yaml");
    }

    #[test]
    fn fingerprints_stay_when_lines_and_words_change_and_differ_from_each_other() {
        let prints = |report: &DriftReport| -> Vec<Value> {
            results(report).iter().map(|result| result["partialFingerprints"]["keywrightDrift/v1"].clone()).collect()
        };
        let before = prints(&report());
        let mut moved = report();
        for drift in &mut moved.targets[0].outcome.as_mut().unwrap().drifts {
            drift.what = Difference::PolicyUndeclared;
            drift.hints.clear();
            drift.origin = None;
        }
        assert_eq!(prints(&moved), before);
        let mut different = before.iter().map(|print| print.as_str().unwrap()).collect::<Vec<_>>();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), before.len());
    }

    #[test]
    fn hostile_text_is_escaped() {
        let text = sarif(&view(&hostile()));
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || escape::is_deceptive(c)), "{text}");
    }
}
