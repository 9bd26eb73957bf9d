//! One live secret as List and Describe show it, and the snapshot of a target.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::ServiceError;
use super::cross_account::{Counterparts, CrossAccount};
use crate::desired::{PROTECT_TAG, RotationSetup, Rotator};
use crate::domain::{
    AccountId, Arn, Frequency, KmsKey, Region, RotationDuration, SecretName, StagingLabel, TagKey, VersionId,
};
use crate::policy::PolicyDocument;
use crate::value::SecretValue;

/// What one target holds, as far as it was looked at.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The twelve-digit account that the credentials belong to, when it was asked for.
    pub account: Option<AccountId>,
    /// The ARN of the caller, when it was asked for.
    pub caller: Option<String>,
    /// The region.
    pub region: Region,
    /// The secrets in scope, by name.
    pub secrets: BTreeMap<SecretName, LiveSecret>,
    /// Secrets with an owner tag of this project whose names are outside the scope, sorted by name.
    pub owned_outside: Vec<LiveSecret>,
    /// Secrets of which a description, a policy or the versions could not be read, and why: nothing is planned for
    /// them.
    pub unreadable: BTreeMap<SecretName, ServiceError>,
    /// Whether what no manifest declares was read too: policies, and where replicas are.
    pub audited: bool,
    /// Secrets of other regions that a replica would overwrite, by region and name; none where there is no such secret.
    pub other_regions: BTreeMap<(Region, SecretName), Option<LiveSecret>>,
    /// Secrets of other targets that manifests refer to.
    pub counterparts: Counterparts,
    /// Secrets that are deleted and made anew: their ARNs are other ones then.
    pub made_anew: BTreeSet<SecretName>,
}

impl Live {
    /// The ARN that a secret has and keeps, when it exists.
    pub fn arn(&self, name: &SecretName) -> Option<Arn> {
        let known = self.secrets.get(name).filter(|_| !self.made_anew.contains(name));
        known.map(|secret| secret.arn.clone())
    }
}

/// A live secret. No value is ever in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSecret {
    /// Its name.
    pub name: SecretName,
    /// Its ARN, with the six-character suffix.
    pub arn: Arn,
    /// Absent and empty are the same.
    pub description: Option<String>,
    /// As the service echoes it; absent for the account's `aws/secretsmanager` key.
    pub kms_key_id: Option<KmsKey>,
    /// All tags, AWS's own and keywright's included.
    pub tags: BTreeMap<TagKey, String>,
    /// When it was scheduled for deletion; absent when it is not.
    pub deleted_at: Option<Timestamp>,
    /// The service that owns it (`OwningService`): read-only for everybody else.
    pub owning_service: Option<String>,
    /// The region of the primary secret, for replicas and for primaries that have replicas.
    pub primary_region: Option<Region>,
    /// Version ids with their staging labels; versions without a label are not listed by the service.
    pub versions: BTreeMap<VersionId, BTreeSet<StagingLabel>>,
    /// The partner of a managed external secret (`Type`).
    pub secret_type: Option<String>,
    /// Rotation.
    pub rotation: LiveRotation,
    /// The replicas by region, as far as they were read: ListSecrets does not show them.
    pub replicas: BTreeMap<Region, LiveReplica>,
    /// Its links with secrets of other accounts: ListSecrets does not show them.
    pub cross_account: CrossAccount,
    /// `CreatedDate`: for people, never compared.
    pub created: Option<Timestamp>,
    /// `LastChangedDate`: for hints to people, never compared.
    pub last_changed: Option<Timestamp>,
    /// The day on which it was last read (`LastAccessedDate`): for people, never compared.
    pub last_accessed: Option<Timestamp>,
    /// The latest day on which one of its replicas was read, where those are known: for people, never compared.
    pub replicas_accessed: Option<Timestamp>,
    /// The resource policy, when it was read.
    pub policy: LivePolicy,
    /// The names of its policies beside `default`, as far as they were asked for: AWS attaches one to a replica.
    pub other_policies: Vec<String>,
    /// Which call showed it.
    pub seen: Seen,
}

/// Rotation as List and Describe show it. Who rotates and when stay there when rotation is cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveRotation {
    /// `RotationEnabled`.
    pub enabled: bool,
    /// `RotationLambdaARN`.
    pub lambda_arn: Option<Arn>,
    /// `AutomaticallyAfterDays`. The service computes one beside an expression too.
    pub every_days: Option<u32>,
    /// `ScheduleExpression`.
    pub expression: Option<String>,
    /// `Duration`.
    pub duration: Option<RotationDuration>,
    /// `ExternalSecretRotationRoleArn`.
    pub external_role_arn: Option<Arn>,
    /// `ExternalSecretRotationMetadata`.
    pub external_metadata: BTreeMap<String, String>,
    /// `LastRotatedDate`.
    pub last: Option<Timestamp>,
    /// `NextRotationDate`: the end of the next window.
    pub next: Option<Timestamp>,
}

impl LiveRotation {
    /// Whether it has been set up and is off, as DeleteSecret leaves it.
    pub fn is_off_for_deletion(&self) -> bool {
        !self.enabled && (self.lambda_arn.is_some() || self.external_role_arn.is_some())
    }

    /// Who rotates and when, while rotation is on.
    pub fn setup(&self) -> Option<RotationSetup> {
        if !self.enabled {
            return None;
        }
        // RotateSecret cannot take a function's ARN away, so one may stay behind when a partner takes over.
        let rotator = match (&self.lambda_arn, &self.external_role_arn) {
            (Some(arn), None) => Rotator::Lambda(arn.clone()),
            (_, role_arn) => Rotator::External { role_arn: role_arn.clone(), metadata: self.external_metadata.clone() },
        };
        // The days beside an expression are computed from it.
        let frequency = match (&self.expression, self.every_days) {
            (Some(expression), _) => Frequency::of_service(expression.clone()),
            (None, days) => Frequency::EveryDays(days.unwrap_or_default()),
        };
        Some(RotationSetup { rotator, frequency, duration: self.duration.clone() })
    }
}

