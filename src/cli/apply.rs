//! `keywright apply`: shows the plan, asks, carries it out, and reads again what it touched.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::approved::{self, RunFlags};
use super::args::ReadArgs;
use super::carry_out::{CarryOut, Place};
use super::guard_flags::GuardOverrideArgs;
use super::interrupt;
use super::plan::{tell_failures, text};
use super::prepare::{Planned, Prepared, PreparedTarget, Reading, begin, prepare, tell_calls};
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, TargetPasswords, ValueArgs, ValueSources};
use crate::apply::{ApplyOptions, Values};
use crate::aws::Kms;
use crate::desired::SecretName;
use crate::exit_code::ExitCode;
use crate::plan::{Action, Rules};
use crate::render::apply_json::{self, AppliedTarget};
use crate::render::escape;
use crate::value::Decryptor;

/// Show the plan, ask, and carry it out.
///
/// Secrets that changed since they were planned are left alone and reported; independent secrets go on when one fails.
/// After the last action everything that was touched is read again and compared with the manifests.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright apply --sandbox --yes --project examples/payments\n  \
    keywright apply --target staging --select 'staging/payments/db*'\n  \
    keywright plan --out approved.json && keywright apply approved.json\n\n\
    Exit codes: 0 applied or nothing to do, 1 error and nothing was applied, 3 a guard refused, 4 the plan is stale: it is \
    not the approved one, or everything had changed since, 5 applied in part, 130 interrupted.")]
