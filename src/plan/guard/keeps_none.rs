//! The run would keep none of what the project owns in a target: often a second folder with the same project name.

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::{Counts, SecretPlan};

pub(super) const GUARD: Guard = Guard {
    name: "keeps-none",
    flag: Some(&FLAG),
    words: "nothing of what this project owns here ({owned}) would stay managed: does another folder have the \
            same metadata.name?",
    check: Check::Target(check),
};

const FLAG: Flag = Flag::switch("allow-remove-all", "Remove everything that the project owns in a target");

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let Counts { desired, owned_by_all_shards, owned_kept, whole_scope, .. } = target.report.counts;
    // Over all shards; manifests outside a selection may keep something. What an empty project would remove is another
    // guard's business.
    let nothing_declared = desired == 0 && target.desired.secrets.is_empty();
    if nothing_declared || !whole_scope || owned_kept > 0 {
        return Vec::new();
    }
    let orphans = target.chosen(SecretPlan::is_pruned);
    if orphans.is_empty() { Vec::new() } else { vec![Refused::secrets(orphans).number("owned", owned_by_all_shards)] }
}
