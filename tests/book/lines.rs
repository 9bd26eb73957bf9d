//! Command lines in documents: keywright knows their verbs and flags.

use clap::error::ErrorKind;

use crate::blocks::{Block, blocks, code_spans};
use crate::pages::documents;

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

/// What is typed of a block: of a console the commands, of others any line that looks like one.
fn typed(block: &Block) -> Vec<String> {
    if block.language == "console" {
        let commands = block.commands().unwrap_or_default();
        return commands.into_iter().map(|command| command.text.replace("\\\n", " ")).collect();
    }
    block.text().replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// Of blocks, and of code between backticks.
pub(crate) fn keywright_knows_every_command_line() -> Result<(), String> {
    let mut wrong = Vec::new();
    let mut tried = 0;
    // The page that is made from the grammar has its usages, and not calls.
    for (name, text) in documents().into_iter().filter(|(name, _)| name != "docs/reference/commands.md") {
        let fenced = blocks(&text).into_iter().flat_map(|block| typed(&block));
        for line in fenced.chain(code_spans(&text)) {
            let Some(call) = words(&line) else { continue };
            tried += 1;
            if let Err(error) = keywright::cli::command().try_get_matches_from(call)
                && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand)
            {
                wrong.push(format!("{name}: {line}: {error}"));
            }
        }
    }
    if tried < 100 {
        return Err(format!("only {tried} command lines were found"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
