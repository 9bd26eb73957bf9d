//! The writing operations over an SDK client.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::operation::RequestId;
use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::{ExternalSecretRotationMetadataItem, ReplicaRegionType, RotationRulesType, Tag};

use zeroize::Zeroizing;

use super::quota::Operation;
use super::read::Reader;
use crate::apply::{Created, NewSecret, NewSettings, PlannedCalls, PutVersion, Receipt, Rotating, WriteSecrets};
use crate::desired::{Deletion, Restriction, RotationSetup, Rotator};
use crate::domain::{Arn, KmsKey, Region, StagingLabel, TagKey, VersionId};
use crate::domain::{Frequency, SecretName};
use crate::live::{ReadThrough, ServiceError, ServiceErrorKind};
use crate::value::{Exposed, GenerateOptions, SecretValue};

/// Writes to one target.
#[derive(Clone, Debug)]
pub struct Writer {
    reader: Reader,
}

impl Writer {
    /// Built by [`super::Connection::writer`] alone.
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// The same credentials in another region of the account.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Self {
        Self { reader: self.reader.in_region(region) }
    }
}

impl ReadThrough for Writer {
    type Reader = Reader;

    fn reader(&self) -> &Reader {
        &self.reader
    }
}

impl WriteSecrets for Writer {
    fn secrets_to_fill(&self, calls: &PlannedCalls) -> usize {
        self.reader.pace().secrets_to_fill(calls)
    }

    async fn create(&self, name: &SecretName, secret: &NewSecret) -> Result<Created, ServiceError> {
        if let Some(primary) = &secret.cross_account_primary {
            return self.reader.create_replica(name, secret, primary).await;
        }
        let NewSecret { description, kms_key_id, tags, secret_type, value, replicas, cross_account_primary: _ } =
            secret;
        let (text, binary) = value.as_ref().map_or((None, None), |(value, _)| exposed(value));
        let token = value.as_ref().and_then(|(_, id)| id.as_ref()).map(|id| id.as_str().to_owned());
        let call = self
            .reader
            .client
            .create_secret()
            .name(name.as_str())
            .client_request_token(token.unwrap_or_else(new_token))
            .set_description(description.clone())
            .set_kms_key_id(kms_key_id.as_ref().map(KmsKey::to_string))
            .set_tags(Some(sdk_tags(tags)))
            .set_type(secret_type.clone())
            .set_add_replica_regions((!replicas.is_empty()).then(|| sdk_regions(replicas)))
            .set_secret_string(text)
            .set_secret_binary(binary);
        let created = self.reader.send(Operation::CreateSecret, || call.clone().send()).await?;
        let receipt = receipt(&created);
        let arn = created.arn.ok_or_else(|| incomplete(Operation::CreateSecret, "ARN"))?;
        Ok(Created { arn: Arn::of_service(arn), version_id: created.version_id.map(VersionId::of_service), receipt })
    }

    async fn put_value(
        &self,
        arn: &Arn,
        value: &SecretValue,
        version_id: Option<&VersionId>,
        labels: &[StagingLabel],
    ) -> Result<PutVersion, ServiceError> {
        let (text, binary) = exposed(value);
        let call = self
            .reader
            .client
            .put_secret_value()
            .secret_id(arn.as_str())
            .client_request_token(version_id.map_or_else(new_token, VersionId::to_string))
            .set_secret_string(text)
            .set_secret_binary(binary)
            .set_version_stages((!labels.is_empty()).then(|| labels.iter().map(StagingLabel::to_string).collect()));
        let put = self.reader.send(Operation::PutSecretValue, || call.clone().send()).await?;
        let receipt = receipt(&put);
        let version_id = put.version_id.ok_or_else(|| incomplete(Operation::PutSecretValue, "VersionId"))?;
        let labels = put.version_stages.unwrap_or_default().into_iter().map(StagingLabel::of_service).collect();
        Ok(PutVersion { version_id: VersionId::of_service(version_id), labels, receipt })
    }

    async fn remove_label(&self, arn: &Arn, label: &StagingLabel, from: &VersionId) -> Result<Receipt, ServiceError> {
        let call =
            self.reader.client.update_secret_version_stage().secret_id(arn.as_str()).version_stage(label.as_str());
        let call = call.remove_from_version_id(from.as_str());
        self.reader
            .send(Operation::UpdateSecretVersionStage, || call.clone().send())
            .await
            .map(|answer| receipt(&answer))
    }

