//! `keywright promote`: makes a replica a secret of its own.

use clap::Args;

use super::interrupt;
use super::one_secret::DayTwoArgs;
use super::report::report;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::workflow::{self, Error};

/// Make the replica of one secret a secret of its own.
///
/// For the day when the primary's region is lost, or when a region is to go its own way. The replica keeps its value
/// and its ARN; from then on the primary's changes no longer reach it, and nothing makes it a replica again but
/// deleting it (StopReplicationToReplica).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright promote prod/payments/db --target prod --region us-west-2\n  \
    keywright promote prod/payments/db --target prod-us   # a target in the replica's region")]
pub(super) struct PromoteArgs {
    #[command(flatten)]
    day_two: DayTwoArgs,
    /// The region of the replica [default: the target's own, when the secret is a replica there]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

pub(super) async fn promote(args: &PromoteArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let found = args.day_two.find(shell).await?;
    let (intended, not_asked) = workflow::promote(found, args.region.as_deref()).await?;
    if let Some(error) = not_asked {
        // Without a person there, an unknown owner is a no.
        if !shell.interactive {
            return Err(error);
        }
        report(&error, shell);
        shell.err.line("The primary could not be asked who owns the secret.");
    }
    let made = args.day_two.carry_out(intended, &[], &interrupt::listen(), shell).await?;
    made.report_done(shell);
    let disowned = made.made.disown(&made.journal).await;
    made.report_calls(verbose, shell);
    if let Ok(true) = &disowned {
        shell.out.line("It has no keywright tag there: a manifest of a target in that region adopts it.");
    }
    made.end(disowned.map(|_| ()), shell)
}
