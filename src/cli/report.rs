//! Where errors and warnings are printed, and nowhere else.

use std::path::Path;

use jiff::Timestamp;

use super::shell::Shell;
use crate::aws::Aws;
use crate::desired::Ignore;
use crate::exit_code::ExitCode;
use crate::manifest::{Diagnostics, codes};
use crate::render::error::{hints, mistakes, text};
use crate::render::escape::Fragment;
use crate::render::{Artifact, Escaped, Terminal, diagnostics, escape, escaped};
use crate::workflow::files::write_whole;
use crate::workflow::{Error, ErrorKind, FileProblem, NothingDone};

/// Prints an error, and says what the process ends with when it is the end.
pub(super) fn report(error: &Error, shell: &Shell) -> ExitCode {
    let hints = hints(error);
    match (&error.kind, mistakes(error)) {
        // The manifests' own form has file, line and the line's text.
        (_, Some(found)) => {
            shell.err.write(diagnostics::text(found, shell.err.colour()));
            for hint in hints {
                shell.err.line(hint);
            }
        }
        // Somebody who answers no, or presses Ctrl-C, made no mistake.
        (ErrorKind::NothingDone(NothingDone::Declined), None) => shell.err.line("Nothing was applied."),
        (ErrorKind::Interrupted { what }, None) => {
            if let Some(what) = what {
                shell.err.line(escape::line(&what.to_string()));
            }
        }
        _ => shell.error(&text(error), &hints),
    }
    ExitCode::of(&error.kind)
}

/// Prints several errors; the most severe one decides.
pub(super) fn report_all(errors: &[Error], shell: &Shell) -> ExitCode {
    errors.iter().map(|error| report(error, shell)).fold(ExitCode::Success, ExitCode::worst)
}

/// Prints something that is wrong and ends nothing.
pub(super) fn warn(error: &Error, shell: &Shell) {
    let hints = hints(error);
    let hints = (!hints.is_empty()).then(|| escaped!(" ({})", Escaped::join(hints, "; ")));
    print_warning(escaped!("{}{}", text(error), hints), shell);
}

/// Warns of every `--ignore` that is over.
pub(super) fn warn_of_expired<K: Copy + PartialEq>(ignored: &[Ignore<K>], now: Timestamp, shell: &Shell) {
    for ignore in ignored.iter().filter(|ignore| ignore.is_over(now)) {
        print_warning(escaped!("--ignore {} is over and ignores nothing", escape::line(ignore.written())), shell);
    }
}

/// Writes a report to a file; that it could not be written is printed.
pub(super) fn write_report(file: &Path, text: &Artifact, shell: &Shell) -> ExitCode {
    match write_whole(file, text.as_bytes()) {
        Ok(()) => ExitCode::Success,
        Err(error) => report(&Error::file(file, FileProblem::ReportNotWritten).because(error), shell),
    }
}

/// Prints a warning.
pub(super) fn print_warning(text: impl Fragment<Terminal>, shell: &Shell) {
    shell.err.line(escaped!("{}: {}", shell.err.paint().warning("warning"), text));
}

/// Shows the warnings that the project's own rules ask for. The others are only counted: a cron job and a plan that
/// changes nothing should not be loud about what was accepted long ago.
pub(super) fn print_warnings(found: &Diagnostics, shell: &Shell) {
    let rules = found.of(&codes::RULE_BROKEN_WARNING);
    if rules.warning_count() > 0 {
        shell.err.line(diagnostics::text(&rules, shell.err.colour()));
    }
    let number = found.warning_count() - rules.warning_count();
    if number > 0 {
        let plural = if number == 1 { "" } else { "s" };
        let other = if rules.warning_count() > 0 { "other " } else { "" };
        print_warning(
            escaped!("{} {}warning{} in the manifests: keywright validate shows them\n", number, other, plural),
            shell,
        );
    }
}

/// With `-v`, the number of calls per operation.
pub(super) fn print_calls(aws: &Aws, verbose: u8, shell: &Shell) {
    if verbose == 0 {
        return;
    }
    let calls = aws.calls().by_operation();
    let each = calls
        .iter()
        .map(|(operation, number)| -> Escaped<Terminal> { escaped!("{} {}", escape::line(operation), number) });
    shell.err.line(escaped!("API calls: {} in all: {}", aws.calls().total(), Escaped::join(each, ", ")));
}
