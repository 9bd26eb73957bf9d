//! A larger share of the project's live secrets would be changed than allowed.

use super::{Check, Flag, FlagArgument, Guard, GuardOverrides, GuardedTarget, Refused, RunGuards};
use crate::desired::Desired;
use crate::plan::{Counts, Plan, SecretPlan, Verb};

pub(super) const GUARD: Guard = Guard {
    name: "max-changes-percent",
    flag: Some(&FLAG),
    words: "of the {owned} live secrets {seen} would be changed, {planned} of them with a value: that is more than the \
            {allowed} % that guards.maxChangesPercent allows",
    check: Check::Target(check),
};

const FLAG: Flag = Flag {
    name: "max-changes-percent",
    help: "Largest share of owned live secrets that this run may change [default: guards.maxChangesPercent of the \
           project]",
    argument: FlagArgument::Number { name: "PERCENT", max: 100 },
};

const MOST_OF_IT: &str = "{removed} of the {owned} live secrets would be removed: that is most of them, and \
                          guards.maxChangesPercent allows {allowed} %";

/// Below this many owned secrets the share of changes says nothing: one of three is 33 %, and no accident.
const FEWEST_FOR_A_SHARE: usize = 10;

/// From this many orphans on, more than half of what is owned is too much whatever the size of the project.
const FEWEST_REMOVED: usize = 3;

/// Whether a plan may be refused for its share of what is owned, so that all that is owned must be known.
pub fn share_matters(desired: &Desired, overrides: &GuardOverrides, plan: &Plan) -> bool {
    let planned = plan.secrets.iter().filter(|secret| changes_what_is_in_use(secret)).count();
    let removed = plan.secrets.iter().filter(|secret| secret.is_pruned()).count();
    let allowed = allowed(desired, overrides);
    (allowed < 100 && removed >= FEWEST_REMOVED) || planned * 100 > FEWEST_FOR_A_SHARE * allowed
}

/// The largest share that may be changed, in percent.
fn allowed(desired: &Desired, overrides: &GuardOverrides) -> usize {
    let limit = overrides.limit(&FLAG).unwrap_or(u32::from(desired.guards.max_changes_percent));
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn check(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let Counts { owned_live: owned, owned_by_all_shards, removals_in_other_shards, .. } = target.report.counts;
    let planned = target.chosen(changes_what_is_in_use).len();
    let allowed = allowed(target.desired, run.overrides);
    let removed = target.chosen(SecretPlan::is_pruned).len();
    // Losing most of a small project is no small change.
    let removed_by_all = removed + removals_in_other_shards;
    let most_of_it =
        allowed < 100 && removed > 0 && removed_by_all >= FEWEST_REMOVED && removed_by_all * 2 > owned_by_all_shards;
    let share_counts = owned_by_all_shards >= FEWEST_FOR_A_SHARE && planned * 100 > owned * allowed;
    if !most_of_it && !share_counts {
        return Vec::new();
    }
    if most_of_it && planned < removed_by_all {
        // Without a value, or in other parts of the run: whether those have one is not known here.
        let refused = Refused::default()
            .number("removed", removed_by_all)
            .number("owned", owned_by_all_shards)
            .number("allowed", allowed);
        return vec![refused.words(MOST_OF_IT).needs(100)];
    }
    let owned = if most_of_it { owned_by_all_shards } else { owned };
    let seen = target.chosen(|secret| secret.verb != Verb::Create && secret.verb != Verb::Adopt).len().max(planned);
    let refused = Refused::default()
        .number("seen", seen)
        .number("planned", planned)
        .number("owned", owned)
        .number("allowed", allowed);
    vec![refused.needs(100)]
}

/// A change of a secret that holds a value. One without a value has no readers yet: completing what a killed apply left
/// half-made must not need a flag. Nor must a file that was encrypted afresh, which gives each of its values another id
/// and changes none.
fn changes_what_is_in_use(secret: &SecretPlan) -> bool {
    matches!(secret.verb, Verb::Change | Verb::Move | Verb::Delete | Verb::Release)
        && !secret.is_only_re_encrypted()
        && secret.in_use().is_some_and(|live| {
            // What a service manages is none of what is owned, which the share is of.
            live.current_version().is_some() && live.owning_service.is_none()
        })
}
