//! The writing operations: a trait of its own, so that planning cannot reach them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use zeroize::Zeroizing;

use super::in_flight::PlannedCalls;
use crate::desired::{Deletion, Restriction, RotationSetup};
use crate::domain::{Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{ReadSecrets, ServiceError};
use crate::value::{GenerateOptions, SecretValue};

/// What CreateSecret is given.
#[derive(Debug)]
pub struct NewSecret {
    /// `Description`.
    pub description: Option<String>,
    /// `KmsKeyId`.
    pub kms_key_id: Option<KmsKey>,
    /// `Tags`.
    pub tags: BTreeMap<TagKey, String>,
    /// `Type`.
    pub secret_type: Option<String>,
    /// The first value, with the version id that it gets; a random one when there is none.
    pub value: Option<(SecretValue, Option<VersionId>)>,
    /// `AddReplicaRegions`: region to key. Never with ForceOverwriteReplicaSecret.
    pub replicas: BTreeMap<Region, Option<KmsKey>>,
    /// `CrossAccountPrimaryARN`: then there is no value, no description, no type and no replica.
    pub cross_account_primary: Option<Arn>,
}

/// What UpdateSecret is given; what is none stays as it is.
#[derive(Debug)]
pub struct NewSettings<'a> {
    /// `Description`.
    pub description: Option<&'a str>,
    /// `KmsKeyId`.
    pub kms_key_id: Option<&'a KmsKey>,
    /// `Type`.
    pub secret_type: Option<&'a str>,
}

/// What the service says of a call that it carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The request's id, by which CloudTrail and AWS's support find it (`x-amzn-RequestId`).
    pub request_id: Option<String>,
}

/// What RotateSecret answers: the rotation has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotating {
    /// The version that the rotation makes.
    pub version_id: Option<VersionId>,
    /// The request.
    pub receipt: Receipt,
}

/// What CreateSecret answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The ARN.
    pub arn: Arn,
    /// The version of the first value.
    pub version_id: Option<VersionId>,
    /// The request.
    pub receipt: Receipt,
}

/// What PutSecretValue answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutVersion {
    /// The version.
    pub version_id: VersionId,
    /// Its staging labels.
    pub labels: Vec<StagingLabel>,
    /// The request.
    pub receipt: Receipt,
}

/// The writing operations of one target. Each is one call, retried by the SDK alone.
///
/// Existing secrets are named by their full ARN, so that a secret that was deleted and made anew under the same name is
/// never written by mistake.
pub trait WriteSecrets: ReadSecrets {
    /// How many secrets in flight keep the narrowest request quota that these calls need busy, at the latency of the
    /// last answers; 0 while nothing is known of it.
    fn secrets_to_fill(&self, calls: &PlannedCalls) -> usize;

    /// CreateSecret.
    fn create(
        &self,
        name: &SecretName,
        secret: &NewSecret,
    ) -> impl Future<Output = Result<Created, ServiceError>> + Send;

    /// PutSecretValue under this version id, or a random one. The service ignores a put of the data that the version
    /// has already, and refuses other data (AlreadyExists). `labels` is empty for AWSCURRENT.
    fn put_value(
        &self,
        arn: &Arn,
        value: &SecretValue,
        version_id: Option<&VersionId>,
        labels: &[StagingLabel],
    ) -> impl Future<Output = Result<PutVersion, ServiceError>> + Send;

    /// UpdateSecretVersionStage without a version to move to: the label goes.
    fn remove_label(
        &self,
        arn: &Arn,
        label: &StagingLabel,
        from: &VersionId,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// UpdateSecretVersionStage.
    fn move_label(
        &self,
        arn: &Arn,
        label: &StagingLabel,
        to: &VersionId,
        from: Option<&VersionId>,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// GetRandomPassword. It changes nothing, but only values that are put need one.
    fn random_password(
        &self,
        options: &GenerateOptions,
    ) -> impl Future<Output = Result<Zeroizing<String>, ServiceError>> + Send;

    /// RestoreSecret.
    fn restore(&self, arn: &Arn) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// UpdateSecret without a value: it mints no version.
    fn update(
        &self,
        arn: &Arn,
        settings: &NewSettings<'_>,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// RotateSecret; without a setup it starts a rotation as the secret is set up already. Answers the new version's
    /// id.
    fn rotate(
        &self,
        arn: &Arn,
        setup: Option<&RotationSetup>,
        immediately: bool,
    ) -> impl Future<Output = Result<Rotating, ServiceError>> + Send;

    /// CancelRotateSecret. AWSPENDING stays where it is.
    fn cancel_rotation(&self, arn: &Arn) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// ReplicateSecretToRegions: region to key. The copies are made after the answer.
    fn replicate(
        &self,
        arn: &Arn,
        regions: &BTreeMap<Region, Option<KmsKey>>,
        overwrite: bool,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// RemoveRegionsFromReplication.
    fn remove_replicas(
        &self,
        arn: &Arn,
        regions: &BTreeSet<Region>,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// AssociateCrossAccountReplica: from now on each value is copied to the replica in the other account. A repeated
    /// call repairs what failed.
    fn associate(
        &self,
        arn: &Arn,
        replica: &Arn,
        restriction: Restriction,
        role: Option<&Arn>,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// DisassociateCrossAccountReplica: the replica stays as it is, and gets no more values.
    fn disassociate(&self, arn: &Arn, replica: &Arn) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// StopReplicationToReplica, of a replica in this writer's account and region: it becomes a secret of its own.
    fn stop_replication(&self, name: &SecretName) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// TagResource.
    fn tag(
        &self,
        arn: &Arn,
        tags: &BTreeMap<TagKey, String>,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// UntagResource.
    fn untag(&self, arn: &Arn, keys: &BTreeSet<TagKey>) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// PutResourcePolicy.
    fn put_policy(
        &self,
        arn: &Arn,
        policy: &str,
        block_public_policy: bool,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// DeleteResourcePolicy.
    fn delete_policy(&self, arn: &Arn) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;

    /// DeleteSecret.
    fn delete(&self, arn: &Arn, deletion: Deletion) -> impl Future<Output = Result<Receipt, ServiceError>> + Send;
}
