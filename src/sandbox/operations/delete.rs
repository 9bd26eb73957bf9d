//! DeleteSecret and RestoreSecret.

use serde::{Deserialize, Serialize};

use super::{Context, SecretOutput, recording};
use crate::home::arn_suffix;
use crate::state::{Deletion, Found, SecretId, SecretRecord, Writer, lookup};
use crate::wire::{Constraints, EpochSeconds, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteInput {
    secret_id: Option<String>,
    recovery_window_in_days: Option<i64>,
    force_delete_without_recovery: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteOutput<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    deletion_date: EpochSeconds,
}

/// A deletion without recovery happens at once here. The real service still answers for some seconds as if the secret
/// were scheduled for deletion.
pub(super) fn delete_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: DeleteInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let force = input.force_delete_without_recovery.unwrap_or(false);
    let window = match input.recovery_window_in_days {
        Some(_) if force => {
            return Err(ServiceError::invalid_parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        Some(days) if !limits::RECOVERY_WINDOW.contains(&days) => {
            return Err(ServiceError::invalid_parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        days => days.unwrap_or(limits::DEFAULT_RECOVERY_WINDOW),
    };
    context.write(|writer| {
        if force { delete_at_once(context, writer, id) } else { schedule_deletion(context, writer, &id, window) }
    })
}

/// A forced deletion of a secret that does not exist succeeds. Which ARN the service answers with then is not known.
fn delete_at_once(context: &Context<'_>, writer: &Writer<'_>, id: SecretId) -> Result<Reply, ServiceError> {
    let deletion_date = EpochSeconds(writer.now());
    if let Some(found) = lookup::search(writer, context.caller, &id)? {
        found.refuse_managed()?;
        refuse_replication(&found)?;
        for step in ["Start", "End"] {
            recording::note_deletion(context, writer, &found.home, step, &found.record)?;
        }
        writer.remove(&found.home, &found.record)?;
        let SecretRecord { arn, name, .. } = &found.record;
        return Reply::json(&DeleteOutput { arn, name, deletion_date });
    }
    let (arn, name) = match id {
        SecretId::Name(name) => {
            let incarnation = writer.incarnation(context.caller, &name)?;
            let suffix = arn_suffix(context.rng_seed, context.caller, &name, incarnation);
            (context.caller.secret_arn(&name, &suffix), name)
        }
        SecretId::Arn { home, rest } => {
            let (name, suffix) = rest.rsplit_once('-').unwrap_or((&rest, ""));
            (home.secret_arn(name, suffix), name.to_owned())
        }
    };
    Reply::json(&DeleteOutput { arn: &arn, name: &name, deletion_date })
}

/// Deleting a second time is not known from the real service; the documentation lists this error for it.
fn schedule_deletion(
    context: &Context<'_>,
    writer: &Writer<'_>,
    id: &SecretId,
    window: i64,
) -> Result<Reply, ServiceError> {
    let mut found = context.find_own(writer, id)?;
    refuse_replication(&found)?;
    let due = writer.now().plus_days(window);
    found.record.deletion = Some(Deletion { requested: writer.now(), due });
    if let Some(rotation) = &mut found.record.rotation {
        // It stays off after a restoration: nothing says that it would come back.
        rotation.enabled = false;
        rotation.window = None;
    }
    found.save_changed(writer)?;
    recording::note_deletion(context, writer, &found.home, "Start", &found.record)?;
    let SecretRecord { arn, name, .. } = &found.record;
    Reply::json(&DeleteOutput { arn, name, deletion_date: EpochSeconds(due) })
}

/// A copy goes with its replication, and a primary after its copies. Between accounts both sides are refused until the
/// replication is ended on that side (documented).
fn refuse_replication(found: &Found) -> Result<(), ServiceError> {
    found.refuse_replica()?;
    let record = &found.record;
    if record.cross_account_primary.is_some() {
        return Err(ServiceError::is_cross_account_replica(&record.arn));
    }
    if let Some(replica) = &record.cross_account_replica {
        return Err(ServiceError::has_cross_account_replica(&record.arn, &replica.arn));
    }
    let regions: Vec<&str> = record.replicas.iter().map(|replica| replica.region.as_str()).collect();
    if regions.is_empty() { Ok(()) } else { Err(ServiceError::has_replicas(&record.arn, &regions)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreInput {
    secret_id: Option<String>,
}

/// Restoring a secret that is not scheduled for deletion is not known from the real service; here it succeeds and
/// changes nothing. Nor is it known whether a restoration moves LastChangedDate; here it does, as it changes the
/// secret.
pub(super) fn restore_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: RestoreInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find(writer, &id)?;
        found.refuse_replica()?;
        if found.record.deletion.take().is_some() {
            found.save_changed(writer)?;
            recording::note_deletion(context, writer, &found.home, "Cancel", &found.record)?;
        }
        Reply::json(&SecretOutput::secret(&found))
    })
}
