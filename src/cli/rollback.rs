//! `keywright rollback`: moves AWSCURRENT back to a version that is still there.

use clap::Args;

use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs, OneSecret, failed_call, refuse};
use super::prepare::tell_calls;
use super::shell::Shell;
use super::versions::git_version;
use crate::apply::WriteSecrets;
use crate::aws::Writer;
use crate::exit_code::ExitCode;
use crate::live::{LiveSecret, ReadSecrets, VersionEntry};
use crate::render::escape;

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

pub(super) async fn rollback(args: &RollbackArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &RollbackArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let found = OneSecret::find(&args.day_two.secret, shell).await?;
    found.check_owned_and_live(shell)?;
    let read = found.connection.reader().versions(&found.secret.name).await;
    let entries = read.map_err(|error| failed_call(&found.desired, error, shell))?.unwrap_or_default();
    let (from, to) = choose(&found.secret, &entries, &args.to).map_err(|message| {
        refuse(&found.secret.name, &message, Some("keywright versions shows what there is"), shell)
    })?;
    tell_consequences(&found, &from, &to, shell);

    let work =
        DayTwo { command: "rollback", question: "Roll it back?", action: format!("AWSCURRENT from {from} to {to}") };
    let call = async |writer: &Writer, secret: &LiveSecret| {
        writer.move_label(&secret.arn, "AWSCURRENT", &to, Some(&from)).await
    };
    let (written, _) = args.day_two.carry_out(found, work, &interrupt::listen(), call, shell).await?;
    tell_calls(&written.aws, verbose, shell);
    let name = escape::line(written.secret.name.as_str());
    shell.out.line(&format!("{name}: AWSCURRENT is on {} now.", escape::line(&to)));
    Ok(ExitCode::Success)
}

/// The current version, and the one that is asked for; or why there is no going back to it.
fn choose(secret: &LiveSecret, entries: &[VersionEntry], to: &str) -> Result<(String, String), String> {
    let Some(current) = secret.current_version() else { return Err("has no value".to_owned()) };
    if let Some(stuck) = secret.stuck_version() {
        return Err(format!("is in the middle of a rotation: AWSPENDING is on {}", escape::line(stuck)));
    }
    let chosen = entries.iter().find(|entry| entry.id == to || entry.labels.contains(to));
    match chosen {
        None => Err(format!("has no version with the id or label {}", escape::line(to))),
        Some(entry) if entry.id == current => Err(format!("has AWSCURRENT on {} already", escape::line(&entry.id))),
        Some(entry) => Ok((current.to_owned(), entry.id.clone())),
    }
}

fn tell_consequences(found: &OneSecret, from: &str, to: &str, shell: &Shell) {
    let paint = shell.out.paint();
    let (from_text, to_text) = (escape::line(from), escape::line(to));
    shell.out.line(&format!(
        "{}\n\n  AWSCURRENT   {} → {}\n  AWSPREVIOUS  → {from_text}",
        paint.strong(escape::line(found.secret.name.as_str())),
        paint.removed(&from_text),
        paint.added(&to_text),
    ));
    let previous = found.secret.holder("AWSPREVIOUS").filter(|previous| *previous != to);
    let only_label = |id: &&str| found.secret.versions.get(*id).is_some_and(|labels| labels.len() == 1);
    if let Some(previous) = previous.filter(only_label) {
        shell.out.line(&format!(
            "  {} loses its last label, is deprecated then, and may be removed by Secrets Manager",
            escape::line(previous)
        ));
    }
    if let Some(value) =
        found.desired.secrets.get(&found.secret.name).and_then(|desired_secret| desired_secret.value.as_ref())
    {
        let gits = git_version(found).is_some_and(|git| git == to);
        if !gits {
            let warning = shell.err.paint().warning("warning");
            shell.err.line(&format!(
                "{warning}: git still holds another value ({}:{}): change it there too, or the next apply puts it back",
                escape::line(&value.origin.file),
                value.origin.line
            ));
        }
    }
}
