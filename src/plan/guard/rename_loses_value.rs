//! A secret with a value would go, and one that looks like it would come without: a rename that loses the value.

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::looks_renamed;

pub(super) const GUARD: Guard = Guard {
    name: "rename-loses-value",
    flag: Some(&FLAG),
    words: "{from} would go with its value, and {to} would be there without that value: AWS cannot rename a secret; \
            `metadata.renamedFrom: {from}` in the manifest of {to} carries the value over",
    check: Check::Target(check),
};

pub(super) const FLAG: Flag = Flag::switch(
    "allow-lose-value",
    "Delete a secret with its value beside a new one that looks like it, or that is of another target",
);

fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    looks_renamed(target.plan, target.report, target.live)
        .into_iter()
        .map(|(to, from)| Refused::secrets(vec![from.clone()]).text("from", from.as_str()).text("to", to.as_str()))
        .collect()
}
