//! `keywright apply`: shows the plan, asks, carries it out, and reads again what it touched.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::args::{ExtentArgs, PropagationArgs, ReadArgs, file_to_write};
use super::begin::{Begun, begin};
use super::confirm::ask;
use super::event_printer::EventPrinter;
use super::guard_flags::GuardOverrideArgs;
use super::report::{print_calls, report, report_all};
use super::shell::Shell;
use super::values::ValueArgs;
use crate::apply::ApplyOptions;
use crate::exit_code::ExitCode;
use crate::reconcile::{Reading, Undeclared, Verification};
use crate::render::plan_text::Extent;
use crate::render::{apply_json, apply_text, approved_text, awaiting, prepared, question};
use crate::workflow::{
    ApplyRequest, ApprovedPlan, Error, ErrorKind, Hint, Journal, NothingDone, PlanRequest, Prepared, Readiness, Run,
    RunFlags, Stop, lines, readiness,
};

/// Show the plan, ask for confirmation, and apply it.
///
/// Secrets that changed since they were planned are left alone and reported; independent secrets go on when one fails.
/// After the last action what was written is read again and compared with the manifests: each secret, and of policies
/// each distinct document on one secret (--verify). Targets are written side by side, each within the quotas of its
/// account and region.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright apply --sandbox --yes --project examples/payments\n  \
    keywright apply --target staging --select 'staging/payments/db*'\n  \
    keywright plan --out approved.json && keywright apply approved.json   # that plan and no other\n  \
    keywright apply --yes --journal journal.jsonl --format json > apply.json   # in CI\n\n\
    Exit codes: 0 applied or nothing to do, 1 error and nothing was applied, 3 a guard refused, 4 the plan is stale: \
    it is not the approved one, or everything had changed since, 5 applied in part, 130 interrupted.")]
