//! Which secrets are imported, and why the others are not.

use std::collections::BTreeMap;

use super::tfstate::Why;
use crate::desired::{Desired, OWNER_TAG};
use crate::domain::{AccountId, MAX_TAGS, Region, SecretName, TagKey};
use crate::live::{Live, LiveSecret, Ownership};
use crate::manifest::Accepts;
use crate::plan::Selection;

/// What is imported, and what is not.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The names to import.
    pub imported: Vec<SecretName>,
    /// The others that were asked for.
    pub left_out: Vec<LeftOut>,
}

/// A secret that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name; of what a Terraform state shows and does not name, the address there.
    pub name: SecretName,
    /// Why.
    pub reason: Reason,
}

/// Why a secret is not imported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A manifest names it.
    Named,
    /// It carries this project's owner tag, and its manifest is gone.
    Orphaned,
    /// Another project owns it.
    Foreign {
        /// What the owner tag says.
        owner: String,
    },
    /// An AWS service owns it.
    OwnedByService {
        /// `OwningService`.
        service: String,
    },
    /// It is a replica.
    Replica {
        /// The region of its primary.
        primary_region: Region,
    },
    /// It is scheduled for deletion.
    ScheduledForDeletion,
    /// No manifest can name it.
    NameNotAllowed,
    /// There is no room for the owner tag.
    TooManyTags,
    /// It could not be read.
    Unreadable {
        /// Why not.
        error: String,
    },
    /// It is outside the project's scope.
    OutOfScope,
    /// It is in another account or region than the target.
    OtherPlace {
        /// The account and region.
        place: String,
    },
    /// The state has the secret already, under another address.
    Twice,
    /// The state does not say enough of it, or what nobody can read.
    Unread(Why),
}

impl Choice {
    /// How many were left out that no manifest names either: what was asked for, and did not come.
    pub fn missed(&self) -> usize {
        self.left_out.iter().filter(|left_out| left_out.reason != Reason::Named).count()
    }
}

/// Chooses among what is live: everything in scope and in the selection that nobody manages, and with `orphans` also
/// what this project manages without a manifest.
pub fn choose(desired: &Desired, live: &Live, selection: &Selection, orphans: bool) -> Choice {
    let mut choice = Choice::default();
    let old_names = desired.old_names();
    let is_named = |name: &SecretName| desired.secrets.contains_key(name) || old_names.contains(name);
    let readable = live.secrets.values().filter(|secret| !live.unreadable.contains_key(&secret.name));
    for secret in readable.filter(|secret| selection.contains(&secret.name)) {
        match obstacle(desired, live, secret, orphans, is_named(&secret.name)) {
            None => choice.imported.push(secret.name.clone()),
            Some(reason) => choice.left_out.push(LeftOut { name: secret.name.clone(), reason }),
        }
    }
    let unreadable = live.unreadable.iter().filter(|(name, _)| selection.contains(name));
    choice.left_out.extend(
        unreadable.map(|(name, error)| LeftOut {
            name: name.clone(),
            reason: Reason::Unreadable { error: error.to_string() },
        }),
    );
    choice
}

fn obstacle(desired: &Desired, live: &Live, secret: &LiveSecret, orphans: bool, is_named: bool) -> Option<Reason> {
    let accepts = Accepts { account: live.account.as_ref().map(AccountId::as_str), region: live.region.as_str() };
    if !desired.scope.contains(secret.name.as_str()) {
        return Some(Reason::OutOfScope);
    }
    if is_named {
        return Some(Reason::Named);
    }
    let managed_by = secret.owning_service.as_deref();
    if let Some(service) = managed_by.filter(|service| !is_declarable(desired, secret, service, accepts)) {
        return Some(Reason::OwnedByService { service: service.to_owned() });
    }
    if secret.is_replica_in(&live.region) {
        return Some(Reason::Replica { primary_region: secret.primary_region.clone().unwrap_or_default() });
    }
    if secret.is_scheduled_for_deletion() {
        return Some(Reason::ScheduledForDeletion);
    }
    match secret.ownership(&desired.owner()) {
        Ownership::Foreign { owner } => return Some(Reason::Foreign { owner: owner.to_owned() }),
        Ownership::Ours { .. } if !orphans => return Some(Reason::Orphaned),
        Ownership::Ours { .. } | Ownership::Unowned | Ownership::Copied { .. } => {}
    }
    if !accepts.name(secret.name.as_str(), managed_by) {
        return Some(Reason::NameNotAllowed);
    }
    (managed_by.is_none() && tags_with_owner(&secret.tags) > MAX_TAGS).then_some(Reason::TooManyTags)
}

/// Whether there is something in a secret that a service manages that a manifest may declare.
fn is_declarable(desired: &Desired, secret: &LiveSecret, service: &str, accepts: Accepts<'_>) -> bool {
    let tagged = secret.tags.keys().any(|key| !desired.ignore_tags.ignores(key.as_str()));
    accepts.name(secret.name.as_str(), Some(service)) && (tagged || secret.rotation_setup().is_some())
}

/// How many tags count towards the quota once the owner tag is there.
fn tags_with_owner(tags: &BTreeMap<TagKey, String>) -> usize {
    let counted = tags.keys().filter(|key| !key.is_system() && **key != *OWNER_TAG).count();
    counted + 1
}
