//! What replication between accounts needs, on either side.
//!
//! Source: "Cross-account replication of secrets", permissions (user guide): whoever makes a replica also attaches the
//! managed policy `cross-account-replication` to it; whoever associates one reads the primary's value, and is let in by
//! the replica's account (`AcceptCrossAccountReplication`, an action without an operation); whoever promotes one takes
//! that policy off.

use std::collections::BTreeMap;

use super::arn::Place;
use super::document::{Draft, Permission};
use super::needs::{absent, any, present};
use super::read::{owner_pattern, unless_foreign};
use super::write::{everywhere, only_owned};
use super::{Purpose, Scope};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, DesiredSecret, OWNER_TAG, OtherSecret, Prune, REPLICATION_POLICY};
use crate::domain::{Arn, KmsKey};

const POLICY_NAME: &str = "secretsmanager:PolicyName";

/// The other targets of a run, by name: in whose account a secret is, and which key it has.
pub(super) struct Others<'a>(BTreeMap<&'a str, &'a Desired>);

impl<'a> Others<'a> {
    pub(super) fn of(targets: impl IntoIterator<Item = &'a Desired>) -> Self {
        Self(targets.into_iter().map(|desired| (desired.target.name.as_str(), desired)).collect_map())
    }

    /// A target, where its manifests are known.
    pub(super) fn target(&self, name: &str) -> Option<&'a Desired> {
        self.0.get(name).copied()
    }

    /// The secret as a policy can name it: any account, where it is not known which.
    fn arn(&self, other: &OtherSecret, here: Place<'_>) -> String {
        match other {
            OtherSecret::Arn(arn) => arn.to_string(),
            OtherSecret::Named { target, name } => match self.0.get(target.as_str()) {
                Some(desired) => Place::of(&desired.target).secret(name),
                None => here.in_account("*").secret(name),
            },
        }
    }

    /// The key of a replica, where its manifest is known.
    fn key(&self, other: &OtherSecret) -> Option<(Place<'a>, &'a KmsKey)> {
        let OtherSecret::Named { target, name } = other else { return None };
        let desired: &'a Desired = self.0.get(target.as_str())?;
        let key = desired.secrets.get(name)?.kms_key_id.as_ref()?.value.as_ref()?;
        Some((Place::of(&desired.target), key))
    }
}

/// Adds what an apply needs.
pub(super) fn add(desired: &Desired, others: &Others<'_>, scope: Scope, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let named = |wanted: fn(&DesiredSecret) -> bool| {
        let secrets = present(desired).filter(|secret| wanted(secret));
        secrets.map(|secret| place.secret(&secret.name)).collect::<Vec<_>>()
    };
    if scope.purpose == Purpose::Promote {
        add_promotion(named(|secret| secret.cross_account_primary.is_some()), draft);
    }
    if scope.purpose != Purpose::Apply {
        return;
    }
    let make = Permission::new("MakeReplicas", ["secretsmanager:PutResourcePolicy"]);
    let make = make.on(named(|secret| secret.other_primary().is_some()));
    draft.add(make.when("StringEqualsIfExists", POLICY_NAME, [REPLICATION_POLICY.to_owned()]));
    add_promotion(named(|secret| secret.cross_account_primary.as_ref().is_some_and(|it| it.value.is_none())), draft);

    add_removal(desired, scope, draft);
    if scope.replace_replicas {
        add_replacement(desired, named(|secret| secret.other_primary().is_some()), draft);
    }

    let actions = [
        "secretsmanager:AssociateCrossAccountReplica",
        "secretsmanager:DisassociateCrossAccountReplica",
        "secretsmanager:GetSecretValue",
    ];
    let associate = Permission::new("AssociateReplicas", actions).on(named(|secret| secret.other_replica().is_some()));
    draft.add(unless_foreign(associate, desired));
    let end = Permission::new("EndReplication", ["secretsmanager:DisassociateCrossAccountReplica"]);
    let ended = |secret: &DesiredSecret| secret.cross_account_replica.as_ref().is_some_and(|it| it.value.is_none());
    draft.add(unless_foreign(end.on(named(ended)), desired));

    let linked = || present(desired).filter_map(DesiredSecret::other_replica);
    let accept = Permission::new("ReplicateToOtherAccounts", ["secretsmanager:AcceptCrossAccountReplication"]);
    draft.add(accept.on(linked().map(|link| others.arn(&link.secret, place))));
    let roles = linked().filter_map(|link| link.role.as_ref()).map(Arn::to_string);
    draft.add(Permission::new("PassReplicationRoles", ["iam:PassRole"]).on(roles));
    for (there, key) in linked().filter_map(|link| others.key(&link.secret)) {
        let via: Vec<String> = [there, place].into_iter().flat_map(Place::via_service).collect();
        super::keys::Keys::of([key.as_str()], there).add("UseKeysOfOtherAccounts", &["kms:Encrypt"], &via, draft);
    }
}

