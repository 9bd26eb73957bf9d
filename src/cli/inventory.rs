//! `keywright inventory`: what is there, who may read it, what is unused, what it costs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::args::{ReadArgs, check_files_differ, file_to_write, format_and_file};
use super::begin::{Begun, begin};
use super::event_printer::EventPrinter;
use super::report::{print_calls, print_warning, warn_of_expired, write_report};
use super::shell::Shell;
use super::values::ValueArgs;
use super::who::WhoArgs;
use crate::desired::{AuditKind, Ignore};
use crate::exit_code::ExitCode;
use crate::inventory::{Depth, Failing, GroupBy};
use crate::render::inventory::InventoryView;
use crate::render::{Artifact, Paint, escape, escaped, inventory};
use crate::workflow::files::ours_or_nothing;
use crate::workflow::{Error, InventoryRequest, Session};

/// Show what is there, and what an auditor would say of it.
///
/// Lists every secret in scope, or with --all in the whole account and region of each target: whose it is, when it was
/// read last, its rotation, what it costs, and findings with the ids of Security Hub, AWS Config, Prowler, Powerpipe,
/// Checkov and cfn_nag that ask the same. It changes nothing and reads no value. Without --audit it costs one
/// ListSecrets for 100 secrets.
///
/// Findings, the worst first: open-policy, replica-failed, rotation-stuck; rotation-overdue, dangling-principal,
/// other-accounts, unused, never-read, rotation-off, never-rotated, rotation-old, value-old, duplicate-version,
/// orphaned, unreadable; unmanaged, no-value, rotation-rare, default-key, untagged; not-restricted. What they are
/// measured with is `spec.audit` of the project.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright inventory --audit --out inventory.html --format html\n  \
    keywright inventory --fail-on high,unused --also sarif=audit.sarif\n  \
    keywright inventory --all --group-by tag:team\n  \
    keywright inventory --ignore 'rotation-off:prod/vendor/*:2027-01-31'\n\n\
    Exit codes: 0 done, 1 a target could not be looked at, 2 --fail-on names something that was found.")]
pub(super) struct InventoryArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: InventoryFormat,
    /// Write the output to this file instead; it is replaced as a whole
    #[arg(short, long, value_name = "FILE", value_parser = file_to_write())]
    out: Option<PathBuf>,
    /// Write it to a file as well, in another format; may be given several times. A file is replaced as a whole
    #[arg(long, value_name = "FORMAT=FILE", value_parser = also)]
    also: Vec<(InventoryFormat, PathBuf)>,
    /// Every secret of the account and region of each target, in scope or not
    #[arg(long)]
    all: bool,
    /// Also read policies, replicas, versions and links with other accounts (of each secret DescribeSecret,
    /// ListSecretVersionIds, ListResourcePolicies, and GetResourcePolicy where there is one)
    #[arg(long)]
    audit: bool,
    /// List every secret under each finding in text
    #[arg(long)]
    full: bool,
    /// Totals by target, owner or a tag (tag:KEY); may be given several times
    #[arg(long, value_name = "WHAT")]
    group_by: Vec<GroupBy>,
    /// Findings that end the run with 2: kinds, or a severity (high, medium, low, info) and what is worse; separated by
    /// commas
    #[arg(long, value_name = "FINDING", value_delimiter = ',')]
    fail_on: Vec<Failing>,
    /// Excused findings: the kind (or *), a glob of names, and the last day on which they are excused; may be given
    /// several times. For good reasons that last, `spec.audit.ignore` has a place for the reason
    #[arg(long, value_name = "FINDING:GLOB:YYYY-MM-DD")]
    ignore: Vec<Ignore<AuditKind>>,
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    values: ValueArgs,
}

