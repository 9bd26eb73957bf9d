//! What is to be done about a secret's value and its custom labels, from version ids alone.
//!
//! The version id of a value from SOPS is derived from its ciphertext, so whether the committed value is live is seen
//! without a key and without permission to read secrets. Nothing here holds plaintext.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::action::{Action, LabelVersion, PlannedValue, Token};
use super::change::{Change, MadeBy, PlannedText, PublicText, UndoneVersion, ValueReason};
use super::diff::Difference;
use super::moves::Moves;
use super::report::FindingKind;
use super::value_facts::{Comparison, ValueFacts, live_name_of};
use crate::desired::{DesiredSecret, DesiredValue, LabelHolder, Ownership, VALUE_TAG};
use crate::domain::{MAX_STAGING_LABELS, StagingLabel, TagKey, Template, VersionId, VersionOrigin};
use crate::live::LiveSecret;
use crate::origin::Origin;
use crate::sort_few::SortFew as _;
use crate::value::{Identity, MadeOnce, Source};

/// Who owns the value: as written, else rotation where the manifest has one or the live secret is or was rotated, else
/// git. Dropping `rotation` from a manifest must never put a stale password back.
pub(crate) fn ownership(value: &DesiredValue, desired: &DesiredSecret, observed: Option<&LiveSecret>) -> Ownership {
    let rotated = desired.rotation.as_ref().is_some_and(|declared| declared.value.is_some())
        || observed.is_some_and(LiveSecret::is_rotated);
    value.ownership.unwrap_or(if rotated { Ownership::Seed } else { Ownership::Enforce })
}

/// Git's value to put, under the id that it stands for; it takes no custom label, and is compared with nothing.
fn plain_put(value: &DesiredValue, identity: &Identity) -> PlannedValue {
    let token = match identity {
        Identity::KnownAfterApply(_) => Token::KnownAfterApply,
        // An ARN in it that is not known yet is part of the id too.
        Identity::MadeOnce(_) if value.source.references().next().is_some() => Token::KnownAfterApply,
        Identity::Known(id) | Identity::MadeOnce(MadeOnce { id, .. }) => Token::Id(id.clone()),
        Identity::ByComparison(_) => Token::Random,
    };
    PlannedValue {
        source: value.source.clone(),
        token,
        compare_with: None,
        labels: Vec::new(),
        digest: identity.digest().map(|digest| digest.as_str().to_owned()),
        keeps_generated_of: None,
    }
}

/// Why git's value is put in the place of another one of git's.
fn of_git(value: &DesiredValue, current: &VersionId) -> ValueReason {
    let current = current.clone();
    if value.source.is_encrypted() {
        ValueReason::ReEncryptedOrChanged { current }
    } else {
        ValueReason::ChangedInGit { current }
    }
}

/// The longest time between the first step of a rotation, which makes the version, and its last one: a rotation window
/// is open for at most 24 hours (RotateSecret, `Duration`).
const LONGEST_ROTATION: SignedDuration = SignedDuration::from_hours(24);

/// What one secret's value and labels ask for.
pub(super) struct ValuePlanner<'a> {
    pub(super) desired: &'a DesiredSecret,
    pub(super) observed: Option<&'a LiveSecret>,
    pub(super) facts: &'a ValueFacts,
    /// The move by which it takes the place of another one, and gets the value of that: then none of git's becomes the
    /// current one.
    pub(super) carries: Option<&'a Moves<'a>>,
}

