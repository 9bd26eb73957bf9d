//! What the day-2 commands have in common: one secret of one target, a question, a call, and its line in the journal.

use std::sync::Arc;

use clap::Args;

use super::args::{AwsArgs, ProjectArgs};
use super::confirm::ask;
use super::journal::{Entry, JournalArgs};
use super::shell::Shell;
use crate::apply::{Receipt, Rotating};
use crate::aws::{Aws, Writer};
use crate::live::{LiveSecret, ServiceError};
use crate::render::question::{self, Where};
use crate::workflow::{Error, OneSecret, Stop};

/// Which secret.
#[derive(Debug, Args)]
pub(super) struct OneSecretArgs {
    /// The secret's name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// The target that holds it; may be left out when the project has one
    #[arg(short, long, value_name = "NAME")]
    pub(super) target: Option<String>,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
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
    /// What is asked before it, without the place: `Rotate it`.
    pub(super) question: &'a str,
    /// What is done, in words; no value.
    pub(super) action: String,
}

/// What is there after a call that wrote.
pub(super) struct Written {
    pub(super) aws: Arc<Aws>,
    pub(super) writer: Writer,
    /// The secret as it was before.
    pub(super) secret: LiveSecret,
}

/// Asks before a call that writes to one secret.
pub(super) async fn ask_about(found: &OneSecret, question: &str, stop: &Stop, shell: &Shell) -> Result<(), Error> {
    let target = &found.desired.target;
    let endpoint = found.aws.endpoint(target);
    let account = found.connection.account.as_deref().or(target.account.as_deref());
    let place = Where { target: &target.name, account, region: &target.region, endpoint: endpoint.as_deref() };
    ask(&question::one_secret(question, &place), stop, shell).await
}

impl DayTwoArgs {
    /// Asks, unless told not to; then calls, and notes it in the journal. The writer comes back for what is to be read
    /// afterwards.
    pub(super) async fn carry_out<T: Receipted>(
        &self,
        found: OneSecret,
        work: DayTwo<'_>,
        stop: &Stop,
        call: impl AsyncFnOnce(&Writer, &LiveSecret) -> Result<T, ServiceError>,
        shell: &Shell,
    ) -> Result<(Written, T), Error> {
        if !self.yes {
            ask_about(&found, work.question, stop, shell).await?;
        }
        let writer = found.connection.writer();
        let outcome = call(&writer, &found.secret).await;
        let OneSecret { root, desired, connection, secret, .. } = &found;
        let entry = Entry {
            command: work.command,
            caller: connection.caller.as_deref(),
            project: &desired.project,
            target: &desired.target.name,
            account: connection.account.as_deref(),
            region: &desired.target.region,
            secret: &secret.arn,
            action: work.action,
            request_id: match &outcome {
                Ok(answer) => answer.receipt().request_id.as_deref(),
                Err(error) => error.request_id.as_deref(),
            },
            result: if outcome.is_ok() { "done" } else { "failed" },
        };
        self.journal.append_or_default(root, &entry, shell);
        match outcome {
            Ok(answer) => {
                let OneSecret { aws, secret, .. } = found;
                Ok((Written { aws, writer, secret }, answer))
            }
            Err(error) => Err(found.call_failed(error)),
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
