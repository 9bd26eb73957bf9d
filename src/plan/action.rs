//! What an apply calls: a closed set, each with all that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::cross_account::{OtherArn, PlannedLink};
use crate::desired::{Deletion, PolicyTemplate, RotationSetup};
use crate::domain::{Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, Template, VersionId};
use crate::value::Source;

/// One thing to do to the secret whose plan holds it: a writing call, or the few that it may take. What was called is
/// known from the records of the apply.
///
/// Templates in here are resolved as far as the ARNs are known at plan time; what remains is filled in at apply, and
/// nothing else is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// RestoreSecret.
    Restore,
    /// CreateSecret.
    Create {
        /// `Description`, when there is one.
        description: Option<Template>,
        /// `KmsKeyId`, when it is not the default key.
        kms_key_id: Option<KmsKey>,
        /// `Tags`, the owner tag included.
        tags: BTreeMap<TagKey, Template>,
        /// `Type`.
        secret_type: Option<String>,
        /// The first value; none where a policy is declared, so that no value is ever there unprotected.
        value: Option<Box<PlannedValue>>,
        /// `AddReplicaRegions`: region to key. None where a policy is declared, as with the value.
        replicas: BTreeMap<Region, Option<KmsKey>>,
        /// `CrossAccountPrimaryARN`: it becomes a replica of a secret in another account.
        cross_account_primary: Option<OtherArn>,
    },
    /// StopReplicationToReplica: a replica of a secret in another account becomes a secret of its own.
    StopReplication,
    /// CancelRotateSecret.
    CancelRotation,
    /// UpdateSecret without a value, so that no version is minted.
    Update {
        /// `Description`; empty text clears it.
        description: Option<Template>,
        /// `KmsKeyId`.
        kms_key_id: Option<KmsKey>,
        /// `Type`.
        secret_type: Option<String>,
    },
    /// TagResource: new and changed keys.
    Tag {
        /// Key to value.
        tags: BTreeMap<TagKey, Template>,
    },
    /// PutResourcePolicy, after ValidateResourcePolicy has passed.
    PutPolicy {
        /// `ResourcePolicy`.
        policy: PolicyTemplate,
        /// `BlockPublicPolicy`.
        block_public_policy: bool,
    },
    /// DeleteResourcePolicy.
    DeletePolicy,
    /// PutSecretValue.
    PutValue(Box<PlannedValue>),
    /// PutSecretValue of what the old secret's version holds (GetSecretValue), where a secret takes another one's
    /// place.
    CarryVersion(Box<CarriedVersion>),
    /// TagResource, for ourselves: the tag `keywright:value` says that git's value is the live version's, when the put
    /// before it finds them equal. Else nothing is called.
    NoteEqualValue {
        /// The live version.
        live: VersionId,
    },
    /// UpdateSecretVersionStage.
    MoveLabel {
        /// The staging label.
        label: StagingLabel,
        /// The version that gets it.
        to: LabelVersion,
        /// The version that holds it now.
        from: Option<VersionId>,
    },
    /// UpdateSecretVersionStage without a version to move to: the label goes.
    RemoveLabel {
        /// The staging label.
        label: StagingLabel,
        /// The version that holds it.
        from: VersionId,
    },
    /// RemoveRegionsFromReplication.
    RemoveReplicas {
        /// The regions.
        regions: BTreeSet<Region>,
    },
    /// ReplicateSecretToRegions.
    Replicate {
        /// Region to key; none is the region's own key for Secrets Manager.
        regions: BTreeMap<Region, Option<KmsKey>>,
        /// `ForceOverwriteReplicaSecret`, which holds for the whole request: a secret of this name in each of these
        /// regions is destroyed.
        overwrite: bool,
    },
    /// DisassociateCrossAccountReplica: the replica stays, and gets no more values.
    Disassociate {
        /// The replica.
        replica: Arn,
    },
    /// AssociateCrossAccountReplica.
    Associate(PlannedLink),
    /// RotateSecret.
    Rotate {
        /// Who rotates, and when.
        setup: RotationSetup,
        /// `RotateImmediately`.
        immediately: bool,
    },
    /// UntagResource: keys that go, never one that is to be set again.
    Untag {
        /// The keys.
        keys: BTreeSet<TagKey>,
    },
    /// DeleteSecret.
    Delete {
        /// `RecoveryWindowInDays` or `ForceDeleteWithoutRecovery`.
        deletion: Deletion,
    },
}

