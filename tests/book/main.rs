//! The book is true: of README.md, CONTRIBUTING.md, CHANGELOG.md and every page in `docs/` and `examples/` the blocks
//! of code are run or parsed, the links lead somewhere, the command lines are ones that keywright knows; every page of
//! `docs/` is in its table of contents, and the picture in the README is what a plan looks like.
//!
//! `cargo test --test book -- rotation` runs the pages whose name has this in it. `KEYWRIGHT_BLESS=1` writes what is
//! printed now. `blocks.rs` has the comments by which a page tells its test what a reader does not see.

#![cfg_attr(
    unix,
    expect(
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        reason = "a test says what is wrong by panicking"
    )
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod aws;
#[cfg(unix)]
mod blocks;
#[cfg(unix)]
mod lines;
#[cfg(unix)]
mod links;
#[cfg(unix)]
mod page;
#[cfg(unix)]
mod picture;
#[cfg(unix)]
mod printed;
#[cfg(unix)]
mod stage;

use std::process::ExitCode;

#[cfg(not(unix))]
fn main() -> ExitCode {
    // Pages are read by somebody with a POSIX shell.
    ExitCode::SUCCESS
}

#[cfg(unix)]
fn main() -> ExitCode {
    pages::all()
}

#[cfg(unix)]
mod pages {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use libtest_mimic::{Arguments, Failed, Trial};

    use crate::stage::REPOSITORY;
    use crate::{aws, blocks, lines, links, page, picture, printed};

    /// A test over all pages, and what is wrong.
    type Check = fn() -> Result<(), String>;

    /// How many commands of pages have been run.
    static RAN: AtomicUsize = AtomicUsize::new(0);

    /// Every Markdown file that users or contributors read, by its path in the repository.
    pub(crate) fn documents() -> Vec<(String, String)> {
        let mut found = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned).to_vec();
        let mut folders = vec![PathBuf::from("docs"), PathBuf::from("examples")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(Path::new(REPOSITORY).join(&folder)).expect("a folder") {
                let entry = entry.expect("an entry");
                let path = folder.join(entry.file_name());
                if entry.path().is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    found.push(path.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        let text = |name: &String| fs::read_to_string(Path::new(REPOSITORY).join(name)).expect("a text");
        found.iter().map(|name| (name.clone(), text(name))).collect()
    }

    /// Every test: one for each page that has blocks, and those over all pages.
    pub(crate) fn all() -> ExitCode {
        let arguments = Arguments::from_args();
        let documents = documents();
        assert!(documents.len() > 50, "the pages of docs and examples");
        let has_block = |text: &String| text.lines().any(|line| line.trim_start().starts_with("```"));
        let with_blocks = documents.iter().filter(|(_, text)| has_block(text));
        let mut trials: Vec<Trial> = with_blocks
            .map(|(name, text)| {
                let (name, text) = (name.clone(), text.clone());
                Trial::test(name.clone(), move || {
                    let outcome = page::run(&Path::new(REPOSITORY).join(&name), &text);
                    let outcome = outcome.map_err(|why| Failed::from(format!("{name}: {why}")))?;
                    RAN.fetch_add(outcome.ran, Ordering::Relaxed);
                    Ok(())
                })
            })
            .collect();
        let over_all: [(&str, Check); 7] = [
            ("every_link_leads_somewhere", links::every_link_leads_somewhere),
            ("every_page_is_in_the_table_of_contents", links::every_page_is_in_the_table_of_contents),
            ("keywright_knows_every_command_line", lines::keywright_knows_every_command_line),
            ("every_block_is_fenced", every_block_is_fenced),
            ("few_blocks_are_neither_run_nor_parsed", few_blocks_are_neither_run_nor_parsed),
            ("every_dependency_has_its_reason", every_dependency_has_its_reason),
            ("picture_is_what_a_plan_looks_like", picture::is_what_a_plan_looks_like),
        ];
        // What this test is made of.
        let of_this_test: [(&str, fn()); 3] = [
            ("blocks_are_found", blocks::check),
            ("printed_text_is_compared", printed::check),
            ("lines_of_the_aws_cli_are_translated", aws::check),
        ];
        trials.extend(of_this_test.map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok(())
            })
        }));
        trials.extend(over_all.map(|(name, test)| Trial::test(name, move || test().map_err(Failed::from))));
        let conclusion = libtest_mimic::run(&arguments, trials);
        let all_ran = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
        let ran = RAN.load(Ordering::Relaxed);
        if all_ran && !conclusion.has_failed() && ran < 100 {
            eprintln!("only {ran} commands were run: is a page no longer read?");
            return ExitCode::FAILURE;
        }
        conclusion.exit_code()
    }

    /// Code that is only indented would be looked at by nobody.
    fn every_block_is_fenced() -> Result<(), String> {
        let of_a_page = |(name, text): &(String, String)| {
            blocks::indented_code(text).map(|at| format!("{name}:{}: indented code: use a fence", at + 1))
        };
        let wrong: Vec<String> = documents().iter().filter_map(of_a_page).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// What is neither is counted, so that nobody marks a block so to be left in peace.
    fn few_blocks_are_neither_run_nor_parsed() -> Result<(), String> {
        let of_a_page = |(name, text): &(String, String)| {
            let blocks = blocks::blocks(text).into_iter().filter(|block| block.language != "text");
            let neither = blocks.filter(|block| page::NEITHER.iter().any(|(language, _)| *language == block.language));
            neither.map(|block| format!("{name}:{}: {}", block.at + 1, block.language)).collect::<Vec<_>>()
        };
        let neither: Vec<String> = documents().iter().flat_map(of_a_page).collect();
        if neither.len() > 12 { Err(neither.join("\n")) } else { Ok(()) }
    }
    /// The table in the README, for whoever judges what is built in.
    fn every_dependency_has_its_reason() -> Result<(), String> {
        let read = |name: &str| fs::read_to_string(Path::new(REPOSITORY).join(name)).expect("a text");
        let manifests =
            ["Cargo.toml", "src/declared/Cargo.toml", "src/ground/Cargo.toml", "src/sandbox/Cargo.toml"].map(read);
        let readme = read("README.md");
        let (_, table) = readme.split_once("\n## Dependencies\n").ok_or("README.md has no table of dependencies")?;
        let sections = manifests.iter().flat_map(|manifest| manifest.split("\n["));
        let lines =
            sections.filter(|section| section.contains("dependencies]\n")).flat_map(|section| section.lines().skip(1));
        let names: BTreeSet<&str> = lines
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.split_once([' ', '.'])?.0))
            .collect();
        let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
        let has_row = |name: &str| table.split(|letter| !is_name(letter)).any(|word| word == name);
        let missing: Vec<&str> = names.iter().copied().filter(|name| !has_row(name)).collect();
        if names.len() < 40 {
            return Err(format!("Cargo.toml has only {} dependencies", names.len()));
        }
        if missing.is_empty() { Ok(()) } else { Err(missing.join(", ")) }
    }
}
