//! More secrets would be deleted than allowed.

use super::{Check, Flag, FlagArgument, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "max-deletes",
    flag: Some(&FLAG),
    words: "{planned} secrets would be deleted, and guards.maxDeletes allows {allowed}",
    check: Check::Target(check),
};

const FLAG: Flag = Flag {
    name: "max-deletes",
    help: "Most secrets that this run may delete, per target [default: guards.maxDeletes of the project]",
    argument: FlagArgument::Number { name: "NUMBER", max: u32::MAX },
};

fn check(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let destroyed = target.chosen(destroys);
    let planned = destroyed.len();
    let allowed = run.overrides.limit(&FLAG).unwrap_or(target.desired.guards.max_deletes);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    if planned <= allowed {
        return Vec::new();
    }
    vec![Refused::secrets(destroyed).number("planned", planned).number("allowed", allowed).needs(planned)]
}

/// A secret that a replica overwrites is destroyed like a deleted one.
fn destroys(secret: &SecretPlan) -> bool {
    secret.is_removal() || secret.regions_overwritten().next().is_some()
}
