//! What the day-2 commands have in common: one secret of one target.

use std::path::PathBuf;

use clap::Args;

use super::args::{AwsArgs, ProjectArgs};
use super::prepare::{TargetError, load_project, reach};
use super::shell::Shell;
use crate::aws::{Aws, Connection};
use crate::desired::{Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::live::{LiveSecret, ReadSecrets, ServiceError};
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
            return Err(refuse(&name, "is outside the project's scope, and is never touched", None, shell));
        }
        let connected = aws.connect(&desired.target).await;
        let connection = connected.map_err(|error| fail(&desired, &error.into(), shell))?;
        let found = connection.reader().describe(&name).await;
        let Some(secret) = found.map_err(|error| failed_call(&desired, error, shell))? else {
            return Err(refuse(&name, "does not exist in this target", None, shell));
        };
        Ok(Self { root: loaded.root, desired, aws, connection, secret })
    }

    /// Refuses a secret that this project does not own.
    pub(super) fn check_owner(&self, shell: &Shell) -> Result<(), ExitCode> {
        match self.secret.owner() {
            None => Err(refuse(&self.secret.name, "is not managed: it carries no owner tag", None, shell)),
            Some(owner) if owner != self.desired.owner() => {
                let message = format!("belongs to {}, and only that project may change it", escape::line(owner));
                Err(refuse(&self.secret.name, &message, None, shell))
            }
            Some(_) => Ok(()),
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
