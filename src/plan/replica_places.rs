//! Replicas that are to be made where another target of the run has a secret of their name, or a replica of one. All of
//! it is known once every target is planned; no call is made for it.

use super::action::Action;
use super::change::{Change, ReplicaReason};
use super::report::{Finding, FindingKind, PlaceHolder};
use super::{Plan, SecretPlan};
use crate::desired::Deletion;
use crate::domain::{Region, SecretName};
use crate::live::Live;

/// What is found of the replicas that `plan` makes, among the other targets of the run with their plans.
pub fn replica_places_taken(plan: &Plan, others: &[(&Live, &Plan)]) -> Vec<Finding> {
    let same = |other: &&(&Live, &Plan)| {
        let (_, other) = other;
        other.target != plan.target && plan.account.is_some() && other.account == plan.account
    };
    let others: Vec<(&Live, &Plan)> = others.iter().filter(same).copied().collect();
    if others.is_empty() {
        return Vec::new();
    }
    let found = plan.secrets.iter().flat_map(|secret| made(secret).map(move |region| (secret, region)));
    let found = found.filter_map(|(secret, region)| {
        let taken = others.iter().find_map(|(live, other)| {
            let holder = taken(live, other, region, &secret.name)?;
            Some(FindingKind::ReplicaPlaceTaken { region: region.clone(), target: other.target.clone(), holder })
        });
        Some(Finding { secret: secret.name.clone(), origin: secret.origin.clone(), kind: taken? })
    });
    found.collect()
}

/// The regions in which it gets replicas and destroys nothing for them.
fn made(secret: &SecretPlan) -> impl Iterator<Item = &Region> {
    secret.changes.iter().filter_map(|change| match change {
        Change::Replica { reason: ReplicaReason::Overwrites { .. }, .. } => None,
        Change::Replica { region, after: Some(_), .. } => Some(region),
        _ => None,
    })
}

/// What of another target has the place.
fn taken(live: &Live, plan: &Plan, region: &Region, name: &SecretName) -> Option<PlaceHolder> {
    let secret = live.secrets.get(name)?;
    let is_planned = |is: &dyn Fn(&Action) -> bool| {
        let planned = plan.secrets.iter().filter(|secret| secret.name == *name);
        planned.flat_map(|secret| &secret.actions).any(is)
    };
    if live.region == *region {
        let is_deleted = is_planned(&|action| matches!(action, Action::Delete { .. }));
        let is_freed = is_planned(&|action| matches!(action, Action::Delete { deletion: Deletion::Force }));
        let holder = if is_deleted { PlaceHolder::Goes } else { PlaceHolder::Stays };
        return (!secret.is_replica_in(region) && !is_freed).then_some(holder);
    }
    let removes = |action: &Action| matches!(action, Action::RemoveReplicas { regions } if regions.contains(region));
    secret.replicas.get(region).filter(|replica| super::replicas::is_copy(replica))?;
    Some(if is_planned(&removes) { PlaceHolder::ReplicaGoes } else { PlaceHolder::Stays })
}
