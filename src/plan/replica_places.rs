//! Replicas that are to be made where another target of the run has a secret of their name, or a replica of one. All of
//! it is known once every target is planned; no call is made for it.

use std::collections::BTreeSet;

use super::action::Action;
use super::change::{Change, ReplicaReason};
use super::report::{Finding, FindingKind, PlaceHolder};
use super::{Plan, SecretPlan};
use crate::collect::CollectSet as _;
use crate::desired::{Deletion, OWNER_TAG};
use crate::domain::{Region, SecretName};
use crate::live::{Live, LiveSecret, ReplicaStatus};

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

/// Copies that come to be of a secret in another target, and what is known of it.
pub struct OtherCopies<'a> {
    /// Whether that target is in the account of the secret that goes.
    pub same_account: bool,
    /// The regions of replicas that are being made.
    pub regions: BTreeSet<&'a Region>,
    /// Whether its value is on the way to another account.
    pub linked: bool,
    /// The secret as it was before the run.
    pub before: Option<&'a LiveSecret>,
}

impl SecretPlan {
    /// The regions whose replicas go.
    pub fn regions_removed(&self) -> BTreeSet<&Region> {
        let removed = self.actions.iter().filter_map(|action| match action {
            Action::RemoveReplicas { regions } => Some(regions),
            _ => None,
        });
        removed.flatten().collect_set()
    }

    /// Whether nothing is to be done but to try replicas again that failed, each in a region that is free then.
    pub fn waits_only_for_places(&self, is_freed: impl Fn(&Region) -> bool) -> bool {
        self.changes.iter().all(|change| match change {
            Change::Replica { region, after: Some(_), reason: ReplicaReason::Failed { .. }, .. } => is_freed(region),
            _ => false,
        })
    }

    /// Whether copies of what another target has under the name of this secret, which goes, are to take the place of
    /// its replicas. Of those that can only come after a removal, `is_freed` tells.
    pub fn waits_for_copies(&self, copies: &OtherCopies<'_>, is_freed: impl Fn(&Region) -> bool) -> bool {
        let OtherCopies { same_account, regions, linked, before } = copies;
        let removed = self.regions_removed();
        if removed.is_empty() {
            return false;
        }
        if *same_account {
            return *linked || regions.iter().any(|region| !is_freed(region));
        }
        // In another account it is another secret, unless git says that this one is there now: then copies count that
        // are to serve a region of the old ones, and the first ones of all.
        let mut replicas = before.iter().flat_map(|live| live.replicas.values());
        let had_some = replicas.any(|replica| replica.status == ReplicaStatus::InSync);
        let takes_over = if had_some { !regions.is_disjoint(&removed) } else { *linked || !regions.is_empty() };
        self.leaving.other_targets.is_some() && takes_over
    }
}

/// The secrets of `plan` that go, and that wait while replicas of what another target of the run has under their name
/// are being made.
pub fn removals_that_wait(plan: &Plan, others: &[(&Live, &Plan)]) -> BTreeSet<SecretName> {
    let waits = |secret: &SecretPlan| {
        let others = others.iter().filter(|(_, other)| other.target != plan.target);
        let named = secret.leaving.other_targets.is_some() && !secret.regions_removed().is_empty();
        named
            && others.into_iter().any(|(live, other)| {
                let before = live.secrets.get(&secret.name);
                let planned = other.secrets.iter().filter(|there| there.name == secret.name);
                let asked = planned.flat_map(|there| &there.changes).filter_map(|change| match change {
                    Change::Replica { region, after: Some(_), .. } => Some(region),
                    _ => None,
                });
                let in_progress = before.into_iter().flat_map(|live| &live.replicas);
                let in_progress = in_progress.filter(|(_, replica)| replica.status == ReplicaStatus::InProgress);
                let copies = OtherCopies {
                    same_account: plan.account.is_some() && plan.account == other.account,
                    regions: asked.chain(in_progress.map(|(region, _)| region)).collect_set(),
                    linked: false,
                    before,
                };
                secret.waits_for_copies(&copies, |region| secret.regions_removed().contains(region))
            })
    };
    plan.secrets
        .iter()
        .filter(|secret| secret.is_removal() && waits(secret))
        .map(|secret| secret.name.clone())
        .collect()
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
        let is_kept = is_planned(&|action| matches!(action, Action::Restore));
        let holder = match secret.deleted_at {
            Some(since) if !is_kept => PlaceHolder::Leaving { since },
            _ if is_deleted => PlaceHolder::Goes,
            _ if secret.tags.contains_key(OWNER_TAG) => PlaceHolder::Stays,
            _ => PlaceHolder::Unmanaged,
        };
        return (!secret.is_replica_in(region) && !is_freed).then_some(holder);
    }
    let removes = |action: &Action| matches!(action, Action::RemoveReplicas { regions } if regions.contains(region));
    secret.replicas.get(region).filter(|replica| super::replicas::is_copy(replica))?;
    Some(if is_planned(&removes) { PlaceHolder::ReplicaGoes } else { PlaceHolder::Stays })
}
