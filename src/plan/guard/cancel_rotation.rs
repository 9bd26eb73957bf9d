//! A rotation would be cancelled while it is in flight: AWSPENDING may hold the only credential that works.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::live::LiveSecret;
use crate::plan::{Action, SecretPlan};

pub(super) const GUARD: Guard = Guard {
    name: "cancel-rotation",
    flag: Some(&FLAG),
    words: "a rotation would be cancelled while it is in flight: the version with AWSPENDING may be the only \
            credential that works",
    check: Check::Secret(cancels_in_flight),
};

const FLAG: Flag = Flag::switch("allow-cancel-rotation", "Switch rotation off while one is in flight");

fn cancels_in_flight(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.actions.contains(&Action::CancelRotation)
        && secret.observed.as_ref().and_then(LiveSecret::stuck_version).is_some()
}
