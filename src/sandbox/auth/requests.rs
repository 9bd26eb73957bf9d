//! The authorization requests of a call: its actions, its resources, and its condition keys.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::identity::Caller;
use super::identity_policy::IdentityPolicy;
use crate::clock::Moment;
use crate::home::{Home, partition};
use crate::state::cross_account::MANAGED_POLICY;
use crate::state::{SecretId, SecretRecord, Store, StoreError, lookup};
use crate::wire::{self, ServiceError};

/// The members of an input that authorization looks at. A value is not among them, so it is never copied.
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
    policy_name: Option<String>,
    #[serde(rename = "CrossAccountPrimaryARN")]
    cross_account_primary_arn: Option<String>,
    #[serde(rename = "CrossAccountReplicaARN")]
    cross_account_replica_arn: Option<String>,
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

/// The end of an ARN that is not known yet.
const UNKNOWN_ENDING: &str = "??????";

type Keys = Vec<(String, Vec<String>)>;

/// One action on one resource, to be evaluated against a policy.
pub(crate) struct AuthorizationRequest<'q> {
    /// Without the service's prefix.
    pub(crate) action: &'q str,
    /// The ARN, or `*` for an action that has no resource type.
    pub(crate) resource: &'q str,
    /// What an error calls the resource.
    pub(crate) shown: Option<&'q str>,
    /// The condition keys, in small letters, with their values.
    pub(crate) context: &'q [(String, Vec<String>)],
}

/// Which authorization requests an operation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authorization {
    /// Its own action on `*`: it has no resource type.
    AnyResource,
    /// BatchGetSecretValue: its own action and, with filters, ListSecrets on `*`. GetSecretValue on each secret is
    /// checked by the operation itself.
    Batch,
    /// AssociateCrossAccountReplica: its own action and GetSecretValue on the primary, and
    /// AcceptCrossAccountReplication on the replica.
    Association,
    /// CreateSecret: its own action on a name, and those of the tags and replicas that it brings along. A replica of
    /// another account's secret comes with a policy.
    NewSecret,
    /// StopReplicationToReplica: its own action, and DeleteResourcePolicy on a replica of another account's secret,
    /// whose policy goes.
    Promotion,
    /// Its own action on the secret that SecretId names.
    Secret,
    /// Like `Secret`, and another action too.
    SecretAnd(&'static str),
}

/// A policy that is enforced, and who is bound by it.
#[derive(Clone, Copy)]
pub(crate) struct Authorizer<'a> {
    pub(crate) policy: &'a IdentityPolicy,
    pub(crate) caller: &'a Caller,
}

