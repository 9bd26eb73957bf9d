//! Whether a secret is still as it was when it was planned.
//!
//! The API has no compare-and-set, so before the first write to a secret it is described again, and what its actions
//! rest on is compared. Dates never are: LastAccessedDate and LastChangedDate move for reasons that change nothing
//! here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::action::Action;
use super::{SecretPlan, Verb};
use crate::collect::CollectMap as _;
use crate::desired::{OWNER_TAG, PROTECT_TAG, TagPatterns};
use crate::live::{LivePolicy, LiveSecret};

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
    /// Its links with secrets of other accounts.
    CrossAccount,
    /// The secret in another region that its replica would destroy.
    Overwritten,
    /// The secret that takes its place.
    Replacement,
}

/// What `plan`'s actions rest on and is no longer as it was observed. `fresh` is none when there is no such secret now;
/// its policy need only be read when [`rests_on_policy`] says so.
pub fn conflicts(plan: &SecretPlan, fresh: Option<&LiveSecret>, ignored: &TagPatterns) -> BTreeSet<ObservedField> {
    match (&plan.observed, fresh) {
        (None, None) => BTreeSet::new(),
        (None, Some(_)) | (Some(_), None) => BTreeSet::from([ObservedField::Existence]),
        (Some(observed), Some(fresh)) => {
            let now = observations(plan, fresh, ignored);
            let then = observations(plan, observed, ignored);
            then.into_iter().filter(|(field, value)| now.get(field) != Some(value)).map(|(field, _)| field).collect()
        }
    }
}

/// The parts of a secret that `plan`'s actions rest on, as it is in `secret`: what an apply compares before its first
/// write, and what an approved plan remembers.
pub(super) fn observations(
    plan: &SecretPlan,
    secret: &LiveSecret,
    ignored: &TagPatterns,
) -> BTreeMap<ObservedField, Value> {
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
        cross_account,
        // Nothing of ours, a date, and how it was seen.
        other_policies: _,
        created: _,
        last_changed: _,
        last_accessed: _,
        replicas_accessed: _,
        seen: _,
        policy,
    } = secret;
    let mut seen = BTreeMap::new();
    // These hold for every action.
    seen.insert(ObservedField::Identity, json!([arn, primary_region]));
    seen.insert(ObservedField::ScheduledDeletion, json!(deleted_at.is_some()));
    seen.insert(ObservedField::Ownership, json!([tags.get(OWNER_TAG), tags.get(PROTECT_TAG), owning_service]));

    // A removal rests on everything that a reviewer saw of the secret.
    let removal = plan.verb == Verb::Delete || plan.is_replaced();
    let rests = |wanted: fn(&Action) -> bool| removal || plan.actions.iter().any(wanted);
    if rests(|action| matches!(action, Action::Update { description: Some(_), .. })) {
        seen.insert(ObservedField::Description, json!(description.as_deref().unwrap_or_default()));
    }
    if rests(|action| matches!(action, Action::Update { kms_key_id: Some(_), .. })) {
        seen.insert(ObservedField::KmsKey, json!(kms_key_id));
    }
    if rests(|action| matches!(action, Action::Update { secret_type: Some(_), .. })) {
        seen.insert(ObservedField::Type, json!(secret_type));
    }
    if rests(|action| matches!(action, Action::Tag { .. } | Action::Untag { .. })) {
        let considered: BTreeMap<_, _> = tags.iter().filter(|(key, _)| !ignored.ignores(key.as_str())).collect_map();
        seen.insert(ObservedField::Tags, json!(considered));
    }
    let of_values = |action: &Action| {
        matches!(
            action,
            Action::PutValue(_) | Action::CarryVersion(_) | Action::MoveLabel { .. } | Action::RemoveLabel { .. }
        )
    };
    if rests(of_values) {
        seen.insert(ObservedField::Versions, json!([versions, rotation.enabled]));
    } else if rests(|action| matches!(action, Action::Rotate { .. } | Action::CancelRotation)) {
        // A rotation that is under way, or stuck, is seen in the labels alone.
        seen.insert(ObservedField::Versions, json!(secret.stuck_version()));
    }
    if rests(|action| matches!(action, Action::Rotate { .. } | Action::CancelRotation)) {
        seen.insert(ObservedField::Rotation, json!(secret.rotation_setup().as_ref().map(super::fingerprint::rotation)));
    }
    if rests(|action| matches!(action, Action::Replicate { .. } | Action::RemoveReplicas { .. })) {
        // How replication stands changes by itself; which replicas there are does not.
        let which: BTreeMap<_, _> =
            replicas.iter().map(|(region, replica)| (region, &replica.kms_key_id)).collect_map();
        seen.insert(ObservedField::Replicas, json!(which));
    }
    let of_links = |action: &Action| {
        matches!(action, Action::StopReplication | Action::Disassociate { .. } | Action::Associate(_))
    };
    if plan.actions.iter().any(of_links) {
        // How it stands changes by itself; with whom it is linked does not.
        let primary = cross_account.primary_arn();
        seen.insert(ObservedField::CrossAccount, json!([primary, cross_account.replicas.keys().collect::<Vec<_>>()]));
    }
    let then_known = plan
        .observed
        .as_ref()
        .is_some_and(|observed| !matches!(observed.policy, LivePolicy::NotRead | LivePolicy::Unreadable));
    if rests_on_policy(plan) && then_known {
        seen.insert(
            ObservedField::Policy,
            match policy {
                LivePolicy::Document(document) => document.canonical().clone(),
                LivePolicy::Unparsable(text) => json!([text]),
                LivePolicy::None | LivePolicy::NotRead | LivePolicy::Unreadable => Value::Null,
            },
        );
    }
    seen
}

/// What is said of a secret in another region that a replica destroys: by the check right before it is, and by the
/// lines of an approved plan.
pub fn destroyed(there: Option<&LiveSecret>) -> Value {
    there.map_or(Value::Null, |secret| json!([secret.arn, secret.named_owner(), secret.is_protected()]))
}

/// Whether the policy must be read again before the first write.
pub fn rests_on_policy(plan: &SecretPlan) -> bool {
    plan.actions.iter().any(|action| matches!(action, Action::PutPolicy { .. } | Action::DeletePolicy))
        && plan.observed.as_ref().is_some_and(|secret| !secret.is_scheduled_for_deletion())
}
