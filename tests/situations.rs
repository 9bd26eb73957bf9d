//! The table of situations in `tests/scenarios/SITUATIONS.md` against the files: every line is held by something that
//! exists, and every scenario that plays a line is named there.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::Path;

/// How many situations there are, without a gap.
const SITUATIONS: u32 = 141;

/// The lines of the table: what holds each.
fn table(root: &Path) -> BTreeMap<u32, BTreeSet<String>> {
    let text = read_to_string(root.join("tests/scenarios/SITUATIONS.md")).expect("the table");
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| # ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "a line has four cells: {line}");
        let held = cells[3].split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect();
        let number = cells[0].parse().expect("a number");
        assert!(table.insert(number, held).is_none(), "{number} is there twice");
    }
    table
}

/// Whether there is a scenario, a case of `validate`, or a test of this name.
fn exists(root: &Path, name: &str) -> bool {
    if let Some(case) = name.strip_prefix("cases/") {
        return root.join("tests/manifests/cases").join(case).is_file();
    }
    match name.split_once("::") {
        Some((file, test)) => {
            let source = read_to_string(root.join("tests").join(file)).unwrap_or_default();
            source.contains(&format!("fn {test}(")) || source.contains(&format!("def {test}("))
        }
        None => root.join("tests/scenarios").join(format!("{name}.scenario")).is_file(),
    }
}

/// The numbers that a scenario plays.
fn played(scenario: &str) -> BTreeSet<u32> {
    let titles = scenario.lines().filter_map(|line| line.strip_prefix("--- situation "));
    titles.filter_map(|title| title.split_once(": ")?.0.parse().ok()).collect()
}

#[test]
fn every_situation_is_held_by_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = table(root);
    assert!(table.keys().copied().eq(1..=SITUATIONS), "every number once: {:?}", table.keys());
    for (number, held) in &table {
        let missing: Vec<_> = held.iter().filter(|name| *name != "open" && !exists(root, name)).collect();
        assert!(missing.is_empty(), "{number}: there is no {missing:?}");
    }
    for entry in root.join("tests/scenarios").read_dir().expect("the scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "scenario") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let plays = played(&read_to_string(&path).expect("a scenario"));
        let named: BTreeSet<u32> =
            table.iter().filter(|(_, held)| held.contains(&name)).map(|(number, _)| *number).collect();
        assert!(plays.is_subset(&named), "{name} plays {plays:?}, and the table names it at {named:?}");
        if name.starts_with("situations-") {
            assert_eq!(plays, named, "{name}");
        }
    }
}
