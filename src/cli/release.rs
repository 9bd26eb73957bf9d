//! `keywright release`: stops managing one secret and keeps it.

use clap::Args;

use super::apply::ask;
use super::interrupt;
use super::journal::{Entry, JournalArgs};
use super::one_secret::{OneSecret, OneSecretArgs, refuse};
use super::prepare::tell_calls;
use super::progress::ApplyLines;
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::apply::{ApplyEvent, ApplyOptions, Work, apply as carry_out};
use crate::desired::{Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::live::Live;
use crate::plan::{Plan, PlanReport, plan_release};
use crate::render::{apply_text, escape, plan_text};

/// Stop managing one secret and keep it.
///
/// Drops keywright's own tags from the secret and changes nothing else. Remove its manifest first: a manifest that
/// still names it would adopt it again.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  keywright release prod/payments/legacy-api --target prod")]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    secret: OneSecretArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    journal: JournalArgs,
}

pub(super) async fn release(args: &ReleaseArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &ReleaseArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let found = OneSecret::find(&args.secret, shell).await?;
    found.check_owner(shell)?;
    let OneSecret { root, desired, aws, connection, secret } = found;
    let name = secret.name.clone();
    let arn = secret.arn.clone();
    let caller = connection.caller.clone();
    let mut live =
        Live { account: connection.account.clone(), region: desired.target.region.clone(), ..Live::default() };
    live.secrets.insert(name.clone(), secret);
    let Some(plan) = plan_release(&desired, &live, &name) else {
        return Err(refuse(&name, "has nothing to release", None, shell));
    };
    shell.out.write(&plan_text::target(shell.out.paint(), &plan, &PlanReport::default()));
    warn_of_manifest(&desired, &name, shell);

    let stop = interrupt::listen();
    if !args.yes {
        ask("Release it? Only \"yes\" is taken as one: ", &stop, shell).await?;
    }
    let report = {
        let lines = ApplyLines::new(shell, &desired.target.name, plan.action_count());
        let writer = connection.writer();
        let options = ApplyOptions::default();
        // A release puts no value; the engine wants to know where one would come from.
        let sources = ValueSources::new(&ValueArgs::default(), &aws, &root, shell)?;
        let decryptor = sources.decryptor();
        let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
        let work = Work { plan: &plan, live: &live, ignored: &desired.ignore_tags };
        let tell = |event: ApplyEvent<'_>| lines.tell(&event);
        Box::pin(carry_out(&writer, &values, work, options, stop, &tell)).await
    };
    let entry = Entry {
        command: "release",
        caller: caller.as_deref(),
        project: &desired.project,
        target: &desired.target.name,
        account: live.account.as_deref(),
        region: &desired.target.region,
        secret: &arn,
        action: "keywright's own tags removed".to_owned(),
        request_id: None,
        result: if report.is_complete() { "done" } else { "failed" },
    };
    args.journal.append_or_default(&root, &entry, shell);
    tell_calls(&aws, verbose, shell);
    tell_summary(&plan, &report, shell);
    Ok(if report.is_complete() { ExitCode::Success } else { ExitCode::Error })
}

/// A manifest that still names the secret would adopt it at the next apply.
fn warn_of_manifest(desired: &Desired, name: &SecretName, shell: &Shell) {
    if let Some(desired_secret) = desired.secrets.get(name) {
        let paint = shell.err.paint();
        shell.err.line(&format!(
            "{}: {}:{} still names it, so the next apply would adopt it again",
            paint.warning("warning"),
            escape::line(&desired_secret.origin.file),
            desired_secret.origin.line
        ));
    }
}

fn tell_summary(plan: &Plan, report: &crate::apply::ApplyReport, shell: &Shell) {
    shell.out.line(&format!("\n{}", apply_text::summary(shell.out.paint(), plan, report)));
}