pub(super) struct ApplyArgs {
    /// An approved plan, written by plan --out: this plan is carried out, and no other
    #[arg(value_name = "FILE")]
    approved: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ApplyFormat,
    /// Append a JSON line for each writing call to this file: time, caller, action, request id, result; no values
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Wait until the replicas of what was applied are made
    #[arg(long)]
    wait_replicas: bool,
    /// Give up waiting for replicas after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait_replicas")]
    replica_timeout: u64,
    /// Secrets that are worked on at once
    #[arg(long, value_name = "NUMBER", default_value_t = ApplyOptions::default().concurrency as u16,
        value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
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

pub(super) async fn apply(args: &ApplyArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match run(args, verbose, shell).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &ApplyArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let approved = args.approved.as_deref().map(|file| approved::read(file, shell)).transpose()?;
    let (selection, loaded, aws) = begin(&args.read, shell)?;
    let rules = Rules { selection };
    let aws = if approved.is_some() { aws.identifying_callers() } else { aws };
    let stop = interrupt::listen();
    let sources = ValueSources::new(&args.values, &aws, &loaded.root, shell)?;
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let reading = Reading { read_values: args.read_values, ..Reading::default() };
    let prepared = tokio::select! {
        prepared = prepare(&aws, loaded, &rules, &args.overrides.0, &values, reading, shell) => prepared,
        () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
    };
    // With --format json the document alone is the artifact.
    let talk = if args.format == ApplyFormat::Json { shell.err.clone() } else { shell.out.clone() };
    talk.write(&text(talk.paint(), &prepared));
    let readiness = preflight(&prepared, shell);
    let end = |code: ExitCode, targets: Vec<AppliedTarget>, shell: &Shell| {
        if args.format == ApplyFormat::Json {
            shell.out.write(&apply_json::document(&prepared.project, targets, code.code()));
        }
        tell_calls(&aws, verbose, shell);
        code
    };
    if let (Some(approved), Readiness::Ready | Readiness::NothingToDo) = (&approved, &readiness) {
        let flags =
            RunFlags { selection: &rules.selection, overrides: &args.overrides.0, read_values: args.read_values };
        let fresh = approved::lines(&prepared, &flags, &aws);
        let nothing_to_do = matches!(readiness, Readiness::NothingToDo);
        approved::check(approved, &fresh, nothing_to_do, shell).map_err(|code| end(code, Vec::new(), shell))?;
    }
    match readiness {
        Readiness::Ready => {}
        Readiness::NothingToDo => return Ok(end(ExitCode::Success, Vec::new(), shell)),
        Readiness::Refused(code) => return Err(end(code, Vec::new(), shell)),
    }
    validate_values(&prepared, &values, shell).await?;
    // An approved plan was read by whoever approved it.
    if !args.yes && approved.is_none() {
        confirm(&prepared, &stop, shell).await?;
    }
    let carry_out = CarryOut {
        options: ApplyOptions { concurrency: usize::from(args.concurrency) },
        journal: args.journal.as_deref(),
        wait_replicas: args.wait_replicas.then(|| Duration::from_secs(args.replica_timeout)),
        stop: &stop,
        talk,
    };
    let (code, applied) = carry_out_all(&prepared, &carry_out, &sources, &decryptor, shell).await;
    Ok(end(code, applied, shell))
}

/// Carries out the plans of all targets, one after the other.
pub(super) async fn carry_out_all(
    prepared: &Prepared,
    carry_out: &CarryOut<'_>,
    sources: &ValueSources,
    decryptor: &Decryptor<'_, Kms>,
    shell: &Shell,
) -> (ExitCode, Vec<AppliedTarget>) {
    let mut code = ExitCode::Success;
    let mut applied = Vec::new();
    for PreparedTarget { desired, planned } in &prepared.targets {
        let Ok(Planned { connection, target, refusals: _, rehearsed: _ }) = planned else { continue };
        if target.plan.is_empty() {
            continue;
        }
        let writer = connection.writer();
        let values = RunValues { sources, decryptor, passwords: TargetPasswords(&writer) };
        let place = Place { writer: &writer, caller: connection.caller.as_deref(), desired, target };
        let (target_code, document) = Box::pin(carry_out.target(&place, &values, shell)).await;
        code = code.worst(target_code);
        applied.extend(document);
    }
    (code, applied)
}

/// Whether the apply may begin.
pub(super) enum Readiness {
    Ready,
    NothingToDo,
    Refused(ExitCode),
}

/// What must hold for all targets before anything is written to any; what does not is told.
fn preflight(prepared: &Prepared, shell: &Shell) -> Readiness {
    let readiness = readiness(prepared);
    if let Readiness::Refused(code) = readiness {
        tell_failures(prepared, shell);
        let why = if code == ExitCode::Guard { "a guard refused" } else { "resolve the errors above first" };
        shell.error(&format!("nothing was applied: {why}"), None);
    }
    readiness
}

/// The same, untold.
pub(super) fn readiness(prepared: &Prepared) -> Readiness {
    let planned = || prepared.targets.iter().filter_map(|target| target.planned.as_ref().ok());
    if planned().count() < prepared.targets.len() || planned().any(|planned| planned.target.report.has_blockers()) {
        return Readiness::Refused(ExitCode::Error);
    }
    if planned().any(|planned| !planned.refusals.is_empty()) {
        return Readiness::Refused(ExitCode::Guard);
    }
    if planned().all(|planned| planned.target.plan.is_empty()) { Readiness::NothingToDo } else { Readiness::Ready }
}

/// Asks whether to go on; anything but `yes` ends the run without a write.
async fn confirm(prepared: &Prepared, stop: &watch::Receiver<bool>, shell: &mut Shell) -> Result<(), ExitCode> {
    let actions: usize = prepared
        .targets
        .iter()
        .filter_map(|target| target.planned.as_ref().ok())
        .map(|planned| planned.target.plan.action_count())
        .sum();
    let plural = if actions == 1 { "" } else { "s" };
    let question = format!("Apply this ({actions} action{plural})? Only \"yes\" is taken as one: ");
    ask(&question, stop, shell).await
}

/// Asks a question on the terminal. Where nobody can answer, that is an error.
pub(super) async fn ask(question: &str, stop: &watch::Receiver<bool>, shell: &mut Shell) -> Result<(), ExitCode> {
    let input = shell.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut input) = input.filter(|_| shell.interactive) else {
        shell.error(
            "nothing was applied: this needs a confirmation, and standard input is no terminal",
            Some("give --yes to apply without a question"),
        );
        return Err(ExitCode::Error);
    };
    shell.err.write(&format!("\n{question}"));
    let answer = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line)
    });
    let answer = tokio::select! {
        answer = answer => answer,
        () = interrupt::stopped(stop) => {
            shell.err.line("\nInterrupted. Nothing was applied.");
            return Err(ExitCode::Interrupted);
        }
    };
    if matches!(answer, Ok(Ok(line)) if line.trim() == "yes") {
        return Ok(());
    }
    shell.err.line("Nothing was applied.");
    Err(ExitCode::Error)
}

/// Makes every value that will be put, and drops it again: what is wrong with one is told before the first write. What
/// is known only later, a password to be generated or the ARN of a new secret, is left for then.
pub(super) async fn validate_values(
    prepared: &Prepared,
    values: &RunValues<'_, NoPasswords>,
    shell: &Shell,
) -> Result<(), ExitCode> {
    let mut wrong = false;
    for target in
        prepared.targets.iter().filter_map(|target| target.planned.as_ref().ok()).map(|planned| &planned.target)
    {
        let arns = |name: &SecretName| target.live.arn(name);
        for secret in &target.plan.secrets {
            let sources = secret.actions.iter().filter_map(|action| match action {
                Action::PutValue(value) | Action::Create { value: Some(value), .. } => Some(&value.source),
                _ => None,
            });
            for source in sources {
                let later = source.is_made_once() || source.references().any(|name| arns(name).is_none());
                let Err(error) = (if later { continue } else { values.render(source, &arns).await }) else { continue };
                wrong = true;
                let message = format!("{}: {error}", secret.name);
                let hint = error.hint().map(|hint| escape::block(&hint).into_owned());
                shell.error(&escape::line(&message), hint.as_deref());
            }
        }
    }
    if wrong {
        shell.error("nothing was applied: resolve the errors above first", None);
        return Err(ExitCode::Error);
    }
    Ok(())
}
