//! `keywright plan`: shows what an apply would do.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{CacheArgs, ExtentArgs, ReadArgs, file_to_write};
use super::begin::{Begun, begin};
use super::event_printer::EventPrinter;
use super::guard_flags::GuardOverrideArgs;
use super::report::{print_calls, report, report_all, warn};
use super::shell::Shell;
use super::values::ValueArgs;
use super::who::WhoArgs;
use crate::exit_code::ExitCode;
use crate::plan::Selection;
use crate::reconcile::{Reading, Undeclared};
use crate::render::{escape, escaped, plan_html, plan_markdown, prepared};
use crate::workflow::{
    ApprovedPlan, Cache, Error, ErrorKind, NothingDone, PlanRequest, Prepared, Readiness, RunFlags, lines, readiness,
};

/// Show what an apply would do.
///
/// Reads the live state through List, Describe and GetResourcePolicy calls and changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright plan --sandbox\n  keywright plan --target staging --select \
        '*/payments/db*'\n  \
    keywright plan --format json --detailed-exitcode > plan.json\n  \
    keywright plan --format markdown > comment.md   # for a comment on a pull request\n  \
    keywright plan --rehearse           # would it be accepted, and is nothing left to do after it?\n  \
    keywright plan --out approved.json")]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one flag of the command line")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: PlanFormat,
    /// Write the plan to be approved to this file: apply FILE carries out this plan and no other
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    out: Option<PathBuf>,
    /// End with 2 when there are changes, and with 0 only when there are none
    #[arg(long)]
    detailed_exitcode: bool,
    /// End with 2 while a secret waits for a value from people, or would after an apply
    #[arg(long)]
    require_values: bool,
    /// Read live values and compare them with the declared ones (BatchGetSecretValue)
    #[arg(long)]
    read_values: bool,
    /// Ask the service whether it accepts the policies that an apply would put (ValidateResourcePolicy)
    #[arg(long)]
    validate_policies: bool,
    /// Carry the plan out on a copy of what is live, in memory and with placeholders for values, and plan again: shows
    /// what the service would refuse and whether the apply converges. Permissions, quotas, KMS keys and what rotation
    /// functions do are not rehearsed
    #[arg(long)]
    rehearse: bool,
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    extent: ExtentArgs,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    overrides: GuardOverrideArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For people
    Text,
    /// For programs; the format is in schemas/plan.schema.json
    Json,
    /// For a comment on a pull request: begins with a marker to find it again, and fits into one
    Markdown,
    /// A page that needs nothing else, for a browser or a printer
    Html,
}

pub(super) async fn plan(args: &PlanArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    args.cache.check()?;
    args.out.as_deref().map_or(Ok(()), ApprovedPlan::check_place)?;
    let Begun { selection, session, stop } = begin(&args.read, &args.values, args.out.is_some(), shell)?;
    let run = session.run();
    let printer = EventPrinter::reading(shell);
    let cache = args.cache.open(shell);
    let request = PlanRequest {
        memories: None,
        selection: &selection,
        overrides: &args.overrides.0,
        reading: Reading {
            read_values: args.read_values,
            undeclared: Undeclared::PoliciesOfLeaving,
            validate_policies: args.validate_policies,
            overrides: Some(&args.overrides.0),
            cache: cache.as_ref().map(Cache::policies),
        },
        stop: &stop,
        listener: &|event| printer.print(event),
    };
    let mut prepared = Box::pin(run.plan(&request)).await?;
    printer.clear();
    if let Some(Err(warning)) = cache.as_ref().map(|cache| cache.save(session.aws.now())) {
        warn(&warning, shell);
    }
    if args.rehearse {
        Box::pin(run.rehearse(&mut prepared, &request)).await?;
    }
    if let Some(budget) = args.who.budget() {
        Box::pin(run.ask_of_plans(&mut prepared, budget, &request)).await?;
    }
    show(args, &prepared, &selection, shell);
    let failed = report_all(&prepared.failures(), shell);
    let code = if prepared.has_blockers() { failed.worst(ExitCode::Error) } else { failed };
    if let Some(out) = &args.out {
        if code != ExitCode::Success {
            return Err(ErrorKind::NothingDone(NothingDone::OutErrors).into());
        }
        if readiness(&prepared) == Readiness::Guard {
            return Err(ErrorKind::NothingDone(NothingDone::OutGuard).into());
        }
        let flags = RunFlags { selection: &selection, overrides: request.overrides, read_values: args.read_values };
        let approved = ApprovedPlan::new(lines(&prepared, &flags));
        approved.save(out)?;
        let shown = escape::path(out);
        shell.err.line(escaped!(
            "The plan is in {}: {}\nkeywright apply {}, with the same flags, carries out this plan and no other.",
            shown,
            escape::line(approved.fingerprint()),
            shown,
        ));
    }
    print_calls(&session.aws, verbose, shell);
    let left_alone = prepared.left_alone().map_or(ExitCode::Success, |error| report(&error, shell));
    let detailed = if args.detailed_exitcode { detailed(&prepared) } else { ExitCode::Success };
    let waits = args.require_values && prepared.awaits_values();
    Ok(code.worst(left_alone).worst(detailed).worst(if waits { ExitCode::Changes } else { ExitCode::Success }))
}

/// What `--detailed-exitcode` tells of plans that were made.
fn detailed(prepared: &Prepared<'_>) -> ExitCode {
    if prepared.is_refused() {
        ExitCode::Guard
    } else if prepared.has_changes() || prepared.holds_back() {
        ExitCode::Changes
    } else {
        ExitCode::Success
    }
}

fn show(args: &PlanArgs, prepared: &Prepared<'_>, selection: &Selection, shell: &Shell) {
    let extent = args.extent.extent();
    match args.format {
        PlanFormat::Text => shell.out.write(prepared::text(shell.out.paint(), prepared, extent)),
        PlanFormat::Json => shell.out.write(prepared::json(prepared)),
        PlanFormat::Markdown => {
            shell.out.write(plan_markdown::markdown(&prepared::view_with_graphs(prepared, selection), extent));
        }
        PlanFormat::Html => shell.out.write(plan_html::html(&prepared::view_with_graphs(prepared, selection), extent)),
    }
}
