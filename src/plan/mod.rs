//! The plan: a pure function of what git says and what AWS says.
//!
//! [`plan`] takes values and returns values: no I/O, no clock, no randomness, ordered collections only, so that the
//! same inputs give the same bytes. It decides everything that can be decided; `apply` decides nothing. What may not
//! enter: the AWS SDK, async code, printing, and secret values.
//!
//! - `planner`: the named steps from desired state and a snapshot to a plan;
//! - `diff`: one secret's desired state against what is live;
//! - `change` and `action`: what a reader sees, and what will be called;
//! - `report`: what was found, and what was not planned;
//! - `policies`: the policies that are put, as they are sent;
//! - `cost`: what AWS bills more or less afterwards;
//! - `guard`: what an apply refuses to do without being told, one file and one row of a table for each guard;
//! - `value`: what is to be done about values and labels, from version ids alone;
//! - `rotation`, `replicas` and `cross_account`: what is to be done about these;
//! - `replica_places`: replicas whose place another target of the run has;
//! - `managed`: what can be changed of secrets that an AWS service manages;
//! - `stages`: a plan that waits for other accounts, cut into what comes before and after;
//! - `rename` and `revived`: secrets that look renamed, and those that come back with a value that is none of the one
//!   that goes;
//! - `moves`: secrets that take the place of others (`metadata.renamedFrom`);
//! - `tags`: whether they fit into the quota;
//! - `leaving`: what a reader wants to know of a secret that goes;
//! - `fingerprint`: what was approved, as lines that an apply must find again;
//! - `precondition`: whether a secret is still as it was when it was planned.

mod action;
mod awaiting;
#[cfg(test)]
pub(crate) mod bare;
mod carried;
mod change;
mod cost;
mod counts;
mod cross_account;
mod diff;
mod fingerprint;
mod generated;
mod guard;
mod leaving;
mod managed;
mod moves;
mod other_secret;
mod planner;
mod policies;
mod precondition;
mod rename;
mod replica_places;
mod replicas;
mod report;
mod revived;
mod rotation;
mod selection;
mod stages;
mod tags;
#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may panic")]
mod tests;
mod value;
mod value_facts;

use std::collections::BTreeSet;

pub use action::{Action, CarriedVersion, LabelVersion, PlannedValue, Token};
pub use awaiting::{AwaitingValue, tagged_owner};
pub use change::{
    Change, LeftBehind, LinkReason, MadeBy, PlannedPolicy, PlannedText, PublicText, ReplicaKey, ReplicaReason,
    RotationRun, UndoneVersion, ValueReason,
};
pub use cost::{LIST_PRICE_CENTS, LIST_PRICE_DATE};
pub use counts::Counts;
pub use cross_account::{LinkFinding, LinkWaits, OtherArn, PlannedLink, made_anew};
pub use fingerprint::{FORMAT_VERSION as FINGERPRINT_VERSION, fingerprint, run_line, target_lines};
pub use guard::{
    Fact, Flag, FlagArgument, Guard, GuardOverrides, GuardedTarget, Refusal, RunGuards, flags, guards, share_matters,
};
pub use leaving::{Commit, Leaving, LeftItem};
pub use moves::{Move, MovedFrom, Replacement};
pub use planner::{Rules, plan, plan_release};
pub use policies::PolicyToPut;
pub use precondition::{ObservedField, conflicts, destroyed, rests_on_policy};
pub use rename::Seeded;
pub(crate) use rename::{looks_renamed, replaces_value};
pub use replica_places::{OtherCopies, removals_that_wait, replica_places_taken};
pub use replicas::leave_kept_replicas;
pub use report::{Finding, FindingKind, MoveObstacle, PlaceHolder, PlanReport, Severity};
pub use revived::OtherValue;
pub(crate) use revived::{Revival, Revived, has_value_of, revived};
pub use selection::{NotAShard, Selection, Shard};
pub use stages::stages;
pub(crate) use value::ownership;
pub(crate) use value_facts::live_name_of;
pub use value_facts::{Comparison, SameOfGit, SameValue, ValueFacts};

use crate::desired::{PROTECT_TAG, VALUE_TAG};
use crate::domain::{AccountId, Region, SecretName, StagingLabel, VersionId};
use crate::live::{LinkStatus, LiveSecret};
use crate::origin::Origin;
use crate::policy::PolicyDocument;
use crate::sort_few::SortFew as _;

