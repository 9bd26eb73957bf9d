//! Something was passed over while manifests were read, or is not checked out: what it declares would look like orphans.

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "skipped-files",
    flag: Some(&FLAG),
    words: "secrets without a manifest would be removed although {skipped} was passed over: `keywright validate` says \
            what and why",
    check: Check::Target(check),
};

pub(super) const LEFT_OUT: Guard = Guard {
    name: "sparse-checkout",
    flag: Some(&FLAG),
    words: "secrets without a manifest would be removed although git has {file}, which this sparse checkout leaves out: \
            `git sparse-checkout add` its folder, or `disable`",
    check: Check::Target(check_left_out),
};

const FLAG: Flag = Flag::switch(
    "allow-skipped-files",
    "Remove orphans although files or folders among the manifests were passed over, or are not checked out",
);

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let pruned = target.chosen(SecretPlan::is_pruned);
    match target.desired.skipped.first() {
        Some(first) if !pruned.is_empty() => vec![Refused::secrets(pruned).text("skipped", first.as_str())],
        _ => Vec::new(),
    }
}

fn check_left_out(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let goes = |secret: &SecretPlan| secret.is_pruned() && secret.leaving.left_out.is_some();
    let file =
        target.plan.secrets.iter().filter(|secret| goes(secret)).find_map(|secret| secret.leaving.left_out.as_ref());
    file.map(|file| Refused::secrets(target.chosen(goes)).text("file", file.as_str())).into_iter().collect()
}
