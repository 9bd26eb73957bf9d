//! `keywright rotate`: starts, stops or repairs the rotation of one secret.

use std::time::Duration;

use clap::Args;
use tokio::sync::watch;

use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs, OneSecret, Written, failed_call, refuse};
use super::prepare::tell_calls;
use super::progress::Spinner;
use super::shell::Shell;
use crate::apply::{Receipt, Rotating, WriteSecrets};
use crate::aws::Writer;
use crate::exit_code::ExitCode;
use crate::live::{LiveSecret, ReadSecrets};
use crate::render::escape;

/// The staging label of a rotation that is not complete.
const PENDING: &str = "AWSPENDING";

/// How often a rotation is looked at while it is waited for. Rotations take seconds to minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

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

pub(super) async fn rotate(args: &RotateArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &RotateArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let found = OneSecret::find(&args.day_two.secret, shell).await?;
    found.check_owned_and_live(shell)?;
    let stop = interrupt::listen();
    let (written, code) = if args.repair {
        (repair(args, found, &stop, shell).await?, ExitCode::Success)
    } else if args.cancel {
        (cancel(args, found, &stop, shell).await?, ExitCode::Success)
    } else {
        start(args, found, &stop, shell).await?
    };
    tell_calls(&written.aws, verbose, shell);
    Ok(code)
}

async fn start(
    args: &RotateArgs,
    found: OneSecret,
    stop: &watch::Receiver<bool>,
    shell: &mut Shell,
) -> Result<(Written, ExitCode), ExitCode> {
    let secret = &found.secret;
    let Some(setup) = secret.rotation.setup() else {
        let hint = Some("declare `rotation` in its manifest and apply that first");
        return Err(refuse(&secret.name, "has no rotation that is on", hint, shell));
    };
    if let Some(stuck) = secret.stuck_version() {
        let message = format!("is in the middle of a rotation: {PENDING} is on {}", escape::line(stuck));
        let hint = "it may be under way; one that is stuck is repaired with --repair";
        return Err(refuse(&secret.name, &message, Some(hint), shell));
    }
    let name = escape::line(secret.name.as_str()).into_owned();
    let rotation = crate::render::rotation(&setup);
    shell.out.line(&format!(
        "{}: gets a new value now, {rotation}\n\n  readers of AWSCURRENT get the new one as soon as the rotation ends; \
         the old one stays as AWSPREVIOUS",
        shell.out.paint().strong(&name)
    ));
    let work = DayTwo { command: "rotate", question: "Rotate it?", action: "rotation started".to_owned() };
    let call = async |writer: &Writer, secret: &LiveSecret| writer.rotate(&secret.arn, None, true).await;
    let (written, Rotating { version_id, .. }) = args.day_two.carry_out(found, work, stop, call, shell).await?;
    let version = version_id.unwrap_or_default();
    shell.out.line(&format!("{name}: the rotation to {} has begun.", escape::line(&version)));
    let code = if args.wait { follow(args, &written, &version, stop, shell).await? } else { ExitCode::Success };
    Ok((written, code))
}

/// Looks until the new version is current.
async fn follow(
    args: &RotateArgs,
    written: &Written,
    version: &str,
    stop: &watch::Receiver<bool>,
    shell: &Shell,
) -> Result<ExitCode, ExitCode> {
    let name = &written.secret.name;
    let shown = escape::line(name.as_str());
    let spinner = Spinner::new(shell, &format!("rotating {shown}"));
    let waiting = async {
        loop {
            let seen = written.writer.describe(name).await;
            let seen = seen.map_err(|error| failed_call(&written.desired, error, shell))?;
            if seen.is_some_and(|secret| secret.current_version() == Some(version)) {
                return Ok(ExitCode::Success);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let ended = tokio::select! {
        ended = waiting => Some(ended),
        () = tokio::time::sleep(Duration::from_secs(args.timeout)) => None,
        () = interrupt::stopped(stop) => {
            drop(spinner);
            shell.err.line("Interrupted. The rotation goes on without being watched.");
            return Err(ExitCode::Interrupted);
        }
    };
    drop(spinner);
    let Some(ended) = ended else {
        let message = format!("is not rotated after {} seconds", args.timeout);
        let hint = "look at the function's log; Secrets Manager tries again by itself for some hours";
        return Err(refuse(name, &message, Some(hint), shell));
    };
    let code = ended?;
    shell.out.line(&format!("{shown}: rotated; {} is current.", escape::line(version)));
    Ok(code)
}

async fn repair(
    args: &RotateArgs,
    found: OneSecret,
    stop: &watch::Receiver<bool>,
    shell: &mut Shell,
) -> Result<Written, ExitCode> {
    let Some(stuck) = found.secret.stuck_version().map(str::to_owned) else {
        return Err(refuse(&found.secret.name, "has no rotation that is stuck", None, shell));
    };
    let name = escape::line(found.secret.name.as_str()).into_owned();
    let (paint, id) = (shell.out.paint(), escape::line(&stuck).into_owned());
    shell.out.line(&format!(
        "{}: {PENDING} is taken from {id}\n\n  {}\n  the version may be removed by Secrets Manager once it has no label; \
         the current version stays as it is",
        paint.strong(&name),
        paint.warning("when the function had changed the database or service already, that version is the only \
            valid credential"),
    ));
    let work = DayTwo {
        command: "rotate --repair",
        question: "Take the label away?",
        action: format!("{PENDING} removed from {stuck}"),
    };
    let call = async |writer: &Writer, secret: &LiveSecret| -> Result<Receipt, _> {
        writer.remove_label(&secret.arn, PENDING, &stuck).await
    };
    let (written, _) = args.day_two.carry_out(found, work, stop, call, shell).await?;
    shell.out.line(&format!("{name}: repaired. `keywright rotate` starts a rotation."));
    Ok(written)
}

async fn cancel(
    args: &RotateArgs,
    found: OneSecret,
    stop: &watch::Receiver<bool>,
    shell: &mut Shell,
) -> Result<Written, ExitCode> {
    if !found.secret.rotation.enabled {
        return Err(refuse(&found.secret.name, "has no rotation that is on", None, shell));
    }
    let name = escape::line(found.secret.name.as_str()).into_owned();
    shell.out.line(&format!("{}: is not rotated any more; its value stays", shell.out.paint().strong(&name)));
    let desired_secret =
        found.desired.secrets.get(&found.secret.name).and_then(|desired_secret| desired_secret.rotation.as_ref());
    if let Some(declared) = desired_secret.filter(|declared| declared.value.is_some()) {
        let warning = shell.err.paint().warning("warning");
        let origin = escape::line(&declared.origin.to_string()).into_owned();
        shell.err.line(&format!("{warning}: {origin} declares rotation: the next apply switches it on again"));
    }
    let work = DayTwo {
        command: "rotate --cancel",
        question: "Switch rotation off?",
        action: "rotation switched off".to_owned(),
    };
    let call = async |writer: &Writer, secret: &LiveSecret| writer.cancel_rotation(&secret.arn).await;
    let (written, _) = args.day_two.carry_out(found, work, stop, call, shell).await?;
    shell.out.line(&format!("{name}: rotation is off."));
    Ok(written)
}
