//! `keywright rotate`: starts, stops or repairs the rotation of one secret.

use std::time::Duration;

use clap::Args;

use super::begin::find;
use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs, Written};
use super::progress::Spinner;
use super::report::{tell_calls, warn_of};
use super::shell::Shell;
use crate::apply::{Receipt, Recorder, Rotating, WriteSecrets};
use crate::aws::Writer;
use crate::domain::StagingLabel;
use crate::exit_code::ExitCode;
use crate::live::LiveSecret;
use crate::render::{escape, escaped};
use crate::workflow::{Error, Hint, OneSecret, SecretProblem, Stop, follow_rotation};

/// The staging label of a rotation that is not complete.
const PENDING: &str = StagingLabel::PENDING;

/// Rotate one secret now, stop its rotation, or repair one that is stuck.
///
/// Without an option it starts a rotation with the function and the schedule that the secret has already
/// (RotateSecret). A rotation is stuck when AWSPENDING stays on a version that is not the current one: then
/// RotateSecret is refused, and --repair takes the label away.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright rotate prod/payments/db --target prod --wait\n  \
    keywright rotate prod/payments/db --target prod --repair\n  keywright rotate prod/payments/db --target prod --cancel")]
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
}

pub(super) async fn rotate(args: &RotateArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let found = find(&args.day_two.secret, shell).await?;
    found.check_owned_and_live()?;
    let stop = interrupt::listen();
    let written = if args.repair {
        repair(args, found, &stop, shell).await?
    } else if args.cancel {
        cancel(args, found, &stop, shell).await?
    } else {
        start(args, found, &stop, shell).await?
    };
    tell_calls(&written.found.aws, verbose, shell);
    Ok(ExitCode::Success)
}

async fn start(args: &RotateArgs, found: OneSecret, stop: &Stop, shell: &Shell) -> Result<Written, Error> {
    let secret = &found.secret;
    let Some(setup) = secret.rotation.setup() else {
        return Err(found.refuse(SecretProblem::NoRotation).hint(Hint::DeclareRotation));
    };
    if let Some(stuck) = secret.stuck_version() {
        let problem = SecretProblem::Rotating { version: stuck.to_owned() };
        return Err(found.refuse(problem).hint(Hint::RepairStuckRotation));
    }
    let name = escape::line(secret.name.as_str());
    let rotation = crate::render::rotation(&setup);
    shell.out.line(escaped!(
        "{}: gets a new value now, {}\n\n  readers of AWSCURRENT get the new one as soon as the rotation ends; \
         the old one stays as AWSPREVIOUS",
        shell.out.paint().strong(&name),
        rotation,
    ));
    let work = DayTwo { command: "rotate", question: "Rotate it", region: None };
    let call = async |writer: &Recorder<'_, Writer>, secret: &LiveSecret| writer.rotate(&secret.arn, None, true).await;
    let (written, Rotating { version_id, .. }) = args.day_two.carry_out(found, work, stop, call, shell).await?;
    let version = version_id.unwrap_or_default();
    shell.out.line(escaped!("{}: the rotation to {} has begun.", name, escape::line(&version)));
    if args.wait {
        follow(args, &written, &version, stop, shell).await?;
    }
    Ok(written)
}

/// Looks until the new version is current.
async fn follow(args: &RotateArgs, written: &Written, version: &str, stop: &Stop, shell: &Shell) -> Result<(), Error> {
    let name = &written.found.secret.name;
    let shown = escape::line(name.as_str());
    let spinner = Spinner::new(shell, escaped!("rotating {}", shown));
    let timeout = Duration::from_secs(args.timeout);
    let followed = follow_rotation(&written.writer, name, version, timeout, stop).await;
    drop(spinner);
    followed?;
    shell.out.line(escaped!("{}: rotated; {} is current.", shown, escape::line(version)));
    Ok(())
}

async fn repair(args: &RotateArgs, found: OneSecret, stop: &Stop, shell: &Shell) -> Result<Written, Error> {
    let Some(stuck) = found.secret.stuck_version().map(str::to_owned) else {
        return Err(found.refuse(SecretProblem::NotStuck));
    };
    let name = escape::line(found.secret.name.as_str());
    let (paint, id) = (shell.out.paint(), escape::line(&stuck));
    shell.out.line(escaped!(
        "{}: {} is taken from {}\n\n  {}\n  the version may be removed by Secrets Manager once it has no label; \
         the current version stays as it is",
        paint.strong(&name),
        PENDING,
        id,
        paint.warning(
            "when the function had changed the database or service already, that version is the only \
            valid credential"
        ),
    ));
    let work = DayTwo { command: "rotate --repair", question: "Take the label away", region: None };
    let call = async |writer: &Recorder<'_, Writer>, secret: &LiveSecret| -> Result<Receipt, _> {
        writer.remove_label(&secret.arn, PENDING, &stuck).await
    };
    let (written, _) = args.day_two.carry_out(found, work, stop, call, shell).await?;
    shell.out.line(escaped!("{}: repaired. `keywright rotate` starts a rotation.", name));
    Ok(written)
}

async fn cancel(args: &RotateArgs, found: OneSecret, stop: &Stop, shell: &Shell) -> Result<Written, Error> {
    if !found.secret.rotation.enabled {
        return Err(found.refuse(SecretProblem::NoRotation));
    }
    let name = escape::line(found.secret.name.as_str());
    shell.out.line(escaped!("{}: is not rotated any more; its value stays", shell.out.paint().strong(&name)));
    let desired_secret =
        found.desired.secrets.get(&found.secret.name).and_then(|desired_secret| desired_secret.rotation.as_ref());
    if let Some(declared) = desired_secret.filter(|declared| declared.value.is_some()) {
        let origin = escape::line(&declared.origin.to_string());
        warn_of(escaped!("{} declares rotation: the next apply switches it on again", origin), shell);
    }
    let work = DayTwo { command: "rotate --cancel", question: "Switch rotation off", region: None };
    let call = async |writer: &Recorder<'_, Writer>, secret: &LiveSecret| writer.cancel_rotation(&secret.arn).await;
    let (written, _) = args.day_two.carry_out(found, work, stop, call, shell).await?;
    shell.out.line(escaped!("{}: rotation is off.", name));
    Ok(written)
}
