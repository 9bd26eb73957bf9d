//! Which operations of Secrets Manager the scenarios reach: all that the SDK has, or the run fails.

use std::collections::BTreeSet;
use std::sync::Mutex;

use keywright::sandbox::Call;

/// The names of operations, each checked against the SDK's own type of that name.
macro_rules! operations {
    ($($module:ident::$operation:ident,)*) => {
        &[$({
            let _ = std::marker::PhantomData::<aws_sdk_secretsmanager::operation::$module::$operation>;
            stringify!($operation)
        }),*]
    };
}

/// Every operation of API version 2017-10-17 that the SDK has.
const ALL: &[&str] = operations![
    batch_get_secret_value::BatchGetSecretValue,
    cancel_rotate_secret::CancelRotateSecret,
    create_secret::CreateSecret,
    delete_resource_policy::DeleteResourcePolicy,
    delete_secret::DeleteSecret,
    describe_secret::DescribeSecret,
    get_random_password::GetRandomPassword,
    get_resource_policy::GetResourcePolicy,
    get_secret_value::GetSecretValue,
    list_secret_version_ids::ListSecretVersionIds,
    list_secrets::ListSecrets,
    put_resource_policy::PutResourcePolicy,
    put_secret_value::PutSecretValue,
    remove_regions_from_replication::RemoveRegionsFromReplication,
    replicate_secret_to_regions::ReplicateSecretToRegions,
    restore_secret::RestoreSecret,
    rotate_secret::RotateSecret,
    stop_replication_to_replica::StopReplicationToReplica,
    tag_resource::TagResource,
    untag_resource::UntagResource,
    update_secret::UpdateSecret,
    update_secret_version_stage::UpdateSecretVersionStage,
    validate_resource_policy::ValidateResourcePolicy,
];

static CALLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes what a run of keywright called.
pub(crate) fn called_by_keywright(calls: impl Iterator<Item = Call>) {
    CALLED.lock().expect("nothing panics while it notes").extend(calls.map(|call| call.operation));
}

/// After all scenarios: an error names the operations that no command reached in any of them.
pub(crate) fn all_reached() -> Result<(), String> {
    let called = CALLED.lock().expect("nothing panics while it notes");
    let missing: Vec<&str> = ALL.iter().copied().filter(|operation| !called.contains(*operation)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no scenario reaches {} by a command", missing.join(", "))) }
}
