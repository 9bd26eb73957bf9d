//! How the files of the code are laid out: what CONTRIBUTING says of lines, files and their first words.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Columns of a line, comments too.
const COLUMNS: usize = 120;

/// Lines of a file in `src`.
const LINES: usize = 500;

/// Every Rust file below a folder of the repository.
fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder that can be read") {
            let path = entry.expect("an entry that can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a file that can be read");
                files.push((path, text));
            }
        }
    }
    assert!(files.len() > 10, "{folder} has its files");
    files
}

#[test]
fn no_line_is_longer_than_120_columns() {
    let files = ["src", "tests"].into_iter().flat_map(rust_files);
    let long: Vec<String> = files
        .flat_map(|(path, text)| {
            let lines = text.lines().enumerate().filter(|(_, line)| line.chars().count() > COLUMNS);
            lines.map(|(at, _)| format!("{}:{}", path.display(), at + 1)).collect::<Vec<_>>()
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let long: Vec<String> = rust_files("src")
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LINES)
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let silent: Vec<String> = rust_files("src")
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// Packages of several rooms, whose folders stand above them.
const PACKAGES: [&str; 2] = ["declared", "ground"];

/// Rooms, and those that none of their files imports, as the drawing in `src/lib.rs` has it. What a package knows of
/// is what its `Cargo.toml` names.
const NEVER_IMPORTED: [(&str, &[&str]); 11] = [
    ("domain", &["policy", "files", "serving"]),
    ("files", &["domain", "policy", "serving"]),
    (
        "attribution",
        &[
            "desired",
            "value",
            "manifest",
            "live",
            "plan",
            "drift",
            "reconcile",
            "apply",
            "aws",
            "sandbox",
            "workflow",
            "render",
            "cli",
        ],
    ),
    ("policy", &["files", "serving"]),
    ("value", &["desired", "manifest", "live", "plan", "reconcile", "apply", "aws", "workflow"]),
    ("desired", &["manifest", "live", "plan", "reconcile", "apply", "aws", "workflow"]),
    ("live", &["manifest", "plan", "reconcile", "apply", "aws", "workflow"]),
    ("plan", &["manifest", "reconcile", "apply", "aws", "workflow", "render", "cli"]),
    ("reconcile", &["manifest", "apply", "workflow", "render", "cli"]),
    ("apply", &["manifest", "reconcile", "aws", "workflow", "render", "cli"]),
    ("workflow", &["cli"]),
];

#[test]
fn rooms_import_in_the_directions_of_the_drawing() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (path, text) in rust_files("src") {
        let inside = path.strip_prefix(&source).expect("a file of src").with_extension("");
        let room = inside
            .iter()
            .find(|part| !PACKAGES.iter().any(|package| *part == *package))
            .and_then(|room| room.to_str())
            .unwrap_or_default();
        let never = NEVER_IMPORTED.iter().filter(|(of, _)| *of == room).flat_map(|(_, never)| *never);
        // What a test is made from may come from anywhere.
        let code = text.split("#[cfg(test)]\n#[expect").next().unwrap_or_default();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_test = inside.components().any(|part| part.as_os_str() == "tests");
        let imported = never.filter(|room| !is_test && code.contains(&format!("crate::{room}::")));
        wrong.extend(imported.map(|other| format!("{} imports {other}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
