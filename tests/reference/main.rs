//! The reference is made from the code, or compared with it: `docs/reference.md` lists what the code reads and tells
//! (variables, metrics, events, keys of files, paths), `docs/reference/` has commands, fields of manifests, documents,
//! exit codes and diagnostics, `docs/rules.md` the guards, `docs/inventory.md` the findings.
//!
//! `KEYWRIGHT_BLESS=1 cargo test --test reference` writes the pages and tables that are made.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod markdown;
mod schemas;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use keywright::desired::AuditKind;
use keywright::render::metric::METRICS;
use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/reference.md")).expect("the page")
}

/// The part of the page below a heading.
fn section(heading: &str) -> String {
    let page = page();
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect("the heading");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// What stands between backticks in the first column of the tables below a heading.
fn listed(text: &str) -> BTreeSet<String> {
    let code = Regex::new("`([^`]+)`").expect("a pattern");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let first = row.split('|').nth(1).unwrap_or_default().to_owned();
        code.captures_iter(&first).map(|found| found[1].to_owned()).collect::<Vec<_>>()
    })
    .collect()
}

/// The code of `src`, without its tests.
fn code() -> Vec<String> {
    let mut folders = vec![root().join("src")];
    let mut code = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
            {
                let text = fs::read_to_string(path).expect("a file");
                let text = text.split("#[cfg(test)]\n#[expect").next().unwrap_or_default();
                code.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
            }
        }
    }
    assert!(code.len() > 200, "the folder src");
    code
}

#[test]
fn every_environment_variable_is_listed() {
    let prefixes = "(?:KEYWRIGHT|SOPS|AWS|SSL|XDG|HTTP|HTTPS|NO)_[A-Z_]+";
    let name = Regex::new(&format!("\"({prefixes}|CI|HOME|APPDATA|USERPROFILE)\"")).expect("a pattern");
    let mut read: BTreeSet<String> = code()
        .iter()
        .flat_map(|text| name.captures_iter(text).map(|found| found[1].to_owned()).collect::<Vec<_>>())
        .filter(|name| !name.ends_with('_'))
        .collect();
    // A library reads it for us.
    read.insert("NO_COLOR".to_owned());
    assert_eq!(listed(&section("Environment variables")), read);
}

/// Replaces what stands between two marks of a page, or compares it.
fn table(file: &str, mark: &str, rows: &str) {
    let path = root().join("docs").join(file);
    let page = fs::read_to_string(&path).expect("the page");
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = page.split_once(&open).expect("the mark");
    let (old, after) = rest.split_once(&close).expect("its end");
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        let text = format!("{before}{open}{rows}{close}{after}");
        fs::write(path, text).expect("the page can be written");
    } else {
        assert!(old == rows, "docs/{file} is stale: KEYWRIGHT_BLESS=1 cargo test --test reference");
    }
}

#[test]
fn tables_of_metrics_and_events_are_those_of_the_code() {
    let mut rows = "| metric | kind | labels | of `watch` alone | meaning |\n|---|---|---|---|---|\n".to_owned();
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let alone = if metric.of_watch { "yes" } else { "" };
        let (name, kind, help) = (metric.name, metric.kind, metric.help);
        writeln!(rows, "| `{name}` | {kind} | {} | {alone} | {help} |", labels.join(", ")).expect("a String takes all");
    }
    table("reference.md", "metrics", &rows);

    let schema = schemas::schema("watch");
    let names = schema.pointer("/$defs/EventName/oneOf").and_then(|names| names.as_array()).expect("names of events");
    let mut rows = "| event | what happened, and the members |\n|---|---|\n".to_owned();
    for name in names {
        let text = |key: &str| name[key].as_str().expect("text").replace('\n', " ");
        writeln!(rows, "| `{}` | {} |", text("const"), text("description")).expect("a String takes all");
    }
    table("reference.md", "events", &rows);
}

#[test]
fn findings_of_an_inventory_are_those_of_the_code() {
    let mut rows = "| finding | severity | meaning | asked by |\n|---|---|---|---|\n".to_owned();
    for kind in AuditKind::ALL {
        let checks: Vec<String> = kind.checks().iter().map(|check| format!("{} {}", check.tool, check.id)).collect();
        let (word, severity, meaning) = (kind.word(), kind.severity().word(), kind.meaning());
        writeln!(rows, "| `{word}` | {severity} | {meaning} | {} |", checks.join(", ")).expect("a String takes all");
    }
    table("inventory.md", "findings", &rows);
}

#[test]
fn guards_are_those_of_the_code() {
    let fact = Regex::new(r"\{([a-z_]+)\}").expect("a pattern");
    let mut rows = "| guard | refuses, since | flag |\n|---|---|---|\n".to_owned();
    for guard in keywright::plan::guards() {
        let words = fact.replace_all(guard.words, "*$1*");
        let argument = |flag: &keywright::plan::Flag| match flag.argument {
            keywright::plan::FlagArgument::None => String::new(),
            keywright::plan::FlagArgument::Number { name, .. } => format!(" {name}"),
        };
        let flag = guard.flag.map_or("none".to_owned(), |flag| format!("`--{}{}`", flag.name, argument(flag)));
        writeln!(rows, "| `{}` | {words} | {flag} |", guard.name).expect("a String takes all");
    }
    for flag in keywright::plan::flags() {
        assert!(rows.contains(&format!("`--{}", flag.name)), "{}", flag.name);
    }
    table("rules.md", "guards", &rows);
}

