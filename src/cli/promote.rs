//! `keywright promote`: makes a replica a secret of its own.

use std::collections::BTreeSet;

use clap::Args;

use super::interrupt;
use super::one_secret::{DayTwo, DayTwoArgs, OneSecret, Written, failed_call, refuse};
use super::prepare::tell_calls;
use super::shell::Shell;
use crate::apply::WriteSecrets;
use crate::aws::Writer;
use crate::desired::OWNER_TAG;
use crate::exit_code::ExitCode;
use crate::live::{LiveSecret, ReadSecrets};
use crate::render::escape;

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

pub(super) async fn promote(args: &PromoteArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &PromoteArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let found = OneSecret::find(&args.day_two.secret, shell).await?;
    let (primary, region) = primary_and_region(&found, args.region.as_deref(), shell).await?;
    tell_consequences(&found, &primary, &region, shell);
    let work = DayTwo {
        command: "promote",
        question: "Promote it?",
        action: format!("replica in {region} made a secret of its own"),
    };
    let call =
        async |writer: &Writer, secret: &LiveSecret| writer.in_region(&region).stop_replication(&secret.name).await;
    let (written, _) = args.day_two.carry_out(found, work, &interrupt::listen(), call, shell).await?;
    let name = escape::line(written.secret.name.as_str());
    shell.out.line(&format!("{name}: a secret of its own in {} now.", escape::line(&region)));
    let disowned = disown(&written, &region, shell).await;
    tell_calls(&written.aws, verbose, shell);
    disowned
}

/// The copy of the primary's owner tag would name a target that does not hold the secret, and no project could ever
/// take it over: it goes.
async fn disown(written: &Written, region: &str, shell: &Shell) -> Result<ExitCode, ExitCode> {
    let writer = written.writer.in_region(region);
    let failed = |error| failed_call(&written.desired, error, shell);
    let promoted = writer.describe(&written.secret.name).await.map_err(failed)?;
    let Some(promoted) = promoted.filter(|secret| secret.named_owner().is_some()) else { return Ok(ExitCode::Success) };
    writer.untag(&promoted.arn, &BTreeSet::from([OWNER_TAG.to_owned()])).await.map_err(failed)?;
    shell.out.line("It has no keywright tag there: a manifest of a target in that region adopts it.");
    Ok(ExitCode::Success)
}

/// The primary's region and the replica's. A replica may show no tags, so who owns it is asked at its primary; when
/// that cannot be reached, which may be why somebody promotes, the question says so.
async fn primary_and_region(
    found: &OneSecret,
    region: Option<&str>,
    shell: &Shell,
) -> Result<(String, String), ExitCode> {
    let OneSecret { desired, connection, secret, .. } = found;
    let here = &desired.target.region;
    if !secret.is_replica_in(here) {
        found.check_owner(shell)?;
        let regions: Vec<_> = secret.replicas.keys().map(|region| escape::line(region)).collect();
        let hint = match regions.as_slice() {
            [] => "it has no replica".to_owned(),
            regions => format!("it has replicas in {}", regions.join(", ")),
        };
        return match region {
            Some(region) if secret.replicas.contains_key(region) => Ok((here.clone(), region.to_owned())),
            Some(region) => {
                let message = format!("has no replica in {}", escape::line(region));
                Err(refuse(&secret.name, &message, Some(&hint), shell))
            }
            None => Err(refuse(&secret.name, "is the primary: say which replica with --region", Some(&hint), shell)),
        };
    }
    if region.is_some_and(|region| region != here) {
        let message = format!("is a replica in {}, the target's own region", escape::line(here));
        return Err(refuse(&secret.name, &message, Some("leave --region out"), shell));
    }
    let primary_region = secret.primary_region.clone().unwrap_or_default();
    match connection.reader().describe_in_region(&primary_region, &secret.name).await {
        Ok(Some(primary)) => {
            // The owner is `project/target`, and the primary's target is another one of this project.
            let ours = primary.named_owner().and_then(|owner| owner.split_once('/')).map(|(project, _)| project);
            if ours != Some(desired.project.as_str()) {
                let owner = primary.named_owner().unwrap_or("nobody");
                let message = format!(
                    "has a primary in {} that belongs to {}",
                    escape::line(&primary_region),
                    escape::line(owner)
                );
                return Err(refuse(&secret.name, &message, None, shell));
            }
        }
        Ok(None) => {}
        Err(error) => {
            let code = failed_call(desired, error, shell);
            shell.err.line("The primary could not be asked who owns the secret.");
            // Without a person there, an unknown owner is a no.
            if !shell.interactive {
                return Err(code);
            }
        }
    }
    Ok((primary_region, here.clone()))
}

fn tell_consequences(found: &OneSecret, primary: &str, region: &str, shell: &Shell) {
    let paint = shell.out.paint();
    let (primary, region) = (escape::line(primary), escape::line(region));
    shell.out.line(&format!(
        "{}: the replica in {region} becomes a secret of its own\n\n  \
         changes in {primary}, rotations included, no longer reach {region}\n  \
         the secret in {region} keeps its value, its key and its ARN, and is read as before\n  \
         to make it a replica again, it must be deleted in {region} first",
        paint.strong(escape::line(found.secret.name.as_str())),
    ));
    let declared =
        found.desired.secrets.get(&found.secret.name).and_then(|desired_secret| desired_secret.replicas.as_ref());
    if let Some(declared) = declared
        .filter(|declared| declared.value.as_ref().is_some_and(|replicas| replicas.contains_key(region.as_ref())))
    {
        let warning = shell.err.paint().warning("warning");
        let origin = escape::line(&declared.origin.to_string()).into_owned();
        shell.err.line(&format!(
            "{warning}: {origin} still wants a replica in {region}: remove it there, or the \
            next apply tries again and fails"
        ));
    }
}
