//! What the day-2 commands have in common: one secret of one target.

use std::path::PathBuf;

use clap::Args;
use tokio::sync::watch;

use super::apply::ask;
use super::args::{AwsArgs, ProjectArgs};
use super::journal::{Entry, JournalArgs};
use super::prepare::{TargetError, load_project, reach};
use super::shell::Shell;
use crate::apply::{Receipt, Rotating};
use crate::aws::{Aws, Connection, Writer};
use crate::desired::{Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::live::{LiveSecret, Ownership, ReadSecrets, ServiceError};
use crate::reconcile::PlanError;
use crate::render::escape;

/// Which secret.
#[derive(Debug, Args)]
pub(super) struct OneSecretArgs {
    /// The secret's name
    #[arg(value_name = "NAME")]
    name: String,
    /// The target that holds it; may be left out when the project has one
    #[arg(short, long, value_name = "NAME")]
    target: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    aws: AwsArgs,
}

/// What a command that writes to one secret takes.
#[derive(Debug, Args)]
pub(super) struct DayTwoArgs {
    #[command(flatten)]
    pub(super) secret: OneSecretArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    journal: JournalArgs,
}

/// One call that writes to one secret.
pub(super) struct DayTwo<'a> {
    /// The command, as the journal names it.
    pub(super) command: &'static str,
    /// What is asked before it.
    pub(super) question: &'a str,
    /// What is done, in words; no value.
    pub(super) action: String,
}

impl DayTwoArgs {
    /// Asks, unless told not to; then calls, notes it in the journal, and says what failed. The writer comes back for
    /// what is to be read afterwards.
    pub(super) async fn carry_out<T: Receipted>(
        &self,
        found: OneSecret,
        work: DayTwo<'_>,
        stop: &watch::Receiver<bool>,
        call: impl AsyncFnOnce(&Writer, &LiveSecret) -> Result<T, ServiceError>,
        shell: &mut Shell,
    ) -> Result<(Written, T), ExitCode> {
        if !self.yes {
            ask(&format!("{} Only \"yes\" is taken as one: ", work.question), stop, shell).await?;
        }
        let OneSecret { root, desired, aws, connection, secret } = found;
        let (account, caller) = (connection.account.clone(), connection.caller.clone());
        let writer = connection.writer();
        let outcome = call(&writer, &secret).await;
        let entry = Entry {
            command: work.command,
            caller: caller.as_deref(),
            project: &desired.project,
            target: &desired.target.name,
            account: account.as_deref(),
            region: &desired.target.region,
            secret: &secret.arn,
            action: work.action,
            request_id: match &outcome {
                Ok(answer) => answer.receipt().request_id.as_deref(),
                Err(error) => error.request_id.as_deref(),
            },
            result: if outcome.is_ok() { "done" } else { "failed" },
        };
        self.journal.append_or_default(&root, &entry, shell);
        match outcome {
            Ok(answer) => Ok((Written { aws, writer, desired, secret }, answer)),
            Err(error) => Err(failed_call(&desired, error, shell)),
        }
    }
}

/// An answer that names its request.
pub(super) trait Receipted {
    fn receipt(&self) -> &Receipt;
}

impl Receipted for Receipt {
    fn receipt(&self) -> &Receipt {
        self
    }
}

