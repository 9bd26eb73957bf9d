//! What the store keeps of a secret, a version and a value.
//!
//! Values are apart from everything else, in a type that shows nothing when it is printed and wipes its memory when
//! it goes.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::label::Labels;
use crate::clock::Moment;

/// Everything about a secret but its policy, its versions and their values.
///
/// Fields come and go as optional ones: a record without them reads as before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecretRecord {
    /// Unique in the whole store and never used twice; versions, values and the policy hang on it.
    pub(crate) serial: u64,
    pub(crate) name: String,
    pub(crate) arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The partner's name of a managed external secret (the API's `Type`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// As it was given; absent for the default key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_id: Option<String>,
    /// Absent if there never was a tag; empty once the last one is gone. In the order in which the keys came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Vec<Tag>>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub(crate) labels: Labels,
    pub(crate) created: Moment,
    pub(crate) changed: Moment,
    /// The midnight that began the day of the last GetSecretValue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accessed: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion: Option<Deletion>,
    /// The service that owns the secret, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owning_service: Option<String>,
    /// Its replicas, in the order in which they were requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replicas: Vec<Replica>,
    /// The region of the secret that this one is a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replica_of: Option<String>,
    /// Absent if rotation was never configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<Rotation>,
    /// Its replica in another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cross_account_replica: Option<CrossAccountReplica>,
    /// The secret of another account whose values this one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cross_account_primary: Option<CrossAccountPrimary>,
}

impl SecretRecord {
    /// The region of the primary, for everything that is replicated: a copy names its primary's, a primary its own.
    pub(crate) fn primary_region(&self) -> Option<&str> {
        match &self.replica_of {
            Some(region) => Some(region),
            None if self.replicas.is_empty() => None,
            None => self.arn.split(':').nth(3),
        }
    }

    /// When the sandbox next has something to do with this secret by itself: to remove it, to finish a replication in
    /// another region or account, or to rotate it.
    pub(crate) fn due(&self) -> Option<Moment> {
        let replication = self.replicas.iter().filter_map(|replica| match replica.status {
            ReplicaStatus::InProgress { until, .. } => Some(until),
            ReplicaStatus::InSync | ReplicaStatus::Failed { .. } => None,
        });
        let deletion = self.deletion.map(|deletion| deletion.due);
        let rotation = self.rotation.as_ref().and_then(|rotation| rotation.window).map(|window| window.opens);
        let other_account = self.cross_account_replica.as_ref().and_then(|replica| replica.copies_at);
        replication.chain(deletion).chain(rotation).chain(other_account).min()
    }

    /// Moves LastChangedDate, which strictly grows even when the clock stands still.
    pub(crate) fn touch(&mut self, now: Moment) {
        self.changed = now.max(self.changed.next());
    }
}

/// A deletion that was requested and has not happened yet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// The moment of the call: this, not the end of the window, is the DeletedDate that DescribeSecret shows.
    pub(crate) requested: Moment,
    /// When the recovery window ends.
    pub(crate) due: Moment,
}

/// A copy of a secret in another region, as its primary knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub(crate) region: String,
    /// As it was given; absent for the default key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_id: Option<String>,
    pub(crate) status: ReplicaStatus,
}

/// How far a replication has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ReplicaStatus {
    /// There is no copy yet; at `until` it is made, or it turns out that it cannot be.
    InProgress { until: Moment, overwrite: bool },
    /// The copy is there, and follows every change.
    InSync,
    /// There is no copy.
    Failed { message: String },
}

/// The replica of a secret in another account, as its primary knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrossAccountReplica {
    /// Its ARN.
    pub arn: String,
    /// The role that copies; absent where whoever changes the primary does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// How far it has come.
    pub status: CrossAccountStatus,
    /// When the values are copied, or it turns out that they cannot be; absent while there is nothing to copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copies_at: Option<Moment>,
}

impl CrossAccountReplica {
    /// One with nothing to copy at a later time.
    pub fn new(arn: String, role_arn: Option<String>, status: CrossAccountStatus) -> Self {
        Self { arn, role_arn, status, copies_at: None }
    }
}

