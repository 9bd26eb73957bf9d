//! The order in which the secrets of a plan are read: what is lost first, so that no long list of additions hides it.
//! In which order they are carried out is for the planner to say.

use crate::plan::{Change, Plan, SecretPlan};

/// How much a reader should look at it, the most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Something is deleted, released or destroyed, or loses its protection from that.
    Loss,
    /// A value is put, or a version becomes current.
    Value,
    /// A resource policy is put or deleted.
    Policy,
    /// Everything else.
    Other,
}

/// How much one secret's plan matters to a reader.
fn weight(secret: &SecretPlan) -> Weight {
    let has = |test: fn(&Change) -> bool| secret.changes.iter().any(test);
    if secret.is_destructive() || secret.takes_protection_off() {
        Weight::Loss
    } else if secret.observed.is_some() && has(|change| matches!(change, Change::Value { .. } | Change::Label { .. })) {
        Weight::Value
    } else if secret.observed.is_some() && has(|change| matches!(change, Change::Policy { .. })) {
        Weight::Policy
    } else {
        Weight::Other
    }
}

/// Whether something is lost by a plan: then it is not folded.
pub(super) fn loses(plan: &Plan) -> bool {
    plan.secrets.iter().any(|secret| weight(secret) == Weight::Loss)
}

/// The secrets of a plan, those that matter most first; else in the order of the plan.
pub(super) fn by_weight(plan: &Plan) -> Vec<&SecretPlan> {
    let mut secrets: Vec<&SecretPlan> = plan.secrets.iter().collect();
    secrets.sort_by_key(|secret| weight(secret));
    secrets
}
