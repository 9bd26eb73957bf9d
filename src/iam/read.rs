//! What reading needs.

use super::arn::Place;
use super::document::{Draft, Permission};
use super::needs::{any, has_version_id, present, replicas, values};
use super::{Purpose, Scope};
use crate::desired::{Desired, LabelHolder, OWNER_TAG, Prune, State};
use crate::origin::Origin;

/// Adds what a plan, a drift report, and the verification after an apply read.
pub(super) fn add(desired: &Desired, scope: Scope, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let everywhere = || desired.scope.prefixes().iter().map(|prefix| place.secrets(prefix));

    // ListSecrets, BatchGetSecretValue and GetRandomPassword have no resource type: `*` is all that IAM takes there.
    draft.add(Permission::new("ListSecrets", ["secretsmanager:ListSecrets"]).on_everything());

    let mut metadata = vec!["secretsmanager:DescribeSecret"];
    // A label may be on a version that has no other.
    let names_versions = |(holder, _): &(LabelHolder, Origin)| matches!(holder, LabelHolder::Version(_));
    if values(desired).any(has_version_id) || present(desired).any(|secret| secret.labels.values().any(names_versions))
    {
        metadata.push("secretsmanager:ListSecretVersionIds");
    }
    // Whom a secret lets read that would be deleted is told with the plan.
    let removes = desired.prune == Prune::Delete
        || desired.secrets.values().any(|desired_secret| desired_secret.state == State::Absent);
    let tells_readers = removes && matches!(scope.purpose, Purpose::Plan | Purpose::Apply);
    // Of a secret whose place another one takes, it is said whether it has a policy.
    let declared = any(desired, |desired_secret| desired_secret.policy.as_ref(), |_| true);
    if scope.audit || tells_readers || declared || desired.renames().next().is_some() {
        metadata.push("secretsmanager:GetResourcePolicy");
    }
    if scope.audit {
        metadata.push("secretsmanager:ListResourcePolicies");
    }
    draft.add(Permission::new("ReadMetadata", metadata).on(everywhere()));

    // A replica that may overwrite destroys a secret of its name: what that is, is looked at first. Nothing says which
    // ARN is asked about where there is none.
    let overwritten =
        replicas(desired).filter(|(_, _, replica)| replica.overwrite).flat_map(|(desired_secret, region, _)| {
            let there = place.in_region(region.as_str());
            [there.secret_without_suffix(&desired_secret.name), there.secret(&desired_secret.name)]
        });
    draft.add(Permission::new("ReadReplicaRegions", ["secretsmanager:DescribeSecret"]).on(overwritten));

    // The operation asks for the permission to put what it validates ("Required permissions" of
    // ValidateResourcePolicy).
    if scope.validate_policies
        && any(desired, |desired_secret| desired_secret.policy.as_ref(), |policy| policy.is_some())
    {
        let actions = ["secretsmanager:PutResourcePolicy", "secretsmanager:ValidateResourcePolicy"];
        draft.add(unless_foreign(Permission::new("ValidatePolicies", actions).on(everywhere()), desired));
    }

    if scope.read_values && values(desired).next().is_some() {
        draft.add(Permission::new("ReadValuesInBatches", ["secretsmanager:BatchGetSecretValue"]).on_everything());
        let read = Permission::new("ReadValues", ["secretsmanager:GetSecretValue"]).on(everywhere());
        draft.add(unless_foreign(read, desired));
    }
}

/// Adds what an inventory reads. Of secrets that manifests name and the list lacks it asks one by one.
pub(super) fn add_inventory(desired: &Desired, scope: Scope, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    draft.add(Permission::new("ListSecrets", ["secretsmanager:ListSecrets"]).on_everything());
    let mut metadata = vec!["secretsmanager:DescribeSecret"];
    if scope.audit {
        metadata.extend([
            "secretsmanager:GetResourcePolicy",
            "secretsmanager:ListResourcePolicies",
            "secretsmanager:ListSecretVersionIds",
        ]);
    }
    let prefixes = if scope.all { vec![""] } else { desired.scope.prefixes().iter().map(String::as_str).collect() };
    draft.add(Permission::new("ReadMetadata", metadata).on(prefixes.into_iter().map(|prefix| place.secrets(prefix))));
}

/// What the owner tag of each secret of this target fits: `project/target`, and what binds the tag to the secret's
/// name.
pub(super) fn owner_pattern(desired: &Desired) -> String {
    format!("{}:*", desired.owner())
}

/// Secrets that another project or target owns are left out. Those without an owner tag are not: a manifest may adopt
/// them.
pub(super) fn unless_foreign(permission: Permission, desired: &Desired) -> Permission {
    permission.when("StringLikeIfExists", format!("aws:ResourceTag/{OWNER_TAG}"), [owner_pattern(desired)])
}
