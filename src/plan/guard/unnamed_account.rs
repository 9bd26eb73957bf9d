//! A target that names no account would delete: with the wrong credentials that is somebody else's secret.

use super::{Check, Guard, GuardedTarget, Refused, RunGuards};

pub(super) const GUARD: Guard = Guard {
    name: "unnamed-account",
    flag: None,
    words: "secrets would be removed, and the target does not name its account: write it in the project as the \
            target's `account`, or give --only-account",
    check: Check::Target(check),
};

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let removed = target.chosen(|secret| secret.is_removal() || secret.moved_from().is_some());
    // The account is asked for, and checked, where the project names it or --only-account does.
    if removed.is_empty() || target.desired.target.account.is_some() || target.live.account.is_some() {
        return Vec::new();
    }
    vec![Refused::secrets(removed)]
}