    async fn move_label(
        &self,
        arn: &Arn,
        label: &StagingLabel,
        to: &VersionId,
        from: Option<&VersionId>,
    ) -> Result<Receipt, ServiceError> {
        let call = self
            .reader
            .client
            .update_secret_version_stage()
            .secret_id(arn.as_str())
            .version_stage(label.as_str())
            .move_to_version_id(to.as_str())
            .set_remove_from_version_id(from.map(VersionId::to_string));
        self.reader
            .send(Operation::UpdateSecretVersionStage, || call.clone().send())
            .await
            .map(|answer| receipt(&answer))
    }

    async fn random_password(&self, options: &GenerateOptions) -> Result<Zeroizing<String>, ServiceError> {
        let GenerateOptions {
            length,
            exclude_characters,
            exclude_numbers,
            exclude_punctuation,
            exclude_uppercase,
            exclude_lowercase,
            include_space,
            require_each_included_type,
        } = options;
        let call = self
            .reader
            .client
            .get_random_password()
            .password_length(i64::from(*length))
            .set_exclude_characters((!exclude_characters.is_empty()).then(|| exclude_characters.clone()))
            .exclude_numbers(*exclude_numbers)
            .exclude_punctuation(*exclude_punctuation)
            .exclude_uppercase(*exclude_uppercase)
            .exclude_lowercase(*exclude_lowercase)
            .include_space(*include_space)
            .require_each_included_type(*require_each_included_type);
        let answer = self.reader.send(Operation::GetRandomPassword, || call.clone().send()).await?;
        answer
            .random_password
            .map(Zeroizing::new)
            .ok_or_else(|| incomplete(Operation::GetRandomPassword, "RandomPassword"))
    }

