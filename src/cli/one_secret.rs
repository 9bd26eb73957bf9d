//! What the day-2 commands have in common: one secret of one target, a question, and a call that the journal notes.

use clap::Args;

use super::args::{AwsArgs, ProjectArgs};
use super::begin::find_despite_mistakes;
use super::confirm::ask;
use super::event_printer::EventPrinter;
use super::journal::JournalArgs;
use super::report::{print_calls, print_warning, report};
use super::shell::Shell;
use crate::domain::AccountId;
use crate::exit_code::ExitCode;
use crate::render::day_two;
use crate::render::question::{self, Where};
use crate::workflow::{Error, Intended, Journal, Made, OneSecret, Stop};

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
    secret: OneSecretArgs,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    journal: JournalArgs,
}

/// A call that was made, and the journal that notes it.
pub(super) struct Reported {
    pub(super) made: Made,
    pub(super) journal: Journal,
}

impl Reported {
    /// Says how many calls it took, and what was done.
    pub(super) fn report(&self, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
        self.report_calls(verbose, shell);
        self.report_done(shell);
        self.end(Ok(()), shell)
    }

    /// What the command ends with, by what came after the call: not well either where the journal lacks a line.
    pub(super) fn end(&self, after: Result<(), Error>, shell: &Shell) -> Result<ExitCode, Error> {
        match (after, self.journal.failure()) {
            (Ok(()), None) => Ok(ExitCode::Success),
            (Ok(()), Some(error)) | (Err(error), None) => Err(error),
            (Err(error), Some(missing)) => {
                report(&missing, shell);
                Err(error)
            }
        }
    }

    /// Says what was done.
    pub(super) fn report_done(&self, shell: &Shell) {
        shell.out.line(day_two::done(&self.made.intended, self.made.version.as_ref()));
    }

    /// Says how many calls it took.
    pub(super) fn report_calls(&self, verbose: u8, shell: &Shell) {
        print_calls(&self.made.intended.found.aws, verbose, shell);
    }
}

/// Asks before a call that writes to one secret.
pub(super) async fn ask_about(found: &OneSecret, question: &str, stop: &Stop, shell: &Shell) -> Result<(), Error> {
    let target = &found.desired.target;
    let endpoint = found.connection.endpoint();
    let account = found.connection.account.as_ref().or(target.account.as_ref()).map(AccountId::as_str);
    let place = Where { target: &target.name, account, region: target.region.as_str(), endpoint: endpoint.as_deref() };
    ask(&question::one_secret(question, &place), stop, shell).await
}

impl DayTwoArgs {
    /// Finds the secret, once it is known that the journal can be one.
    pub(super) async fn find(&self, shell: &Shell) -> Result<OneSecret, Error> {
        self.journal.check()?;
        find_despite_mistakes(&self.secret, shell).await
    }

    /// Says what the call does, and asks, unless told not to; then makes it, with a journal that was opened before, and
    /// that says which guards the call overrides.
    pub(super) async fn carry_out(
        &self,
        intended: Intended,
        overrides: &[&str],
        stop: &Stop,
        shell: &Shell,
    ) -> Result<Reported, Error> {
        shell.out.write(day_two::consequences(shell.out.paint(), &intended));
        day_two::warnings(&intended).for_each(|warning| print_warning(warning, shell));
        let journal = self.journal.open(&intended.found.root, intended.command())?;
        let journal = journal.with_guard_overrides(overrides.iter().map(ToString::to_string).collect());
        if !self.yes {
            ask_about(&intended.found, day_two::question(&intended.call), stop, shell).await?;
        }
        let printer = EventPrinter::reading(shell);
        let made = intended.carry_out(&journal, &|event| printer.print(event)).await?;
        shell.note_written();
        Ok(Reported { made, journal })
    }
}