/// A secret that is linked cannot be deleted, so its links end first, on whichever side it is. No manifest declares
/// them any more, so any secret that is to go may have them. On so many the condition insists on the policy's name,
/// which narrows this permission ("Remove cross-account replication", user guide).
fn add_removal(desired: &Desired, scope: Scope, draft: &mut Draft) {
    let resources: Vec<String> = if desired.prune == Prune::Delete {
        everywhere(desired).collect()
    } else {
        let place = Place::of(&desired.target);
        absent(desired).map(|(name, _)| place.secret(name)).collect()
    };
    let end = ["secretsmanager:DisassociateCrossAccountReplica", "secretsmanager:StopReplicationToReplica"];
    draft.add(only_owned(Permission::new("EndLinksBeforeDeletion", end).on(resources.clone()), desired, scope));
    if any(desired, |secret| secret.policy.as_ref(), |policy| policy.is_none()) {
        // Policies may be deleted by then.
        return;
    }
    let policy = Permission::new("TakeReplicationPolicyOffBeforeDeletion", ["secretsmanager:DeleteResourcePolicy"]);
    let policy = policy.on(resources).when("StringEquals", POLICY_NAME, [REPLICATION_POLICY.to_owned()]);
    draft.add(only_owned(policy, desired, scope));
}

/// A replica of another primary is promoted and deleted at once, before it is made anew. Once it is a secret of its own
/// it may have got replicas in other regions, without which it cannot be deleted.
fn add_replacement(desired: &Desired, replicas: Vec<String>, draft: &mut Draft) {
    let owned = |permission: Permission| {
        permission.when("StringLike", format!("aws:ResourceTag/{OWNER_TAG}"), [owner_pattern(desired)])
    };
    let end = ["secretsmanager:RemoveRegionsFromReplication", "secretsmanager:StopReplicationToReplica"];
    draft.add(owned(Permission::new("EndReplacedReplicas", end).on(replicas.clone())));
    let policy = Permission::new("TakeReplacedPolicyOff", ["secretsmanager:DeleteResourcePolicy"]);
    let policy = policy.on(replicas.clone()).when("StringEquals", POLICY_NAME, [REPLICATION_POLICY.to_owned()]);
    draft.add(owned(policy));
    let delete = Permission::new("DeleteReplacedReplicas", ["secretsmanager:DeleteSecret"]).on(replicas);
    draft.add(owned(delete.when("Bool", "secretsmanager:ForceDeleteWithoutRecovery", ["true"])));
}

/// StopReplicationToReplica takes the managed policy off.
fn add_promotion(replicas: Vec<String>, draft: &mut Draft) {
    draft.add(Permission::new("EndReplicas", ["secretsmanager:StopReplicationToReplica"]).on(replicas.clone()));
    let policy = Permission::new("TakeReplicationPolicyOff", ["secretsmanager:DeleteResourcePolicy"]).on(replicas);
    draft.add(policy.when("StringEqualsIfExists", POLICY_NAME, [REPLICATION_POLICY.to_owned()]));
}
