//! `keywright rotate`: starts, stops or repairs the rotation of one secret.

use std::time::Duration;

use clap::Args;

use super::args::PropagationArgs;
use super::interrupt;
use super::one_secret::{DayTwoArgs, Reported};
use super::progress::Spinner;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::{escape, escaped};
use crate::workflow::{Error, Stop, follow_rotation, repair_rotation, start_rotation, stop_rotation};

/// Rotate one secret now, stop its rotation, or repair one that is stuck.
///
/// Without an option it starts a rotation with the function and the schedule that the secret has already
/// (RotateSecret). A rotation is stuck when AWSPENDING stays on a version that is not the current one: then
/// RotateSecret is refused, and --repair takes the label away.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one flag of the command line")]
#[command(after_long_help = "Examples:\n  keywright rotate prod/payments/db --target prod --wait\n  \
    keywright rotate prod/payments/db --target prod --repair\n  keywright rotate prod/payments/db --target prod \
    --cancel")]
pub(super) struct RotateArgs {
    #[command(flatten)]
    day_two: DayTwoArgs,
    /// Follow the rotation until the new version is current
    #[arg(long, conflicts_with_all = ["repair", "cancel"])]
    wait: bool,
    /// Give up waiting after so many seconds; the rotation goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 900, requires = "wait")]
    timeout: u64,
    /// Take AWSPENDING from the version on which a rotation is stuck
    #[arg(long, conflicts_with = "cancel")]
    repair: bool,
    /// Switch rotation off (CancelRotateSecret)
    #[arg(long)]
    cancel: bool,
    /// Switch rotation off while one is in flight: AWSPENDING may be on the only credential that works
    #[arg(long, requires = "cancel")]
    allow_cancel_rotation: bool,
    #[command(flatten)]
    propagation: PropagationArgs,
}

pub(super) async fn rotate(args: &RotateArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let found = args.day_two.find(shell).await?;
    found.aws.set_propagation_timeout(args.propagation.timeout());
    let intended = match args {
        RotateArgs { repair: true, .. } => repair_rotation(found),
        RotateArgs { cancel: true, .. } => stop_rotation(found, args.allow_cancel_rotation),
        _ => start_rotation(found),
    }?;
    let stop = interrupt::listen();
    let overrides: &[&str] = if args.allow_cancel_rotation { &["--allow-cancel-rotation"] } else { &[] };
    let made = args.day_two.carry_out(intended, overrides, &stop, shell).await?;
    made.report_done(shell);
    let followed = if args.wait { follow(args, &made, &stop, shell).await } else { Ok(()) };
    made.report_calls(verbose, shell);
    made.end(followed, shell)
}

/// Looks until the new version is current.
async fn follow(args: &RotateArgs, Reported { made, .. }: &Reported, stop: &Stop, shell: &Shell) -> Result<(), Error> {
    let Some(version) = &made.version else { return Ok(()) };
    let name = &made.intended.found.secret.name;
    let shown = escape::line(name.as_str());
    let spinner = Spinner::new(shell, escaped!("rotating {}", shown));
    let followed = follow_rotation(made.writer(), name, version, Duration::from_secs(args.timeout), stop).await;
    drop(spinner);
    followed?;
    shell.out.line(escaped!("{}: rotated; {} is current.", shown, escape::line(version.as_str())));
    Ok(())
}
