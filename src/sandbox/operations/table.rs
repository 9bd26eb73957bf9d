//! The table of operations: each operation's name, quota group, authorization and function stand here and nowhere else.
//!
//! A new operation is one row, and its function in the file of its group; a new group is a file beside this one.

use super::{
    Context, batch, create, cross_account, delete, describe, get_value, list, policy, put_value, random_password,
    replication, rotation, stages, tags, update, version_ids,
};
use crate::auth::Authorization::{self, AnyResource, Association, Batch, NewSecret, Promotion, Secret, SecretAnd};
use crate::faults::QuotaGroup as Quota;
use crate::wire::{Reply, ServiceError, members};

/// An operation's function: the JSON of its input in, its answer out.
type Function = fn(&Context<'_>, &[u8]) -> Result<Reply, ServiceError>;

/// One operation of Secrets Manager.
pub(crate) struct Operation {
    /// As the API names it.
    pub(crate) name: &'static str,
    /// The group whose quota its calls count towards.
    pub(crate) quota: Quota,
    /// Its authorization requests.
    authorization: Authorization,
    function: Function,
}

const fn row(name: &'static str, quota: Quota, authorization: Authorization, function: Function) -> Operation {
    Operation { name, quota, authorization, function }
}

const OPERATIONS: [Operation; 26] = [
    row("AssociateCrossAccountReplica", Quota::Updates, Association, cross_account::associate_cross_account_replica),
    row("BatchGetSecretValue", Quota::BatchGetSecretValue, Batch, batch::batch_get_secret_value),
    row("CancelRotateSecret", Quota::Rotations, Secret, rotation::cancel_rotate_secret),
    row("CreateSecret", Quota::CreateSecret, NewSecret, create::create_secret),
    row("DeleteResourcePolicy", Quota::ResourcePolicies, Secret, policy::delete_resource_policy),
    row("DeleteSecret", Quota::DeleteSecret, Secret, delete::delete_secret),
    row("DescribeSecret", Quota::DescribeSecret, Secret, describe::describe_secret),
    row("DisassociateCrossAccountReplica", Quota::Updates, Secret, cross_account::disassociate_cross_account_replica),
    row("GetRandomPassword", Quota::GetRandomPassword, AnyResource, random_password::get_random_password),
    row("GetResourcePolicy", Quota::ResourcePolicies, Secret, policy::get_resource_policy),
    row("GetSecretValue", Quota::GetSecretValue, Secret, get_value::get_secret_value),
    row("ListResourcePolicies", Quota::ResourcePolicies, Secret, policy::list_resource_policies),
    row("ListSecretVersionIds", Quota::ListSecretVersionIds, Secret, version_ids::list_secret_version_ids),
    row("ListSecrets", Quota::ListSecrets, AnyResource, list::list_secrets),
    row("PutResourcePolicy", Quota::ResourcePolicies, Secret, policy::put_resource_policy),
    row("PutSecretValue", Quota::Updates, Secret, put_value::put_secret_value),
    row("RemoveRegionsFromReplication", Quota::Updates, Secret, replication::remove_regions_from_replication),
    row("ReplicateSecretToRegions", Quota::Updates, Secret, replication::replicate_secret_to_regions),
    row("RestoreSecret", Quota::RestoreSecret, Secret, delete::restore_secret),
    row("RotateSecret", Quota::Rotations, Secret, rotation::rotate_secret),
    row("StopReplicationToReplica", Quota::Updates, Promotion, replication::stop_replication_to_replica),
    row("TagResource", Quota::Tags, Secret, tags::tag_resource),
    row("UntagResource", Quota::Tags, Secret, tags::untag_resource),
    row("UpdateSecret", Quota::Updates, Secret, update::update_secret),
    row("UpdateSecretVersionStage", Quota::Updates, Secret, stages::update_secret_version_stage),
    row(
        "ValidateResourcePolicy",
        Quota::ResourcePolicies,
        SecretAnd("PutResourcePolicy"),
        policy::validate_resource_policy,
    ),
];

/// The operation of a name.
pub(crate) fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

/// Runs an operation by its name, if the caller may and the input has no member that the operation lacks.
pub(crate) fn run(context: &Context<'_>, name: &str, body: &[u8]) -> Result<Reply, ServiceError> {
    let Some(operation) = find(name) else { return Err(ServiceError::unknown_operation(name)) };
    members::refuse_unknown(operation.name, body)?;
    if let Some(authorizer) = &context.authorizer {
        authorizer.check((context.store, context.now), (operation.name, operation.authorization), body)?;
    }
    (operation.function)(context, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_one_row() {
        assert!(OPERATIONS.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn every_operation_of_the_model_is_here() {
        assert!(OPERATIONS.iter().map(|operation| operation.name).eq(members::operations()));
    }
}