#[test]
fn exit_codes_are_those_of_the_code() {
    let source = fs::read_to_string(root().join("src/exit_code.rs")).expect("a file");
    let (_, body) = source.split_once("pub enum ExitCode {\n").expect("the exit codes");
    let (body, _) = body.split_once("\n}\n").expect("their end");
    let (documented, _) = body.split_once("\n}").unwrap_or((body, ""));
    let variant = Regex::new(r"    /// (.+)\n    ([A-Z][a-z]+),").expect("a pattern");
    let number = |name: &str| {
        let arm = Regex::new(&format!("Self::{name} => ([0-9]+),")).expect("a pattern");
        arm.captures(&source).expect("a number")[1].to_owned()
    };
    let mut rows = "| code | meaning |\n|---:|---|\n".to_owned();
    for found in variant.captures_iter(documented) {
        writeln!(rows, "| {} | {} |", number(&found[2]), &found[1]).expect("a String takes all");
    }
    assert_eq!(rows.lines().count(), 2 + documented.lines().filter(|line| line.ends_with(',')).count());
    table("reference/exit-codes.md", "codes", &rows);
}

#[test]
fn diagnostics_are_those_of_the_code() {
    use keywright::manifest::{Severity, codes};
    let causes = fs::read_to_string(root().join("docs/codes.md")).unwrap_or_default();
    let mut rows = "| code | severity | what is asked for |\n|---|---|---|\n".to_owned();
    for code in codes::ALL {
        let severity = if code.severity == Severity::Error { "error" } else { "warning" };
        let id = code.id;
        // The page of causes has a heading for each code.
        let name = if causes.contains(&format!("\n### {id}\n")) {
            format!("[`{id}`](../codes.md#{id})")
        } else {
            format!("`{id}`")
        };
        writeln!(rows, "| {name} | {severity} | {} |", markdown::cell(code.summary)).expect("a String takes all");
    }
    table("reference/diagnostics.md", "diagnostics", &rows);
}

#[test]
fn metrics_of_alerts_and_dashboard_exist() {
    let known: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    let labels: BTreeSet<&str> = METRICS.iter().flat_map(|metric| metric.labels).copied().collect();
    let name = Regex::new("keywright_[a-z_]+").expect("a pattern");
    let label = Regex::new(r"labels\.([a-z_]+)|by \(([a-z_]+)\)|\{\{([a-z_]+)\}\}").expect("a pattern");
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = fs::read_to_string(root().join("examples/monitoring").join(file)).expect("a file");
        let names: BTreeSet<&str> = name.find_iter(&text).map(|found| found.as_str()).collect();
        assert!(names.len() > 8 && names.is_subset(&known), "{file}: {names:?}");
        for found in label.captures_iter(&text) {
            let used = (1..=3).find_map(|group| found.get(group)).map_or("", |found| found.as_str());
            assert!(used == "project" || labels.contains(used), "{file}: {used}");
        }
    }
}

/// The keys that serde expects in place of one that does not exist.
fn expected(error: &str) -> BTreeSet<String> {
    let (_, expected) = error.split_once("expected").expect("what is expected");
    let key = Regex::new("`([A-Za-z]+)`").expect("a pattern");
    key.captures_iter(expected).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_key_of_a_fault_file_is_listed() {
    let refused = |file: &str| {
        let error = support::sandbox().apply_fault_file(file).expect_err("there is no such key");
        expected(&error.to_string())
    };
    let text = section("A fault file of the sandbox");
    let mut parts = text.split("\nA rule:\n");
    let file = parts.next().unwrap_or_default();
    let (rule, profile) = parts.next().and_then(|rest| rest.split_once("\nThe profile;")).expect("the profile");
    assert_eq!(listed(file), refused(r#"{"nonsense": 1}"#));
    assert_eq!(listed(rule), refused(r#"{"rules": [{"nonsense": 1}]}"#));
    assert_eq!(listed(profile), refused(r#"{"profile": {"nonsense": 1}}"#));
    for kind in refused(r#"{"rules": [{"kind": "nonsense"}]}"#) {
        assert!(rule.contains(&format!("\"{kind}\"")), "{kind}");
    }
}

#[test]
fn every_key_of_a_seed_is_listed() {
    let error = support::sandbox().make_fixtures("- { nonsense: 1 }").expect_err("there is no such key");
    assert_eq!(listed(&section("A seed of the sandbox")), expected(&error.to_string()));
}

#[test]
fn every_control_path_is_listed() {
    let control = fs::read_to_string(root().join("src/sandbox/server/control.rs")).expect("a file");
    let arm = Regex::new(r#"\("([a-z]+)", "([A-Z]+)"\)"#).expect("a pattern");
    let known: BTreeSet<String> =
        arm.captures_iter(&control).map(|found| format!("{} /_keywright/{}", &found[2], &found[1])).collect();
    assert!(known.len() > 8, "{known:?}");
    assert_eq!(listed(&section("Control paths of a served sandbox")), known);
}
