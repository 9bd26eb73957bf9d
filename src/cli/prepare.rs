//! What `plan` and `apply` have in common: load the manifests, reach the targets, read and plan them side by side.

use std::path::Path;

use futures::stream::{self, StreamExt};

use super::args::{AwsArgs, ChoiceArgs, ProjectArgs, ReadArgs};
use super::progress::ReadingLine;
use super::sandbox;
use super::shell::Shell;
use super::values::{NoPasswords, RunValues};
use crate::aws::{Aws, ConnectError, Connection};
use crate::desired::Desired;
use crate::exit_code::ExitCode;
use crate::live::ReadProgress;
use crate::manifest::{Diagnostics, LoadOptions, Loaded, codes, load};
use crate::plan::{GuardOverrides, GuardedTarget, Refusal, Rules, RunGuards, Selection};
pub(super) use crate::reconcile::Reading;
use crate::reconcile::{PlanError, Planning, TargetPlan, plan_target};
use crate::render::rehearsal::Rehearsed;
use crate::render::{diagnostics, escape};

/// Targets that are read at once.
const TARGETS_AT_ONCE: usize = 8;

/// A project with its targets planned.
pub(super) struct Prepared {
    pub(super) project: String,
    pub(super) targets: Vec<PreparedTarget>,
}

/// One target, planned or not.
pub(super) struct PreparedTarget {
    pub(super) desired: Desired,
    pub(super) planned: Result<Planned, TargetError>,
}

/// A target that was reached and planned.
pub(super) struct Planned {
    pub(super) connection: Connection,
    pub(super) target: TargetPlan,
    pub(super) refusals: Vec<Refusal>,
    /// What became of the plan on a copy of what is live, when that was asked for.
    pub(super) rehearsed: Option<Rehearsed>,
}

/// Why a target was not planned.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl TargetError {
    /// The error with its source on one line, escaped.
    pub(super) fn text(&self) -> String {
        let text = match self {
            Self::Connect(ConnectError::Service(error)) => {
                format!("the caller's account could not be checked: {error}")
            }
            Self::Connect(error) => error.to_string(),
            Self::Plan(PlanError::Service(error)) => error.to_string(),
            Self::Plan(PlanError::Values(problems)) => {
                let lines: Vec<String> = problems
                    .iter()
                    .map(|problem| {
                        let hint = problem.error.hint().map_or_else(String::new, |hint| format!(" ({hint})"));
                        format!(
                            "{}:{}: {}: {}{hint}",
                            problem.origin.file, problem.origin.line, problem.secret, problem.error
                        )
                    })
                    .collect();
                lines.join("; ")
            }
        };
        escape::line(&text).into_owned()
    }

    /// What can be done about it, escaped.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Connect(ConnectError::NoCredentials { places, .. }) => {
                Some(format!("looked in: {}. Without an account at hand, try --sandbox", places.describe()))
            }
            Self::Connect(ConnectError::WrongAccount { .. }) => Some(
                "nothing was read or written; use the credentials, profile or assumeRole of the target's account"
                    .to_owned(),
            ),
            Self::Connect(ConnectError::Service(error)) | Self::Plan(PlanError::Service(error)) => {
                error.hint().map(str::to_owned)
            }
            Self::Plan(PlanError::Values(_)) => None,
        };
        hint.map(|hint| escape::line(&hint).into_owned())
    }
}

/// Loads the manifests of the project and reports what is wrong with them.
pub(super) fn load_project(project: &ProjectArgs, targets: &[String], shell: &Shell) -> Result<Loaded, ExitCode> {
    let loaded = load(&project.folder, &LoadOptions { targets: targets.to_vec(), ..LoadOptions::default() });
    if loaded.diagnostics.has_errors() {
        shell.err.write(&diagnostics::text(&loaded.diagnostics, shell.err.colour()));
    } else if loaded.diagnostics.warning_count() > 0 {
        tell_warnings(&loaded.diagnostics, shell);
    }
    if loaded.diagnostics.has_errors() { Err(ExitCode::Error) } else { Ok(loaded) }
}

/// Shows the warnings that the project's own rules ask for. The others are only counted: a cron job and a plan that
/// changes nothing should not be loud about what was accepted long ago.
fn tell_warnings(found: &Diagnostics, shell: &Shell) {
    let rules = found.of(&codes::RULE_BROKEN_WARNING);
    if rules.warning_count() > 0 {
        shell.err.line(&diagnostics::text(&rules, shell.err.colour()));
    }
    let number = found.warning_count() - rules.warning_count();
    if number > 0 {
        let plural = if number == 1 { "" } else { "s" };
        let other = if rules.warning_count() > 0 { "other " } else { "" };
        let label = shell.err.paint().warning("warning");
        shell.err.line(&format!(
            "{label}: {number} {other}warning{plural} in the manifests: keywright validate shows them\n"
        ));
    }
}