impl Receipted for Rotating {
    fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

/// What is there after a call that wrote.
pub(super) struct Written {
    pub(super) aws: Aws,
    pub(super) writer: Writer,
    pub(super) desired: Desired,
    /// The secret as it was before.
    pub(super) secret: LiveSecret,
}

/// A live secret in the project's scope, and everything to work on it with.
pub(super) struct OneSecret {
    pub(super) root: PathBuf,
    pub(super) desired: Desired,
    pub(super) aws: Aws,
    pub(super) connection: Connection,
    pub(super) secret: LiveSecret,
}

impl OneSecret {
    /// Finds it: in one target, inside the scope, and live.
    pub(super) async fn find(args: &OneSecretArgs, shell: &Shell) -> Result<Self, ExitCode> {
        let targets: Vec<String> = args.target.iter().cloned().collect();
        let mut loaded = load_project(&args.project, &targets, shell)?;
        let aws = reach(&args.aws, &loaded.root, shell)?;
        if loaded.desired.len() > 1 {
            let names: Vec<_> = loaded.desired.iter().map(|desired| escape::line(&desired.target.name)).collect();
            let hint = format!("say which with --target: {}", names.join(", "));
            shell.error("the project has several targets", Some(&hint));
            return Err(ExitCode::Usage);
        }
        let Some(desired) = loaded.desired.pop() else { return Err(ExitCode::Error) };
        let name = SecretName::new(&args.name);
        if !desired.scope.contains(name.as_str()) {
            let prefixes: Vec<_> = desired.scope.prefixes().iter().map(|prefix| escape::line(prefix)).collect();
            let hint = format!(
                "names in the scope of {} begin with {}",
                escape::line(&desired.target.name),
                prefixes.join(" or ")
            );
            return Err(refuse(&name, "is outside the project's scope, and is never touched", Some(&hint), shell));
        }
        let connected = aws.connect(&desired.target).await;
        let connection = connected.map_err(|error| fail(&desired, &error.into(), shell))?;
        let found = connection.reader().describe(&name).await;
        let Some(secret) = found.map_err(|error| failed_call(&desired, error, shell))? else {
            return Err(refuse(&name, "does not exist in this target", None, shell));
        };
        Ok(Self { root: loaded.root, desired, aws, connection, secret })
    }

    /// Refuses a secret that this project does not own, and one that cannot be worked on now.
    pub(super) fn check_owned_and_live(&self, shell: &Shell) -> Result<(), ExitCode> {
        self.check_owner(shell)?;
        if self.secret.is_scheduled_for_deletion() {
            let hint = Some("keywright restore takes that back");
            return Err(refuse(&self.secret.name, "is scheduled for deletion", hint, shell));
        }
        if self.secret.is_replica_in(&self.desired.target.region) {
            let primary = self.secret.primary_region.as_deref().unwrap_or_default();
            let message = format!("is a replica here; its primary is in {}", escape::line(primary));
            return Err(refuse(&self.secret.name, &message, Some("choose a target in that region"), shell));
        }
        if let Some(service) = &self.secret.owning_service {
            let message = format!("is managed by the AWS service {}", escape::line(service));
            return Err(refuse(&self.secret.name, &message, None, shell));
        }
        Ok(())
    }

    /// Refuses a secret that this project does not own.
    pub(super) fn check_owner(&self, shell: &Shell) -> Result<(), ExitCode> {
        match self.secret.ownership(&self.desired.owner()) {
            Ownership::Unowned => {
                Err(refuse(&self.secret.name, "is not managed: it carries no owner tag", None, shell))
            }
            Ownership::Copied { owner } => {
                let message = format!("is not managed: its owner tag of {} was copied", escape::line(owner));
                Err(refuse(&self.secret.name, &message, None, shell))
            }
            Ownership::Foreign { owner } => {
                let message = format!("belongs to {}, and only that project may change it", escape::line(owner));
                Err(refuse(&self.secret.name, &message, None, shell))
            }
            Ownership::Ours { .. } => Ok(()),
        }
    }
}

/// Says why nothing is done with a secret. The texts must be escaped already.
pub(super) fn refuse(name: &SecretName, message: &str, hint: Option<&str>, shell: &Shell) -> ExitCode {
    shell.error(&format!("{}: {message}", escape::line(name.as_str())), hint);
    ExitCode::Error
}

/// Says which call failed.
pub(super) fn failed_call(desired: &Desired, error: ServiceError, shell: &Shell) -> ExitCode {
    fail(desired, &PlanError::from(error).into(), shell)
}

fn fail(desired: &Desired, error: &TargetError, shell: &Shell) -> ExitCode {
    let hint = error.hint();
    shell.error(&format!("{}: {}", escape::line(&desired.target.name), error.text()), hint.as_deref());
    ExitCode::Error
}
