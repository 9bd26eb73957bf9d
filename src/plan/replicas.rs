//! What is to be done about a secret's replicas.
//!
//! Source: ReplicateSecretToRegions and RemoveRegionsFromReplication. A replica's key cannot be changed: it is removed
//! and added again. ForceOverwriteReplicaSecret holds for a whole request, and it destroys a secret: it is sent only
//! for regions where the plan has seen the secret that it destroys.
//!
//! A replication is asked for and comes to be later, or fails. So what is declared comes first, and what is not goes
//! by a later plan, when all that is declared is in sync: until then it may be the only copy.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::change::{Change, ReplicaReason};
use super::diff::Difference;
use super::report::{Finding, FindingKind};
use super::{Plan, SecretPlan};
use crate::collect::CollectSet as _;
use crate::desired::{Declared, DesiredReplica};
use crate::domain::{KmsKey, Region, SecretName};
use crate::live::{LinkStatus, Live, LiveReplica, LiveSecret, Ownership, ReplicaStatus};

/// Regions to key, by whether a secret there is destroyed.
type ToMake = BTreeMap<bool, BTreeMap<Region, Option<KmsKey>>>;

/// Compares the replicas of one secret.
pub(super) struct ReplicaPlanner<'a> {
    pub(super) name: &'a SecretName,
    pub(super) live: &'a Live,
    pub(super) owner: &'a str,
}

impl ReplicaPlanner<'_> {
    /// Adds what the declared replicas ask for; what stands in the way comes back.
    pub(super) fn plan(
        &self,
        declared: &Declared<BTreeMap<Region, DesiredReplica>>,
        observed: Option<&LiveSecret>,
        difference: &mut Difference,
    ) -> Vec<FindingKind> {
        let none = BTreeMap::new();
        let desired = declared.value.as_ref().unwrap_or(&none);
        let no_replicas = BTreeMap::new();
        let live = observed.map_or(&no_replicas, |secret| &secret.replicas);
        let mut findings = Vec::new();
        let mut removed = BTreeSet::new();
        let mut added = ToMake::new();
        let mut made_anew = ToMake::new();

        let is_missing = |(region, desired): &(&Region, &DesiredReplica)| {
            let in_sync = live.get(*region).is_some_and(|replica| replica.status == ReplicaStatus::InSync);
            !in_sync || self.reason(region, desired, live.get(*region)).is_some()
        };
        let missing: Vec<Region> = desired.iter().filter(is_missing).map(|(region, _)| region.clone()).collect();
        let undeclared = live.iter().filter(|(region, _)| !desired.contains_key(*region));
        let (kept, going): (Vec<_>, Vec<_>) =
            undeclared.partition(|(_, replica)| !missing.is_empty() && is_copy(replica));
        for (region, replica) in going {
            removed.insert(region.clone());
            difference.changes.push(Change::Replica {
                region: region.clone(),
                before: Some(replica.kms_key_id.clone().into()),
                after: None,
                reason: ReplicaReason::Removed,
                origin: declared.origin.clone(),
            });
        }
        for (region, desired) in desired {
            let Some(reason) = self.reason(region, desired, live.get(region)) else { continue };
            let overwrites = match self.overwritten(region, desired, live.get(region)) {
                Ok(overwrites) => overwrites,
                Err(finding) => {
                    findings.push(finding);
                    continue;
                }
            };
            let other_key = live.get(region).is_some_and(|replica| !self.has_key(region, desired, replica));
            if other_key {
                removed.insert(region.clone());
            }
            let to_make = if other_key { &mut made_anew } else { &mut added };
            to_make.entry(overwrites).or_default().insert(region.clone(), desired.kms_key_id.clone());
            difference.changes.push(Change::Replica {
                region: region.clone(),
                before: live.get(region).map(|replica| replica.kms_key_id.clone().into()),
                after: Some(desired.kms_key_id.clone().into()),
                reason: if overwrites {
                    ReplicaReason::Overwrites { replicas: self.replicas_of_destroyed(region) }
                } else {
                    reason
                },
                origin: desired.origin.clone(),
            });
        }
        // Nothing is removed where a call before it is refused.
        difference.actions.extend(replicate(added));
        if !removed.is_empty() {
            difference.actions.push(Action::RemoveReplicas { regions: removed });
        }
        difference.actions.extend(replicate(made_anew));
        if !kept.is_empty() {
            let regions = kept.into_iter().map(|(region, _)| region.clone()).collect();
            findings.push(FindingKind::ReplicasKept { regions, missing });
        }
        findings
    }

    /// Why the replica is to be made, when it is.
    fn reason(&self, region: &Region, desired: &DesiredReplica, live: Option<&LiveReplica>) -> Option<ReplicaReason> {
        let Some(replica) = live else { return Some(ReplicaReason::Added) };
        match &replica.status {
            // There is none that its readers could lose, whatever its key.
            ReplicaStatus::Failed { message } => Some(ReplicaReason::Failed { message: message.clone() }),
            ReplicaStatus::InSync | ReplicaStatus::InProgress => {
                (!self.has_key(region, desired, replica)).then_some(ReplicaReason::KeyChanged)
            }
        }
    }

    /// Whether the key is the one that is declared.
    fn has_key(&self, region: &Region, desired: &DesiredReplica, live: &LiveReplica) -> bool {
        // What a replica may destroy is no difference by itself.
        let DesiredReplica { kms_key_id, overwrite: _, origin: _ } = desired;
        let LiveReplica { kms_key_id: live_key, status: _ } = live;
        KmsKey::is_same(kms_key_id.as_ref(), live_key.as_ref(), self.live.account.as_ref(), region)
    }

    /// The regions in which the secret that is destroyed has replicas of its own.
    fn replicas_of_destroyed(&self, region: &Region) -> BTreeSet<Region> {
        let there = self.live.other_regions.get(&(region.to_owned(), self.name.clone())).and_then(Option::as_ref);
        there.into_iter().flat_map(|secret| secret.replicas.keys()).cloned().collect()
    }

    /// Whether making the replica destroys a secret in its region.
    fn overwritten(
        &self,
        region: &Region,
        desired: &DesiredReplica,
        live: Option<&LiveReplica>,
    ) -> Result<bool, FindingKind> {
        let ours = live.is_some_and(is_copy);
        if !desired.overwrite || ours {
            return Ok(false);
        }
        let place = (region.to_owned(), self.name.clone());
        let Some(Some(other)) = self.live.other_regions.get(&place) else { return Ok(false) };
        if let Some(service) = &other.owning_service {
            return Err(FindingKind::OverwritesForeign { region: region.to_owned(), owner: service.clone() });
        }
        // A replica may show no tags (recorded), so whose it is cannot be told here for certain.
        if other.is_replica_in(region) {
            let primary = other.primary_region.clone().unwrap_or_default();
            if primary == self.live.region {
                return Ok(false);
            }
            let owner = format!("a secret in {primary}, whose replica it is");
            return Err(FindingKind::OverwritesForeign { region: region.to_owned(), owner });
        }
        match other.ownership(self.owner) {
            Ownership::Foreign { owner } => {
                Err(FindingKind::OverwritesForeign { region: region.to_owned(), owner: owner.to_owned() })
            }
            Ownership::Unowned | Ownership::Copied { .. } | Ownership::Ours { .. } => Ok(true),
        }
    }
}

