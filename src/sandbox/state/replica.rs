//! Copies of a secret in other regions of its account.
//!
//! A copy is a record of its own, with versions and values of its own under its own key, so that it is read, listed
//! and filtered like any secret. What it says is its primary's, and every change of the primary rewrites it in the
//! same transaction. Who may request one, and when, is decided in `operations`.

use std::collections::BTreeSet;

use super::kms;
use super::record::{Replica, ReplicaStatus, SecretRecord, VersionRecord};
use super::store::StoreError;
use super::tables::{Transaction, View, Writer};
use crate::clock::Moment;
use crate::home::Home;

/// The home of a secret's copy.
pub(crate) fn home_of(primary: &Home, replica: &Replica) -> Home {
    Home::new(&primary.account, &replica.region)
}

/// The copy itself, if there is one.
pub(crate) fn copy_of<T: Transaction>(
    view: &View<'_, T>,
    home: &Home,
    record: &SecretRecord,
    replica: &Replica,
) -> Result<Option<SecretRecord>, StoreError> {
    let copy = view.secret(&home_of(home, replica), &record.name)?;
    Ok(copy.filter(|copy| is_copy(copy, home, record)))
}

/// Whether a record is a copy of a secret: it names the primary's region, and has the suffix of the primary's ARN.
fn is_copy(copy: &SecretRecord, home: &Home, record: &SecretRecord) -> bool {
    let resource = |arn: &str| arn.splitn(7, ':').nth(6).map(str::to_owned);
    copy.replica_of.as_deref() == Some(home.region.as_str()) && resource(&copy.arn) == resource(&record.arn)
}

/// Rewrites every copy of a secret after its primary.
pub(crate) fn propagate(writer: &Writer<'_>, home: &Home, record: &SecretRecord) -> Result<(), StoreError> {
    for replica in record.replicas.iter().filter(|replica| replica.status == ReplicaStatus::InSync) {
        if let Some(copy) = copy_of(writer, home, record, replica)? {
            write_copy(writer, home, record, replica, Some(&copy))?;
        }
    }
    Ok(())
}

/// Makes a copy that is due, unless its name is taken there.
///
/// A secret that is in the way is replaced only if the request said so, and never if it is part of another
/// replication (nothing is known of that from the real service). The text of the failure is what a public test of the
/// real service shows.
pub(crate) fn make_copy(
    writer: &Writer<'_>,
    home: &Home,
    record: &SecretRecord,
    replica: &Replica,
    overwrite: bool,
) -> Result<ReplicaStatus, StoreError> {
    let there = home_of(home, replica);
    if let Some(existing) = writer.secret(&there, &record.name)? {
        if is_copy(&existing, home, record) {
            write_copy(writer, home, record, replica, Some(&existing))?;
            return Ok(ReplicaStatus::InSync);
        }
        if !overwrite || existing.primary_region().is_some() {
            let (name, region) = (&record.name, &replica.region);
            let message = format!("Replication failed: Secret name {name} already exists in region {region}.");
            return Ok(ReplicaStatus::Failed { message });
        }
        writer.remove(&there, &existing)?;
    }
    write_copy(writer, home, record, replica, None)?;
    Ok(ReplicaStatus::InSync)
}

/// Removes a copy. A secret of the same name that is no copy is left alone.
pub(crate) fn remove_copy(
    writer: &Writer<'_>,
    home: &Home,
    record: &SecretRecord,
    replica: &Replica,
) -> Result<(), StoreError> {
    match copy_of(writer, home, record, replica)? {
        Some(copy) => writer.remove(&home_of(home, replica), &copy),
        None => Ok(()),
    }
}

/// The key that a copy shows: the default key by its alias, where none was named.
pub(crate) fn shown_key(replica: &Replica) -> &str {
    replica.kms_key_id.as_deref().unwrap_or(kms::DEFAULT_ALIAS)
}

fn write_copy(
    writer: &Writer<'_>,
    home: &Home,
    record: &SecretRecord,
    replica: &Replica,
    former: Option<&SecretRecord>,
) -> Result<(), StoreError> {
    let SecretRecord {
        serial: primary,
        name,
        arn,
        description,
        kind,
        kms_key_id: _,
        tags,
        labels,
        created: _,
        changed,
        accessed: _,
        deletion: _,
        owning_service,
        replicas: _,
        replica_of: _,
        // A copy does not rotate: the primary does, and the copy follows.
        rotation: _,
        // A replica in another account is the primary's alone, and a secret that is one has no copies.
        cross_account_replica: _,
        cross_account_primary: _,
    } = record;
    let there = home_of(home, replica);
    let (serial, created, accessed) = match former {
        Some(former) => (former.serial, former.created, former.accessed),
        None => (writer.next_serial()?, writer.now(), None),
    };
    let suffix = arn.rsplit_once('-').map_or("", |(_, suffix)| suffix);
    let copy = SecretRecord {
        serial,
        name: name.clone(),
        arn: there.secret_arn(name, suffix),
        description: description.clone(),
        kind: kind.clone(),
        kms_key_id: Some(shown_key(replica).to_owned()),
        tags: tags.clone(),
        labels: labels.clone(),
        created,
        changed: *changed,
        accessed,
        deletion: None,
        owning_service: owning_service.clone(),
        replicas: Vec::new(),
        replica_of: Some(home.region.clone()),
        rotation: None,
        cross_account_replica: None,
        cross_account_primary: None,
    };
    writer.save(&there, &copy)?;
    writer.save_policy(serial, writer.policy(*primary)?.as_deref())?;
    let wanted = writer.versions(*primary)?;
    copy_versions(writer, (home, record), (&there, &copy), &wanted)
}

/// Gives a copy those versions of its primary that it shall have, and takes the others from it. A version's value never
/// changes, so only those that are missing are written.
pub(super) fn copy_versions(
    writer: &Writer<'_>,
    (home, record): (&Home, &SecretRecord),
    (there, copy): (&Home, &SecretRecord),
    wanted: &[(String, VersionRecord)],
) -> Result<(), StoreError> {
    let present = writer.versions(copy.serial)?;
    let wanted_ids: BTreeSet<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
    for (id, _) in present.iter().filter(|(id, _)| !wanted_ids.contains(id.as_str())) {
        writer.remove_version(copy.serial, id)?;
    }
    for (id, version) in wanted {
        let former = present.iter().find(|(other, _)| other == id).map(|(_, version)| version.accessed);
        let accessed: Option<Moment> = former.flatten();
        let version = VersionRecord { created: version.created, accessed, kms_key_id: copy.kms_key_id.clone() };
        writer.save_version(copy.serial, id, &version)?;
        if writer.value(there, copy.serial, id)?.is_none()
            && let Some(value) = writer.value(home, record.serial, id)?
        {
            writer.save_value(there, copy.serial, id, &value)?;
        }
    }
    Ok(())
}
