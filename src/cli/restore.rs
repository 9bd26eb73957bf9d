//! `keywright restore`: cancels the scheduled deletion of one secret.

use clap::Args;

use super::begin::find;
use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs};
use super::report::{tell_calls, warn_of};
use super::shell::Shell;
use crate::apply::{Recorder, WriteSecrets};
use crate::aws::Writer;
use crate::desired::State;
use crate::exit_code::ExitCode;
use crate::live::LiveSecret;
use crate::render::{Escaped, Terminal, escape, escaped};
use crate::workflow::{Error, SecretProblem};

/// Cancel the scheduled deletion of one secret.
///
/// The secret comes back with its versions, tags and policy; rotation stays off until the next apply sets it up again,
/// and replicas that were removed are gone.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  keywright restore prod/payments/db --target prod")]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    day_two: DayTwoArgs,
}

pub(super) async fn restore(args: &RestoreArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let found = find(&args.day_two.secret, shell).await?;
    found.check_owner()?;
    let name = found.secret.name.clone();
    let Some(deleted) = found.secret.deleted_at else {
        return Err(found.refuse(SecretProblem::NotScheduledForDeletion));
    };
    let when = escape::time::<Terminal>(deleted, "%Y-%m-%d %H:%M UTC");
    let shown = escape::line(name.as_str());
    shell.out.line(escaped!("{}: its deletion was asked for on {}", shell.out.paint().strong(&shown), when));
    let desired_secret = found.desired.secrets.get(&name);
    if desired_secret.is_none_or(|desired_secret| desired_secret.state == State::Absent) {
        let why: Escaped<Terminal> = desired_secret.map_or_else(
            || "no manifest names it: it will be an orphan, and is deleted again where prune is delete".into(),
            |desired_secret| {
                let origin = escape::line(&desired_secret.origin.to_string());
                escaped!("{} says state: absent, so the next apply deletes it again", origin)
            },
        );
        warn_of(why, shell);
    }
    if found.secret.rotation.is_off_for_deletion() {
        let declared = desired_secret.is_some_and(|desired_secret| desired_secret.rotation.is_some());
        let next =
            if declared { "the next apply sets up what its manifest declares" } else { "no manifest declares it" };
        let off: Escaped<Terminal> = escaped!("rotation stays off, since the deletion switched it off: {}", next);
        warn_of(off, shell);
    }
    let work = DayTwo { command: "restore", question: "Restore it", region: None };
    let call = async |writer: &Recorder<'_, Writer>, secret: &LiveSecret| writer.restore(&secret.arn).await;
    let (written, _) = args.day_two.carry_out(found, work, &interrupt::listen(), call, shell).await?;
    tell_calls(&written.found.aws, verbose, shell);
    shell.out.line(escaped!("{}: restored.", shown));
    Ok(ExitCode::Success)
}
