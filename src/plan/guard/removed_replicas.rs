//! Replicas would be removed: they are gone at once and for good, and so is the value for whoever reads it there.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "remove-replicas",
    flag: Some(&FLAG),
    words: "replicas would be removed, at once and for good: readers in their regions lose the secret",
    check: Check::Secret(removes_replicas),
};

const FLAG: Flag = Flag::switch("allow-remove-replicas", "Remove replicas of secrets that stay");

fn removes_replicas(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    !secret.is_removal() && secret.loses_replicas()
}
