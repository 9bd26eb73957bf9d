//! The replica of a secret in another account: how its two records find each other, and how the values are copied.
//!
//! The replica is a secret of its own. Only values travel, with their version ids and staging labels (which of these do
//! is not documented; here every version that holds a value, and all its labels, as in other regions). Both sides keep
//! how the replication stands. Who may begin and end one is decided in `operations`.

use std::collections::BTreeSet;

use super::lookup::{self, Found, SecretId};
use super::record::{CrossAccountStatus, SecretRecord};
use super::replica::copy_versions;
use super::store::StoreError;
use super::tables::{Transaction, View, Writer};
use crate::home::Home;

/// The name of the policy that the service attaches to a replica, and that nobody can change.
pub(crate) const MANAGED_POLICY: &str = "cross-account-replication";

/// The secret of an ARN that another secret keeps.
pub(crate) fn secret_of<T: Transaction>(view: &View<'_, T>, arn: &str) -> Result<Option<Found>, StoreError> {
    let Ok(id) = SecretId::parse(arn) else { return Ok(None) };
    let SecretId::Arn { home, .. } = &id else { return Ok(None) };
    lookup::search(view, home, &id)
}

/// The replica that a secret is associated with, unless it was promoted, or is not in this sandbox.
pub(crate) fn replica_of<T: Transaction>(
    view: &View<'_, T>,
    primary: &SecretRecord,
) -> Result<Option<Found>, StoreError> {
    let Some(link) = &primary.cross_account_replica else { return Ok(None) };
    let replica = secret_of(view, &link.arn)?;
    Ok(replica
        .filter(|replica| replica.record.cross_account_primary.as_ref().is_some_and(|link| link.arn == primary.arn)))
}

/// The primary that a replica is associated with; none while it is not associated.
pub(crate) fn primary_of<T: Transaction>(
    view: &View<'_, T>,
    replica: &SecretRecord,
) -> Result<Option<Found>, StoreError> {
    let Some(link) = &replica.cross_account_primary else { return Ok(None) };
    let primary = secret_of(view, &link.arn)?;
    Ok(primary
        .filter(|primary| primary.record.cross_account_replica.as_ref().is_some_and(|link| link.arn == replica.arn)))
}

/// Notes that the values of a secret have to be copied, where its replica has other ones. That a change is tried again
/// after a failed one is not documented, but each change is said to be replicated. The caller saves the record.
pub(crate) fn note_change(writer: &Writer<'_>, primary: &mut SecretRecord) -> Result<(), StoreError> {
    let linked = primary.cross_account_replica.as_ref();
    if linked.is_none_or(|link| link.status == CrossAccountStatus::Detached || link.copies_at.is_some()) {
        return Ok(());
    }
    let Some(mut replica) = replica_of(writer, primary)? else { return Ok(()) };
    let held = writer.versions_with_value(primary.serial)?;
    let same =
        held == writer.versions_with_value(replica.record.serial)? && primary.labels.on(&held) == replica.record.labels;
    if same {
        return Ok(());
    }
    if let (Some(link), Some(back)) = (&mut primary.cross_account_replica, &mut replica.record.cross_account_primary) {
        link.status = CrossAccountStatus::InProgress;
        link.copies_at = Some(writer.now());
        back.status = CrossAccountStatus::InProgress;
    }
    writer.save(&replica.home, &replica.record)
}

/// Copies the values of a secret to its replica. A change moves the LastChangedDate of the replica. The caller saves
/// the replica's record.
pub(crate) fn copy_values(
    writer: &Writer<'_>,
    (home, primary): (&Home, &SecretRecord),
    replica: &mut Found,
) -> Result<(), StoreError> {
    let held: BTreeSet<String> = writer.versions_with_value(primary.serial)?;
    let labels = primary.labels.on(&held);
    let mut versions = writer.versions(primary.serial)?;
    versions.retain(|(id, _)| held.contains(id));
    let former = writer.versions_with_value(replica.record.serial)?;
    copy_versions(writer, (home, primary), (&replica.home, &replica.record), &versions)?;
    if held != former || labels != replica.record.labels {
        replica.record.labels = labels;
        replica.record.touch(writer.now());
    }
    Ok(())
}
