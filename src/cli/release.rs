//! `keywright release`: stops managing one secret and keeps it.

use clap::Args;

use super::begin::find;
use super::interrupt;
use super::journal::JournalArgs;
use super::one_secret::{OneSecretArgs, ask_about};
use super::progress::ApplyBars;
use super::report::{print_calls, print_warning};
use super::shell::Shell;
use crate::apply::{ApplyEvent, ApplyReport};
use crate::desired::{Desired, State};
use crate::domain::SecretName;
use crate::exit_code::ExitCode;
use crate::origin::Origin;
use crate::plan::{Plan, PlanReport};
use crate::render::{apply_text, escape, escaped, plan_text};
use crate::workflow::{Error, Release};

/// Stop managing one secret and keep it.
///
/// Drops keywright's own tags from the secret and changes nothing else. Remove its manifest first: a manifest that
/// still names it would adopt it again.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    git rm secrets/legacy.yaml && keywright release prod/payments/legacy-api --target prod\n  \
    keywright release prod/payments/legacy-api --target prod --yes --journal journal.jsonl")]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    secret: OneSecretArgs,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    journal: JournalArgs,
}

pub(super) async fn release(args: &ReleaseArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    args.journal.check()?;
    let found = find(&args.secret, shell).await?;
    let release = Release::plan(&found)?;
    shell.out.write(plan_text::target(shell.out.paint(), &release.plan, &PlanReport::default()));
    warn_of_manifest(&found.desired, &found.secret.name, shell);

    let journal = args.journal.open(&found.root, "release")?;
    let stop = interrupt::listen();
    if !args.yes {
        ask_about(&found, "Release it", &stop, shell).await?;
    }
    let report = {
        let target = found.desired.target.name.as_str();
        let mut bars = ApplyBars::new(shell);
        bars.begin(target, release.plan.secrets.len(), release.plan.action_count(), 0.0);
        let listener = |event: ApplyEvent<'_>| bars.print(target, false, &event);
        Box::pin(release.carry_out(&found, &journal, stop, &listener)).await
    };
    if report.is_complete() {
        shell.note_written();
    }
    let missing = journal.failure();
    print_calls(&found.aws, verbose, shell);
    print_summary(&release.plan, &report, shell);
    match missing {
        Some(error) => Err(error),
        None => Ok(if report.is_complete() { ExitCode::Success } else { ExitCode::Error }),
    }
}

/// A manifest that still names the secret would adopt it at the next apply.
fn warn_of_manifest(desired: &Desired, name: &SecretName, shell: &Shell) {
    if let Some(desired_secret) = desired.secrets.get(name) {
        let then = match desired_secret.state {
            State::Present => "still names it, so the next apply would adopt it again",
            State::Absent => {
                "still says state: absent of it, so the next apply would want to delete it: take the manifest away"
            }
        };
        let Origin { file, line, .. } = &desired_secret.origin;
        print_warning(escaped!("{}:{} {}", escape::line(file), line, then), shell);
    }
}

fn print_summary(plan: &Plan, report: &ApplyReport, shell: &Shell) {
    shell.out.line(escaped!("\n{}", apply_text::summary(shell.out.paint(), plan, report)));
}
