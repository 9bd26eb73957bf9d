//! A secret would be written that was applied under another scope prefix: another folder may still declare it.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::live::{LiveSecret, Ownership};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "scope-changed",
    flag: Some(&FLAG),
    words: "a secret would be changed that was applied under another scope prefix than today's: does another folder \
            declare it too?",
    check: Check::Secret(is_of_another_scope),
};

const FLAG: Flag = Flag::switch("allow-scope-change", "Take over secrets that were applied under another scope prefix");

fn is_of_another_scope(target: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let ours = target.desired.owner();
    let of_other = |live: &LiveSecret| {
        let today = target.desired.scope.prefix_of(live.name.as_str());
        matches!(live.ownership(&ours), Ownership::Ours { prefix } if Some(prefix) != today)
    };
    let old = secret.moved_from().map(|from| &from.secret);
    secret.observed.as_ref().is_some_and(of_other) || old.is_some_and(of_other)
}
