//! What a request asks of the policy that is enforced: its actions, its resource, and its condition keys.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::identity::{Home, partition};
use super::identity_policy::{IdentityPolicy, Question};
use crate::sandbox::operations::Context;
use crate::sandbox::state::{SecretId, SecretRecord, lookup};
use crate::sandbox::wire::{Caller, ServiceError, protocol};

/// What a request says that matters here. A value is not among it, and is not copied out of the request.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    name: Option<String>,
    secret_id: Option<String>,
    filters: Vec<IgnoredAny>,
    tags: Vec<TagInput>,
    tag_keys: Vec<String>,
    add_replica_regions: Vec<RegionInput>,
    kms_key_id: Option<String>,
    version_stage: Option<String>,
    block_public_policy: Option<bool>,
    recovery_window_in_days: Option<i64>,
    force_delete_without_recovery: Option<bool>,
    force_overwrite_replica_secret: Option<bool>,
    rotate_immediately: Option<bool>,
    #[serde(rename = "RotationLambdaARN")]
    rotation_lambda_arn: Option<String>,
    external_secret_rotation_role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagInput {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RegionInput {
    region: Option<String>,
}

/// The end of an ARN that nobody knows yet.
const UNKNOWN_ENDING: &str = "??????";

type Keys = Vec<(String, Vec<String>)>;

/// A policy, and who is bound by it.
#[derive(Clone, Copy)]
pub(crate) struct Authority<'a> {
    pub(crate) policy: &'a IdentityPolicy,
    pub(crate) caller: &'a Caller,
}

impl Authority<'_> {
    /// Refuses a request that the policy does not allow. One that cannot be read is left to its operation.
    pub(crate) fn check(&self, context: &Context<'_>, operation: &str, body: &[u8]) -> Result<(), ServiceError> {
        let Ok(input) = protocol::input::<Input>(body) else { return Ok(()) };
        let mut keys = keys_of_request(&input);
        match operation {
            "ListSecrets" | "GetRandomPassword" => self.ask(operation, "*", None, &keys),
            "BatchGetSecretValue" => {
                self.ask(operation, "*", None, &keys)?;
                // Its secrets are asked about one by one, by the operation.
                if input.filters.is_empty() { Ok(()) } else { self.ask("ListSecrets", "*", None, &keys) }
            }
            "CreateSecret" => {
                let Some(name) = &input.name else { return Ok(()) };
                // Nobody knows how the ARN will end: only a pattern of six unknown characters, or a wider one, fits.
                let arn = self.caller.home.secret_arn(name, UNKNOWN_ENDING);
                let tags = (!input.tags.is_empty()).then_some("TagResource");
                let replicas = (!input.add_replica_regions.is_empty()).then_some("ReplicateSecretToRegions");
                let actions = [Some(operation), tags, replicas];
                actions.into_iter().flatten().try_for_each(|action| self.ask(action, &arn, Some(name), &keys))
            }
            _ => {
                // ValidateResourcePolicy goes without one; what IAM is asked then is not documented.
                let Some(id) = &input.secret_id else { return Ok(()) };
                let found = record(context, id)?;
                let arns = match &found {
                    Some(record) => {
                        keys.extend(keys_of_secret(record));
                        vec![record.arn.clone()]
                    }
                    None => missing(context.caller, id),
                };
                let shown = found.as_ref().map_or(id, |record| &record.arn);
                let also = (operation == "ValidateResourcePolicy").then_some("PutResourcePolicy");
                for (arn, action) in arns.iter().flat_map(|arn| [Some(operation), also].map(|action| (arn, action))) {
                    if let Some(action) = action {
                        self.ask(action, arn, Some(shown), &keys)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Refuses a caller of BatchGetSecretValue one of its secrets.
    pub(crate) fn check_value_read(&self, record: &SecretRecord) -> Result<(), ServiceError> {
        self.ask("GetSecretValue", &record.arn, Some(&record.arn), &keys_of_secret(record))
    }

    fn ask(&self, action: &str, resource: &str, shown: Option<&str>, keys: &Keys) -> Result<(), ServiceError> {
        self.policy.check(self.caller, &Question { action, resource, shown, context: keys })
    }
}

fn record(context: &Context<'_>, id: &str) -> Result<Option<SecretRecord>, ServiceError> {
    let Ok(id) = SecretId::parse(id) else { return Ok(None) };
    let found = context.store.read(context.now, |reader| lookup::search(reader, context.caller, &id));
    found.map(|found| found.map(|found| found.record))
}

/// The ARNs of a secret that does not exist. It is not documented whether IAM is asked about an ARN with some ending or
/// without one, and both have been reported: a policy must allow both.
fn missing(home: &Home, id: &str) -> Vec<String> {
    if id.starts_with("arn:") {
        return vec![id.to_owned()];
    }
    let Home { account, region } = home;
    let bare = format!("arn:{}:secretsmanager:{region}:{account}:secret:{id}", partition(region));
    vec![home.secret_arn(id, UNKNOWN_ENDING), bare]
}

fn keys_of_request(input: &Input) -> Keys {
    let flag = |value: Option<bool>| value.map(|value| value.to_string());
    let single = [
        ("blockpublicpolicy", flag(input.block_public_policy)),
        ("externalsecretrotationrolearn", input.external_secret_rotation_role_arn.clone()),
        ("forcedeletewithoutrecovery", flag(input.force_delete_without_recovery)),
        ("forceoverwritereplicasecret", flag(input.force_overwrite_replica_secret)),
        ("kmskeyid", input.kms_key_id.clone()),
        ("name", input.name.clone()),
        ("recoverywindowindays", input.recovery_window_in_days.map(|days| days.to_string())),
        ("rotateimmediately", flag(input.rotate_immediately)),
        ("rotationlambdaarn", input.rotation_lambda_arn.clone()),
        ("versionstage", input.version_stage.clone()),
    ];
    let single = single.into_iter().filter_map(|(key, value)| Some((format!("secretsmanager:{key}"), vec![value?])));
    let mut keys: Keys = single.collect();
    let regions: Vec<String> = input.add_replica_regions.iter().filter_map(|it| it.region.clone()).collect();
    let mut tag_keys = input.tag_keys.clone();
    for tag in &input.tags {
        let (Some(key), Some(value)) = (&tag.key, &tag.value) else { continue };
        keys.push((format!("aws:requesttag/{}", key.to_ascii_lowercase()), vec![value.clone()]));
        tag_keys.push(key.clone());
    }
    let several = [("secretsmanager:addreplicaregions", regions), ("aws:tagkeys", tag_keys)];
    keys.extend(several.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| (key.to_owned(), list)));
    keys
}

fn keys_of_secret(record: &SecretRecord) -> Keys {
    let tags = record.tags.iter().flatten();
    tags.flat_map(|tag| {
        let (key, value) = (tag.key.to_ascii_lowercase(), tag.value.clone());
        ["aws", "secretsmanager"].map(|prefix| (format!("{prefix}:resourcetag/{key}"), vec![value.clone()]))
    })
    .collect()
}