pub(super) struct ApplyArgs {
    /// An approved plan, written by plan --out: this plan is carried out, and no other
    #[arg(value_name = "FILE")]
    approved: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ApplyFormat,
    /// Append a JSON line for each writing call to this file: time, caller, action, request id, result; no values
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    journal: Option<PathBuf>,
    /// Wait until the replicas of what was applied are made
    #[arg(long)]
    wait_replicas: bool,
    /// Give up waiting for replicas after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait_replicas")]
    replica_timeout: u64,
    #[command(flatten)]
    extent: ExtentArgs,
    #[command(flatten)]
    propagation: PropagationArgs,
    /// Secrets that are worked on at once in one target, at most; with 1, targets come one after the other too
    ///
    /// As many are worked on as keep the narrowest request quota that the plan needs busy at the latency that is
    /// measured, 8 to 256.
    #[arg(long, value_name = "NUMBER", default_value_t = ApplyOptions::default().concurrency as u16,
        value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// What is read again after the last action
    #[arg(long, value_name = "WHAT", default_value = "documents")]
    verify: VerifyChoice,
    /// Read live values and compare them with the declared ones before planning (BatchGetSecretValue)
    #[arg(long)]
    read_values: bool,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    overrides: GuardOverrideArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ApplyFormat {
    /// For people
    Text,
    /// A summary for programs on standard output, the rest on standard error; the format is in
    /// schemas/apply.schema.json
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum VerifyChoice {
    /// Each secret that was written, and each distinct policy document on one of the secrets that it was put on
    Documents,
    /// Each secret that was written, and each of their declared policies
    Full,
    /// Nothing: what is known is that the service acknowledged each call
    None,
}

impl From<VerifyChoice> for Verification {
    fn from(choice: VerifyChoice) -> Self {
        match choice {
            VerifyChoice::Documents => Self::Documents,
            VerifyChoice::Full => Self::Full,
            VerifyChoice::None => Self::None,
        }
    }
}

pub(super) async fn apply(args: &ApplyArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    args.journal.as_deref().map_or(Ok(()), Journal::check)?;
    let approved = args.approved.as_deref().map(ApprovedPlan::read).transpose()?;
    let Begun { selection, session, stop } = begin(&args.read, &args.values, approved.is_some(), shell)?;
    session.aws.set_propagation_timeout(args.propagation.timeout());
    let run = session.run();
    // With --format json the document alone is the artifact.
    let talk = if args.format == ApplyFormat::Json { shell.err.clone() } else { shell.out.clone() };
    let printer = EventPrinter::new(shell, talk.clone());
    let flags = RunFlags { selection: &selection, overrides: &args.overrides.0, read_values: args.read_values };
    let request = PlanRequest {
        memories: None,
        selection: &selection,
        overrides: flags.overrides,
        reading: Reading {
            read_values: args.read_values,
            undeclared: Undeclared::PoliciesOfLeaving,
            overrides: Some(&args.overrides.0),
            ..Reading::default()
        },
        stop: &stop,
        listener: &|event| printer.print(event),
    };
    let prepared = Box::pin(run.plan(&request)).await?;
    printer.clear();
    // What waits for a value is listed at the end.
    let extent = Extent { no_awaiting: true, ..args.extent.extent() };
    talk.write(prepared::text(talk.paint(), &prepared, extent));
    let began = may_begin(args, &run, &prepared, approved.as_ref(), &flags, &stop, shell).await;
    let mut not_begun = None;
    let (code, applied) = match began {
        Err(error) => (report(not_begun.insert(error), shell), None),
        Ok(None) => (ExitCode::Success, None),
        Ok(Some(Ready { journal })) => {
            let request = ApplyRequest {
                options: ApplyOptions {
                    concurrency: usize::from(args.concurrency),
                    accepted: args.overrides.0.accepted_risks(),
                },
                verification: args.verify.into(),
                wait_replicas: args.wait_replicas.then(|| Duration::from_secs(args.replica_timeout)),
                journal: journal.as_ref(),
                stop: &stop,
                listener: &|event| printer.print(event),
            };
            let start = Instant::now();
            let applied = Box::pin(run.apply(&prepared, &request)).await;
            if applied.wrote() {
                shell.note_written();
            }
            let targets: Vec<_> = applied.targets.iter().map(|target| (target.plan, &target.report)).collect();
            talk.line(apply_text::end(talk.paint(), &targets, start.elapsed(), args.journal.as_deref()));
            (applied.outcome().into(), Some(applied))
        }
    };
    let ended_well = code == ExitCode::Success;
    let code = match prepared.left_alone().filter(|_| code == ExitCode::Success || applied.is_some()) {
        None => code,
        Some(error) => {
            report(&error, shell);
            code.worst(ExitCode::left_out(applied.as_ref()))
        }
    };
    let waiting = prepared::awaiting(&prepared, applied.as_ref());
    if applied.is_some() || ended_well {
        talk.write(awaiting::text(talk.paint(), &waiting, prepared.targets.len() > 1, extent.full));
    }
    if args.format == ApplyFormat::Json {
        let document = apply_json::document(&prepared, applied.as_ref(), &waiting, (code.code(), not_begun.as_ref()));
        shell.out.write(document);
    }
    print_calls(&session.aws, verbose, shell);
    Ok(code)
}

/// What an apply begins with.
struct Ready {
    journal: Option<Journal>,
}

/// Everything that stands between a plan and its first write: that it is whole, that it is the approved one, that its
/// values can be made, a journal that can be written, and a yes. None when there is nothing to do.
async fn may_begin(
    args: &ApplyArgs,
    run: &Run<'_>,
    prepared: &Prepared<'_>,
    approved: Option<&ApprovedPlan>,
    flags: &RunFlags<'_>,
    stop: &Stop,
    shell: &Shell,
) -> Result<Option<Ready>, Error> {
    let readiness = readiness(prepared);
    match readiness {
        Readiness::Ready | Readiness::NothingToDo => {}
        Readiness::Errors => {
            report_all(&prepared.failures(), shell);
            return Err(ErrorKind::NothingDone(NothingDone::ApplyErrors).into());
        }
        Readiness::Guard => return Err(ErrorKind::NothingDone(NothingDone::ApplyGuard).into()),
    }
    let nothing_to_do = readiness == Readiness::NothingToDo;
    if let Some(approved) = approved {
        let left = match prepared.left_alone() {
            _ if !nothing_to_do || prepared.holds_back() => Left::Something,
            Some(_) => Left::Unread,
            None => Left::Nothing,
        };
        check_approved(approved, prepared, flags, left, shell)?;
    }
    if nothing_to_do {
        return Ok(None);
    }
    let wrong = run.validate_values(prepared, &|event| EventPrinter::reading(shell).print(event)).await;
    if !wrong.is_empty() {
        report_all(&wrong, shell);
        return Err(ErrorKind::NothingDone(NothingDone::ApplyErrors).into());
    }
    let journal = args.journal.as_deref().map(|path| Journal::open(path, "apply")).transpose()?;
    let journal = journal.map(|journal| journal.with_guard_overrides(args.overrides.0.flags()));
    // An approved plan was read by whoever approved it.
    if !args.yes && approved.is_none() {
        ask(&question::apply(prepared), stop, shell).await?;
    }
    Ok(Some(Ready { journal }))
}

/// What is left to do of an approved plan.
#[derive(Clone, Copy)]
enum Left {
    /// Some of it, or something is held back.
    Something,
    /// Nothing of what could be read: of the rest nothing is known.
    Unread,
    Nothing,
}

/// Whether what was planned just now is what was approved. When nothing is left to do, that is no difference that
/// matters: nothing would be written.
fn check_approved(
    approved: &ApprovedPlan,
    prepared: &Prepared<'_>,
    flags: &RunFlags<'_>,
    left: Left,
    shell: &Shell,
) -> Result<(), Error> {
    let fresh = lines(prepared, flags);
    if approved.is_of(&fresh, prepared) {
        return Ok(());
    }
    let otherwise = approved.asked_otherwise(&fresh);
    // What other targets or secrets have left says nothing of those that were approved.
    let left = if otherwise.iter().any(|asked| asked.chooses()) { Left::Something } else { left };
    match left {
        Left::Something => {
            shell.out.write(approved_text::difference(shell.out.paint(), approved.lines(), &fresh));
            return Err(Error::from(ErrorKind::Stale).hint(Hint::PlanAsApproved { otherwise }));
        }
        Left::Unread => shell.err.line("Nothing that could be read is left of the approved plan."),
        Left::Nothing => {
            shell.err.line("Nothing is left of the approved plan: nothing would be applied any more.");
        }
    }
    Ok(())
}
