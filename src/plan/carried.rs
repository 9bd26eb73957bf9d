//! Which versions come along when a secret takes another one's place, under which ids, and with which labels.

use std::collections::{BTreeMap, BTreeSet};

use super::action::CarriedVersion;
use super::value_facts::{ValueFacts, live_name_of};
use crate::desired::{DesiredSecret, LabelHolder};
use crate::domain::{StagingLabel, VersionId};
use crate::live::LiveSecret;
use crate::sort_few::SortFew as _;
use crate::value::Identity;

/// Where git's own value is put: the versions of the old secret that labels of the manifest name by their ids.
pub(super) fn pinned(secret: &DesiredSecret, old: &LiveSecret) -> Vec<CarriedVersion> {
    let mut labels: BTreeMap<&VersionId, BTreeSet<StagingLabel>> = BTreeMap::new();
    for (label, (holder, _)) in &secret.labels {
        if let LabelHolder::Version(id) = holder
            && old.versions.contains_key(id)
        {
            labels.entry(id).or_default().insert(label.clone());
        }
    }
    let version = |(id, labels): (&VersionId, _)| CarriedVersion {
        from: old.name.clone(),
        version: id.clone(),
        to: id.clone(),
        current: false,
        labels,
    };
    labels.into_iter().map(version).collect()
}

/// The old secret's version that holds git's own value, where an id tells it, and its id under the new name.
fn of_git<'a>(
    secret: &DesiredSecret,
    old: &'a LiveSecret,
    facts: &'a ValueFacts,
) -> Option<(&'a VersionId, &'a VersionId)> {
    let (of_old, of_new) = (facts.identities.get(&old.name), facts.identities.get(&secret.name));
    let (Some(Identity::Known(was)), Some(Identity::Known(id))) = (of_old, of_new) else { return None };
    let (held, _) = old.versions.get_key_value(live_name_of(was, Some(old)))?;
    Some((held, id))
}

/// The old secret's current version, and those with custom labels that the new one is to have. A version comes along
/// twice where the manifest names it by its id and it is git's own as well: it is found under both ids from then on.
pub(super) fn carried(
    secret: &DesiredSecret,
    old: &LiveSecret,
    to: &VersionId,
    facts: &ValueFacts,
) -> Vec<CarriedVersion> {
    let current = old.current_version();
    let git = of_git(secret, old, facts);
    let copy_of = |id: &VersionId| match git {
        _ if current == Some(id) => (id.clone(), to.clone()),
        Some((held, to)) if held == id => (id.clone(), to.clone()),
        _ => (id.clone(), id.clone()),
    };
    let mut copies: BTreeMap<(VersionId, VersionId), BTreeSet<StagingLabel>> = BTreeMap::new();
    copies.extend(current.map(|current| (copy_of(current), BTreeSet::new())));
    for (id, held) in old.versions.iter().filter(|_| secret.no_labels.is_none()) {
        let custom = held.iter().filter(|label| !label.is_of_service() && !secret.labels.contains_key(*label));
        for label in custom {
            copies.entry(copy_of(id)).or_default().insert(label.clone());
        }
    }
    let without_id = !matches!(facts.identities.get(&secret.name), Some(Identity::Known(_)));
    for (label, (holder, _)) in &secret.labels {
        let copy = match holder {
            LabelHolder::Version(id) => old.versions.contains_key(id).then(|| (id.clone(), id.clone())),
            // Where no id tells git's version, the label tells it: it stays on the one that has it. Where an id does
            // and the old secret has no such version, git's value is put for the label.
            LabelHolder::Git if without_id => old.holder(label.as_str()).or(current).map(copy_of),
            LabelHolder::Git => git.map(|(held, _)| copy_of(held)),
        };
        if let Some(copy) = copy {
            copies.entry(copy).or_default().insert(label.clone());
        }
    }
    let version = |((version, copy), labels): ((VersionId, VersionId), _)| CarriedVersion {
        from: old.name.clone(),
        current: current == Some(&version) && copy == *to,
        version,
        to: copy,
        labels,
    };
    let mut carried: Vec<CarriedVersion> = copies.into_iter().map(version).collect();
    carried.sort_few_by_key(|version| !version.current);
    carried
}