/// Whether there is a copy, or will be.
pub(super) fn is_copy(replica: &LiveReplica) -> bool {
    !matches!(replica.status, ReplicaStatus::Failed { .. })
}

fn replicate(to_make: ToMake) -> impl Iterator<Item = Action> {
    to_make.into_iter().map(|(overwrite, regions)| Action::Replicate { regions, overwrite })
}

/// Takes out of a plan that was made again what the plan before it has kept: replicas that were there and that it did
/// not remove. Each secret that has such replicas is a finding.
pub fn leave_kept_replicas<'p>(
    again: &mut Plan,
    before: &Live,
    planned: impl Iterator<Item = &'p SecretPlan>,
) -> Vec<Finding> {
    let mut went: BTreeSet<(&SecretName, &Region)> = BTreeSet::new();
    for secret in planned {
        went.extend(secret.removed_replicas().map(|region| (&secret.name, region)));
    }
    let mut found: BTreeMap<SecretName, Finding> = BTreeMap::new();
    for secret in &mut again.secrets {
        let Some(there) = before.secrets.get(&secret.name).map(|secret| &secret.replicas) else { continue };
        let is_kept = |region: &Region| there.contains_key(region) && !went.contains(&(&secret.name, region));
        let kept: BTreeSet<Region> = secret.removed_replicas().filter(|region| is_kept(region)).cloned().collect_set();
        if kept.is_empty() {
            continue;
        }
        let regions = kept.iter().cloned().collect();
        let kind = FindingKind::ReplicasKept { regions, missing: Vec::new() };
        let finding = Finding { secret: secret.name.clone(), origin: secret.origin.clone(), kind };
        found.insert(secret.name.clone(), finding);
        secret.changes.retain(|change| !removed_replica(change).is_some_and(|region| kept.contains(region)));
        for action in &mut secret.actions {
            if let Action::RemoveReplicas { regions } = action {
                regions.retain(|region| !kept.contains(region));
            }
        }
        secret.actions.retain(|action| !matches!(action, Action::RemoveReplicas { regions } if regions.is_empty()));
    }
    let is_left = |secret: &SecretPlan| !secret.actions.is_empty() || secret.moved.is_some();
    again.secrets.retain(|secret| is_left(secret) || !found.contains_key(&secret.name));
    found.into_values().collect()
}

impl SecretPlan {
    /// Whether the old secret of a move has copies, which stay until its own are made.
    pub fn old_waits_for_copies(&self) -> bool {
        let Some(old) = self.moved_from().map(|from| &from.secret) else { return false };
        let asked = self.changes.iter().any(|change| match change {
            Change::Replica { after, .. } => after.is_some(),
            Change::CrossAccountPrimary { after, .. } => after.is_some(),
            _ => false,
        });
        let in_progress = self.observed.as_ref().is_some_and(|new| {
            let replicas = new.replicas.values().any(|replica| replica.status == ReplicaStatus::InProgress);
            let linked = new.cross_account.primary.as_ref().map(|primary| &primary.status);
            replicas || matches!(linked, Some(LinkStatus::Pending | LinkStatus::InProgress | LinkStatus::Failed { .. }))
        });
        let has_copies = !old.replicas.is_empty() || old.cross_account.primary.is_some();
        has_copies && (asked || in_progress)
    }

    /// The regions of replicas that no manifest wants and that are removed.
    fn removed_replicas(&self) -> impl Iterator<Item = &Region> {
        self.changes.iter().filter_map(removed_replica)
    }
}

fn removed_replica(change: &Change) -> Option<&Region> {
    match change {
        Change::Replica { region, reason: ReplicaReason::Removed, .. } => Some(region),
        _ => None,
    }
}
