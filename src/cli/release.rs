//! `keywright release`: stops managing one secret and keeps it.

use clap::Args;

use super::apply::ask;
use super::args::{AwsArgs, ProjectArgs};
use super::interrupt;
use super::prepare::{TargetError, load_project, reach, tell_calls};
use super::progress::ApplyLines;
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::apply::{ApplyOptions, Work, apply as carry_out};
use crate::desired::{Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::live::{Live, ReadSecrets};
use crate::plan::{Plan, PlanReport, plan_release};
use crate::reconcile::PlanError;
use crate::render::{apply_text, escape, plan_text};

/// Stop managing one secret and keep it.
///
/// Drops keywright's own tags from the secret and changes nothing else. Remove its manifest first: a manifest that still
/// names it would adopt it again.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  keywright release prod/payments/legacy-api --target prod")]
pub(super) struct ReleaseArgs {
    /// The secret's name
    #[arg(value_name = "NAME")]
    name: String,
    /// The target that owns it; may be left out when the project has one
    #[arg(short, long, value_name = "NAME")]
    target: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    aws: AwsArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn release(args: &ReleaseArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match run(args, verbose, shell).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &ReleaseArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let targets: Vec<String> = args.target.iter().cloned().collect();
    let loaded = load_project(&args.project, &targets, shell)?;
    let aws = reach(&args.aws, &loaded.root, shell)?;
    let [desired] = loaded.desired.as_slice() else {
        let names: Vec<_> = loaded.desired.iter().map(|desired| escape::line(&desired.target.name)).collect();
        shell.error("the project has several targets", Some(&format!("say which with --target: {}", names.join(", "))));
        return Err(ExitCode::Usage);
    };
    let name = SecretName::new(&args.name);
    let refuse = |message: &str, hint: Option<&str>| {
        shell.error(&format!("{}: {message}", escape::line(&args.name)), hint);
        ExitCode::Error
    };
    if !desired.scope.contains(name.as_str()) {
        return Err(refuse("is outside the project's scope, and is never touched", None));
    }
    let fail = |error: TargetError| {
        let hint = error.hint();
        shell.error(&format!("{}: {}", escape::line(&desired.target.name), error.text()), hint.as_deref());
        ExitCode::Error
    };
    let connection = aws.connect(&desired.target).await.map_err(|error| fail(error.into()))?;
    let secret = connection.reader().describe(&name).await.map_err(|error| fail(PlanError::from(error).into()))?;
    let Some(secret) = secret else { return Err(refuse("does not exist in this target", None)) };
    match secret.owner() {
        None => return Err(refuse("is not managed: it carries no owner tag", None)),
        Some(owner) if owner != desired.owner() => {
            let owner = escape::line(owner).into_owned();
            return Err(refuse(&format!("belongs to {owner}, and only that project may release it"), None));
        }
        Some(_) => {}
    }
    let mut live =
        Live { account: connection.account.clone(), region: desired.target.region.clone(), ..Live::default() };
    live.secrets.insert(name.clone(), secret);
    let Some(plan) = plan_release(desired, &live, &name) else {
        return Err(refuse("has nothing to release", None));
    };
    shell.out.write(&plan_text::target(shell.out.paint(), &plan, &PlanReport::default()));
    warn_of_manifest(desired, &name, shell);

    let stop = interrupt::listen();
    if !args.yes {
        ask("Release it? Only \"yes\" is taken as one: ", &stop, shell).await?;
    }
    let report = {
        let lines = ApplyLines::new(shell, &desired.target.name, plan.action_count());
        let writer = connection.into_writer();
        let options = ApplyOptions::default();
        // A release puts no value; the engine wants to know where one would come from.
        let sources = ValueSources::new(&ValueArgs::default(), &aws, &loaded.root, shell)?;
        let decryptor = sources.decryptor();
        let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
        carry_out(
            &writer,
            &values,
            Work { plan: &plan, live: &live, ignored: &desired.ignore_tags },
            options,
            stop,
            &|event| lines.tell(&event),
        )
        .await
    };
    tell_calls(&aws, verbose, shell);
    tell_summary(&plan, &report, shell);
    Ok(if report.is_complete() { ExitCode::Success } else { ExitCode::Error })
}

/// A manifest that still names the secret would adopt it at the next apply.
fn warn_of_manifest(desired: &Desired, name: &SecretName, shell: &Shell) {
    if let Some(wish) = desired.secrets.get(name) {
        let paint = shell.err.paint();
        shell.err.line(&format!(
            "{}: {}:{} still names it, so the next apply would adopt it again",
            paint.warning("warning"),
            escape::line(&wish.origin.file),
            wish.origin.line
        ));
    }
}

fn tell_summary(plan: &Plan, report: &crate::apply::ApplyReport, shell: &Shell) {
    shell.out.line(&format!("\n{}", apply_text::summary(shell.out.paint(), plan, report)));
}