/// A value to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedValue {
    /// Where it comes from.
    pub source: Source,
    /// The version id that it gets.
    pub token: Token,
    /// A live version to compare with first, by putting the value under its id: the service ignores a put of the same
    /// data, and refuses one of other data. Equal values mint no version.
    pub compare_with: Option<VersionId>,
    /// The staging labels; AWSCURRENT when empty.
    pub labels: Vec<StagingLabel>,
    /// Where no version id stands for the content: a digest of what of it is encrypted or public in git, for approvals.
    pub digest: Option<String>,
    /// The live version whose generated parts are kept: it is read right before the put. None makes them anew.
    pub keeps_generated_of: Option<VersionId>,
}

/// A version that comes along when a secret takes another one's place. One that is there already is put again: the
/// service ignores a put of the same data, and refuses one of other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedVersion {
    /// The old secret.
    pub from: SecretName,
    /// Its version.
    pub version: VersionId,
    /// The version id in the new secret: the same, or the one that git's value has there.
    pub to: VersionId,
    /// Whether it becomes the current one.
    pub current: bool,
    /// Its custom labels.
    pub labels: BTreeSet<StagingLabel>,
}

/// The version id of a value that is put (`ClientRequestToken`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Derived from the ciphertext in git, or from public text.
    Id(VersionId),
    /// Derived from text that holds an ARN, which is known only after another action.
    KnownAfterApply,
    /// A random one: the value is not named by anything in git.
    Random,
}

/// The version that a label is moved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelVersion {
    /// This one.
    Id(VersionId),
    /// The one that the value put just before it got.
    JustPut,
}

impl Action {
    /// The operation that carries it out, as the API names it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Restore => "RestoreSecret",
            Self::Create { .. } => "CreateSecret",
            Self::Update { .. } => "UpdateSecret",
            Self::Tag { .. } | Self::NoteEqualValue { .. } => "TagResource",
            Self::PutPolicy { .. } => "PutResourcePolicy",
            Self::DeletePolicy => "DeleteResourcePolicy",
            Self::PutValue(_) | Self::CarryVersion(_) => "PutSecretValue",
            Self::MoveLabel { .. } | Self::RemoveLabel { .. } => "UpdateSecretVersionStage",
            Self::CancelRotation => "CancelRotateSecret",
            Self::StopReplication => "StopReplicationToReplica",
            Self::Disassociate { .. } => "DisassociateCrossAccountReplica",
            Self::Associate(_) => "AssociateCrossAccountReplica",
            Self::RemoveReplicas { .. } => "RemoveRegionsFromReplication",
            Self::Replicate { .. } => "ReplicateSecretToRegions",
            Self::Rotate { .. } => "RotateSecret",
            Self::Untag { .. } => "UntagResource",
            Self::Delete { .. } => "DeleteSecret",
        }
    }

    /// The place in the order within one secret: restore, create, what ends, key and description, new and changed
    /// tags, policy, value, what is noted of it, labels, replicas, those in other accounts too, rotation, untag, and
    /// removal last of all.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Restore => 0,
            Self::Create { .. } => 1,
            // No value leaves the account any more once that is not wanted.
            Self::CancelRotation | Self::StopReplication | Self::Disassociate { .. } => 2,
            Self::Update { .. } => 3,
            Self::Tag { .. } => 4,
            Self::PutPolicy { .. } | Self::DeletePolicy => 5,
            Self::PutValue(_) | Self::CarryVersion(_) => 6,
            Self::NoteEqualValue { .. } => 7,
            Self::MoveLabel { .. } | Self::RemoveLabel { .. } => 8,
            // In the order that they were planned in.
            Self::Replicate { .. } | Self::RemoveReplicas { .. } => 9,
            Self::Associate(_) => 10,
            Self::Rotate { .. } => 11,
            Self::Untag { .. } => 12,
            Self::Delete { .. } => 13,
        }
    }
}
