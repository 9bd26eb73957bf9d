//! The operations of Secrets Manager, one file for each group of them.
//!
//! Each operation has the same shape: read the input, check the model's constraints, then the service's own rules in
//! the order in which the service is known to check them (a missing ClientRequestToken comes before a missing
//! secret), then one transaction, then the output. Outputs leave out what has no value, as the service does.

mod batch;
mod create;
mod delete;
mod describe;
mod filter;
mod get_value;
mod list;
mod policy;
mod put_value;
mod random_password;
mod replication;
mod rotate;
mod rotation;
mod selection;
mod settle;
mod stages;
mod tags;
mod update;
mod version_ids;
mod versions;

use std::sync::{Mutex, PoisonError};

use rand::Rng as _;
use rand::rngs::StdRng;

use crate::sandbox::auth::{AssumedRole, Authority, Home};
use crate::sandbox::clock::Moment;
use crate::sandbox::faults::{Functions, Weather};
use crate::sandbox::state::{Found, Reader, SecretData, SecretId, Store, Transaction, View, Writer, lookup};
use crate::sandbox::wire::{Constraints, Reply, SensitiveBytes, SensitiveText, ServiceError};

pub(crate) use settle::settle;

/// The limit of a value, in bytes.
const MAX_VALUE_BYTES: usize = 65_536;

/// What an operation works with: the store, the moment, and who asks.
#[derive(Clone, Copy)]
pub(crate) struct Context<'s> {
    pub(crate) store: &'s Store,
    pub(crate) now: Moment,
    pub(crate) caller: &'s Home,
    /// What ARNs are derived from.
    pub(crate) seed: u64,
    /// What random passwords are drawn from.
    pub(crate) random: &'s Mutex<StdRng>,
    /// What the rotation functions do.
    pub(crate) functions: &'s Functions,
    pub(crate) weather: &'s Weather,
    /// The role that the caller assumed, if he did.
    pub(crate) role: Option<&'s AssumedRole>,
    /// A change that this operation is a part of. Without one, it is a change of its own.
    pub(crate) within: Option<&'s Writer<'s>>,
    /// The policy that binds the caller, when one is enforced.
    pub(crate) authority: Option<Authority<'s>>,
}

/// Runs an operation by its name, if the caller may.
pub(crate) fn run(context: &Context<'_>, operation: &str, body: &[u8]) -> Result<Reply, ServiceError> {
    if let Some(authority) = &context.authority {
        authority.check(context, operation, body)?;
    }
    match operation {
        "BatchGetSecretValue" => batch::batch_get_secret_value(context, body),
        "CancelRotateSecret" => rotation::cancel_rotate_secret(context, body),
        "CreateSecret" => create::create_secret(context, body),
        "DeleteResourcePolicy" => policy::delete_resource_policy(context, body),
        "DeleteSecret" => delete::delete_secret(context, body),
        "DescribeSecret" => describe::describe_secret(context, body),
        "GetRandomPassword" => random_password::get_random_password(context, body),
        "GetResourcePolicy" => policy::get_resource_policy(context, body),
        "GetSecretValue" => get_value::get_secret_value(context, body),
        "ListSecretVersionIds" => version_ids::list_secret_version_ids(context, body),
        "ListSecrets" => list::list_secrets(context, body),
        "PutResourcePolicy" => policy::put_resource_policy(context, body),
        "PutSecretValue" => put_value::put_secret_value(context, body),
        "RemoveRegionsFromReplication" => replication::remove_regions_from_replication(context, body),
        "ReplicateSecretToRegions" => replication::replicate_secret_to_regions(context, body),
        "RestoreSecret" => delete::restore_secret(context, body),
        "RotateSecret" => rotation::rotate_secret(context, body),
        "StopReplicationToReplica" => replication::stop_replication_to_replica(context, body),
        "TagResource" => tags::tag_resource(context, body),
        "UntagResource" => tags::untag_resource(context, body),
        "UpdateSecret" => update::update_secret(context, body),
        "UpdateSecretVersionStage" => stages::update_secret_version_stage(context, body),
        "ValidateResourcePolicy" => policy::validate_resource_policy(context, body),
        unknown => Err(ServiceError::unknown_operation(unknown)),
    }
}

impl Context<'_> {
    fn read<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, ServiceError>) -> Result<T, ServiceError> {
        self.store.read(self.now, read)
    }

    fn write<T>(&self, change: impl FnOnce(&Writer<'_>) -> Result<T, ServiceError>) -> Result<T, ServiceError> {
        match self.within {
            Some(writer) => change(writer),
            None => self.store.write(self.now, change),
        }
    }

    /// A version id for a rotation that nobody asked for by a token of his own.
    pub(crate) fn new_version_id(&self) -> String {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        uuid::Builder::from_random_bytes(random.random()).into_uuid().to_string()
    }

    /// The secret that `id` names, scheduled for deletion or not.
    fn find<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        lookup::find(view, self.caller, id)
    }

    /// The secret that `id` names, unless it is scheduled for deletion.
    fn find_live<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        let found = self.find(view, id)?;
        found.refuse_scheduled()?;
        Ok(found)
    }

    /// The secret that `id` names, to be changed: neither scheduled for deletion nor a copy.
    fn find_primary<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        let found = self.find_live(view, id)?;
        found.refuse_replica()?;
        Ok(found)
    }
}

/// Checks the lengths of a value's two forms.
fn check_value_lengths(constraints: &mut Constraints, binary: Option<&SensitiveBytes>, text: Option<&SensitiveText>) {
    constraints.sensitive("secretBinary", binary.map(|binary| binary.0.len()), 1..=MAX_VALUE_BYTES);
    constraints.sensitive("secretString", text.map(|text| text.0.len()), 1..=MAX_VALUE_BYTES);
}

/// The value that a request carries, in one form at most.
fn one_value(binary: Option<SensitiveBytes>, text: Option<SensitiveText>) -> Result<Option<SecretData>, ServiceError> {
    match (binary, text) {
        (Some(_), Some(_)) => Err(ServiceError::invalid_parameter(
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
        (Some(binary), None) => Ok(Some(SecretData::Binary(binary.0))),
        (None, Some(text)) => Ok(Some(SecretData::Text(text.0))),
        (None, None) => Ok(None),
    }
}

/// The ClientRequestToken that SDKs and the CLI fill in, and that the service insists on.
fn required_token(token: Option<String>) -> Result<String, ServiceError> {
    token.ok_or_else(ServiceError::token_missing)
}

/// The answer of the operations that only say which secret they touched.
#[derive(serde::Serialize)]
struct Touched<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    #[serde(rename = "Name")]
    name: &'a str,
    #[serde(rename = "VersionId", skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
}

impl<'a> Touched<'a> {
    fn secret(found: &'a Found) -> Self {
        Self { arn: &found.record.arn, name: &found.record.name, version_id: None }
    }

    fn version(found: &'a Found, version_id: Option<&'a str>) -> Self {
        Self { version_id, ..Self::secret(found) }
    }
}
