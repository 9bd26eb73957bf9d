//! `keywright restore`: cancels the scheduled deletion of one secret.

use clap::Args;

use super::interrupt;
use super::one_secret::DayTwoArgs;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::workflow::{self, Error};

/// Cancel the scheduled deletion of one secret.
///
/// The secret comes back with its versions, tags and policy; rotation stays off until the next apply sets it up again,
/// and replicas that were removed are gone.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright restore prod/payments/db --target prod\n  \
    keywright restore prod/payments/db && keywright apply   # which sets rotation up again")]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    day_two: DayTwoArgs,
}

pub(super) async fn restore(args: &RestoreArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let intended = workflow::restore(args.day_two.find(shell).await?)?;
    let made = args.day_two.carry_out(intended, &[], &interrupt::listen(), shell).await?;
    made.report(verbose, shell)
}
