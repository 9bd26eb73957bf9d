//! Secrets that an AWS service makes and manages, and of which its users may change a little.
//!
//! What that is follows from the documentation ("Managed rotation", "Secrets managed by other AWS services") and from
//! what was seen live: the schedule of the rotation, by RotateSecret with rules and nothing else, and tags. They get no
//! owner tag, so they are never orphans, and nothing of them is made, adopted, released or deleted.

use super::action::Action;
use super::diff::{Differ, Difference};
use super::report::FindingKind;
use super::rotation::plan_rotation;
use super::tags::{TagFit, untag_first};
use crate::desired::DesiredSecret;
use crate::live::LiveSecret;

/// What stands in the way where either side says that a service manages the secret.
pub(super) fn obstacle(desired_secret: &DesiredSecret, observed: Option<&LiveSecret>) -> Option<FindingKind> {
    let owner = observed.and_then(|secret| secret.owning_service.clone());
    match (&desired_secret.managed_by, observed) {
        (None, _) => owner.map(|service| FindingKind::OwnedByService { service }),
        (Some(service), None) => Some(FindingKind::ManagedMissing { service: service.clone() }),
        (Some(service), Some(_)) if owner.as_ref() != Some(service) => {
            Some(FindingKind::ManagedOtherwise { declared: service.clone(), owner })
        }
        // Only the service takes that back.
        (Some(service), Some(secret)) if secret.is_scheduled_for_deletion() => {
            Some(FindingKind::ManagedMissing { service: service.clone() })
        }
        (Some(_), Some(_)) => None,
    }
}

impl Differ<'_> {
    /// Everything that a secret lacks that a service manages. The tags come last: whether the service lets others write
    /// them is not known of every service, and a refusal must not keep the schedule from being set.
    pub(super) fn managed(
        &self,
        desired_secret: &DesiredSecret,
        observed: &LiveSecret,
    ) -> (Difference, Vec<FindingKind>) {
        let mut difference = Difference::default();
        let mut findings = Vec::new();
        if let Some(declared) = &desired_secret.rotation {
            findings.extend(plan_rotation(declared, Some(observed), self.as_of, &mut difference));
        }
        let tags = desired_secret.tags.as_ref();
        let (set, untag) = self.tags(&[], tags, None, Some(observed), &mut difference);
        let fit = TagFit::of(Some(observed), tags, &set, &untag);
        if let Some(too_many) = fit.too_many() {
            return (Difference::default(), vec![too_many]);
        }
        if !set.is_empty() {
            difference.actions.push(Action::Tag { tags: set });
        }
        if !untag.is_empty() {
            difference.actions.push(Action::Untag { keys: untag });
        }
        if !fit.in_between() {
            untag_first(&mut difference.actions);
        }
        (difference, findings)
    }
}
