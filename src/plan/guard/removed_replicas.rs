//! Replicas would be removed: they are gone at once and for good, and so is the value for whoever reads it there. One
//! that is made anew with another key is gone too when that fails, as with a key that is not there. Or one in another
//! account would be cut off from its primary, and keep an old value.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "remove-replicas",
    flag: Some(&FLAG),
    words: "replicas would be removed, at once and for good or to be made anew with another key, or cut off from \
            their primary: whoever reads them loses the secret, or keeps an old value",
    check: Check::Secret(removes_replicas),
};

pub(super) const FLAG: Flag = Flag::switch(
    "allow-remove-replicas",
    "Remove replicas of secrets that stay, for another key too, or of another target's, or cut them off from their \
     primary",
);

fn removes_replicas(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    !secret.is_removal() && secret.loses_replicas()
}
