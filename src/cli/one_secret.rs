//! What the day-2 commands have in common: one secret of one target, a question, and a call that the journal notes.

use clap::Args;

use super::args::{AwsArgs, ProjectArgs};
use super::confirm::ask;
use super::journal::JournalArgs;
use super::report::report;
use super::shell::Shell;
use crate::apply::Recorder;
use crate::aws::Writer;
use crate::domain::{AccountId, Region};
use crate::live::{LiveSecret, ServiceError};
use crate::render::question::{self, Where};
use crate::workflow::{Error, Journal, OneSecret, Stop};

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
    /// The region in which it is called, where that is not the target's own.
    pub(super) region: Option<&'a Region>,
}

/// What is there after a call that wrote.
pub(super) struct Written {
    /// The secret as it was before, and what it was found through.
    pub(super) found: OneSecret,
    /// The writer of the call.
    pub(super) writer: Writer,
    journal: Journal,
    region: Region,
}

impl Written {
    /// Makes another call, which is noted as well.
    pub(super) async fn record<T>(
        &self,
        call: impl AsyncFnOnce(&Recorder<'_, Writer>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let entries = self.found.entries(&self.journal, &self.region);
        let outcome = call(&Recorder::new(&self.writer, &entries)).await;
        self.journal.failure().map_or(outcome, Err)
    }
}

/// Asks before a call that writes to one secret.
pub(super) async fn ask_about(found: &OneSecret, question: &str, stop: &Stop, shell: &Shell) -> Result<(), Error> {
    let target = &found.desired.target;
    let endpoint = found.aws.endpoint(target);
    let account = found.connection.account.as_ref().or(target.account.as_ref()).map(AccountId::as_str);
    let place = Where { target: &target.name, account, region: target.region.as_str(), endpoint: endpoint.as_deref() };
    ask(&question::one_secret(question, &place), stop, shell).await
}

impl DayTwoArgs {
    /// Asks, unless told not to; then calls, and notes it in the journal, which is opened before. The writer comes back
    /// for what is to be read afterwards.
    pub(super) async fn carry_out<T>(
        &self,
        found: OneSecret,
        work: DayTwo<'_>,
        stop: &Stop,
        call: impl AsyncFnOnce(&Recorder<'_, Writer>, &LiveSecret) -> Result<T, ServiceError>,
        shell: &Shell,
    ) -> Result<(Written, T), Error> {
        let journal = self.journal.open(&found.root, work.command)?;
        if !self.yes {
            ask_about(&found, work.question, stop, shell).await?;
        }
        let writer = found.connection.writer();
        let writer = work.region.map_or(writer.clone(), |region| writer.in_region(region));
        let region = work.region.unwrap_or(&found.desired.target.region).to_owned();
        let entries = found.entries(&journal, &region);
        let outcome = call(&Recorder::new(&writer, &entries), &found.secret).await;
        if let Some(error) = journal.failure() {
            report(&error, shell);
        }
        match outcome {
            Ok(answer) => Ok((Written { found, writer, journal, region }, answer)),
            Err(error) => Err(found.call_failed(error)),
        }
    }
}
