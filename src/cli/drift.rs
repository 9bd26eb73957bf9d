//! `keywright drift`: what differs from git, for a cron job.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::args::{ReadArgs, check_files_differ, format_and_file};
use super::begin::{Begun, begin};
use super::event_printer::EventPrinter;
use super::look::LookArgs;
use super::report::{print_calls, write_report};
use super::shell::Shell;
use super::values::ValueArgs;
use crate::exit_code::ExitCode;
use crate::files::read_operator_text;
use crate::render::drift::DriftView;
use crate::render::{Artifact, Paint, drift};
use crate::workflow::Error;
use crate::workflow::files::ours_or_nothing;

/// The largest file of metrics that is looked into, in bytes.
const MAX_METRICS: u64 = 16 * 1024 * 1024;

/// Report what differs from git.
///
/// Reads all targets, changes nothing, and sorts every difference into a class: changed, value-changed, missing,
/// re-encrypted, unmanaged, orphaned, foreign, scheduled-for-deletion, rotation-overdue, rotation-stuck,
/// replica-failed, policy-undeclared, replicas-undeclared, dangling-principal, awaiting-value, unknown. A target that
/// cannot be reached is reported and does not hide the others.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright drift --fail-on changed,value-changed,missing\n  \
    keywright drift --also prometheus=/var/lib/node_exporter/keywright.prom\n  \
    keywright drift --format markdown --also sarif=drift.sarif --also junit=drift.xml\n  \
    keywright drift --ignore 'changed:prod/legacy/*:2027-01-31'\n\n\
    Exit codes: 0 no drift, 1 a target could not be looked at, 2 drift.")]
pub(super) struct DriftArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DriftFormat,
    /// Write the report to a file as well, in another format; may be given several times. A file is replaced as a whole
    #[arg(long, value_name = "FORMAT=FILE", value_parser = also)]
    also: Vec<(DriftFormat, PathBuf)>,
    /// Print nothing when nothing differs and every target could be looked at; files of --also are written all the same
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    values: ValueArgs,
}

/// A format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DriftFormat {
    /// For people
    Text,
    /// For programs; the format is in schemas/drift.schema.json
    Json,
    /// For an issue that a scheduled workflow updates: begins with a marker to find it again, and fits into one
    Markdown,
    /// A page that needs nothing else, for a browser
    Html,
    /// JUnit XML, for test reports: a suite for each target, a case for each class
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// Metrics, for the textfile collector of node_exporter
    Prometheus,
}

impl DriftFormat {
    /// Whether the beginning of a file is that of a report of ours in this format.
    fn is_one(self, beginning: &[u8]) -> bool {
        let text = String::from_utf8_lossy(beginning);
        match self {
            // It begins with a target, `name  111111111111 · eu-west-1`, or with what could not be looked at.
            Self::Text => {
                text.lines().next().is_some_and(|line| line.contains(" · ") || line.starts_with("NOT LOOKED AT: "))
            }
            Self::Json => text.starts_with('{') && text.contains("\"formatVersion\"") && text.contains("\"project\""),
            Self::Markdown => text.starts_with("<!-- keywright:drift "),
            Self::Html => text.starts_with("<!DOCTYPE html>") && text.contains("keywright"),
            Self::Junit => text.starts_with("<?xml") && text.contains("<testsuites name=\"keywright drift of "),
            Self::Sarif => text.starts_with('{') && text.contains("\"name\": \"keywright\""),
            Self::Github => text.starts_with("::"),
            Self::Prometheus => text.starts_with("# HELP keywright_"),
        }
    }

    fn render(self, paint: Paint, view: &DriftView<'_>) -> Artifact {
        match self {
            Self::Text => drift::text::text(paint, view.report).into(),
            Self::Json => drift::json::json(view.report).into(),
            Self::Markdown => drift::markdown(view.report).into(),
            Self::Html => drift::html(view.report).into(),
            Self::Junit => drift::junit(view).into(),
            Self::Sarif => drift::sarif(view).into(),
            Self::Github => drift::github(view).into(),
            Self::Prometheus => drift::prometheus(view.report, view.last_success, &BTreeMap::new()).into(),
        }
    }
}

/// When the last complete run of the project began, as the metrics in `file` say that are about to be replaced. A file
/// that is not there, or is no such file, says nothing.
fn last_success(file: &Path, project: &str) -> Option<Timestamp> {
    drift::last_success(&read_operator_text(file, MAX_METRICS).ok()?, project)
}

/// Reads `FORMAT=FILE`.
fn also(text: &str) -> Result<(DriftFormat, PathBuf), String> {
    let (format, file) = format_and_file(text)?;
    Ok((DriftFormat::from_str(format, false)?, file))
}

pub(super) async fn drift(args: &DriftArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    args.look.check()?;
    check_files_differ(args.also.iter().map(|(_, file)| file))?;
    for (format, file) in &args.also {
        ours_or_nothing(file, "a report of keywright in this format", |text| format.is_one(text))?;
    }
    let Begun { selection, session, stop } = begin(&args.read, &args.values, false, shell)?;
    args.look.warn_of_idle(session.aws.now(), shell);
    let run = session.run();
    let printer = EventPrinter::reading(shell);
    let looked = Box::pin(run.look(&args.look.look(), &selection, None, &stop, &|event| printer.print(event))).await?;
    printer.clear();
    let folder = args.read.project.folder_from_here();
    let view = DriftView { report: &looked.report, folder: &folder, fail_on: args.look.fail_on(), last_success: None };
    let differs = looked.report.differences().next().is_some();
    let nothing = !differs && args.look.exit_code(&looked.report) == ExitCode::Success;
    if !(args.quiet && nothing) {
        shell.out.write(args.format.render(shell.out.paint(), &view));
    }
    let mut code = args.look.exit_code(&looked.report);
    for (format, file) in &args.also {
        let project = &looked.report.project;
        let last_success = (*format == DriftFormat::Prometheus).then(|| last_success(file, project)).flatten();
        let text = format.render(Paint::new(false), &DriftView { last_success, ..view });
        code = code.worst(write_report(file, &text, shell));
    }
    print_calls(&session.aws, verbose, shell);
    Ok(code)
}
