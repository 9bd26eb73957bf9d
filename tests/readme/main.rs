//! README.md says what happens: its commands are run in a temporary folder and print what stands below them, its
//! manifests have no mistake, and every command line of the documentation is one that keywright knows.
//!
//! `story.rs` has a row for each command and block, `printed.rs` says how printed text is compared.
//! `KEYWRIGHT_BLESS=1 cargo test --test readme` writes what is printed now into README.md.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod blocks;
mod lines;
mod printed;
mod stage;
mod story;

use std::collections::BTreeSet;

use blocks::{Block, Command};
use stage::Stage;
use story::{COMMANDS, TEXTS, Text, Use};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

fn readme() -> String {
    std::fs::read_to_string(README).expect("the README")
}

/// A command without the comment behind it.
fn typed(command: &Command) -> &str {
    command.text.split(" #").next().unwrap_or_default().trim_end()
}

fn row(command: &Command) -> Option<&'static Use> {
    COMMANDS.iter().find(|(line, _)| *line == typed(command)).map(|(_, row)| row)
}

fn text_row(block: &Block) -> Option<&'static Text> {
    let found =
        TEXTS.iter().find(|(language, start, _)| *language == block.language && block.text().starts_with(start));
    found.map(|(_, _, row)| row)
}

#[test]
fn every_block_is_run_or_listed_with_a_reason() {
    let stage = Stage::new(&readme());
    let mut seen = BTreeSet::new();
    for block in &stage.blocks {
        let commands = if block.is_shell() { block.commands() } else { Vec::new() };
        for command in &commands {
            assert!(row(command).is_some(), "tests/readme/story.rs has no row for the command: {}", typed(command));
            seen.insert(typed(command).to_owned());
        }
        let known = block.is_shell() || text_row(block).is_some();
        assert!(known, "tests/readme/story.rs has no row for README.md:{}", block.at + 1);
    }
    for (line, row) in COMMANDS {
        assert!(seen.contains(*line), "README.md has no longer the command: {line}");
        assert!(!matches!(row, Use::NotRun("")), "{line}: no reason");
    }
    for (language, start, row) in TEXTS {
        stage.block(language, start);
        match row {
            Text::UsedBy(line) => assert!(seen.contains(*line), "README.md has no longer the command: {line}"),
            Text::NotUsed(reason) => assert!(!reason.is_empty(), "{start}: no reason"),
            Text::Manifest(_) => {}
        }
    }
}

#[test]
fn manifests_have_no_mistake() {
    let stage = Stage::new(&readme());
    for block in &stage.blocks {
        if let Some(Text::Manifest(put)) = text_row(block) {
            let project = put(&stage, &block.text());
            let ended = stage.run(project, "keywright validate");
            assert_eq!(ended.code, 0, "README.md:{}\n{}", block.at + 1, ended.printed.join("\n"));
        }
    }
}

#[test]
fn commands_print_what_the_readme_says() {
    let readme = readme();
    let stage = Stage::new(&readme);
    let mut wrong = Vec::new();
    for command in stage.blocks.iter().filter(|block| block.is_shell()).flat_map(Block::commands) {
        let Some(Use::Run(folder, prepare, code)) = row(&command) else { continue };
        prepare(&stage);
        let ended = stage.run(folder, &command.text);
        let shown = ended.printed.join("\n");
        assert_eq!(ended.code, *code, "README.md:{}: {}\n{shown}", command.at, command.text);
        if !command.printed.is_empty() && !printed::fits(trimmed(&command.printed), trimmed(&ended.printed)) {
            wrong.push((command, ended.printed));
        }
    }
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        bless(&readme, &wrong);
        return;
    }
    let report = wrong
        .iter()
        .map(|(command, printed)| format!("README.md:{}: $ {}\n{}\n", command.at, command.text, printed.join("\n")));
    let report: String = report.collect();
    assert!(wrong.is_empty(), "printed otherwise than README.md says (KEYWRIGHT_BLESS=1 writes it):\n{report}");
}

/// Lines without the empty ones at their ends.
fn trimmed(lines: &[String]) -> &[String] {
    let is_text = |line: &String| !line.trim().is_empty();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let last = lines.iter().rposition(is_text).map_or(first, |last| last + 1);
    &lines[first..last]
}

/// Writes what was printed into the README, from its end to its beginning, so that places stay right.
fn bless(readme: &str, wrong: &[(Command, Vec<String>)]) {
    let mut lines: Vec<String> = readme.lines().map(str::to_owned).collect();
    for (command, printed) in wrong.iter().rev() {
        let said = trimmed(&command.printed);
        let from = command.at + command.printed.iter().position(|line| Some(line) == said.first()).unwrap_or(0);
        lines.splice(from..from + said.len(), printed::blessed(said, trimmed(printed)));
    }
    std::fs::write(README, lines.join("\n") + "\n").expect("the README can be written");
}
