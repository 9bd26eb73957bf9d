//! The command line before and after it is parsed: what may stand in two places, and what is easily written wrongly.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error};

use super::Cli;

/// Puts `-C FOLDER` that stands before the verb behind it: git and make have it there, and it means the same.
pub(super) fn project_behind_the_verb(mut args: Vec<OsString>) -> Vec<OsString> {
    let mut found: Vec<usize> = Vec::new();
    let mut at = 1;
    let verb = loop {
        let Some(arg) = args.get(at).and_then(|arg| arg.to_str()) else { return args };
        match arg {
            "-C" | "--project" => {
                found.extend([at, at + 1]);
                at += 2;
            }
            "--color" => at += 2,
            "--verbose" => at += 1,
            _ if arg.starts_with("-C") || arg.starts_with("--project=") => {
                found.push(at);
                at += 1;
            }
            _ if arg.starts_with("--color=") || arg.starts_with("-v") => at += 1,
            _ if arg.starts_with('-') || arg == "help" => return args,
            _ => break at,
        }
    };
    // A verb of verbs takes it behind the inner one.
    let inner = args.get(verb).is_some_and(|verb| verb == "sandbox")
        && args.get(verb + 1).and_then(|arg| arg.to_str()).is_some_and(|arg| !arg.starts_with('-'));
    let behind = verb + 1 + usize::from(inner) - found.len();
    let mut moved: Vec<OsString> = found.iter().rev().map(|&at| args.remove(at)).collect();
    moved.reverse();
    args.splice(behind..behind, moved);
    args
}

/// The error for a sandbox's file that stands behind `--sandbox` as a word of its own. A verb with an argument of its
/// own would take it for that.
pub(super) fn sandbox_file_apart(args: &[OsString]) -> Option<Error> {
    let is_sandbox = |word: &&str| Path::new(word).extension().is_some_and(|ending| ending == "redb");
    let file = words_behind_sandbox(args).find(is_sandbox)?;
    let mut error = Error::new(ErrorKind::UnknownArgument).with_cmd(&Cli::command());
    error.insert(ContextKind::InvalidArg, ContextValue::String(file.to_owned()));
    Some(error)
}

/// Says how the sandbox's file is named, where a word of its own stands behind `--sandbox`, which takes none: so that a
/// word after it stays an argument of the verb.
pub(super) fn with_tip(mut error: Error, args: &[OsString]) -> Error {
    let ends_early = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::MissingRequiredArgument);
    if let Some(word) = words_behind_sandbox(args).next().filter(|_| ends_early) {
        let tip = format!("to name the sandbox's file, write '--sandbox={word}'").into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

fn words_behind_sandbox(args: &[OsString]) -> impl Iterator<Item = &str> {
    let behind = args.windows(2).filter(|pair| pair[0] == "--sandbox").filter_map(|pair| pair[1].to_str());
    behind.filter(|word| !word.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(line: &str) -> String {
        let args = line.split(' ').map(OsString::from).collect();
        let args: Vec<String> =
            project_behind_the_verb(args).into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        args.join(" ")
    }

    #[test]
    fn folder_before_the_verb_goes_behind_it() {
        for (line, expected) in [
            ("k -C a plan --target x", "k plan -C a --target x"),
            ("k --project a plan", "k plan --project a"),
            ("k --project=a -v plan", "k -v plan --project=a"),
            ("k -Ca --color never plan x", "k --color never plan -Ca x"),
            ("k -C a sandbox reset", "k sandbox reset -C a"),
            ("k -C a sandbox --help", "k sandbox -C a --help"),
            ("k plan -C a", "k plan -C a"),
            ("k -C a", "k -C a"),
            ("k -C", "k -C"),
            ("k -C a --help", "k -C a --help"),
            ("k -C a help plan", "k -C a help plan"),
            ("k", "k"),
        ] {
            assert_eq!(moved(line), expected, "{line}");
        }
    }
}
