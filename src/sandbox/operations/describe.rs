//! DescribeSecret, and the members that it shares with the entries of ListSecrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Context;
use super::cross_account::{PrimaryMembers, ReplicaMembers};
use super::replication::{self, StatusMembers};
use crate::state::{Metadata, RotationRules, SecretId, SecretRecord, Tag};
use crate::wire::{Constraints, EpochSeconds, Reply, ServiceError, input};

/// What both operations say of a secret, in the order of the API model.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SecretMembers<'r> {
    #[serde(rename = "ARN")]
    arn: &'r str,
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_enabled: Option<bool>,
    #[serde(rename = "RotationLambdaARN", skip_serializing_if = "Option::is_none")]
    rotation_lambda_arn: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_rules: Option<RulesMembers<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_secret_rotation_metadata: Option<&'r [Metadata]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_secret_rotation_role_arn: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotated_date: Option<EpochSeconds>,
    last_changed_date: EpochSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'r [Tag]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owning_service: Option<&'r str>,
    created_date: EpochSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_region: Option<&'r str>,
}

/// The rules of a rotation, with the days that the service computes for a schedule expression.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RulesMembers<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    automatically_after_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_expression: Option<&'r str>,
}

impl<'r> RulesMembers<'r> {
    fn of(rules: &'r RotationRules) -> Self {
        let expression = rules.expression.as_deref();
        Self {
            automatically_after_days: rules.days.or_else(|| rules.schedule()?.days().map(i64::from)),
            duration: rules.duration.as_deref(),
            schedule_expression: expression,
        }
    }
}

impl<'r> SecretMembers<'r> {
    pub(super) fn of(record: &'r SecretRecord) -> Self {
        let SecretRecord {
            serial: _,
            name,
            arn,
            description,
            kind,
            kms_key_id,
            tags,
            labels: _,
            created,
            changed,
            accessed,
            deletion,
            owning_service,
            replicas: _,
            replica_of: _,
            rotation,
            // Only DescribeSecret shows these.
            cross_account_replica: _,
            cross_account_primary: _,
        } = record;
        let rotation = rotation.as_ref();
        Self {
            arn,
            name,
            r#type: kind.as_deref(),
            description: description.as_deref(),
            kms_key_id: kms_key_id.as_deref(),
            rotation_enabled: rotation.map(|rotation| rotation.enabled),
            rotation_lambda_arn: rotation.and_then(|rotation| rotation.lambda_arn.as_deref()),
            rotation_rules: rotation.and_then(|rotation| rotation.rules.as_ref()).map(RulesMembers::of),
            external_secret_rotation_metadata: rotation.and_then(|rotation| rotation.external_metadata.as_deref()),
            external_secret_rotation_role_arn: rotation.and_then(|rotation| rotation.external_role_arn.as_deref()),
            last_rotated_date: rotation.and_then(|rotation| rotation.last).map(EpochSeconds),
            last_changed_date: EpochSeconds(*changed),
            last_accessed_date: accessed.map(EpochSeconds),
            deleted_date: deletion.map(|deletion| EpochSeconds(deletion.requested)),
            next_rotation_date: rotation.and_then(|rotation| rotation.window).map(|window| EpochSeconds(window.closes)),
            tags: tags.as_deref(),
            owning_service: owning_service.as_deref(),
            created_date: EpochSeconds(*created),
            primary_region: record.primary_region(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'r> {
    #[serde(flatten)]
    secret: SecretMembers<'r>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    version_ids_to_stages: BTreeMap<&'r str, Vec<&'r str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replication_status: Vec<StatusMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cross_account_primary: Option<PrimaryMembers<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cross_account_replicas: Option<[ReplicaMembers<'r>; 1]>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
}

pub(super) fn describe_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.read(|reader| {
        let found = context.find(reader, &id)?;
        let version_ids_to_stages = found.record.labels.by_version();
        let replication_status = replication::statuses(reader, &found.home, &found.record)?;
        let record = &found.record;
        Reply::json(&Output {
            secret: SecretMembers::of(record),
            version_ids_to_stages,
            replication_status,
            cross_account_primary: record.cross_account_primary.as_ref().map(PrimaryMembers::of),
            cross_account_replicas: record.cross_account_replica.as_ref().map(|replica| [ReplicaMembers::of(replica)]),
        })
    })
}
