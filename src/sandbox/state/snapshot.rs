//! What exists before anything happens, said with all that a real account can hold: ARNs, version ids and labels as
//! they are there, replicas as they stand, rotations in the middle.
//!
//! `server::fixtures` makes secrets through the operations of the service, so it can make nothing that a client could
//! not make now. A rehearsal needs what was made long ago, so this writes the records themselves. All of it is one
//! change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::label::Labels;
use super::record::{
    CrossAccountPrimary, CrossAccountReplica, CrossAccountStatus, Deletion, Metadata, Replica, ReplicaStatus, Rotation,
    RotationRules, SecretData, SecretRecord, Tag, VersionRecord, Window,
};
use super::replica;
use super::store::StoreError;
use super::tables::Writer;
use crate::clock::Moment;
use crate::home::{Home, is_account};
use crate::wire::limits;

/// One secret as it is in another account. It is written as it is: no rule of the service is checked.
#[derive(Default)]
pub struct Snapshot {
    /// The name.
    pub name: String,
    /// The full ARN, which also says in which account and region the secret is.
    pub arn: String,
    /// The description.
    pub description: Option<String>,
    /// The KMS key as it was given; none for the default key.
    pub kms_key_id: Option<String>,
    /// The partner of a managed external secret (`Type`).
    pub secret_type: Option<String>,
    /// The tags, AWS's own included.
    pub tags: BTreeMap<String, String>,
    /// The resource policy.
    pub policy: Option<String>,
    /// The versions by their ids.
    pub versions: BTreeMap<String, SnapshotVersion>,
    /// When its deletion was requested. Its recovery window is taken to have its whole length still before it.
    pub deletion_requested: Option<Timestamp>,
    /// The service that owns it.
    pub owning_service: Option<String>,
    /// The region of the primary, for a replica.
    pub replica_of: Option<String>,
    /// Its replicas by region.
    pub replicas: BTreeMap<String, SnapshotReplica>,
    /// How it rotates; none if rotation was never configured.
    pub rotation: Option<SnapshotRotation>,
    /// LastChangedDate; now where it is not known.
    pub changed: Option<Timestamp>,
    /// Its replica in another account, which need not be loaded too. A copy in progress has ended when the next request
    /// looks.
    pub cross_account_replica: Option<CrossAccountReplica>,
    /// Its primary in another account, which need not be loaded too.
    pub cross_account_primary: Option<CrossAccountPrimary>,
}

/// One version. It is never shown.
pub struct SnapshotVersion {
    /// Its staging labels; none for a deprecated version.
    pub labels: Vec<String>,
    /// Its value.
    pub value: Zeroizing<String>,
}

/// One replica, as its primary shows it.
#[derive(Clone, Debug)]
pub struct SnapshotReplica {
    /// The KMS key in its region; none for the default key.
    pub kms_key_id: Option<String>,
    /// How it stands.
    pub status: SnapshotStatus,
}

/// How a replication stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotStatus {
    /// The copy is there; it is made.
    InSync,
    /// It is being made, and has been when the next request looks.
    InProgress,
    /// It could not be made.
    Failed {
        /// `StatusMessage`.
        message: String,
        /// Whether something stands in its way still: where no secret is loaded in its place, one is made there.
        in_the_way: bool,
    },
}

/// How a secret rotates.
#[derive(Clone, Debug, Default)]
pub struct SnapshotRotation {
    /// `RotationEnabled`.
    pub enabled: bool,
    /// `RotationLambdaARN`.
    pub lambda_arn: Option<String>,
    /// `AutomaticallyAfterDays`; not beside an expression, for which the service computes it.
    pub every_days: Option<u32>,
    /// `ScheduleExpression`.
    pub expression: Option<String>,
    /// `Duration`.
    pub duration: Option<String>,
    /// `ExternalSecretRotationRoleArn`.
    pub external_role_arn: Option<String>,
    /// `ExternalSecretRotationMetadata`.
    pub external_metadata: BTreeMap<String, String>,
    /// `LastRotatedDate`.
    pub last: Option<Timestamp>,
    /// `NextRotationDate`; the rotation itself is due then.
    pub next: Option<Timestamp>,
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The ARN is none of a secret, so it does not say where the secret is.
    #[error("{arn} is not the ARN of a secret")]
    NotAnArn {
        /// What was given.
        arn: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// The end of the ARN of what stands in a replica's way.
const IN_THE_WAY: &str = "InTheW";

/// Writes secrets as they are in another account: those whose place is taken, by one that is loaded before them too,
/// are left out. How many were written.
pub(crate) fn load<'a>(
    writer: &Writer<'_>,
    secrets: impl IntoIterator<Item = &'a Snapshot>,
) -> Result<usize, LoadError> {
    let mut loaded = Vec::new();
    for secret in secrets {
        let home = home(&secret.arn)?;
        if writer.secret(&home, &secret.name)?.is_none() {
            loaded.push((write(writer, &home, secret)?, home, secret));
        }
    }
    // Only now is it known what stands in the replicas' places.
    for (record, home, secret) in &loaded {
        for replica in &record.replicas {
            replicate(writer, home, record, replica, secret)?;
        }
    }
    Ok(loaded.len())
}

/// Where a secret is, by its ARN.
fn home(arn: &str) -> Result<Home, LoadError> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    match parts.as_slice() {
        ["arn", _, "secretsmanager", region, account, "secret", _] if is_account(account) => {
            Ok(Home::new(account, region))
        }
        _ => Err(LoadError::NotAnArn { arn: arn.to_owned() }),
    }
}

