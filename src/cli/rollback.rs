//! `keywright rollback`: moves AWSCURRENT back to a version that is still there.

use clap::Args;

use super::begin::find;
use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs};
use super::report::{tell_calls, warn_of};
use super::shell::Shell;
use crate::apply::{Recorder, WriteSecrets};
use crate::aws::Writer;
use crate::domain::StagingLabel;
use crate::exit_code::ExitCode;
use crate::live::LiveSecret;
use crate::render::{Terminal, escape, escaped};
use crate::workflow::{Error, OneSecret, git_version, rollback_versions};

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
    let found = find(&args.day_two.secret, shell).await?;
    found.check_owned_and_live()?;
    let (from, to) = rollback_versions(&found, &args.to).await?;
    tell_consequences(&found, &from, &to, shell);

    let work = DayTwo { command: "rollback", question: "Roll it back", region: None };
    let call = async |writer: &Recorder<'_, Writer>, secret: &LiveSecret| {
        writer.move_label(&secret.arn, "AWSCURRENT", &to, Some(&from)).await
    };
    let (written, _) = args.day_two.carry_out(found, work, &interrupt::listen(), call, shell).await?;
    tell_calls(&written.found.aws, verbose, shell);
    let name = escape::line(written.found.secret.name.as_str());
    shell.out.line(escaped!("{}: AWSCURRENT is on {} now.", name, escape::line(&to)));
    Ok(ExitCode::Success)
}

fn tell_consequences(found: &OneSecret, from: &str, to: &str, shell: &Shell) {
    let paint = shell.out.paint();
    let (from_text, to_text) = (escape::line(from), escape::line(to));
    shell.out.line(escaped!(
        "{}\n\n  AWSCURRENT   {} → {}\n  AWSPREVIOUS  → {}",
        paint.strong(escape::line(found.secret.name.as_str())),
        paint.removed(&from_text),
        paint.added(&to_text),
        from_text,
    ));
    let previous = found.secret.holder(StagingLabel::PREVIOUS).filter(|previous| *previous != to);
    let only_label = |id: &&str| found.secret.versions.get(*id).is_some_and(|labels| labels.len() == 1);
    if let Some(previous) = previous.filter(only_label) {
        let previous = escape::line(previous);
        shell.out.line(escaped!(
            "  {} loses its last label, is deprecated then, and may be removed by Secrets Manager",
            previous
        ));
    }
    if let Some(rotated) = found.secret.rotation.last {
        let text = escaped!(
            "rotation owns this value (last on {}): the credential in an earlier version may no longer work",
            escape::time::<Terminal>(rotated, "%Y-%m-%d")
        );
        warn_of(text, shell);
    }
    if let Some(value) =
        found.desired.secrets.get(&found.secret.name).and_then(|desired_secret| desired_secret.value.as_ref())
    {
        let gits = git_version(found).is_some_and(|git| git == to);
        if !gits {
            let text = escaped!(
                "git still holds another value ({}:{}): change it there too, or the next apply puts it back",
                escape::line(&value.origin.file),
                value.origin.line
            );
            warn_of(text, shell);
        }
    }
}