impl ValuePlanner<'_> {
    /// Adds changes and actions for the value and the labels; what stands in the way comes back.
    pub(super) fn plan(&self, difference: &mut Difference) -> Vec<FindingKind> {
        let mut findings = Vec::new();
        if let (Some(moves), Some(value)) = (self.carries, &self.desired.value) {
            findings.extend(self.held_back_by(moves, value));
        }
        let of_git = self.desired.value.as_ref().filter(|_| self.carries.is_none());
        let put = of_git.and_then(|value| self.value(value, &mut findings));
        if let (Some((_, reason)), Some(stuck)) = (&put, self.observed.and_then(LiveSecret::stuck_version)) {
            let held_back = Some(reason.clone());
            findings.push(FindingKind::RotationPending { version: stuck.clone(), held_back });
            return findings;
        }
        if findings.contains(&FindingKind::ValueReEncrypted { noted: true }) {
            self.write_down(difference);
        }
        let mut putting: Option<Token> = None;
        if let (Some((planned, reason)), Some(value)) = (put, &self.desired.value) {
            let restored = match (&reason, &planned.token) {
                (ValueReason::Reverted { current }, Token::Id(id)) => Some((id.clone(), current.clone())),
                (ValueReason::NotFromGit { undone, moved_back: true, compared: _ }, Token::Id(id)) => {
                    Some((id.clone(), undone.id.clone()))
                }
                _ => None,
            };
            difference.changes.push(Change::Value {
                text: self.public_text(value, &reason),
                parts: match self.facts.compared.get(&self.desired.name) {
                    Some(Comparison::Differs { parts, .. }) => parts.clone(),
                    _ => None,
                },
                reason,
                source: value.source.clone(),
                generated_kept: planned.keeps_generated_of.is_some(),
                noted: planned.compare_with.is_some(),
                origin: value.origin.clone(),
            });
            putting = Some(planned.token.clone());
            let compared = planned.compare_with.clone();
            if let (Some(Identity::MadeOnce(MadeOnce { id, .. })), Token::Id(live)) =
                (self.facts.identities.get(&self.desired.name), &planned.token)
                && id != live
            {
                self.claim(id, live, difference);
            }
            difference.actions.push(Action::PutValue(Box::new(planned)));
            difference.actions.extend(compared.map(|live| Action::NoteEqualValue { live }));
            // A put of what the service has already moves no label, so the label follows.
            if let Some((to, from)) = restored {
                let label = StagingLabel::current();
                difference.actions.push(Action::MoveLabel { label, to: LabelVersion::Id(to), from: Some(from) });
            }
        }
        self.remove_labels(difference);
        let mut moves = Vec::new();
        for (label, (holder, origin)) in &self.desired.labels {
            moves.extend(self.label(label, holder, origin, putting.as_ref(), difference));
        }
        let attached = self.put_for_labels(&moves, difference);
        for LabelMove { label, before, to, on_git } in moves {
            if !(attached && on_git) {
                difference.actions.push(Action::MoveLabel { label, to, from: before });
            }
        }
        findings
    }

    /// What is held back of a value that comes along: the same as will be once it is there.
    fn held_back_by(&self, moves: &Moves<'_>, value: &DesiredValue) -> Option<FindingKind> {
        let after = moves.after(&self.desired.name, self.observed)?;
        let mut findings = Vec::new();
        let _ = ValuePlanner { observed: Some(&after), carries: None, ..*self }.value(value, &mut findings);
        let is_held_back = |kind: &FindingKind| {
            matches!(kind, FindingKind::ValueNotApplied { .. } | FindingKind::GeneratedFieldsChanged)
        };
        findings.into_iter().find(is_held_back)
    }

    /// Custom labels of a secret that should have none. The service's own begin with `AWS`.
    fn remove_labels(&self, difference: &mut Difference) {
        let Some(origin) = &self.desired.no_labels else { return };
        let live = self.observed.iter().flat_map(|secret| &secret.versions);
        let held = live.flat_map(|(id, labels)| labels.iter().map(move |label| (label, id)));
        for (label, id) in held.filter(|(label, _)| !label.is_of_service()) {
            let (label, from) = (label.clone(), id.clone());
            difference.changes.push(Change::LabelRemoved {
                label: label.clone(),
                before: from.clone(),
                origin: origin.clone(),
            });
            difference.actions.push(Action::RemoveLabel { label, from });
        }
    }

    /// The live value was read and is git's, under another id: the tag `keywright:value` says so from now on, and a
    /// plan without the key is empty.
    fn write_down(&self, difference: &mut Difference) {
        let current = self.observed.and_then(LiveSecret::current_version);
        let (Some(Identity::Known(id) | Identity::MadeOnce(MadeOnce { id, .. })), Some(current)) =
            (self.facts.identities.get(&self.desired.name), current)
        else {
            return;
        };
        self.claim(id, current, difference);
    }

    /// The tag `keywright:value`: what git knows as `id` is live under the id `live`.
    fn claim(&self, id: &VersionId, live: &VersionId, difference: &mut Difference) {
        let claim = format!("{id}={live}");
        difference.changes.push(Change::Tag {
            key: TagKey::of_service(VALUE_TAG),
            before: self.observed.and_then(|secret| secret.tags.get(VALUE_TAG).cloned()),
            after: Some(PlannedText { text: claim.clone(), known: true }),
            origin: None,
        });
        let planned = difference.actions.iter_mut().find_map(|action| match action {
            Action::Tag { tags } => Some(tags),
            _ => None,
        });
        let tag = (TagKey::of_service(VALUE_TAG), Template::text(claim));
        match planned {
            Some(tags) => tags.extend([tag]),
            None => difference.actions.push(Action::Tag { tags: BTreeMap::from([tag]) }),
        }
    }

    /// Labels that are to be on git's version: the value is put under its id first. A put of what is there already
    /// changes nothing, and one of other data is refused: somebody planted a value under our public id, and no label
    /// may move there. Where git's version is not there, since rotation owns what is current, the put makes it and
    /// attaches them: then nothing is left to be moved.
    fn put_for_labels(&self, moves: &[LabelMove], difference: &mut Difference) -> bool {
        let Some(value) = &self.desired.value else { return false };
        let on_git: Vec<&LabelMove> = moves.iter().filter(|wanted| wanted.on_git).collect();
        let Some(LabelMove { to: LabelVersion::Id(id), .. }) = on_git.first() else { return false };
        let made = !self.exists(id);
        if made {
            difference.changes.push(Change::Value {
                reason: ValueReason::ForLabel,
                source: value.source.clone(),
                generated_kept: false,
                noted: false,
                text: None,
                parts: None,
                origin: value.origin.clone(),
            });
        }
        difference.actions.push(Action::PutValue(Box::new(PlannedValue {
            source: value.source.clone(),
            token: Token::Id(id.clone()),
            compare_with: None,
            labels: on_git.iter().map(|wanted| wanted.label.clone()).collect(),
            digest: None,
            keeps_generated_of: None,
        })));
        made
    }

    /// The value to put, when one is to be put.
    fn value(&self, value: &DesiredValue, findings: &mut Vec<FindingKind>) -> Option<(PlannedValue, ValueReason)> {
        let identity = self.facts.identities.get(&self.desired.name)?;
        let planned = plain_put(value, identity);
        let Some(current) = self.observed.and_then(LiveSecret::current_version) else {
            return Some((planned, ValueReason::First));
        };
        if ownership(value, self.desired, self.observed) == Ownership::Seed {
            findings.extend(self.not_applied(value, identity, current));
            return None;
        }
        if let Identity::MadeOnce(made) = identity {
            return self.made_once((value, made), planned, current, findings);
        }
        // A value that was read says more than any id or tag.
        match self.facts.compared.get(&self.desired.name) {
            Some(Comparison::Equal) => {
                if matches!(identity, Identity::Known(id) if live_name_of(id, self.observed) != current) {
                    findings.push(FindingKind::ValueReEncrypted { noted: true });
                }
                None
            }
            // Of a value without generated parts nothing is kept.
            Some(Comparison::Differs { .. } | Comparison::NothingToKeep) => {
                // A put under an id that the service has already changes nothing: the label must be moved.
                let there = matches!(identity, Identity::Known(id) if id != current && self.exists(id));
                let reason = match current.origin() {
                    _ if there => self.back_to_a_version(current),
                    VersionOrigin::Keywright => ValueReason::Differs { current: current.clone() },
                    // Git's own values without an id of theirs are put under random ones.
                    VersionOrigin::Random if matches!(identity, Identity::ByComparison(_)) => {
                        ValueReason::Differs { current: current.clone() }
                    }
                    _ => self.not_from_git(current, true),
                };
                Some((planned, reason))
            }
            Some(Comparison::Unreadable(reason)) => {
                findings.push(FindingKind::ValueUnreadable { reason: reason.clone() });
                None
            }
            None => self.value_by_identity(value, (identity, current), planned, findings),
        }
    }

    /// The same where nobody read the live value: what its version's id says of it.
    fn value_by_identity(
        &self,
        value: &DesiredValue,
        (identity, current): (&Identity, &VersionId),
        mut planned: PlannedValue,
        findings: &mut Vec<FindingKind>,
    ) -> Option<(PlannedValue, ValueReason)> {
        match identity {
            // It is planned by itself.
            Identity::MadeOnce(_) => None,
            Identity::ByComparison(_) => {
                findings.push(FindingKind::ValueUnknown);
                None
            }
            Identity::KnownAfterApply(_) => {
                planned.compare_with = Some(current.clone());
                Some((planned, self.in_place_of(value, current)))
            }
            Identity::Known(wanted) => {
                if live_name_of(wanted, self.observed) == current {
                    return None;
                }
                if self.exists(wanted) {
                    return Some((planned, self.back_to_a_version(current)));
                }
                planned.compare_with = Some(current.clone());
                Some((planned, self.in_place_of(value, current)))
            }
        }
    }

    /// The text of a manifest that takes the place of a live value: `text` is for what is no secret. What it was is
    /// shown only where the live version is known to be one of git's.
    fn public_text(&self, value: &DesiredValue, reason: &ValueReason) -> Option<PublicText> {
        let Source::Text(template) = &value.source else { return None };
        if matches!(reason, ValueReason::First | ValueReason::ForLabel) {
            return None;
        }
        let before = match self.facts.compared.get(&self.desired.name) {
            Some(Comparison::Differs { was, .. }) => was.clone(),
            _ => None,
        };
        Some(PublicText { before, after: template.preview(&|_| None) })
    }

    /// Git's value is not live and is not put, since the secret was rotated once, and nothing says that this is meant:
    /// neither `ownership` nor a rotation that stays or comes.
    fn not_applied(&self, value: &DesiredValue, identity: &Identity, current: &VersionId) -> Option<FindingKind> {
        // `rotation: null` ends the one that is on, with this very plan.
        let declared = self.desired.rotation.as_ref().map(|rotation| rotation.value.is_some());
        let rotating = declared.unwrap_or_else(|| self.observed.is_some_and(|secret| secret.rotation.enabled));
        let Identity::Known(wanted) = identity else { return None };
        // What rotation has not replaced yet is still a value of git, and not the one that git holds now.
        let left_alone = !rotating || current.is_ours();
        let silent = value.ownership.is_none() && left_alone && live_name_of(wanted, self.observed) != current;
        silent.then(|| FindingKind::ValueNotApplied { rotated: self.observed.and_then(|secret| secret.rotation.last) })
    }

    /// Why git's version becomes current again: git went back to it, or somebody set another value by hand.
    fn back_to_a_version(&self, current: &VersionId) -> ValueReason {
        if current.origin() == VersionOrigin::Keywright {
            ValueReason::Reverted { current: current.clone() }
        } else {
            ValueReason::NotFromGit { undone: self.undone(current), moved_back: true, compared: false }
        }
    }

    /// Why git's value is put in the place of a version that is not the one that it has.
    fn in_place_of(&self, value: &DesiredValue, current: &VersionId) -> ValueReason {
        if current.origin() == VersionOrigin::Keywright {
            of_git(value, current)
        } else {
            self.not_from_git(current, false)
        }
    }

    /// That git's value is put in the place of a version that git did not make.
    pub(super) fn not_from_git(&self, current: &VersionId, compared: bool) -> ValueReason {
        ValueReason::NotFromGit { undone: self.undone(current), moved_back: false, compared }
    }

    /// What is known of a version that git did not make.
    fn undone(&self, id: &VersionId) -> UndoneVersion {
        let made = self.facts.made.get(&self.desired.name).and_then(|made| made.get(id)).copied();
        let rotated = self.observed.and_then(|secret| secret.rotation.last);
        let by_rotation = made
            .zip(rotated)
            .is_some_and(|(made, rotated)| rotated >= made && rotated.duration_since(made) <= LONGEST_ROTATION);
        let made_by = if by_rotation { MadeBy::Rotation } else { MadeBy::Named(id.origin()) };
        UndoneVersion { id: id.clone(), made_by, made }
    }

    /// A label that is to be on a version which the secret has not, and which these actions do not make. What has no
    /// label the service is asked for first.
    pub(super) fn label_nowhere(&self, actions: &[Action]) -> Option<FindingKind> {
        let asked = self.facts.unlabelled.contains_key(&self.desired.name);
        let has_versions = self.observed.is_some_and(|secret| !secret.versions.is_empty());
        if has_versions && !asked {
            return None;
        }
        let made = |id: &VersionId| {
            let of_id = |value: &PlannedValue| matches!(&value.token, Token::Id(token) if token == id);
            actions.iter().any(|action| matches!(action, Action::PutValue(value) if of_id(value)))
        };
        self.desired.labels.iter().find_map(|(label, (holder, _))| match holder {
            LabelHolder::Version(id) if !self.exists(id) && !made(id) => Some(FindingKind::LabelNowhere {
                label: label.clone(),
                version: id.clone(),
                exists: self.observed.is_some(),
            }),
            _ => None,
        })
    }

    /// That all its versions would have more labels together than the service takes, those that stay counted too. It
    /// moves AWSPREVIOUS with each new value, and AWSPENDING with each rotation.
    pub(super) fn too_many_labels(&self, difference: &Difference) -> Option<FindingKind> {
        let puts = difference.actions.iter().any(|action| matches!(action, Action::PutValue(_)));
        if !puts && self.desired.labels.is_empty() {
            return None;
        }
        let removed = |label: &StagingLabel| {
            let is_it = |change: &Change| matches!(change, Change::LabelRemoved { label: gone, .. } if gone == label);
            difference.changes.iter().any(is_it)
        };
        let live: BTreeSet<&str> = self
            .observed
            .iter()
            .flat_map(|secret| secret.versions.values().flatten())
            .filter(|label| !removed(label))
            .map(StagingLabel::as_str)
            .collect();
        let mut all = live.clone();
        all.extend(self.desired.labels.keys().map(StagingLabel::as_str));
        let of_git = all.len() > live.len();
        all.extend([StagingLabel::CURRENT, StagingLabel::PREVIOUS]);
        let rotates = self.desired.rotation.as_ref().is_some_and(|declared| declared.value.is_some());
        all.extend(rotates.then_some(StagingLabel::PENDING));
        let live_only = live.iter().filter(|label| !label.starts_with("AWS"));
        let live_only =
            live_only.filter(|label| !self.desired.labels.keys().any(|declared| declared.as_str() == **label));
        (all.len() > MAX_STAGING_LABELS && (of_git || puts)).then(|| FindingKind::TooManyLabels {
            labels: all.len(),
            live_only: live_only.map(|label| StagingLabel::of_service(*label)).collect(),
        })
    }

    /// Labels that git takes off go before a new value, where they would leave no room for those that the service moves
    /// with it.
    pub(super) fn take_labels_off_first(&self, actions: &mut [Action]) {
        let live = self.observed.iter().flat_map(|secret| secret.versions.values().flatten());
        let live = live.map(StagingLabel::as_str).chain([StagingLabel::CURRENT, StagingLabel::PREVIOUS]);
        let put = actions.iter().position(|action| matches!(action, Action::PutValue(_)));
        if let Some(put) = put
            && live.collect::<BTreeSet<_>>().len() > MAX_STAGING_LABELS
        {
            actions[put..].sort_few_by_key(|action| !matches!(action, Action::RemoveLabel { .. }));
        }
    }

    /// Whether the service has a version with this id.
    pub(super) fn exists(&self, id: &VersionId) -> bool {
        self.observed.is_some_and(|secret| secret.versions.contains_key(id))
            || self.facts.unlabelled.get(&self.desired.name).is_some_and(|ids| ids.contains(id))
    }

    /// The move that a label needs, when it needs one.
    fn label(
        &self,
        label: &StagingLabel,
        holder: &LabelHolder,
        origin: &Origin,
        putting: Option<&Token>,
        difference: &mut Difference,
    ) -> Option<LabelMove> {
        let before = self.observed.and_then(|secret| secret.holder(label.as_str())).cloned();
        let known = matches!(self.facts.identities.get(&self.desired.name), Some(Identity::Known(_)));
        let came_along = self.carries.and_then(|moves| moves.holder(label));
        let wanted = match holder {
            LabelHolder::Version(id) => Some(id.clone()),
            LabelHolder::Git if came_along.is_some() => came_along.cloned(),
            LabelHolder::Git => match (putting, self.facts.identities.get(&self.desired.name)) {
                // It is on git's version, which has only to become current again.
                (Some(Token::Id(id)), _) if before.as_ref() == Some(id) => before.clone(),
                // What is put gets its version id then, or an equal live version keeps its own.
                (Some(_), _) => None,
                (None, Some(Identity::Known(id))) => Some(live_name_of(id, self.observed).clone()),
                // Git's version cannot be told by an id, so the label tells it: it stays where it was put, also when a
                // rotation makes another version current.
                (None, _) => before.clone().or_else(|| self.observed.and_then(LiveSecret::current_version).cloned()),
            },
        };
        if wanted.is_some() && wanted == before {
            return None;
        }
        difference.changes.push(Change::Label {
            label: label.clone(),
            before: before.clone(),
            after: wanted.clone(),
            origin: origin.clone(),
        });
        let on_git = *holder == LabelHolder::Git && known && wanted.is_some() && came_along.is_none();
        Some(LabelMove {
            label: label.clone(),
            before,
            to: wanted.map_or(LabelVersion::JustPut, LabelVersion::Id),
            on_git,
        })
    }
}

/// A label on its way.
struct LabelMove {
    label: StagingLabel,
    before: Option<VersionId>,
    to: LabelVersion,
    /// Whether it goes to the version of git's value, by an id that is known.
    on_git: bool,
}
