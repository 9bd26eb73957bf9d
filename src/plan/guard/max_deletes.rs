//! More secrets would be deleted, or lose something for good, than allowed.

use super::{Check, Flag, FlagArgument, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "max-deletes",
    flag: Some(&FLAG),
    words: "{planned} of this run's secrets would be deleted, released or lose something for good, and \
            guards.maxDeletes allows {allowed}",
    check: Check::Target(check),
};

const FLAG: Flag = Flag {
    name: "max-deletes",
    help: "Most secrets that this run may delete, over all targets and parts [default: guards.maxDeletes of the \
        project]",
    argument: FlagArgument::Number { name: "NUMBER", max: u32::MAX },
};

fn check(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let destroyed = target.chosen(SecretPlan::is_destructive);
    // A limit holds for the run: over all its targets, and over the parts that other shards carry out.
    let of = |target: &GuardedTarget<'_>| {
        target.chosen(SecretPlan::is_destructive).len() + target.report.counts.removals_in_other_shards
    };
    let planned: usize = run.targets.iter().map(of).sum();
    let allowed = run.overrides.limit(&FLAG).unwrap_or(target.desired.guards.max_deletes);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    if planned <= allowed || destroyed.is_empty() {
        return Vec::new();
    }
    vec![Refused::secrets(destroyed).number("planned", planned).number("allowed", allowed).needs(planned)]
}
