//! A rotation would be cut off while it is in flight, by switching it off or by deleting its secret: AWSPENDING may
//! hold the only credential that works.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::live::LiveSecret;
use crate::plan::{Action, SecretPlan};

const FLAG: Flag =
    Flag::switch("allow-cancel-rotation", "Switch rotation off while one is in flight, or delete such a secret");

pub(super) const CANCELLED: Guard = Guard {
    name: "cancel-rotation",
    flag: Some(&FLAG),
    words: "a rotation would be cancelled while it is in flight: the version with AWSPENDING may be the only \
            credential that works",
    check: Check::Secret(cancels_in_flight),
};

pub(super) const DELETED: Guard = Guard {
    name: "delete-rotating",
    flag: Some(&FLAG),
    words: "a secret would be deleted while a rotation of it is in flight: the version with AWSPENDING may be the only \
            credential that works",
    check: Check::Secret(deletes_in_flight),
};

fn cancels_in_flight(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.actions.contains(&Action::CancelRotation)
        && secret.observed.as_ref().and_then(LiveSecret::stuck_version).is_some()
}

/// The old secret of a move is not asked about: the move waits until its rotation is over. What another account's
/// secret is copied to has no rotation of its own.
fn deletes_in_flight(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let in_flight = |live: &LiveSecret| live.cross_account.primary.is_none() && live.stuck_version().is_some();
    secret.is_removal() && secret.observed.as_ref().is_some_and(in_flight)
}
