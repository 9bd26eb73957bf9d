//! A secret with a value would go, and one that looks like it would come without, or with another one: a rename that
//! loses the value, or one that git takes back.

use super::valued_primary::primary_has_value;
use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::desired::DesiredSecret;
use crate::domain::SecretName;
use crate::plan::{Change, LeftBehind, Revival, Revived, SecretPlan, ValueReason, looks_renamed, revived};

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

/// A rename that git takes back.
const RESTORED: &str = "{from} would go with its value, and {to} would be restored with another version, the one of \
                        its deletion: `metadata.renamedFrom: {from}` in the manifest of {to} carries the value over";

/// Two that look alike may be two all the same: what is carried over from one of them is another one's value then.
const RESTORED_LIKE: &str = "{from} would go with its value, and {to}, which looks like it and would be restored, has \
                             another version, the one of its deletion: see which of the two is in use first; where \
                             both are one secret, `metadata.renamedFrom: {from}` in the manifest of {to} carries the \
                             value over";

const ADOPTED: &str = "{from} would go with its value, and {to}, which looks like it and would be adopted, has another \
                       version: see which of the two is in use first";

/// One of the two was made of the other.
const KEPT: &str = "{from} would go with its value, and {to}, which has another version of it, does not have that \
                    value: see which of the two is in use first";

/// The value of a replica is none that could be carried over.
const REPLICA: &str = "{from} would go with its value, and {to} would be a replica of a primary that has no value, or \
                       of which this run does not know it: put the value into the primary first";

/// A declared rename, and with it a value of which git does not hold all.
const MOVED: &str = "{from} would go with its current value, which only it has, and {to} takes its place with another \
                     one: change the value in a commit of its own to have both for a while";

fn check(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let refused = |from: &SecretName, to: &SecretName| {
        Refused::secrets(vec![from.clone()]).text("from", from.as_str()).text("to", to.as_str())
    };
    let without = looks_renamed(target.plan, target.report, target.live);
    let without = without.into_iter().filter_map(|(to, from)| {
        let replica = target.desired.secrets.get(to).filter(|secret| secret.other_primary().is_some());
        match replica {
            Some(replica) if primary_has_value(replica, run) => None,
            Some(_) => Some(refused(from, to).words(REPLICA)),
            None => Some(refused(from, to)),
        }
    });
    let left_behind = target.plan.secrets.iter().filter_map(|secret| {
        let desired = target.desired.secrets.get(&secret.name);
        let words = left_behind(secret, desired, run)?;
        Some(refused(&secret.moved_from()?.secret.name, &secret.name).words(words))
    });
    let other_value = revived_here(target).into_iter().map(|Revived { new, gone, how, shares }| {
        refused(gone, new).words(match how {
            Revival::Restored if shares => RESTORED,
            Revival::Restored => RESTORED_LIKE,
            Revival::Adopted => ADOPTED,
            Revival::Kept => KEPT,
        })
    });
    without.chain(left_behind).chain(other_value).collect()
}

/// In which words a value stays behind under an old name that git does not undo anyhow: one with generated parts in the
/// place of which git's comes, or any where the primary of a replica has none. One that is generated anew asks for a
/// flag of its own.
fn left_behind(secret: &SecretPlan, desired: Option<&DesiredSecret>, run: &RunGuards<'_>) -> Option<&'static str> {
    let current = secret.changes.iter().find_map(|change| match change {
        Change::Moved { left_behind, .. } => left_behind.iter().find_map(|left| match left {
            LeftBehind::CurrentValue(current) => Some(current),
            _ => None,
        }),
        _ => None,
    })?;
    if let Some(replica) = desired.filter(|desired| desired.other_primary().is_some()) {
        return (!primary_has_value(replica, run)).then_some(REPLICA);
    }
    let made_anew = secret.changes.iter().any(|change| match change {
        Change::Value { reason, .. } => {
            matches!(reason, ValueReason::NowGenerated { .. } | ValueReason::NothingToKeep { .. })
        }
        _ => false,
    });
    (current.is_generated() && !made_anew).then_some(MOVED)
}

/// The secrets that are there with another value than one that goes in this run. What another part of it deletes
/// counts in the part that restores or adopts: afterwards the one that deletes may not know of it any more.
fn revived_here<'a>(target: &GuardedTarget<'a>) -> Vec<Revived<'a>> {
    let &GuardedTarget { desired, live, plan, report } = target;
    let planned = |name: &SecretName| plan.secrets.iter().find(|secret| secret.name == *name);
    let here = plan.secrets.iter().filter(|secret| secret.is_removal()).filter_map(|secret| secret.observed.as_ref());
    let in_other_parts = report.deleted_in_other_shards.iter().filter_map(|name| live.secrets.get(name));
    let mut found = revived(desired, live, here.chain(in_other_parts), &report.same_of_git);
    found.retain(|Revived { new, gone, how: _, shares: _ }| {
        let planned_new = planned(new);
        let carries = planned_new.is_some_and(|secret| secret.carried().next().is_some());
        !carries && (planned_new.is_some() || !report.deleted_in_other_shards.contains(*gone))
    });
    found
}
