//! What an apply needs beside reading.
//!
//! One statement for each kind of permission, each only where the manifests make use of it. The owner tag stands in the
//! conditions as in the planner: what another project owns is out of reach, what nobody owns may be adopted, and only
//! what is owned is deleted.

use std::collections::BTreeSet;

use super::Scope;
use super::arn::Place;
use super::document::{Draft, Permission};
use super::needs::{
    absent, any, has_version_id, managed, present, replicas, rotation_functions, rotation_roles, rotations, values,
};
use super::read::{owner_pattern, unless_foreign};
use crate::desired::{Deletion, Desired, DesiredSecret, OWNER_TAG, Prune};
use crate::value::Source;

/// Adds what an apply writes.
pub(super) fn add(desired: &Desired, scope: Scope, draft: &mut Draft) {
    add_changes(desired, draft);
    add_managed(desired, draft);
    add_values(desired, draft);
    add_policies(desired, draft);
    add_rotation(desired, draft);
    add_replicas(desired, draft);
    add_deletions(desired, scope, draft);
    add_moves(desired, draft);
}

/// The old secret of a rename is read, and deleted with its window. Its key may be one that no manifest names: that is
/// the reader's to add, as that of every secret without `kmsKeyId` is.
fn add_moves(desired: &Desired, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let old = || desired.renames().map(|(old, _)| place.secret(old));
    let owned = |permission: Permission| {
        permission.when("StringLike", format!("aws:ResourceTag/{OWNER_TAG}"), [owner_pattern(desired)])
    };
    draft.add(owned(Permission::new("ReadMovedValues", ["secretsmanager:GetSecretValue"]).on(old())));
    let remove = Permission::new("RemoveMovedReplicas", ["secretsmanager:RemoveRegionsFromReplication"]);
    draft.add(owned(remove.on(old())));
    let windows = desired.renames().filter_map(|(_, new)| match new.deletion.with_window() {
        Deletion::Window(days) => Some(days),
        Deletion::Force => None,
    });
    let Some(shortest) = windows.min() else { return };
    let delete = Permission::new("DeleteMoved", ["secretsmanager:DeleteSecret"]).on(old());
    let key = "secretsmanager:RecoveryWindowInDays";
    draft.add(owned(delete).when("NumericGreaterThanEquals", key, [shortest.to_string()]));
}

/// Every secret in scope that no service makes.
pub(super) fn everywhere(desired: &Desired) -> impl Iterator<Item = String> {
    let place = Place::of(&desired.target);
    // Names with an exclamation mark are those of secrets that services make.
    let ours = desired.scope.prefixes().iter().filter(|prefix| !prefix.contains('!'));
    ours.map(move |prefix| place.secrets(prefix))
}

/// Of secrets that a service manages: tags and the schedule, each by its name. They carry no owner tag.
fn add_managed(desired: &Desired, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let named = |wanted: fn(&&DesiredSecret) -> bool| {
        managed(desired).filter(wanted).map(|desired_secret| place.secret(&desired_secret.name)).collect::<Vec<_>>()
    };
    let actions = ["secretsmanager:TagResource", "secretsmanager:UntagResource"];
    draft.add(Permission::new("TagServiceSecrets", actions).on(named(|secret| secret.tags.is_some())));
    let rotate = Permission::new("RotateServiceSecrets", ["secretsmanager:RotateSecret"]);
    let mut rotate = rotate.on(named(|secret| secret.rotation.is_some()));
    let mut rotations = managed(desired).filter_map(|secret| secret.rotation.as_ref()?.value.as_ref());
    if !rotations.any(|rotation| rotation.rotate_immediately) {
        rotate = rotate.when("BoolIfExists", "secretsmanager:RotateImmediately", ["false"]);
    }
    draft.add(rotate);
}