/// What one apply would do to one target.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// The target's name.
    pub target: String,
    /// The account, when it is known.
    pub account: Option<AccountId>,
    /// The region.
    pub region: Region,
    /// Where calls go when that is not AWS itself: an endpoint, or `sandbox`. Known once the target was reached.
    pub endpoint: Option<String>,
    /// The secrets with something to do, by name; unchanged ones are not here.
    pub secrets: Vec<SecretPlan>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The number of secrets of which nothing is known to differ.
    pub fn re_encrypted(&self) -> usize {
        self.secrets.iter().filter(|secret| secret.is_only_re_encrypted()).count()
    }

    /// The plan in two: everything but the removals, and the removals, those of secrets whose place another one takes
    /// included.
    pub fn split_removals(&self) -> (Self, Self) {
        let (mut removals, others): (Vec<_>, Vec<_>) = self.secrets.iter().cloned().partition(SecretPlan::is_removal);
        removals.extend(others.iter().filter_map(SecretPlan::removal_of_old));
        removals.sort_few_by(|a, b| a.name.cmp(&b.name));
        (self.with(others), self.with(removals))
    }

    /// The plan of the secrets that fit, and that of the others.
    pub fn parted(&self, fits: impl Fn(&SecretPlan) -> bool) -> (Self, Self) {
        let (those, others) = self.secrets.iter().cloned().partition(fits);
        (self.with(those), self.with(others))
    }

    /// The same plan of these secrets.
    fn with(&self, secrets: Vec<SecretPlan>) -> Self {
        let Self { project, target, account, region, endpoint, secrets: _ } = self;
        Self {
            project: project.clone(),
            target: target.clone(),
            account: account.clone(),
            region: region.clone(),
            endpoint: endpoint.clone(),
            secrets,
        }
    }

    /// The number of API calls that would write.
    pub fn action_count(&self) -> usize {
        let of_old = |secret: &SecretPlan| secret.removal_of_old().map_or(0, |removal| removal.actions.len());
        self.secrets.iter().map(|secret| secret.actions.len() + of_old(secret)).sum()
    }
}

/// What would be done to one secret.
#[derive(Clone, Debug)]
pub struct SecretPlan {
    /// Its name.
    pub name: SecretName,
    /// Where its manifest names it; none when its manifest is gone.
    pub origin: Option<Origin>,
    /// The change in one word.
    pub verb: Verb,
    /// What a reader sees, field by field.
    pub changes: Vec<Change>,
    /// What is called, in this order.
    pub actions: Vec<Action>,
    /// Secrets of this plan that must be done first.
    pub depends_on: BTreeSet<SecretName>,
    /// The secret as it was when this was planned; none when it did not exist.
    pub observed: Option<LiveSecret>,
    /// Why it goes and what counts on it, where it does.
    pub leaving: Leaving,
    /// Its part in a move: it takes the place of another one, or goes since another one took its place.
    pub moved: Option<Move>,
    /// Where the item of a `forEach` is written that it is made of.
    pub item: Option<Origin>,
}

