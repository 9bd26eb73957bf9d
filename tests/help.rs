//! The help of every verb as one snapshot, so that no flag changes unseen. `INSTA_UPDATE=always cargo test --test help`
//! writes it anew.

use clap::Command;

/// The help of a command and of everything below it.
fn help(command: &mut Command, path: &str, out: &mut String) {
    let text = command.render_long_help().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    out.push_str(&format!("===== {path}\n{}\n\n", lines.join("\n").trim_end()));
    for child in command.get_subcommands_mut().filter(|child| child.get_name() != "help") {
        let path = format!("{path} {}", child.get_name());
        help(child, &path, out);
    }
}

#[test]
fn help_of_every_verb() {
    let mut command = keywright::cli::command();
    command.build();
    let mut out = String::new();
    help(&mut command, "keywright", &mut out);
    insta::assert_snapshot!(out);
}
