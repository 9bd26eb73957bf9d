//! What carries the tag `keywright:protect` would be destroyed: deleted here, or overwritten by a replica in another
//! region; or it would lose what cannot be given back.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::live::LiveSecret;
use crate::plan::SecretPlan;

const FLAG: Flag = Flag::switch(
    "allow-protected",
    "Delete secrets that carry the tag keywright:protect, or take from them what cannot be given back",
);

pub(super) const DELETED: Guard = Guard {
    name: "protected",
    flag: Some(&FLAG),
    words: "a protected secret would be deleted, released, or lose replicas or its rotation, or a Deny of its policy \
            would go or become another one",
    check: Check::Secret(is_destroyed),
};

pub(super) const OVERWRITTEN: Guard = Guard {
    name: "protected-replica",
    flag: Some(&FLAG),
    words: "a replica would destroy a protected secret in its region",
    check: Check::Secret(is_overwritten),
};

fn is_destroyed(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let old = secret.moved_from().map(|from| &from.secret);
    (secret.loses_something() && secret.observed.as_ref().is_some_and(LiveSecret::is_protected))
        || old.is_some_and(LiveSecret::is_protected)
}

fn is_overwritten(target: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.regions_overwritten().any(|region| {
        let place = (region.clone(), secret.name.clone());
        target.live.other_regions.get(&place).is_some_and(|other| other.as_ref().is_some_and(LiveSecret::is_protected))
    })
}