    async fn restore(&self, arn: &Arn) -> Result<Receipt, ServiceError> {
        let call = self.reader.client.restore_secret().secret_id(arn.as_str());
        self.reader.send(Operation::RestoreSecret, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn update(&self, arn: &Arn, settings: &NewSettings<'_>) -> Result<Receipt, ServiceError> {
        let NewSettings { description, kms_key_id, secret_type } = settings;
        let call = self
            .reader
            .client
            .update_secret()
            .secret_id(arn.as_str())
            .set_description(description.map(str::to_owned))
            .set_kms_key_id(kms_key_id.map(KmsKey::to_string))
            .set_type(secret_type.map(str::to_owned));
        self.reader.send(Operation::UpdateSecret, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn rotate(
        &self,
        arn: &Arn,
        setup: Option<&RotationSetup>,
        immediately: bool,
    ) -> Result<Rotating, ServiceError> {
        let call = self.reader.client.rotate_secret().secret_id(arn.as_str()).client_request_token(new_token());
        let mut call = call.rotate_immediately(immediately);
        if let Some(RotationSetup { rotator, frequency, duration }) = setup {
            let rules = RotationRulesType::builder()
                .set_duration(duration.as_ref().map(|duration| duration.as_str().to_owned()));
            let rules = match frequency {
                Frequency::EveryDays(days) => rules.automatically_after_days(i64::from(*days)),
                Frequency::Expression(expression) => rules.schedule_expression(expression.as_str()),
            };
            call = call.rotation_rules(rules.build());
            call = match rotator {
                // Its rules are all that can be changed; whoever sends more is refused.
                Rotator::OwningService => call,
                Rotator::Lambda(arn) => call.rotation_lambda_arn(arn.as_str()),
                Rotator::External { role_arn, metadata } => {
                    let item = |(key, value): (&String, &String)| {
                        ExternalSecretRotationMetadataItem::builder().key(key.as_str()).value(value).build()
                    };
                    let metadata: Vec<_> = metadata.iter().map(item).collect();
                    call.set_external_secret_rotation_role_arn(role_arn.as_ref().map(Arn::to_string))
                        .set_external_secret_rotation_metadata((!metadata.is_empty()).then_some(metadata))
                }
            };
        }
        let answer = self.reader.send(Operation::RotateSecret, || call.clone().send()).await?;
        Ok(Rotating { receipt: receipt(&answer), version_id: answer.version_id.map(VersionId::of_service) })
    }

    async fn cancel_rotation(&self, arn: &Arn) -> Result<Receipt, ServiceError> {
        let call = self.reader.client.cancel_rotate_secret().secret_id(arn.as_str());
        self.reader.send(Operation::CancelRotateSecret, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn replicate(
        &self,
        arn: &Arn,
        regions: &BTreeMap<Region, Option<KmsKey>>,
        overwrite: bool,
    ) -> Result<Receipt, ServiceError> {
        let call = self
            .reader
            .client
            .replicate_secret_to_regions()
            .secret_id(arn.as_str())
            .set_add_replica_regions(Some(sdk_regions(regions)))
            .force_overwrite_replica_secret(overwrite);
        self.reader
            .send(Operation::ReplicateSecretToRegions, || call.clone().send())
            .await
            .map(|answer| receipt(&answer))
    }

    async fn remove_replicas(&self, arn: &Arn, regions: &BTreeSet<Region>) -> Result<Receipt, ServiceError> {
        let regions = regions.iter().map(Region::to_string).collect();
        let call = self.reader.client.remove_regions_from_replication().secret_id(arn.as_str());
        let call = call.set_remove_replica_regions(Some(regions));
        self.reader
            .send(Operation::RemoveRegionsFromReplication, || call.clone().send())
            .await
            .map(|answer| receipt(&answer))
    }

    async fn stop_replication(&self, name: &SecretName) -> Result<Receipt, ServiceError> {
        let call = self.reader.client.stop_replication_to_replica().secret_id(name.as_str());
        self.reader
            .send(Operation::StopReplicationToReplica, || call.clone().send())
            .await
            .map(|answer| receipt(&answer))
    }

    async fn tag(&self, arn: &Arn, tags: &BTreeMap<TagKey, String>) -> Result<Receipt, ServiceError> {
        let call = self.reader.client.tag_resource().secret_id(arn.as_str()).set_tags(Some(sdk_tags(tags)));
        self.reader.send(Operation::TagResource, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn untag(&self, arn: &Arn, keys: &BTreeSet<TagKey>) -> Result<Receipt, ServiceError> {
        let keys = keys.iter().map(TagKey::to_string).collect();
        let call = self.reader.client.untag_resource().secret_id(arn.as_str()).set_tag_keys(Some(keys));
        self.reader.send(Operation::UntagResource, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn put_policy(&self, arn: &Arn, policy: &str, block_public_policy: bool) -> Result<Receipt, ServiceError> {
        let call = self
            .reader
            .client
            .put_resource_policy()
            .secret_id(arn.as_str())
            .resource_policy(policy)
            .block_public_policy(block_public_policy);
        self.reader.send(Operation::PutResourcePolicy, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn associate(
        &self,
        arn: &Arn,
        replica: &Arn,
        restriction: Restriction,
        role: Option<&Arn>,
    ) -> Result<Receipt, ServiceError> {
        self.reader.associate(arn, replica, restriction, role).await
    }

    async fn disassociate(&self, arn: &Arn, replica: &Arn) -> Result<Receipt, ServiceError> {
        self.reader.disassociate(arn, replica).await
    }

    async fn delete_policy(&self, arn: &Arn) -> Result<Receipt, ServiceError> {
        let call = self.reader.client.delete_resource_policy().secret_id(arn.as_str());
        self.reader.send(Operation::DeleteResourcePolicy, || call.clone().send()).await.map(|answer| receipt(&answer))
    }

    async fn delete(&self, arn: &Arn, deletion: Deletion) -> Result<Receipt, ServiceError> {
        let call = self.reader.client.delete_secret().secret_id(arn.as_str());
        let call = match deletion {
            Deletion::Window(days) => call.recovery_window_in_days(i64::from(days)),
            Deletion::Force => call.force_delete_without_recovery(true),
        };
        self.reader.send(Operation::DeleteSecret, || call.clone().send()).await.map(|answer| receipt(&answer))
    }
}

/// The one place where a value leaves its type: into the SDK's request.
fn exposed(value: &SecretValue) -> (Option<String>, Option<Blob>) {
    match value.expose() {
        Exposed::Text(text) => (Some(text.to_owned()), None),
        Exposed::Binary(bytes) => (None, Some(Blob::new(bytes))),
    }
}

/// A ClientRequestToken for what has none of its own. It is kept over all attempts at a call, so that a lost answer
/// makes no second secret, version or rotation.
pub(super) fn new_token() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn receipt(answer: &impl RequestId) -> Receipt {
    Receipt { request_id: answer.request_id().map(str::to_owned) }
}

pub(super) fn incomplete(operation: Operation, member: &str) -> ServiceError {
    ServiceError {
        operation: operation.name(),
        kind: ServiceErrorKind::Service,
        code: None,
        message: format!("the answer has no {member}"),
        request_id: None,
    }
}

fn sdk_tags(tags: &BTreeMap<TagKey, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key.as_str()).value(value).build()).collect()
}

fn sdk_regions(regions: &BTreeMap<Region, Option<KmsKey>>) -> Vec<ReplicaRegionType> {
    let region = |(region, key): (&Region, &Option<KmsKey>)| {
        ReplicaRegionType::builder().region(region.as_str()).set_kms_key_id(key.as_ref().map(KmsKey::to_string)).build()
    };
    regions.iter().map(region).collect()
}
