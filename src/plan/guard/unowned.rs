//! A live secret would be deleted that was never this project's: a wrong name behind `state: absent`.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "delete-unowned",
    flag: Some(&FLAG),
    words: "a secret would be deleted that has no owner tag: this project has never managed it",
    check: Check::Secret(is_never_ours),
};

const FLAG: Flag = Flag::switch("allow-delete-unowned", "Delete live secrets that this project has never managed");

fn is_never_ours(target: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let ours = target.desired.owner();
    secret.is_removal() && secret.observed.as_ref().is_some_and(|live| !live.is_owned_by(&ours))
}