/// The primary of a replica in another account, as the replica knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrossAccountPrimary {
    /// Its ARN.
    pub arn: String,
    /// How far it has come.
    pub status: CrossAccountStatus,
}

/// How far a replication between accounts has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CrossAccountStatus {
    /// The replica names its primary, whose owner has not associated it. Only a replica is in this state.
    Pending,
    /// The values are being copied.
    InProgress,
    /// The replica has the values of its primary.
    InSync,
    /// The last change was not copied.
    Failed {
        /// Why.
        message: String,
    },
    /// The other side ended the replication.
    Detached,
}

impl CrossAccountStatus {
    /// As answers name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::InSync => "InSync",
            Self::Failed { .. } => "Failed",
            Self::Detached => "Detached",
        }
    }

    /// What answers say beside it: why a replication failed.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Failed { message } => Some(message),
            Self::Pending | Self::InProgress | Self::InSync | Self::Detached => None,
        }
    }
}

/// How a secret rotates.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lambda_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rules: Option<RotationRules>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) external_metadata: Option<Vec<Metadata>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) external_role_arn: Option<String>,
    /// When a rotation last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Moment>,
    /// The window of the next rotation; absent while rotation is off, or has no schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<Window>,
    /// The version of a rotation that was begun and did not end. Only such a version is tried again: one that
    /// was labelled AWSPENDING by a client is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unfinished: Option<String>,
}

/// The rules as they were given: one of the two kinds, never both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RotationRules {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) days: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expression: Option<String>,
}

/// A rotation window. The real service rotates at some time within it; the sandbox does as soon as it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) opens: Moment,
    /// Its last second: the NextRotationDate.
    pub(crate) closes: Moment,
}

/// One item of ExternalSecretRotationMetadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Metadata {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Everything about a version but its labels, which the secret keeps, and its value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    pub(crate) created: Moment,
    /// The midnight that began the day on which this version was last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accessed: Option<Moment>,
    /// The key that encrypts the version, as the secret had it; absent for the default key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_id: Option<String>,
}

/// A secret value.
#[derive(PartialEq, Eq)]
pub(crate) enum SecretData {
    Text(Zeroizing<String>),
    Binary(Zeroizing<Vec<u8>>),
}

const TEXT: u8 = b'T';
const BINARY: u8 = b'B';

impl SecretData {
    /// The stored form: a byte for the kind, then the value.
    pub(crate) fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let (kind, bytes) = match self {
            Self::Text(text) => (TEXT, text.as_bytes()),
            Self::Binary(bytes) => (BINARY, bytes.as_slice()),
        };
        // The exact size at once: a vector that grows leaves copies behind.
        let mut stored = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
        stored.push(kind);
        stored.extend_from_slice(bytes);
        stored
    }

    /// Reads the stored form; `None` if it is not one.
    pub(crate) fn from_stored(stored: &[u8]) -> Option<Self> {
        match stored.split_first()? {
            (&TEXT, text) => Some(Self::Text(Zeroizing::new(std::str::from_utf8(text).ok()?.to_owned()))),
            (&BINARY, bytes) => Some(Self::Binary(Zeroizing::new(bytes.to_vec()))),
            _ => None,
        }
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretData(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind_and_bytes_and_are_never_shown() {
        let text = SecretData::Text(Zeroizing::new("hunter2".to_owned()));
        let binary = SecretData::Binary(Zeroizing::new(vec![0, 255, 84]));
        assert_eq!(
            SecretData::from_stored(&text.to_stored()),
            Some(SecretData::Text(Zeroizing::new("hunter2".into())))
        );
        assert_eq!(
            SecretData::from_stored(&binary.to_stored()),
            Some(SecretData::Binary(Zeroizing::new(vec![0, 255, 84])))
        );
        assert_ne!(text, SecretData::Binary(Zeroizing::new(b"hunter2".to_vec())));
        assert!(!format!("{text:?}").contains("hunter2"));
        for damaged in [&b""[..], b"X", b"T\xff"] {
            assert_eq!(SecretData::from_stored(damaged), None);
        }
    }
}
