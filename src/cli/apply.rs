//! `keywright apply`: shows the plan, asks, carries it out, and reads again what it touched.

use std::collections::BTreeSet;

use clap::Args;
use tokio::sync::watch;

use super::args::{AwsArgs, ChoiceArgs, LiftArgs, ProjectArgs};
use super::interrupt;
use super::plan::{tell_failures, text};
use super::prepare::{
    Planned, Prepared, PreparedTarget, TargetError, load_project, prepare, reach, selection, tell_calls,
};
use super::progress::ApplyLines;
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, TargetPasswords, ValueArgs, ValueSources};
use crate::apply::{ApplyEvent, ApplyOptions, ApplyReport, SecretOutcome, Values, Work, apply as carry_out};
use crate::aws::Writer;
use crate::desired::{Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::plan::{Action, Rules};
use crate::reconcile::{TargetPlan, verify};
use crate::render::{apply_text, escape};

/// Show the plan, ask, and carry it out.
///
/// Secrets that changed since they were planned are left alone and reported; independent secrets go on when one fails.
/// After the last action everything that was touched is read again and compared with the manifests.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright apply --sandbox --yes --project examples/payments\n  \
    keywright apply --target staging --select 'staging/payments/db*'\n\n\
    Exit codes: 0 applied or nothing to do, 1 error and nothing was applied, 3 a guard refused, 4 everything had changed \
    since it was planned, 5 applied in part, 130 interrupted.")]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    aws: AwsArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
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
    lifts: LiftArgs,
}

pub(super) async fn apply(args: &ApplyArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match run(args, verbose, shell).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &ApplyArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let rules = Rules { selection: selection(&args.choice, shell)? };
    let loaded = load_project(&args.project, &args.choice.targets, shell)?;
    let aws = reach(&args.aws, &loaded.root, shell)?;
    let stop = interrupt::listen();
    let sources = ValueSources::new(&args.values, &aws, &loaded.root, shell)?;
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let prepared = tokio::select! {
        prepared = prepare(&aws, loaded, &rules, args.lifts.lifts(), &values, args.read_values, shell) => prepared,
        () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
    };
    shell.out.write(&text(shell.out.paint(), &prepared));
    match before_the_first_write(&prepared, shell) {
        Readiness::Ready => {}
        Readiness::NothingToDo => {
            tell_calls(&aws, verbose, shell);
            return Ok(ExitCode::Success);
        }
        Readiness::Refused(code) => {
            tell_calls(&aws, verbose, shell);
            return Err(code);
        }
    }
    tell_wrong_values(&prepared, &values, shell).await?;
    if !args.yes {
        confirm(&prepared, &stop, shell).await?;
    }
    let options = ApplyOptions { concurrency: usize::from(args.concurrency) };
    let mut code = ExitCode::Success;
    for PreparedTarget { desired, planned } in prepared.targets {
        let Ok(Planned { connection, target, refusals: _ }) = planned else { continue };
        if target.plan.is_empty() {
            continue;
        }
        let writer = connection.into_writer();
        let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: TargetPasswords(&writer) };
        code = code.worst(Box::pin(apply_target(&writer, &values, &desired, &target, options, &stop, shell)).await);
    }
    tell_calls(&aws, verbose, shell);
    Ok(code)
}

/// Whether the apply may begin.
enum Readiness {
    Ready,
    NothingToDo,
    Refused(ExitCode),
}

/// What must hold for all targets before anything is written to any.
fn before_the_first_write(prepared: &Prepared, shell: &Shell) -> Readiness {
    let failures = tell_failures(prepared, shell);
    if failures != ExitCode::Success {
        shell.error("nothing was applied: resolve the errors above first", None);
        return Readiness::Refused(failures);
    }
    let mut planned = prepared.targets.iter().filter_map(|target| target.planned.as_ref().ok());
    if planned.clone().any(|planned| !planned.refusals.is_empty()) {
        shell.error("nothing was applied: a guard refused", None);
        return Readiness::Refused(ExitCode::Guard);
    }
    if planned.all(|planned| planned.target.plan.is_empty()) { Readiness::NothingToDo } else { Readiness::Ready }
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
    let Some(mut input) = shell.input.take().filter(|_| shell.interactive) else {
        shell.error(
            "nobody is there to confirm, and nothing was applied",
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

/// Makes every value that will be put, and drops it again: what is wrong with one is told before the first write. What is
/// known only later, a password to be generated or the ARN of a new secret, is left for then.
async fn tell_wrong_values(
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

async fn apply_target(
    writer: &Writer,
    values: &impl Values,
    desired: &Desired,
    target: &TargetPlan,
    options: ApplyOptions,
    stop: &watch::Receiver<bool>,
    shell: &Shell,
) -> ExitCode {
    shell.err.line(&format!("\nApplying to {}", escape::line(&desired.target.name)));
    let report = {
        let lines = ApplyLines::new(shell, &desired.target.name, target.plan.action_count());
        let stopping = async {
            interrupt::stopped(stop).await;
            shell.err.line("Interrupted: what is in flight is finished first. Again to stop at once.");
            std::future::pending::<()>().await;
        };
        let tell = |event: ApplyEvent<'_>| lines.tell(&event);
        let work = Work { plan: &target.plan, live: &target.live, ignored: &desired.ignore_tags };
        let carrying_out = carry_out(writer, values, work, options, stop.clone(), &tell);
        tokio::select! {
            report = carrying_out => report,
            () = stopping => return ExitCode::Interrupted,
        }
    };
    let paint = shell.out.paint();
    shell.out.line(&format!("\n{}", apply_text::summary(paint, &target.plan, &report)));
    let code = outcome(&report);

    let touched: BTreeSet<SecretName> = report.touched().cloned().collect();
    if report.done() == 0 {
        return code;
    }
    match verify(writer, desired, &target.live, &touched, values).await {
        Ok(remaining) => {
            // What failed is known to differ already; verification is about what was reported as done.
            let done = |name: &SecretName| report.outcomes.get(name) == Some(&SecretOutcome::Done);
            let mut remaining = remaining;
            remaining.secrets.retain(|secret| done(&secret.name));
            shell.out.line(&apply_text::verified(paint, &remaining, report.done()));
            if remaining.is_empty() { code } else { code.worst(ExitCode::Partial) }
        }
        Err(error) => {
            let error = TargetError::Plan(error);
            shell
                .error(&format!("what was applied could not be read again: {}", error.text()), error.hint().as_deref());
            code.worst(ExitCode::Error)
        }
    }
}

/// The exit code of one target's apply.
fn outcome(report: &ApplyReport) -> ExitCode {
    if report.interrupted {
        ExitCode::Interrupted
    } else if report.is_complete() {
        ExitCode::Success
    } else if report.actions_done > 0 {
        ExitCode::Partial
    } else if report.outcomes.values().all(|outcome| matches!(outcome, SecretOutcome::Conflict { .. })) {
        ExitCode::Stale
    } else {
        ExitCode::Error
    }
}