/// A format of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum InventoryFormat {
    /// For people
    Text,
    /// For programs; the format is in schemas/inventory.schema.json
    Json,
    /// For a spreadsheet: a line for each secret
    Csv,
    /// A page that needs nothing else, for a browser: search, sort, filters, charts, a panel for each secret
    Html,
    /// JUnit XML, for test reports: a suite for each target, a case for each kind of finding
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl InventoryFormat {
    /// Whether the beginning of a file is that of an inventory of ours in this format.
    fn is_one(self, beginning: &[u8]) -> bool {
        let text = String::from_utf8_lossy(beginning);
        match self {
            // It begins with a target, `name  111111111111 · eu-west-1`, or with what could not be looked at.
            Self::Text => {
                text.lines().next().is_some_and(|line| line.contains(" · ") || line.starts_with("NOT LOOKED AT: "))
            }
            Self::Json => text.starts_with('{') && text.contains("\"formatVersion\"") && text.contains("\"project\""),
            Self::Csv => text.starts_with("target,account,region,secret,"),
            Self::Html => text.starts_with("<!DOCTYPE html>") && text.contains("keywright"),
            Self::Junit => text.starts_with("<?xml") && text.contains("<testsuites name=\"keywright inventory of "),
            Self::Sarif => text.starts_with('{') && text.contains("\"name\": \"keywright\""),
        }
    }

    fn render(self, paint: Paint, view: &InventoryView<'_>) -> Artifact {
        match self {
            Self::Text => inventory::text::text(paint, view).into(),
            Self::Json => inventory::json::json(view.inventory).into(),
            Self::Csv => inventory::csv(view.inventory).into(),
            Self::Html => inventory::html(&inventory::json::document(view.inventory), false).into(),
            Self::Junit => inventory::junit(view).into(),
            Self::Sarif => inventory::sarif(view).into(),
        }
    }
}

/// Reads `FORMAT=FILE`.
fn also(text: &str) -> Result<(InventoryFormat, PathBuf), String> {
    let (format, file) = format_and_file(text)?;
    Ok((InventoryFormat::from_str(format, false)?, file))
}

pub(super) async fn inventory(args: &InventoryArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let out = args.out.iter().map(|file| (args.format, file.clone()));
    let files: Vec<(InventoryFormat, PathBuf)> = out.chain(args.also.iter().cloned()).collect();
    check_files_differ(files.iter().map(|(_, file)| file))?;
    for (format, file) in &files {
        ours_or_nothing(file, "an inventory of keywright in this format", |text| format.is_one(text))?;
    }
    let Begun { selection, session, stop } = begin(&args.read, &args.values, false, shell)?;
    warn_of_what_is_over(args, &session, shell);
    let run = session.run();
    let printer = EventPrinter::reading(shell);
    let request = InventoryRequest {
        selection: &selection,
        depth: Depth { whole_account: args.all, audited: args.audit },
        group_by: &args.group_by,
        who: args.who.budget(),
        ignore: &args.ignore,
        stop: &stop,
        listener: &|event| printer.print(event),
    };
    let found = Box::pin(run.inventory(&request)).await?;
    printer.clear();
    // What is written of 50,000 secrets needs the room that their manifests took.
    let aws = Arc::clone(&session.aws);
    drop(session);
    let folder = args.read.project.folder_from_here();
    let view = InventoryView { inventory: &found, folder: &folder, fail_on: &args.fail_on, full: args.full };
    if args.out.is_none() {
        shell.out.write(args.format.render(shell.out.paint(), &view));
    }
    let mut code = if found.fails(&args.fail_on) { ExitCode::Changes } else { ExitCode::Success };
    if !found.is_complete() {
        code = code.worst(ExitCode::Error);
    }
    for (format, file) in &files {
        code = code.worst(write_report(file, &format.render(Paint::new(false), &view), shell));
    }
    print_calls(&aws, verbose, shell);
    Ok(code)
}

/// Warns of what is excused no longer, on the command line and in the project.
fn warn_of_what_is_over(args: &InventoryArgs, session: &Session, shell: &Shell) {
    let now = session.aws.now();
    warn_of_expired(&args.ignore, now, shell);
    // Each target has those that are for it.
    let of_project = session.desired.iter().flat_map(|desired| &desired.audit.ignored);
    let over: BTreeSet<&str> = of_project.filter(|ignore| ignore.is_over(now)).map(Ignore::written).collect();
    for written in over {
        print_warning(escaped!("spec.audit.ignore: {} is over and excuses nothing", escape::line(written)), shell);
    }
}