fn moment(time: Timestamp) -> Moment {
    Moment(time.as_millisecond())
}

/// The end of a recovery window, which DescribeSecret does not show.
fn end_of_window(now: Moment) -> Moment {
    now.plus_days(limits::DEFAULT_RECOVERY_WINDOW)
}

fn write(writer: &Writer<'_>, home: &Home, secret: &Snapshot) -> Result<SecretRecord, StoreError> {
    let Snapshot {
        name,
        arn,
        description,
        kms_key_id,
        secret_type,
        tags,
        policy,
        versions,
        deletion_requested,
        owning_service,
        replica_of,
        replicas,
        rotation,
        changed,
        cross_account_replica,
        cross_account_primary,
    } = secret;
    let serial = writer.next_serial()?;
    let mut labels = Labels::default();
    for (id, version) in versions {
        for label in &version.labels {
            labels.attach(label, id);
        }
        let record = VersionRecord { created: writer.now(), accessed: None, kms_key_id: kms_key_id.clone() };
        writer.save_version(serial, id, &record)?;
        writer.save_value(home, serial, id, &SecretData::Text(version.value.clone()))?;
    }
    let record = SecretRecord {
        serial,
        name: name.clone(),
        arn: arn.clone(),
        description: description.clone(),
        kind: secret_type.clone(),
        kms_key_id: kms_key_id.clone(),
        tags: (!tags.is_empty())
            .then(|| tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()),
        labels,
        created: writer.now(),
        changed: changed.map_or(writer.now(), moment),
        accessed: None,
        deletion: deletion_requested
            .map(|requested| Deletion { requested: moment(requested), due: end_of_window(writer.now()) }),
        owning_service: owning_service.clone(),
        replicas: replicas.iter().map(|(region, replica)| self::replica(writer.now(), region, replica)).collect(),
        replica_of: replica_of.clone(),
        rotation: rotation.as_ref().map(self::rotation),
        cross_account_replica: cross_account_replica.clone().map(|replica| {
            let copies_at = (replica.status == CrossAccountStatus::InProgress).then(|| writer.now());
            CrossAccountReplica { copies_at, ..replica }
        }),
        cross_account_primary: cross_account_primary.clone(),
    };
    writer.save(home, &record)?;
    writer.save_policy(serial, policy.as_deref())?;
    Ok(record)
}

fn replica(now: Moment, region: &str, replica: &SnapshotReplica) -> Replica {
    let SnapshotReplica { kms_key_id, status } = replica;
    Replica {
        region: region.to_owned(),
        kms_key_id: kms_key_id.clone(),
        status: match status {
            SnapshotStatus::InSync => ReplicaStatus::InSync,
            SnapshotStatus::InProgress => ReplicaStatus::InProgress { until: now, overwrite: false },
            SnapshotStatus::Failed { message, in_the_way: _ } => ReplicaStatus::Failed { message: message.clone() },
        },
    }
}

fn rotation(rotation: &SnapshotRotation) -> Rotation {
    let SnapshotRotation {
        enabled,
        lambda_arn,
        every_days,
        expression,
        duration,
        external_role_arn,
        external_metadata,
        last,
        next,
    } = rotation;
    let rules =
        RotationRules { days: every_days.map(i64::from), duration: duration.clone(), expression: expression.clone() };
    let metadata: Vec<Metadata> =
        external_metadata.iter().map(|(key, value)| Metadata { key: key.clone(), value: value.clone() }).collect();
    Rotation {
        enabled: *enabled,
        lambda_arn: lambda_arn.clone(),
        rules: (rules != RotationRules::default()).then_some(rules),
        external_metadata: (!metadata.is_empty()).then_some(metadata),
        external_role_arn: external_role_arn.clone(),
        last: last.map(moment),
        window: next.map(moment).map(|next| Window { opens: next, closes: next }),
        unfinished: None,
    }
}

/// Makes a replica's copy, or what keeps it from being made.
fn replicate(
    writer: &Writer<'_>,
    home: &Home,
    record: &SecretRecord,
    replica: &Replica,
    secret: &Snapshot,
) -> Result<(), StoreError> {
    match secret.replicas.get(&replica.region).map(|replica| &replica.status) {
        Some(SnapshotStatus::InSync) => replica::make_copy(writer, home, record, replica, false).map(drop),
        Some(SnapshotStatus::Failed { in_the_way: true, .. }) => {
            let there = replica::home_of(home, replica);
            if writer.secret(&there, &record.name)?.is_some() {
                return Ok(());
            }
            let arn = there.secret_arn(&record.name, IN_THE_WAY);
            let other = Snapshot { name: record.name.clone(), arn, ..Snapshot::default() };
            write(writer, &there, &other).map(drop)
        }
        // One that is being made has been when the next request looks.
        Some(SnapshotStatus::InProgress | SnapshotStatus::Failed { .. }) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
