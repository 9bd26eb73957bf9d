//! What is to be done about a secret's replicas.
//!
//! Source: ReplicateSecretToRegions and RemoveRegionsFromReplication. A replica's key cannot be changed: it is removed
//! and added again. ForceOverwriteReplicaSecret holds for a whole request, and it destroys a secret: it is sent only
//! for regions where the plan has seen the secret that it destroys.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::change::{Change, ReplicaReason};
use super::diff::Difference;
use super::report::FindingKind;
use crate::desired::{Declared, DesiredReplica};
use crate::domain::{KmsKey, Region, SecretName};
use crate::live::{Live, LiveReplica, LiveSecret, Ownership, ReplicaStatus};

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
        let mut added: BTreeMap<bool, BTreeMap<Region, Option<KmsKey>>> = BTreeMap::new();

        for (region, replica) in live.iter().filter(|(region, _)| !desired.contains_key(*region)) {
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
            if reason == ReplicaReason::KeyChanged {
                removed.insert(region.clone());
            }
            added.entry(overwrites).or_default().insert(region.clone(), desired.kms_key_id.clone());
            difference.changes.push(Change::Replica {
                region: region.clone(),
                before: live.get(region).map(|replica| replica.kms_key_id.clone().into()),
                after: Some(desired.kms_key_id.clone().into()),
                reason: if overwrites { ReplicaReason::Overwrites } else { reason },
                origin: desired.origin.clone(),
            });
        }
        if !removed.is_empty() {
            difference.actions.push(Action::RemoveReplicas { regions: removed });
        }
        for (overwrite, regions) in added {
            difference.actions.push(Action::Replicate { regions, overwrite });
        }
        findings
    }

    /// Why the replica is to be made, when it is.
    fn reason(&self, region: &Region, desired: &DesiredReplica, live: Option<&LiveReplica>) -> Option<ReplicaReason> {
        // What a replica may destroy is no difference by itself.
        let DesiredReplica { kms_key_id, overwrite: _, origin: _ } = desired;
        let Some(LiveReplica { kms_key_id: live_key, status }) = live else { return Some(ReplicaReason::Added) };
        let account = self.live.account.as_ref();
        if !KmsKey::is_same(kms_key_id.as_ref(), live_key.as_ref(), account, region) {
            return Some(ReplicaReason::KeyChanged);
        }
        match status {
            ReplicaStatus::InSync | ReplicaStatus::InProgress => None,
            ReplicaStatus::Failed { message } => Some(ReplicaReason::Failed { message: message.clone() }),
        }
    }

    /// Whether making the replica destroys a secret in its region.
    fn overwritten(
        &self,
        region: &Region,
        desired: &DesiredReplica,
        live: Option<&LiveReplica>,
    ) -> Result<bool, FindingKind> {
        let ours = live.is_some_and(|replica| !matches!(replica.status, ReplicaStatus::Failed { .. }));
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
