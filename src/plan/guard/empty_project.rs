//! The manifests want nothing at all, while the target holds secrets of this project: often the wrong folder.

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};

pub(super) const GUARD: Guard = Guard {
    name: "empty-project",
    flag: Some(&FLAG),
    words: "no manifest names a secret, while the target holds {owned} of this project: is it the right folder?",
    check: Check::Target(check),
};

const FLAG: Flag = Flag::switch("allow-empty", "Apply a project without any secret");

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let owned = target.report.counts.owned_live;
    if target.desired.secrets.is_empty() && owned > 0 && !target.plan.is_empty() {
        return vec![Refused::default().number("owned", owned)];
    }
    Vec::new()
}
