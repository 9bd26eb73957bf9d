//! Something was passed over while manifests were read, or is not checked out: what it declares would look like
//! orphans. Defaults and Rules in it would not hold.

use std::collections::BTreeMap;

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::domain::SecretName;
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
    words: "secrets without a manifest would be removed although git has {file}, which this sparse checkout leaves \
            out: `git sparse-checkout add` its folder, or `disable`",
    check: Check::Target(check_left_out),
};

pub(super) const UNKNOWN: Guard = Guard {
    name: "checkout-unknown",
    flag: Some(&FLAG),
    words: "secrets without a manifest would be removed although it is not known whether this checkout leaves \
            manifests out: {why}",
    check: Check::Target(check_unknown),
};

pub(super) const DEFAULTS: Guard = Guard {
    name: "sparse-defaults",
    flag: Some(&FLAG),
    words: "secrets would be changed although git has {file}, which this sparse checkout leaves out, and which may \
            hold their Defaults or Rules: `git sparse-checkout add` its folder, or `disable`",
    check: Check::Target(check_defaults),
};

const FLAG: Flag = Flag::switch(
    "allow-skipped-files",
    "Remove orphans although files or folders among the manifests were passed over, or are not checked out, and change \
     secrets whose Defaults or Rules may be in such files",
);

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let pruned = target.chosen(SecretPlan::is_pruned);
    match target.desired.skipped.first() {
        Some(first) if !pruned.is_empty() => vec![Refused::secrets(pruned).text("skipped", first.as_str())],
        _ => Vec::new(),
    }
}

/// The secrets that go since no manifest names them, for whichever target.
fn undeclared(target: &GuardedTarget<'_>) -> Vec<SecretName> {
    target.chosen(|secret| secret.is_pruned() && secret.leaving.other_targets.is_none())
}

fn check_left_out(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    of_undeclared(target, "file", target.desired.left_out.manifest.as_ref())
}

fn check_unknown(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    of_undeclared(target, "why", target.desired.left_out.unknown.as_ref())
}

fn of_undeclared(target: &GuardedTarget<'_>, name: &'static str, fact: Option<&String>) -> Vec<Refused> {
    let Some(fact) = fact else { return Vec::new() };
    let secrets = undeclared(target);
    if secrets.is_empty() { Vec::new() } else { vec![Refused::secrets(secrets).text(name, fact.as_str())] }
}

fn check_defaults(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let mut by_file: BTreeMap<&str, Vec<SecretName>> = BTreeMap::new();
    for secret in &target.plan.secrets {
        let manifest = secret.origin.as_ref();
        if let Some(file) = manifest.and_then(|origin| target.desired.left_out.may_hold_for(&origin.file)) {
            by_file.entry(file).or_default().push(secret.name.clone());
        }
    }
    by_file.into_iter().map(|(file, secrets)| Refused::secrets(secrets).text("file", file)).collect()
}
