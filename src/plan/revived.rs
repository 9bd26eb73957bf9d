//! Secrets that come with a value that they have already, while one goes that holds another: a rename that git takes
//! back finds the secret of the old name scheduled for deletion, with the value that it had then.
//!
//! No value is read: only where the current version of both has one id is it known to be the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::SecretPlan;
use super::change::Change;
use super::rename::{Seeded, could_be_renamed, replaces_another_owners, seeded_by, tags_of_people};
use super::report::{FindingKind, PlanReport};
use super::value::ownership;
use super::value_facts::{SameOfGit, SameValue};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, DesiredSecret, Ownership as ValueOwnership, State};
use crate::domain::{SecretName, VersionId};
use crate::live::{Live, LiveSecret};

/// How a secret comes to the value that it has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Revival {
    /// Its deletion is cancelled.
    Restored,
    /// It has no owner, and becomes this project's.
    Adopted,
    /// It is this project's and stays. The two have versions in common: one was made of the other.
    Kept,
}

/// A secret with a value that is not the one of another, which goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revived<'a> {
    /// The one that a manifest names.
    pub(crate) new: &'a SecretName,
    /// The one that goes.
    pub(crate) gone: &'a SecretName,
    /// Where the value of the first comes from.
    pub(crate) how: Revival,
    /// Whether they have a version in common: one was made of the other. Else they only look alike.
    pub(crate) shares: bool,
}

/// What a restored secret's value is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherValue {
    /// The secret that goes, or that no manifest names any more, and that has another value.
    pub of: SecretName,
    /// When the restored one was scheduled for deletion.
    pub deleted: Option<Timestamp>,
}

/// The secrets that come, or stay, with another value than one of `gone` has that is in any way like them. Too many
/// such pairs cost a flag, one too few costs a value.
pub(crate) fn revived<'a>(
    desired: &'a Desired,
    live: &'a Live,
    gone: impl Iterator<Item = &'a LiveSecret>,
    same_of_git: &SameOfGit,
) -> Vec<Revived<'a>> {
    let gone: Vec<&LiveSecret> = gone.filter(|secret| secret.current_version().is_some()).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let mut holders: BTreeMap<&VersionId, Vec<&LiveSecret>> = BTreeMap::new();
    for secret in &gone {
        for version in secret.versions.keys() {
            holders.entry(version).or_default().push(secret);
        }
    }
    let owner = desired.owner();
    let declared = desired.secrets.values().filter(|secret| {
        secret.state == State::Present && secret.managed_by.is_none() && desired.scope.contains(secret.name.as_str())
    });
    let mut found = Vec::new();
    for secret in declared {
        let Some(new) = live.secrets.get(&secret.name).filter(|new| new.current_version().is_some()) else { continue };
        let how = if new.is_scheduled_for_deletion() {
            Revival::Restored
        } else if new.is_adoptable_by(&owner) {
            Revival::Adopted
        } else {
            Revival::Kept
        };
        let none = same_of_git.is_empty();
        let same = |old: &LiveSecret| {
            if none { None } else { same_of_git.get(&(new.name.clone(), old.name.clone())) }
        };
        // What both still have is no reason to look for more: it may be the same.
        let changed = |old: &LiveSecret| same(old).filter(|same| !same.is_current(new, old));
        let made_of = |old: &LiveSecret| changed(old).is_some_and(|same| same.encrypted);
        let related = |old: &LiveSecret| made_of(old) || new.versions.keys().any(|id| old.versions.contains_key(id));
        let alike: BTreeMap<&SecretName, &LiveSecret> = match how {
            // Where it has the version too, what goes is an older one.
            Revival::Kept => {
                let shared = new.versions.keys().filter_map(|version| holders.get(version)).flatten();
                let has = |old: &LiveSecret| old.current_version().is_some_and(|id| new.versions.contains_key(id));
                let others = if none { &[][..] } else { &gone };
                let made = others.iter().filter(|old| made_of(old));
                shared.chain(made).filter(|old| !has(old)).map(|old| (&old.name, *old)).collect_map()
            }
            Revival::Restored | Revival::Adopted => {
                let tags_count = || how == Revival::Restored || has_tags_of_its_own(desired, secret);
                let pairs =
                    gone.iter().filter(|old| related(old) || changed(old).is_some() || is_like(new, old, &tags_count));
                pairs.map(|old| (&old.name, *old)).collect_map()
            }
        };
        let other = alike.values().filter(|old| old.name != new.name && has_another_value(secret, new, old, same(old)));
        found.extend(other.map(|old| Revived { new: &new.name, gone: &old.name, how, shares: related(old) }));
    }
    found
}