impl SecretPlan {
    /// The regions in which a secret of this name is destroyed for a replica.
    pub fn regions_overwritten(&self) -> impl Iterator<Item = &Region> {
        self.actions.iter().flat_map(|action| match action {
            Action::Replicate { regions, overwrite: true } => regions.keys().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    }

    /// The policy that is put, when one is.
    pub(crate) fn policy_to_put(&self) -> Option<&PolicyDocument> {
        let puts_policy = self.actions.iter().any(|action| matches!(action, Action::PutPolicy { .. }));
        self.changes.iter().filter(|_| puts_policy).find_map(|change| match change {
            Change::Policy { after, .. } => match &**after {
                PlannedPolicy::Document { policy, .. } => Some(policy),
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether nothing of it is known to differ: its value may only be encrypted afresh in git, or was proven equal,
    /// which is to be written down.
    pub fn is_only_re_encrypted(&self) -> bool {
        self.verb == Verb::Change
            && self.changes.iter().all(|change| match change {
                Change::Value { reason, .. } => matches!(reason, ValueReason::ReEncryptedOrChanged { .. }),
                Change::Tag { key, origin: None, .. } => key == VALUE_TAG,
                _ => false,
            })
    }

    /// Whether the secret goes away.
    pub fn is_removal(&self) -> bool {
        self.verb == Verb::Delete
    }

    /// Whether it goes away, or stops being managed, because no manifest names it: nobody asked for just that.
    pub fn is_pruned(&self) -> bool {
        self.origin.is_none() && matches!(self.verb, Verb::Delete | Verb::Release)
    }

    /// Whether a value is put that becomes the current one.
    pub fn puts_current_value(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::PutValue(value) if value.labels.is_empty()))
    }

    /// Whether it gets a value that becomes the current one, with the secret or after it.
    pub fn gets_value(&self) -> bool {
        self.puts_current_value()
            || self.actions.iter().any(|action| match action {
                Action::Create { value, .. } => value.is_some(),
                Action::CarryVersion(version) => version.current,
                _ => false,
            })
    }

    /// Whether it gets a value that git holds; what is made once, by `generate`, is none.
    pub fn gets_value_of_git(&self) -> bool {
        self.actions.iter().any(|action| match action {
            Action::Create { value: Some(value), .. } | Action::PutValue(value) => !value.source.is_made_once(),
            _ => false,
        })
    }

    /// The link with a replica in another account that is made.
    pub fn link(&self) -> Option<&PlannedLink> {
        self.actions.iter().find_map(|action| match action {
            Action::Associate(link) => Some(link),
            _ => None,
        })
    }

    /// Whether it is deleted at once and made anew.
    pub fn is_replaced(&self) -> bool {
        !self.is_removal() && self.actions.iter().any(|action| matches!(action, Action::Delete { .. }))
    }

    /// Whether replicas are taken away that no manifest wants, or that are made anew with another key, or get no more
    /// values.
    pub fn loses_replicas(&self) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Replica { reason, .. } => matches!(reason, ReplicaReason::Removed | ReplicaReason::KeyChanged),
            // What was a replica stays, and gets no more values; one whose link was ended before got none.
            Change::CrossAccountReplica { after: None, reason, .. } => *reason != LinkReason::Ended,
            Change::CrossAccountPrimary { after: None, .. } => !self.is_detached(),
            _ => false,
        })
    }

    /// Whether its primary's owner has ended the replication.
    fn is_detached(&self) -> bool {
        let primary = self.observed.as_ref().and_then(|live| live.cross_account.primary.as_ref());
        primary.is_some_and(|primary| primary.status == LinkStatus::Detached)
    }

    /// The live secret whose value is in use: the one whose place it takes, where there is one.
    pub fn in_use(&self) -> Option<&LiveSecret> {
        self.moved_from().map(|from| &from.secret).or(self.observed.as_ref())
    }

    /// Whether something is destroyed for good, or goes away: the secret itself, replicas, a secret that a replica
    /// overwrites, a Deny of its policy, its rotation; or the secret whose place it takes goes.
    pub fn is_destructive(&self) -> bool {
        self.moved_from().is_some() || self.loses_something()
    }

    /// The same of the secret itself, whoever's place it takes.
    pub fn loses_something(&self) -> bool {
        self.is_removal()
            || self.is_replaced()
            || self.is_pruned()
            || self.loses_replicas()
            || self.regions_overwritten().next().is_some()
            || self.loses_denies()
            || self.actions.contains(&Action::CancelRotation)
    }

    /// Whether the tag goes that keeps the secret from being deleted.
    pub fn takes_protection_off(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Untag { keys } if keys.contains(PROTECT_TAG)))
    }

    /// The version that keeps no label once this change, the last of those that take one off it, is carried out.
    pub fn left_without_label(&self, change: &Change) -> Option<&VersionId> {
        let (version, live) = (change.label_taken()?.1, self.observed.as_ref()?);
        let (version, labels) = live.versions.get_key_value(version)?;
        let taken = || self.changes.iter().filter(|change| change.label_taken().is_some_and(|(_, of)| of == version));
        // Where another version becomes current, the one that was gets AWSPREVIOUS, and the one before loses it.
        let is = |label: &StagingLabel, name| label.as_str() == name;
        let moves_current = self.actions.iter().any(|action| match action {
            Action::PutValue(_) => true,
            Action::MoveLabel { label, .. } => is(label, StagingLabel::CURRENT),
            _ => false,
        });
        let goes = |label: &StagingLabel| {
            (moves_current && is(label, StagingLabel::PREVIOUS))
                || (!is(label, StagingLabel::CURRENT)
                    && taken().filter_map(Change::label_taken).any(|(taken, _)| taken == label))
        };
        let is_last = taken().next_back() == Some(change);
        (is_last && labels.iter().all(goes)).then_some(version)
    }

    /// Whether a Deny of the live policy is not among those of the policy that will be.
    pub fn loses_denies(&self) -> bool {
        let denies = |policy: &PlannedPolicy| match policy {
            PlannedPolicy::Document { policy, known: _ } => policy.denies(),
            PlannedPolicy::None | PlannedPolicy::Unreadable | PlannedPolicy::Unparsable(_) => Vec::new(),
        };
        self.changes.iter().any(|change| match change {
            Change::Policy { before, after, origin: _ } => {
                let kept = denies(after);
                denies(before).iter().any(|deny| !kept.contains(deny))
            }
            _ => false,
        })
    }
}

/// What happens to a secret, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// It does not exist and will.
    Create,
    /// It is scheduled for deletion and will be restored.
    Restore,
    /// It takes the place of another secret, which goes then.
    Move,
    /// It exists without an owner and becomes this project's.
    Adopt,
    /// It is this project's and differs.
    Change,
    /// It stays, and stops being this project's.
    Release,
    /// It is deleted.
    Delete,
}
