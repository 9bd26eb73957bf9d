//! A replica would destroy a secret of the same name in its region.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "overwrite-replica",
    flag: Some(&FLAG),
    words: "a replica would destroy a secret of the same name in its region, which cannot be restored",
    check: Check::Secret(overwrites),
};

const FLAG: Flag =
    Flag::switch("allow-overwrite-replicas", "Make replicas that destroy a secret of the same name in their region");

fn overwrites(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.regions_overwritten().next().is_some()
}
