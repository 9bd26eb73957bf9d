//! Renames that are declared (`metadata.renamedFrom`): AWS can't rename a secret, so the new one is made, the value of
//! the old one is carried over where git has none, and the old one goes once the new one is verified.
//!
//! Nothing is remembered between runs. A version that is carried over keeps its id, or gets the one that git's value
//! has under the new name; so the ids alone say how far a move has come, and the next apply goes on from there.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, CarriedVersion};
use super::carried::{carried, pinned};
use super::change::{Change, LeftBehind, ValueReason};
use super::diff::Difference;
use super::report::{FindingKind, MoveObstacle};
use super::value::ownership;
use super::value_facts::{Held, ValueFacts, live_name_of, why_made_anew};
use super::{LabelVersion, Plan, SecretPlan};
use crate::collect::{CollectMap as _, CollectSet as _};
use crate::desired::{
    Deletion, Desired, DesiredSecret, OWNER_TAG, Ownership as ValueOwnership, RESERVED_TAG_PREFIX, RenamedFrom, TagMode,
};
use crate::domain::{SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{Live, LivePolicy, LiveRotation, LiveSecret, Ownership};
use crate::origin::Origin;
use crate::value::Identity;

/// The part that a secret has in a move.
#[derive(Clone, Debug)]
pub enum Move {
    /// It takes the place of another one, which goes once this one is verified.
    From(Box<MovedFrom>),
    /// It goes, since another one has taken its place.
    To(Replacement),
}

/// The secret whose place is taken.
#[derive(Clone, Debug)]
pub struct MovedFrom {
    /// It, as it was when this was planned.
    pub secret: LiveSecret,
    /// How it is deleted: always with a window.
    pub deletion: Deletion,
    /// Where the rename is declared.
    pub origin: Origin,
    /// What must be there before it goes.
    pub replacement: Replacement,
}

/// What must be there before an old secret goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The new name.
    pub name: SecretName,
    /// The owner tag that it carries.
    pub owner_tag: String,
    /// Whether it must have a current version, since the old one has.
    pub valued: bool,
    /// The versions that were carried over, each with the custom labels that came along.
    pub versions: BTreeMap<VersionId, BTreeSet<StagingLabel>>,
    /// Versions of the old secret that are not its current one, and those that the new one has and that make way for
    /// it: none of them is the new one's current one.
    pub outdated: BTreeSet<VersionId>,
}

impl Replacement {
    /// Whether a secret is what is needed.
    pub fn is_there(&self, found: Option<&LiveSecret>) -> bool {
        let Self { name: _, owner_tag, valued, versions, outdated } = self;
        found.is_some_and(|found| {
            !found.is_scheduled_for_deletion()
                && found.tags.get(OWNER_TAG) == Some(owner_tag)
                && (!valued || found.current_version().is_some())
                && found.current_version().is_none_or(|current| !outdated.contains(current))
                && versions.iter().all(|(version, labels)| {
                    found.versions.contains_key(version)
                        && labels.iter().all(|label| found.holder(label.as_str()).is_some())
                })
        })
    }
}

impl SecretPlan {
    /// The secret whose place it takes.
    pub fn moved_from(&self) -> Option<&MovedFrom> {
        match &self.moved {
            Some(Move::From(from)) => Some(from),
            Some(Move::To(_)) | None => None,
        }
    }

    /// What takes its place.
    pub fn moved_to(&self) -> Option<&Replacement> {
        match &self.moved {
            Some(Move::To(replacement)) => Some(replacement),
            Some(Move::From(_)) | None => None,
        }
    }

    /// The versions whose values are carried over from the old name.
    pub fn carried(&self) -> impl Iterator<Item = &CarriedVersion> {
        self.actions.iter().filter_map(|action| match action {
            Action::CarryVersion(version) => Some(&**version),
            _ => None,
        })
    }

    /// Whether all that is left of a move is that the old secret goes.
    pub fn only_old_is_left(&self) -> bool {
        let there = |version: &CarriedVersion| {
            self.observed.as_ref().is_some_and(|live| live.versions.contains_key(&version.to))
        };
        self.moved_from().is_some()
            && self.actions.iter().all(|action| matches!(action, Action::CarryVersion(version) if there(version)))
    }

