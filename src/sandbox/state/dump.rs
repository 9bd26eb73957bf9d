//! The state of one account and region in a readable form, for tests and for "what is live now". It never holds a
//! value.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::record::{ReplicaStatus, SecretRecord, Tag};
use super::tables::Reader;
use crate::home::Home;
use crate::wire::ServiceError;

/// One secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretDump {
    /// The name.
    pub name: String,
    /// The description, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The KMS key as it was given; absent for the default key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// The tags by their keys.
    pub tags: BTreeMap<String, String>,
    /// The resource policy, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// Whether the secret is scheduled for deletion.
    pub scheduled_for_deletion: bool,
    /// Which version carries each staging label.
    pub labels: BTreeMap<String, String>,
    /// How many versions there are, those without a label too.
    pub versions: usize,
    /// The regions that copies are wanted in, with the status of each: `InSync`, `InProgress` or `Failed`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replicas: BTreeMap<String, String>,
    /// The region of the secret that this one is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// Its replica in another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_account_replica: Option<CrossAccountDump>,
    /// Its primary in another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_account_primary: Option<CrossAccountDump>,
    /// Whether it rotates; absent if rotation was never configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_enabled: Option<bool>,
}

/// The other side of a replication between accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CrossAccountDump {
    /// The other side's ARN.
    pub arn: String,
    /// `Pending`, `InProgress`, `InSync`, `Failed` or `Detached`.
    pub status: String,
}

/// Reads every secret of a home, in the order of the names.
pub(crate) fn dump(reader: &Reader<'_>, home: &Home) -> Result<Vec<SecretDump>, ServiceError> {
    let mut secrets = Vec::new();
    reader.walk_by_name(home, None, false, |name| {
        if let Some(record) = reader.secret(home, name)? {
            secrets.push(dump_secret(reader, record)?);
        }
        Ok::<_, ServiceError>(std::ops::ControlFlow::Continue(()))
    })?;
    Ok(secrets)
}

fn dump_secret(reader: &Reader<'_>, record: SecretRecord) -> Result<SecretDump, ServiceError> {
    let policy = reader.policy(record.serial)?;
    let versions = reader.versions(record.serial)?.len();
    let tags = record.tags.into_iter().flatten().map(|Tag { key, value }| (key, value)).collect();
    Ok(SecretDump {
        name: record.name,
        description: record.description,
        kms_key_id: record.kms_key_id,
        tags,
        policy: policy.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        scheduled_for_deletion: record.deletion.is_some(),
        labels: record.labels.iter().map(|(label, version_id)| (label.to_owned(), version_id.to_owned())).collect(),
        versions,
        replicas: record.replicas.into_iter().map(|replica| (replica.region, named(&replica.status))).collect(),
        replica_of: record.replica_of,
        cross_account_replica: record
            .cross_account_replica
            .map(|link| CrossAccountDump { arn: link.arn, status: link.status.name().to_owned() }),
        cross_account_primary: record
            .cross_account_primary
            .map(|link| CrossAccountDump { arn: link.arn, status: link.status.name().to_owned() }),
        rotation_enabled: record.rotation.map(|rotation| rotation.enabled),
    })
}

fn named(status: &ReplicaStatus) -> String {
    let name = match status {
        ReplicaStatus::InProgress { .. } => "InProgress",
        ReplicaStatus::InSync => "InSync",
        ReplicaStatus::Failed { .. } => "Failed",
    };
    name.to_owned()
}
