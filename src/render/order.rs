//! The order in which the secrets of a plan are read: what is lost first, so that no long list of additions hides it.
//! In which order they are carried out is for the planner to say.

use crate::plan::{Change, SecretPlan};

/// How much a reader should look at it, the most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
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
pub(super) fn weight(secret: &SecretPlan) -> Weight {
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