    /// The end of a move: the old secret goes.
    pub(super) fn removal_of_old(&self) -> Option<Self> {
        let MovedFrom { secret, deletion, origin, replacement } = self.moved_from()?;
        let removal = super::planner::deleted(secret, *deletion);
        Some(Self { origin: Some(origin.clone()), moved: Some(Move::To(replacement.clone())), ..removal })
    }
}

impl Plan {
    /// Whether a secret takes the place of another one.
    pub fn has_moves(&self) -> bool {
        self.secrets.iter().any(|secret| secret.moved_from().is_some())
    }
}

/// What a rename asks for now.
pub(super) enum Moving<'a> {
    /// Nothing: none is declared, or there is no old secret of ours.
    No,
    /// Nothing any more: the old secret is gone.
    Over,
    /// It cannot go on.
    Stopped(FindingKind),
    /// It goes on.
    Goes(Moves<'a>),
}

/// A rename that goes on.
pub(super) struct Moves<'a> {
    renamed: &'a RenamedFrom,
    old: &'a LiveSecret,
    /// The versions that are carried over, the current one first; where git's own value is put, those alone that labels
    /// name.
    pub(super) carried: Vec<CarriedVersion>,
}

/// Where the new secret's value comes from.
enum ValueOf {
    /// From the manifest, or there is none.
    Manifest,
    /// From the old secret's current version, under this id.
    Old(VersionId),
    /// It cannot be told who owns it once the old secret's history is gone.
    Unclear,
}

/// What the rename of a secret asks for. `observed` is what is live under the new name.
pub(super) fn moving<'a>(
    desired: &Desired,
    secret: &'a DesiredSecret,
    live: &'a Live,
    observed: Option<&LiveSecret>,
    facts: &ValueFacts,
) -> Moving<'a> {
    let Some(renamed) = &secret.renamed_from else { return Moving::No };
    let from = renamed.name.clone();
    if live.unreadable.contains_key(&from) {
        return Moving::Stopped(FindingKind::DependencyUnreadable { dependency: from });
    }
    let there = observed.filter(|new| !new.is_scheduled_for_deletion());
    let Some(old) = live.secrets.get(&from) else {
        return if there.is_some() { Moving::Over } else { Moving::No };
    };
    let refused = |obstacle| Moving::Stopped(FindingKind::MoveRefused { from: from.clone(), obstacle });
    let owner = desired.owner();
    let value = value_of(secret, old, facts);
    if old.is_scheduled_for_deletion() {
        let lacks_value = there.and_then(LiveSecret::current_version).is_none();
        let needed = lacks_value && !matches!(value, ValueOf::Manifest);
        return if needed { refused(MoveObstacle::ScheduledForDeletion) } else { Moving::No };
    }
    if !matches!(old.ownership(&owner), Ownership::Ours { .. }) {
        // Where the new one is ours already, somebody made another secret under the old name since.
        let owner = old.named_owner().map(str::to_owned);
        let done = there.is_some_and(|new| new.is_owned_by(&desired.owner()));
        return if done { Moving::No } else { refused(MoveObstacle::NotOurs { owner }) };
    }
    if old.owning_service.is_some() || old.is_replica_in(&live.region) {
        return refused(MoveObstacle::NotDeletable);
    }
    if let Some(version) = old.stuck_version() {
        return Moving::Stopped(FindingKind::MoveWaits { from, version: version.clone() });
    }
    let to = match value {
        ValueOf::Unclear => return refused(MoveObstacle::OwnershipUnclear),
        ValueOf::Manifest => return Moving::Goes(Moves { renamed, old, carried: pinned(secret, old) }),
        ValueOf::Old(to) => to,
    };
    // A put beside a rotation in flight would drop what may be the only valid credential.
    if let Some(new) = there.filter(|new| !new.versions.contains_key(&to))
        && let Some(version) = new.stuck_version()
    {
        return Moving::Stopped(FindingKind::RotationPending { version: version.clone(), held_back: None });
    }
    if let Some(current) = observed.and_then(LiveSecret::current_version)
        && !comes_back(observed, &owner)
        && has_value_of_its_own(observed, current, old, &to)
    {
        return refused(MoveObstacle::Diverged { current: current.clone() });
    }
    Moving::Goes(Moves { renamed, old, carried: carried(secret, old, &to, facts) })
}

