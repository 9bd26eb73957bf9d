//! Whether a secret is still as it was when it was planned.
//!
//! The API has no compare-and-set, so before the first write to a secret it is described again, and what its actions rest
//! on is compared. Dates never are: LastAccessedDate and LastChangedDate move for reasons that change nothing here.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::{SecretPlan, Verb};
use crate::desired::{OWNER_TAG, PROTECT_TAG, TagPatterns};
use crate::live::{LivePolicy, LiveReplica, LiveSecret};

/// A part of a live secret that an action rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedField {
    /// It exists now and did not, or the other way round.
    Existence,
    /// The ARN: the secret was deleted and made anew.
    Identity,
    /// It is scheduled for deletion now and was not, or the other way round.
    ScheduledDeletion,
    /// The owner tag, the protect tag or the owning service.
    Ownership,
    /// The description.
    Description,
    /// The KMS key.
    KmsKey,
    /// The tags.
    Tags,
    /// The resource policy.
    Policy,
    /// The versions and their staging labels.
    Versions,
    /// The partner of a managed external secret.
    Type,
    /// Who rotates it, and when.
    Rotation,
    /// Its replicas.
    Replicas,
    /// The secret in another region that its replica would destroy.
    Overwritten,
}

/// What `plan`'s actions rest on and is no longer as it was observed. `fresh` is none when there is no such secret now;
/// its policy need only be read when [`rests_on_policy`] says so.
pub fn conflicts(plan: &SecretPlan, fresh: Option<&LiveSecret>, ignored: &TagPatterns) -> BTreeSet<ObservedField> {
    let mut changed = BTreeSet::new();
    let (observed, fresh) = match (&plan.observed, fresh) {
        (None, None) => return changed,
        (Some(observed), Some(fresh)) => (observed, fresh),
        (None, Some(_)) | (Some(_), None) => {
            changed.insert(ObservedField::Existence);
            return changed;
        }
    };
    let LiveSecret {
        name: _,
        arn,
        description,
        kms_key_id,
        tags,
        deleted_at,
        owning_service,
        primary_region,
        versions,
        secret_type,
        rotation,
        replicas,
        // Dates, and how it was seen.
        last_changed: _,
        seen: _,
        policy,
    } = observed;

    let mut differs = |field, differs: bool| {
        if differs {
            changed.insert(field);
        }
    };
    // These hold for every action.
    differs(ObservedField::Identity, *arn != fresh.arn || *primary_region != fresh.primary_region);
    differs(ObservedField::ScheduledDeletion, deleted_at.is_some() != fresh.deleted_at.is_some());
    let own = |key: &str| tags.get(key) != fresh.tags.get(key);
    differs(ObservedField::Ownership, own(OWNER_TAG) || own(PROTECT_TAG) || *owning_service != fresh.owning_service);

    // A removal rests on everything that a reviewer saw of the secret.
    let removal = plan.verb == Verb::Delete;
    let rests = |wanted: fn(&Action) -> bool| removal || plan.actions.iter().any(wanted);
    if rests(|action| matches!(action, Action::Update { description: Some(_), .. })) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        differs(ObservedField::Description, text(description) != text(&fresh.description));
    }
    if rests(|action| matches!(action, Action::Update { kms_key_id: Some(_), .. })) {
        differs(ObservedField::KmsKey, *kms_key_id != fresh.kms_key_id);
    }
    if rests(|action| matches!(action, Action::Tag { .. } | Action::Untag { .. })) {
        let considered = |secret: &LiveSecret| -> Vec<(String, String)> {
            secret
                .tags
                .iter()
                .filter(|(key, _)| !ignored.ignores(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        differs(ObservedField::Tags, considered(observed) != considered(fresh));
    }
    if rests(|action| matches!(action, Action::PutValue(_) | Action::MoveLabel { .. })) {
        differs(ObservedField::Versions, *versions != fresh.versions || rotation.enabled != fresh.rotation.enabled);
    }
    if rests(|action| matches!(action, Action::Update { secret_type: Some(_), .. })) {
        differs(ObservedField::Type, secret_type != &fresh.secret_type);
    }
    if rests(|action| matches!(action, Action::Rotate { .. } | Action::CancelRotation)) {
        differs(ObservedField::Rotation, rotation.setup() != fresh.rotation.setup());
        // A rotation that is under way, or stuck, is seen in the labels alone.
        differs(
            ObservedField::Versions,
            plan.observed.as_ref().and_then(LiveSecret::stuck_version) != fresh.stuck_version(),
        );
    }
    if rests(|action| matches!(action, Action::Replicate { .. } | Action::RemoveReplicas { .. })) {
        // How replication stands changes by itself; which replicas there are does not.
        let which = |replicas: &BTreeMap<String, LiveReplica>| -> Vec<(String, Option<String>)> {
            replicas.iter().map(|(region, replica)| (region.clone(), replica.kms_key_id.clone())).collect()
        };
        differs(ObservedField::Replicas, which(replicas) != which(&fresh.replicas));
    }
    if rests_on_policy(plan) {
        let known = !matches!(policy, LivePolicy::NotRead | LivePolicy::Unreadable);
        differs(ObservedField::Policy, known && *policy != fresh.policy);
    }
    changed
}

/// Whether the policy must be read again before the first write.
pub fn rests_on_policy(plan: &SecretPlan) -> bool {
    plan.actions.iter().any(|action| matches!(action, Action::PutPolicy { .. } | Action::DeletePolicy))
        && plan.observed.as_ref().is_some_and(|secret| !secret.is_scheduled_for_deletion())
}