/// Existence, and what UpdateSecret and the tags hold.
fn add_changes(desired: &Desired, draft: &mut Draft) {
    let owned = |permission: Permission, operator: &str| {
        permission.when(operator, format!("aws:RequestTag/{OWNER_TAG}"), [owner_pattern(desired)])
    };
    let mut changes = BTreeSet::new();
    if present(desired).next().is_some() {
        let create = Permission::new("CreateSecrets", ["secretsmanager:CreateSecret"]).on(everywhere(desired));
        draft.add(owned(create, "StringLike"));
        // CreateSecret with tags needs TagResource too. The tag keywright:protect may have to go from any secret.
        changes.extend(["secretsmanager:RestoreSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource"]);
    }
    if desired.prune == Prune::Release {
        changes.insert("secretsmanager:UntagResource");
    }
    let updated = any(desired, |desired_secret| desired_secret.description.as_ref(), |_| true)
        || any(desired, |desired_secret| desired_secret.kms_key_id.as_ref(), |_| true)
        || any(desired, |desired_secret| desired_secret.secret_type.as_ref(), |_| true);
    if updated {
        changes.insert("secretsmanager:UpdateSecret");
    }
    let change = Permission::new("ChangeSecrets", changes).on(everywhere(desired));
    // Most tags that are set are not the owner tag; where that one is, it must be ours.
    draft.add(owned(unless_foreign(change, desired), "StringLikeIfExists"));
}

fn add_values(desired: &Desired, draft: &mut Draft) {
    let mut written = Vec::new();
    if values(desired).next().is_some() || desired.renames().next().is_some() {
        written.push("secretsmanager:PutSecretValue");
    }
    if values(desired).any(has_version_id)
        || present(desired)
            .any(|desired_secret| !desired_secret.labels.is_empty() || desired_secret.no_labels.is_some())
    {
        written.push("secretsmanager:UpdateSecretVersionStage");
    }
    draft.add(unless_foreign(Permission::new("WriteValues", written).on(everywhere(desired)), desired));
    if values(desired).any(Source::is_made_once) {
        draft.add(Permission::new("GeneratePasswords", ["secretsmanager:GetRandomPassword"]).on_everything());
    }
}

/// ValidateResourcePolicy needs PutResourcePolicy too, and carries no BlockPublicPolicy: a condition that insisted on
/// that key would forbid the validation.
fn add_policies(desired: &Desired, draft: &mut Draft) {
    let mut actions = Vec::new();
    if any(desired, |desired_secret| desired_secret.policy.as_ref(), |policy| policy.is_some()) {
        actions.extend(["secretsmanager:PutResourcePolicy", "secretsmanager:ValidateResourcePolicy"]);
    }
    if any(desired, |desired_secret| desired_secret.policy.as_ref(), |policy| policy.is_none()) {
        actions.push("secretsmanager:DeleteResourcePolicy");
    }
    let mut manage = unless_foreign(Permission::new("ManagePolicies", actions).on(everywhere(desired)), desired);
    let declares =
        |desired_secret: &&DesiredSecret| desired_secret.policy.as_ref().is_some_and(|it| it.value.is_some());
    if present(desired).filter(declares).all(|desired_secret| desired_secret.block_public_policy) {
        manage = manage.when("BoolIfExists", "secretsmanager:BlockPublicPolicy", ["true"]);
    }
    draft.add(manage);
}

/// RotateSecret "also needs lambda:InvokeFunction permissions on the rotation function" (its required permissions in
/// the API reference), and iam:PassRole for a role that is handed over with it (service authorization reference).
fn add_rotation(desired: &Desired, draft: &mut Draft) {
    let mut actions = Vec::new();
    if rotations(desired).next().is_some() {
        actions.push("secretsmanager:RotateSecret");
    }
    if any(desired, |desired_secret| desired_secret.rotation.as_ref(), |rotation| rotation.is_none()) {
        actions.push("secretsmanager:CancelRotateSecret");
    }
    let (functions, roles) = (rotation_functions(desired), rotation_roles(desired));
    let mut rotate = unless_foreign(Permission::new("Rotate", actions).on(everywhere(desired)), desired);
    if !functions.is_empty() {
        rotate = rotate.when("ArnEqualsIfExists", "secretsmanager:RotationLambdaARN", functions.clone());
    }
    if !rotations(desired).any(|rotation| rotation.rotate_immediately) {
        rotate = rotate.when("BoolIfExists", "secretsmanager:RotateImmediately", ["false"]);
    }
    draft.add(rotate);
    draft.add(Permission::new("InvokeRotationFunctions", ["lambda:InvokeFunction"]).on(functions));
    let pass = Permission::new("PassRotationRoles", ["iam:PassRole"]).on(roles);
    draft.add(pass.when("StringEquals", "iam:PassedToService", ["secretsmanager.amazonaws.com"]));
}

