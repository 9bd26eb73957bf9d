//! `docs/reference/commands.md`: every verb with its flags, from the grammar that parses them.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::markdown::{cell, page};

const HEAD: &str = "\
# Commands

Every verb and flag, made from the grammar that parses them; `--help` behind a verb says the same. `-h`, `--help` and
`--version` are left out. What the exit codes mean is [a page of its own](exit-codes.md).
";

/// The flags of one argument, or its name.
fn names(argument: &Arg) -> String {
    let values: Vec<&str> =
        argument.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect();
    let takes = argument.get_action().takes_values();
    let may_be_left_out = argument.get_num_args().is_some_and(|number| number.min_values() == 0);
    let value = match values.as_slice() {
        // With an equals sign, or it would be the next argument.
        [name] if takes && may_be_left_out => format!("[=<{name}>]"),
        names if takes => names.iter().map(|name| format!(" <{name}>")).collect(),
        _ => String::new(),
    };
    if argument.is_positional() {
        return format!("`{}`", value.trim_start());
    }
    let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    format!("{short}`--{}{value}`", argument.get_long().unwrap_or_default())
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = cell(&help);
    let choices = argument.get_possible_values();
    let choices: Vec<String> = choices
        .iter()
        .filter(|choice| !choice.is_hide_set() && argument.get_action().takes_values())
        .map(|choice| {
            let help = choice.get_help().map(|help| format!(" ({})", cell(&help.to_string()))).unwrap_or_default();
            format!("`{}`{help}", choice.get_name())
        })
        .collect();
    if !choices.is_empty() {
        write!(text, ". One of {}", choices.join(", ")).expect("a String takes all");
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() && !argument.is_hide_default_value_set() {
        write!(text, ". By default {}", defaults.join(", ")).expect("a String takes all");
    }
    if let Some(variable) = argument.get_env() {
        write!(text, ". Also from `{}`", variable.to_string_lossy()).expect("a String takes all");
    }
    text
}

fn verb(command: &mut Command, path: &str, out: &mut String) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let paragraphs: Vec<String> = about.split("\n\n").map(cell).collect();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    write!(out, "\n## {path}\n\n{}\n\n`{usage}`\n", paragraphs.join("\n\n")).expect("a String takes all");
    let hidden = ["help", "version"];
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let arguments = arguments.filter(|argument| !hidden.contains(&argument.get_id().as_str()));
    let rows: Vec<String> =
        arguments.map(|argument| format!("| {} | {} |\n", names(argument), meaning(argument))).collect();
    if !rows.is_empty() {
        write!(out, "\n| argument | what it does |\n|---|---|\n{}", rows.concat()).expect("a String takes all");
    }
    for child in command.get_subcommands_mut().filter(|child| child.get_name() != "help" && !child.is_hide_set()) {
        let path = format!("{path} {}", child.get_name());
        verb(child, &path, out);
    }
}

#[test]
fn every_verb_and_flag_is_in_the_page() {
    let mut command = keywright::cli::command();
    command.build();
    let mut out = HEAD.to_owned();
    for child in command.get_subcommands_mut().filter(|child| child.get_name() != "help" && !child.is_hide_set()) {
        verb(child, &format!("keywright {}", child.get_name()), &mut out);
    }
    assert!(out.matches("\n## keywright ").count() > 20, "the verbs");
    page("reference/commands.md", &out);
}

#[test]
fn every_verb_is_in_the_table_of_verbs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/verbs.md");
    let table = std::fs::read_to_string(path).expect("the page");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    for verb in keywright::cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let name = verb.get_name();
        let named = |row: &&str| row.split(['`', ' ']).any(|word| word == name);
        assert!(name == "help" || rows.iter().any(named), "docs/reference/verbs.md has no row for {name}");
    }
}