/// Whether the new name is one of ours that is restored: until now it could not be read, so what is in use is the
/// old one's value, whatever the new one had when it was scheduled for deletion. That stays there as AWSPREVIOUS.
fn comes_back(new: Option<&LiveSecret>, owner: &str) -> bool {
    new.is_some_and(|new| new.is_scheduled_for_deletion() && new.is_owned_by(owner))
}

/// Whether the new secret's current version is none that was carried over, nor one that came after it.
fn has_value_of_its_own(new: Option<&LiveSecret>, current: &VersionId, old: &LiveSecret, to: &VersionId) -> bool {
    let carried = new.is_some_and(|new| new.versions.contains_key(to));
    // The old secret may have got another version since the first try.
    !carried && !old.versions.contains_key(current)
}

fn value_of(secret: &DesiredSecret, old: &LiveSecret, facts: &ValueFacts) -> ValueOf {
    let Some(current) = old.current_version() else { return ValueOf::Manifest };
    if secret.other_primary().is_some() {
        // A replica gets the value of its primary.
        return ValueOf::Manifest;
    }
    let Some(value) = &secret.value else { return ValueOf::Old(current.clone()) };
    let rotates = secret.rotation.as_ref().is_some_and(|declared| declared.value.is_some());
    if value.ownership.is_none() && !rotates && old.is_rotated() {
        // Under the new name nobody would know that it was rotated once: git's stale value would be put back.
        return ValueOf::Unclear;
    }
    let (of_old, of_new) = (facts.identities.get(&old.name), facts.identities.get(&secret.name));
    // Under the new name it gets the id that says as much of it as its old one.
    let of_git = match (of_old, of_new) {
        (Some(Identity::Known(was)), Some(Identity::Known(id))) if live_name_of(was, Some(old)) == current => Some(id),
        (Some(Identity::MadeOnce(was)), Some(Identity::MadeOnce(made))) => match Held::by(was, Some(old)) {
            Held::Whole => Some(&made.id),
            Held::PlacesUnknown => made.earlier.as_ref(),
            Held::No => None,
        },
        _ => None,
    };
    let is_of_git = of_git.is_some();
    let to = of_git.unwrap_or(current);
    let made_once = matches!(of_old, Some(Identity::MadeOnce(_)));
    let kept = is_of_git || why_made_anew(&value.source, old).is_none();
    match ownership(value, secret, Some(old)) {
        ValueOwnership::Seed => ValueOf::Old(to.clone()),
        ValueOwnership::Enforce if made_once && kept => ValueOf::Old(to.clone()),
        ValueOwnership::Enforce => ValueOf::Manifest,
    }
}

