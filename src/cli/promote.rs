//! `keywright promote`: makes a replica a secret of its own.

use clap::Args;

use super::begin::find;
use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs};
use super::report::{report, tell_calls, warn_of};
use super::shell::Shell;
use crate::apply::{Recorder, WriteSecrets};
use crate::aws::Writer;
use crate::domain::Region;
use crate::exit_code::ExitCode;
use crate::live::LiveSecret;
use crate::render::{escape, escaped};
use crate::workflow::{Error, OneSecret, Primary, disown, primary_and_region};

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
    let found = find(&args.day_two.secret, shell).await?;
    let Primary { region: primary, replica: region, not_asked } =
        primary_and_region(&found, args.region.as_deref()).await?;
    if let Some(error) = not_asked {
        // Without a person there, an unknown owner is a no.
        if !shell.interactive {
            return Err(error);
        }
        report(&error, shell);
        shell.err.line("The primary could not be asked who owns the secret.");
    }
    tell_consequences(&found, &primary, &region, shell);
    let work = DayTwo { command: "promote", question: "Promote it", region: Some(&region) };
    let call = async |writer: &Recorder<'_, Writer>, secret: &LiveSecret| writer.stop_replication(&secret.name).await;
    let (written, _) = args.day_two.carry_out(found, work, &interrupt::listen(), call, shell).await?;
    let name = escape::line(written.found.secret.name.as_str());
    shell.out.line(escaped!("{}: a secret of its own in {} now.", name, escape::line(region.as_str())));
    let disowned = written.record(async |writer| disown(writer, &written.found.secret.name).await).await;
    tell_calls(&written.found.aws, verbose, shell);
    if disowned? {
        shell.out.line("It has no keywright tag there: a manifest of a target in that region adopts it.");
    }
    Ok(ExitCode::Success)
}

fn tell_consequences(found: &OneSecret, primary: &Region, region: &Region, shell: &Shell) {
    let paint = shell.out.paint();
    let (primary, region) = (escape::line(primary.as_str()), escape::line(region.as_str()));
    shell.out.line(escaped!(
        "{}: the replica in {} becomes a secret of its own\n\n  \
         changes in {}, rotations included, no longer reach {}\n  \
         the secret in {} keeps its value, its key and its ARN, and is read as before\n  \
         to make it a replica again, it must be deleted in {} first",
        paint.strong(escape::line(found.secret.name.as_str())),
        region,
        primary,
        region,
        region,
        region,
    ));
    let declared =
        found.desired.secrets.get(&found.secret.name).and_then(|desired_secret| desired_secret.replicas.as_ref());
    if let Some(declared) = declared
        .filter(|declared| declared.value.as_ref().is_some_and(|replicas| replicas.contains_key(region.as_ref())))
    {
        let origin = escape::line(&declared.origin.to_string());
        let text = escaped!(
            "{} still wants a replica in {}: remove it there, or the next apply tries again and fails",
            origin,
            region
        );
        warn_of(text, shell);
    }
}
