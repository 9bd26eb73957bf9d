//! CreateSecret.

use serde::{Deserialize, Serialize};

use super::replication::{self, RegionInput, RequestedReplicas, StatusMembers};
use super::tags::{self, TagInput};
use super::{Context, SecretOutput, cross_account, versions};
use crate::home::arn_suffix;
use crate::state::{CURRENT, Found, Labels, SecretData, SecretRecord, Writer, is_valid_name, kms};
use crate::wire::{Constraints, Reply, SensitiveBytes, SensitiveText, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<SensitiveBytes>,
    secret_string: Option<SensitiveText>,
    tags: Option<Vec<TagInput>>,
    add_replica_regions: Option<Vec<RegionInput>>,
    force_overwrite_replica_secret: Option<bool>,
    r#type: Option<String>,
    #[serde(rename = "CrossAccountPrimaryARN")]
    cross_account_primary_arn: Option<String>,
}

pub(super) fn create_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let name = constraints.required_text("name", input.name, limits::SECRET_NAME);
    constraints.request_token(input.client_request_token.as_deref());
    constraints.text("description", input.description.as_deref(), limits::DESCRIPTION);
    constraints.text("kmsKeyId", input.kms_key_id.as_deref(), limits::KMS_KEY_ID);
    super::check_value_lengths(&mut constraints, input.secret_binary.as_ref(), input.secret_string.as_ref());
    tags::check(&mut constraints, input.tags.as_deref().unwrap_or_default());
    if let Some(regions) = &input.add_replica_regions {
        replication::check(&mut constraints, regions);
    }
    constraints.text("type", input.r#type.as_deref(), limits::SECRET_TYPE);
    constraints.text("crossAccountPrimaryARN", input.cross_account_primary_arn.as_deref(), limits::SECRET_ARN);
    constraints.finish()?;
    if !is_valid_name(&name) {
        return Err(ServiceError::invalid_name());
    }
    let token = super::required_token(input.client_request_token)?;
    let (input_binary, input_string) = (input.secret_binary.is_some(), input.secret_string.is_some());
    let value = super::one_value(input.secret_binary, input.secret_string)?;
    let tags = input.tags.map(tags::initial).transpose()?;
    let kms_key_id = input.kms_key_id.filter(|key| !key.is_empty());
    kms_key_id.as_deref().map_or(Ok(()), kms::check)?;
    let cross_account_primary = input.cross_account_primary_arn.as_deref().map(|primary| {
        let beside = [
            ("SecretString", input_string),
            ("SecretBinary", input_binary),
            ("Description", input.description.is_some()),
            ("AddReplicaRegions", input.add_replica_regions.is_some()),
            ("Type", input.r#type.is_some()),
        ];
        cross_account::created(context.caller, primary, &beside, kms_key_id.as_deref())
    });
    let cross_account_primary = cross_account_primary.transpose()?;
    let overwrite = input.force_overwrite_replica_secret;
    let replicas = input.add_replica_regions.map(|regions| RequestedReplicas::read(context.caller, regions, overwrite));
    let replicas = replicas.transpose()?;
    context.write(|writer| {
        if let Some(existing) = writer.secret(context.caller, &name)? {
            return repeated(writer, &Found { home: context.caller.clone(), record: existing }, &token, value.as_ref());
        }
        let suffix = arn_suffix(context.rng_seed, context.caller, &name, writer.incarnation(context.caller, &name)?);
        let record = SecretRecord {
            serial: writer.next_serial()?,
            arn: context.caller.secret_arn(&name, &suffix),
            name,
            description: input.description.filter(|text| !text.is_empty()),
            kind: input.r#type,
            kms_key_id,
            // An empty list sets no tag, and a secret that never had one shows none.
            tags: tags.filter(|tags| !tags.is_empty()),
            labels: Labels::default(),
            created: writer.now(),
            changed: writer.now(),
            accessed: None,
            deletion: None,
            owning_service: None,
            replicas: replicas.map(|requested| requested.begin(writer.now(), context.profile)).unwrap_or_default(),
            replica_of: None,
            rotation: None,
            cross_account_replica: None,
            cross_account_primary,
        };
        let mut found = Found { home: context.caller.clone(), record };
        if let Some(value) = &value {
            versions::place(writer, &mut found, &token, value, &[CURRENT])?;
        }
        writer.save(&found.home, &found.record)?;
        answer(writer, &found, value.is_some().then_some(token.as_str()))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(flatten)]
    secret: SecretOutput<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replication_status: Vec<StatusMembers>,
}

fn answer(writer: &Writer<'_>, found: &Found, version_id: Option<&str>) -> Result<Reply, ServiceError> {
    let replication_status = replication::statuses(writer, &found.home, &found.record)?;
    Reply::json(&Output { secret: SecretOutput::version(found, version_id), replication_status })
}

/// The answer where the name is taken: a repetition of the request that made the version succeeds.
///
/// What a repetition without a value gets is not known; there is no version that could remember its token, so the
/// name is taken.
fn repeated(
    writer: &Writer<'_>,
    found: &Found,
    token: &str,
    value: Option<&SecretData>,
) -> Result<Reply, ServiceError> {
    let record = &found.record;
    if record.deletion.is_some() {
        return Err(ServiceError::name_scheduled_for_deletion());
    }
    if record.replica_of.is_some() || record.cross_account_primary.is_some() {
        // The token is known here too, and yet this secret was not made by this request.
        return Err(ServiceError::already_exists(&record.name));
    }
    match (writer.value(&found.home, record.serial, token)?, value) {
        (Some(existing), Some(value)) if existing == *value => answer(writer, found, Some(token)),
        (Some(_), Some(_)) => Err(ServiceError::token_in_use(token, &record.arn)),
        _ => Err(ServiceError::already_exists(&record.name)),
    }
}
