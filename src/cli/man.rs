//! `keywright man`: the help as manual pages.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;

use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::{escape, escaped};
use crate::workflow::files::write_whole;
use crate::workflow::{Error, ErrorKind, FileProblem, Hint, Problem};

/// Print the manual page, or write one for each command.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright man | man -l -\n  keywright man --dir ~/.local/share/man/man1 && man \
        keywright-plan"
)]
pub(super) struct ManArgs {
    /// Write the pages of all commands into this folder, instead of printing the main one
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs, shell: &Shell) -> Result<ExitCode, Error> {
    // Without the verb `help`, which would repeat every other one.
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.dir else {
        let page = page(&command).map_err(|error| Error::from(ErrorKind::Local(Problem::ManualPage)).because(error))?;
        shell.out.write(escape::script(&page));
        return Ok(ExitCode::Success);
    };
    let mut pages = Vec::new();
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| pages_of(&command, &mut pages))
        .and_then(|()| pages.iter().try_for_each(|(name, page)| write_whole(&folder.join(name), page.as_bytes())));
    written.map_err(|error| {
        Error::file(folder, FileProblem::PagesNotWritten).because(error).hint(Hint::NameAnotherManFolder)
    })?;
    shell.err.line(escaped!("wrote {} pages into {}", pages.len(), escape::path(folder)));
    Ok(ExitCode::Success)
}

/// The pages of a command and of everything below it, with the names of their files.
fn pages_of(command: &clap::Command, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    pages.push((Man::new(command.clone()).get_filename(), page(command)?));
    command.get_subcommands().filter(|child| !child.is_hide_set()).try_for_each(|child| pages_of(child, pages))
}

/// One page. What stands after the options in the help has sections of its own here: clap_mangen would put it under one
/// that is called EXTRA, and run the lines of examples into one another.
fn page(command: &clap::Command) -> io::Result<String> {
    let man = Man::new(command.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    let mut text = String::from_utf8_lossy(&out).into_owned();
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        sections(&after.to_string(), &mut text);
    }
    Ok(text)
}

/// Paragraphs that begin with a heading of ours become sections; any other one becomes a note.
fn sections(after: &str, out: &mut String) {
    for paragraph in after.split("\n\n") {
        let (heading, body) = match paragraph.split_once(':') {
            Some(("Example" | "Examples" | "First steps", body)) => ("EXAMPLES", body),
            Some(("Exit codes", body)) => ("EXIT STATUS", body),
            _ => ("NOTES", paragraph),
        };
        // As it stands, line by line, where lines were made on purpose.
        let lines: Vec<&str> = body.trim_matches('\n').lines().collect();
        let (begin, end) = if heading == "EXAMPLES" { (".nf\n", ".fi\n") } else { ("", "") };
        // Writing to a String cannot fail.
        let _ = write!(out, ".SH \"{heading}\"\n{begin}");
        for line in lines {
            let line = line.trim_start().replace('\\', "\\e").replace('-', "\\-");
            let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
            let _ = writeln!(out, "{guard}{line}");
        }
        out.push_str(end);
    }
}
