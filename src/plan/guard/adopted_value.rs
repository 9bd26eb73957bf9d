//! A secret would be adopted, and the value that somebody else gave it replaced; or what is live would make way for
//! something generated.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::live::LiveSecret;
use crate::plan::{Change, SecretPlan, ValueReason};

pub(super) const GUARD: Guard = Guard {
    name: "replace-value",
    flag: Some(&FLAG),
    words: "a secret would be adopted, and the value that it has may be replaced by the one in git (ownership: seed \
        leaves it alone); or a value that git held would be replaced by a generated one, or a live value or part by \
        one made anew",
    check: Check::Secret(replaces_an_adopted_value),
};

const FLAG: Flag =
    Flag::switch("allow-replace-values", "Adopt secrets and replace the values that somebody else gave them");

fn replaces_an_adopted_value(target: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let ours = target.desired.owner();
    let has_value = |live: &LiveSecret| !live.is_owned_by(&ours) && live.current_version().is_some();
    let now_generated = |change: &Change| match change {
        Change::Value { reason: ValueReason::NowGenerated { .. } | ValueReason::NothingToKeep { .. }, .. } => true,
        Change::Value { parts: Some(parts), .. } => !parts.made_anew.is_empty() && parts.only_live > 0,
        _ => false,
    };
    (secret.observed.as_ref().is_some_and(has_value) && secret.puts_current_value())
        || secret.changes.iter().any(now_generated)
}
