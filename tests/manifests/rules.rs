//! Every rule, with the text that a user reads.

use std::collections::BTreeSet;
use std::fs;

use super::{cases, load_files};
use keywright::manifest::codes::ALL;
use keywright::render::diagnostics;

/// Rules that need more than a few files; `hostile` and `build` have tests for them.
const TESTED_BY_OTHER_TESTS: &[&str] = &[
    "file-not-utf8",
    "file-too-large",
    "file-unreadable",
    "include",
    "project-missing",
    "too-many-files",
    "too-many-problems",
    "too-many-secrets",
    "yaml-too-large",
];

/// A case: its files, and what is expected.
fn split(case: &str) -> (Vec<(String, String)>, String) {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in case.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(name) => files.push((name.trim().to_owned(), String::new())),
            None => {
                if let Some((_, text)) = files.last_mut() {
                    text.push_str(line);
                }
            }
        }
    }
    let expected = files.pop().map(|(_, text)| text).unwrap_or_default();
    (files, expected)
}

#[test]
fn every_case_reads_as_expected() {
    let bless = std::env::var_os("KEYWRIGHT_BLESS").is_some();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let entries = fs::read_dir(cases()).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let case = fs::read_to_string(&path).unwrap_or_default();
        let (files, expected) = split(&case);
        let loaded = load_files(&files, &[]);
        seen.extend(loaded.diagnostics.iter().map(|found| found.code.id));
        let text = diagnostics::text(&loaded.diagnostics, false);
        assert_eq!(loaded.desired.is_empty(), loaded.diagnostics.has_errors(), "{}", path.display());
        if text.as_str() != expected {
            if bless {
                let kept = case.rfind("=== expected").and_then(|at| case.get(..at)).unwrap_or_default();
                assert!(fs::write(&path, format!("{kept}=== expected\n{text}")).is_ok());
            }
            wrong.push(format!("{}\n{text}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "other output than expected:\n\n{}", wrong.join("\n"));
    let missing: Vec<&str> =
        ALL.iter().map(|code| code.id).filter(|id| !seen.contains(id) && !TESTED_BY_OTHER_TESTS.contains(id)).collect();
    assert!(missing.is_empty(), "rules without a case: {missing:?}");
}

#[test]
fn codes_are_unique() {
    let ids: BTreeSet<&str> = ALL.iter().map(|code| code.id).collect();
    assert_eq!(ids.len(), ALL.len());
}