/// Whether what describes them, or their names, are alike.
fn is_like(new: &LiveSecret, old: &LiveSecret, tags_count: &dyn Fn() -> bool) -> bool {
    let described_by = |secret: &LiveSecret| secret.description.clone().unwrap_or_default();
    let described_alike = described_by(new) == described_by(old) && tags_of_people(new) == tags_of_people(old);
    let described = || !described_by(new).is_empty() || (!tags_of_people(new).is_empty() && tags_count());
    (described_alike && described()) || could_be_renamed(&new.name, None, old)
}

/// Whether any tag says something of this secret: those of `defaults`, which are written once for several, do not.
fn has_tags_of_its_own(desired: &Desired, secret: &DesiredSecret) -> bool {
    let Some(declared) = &secret.tags else { return true };
    declared.tags.iter().any(|(key, (_, place))| {
        let mut others = desired.secrets.values().filter(|other| other.name != secret.name);
        !others.any(|other| {
            let tag = other.tags.as_ref().and_then(|tags| tags.tags.get(key));
            tag.is_some_and(|(_, other_place)| other_place == place)
        })
    })
}

/// Whether a secret that is there with a value has another one than `gone`, once a plan is carried out.
fn has_another_value(secret: &DesiredSecret, new: &LiveSecret, gone: &LiveSecret, same: Option<&SameValue>) -> bool {
    // The ids of generated values do not tell whether the other name has a copy, or a value generated for it.
    let is_same = same.is_some_and(|same| same.whole && same.is_current(new, gone));
    if new.current_version() == gone.current_version() || is_same {
        return false;
    }
    let Some(value) = secret.value.as_ref().filter(|value| !value.source.is_made_once()) else { return true };
    let seeded = match ownership(value, secret, Some(new)) {
        ValueOwnership::Seed => Some(Seeded::Always),
        ValueOwnership::Enforce => seeded_by(value),
    };
    seeded.is_some_and(|seeded| replaces_another_owners(seeded, gone))
}

/// Whether a secret of this target, which is there or comes back, has the value that `gone` has in another one. People
/// put it there under an id of their own where both have it for a while: a live one has it unless its current version
/// is an older one of the secret that goes. The id of a generated value is made of the name and of the manifest: each
/// target generates another value under it.
pub(crate) fn has_value_of(home: &LiveSecret, owner: &str, gone: &LiveSecret) -> bool {
    let stays = !home.is_scheduled_for_deletion() && !home.is_adoptable_by(owner);
    let newest = gone.current_version();
    let has_newest = newest.is_some_and(|newest| !newest.is_generated() && home.versions.contains_key(newest));
    home.current_version().is_some_and(|current| {
        let is_newest = newest == Some(current);
        let is_older = gone.versions.contains_key(current) && !is_newest && !has_newest;
        (is_newest && !current.is_generated()) || (stays && !is_older)
    })
}

/// Says of secrets that are restored with their value that what they were made of, or what was made of them, has
/// another one.
pub(super) fn report_other_values(
    desired: &Desired,
    live: &Live,
    plans: &mut BTreeMap<SecretName, SecretPlan>,
    report: &PlanReport,
) {
    let restores = |plan: &SecretPlan| plan.changes.iter().any(|change| matches!(change, Change::Restored { .. }));
    if !plans.values().any(restores) {
        return;
    }
    let leaves = |plan: &&SecretPlan| plan.is_removal() || plan.is_pruned();
    let mut gone: BTreeSet<SecretName> = plans.values().filter(leaves).map(|plan| plan.name.clone()).collect();
    let orphans = report.findings.iter().filter(|finding| matches!(finding.kind, FindingKind::Orphaned { .. }));
    gone.extend(orphans.map(|finding| finding.secret.clone()));
    let gone = gone.iter().filter_map(|name| live.secrets.get(name));
    let found = revived(desired, live, gone, &report.same_of_git);
    for Revived { new, gone, how: _, shares } in found {
        let Some(plan) = plans.get_mut(new).filter(|plan| shares && !plan.gets_value()) else { continue };
        let was_deleted = plan.observed.as_ref().and_then(|live| live.deleted_at);
        for change in &mut plan.changes {
            if let Change::Restored { rotation_stays_off: _, other_value } = change {
                *other_value = Some(OtherValue { of: gone.clone(), deleted: was_deleted });
            }
        }
    }
}