/// What a command that reads targets begins with: its selection, the project, and the way to its targets.
pub(super) fn begin(read: &ReadArgs, shell: &Shell) -> Result<(Selection, Loaded, Aws), ExitCode> {
    let selection = selection(&read.choice, shell)?;
    let loaded = load_project(&read.project, &read.choice.targets, shell)?;
    let aws = reach(&read.aws, &loaded.root, shell)?;
    Ok((selection, loaded, aws))
}

/// Reads the selection, or says what is wrong with it.
pub(super) fn selection(choice: &ChoiceArgs, shell: &Shell) -> Result<Selection, ExitCode> {
    let selection = Selection::matching(&choice.select).map_err(|error| {
        shell.error(&format!("--select: {}", escape::line(&error.to_string())), None);
        ExitCode::Usage
    })?;
    Ok(match choice.shard {
        Some(shard) => selection.with_shard(shard),
        None => selection,
    })
}

/// What the targets are reached through: AWS, an endpoint in its place, or the embedded sandbox.
pub(super) fn reach(aws: &AwsArgs, root: &Path, shell: &Shell) -> Result<Aws, ExitCode> {
    match &aws.sandbox {
        None => Ok(Aws::new(aws.endpoint_url.clone())),
        Some(path) => {
            let opened = sandbox::open(path.as_deref(), root, shell)?;
            if let Some(faults) = &aws.sandbox_faults {
                sandbox::inject_faults(&opened, faults, shell)?;
            }
            if let Some(policy) = &aws.sandbox_policy {
                sandbox::enforce(&opened, policy, shell)?;
            }
            Ok(Aws::embedded(opened))
        }
    }
}

/// Reads and plans every target. A target that fails does not keep the others from being planned.
pub(super) async fn prepare(
    aws: &Aws,
    loaded: Loaded,
    rules: &Rules,
    overrides: &GuardOverrides,
    values: &RunValues<'_, NoPasswords>,
    reading: Reading<'_>,
    shell: &Shell,
) -> Prepared {
    let progress = ReadingLine::new(shell);
    let tell = |step: ReadProgress| progress.advance(step);
    let planning = Planning { rules, values, reading, progress: &tell };
    let planning = &planning;
    let mut targets: Vec<_> = stream::iter(loaded.desired)
        .map(async |desired| {
            let planned = Box::pin(prepare_target(aws, &desired, planning)).await;
            PreparedTarget { desired, planned }
        })
        .buffered(TARGETS_AT_ONCE)
        .collect()
        .await;
    check_guards(&mut targets, overrides);
    Prepared { project: loaded.project.unwrap_or_default(), targets }
}

async fn prepare_target(
    aws: &Aws,
    desired: &Desired,
    planning: &Planning<'_, RunValues<'_, NoPasswords>>,
) -> Result<Planned, TargetError> {
    let connection = aws.connect(&desired.target).await?;
    let account = connection.account.as_deref();
    // A shard keeps secrets together that depend on each other, which differs from target to target.
    let rules = Rules { selection: planning.rules.selection.of_target(desired) };
    let planning = Planning { rules: &rules, ..*planning };
    let mut target = plan_target(connection.reader(), desired, account, &planning).await?;
    target.live.caller.clone_from(&connection.caller);
    Ok(Planned { connection, target, refusals: Vec::new(), rehearsed: None })
}

/// Asks the guards once every target is planned: some look at all of them together.
fn check_guards(targets: &mut [PreparedTarget], overrides: &GuardOverrides) {
    let planned = targets.iter().filter_map(|PreparedTarget { desired, planned }| {
        let TargetPlan { plan, report, live, facts: _ } = &planned.as_ref().ok()?.target;
        Some(GuardedTarget { desired, live, plan, report })
    });
    let refusals = RunGuards { targets: planned.collect(), overrides }.refusals();
    let planned = targets.iter_mut().filter_map(|target| target.planned.as_mut().ok());
    for (planned, refusals) in planned.zip(refusals) {
        planned.refusals = refusals;
    }
}

/// Says why a target could not be planned.
pub(super) fn tell_target_error(target: &str, error: &TargetError, shell: &Shell) {
    let hint = error.hint();
    shell.error(&format!("{}: {}", escape::line(target), error.text()), hint.as_deref());
}

/// With `-v`, the number of calls per operation.
pub(super) fn tell_calls(aws: &Aws, verbose: u8, shell: &Shell) {
    if verbose == 0 {
        return;
    }
    let calls = aws.calls().by_operation();
    let each: Vec<String> = calls.iter().map(|(operation, number)| format!("{operation} {number}")).collect();
    shell.err.line(&format!("API calls: {} in all: {}", aws.calls().total(), each.join(", ")));
}
