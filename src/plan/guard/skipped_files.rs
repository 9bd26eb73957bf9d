//! Something was passed over while manifests were read: what it declares would look like orphans.

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "skipped-files",
    flag: Some(&FLAG),
    words: "secrets without a manifest would be removed although {skipped} was passed over: `keywright validate` says \
            what and why",
    check: Check::Target(check),
};

const FLAG: Flag = Flag::switch(
    "allow-skipped-files",
    "Remove orphans although files or folders among the manifests were passed over",
);

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let pruned = target.chosen(SecretPlan::is_pruned);
    match target.desired.skipped.first() {
        Some(first) if !pruned.is_empty() => vec![Refused::secrets(pruned).text("skipped", first.as_str())],
        _ => Vec::new(),
    }
}