/// A replica, as DescribeSecret of the primary shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveReplica {
    /// The KMS key in its region; the service shows `alias/aws/secretsmanager` where none was given.
    pub kms_key_id: Option<KmsKey>,
    /// How replication stands.
    pub status: ReplicaStatus,
}

/// `ReplicationStatusType`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaStatus {
    /// The replica is as its primary.
    InSync,
    /// It is being made.
    InProgress,
    /// It could not be made.
    Failed {
        /// `StatusMessage`.
        message: String,
    },
}

impl LiveReplica {
    /// Whether it is there, so that AWS bills it: one that could not be made is not.
    pub fn is_billed(&self) -> bool {
        !matches!(self.status, ReplicaStatus::Failed { .. })
    }
}

/// One version of a secret, as ListSecretVersionIds shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionEntry {
    /// The version's id.
    pub id: VersionId,
    /// Its staging labels; none for a deprecated version, which Secrets Manager may remove.
    pub labels: BTreeSet<StagingLabel>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The day on which it was last read.
    pub last_accessed: Option<Timestamp>,
    /// The KMS keys that it is encrypted with.
    pub kms_key_ids: Vec<KmsKey>,
}

/// A value that was read, with the version that it is.
#[derive(Debug)]
pub struct LiveValue {
    /// The version's id.
    pub version_id: VersionId,
    /// The value.
    pub value: SecretValue,
}

/// A live resource policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivePolicy {
    /// Nobody asked for it.
    NotRead,
    /// It cannot be read now, since the secret is scheduled for deletion.
    Unreadable,
    /// There is none.
    None,
    /// The document.
    Document(PolicyDocument),
    /// There is one that is not a JSON object: it differs from every declared policy.
    Unparsable(String),
}

/// Which call a [`LiveSecret`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// ListSecrets, which may lag by five minutes.
    Listed,
    /// DescribeSecret.
    Described,
}

impl LiveSecret {
    /// Who rotates it and when, while rotation is on.
    pub fn rotation_setup(&self) -> Option<RotationSetup> {
        let setup = self.rotation.setup()?;
        let by_service = self.owning_service.is_some()
            && matches!(&setup.rotator, Rotator::External { role_arn: None, metadata } if metadata.is_empty());
        Some(if by_service { RotationSetup { rotator: Rotator::OwningService, ..setup } } else { setup })
    }

    /// Whether keywright must not delete it.
    pub fn is_protected(&self) -> bool {
        self.tags.contains_key(PROTECT_TAG)
    }

    /// Whether it is a replica of a primary in another region than `region`.
    pub fn is_replica_in(&self, region: &Region) -> bool {
        self.primary_region.as_ref().is_some_and(|primary| primary != region)
    }

    /// Whether it is scheduled for deletion.
    pub fn is_scheduled_for_deletion(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The version that holds a staging label.
    pub fn holder(&self, label: &str) -> Option<&VersionId> {
        self.versions.iter().find(|(_, labels)| labels.contains(label)).map(|(id, _)| id)
    }

    /// The version that holds AWSCURRENT: what readers get. None when the secret has no value.
    pub fn current_version(&self) -> Option<&VersionId> {
        self.holder(StagingLabel::CURRENT)
    }

    /// The version on which a rotation is stuck: AWSPENDING on another version than AWSCURRENT. It may hold the only
    /// valid credential.
    pub fn stuck_version(&self) -> Option<&VersionId> {
        self.holder(StagingLabel::PENDING).filter(|pending| self.current_version() != Some(*pending))
    }

    /// When it should have been rotated at the latest: the end of the next window, or of the one behind the last
    /// rotation where the schedule has an even interval. The service moves the next window on when a rotation fails.
    pub fn rotation_due(&self) -> Option<Timestamp> {
        let setup = self.rotation_setup()?;
        let interval = setup.frequency.interval_hours().map(|hours| SignedDuration::from_hours(i64::from(hours)));
        // A window of a schedule in days is open for a day at most.
        let window = SignedDuration::from_hours(24);
        let behind_the_last = interval.and_then(|interval| self.rotation.last?.checked_add(interval + window).ok());
        [self.rotation.next, behind_the_last].into_iter().flatten().min()
    }

    /// Whether rotation owns the value, or did once. Who rotates stays there when rotation is cancelled, also one that
    /// had not run yet: otherwise the owner would change with the cancellation itself, and one apply would not be
    /// enough.
    pub fn is_rotated(&self) -> bool {
        let LiveRotation { enabled, lambda_arn, external_role_arn, last, .. } = &self.rotation;
        *enabled || last.is_some() || lambda_arn.is_some() || external_role_arn.is_some()
    }
}

#[cfg(test)]
impl LiveSecret {
    /// A secret of which nothing but its name is known, for tests.
    pub(crate) fn bare(name: &str) -> Self {
        Self {
            name: SecretName::new(name),
            arn: Arn::of_service(format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:{name}-AbCdEf")),
            description: None,
            kms_key_id: None,
            tags: BTreeMap::new(),
            deleted_at: None,
            owning_service: None,
            primary_region: None,
            versions: BTreeMap::new(),
            secret_type: None,
            rotation: LiveRotation::default(),
            replicas: BTreeMap::new(),
            cross_account: CrossAccount::default(),
            created: None,
            last_changed: None,
            last_accessed: None,
            replicas_accessed: None,
            policy: LivePolicy::NotRead,
            other_policies: Vec::new(),
            seen: Seen::Listed,
        }
    }
}
