//! `keywright rollback`: moves AWSCURRENT back to a version that is still there.

use clap::Args;

use super::interrupt;
use super::one_secret::DayTwoArgs;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::workflow::{Error, roll_back};

/// Move AWSCURRENT of one secret back to an earlier version.
///
/// The version that is current now gets AWSPREVIOUS. Git still holds the value that it held: unless it is changed there
/// too, the next apply puts that value back.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright rollback prod/payments/db --target prod\n  \
    keywright rollback prod/payments/db --target prod --to BEFORE-MIGRATION")]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    day_two: DayTwoArgs,
    /// The version to go back to: its id, or a staging label that it carries
    #[arg(long, value_name = "VERSION|LABEL", default_value = "AWSPREVIOUS")]
    to: String,
}

pub(super) async fn rollback(args: &RollbackArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let found = args.day_two.find(shell).await?;
    let intended = roll_back(found, &args.to).await?;
    let made = args.day_two.carry_out(intended, &[], &interrupt::listen(), shell).await?;
    made.report(verbose, shell)
}