fn add_replicas(desired: &Desired, draft: &mut Draft) {
    let regions: BTreeSet<String> = replicas(desired).map(|(_, region, _)| region.to_string()).collect();
    if !regions.is_empty() {
        let replicate = Permission::new("Replicate", ["secretsmanager:ReplicateSecretToRegions"]);
        let mut replicate = unless_foreign(replicate.on(everywhere(desired)), desired).when(
            "ForAllValues:StringEquals",
            "secretsmanager:AddReplicaRegions",
            regions,
        );
        if !replicas(desired).any(|(_, _, replica)| replica.overwrite) {
            replicate = replicate.when("BoolIfExists", "secretsmanager:ForceOverwriteReplicaSecret", ["false"]);
        }
        draft.add(replicate);
    }
    // A secret that has replicas cannot be deleted, so they go first.
    let remove = Permission::new("RemoveReplicas", ["secretsmanager:RemoveRegionsFromReplication"]);
    let declared = any(desired, |desired_secret| desired_secret.replicas.as_ref(), |_| true);
    let remove = if declared || desired.prune == Prune::Delete {
        remove.on(everywhere(desired))
    } else {
        let place = Place::of(&desired.target);
        remove.on(absent(desired).map(|(name, _)| place.secret(name)))
    };
    draft.add(unless_foreign(remove, desired));
}

/// Only what this target owns is deleted, and what nobody owns where that is allowed.
pub(super) fn only_owned(permission: Permission, desired: &Desired, scope: Scope) -> Permission {
    if scope.delete_unowned {
        unless_foreign(permission, desired)
    } else {
        permission.when("StringLike", format!("aws:ResourceTag/{OWNER_TAG}"), [owner_pattern(desired)])
    }
}

/// DeleteSecret with a window of at least what the manifests say: a request without one, which is how a secret is
/// deleted at once, is not allowed by that. Manifests that force it name the secrets for which it is.
fn add_deletions(desired: &Desired, scope: Scope, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let windows: Vec<_> = absent(desired)
        .filter_map(|(name, deletion)| match deletion {
            Deletion::Window(days) => Some((name, days)),
            Deletion::Force => None,
        })
        .collect();
    let pruned = (desired.prune == Prune::Delete).then_some(desired.prune_window_days);
    let shortest = windows.iter().map(|(_, days)| *days).chain(pruned).min();
    if let Some(shortest) = shortest {
        let delete = Permission::new("DeleteSecrets", ["secretsmanager:DeleteSecret"]);
        let delete = if pruned.is_some() {
            delete.on(everywhere(desired))
        } else {
            delete.on(windows.iter().map(|(name, _)| place.secret(name)))
        };
        let key = "secretsmanager:RecoveryWindowInDays";
        draft.add(only_owned(delete, desired, scope).when("NumericGreaterThanEquals", key, [shortest.to_string()]));
    }
    let forced = absent(desired).filter(|(_, deletion)| *deletion == Deletion::Force);
    let delete = Permission::new("DeleteSecretsAtOnce", ["secretsmanager:DeleteSecret"]);
    let delete = delete.on(forced.map(|(name, _)| place.secret(name)));
    draft.add(only_owned(delete, desired, scope).when("Bool", "secretsmanager:ForceDeleteWithoutRecovery", ["true"]));
}