impl Moves<'_> {
    /// The version that becomes the current one; none where git's own value is put.
    pub(super) fn current(&self) -> Option<&CarriedVersion> {
        self.carried.iter().find(|version| version.current)
    }

    /// What is shown as having been there: the new secret, or else the old one, whose place it takes.
    pub(super) fn shown<'s>(&'s self, new: Option<&'s LiveSecret>) -> &'s LiveSecret {
        new.unwrap_or(self.old)
    }

    /// The version that a label of the manifest comes along with.
    pub(super) fn holder(&self, label: &StagingLabel) -> Option<&VersionId> {
        self.carried.iter().find(|version| version.labels.contains(label)).map(|version| &version.to)
    }

    /// The new secret with the versions that come along: what the next plan sees of its value, which holds back what
    /// is held back under the old name.
    pub(super) fn after(&self, name: &SecretName, new: Option<&LiveSecret>) -> Option<LiveSecret> {
        let to = &self.current()?.to;
        let mut after = new.cloned().unwrap_or_else(|| LiveSecret {
            name: name.clone(),
            tags: BTreeMap::new(),
            versions: BTreeMap::new(),
            rotation: LiveRotation::default(),
            ..self.old.clone()
        });
        if self.stays_current(new).is_none() {
            let current = StagingLabel::current();
            after.versions.values_mut().for_each(|labels| labels.retain(|label| *label != current));
            after.versions.entry(to.clone()).or_default().insert(current);
        }
        Some(after)
    }

    /// The new secret's current version, where it stays: what is carried is there already, and the current one is a
    /// newer value that the old secret never had. A new one that is restored has none that is in use.
    fn stays_current<'n>(&self, new: Option<&'n LiveSecret>) -> Option<&'n VersionId> {
        let to = &self.current()?.to;
        let there = new.filter(|new| !new.is_scheduled_for_deletion() && new.versions.contains_key(to))?;
        there.current_version().filter(|now| *now != to && !self.old.versions.contains_key(*now))
    }

    /// What is said of the move, and the values that come along.
    pub(super) fn plan(&self, secret: &DesiredSecret, observed: Option<&LiveSecret>, difference: &mut Difference) {
        let Self { renamed, old, carried } = self;
        let moved = Change::Moved {
            from: renamed.name.clone(),
            deletion: secret.deletion.with_window(),
            replicas: old.replicas.keys().cloned().collect(),
            rotates: old.rotation.enabled,
            left_behind: self.left_behind(secret),
            origin: renamed.origin.clone(),
        };
        difference.changes.insert(0, moved);
        self.tell_generated(difference);
        let there = |id: &VersionId| observed.is_some_and(|new| new.versions.contains_key(id));
        for version in carried {
            difference.changes.push(Change::Carried {
                version: version.clone(),
                there: there(&version.to),
                stays: self.stays_current(observed).filter(|_| version.current).cloned(),
                origin: renamed.origin.clone(),
            });
            let carry = Action::CarryVersion(Box::new(version.clone()));
            // The first version of a secret gets AWSCURRENT, whatever label it is put with.
            let at = if version.current { 0 } else { difference.actions.len() };
            difference.actions.insert(at, carry);
        }
        // What is put with a label gets no move of that label.
        let attached = |label: &StagingLabel, to: &VersionId| {
            let new = carried.iter().find(|version| version.to == *to && !there(&version.to));
            new.is_some_and(|version| version.labels.contains(label))
        };
        difference.actions.retain(|action| match action {
            Action::MoveLabel { label, to: LabelVersion::Id(to), .. } => !attached(label, to),
            _ => true,
        });
        if let Some(new) = observed {
            self.follow_labels(secret, new, difference);
        }
    }

    /// The new secret has no value yet; what is in use under the old name is not kept all the same, and a generated one
    /// takes its place.
    fn tell_generated(&self, difference: &mut Difference) {
        if self.current().is_some() {
            return;
        }
        for change in &mut difference.changes {
            if let Change::Value { reason, source, .. } = change
                && *reason == ValueReason::First
                && source.is_made_once()
                && let Some(anew) = why_made_anew(source, self.old)
            {
                *reason = anew;
            }
        }
    }

    /// Labels of versions that are there already: a put of these moves none. AWSCURRENT follows where the old secret
    /// went back to a version that was copied before; a custom label, where no version has it yet.
    fn follow_labels(&self, secret: &DesiredSecret, new: &LiveSecret, difference: &mut Difference) {
        let mut follow = |label: StagingLabel, to: &VersionId, from: Option<&VersionId>| {
            difference.changes.push(Change::Label {
                label: label.clone(),
                before: from.cloned(),
                after: Some(to.clone()),
                origin: self.renamed.origin.clone(),
            });
            let to = LabelVersion::Id(to.clone());
            difference.actions.push(Action::MoveLabel { label, to, from: from.cloned() });
        };
        for CarriedVersion { to, current, labels, .. } in &self.carried {
            if !new.versions.contains_key(to) {
                continue;
            }
            let stays = self.stays_current(Some(new)).is_some();
            let now = new.current_version().filter(|now| *current && *now != to && !stays);
            if now.is_some() {
                follow(StagingLabel::current(), to, now);
            }
            let missing =
                |label: &&StagingLabel| !secret.labels.contains_key(*label) && new.holder(label.as_str()).is_none();
            labels.iter().filter(missing).for_each(|label| follow(label.clone(), to, None));
        }
    }

    /// The part of the secret's plan that is about the old one.
    pub(super) fn moved_from(
        &self,
        desired: &Desired,
        secret: &DesiredSecret,
        observed: Option<&LiveSecret>,
        takes_git: bool,
    ) -> Move {
        let versions = self.carried.iter().map(|version| (version.to.clone(), version.labels.clone())).collect_map();
        let current = self.current().map(|version| &version.to);
        let is_outdated = |id: &&VersionId| current.is_some_and(|current| *id != current);
        let of_new = observed.filter(|new| self.stays_current(Some(new)).is_none()).map(|new| new.versions.keys());
        let replacement = Replacement {
            name: secret.name.clone(),
            owner_tag: desired.owner_tag(&secret.name),
            valued: self.current().is_some() || takes_git,
            versions,
            outdated: self
                .old
                .versions
                .keys()
                .chain(of_new.into_iter().flatten())
                .filter(is_outdated)
                .cloned()
                .collect(),
        };
        Move::From(Box::new(MovedFrom {
            secret: self.old.clone(),
            deletion: secret.deletion.with_window(),
            origin: self.renamed.origin.clone(),
            replacement,
        }))
    }

    /// What the old secret has, that the manifest says nothing of, and that the new one will not have.
    fn left_behind(&self, secret: &DesiredSecret) -> Vec<LeftBehind> {
        let old = self.old;
        let mut left = Vec::new();
        let stays = |id: &&VersionId| !self.carried.iter().any(|version| version.version == **id);
        let versions: Vec<&VersionId> = old.versions.keys().filter(stays).collect();
        // One that is all of git's is put anew from there.
        let current = old.current_version().filter(|_| self.current().is_none());
        let only_there = current.filter(|current| !current.is_ours() || current.is_generated());
        left.extend(only_there.cloned().map(LeftBehind::CurrentValue));
        let is_older = |id: &VersionId| Some(id) != old.current_version();
        let (mut labelled, mut older) = (Vec::new(), 0);
        for id in versions {
            let silent = |label: &&StagingLabel| {
                !label.is_of_service() && secret.no_labels.is_none() && !secret.labels.contains_key(*label)
            };
            let labels = old.versions.get(id).into_iter().flatten();
            let of_people: BTreeSet<StagingLabel> = labels.filter(silent).cloned().collect_set();
            if !of_people.is_empty() {
                labelled.push(LeftBehind::Labelled(id.clone(), of_people));
            } else if is_older(id) {
                older += 1;
            }
        }
        left.extend(labelled);
        left.extend((older > 0).then_some(LeftBehind::OlderVersions(older)));
        if secret.description.is_none() && old.description.as_ref().is_some_and(|text| !text.is_empty()) {
            left.push(LeftBehind::Description);
        }
        if let (None, Some(key)) = (&secret.kms_key_id, &old.kms_key_id) {
            left.push(LeftBehind::KmsKey(key.clone()));
        }
        let tags = tags_left(secret, old);
        left.extend((!tags.is_empty()).then_some(LeftBehind::Tags(tags)));
        if secret.policy.is_none() && matches!(old.policy, LivePolicy::Document(_) | LivePolicy::Unparsable(_)) {
            left.push(LeftBehind::Policy);
        }
        if secret.rotation.is_none() && old.rotation.enabled {
            left.push(LeftBehind::Rotation);
        }
        if secret.replicas.is_none() && !old.replicas.is_empty() {
            left.push(LeftBehind::Replicas(old.replicas.keys().cloned().collect()));
        }
        if secret.protect.is_none() && old.is_protected() {
            left.push(LeftBehind::Protection);
        }
        left
    }
}

/// Tags that the manifest is silent about: it names none at all, or only some of them.
fn tags_left(secret: &DesiredSecret, old: &LiveSecret) -> Vec<TagKey> {
    let silent = |key: &TagKey| match &secret.tags {
        None => true,
        Some(declared) => declared.mode == TagMode::Additive && !declared.tags.contains_key(key),
    };
    let of_people =
        |key: &TagKey| !crate::domain::is_system_tag(key.as_str()) && !key.as_str().starts_with(RESERVED_TAG_PREFIX);
    old.tags.keys().filter(|key| of_people(key) && silent(key)).cloned().collect()
}
