//! Command lines in documents: keywright knows their verbs and flags.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

use crate::blocks::{blocks, code_spans};

/// Every Markdown file of the repository that users read.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    let mut folders = vec![root.join("docs"), root.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The words of a call of keywright within a command line, up to where a shell would end it. None for other lines, and
/// for those that leave something out.
fn words(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(line)?;
    let start = words.iter().position(|word| word == "keywright")?;
    let is_first = words.iter().take(start).all(|word| word.contains('=')) || line.contains("* keywright ");
    let ends = |word: &&String| !matches!(word.as_str(), "|" | "&&" | "||" | ";" | ">" | ">>" | "2>" | "#");
    let call: Vec<String> = words.iter().skip(start).take_while(ends).cloned().collect();
    (is_first && call.len() > 1 && !line.contains('…') && !line.contains("...")).then_some(call)
}

#[test]
fn keywright_knows_every_command_line_of_the_documents() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a text");
        let fenced = blocks(&text)
            .into_iter()
            .flat_map(|block| block.text().replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>());
        for line in fenced.chain(code_spans(&text)) {
            let Some(call) = words(line.trim_start_matches("$ ")) else { continue };
            tried += 1;
            if let Err(error) = keywright::cli::command().try_get_matches_from(call)
                && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand)
            {
                wrong.push(format!("{}: {line}: {error}", document.display()));
            }
        }
    }
    assert!(tried > 30, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
