//! DescribeSecret, and the members that it shares with the entries of ListSecrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::constraint::Constraints;
use super::super::error::ServiceError;
use super::super::lookup::SecretId;
use super::super::protocol::{EpochSeconds, Reply, input};
use super::super::record::{SecretRecord, Tag};
use super::Context;

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
    last_changed_date: EpochSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'r [Tag]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owning_service: Option<&'r str>,
    created_date: EpochSeconds,
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
        } = record;
        Self {
            arn,
            name,
            r#type: kind.as_deref(),
            description: description.as_deref(),
            kms_key_id: kms_key_id.as_deref(),
            last_changed_date: EpochSeconds(*changed),
            last_accessed_date: accessed.map(EpochSeconds),
            deleted_date: deletion.map(|deletion| EpochSeconds(deletion.requested)),
            tags: tags.as_deref(),
            owning_service: owning_service.as_deref(),
            created_date: EpochSeconds(*created),
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
        Reply::json(&Output { secret: SecretMembers::of(&found.record), version_ids_to_stages })
    })
}
