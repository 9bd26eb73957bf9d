//! The KMS keys that Secrets Manager uses on keywright's behalf.
//!
//! Sources: "Permissions for the KMS key" (Secret encryption and decryption in AWS Secrets Manager):
//! kms:GenerateDataKey and kms:Decrypt wherever a value is written; UpdateSecret: kms:Encrypt as well, or a new key
//! does not re-encrypt what is there; ReplicateSecretToRegions: kms:GenerateDataKey and kms:Encrypt on a replica's key.
//! The key aws/secretsmanager needs no permission of the caller: its key policy allows everybody of the account who
//! comes by way of Secrets Manager.
//!
//! What the manifests do not name cannot be here: the key of a secret whose `kmsKeyId` is not managed, and the one that
//! a secret had before its key was changed.

use std::collections::{BTreeMap, BTreeSet};

use super::arn::Place;
use super::document::{Draft, Permission};
use super::needs::{present, replicas};
use super::{Purpose, Scope};
use crate::desired::Desired;
use crate::domain::KmsKey;

/// Adds the keys of secrets and of replicas.
pub(super) fn add(desired: &Desired, scope: Scope, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let actions: &[&str] = match scope.purpose {
        Purpose::Apply => &["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        Purpose::Plan | Purpose::Drift | Purpose::Versions if scope.read_values => &["kms:Decrypt"],
        Purpose::Plan
        | Purpose::Drift
        | Purpose::Inventory
        | Purpose::Versions
        | Purpose::Rollback
        | Purpose::Rotate
        | Purpose::Restore
        | Purpose::Release
        | Purpose::Promote => return,
    };
    let read_or_written =
        present(desired).filter(|desired_secret| scope.purpose == Purpose::Apply || desired_secret.value.is_some());
    let keys = read_or_written
        .filter_map(|desired_secret| desired_secret.kms_key_id.as_ref()?.value.as_ref().map(KmsKey::as_str));
    let keys = Keys::of(keys, place);
    keys.add("UseKeys", actions, &place.via_service(), draft);

    if scope.purpose != Purpose::Apply {
        return;
    }
    let mut by_region: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, region, replica) in replicas(desired) {
        by_region.entry(region.as_str()).or_default().extend(replica.kms_key_id.as_ref().map(KmsKey::as_str));
    }
    for (region, keys) in by_region {
        let there = place.in_region(region);
        // Nothing says in which of the two regions the service asks for the replica's key.
        let via: Vec<String> = [there, place].into_iter().flat_map(Place::via_service).collect();
        let keys = Keys::of(keys, there);
        keys.add("UseReplicaKeys", &["kms:Encrypt", "kms:GenerateDataKey"], &via, draft);
    }
}

/// Keys as a policy can name them.
#[derive(Default)]
pub(super) struct Keys {
    /// ARNs of keys.
    arns: BTreeSet<String>,
    /// Aliases, by the keys that they could stand for: an alias is no resource, so it is a condition.
    aliases: BTreeMap<String, BTreeSet<String>>,
}

impl Keys {
    /// Key ids, key ARNs, aliases and alias ARNs of a place.
    pub(super) fn of<'a>(keys: impl IntoIterator<Item = &'a str>, place: Place<'_>) -> Self {
        let mut sorted = Self::default();
        for key in keys {
            if key.starts_with("alias/") {
                sorted.alias(place.kms_key("*"), key);
            } else if key.starts_with("arn:") {
                sorted.arn(key);
            } else if !key.is_empty() {
                sorted.arns.insert(place.kms_key(key));
            }
        }
        sorted
    }

    /// Key ARNs and alias ARNs.
    pub(super) fn of_arns<'a>(arns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sorted = Self::default();
        arns.into_iter().for_each(|arn| sorted.arn(arn));
        sorted
    }

    fn arn(&mut self, arn: &str) {
        match arn.split_once(":alias/") {
            // arn:PARTITION:kms:REGION:ACCOUNT:alias/NAME
            Some((start, alias)) => self.alias(format!("{start}:key/*"), &format!("alias/{alias}")),
            None => {
                self.arns.insert(arn.to_owned());
            }
        }
    }

    fn alias(&mut self, keys: String, alias: &str) {
        if alias != "alias/aws/secretsmanager" {
            self.aliases.entry(keys).or_default().insert(alias.to_owned());
        }
    }

    /// Adds permission to use them; `via` is empty where the caller itself calls KMS.
    pub(super) fn add(self, kind: &'static str, actions: &[&str], via: &[String], draft: &mut Draft) {
        let permission = || {
            let permission = Permission::new(kind, actions.iter().copied());
            if via.is_empty() { permission } else { permission.when("StringEquals", "kms:ViaService", via.to_vec()) }
        };
        draft.add(permission().on(self.arns));
        for (keys, aliases) in self.aliases {
            draft.add(permission().on([keys]).when("ForAnyValue:StringEquals", "kms:ResourceAliases", aliases));
        }
    }
}