impl Authorizer<'_> {
    /// Refuses a call that the policy does not allow. One that cannot be read is left to its operation.
    pub(crate) fn check(
        &self,
        (store, now): (&Store, Moment),
        (operation, authorization): (&str, Authorization),
        body: &[u8],
    ) -> Result<(), ServiceError> {
        let Ok(input) = wire::input::<Input>(body) else { return Ok(()) };
        let keys = keys_of_request(&input);
        match authorization {
            Authorization::AnyResource => self.evaluate(operation, "*", None, &keys),
            Authorization::Batch => {
                self.evaluate(operation, "*", None, &keys)?;
                if input.filters.is_empty() { Ok(()) } else { self.evaluate("ListSecrets", "*", None, &keys) }
            }
            Authorization::Association => {
                self.check_secret(store, now, &[operation, "GetSecretValue"], &input, keys.clone())?;
                let replica = input.cross_account_replica_arn.as_deref();
                replica.map_or(Ok(()), |arn| self.evaluate("AcceptCrossAccountReplication", arn, Some(arn), &keys))
            }
            Authorization::Promotion => {
                self.check_secret(store, now, &[operation], &input, keys.clone())?;
                let id = input.secret_id.as_deref().unwrap_or_default();
                let found = record(store, now, &self.caller.home, id)?;
                if found.is_none_or(|record| record.cross_account_primary.is_none()) {
                    return Ok(());
                }
                let keys = with_managed_policy(keys);
                self.check_secret(store, now, &["DeleteResourcePolicy"], &input, keys)
            }
            Authorization::NewSecret => self.check_new_secret(operation, &input, &keys),
            Authorization::Secret => self.check_secret(store, now, &[operation], &input, keys),
            Authorization::SecretAnd(other) => self.check_secret(store, now, &[operation, other], &input, keys),
        }
    }

    fn check_new_secret(&self, operation: &str, input: &Input, keys: &Keys) -> Result<(), ServiceError> {
        let Some(name) = &input.name else { return Ok(()) };
        // How the ARN will end is not known yet: only a pattern of six unknown characters, or a wider one, fits.
        let arn = self.caller.home.secret_arn(name, UNKNOWN_ENDING);
        let tags = (!input.tags.is_empty()).then_some("TagResource");
        let replicas = (!input.add_replica_regions.is_empty()).then_some("ReplicateSecretToRegions");
        let actions = [Some(operation), tags, replicas];
        actions.into_iter().flatten().try_for_each(|action| self.evaluate(action, &arn, Some(name), keys))?;
        if input.cross_account_primary_arn.is_none() {
            return Ok(());
        }
        self.evaluate("PutResourcePolicy", &arn, Some(name), &with_managed_policy(keys.clone()))
    }

    fn check_secret(
        &self,
        store: &Store,
        now: Moment,
        actions: &[&str],
        input: &Input,
        mut keys: Keys,
    ) -> Result<(), ServiceError> {
        // ValidateResourcePolicy can be called without one; its authorization requests are not documented then.
        let Some(id) = &input.secret_id else { return Ok(()) };
        let home = &self.caller.home;
        let found = record(store, now, home, id)?;
        let (arns, shown) = match &found {
            Some(record) => {
                keys.extend(keys_of_secret(record));
                (vec![record.arn.clone()], &record.arn)
            }
            None => (missing(home, id), id),
        };
        for arn in &arns {
            actions.iter().try_for_each(|action| self.evaluate(action, arn, Some(shown), &keys))?;
        }
        Ok(())
    }

    /// Refuses LookupEvents of CloudTrail, which has no resource type.
    pub(crate) fn check_lookup_events(&self) -> Result<(), ServiceError> {
        self.evaluate("LookupEvents", "*", None, &Keys::new())
    }

    /// Refuses a caller of BatchGetSecretValue one of its secrets.
    pub(crate) fn check_value_read(&self, record: &SecretRecord) -> Result<(), ServiceError> {
        self.evaluate("GetSecretValue", &record.arn, Some(&record.arn), &keys_of_secret(record))
    }

    fn evaluate(&self, action: &str, resource: &str, shown: Option<&str>, keys: &Keys) -> Result<(), ServiceError> {
        self.policy.check(self.caller, &AuthorizationRequest { action, resource, shown, context: keys })
    }
}

fn record(store: &Store, now: Moment, home: &Home, id: &str) -> Result<Option<SecretRecord>, ServiceError> {
    let Ok(id) = SecretId::parse(id) else { return Ok(None) };
    let found: Result<_, StoreError> = store.read(now, |reader| lookup::search(reader, home, &id));
    Ok(found?.map(|found| found.record))
}

/// The ARNs of a secret that does not exist. It is not documented whether the request names an ARN with some ending or
/// without one, and both have been reported: a policy must allow both.
fn missing(home: &Home, id: &str) -> Vec<String> {
    if id.starts_with("arn:") {
        return vec![id.to_owned()];
    }
    let Home { account, region } = home;
    let bare = format!("arn:{}:secretsmanager:{region}:{account}:secret:{id}", partition(region));
    vec![home.secret_arn(id, UNKNOWN_ENDING), bare]
}

/// The keys of an action on the managed policy of a replica, which no request names.
fn with_managed_policy(mut keys: Keys) -> Keys {
    keys.push(("secretsmanager:policyname".to_owned(), vec![MANAGED_POLICY.to_owned()]));
    keys
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
        ("policyname", input.policy_name.clone()),
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
