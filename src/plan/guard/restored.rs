//! A secret would be restored that somebody else scheduled for deletion, and that was never this project's: its value
//! comes back with it, also where a leaked one was deleted on purpose.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::{Action, SecretPlan};

pub(super) const GUARD: Guard = Guard {
    name: "restore-unowned",
    flag: Some(&FLAG),
    words: "a secret would be restored that somebody scheduled for deletion and that has no owner tag of this project: \
            the value that it had comes back",
    check: Check::Secret(restores_what_is_not_ours),
};

const FLAG: Flag =
    Flag::switch("allow-restore-unowned", "Restore secrets that somebody else scheduled for deletion, and adopt them");

fn restores_what_is_not_ours(target: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let ours = target.desired.owner();
    secret.actions.contains(&Action::Restore) && secret.observed.as_ref().is_some_and(|live| !live.is_owned_by(&ours))
}
