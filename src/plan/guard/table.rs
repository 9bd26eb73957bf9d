//! The table of guards, in the order in which they are checked and told.

use super::{
    Flag, Guard, adopted_value, cancel_rotation, cloudformation, cross_account, empty_project, foreign, keeps_none,
    lock_out, max_changes, max_deletes, moved, other_targets, overwritten_replica, protected, public_policy,
    removed_replicas, rename_loses_value, restored, rotate_now, rotated_value, scope_changed, skipped_files,
    unnamed_account, unowned,
};

/// One line a guard.
static GUARDS: [&Guard; 34] = [
    &foreign::GUARD,
    &protected::DELETED,
    &unowned::GUARD,
    &unnamed_account::GUARD,
    &scope_changed::GUARD,
    &skipped_files::GUARD,
    &skipped_files::LEFT_OUT,
    &skipped_files::UNKNOWN,
    &skipped_files::DEFAULTS,
    &keeps_none::GUARD,
    &rename_loses_value::GUARD,
    &other_targets::LOSES_VALUE,
    &other_targets::NOT_IN_RUN,
    &moved::DELETES,
    &moved::COPIES,
    &cross_account::COPIES,
    &cross_account::ANYWHERE,
    &cross_account::REPLACES,
    &restored::GUARD,
    &cloudformation::GUARD,
    &public_policy::GUARD,
    &adopted_value::GUARD,
    &rotated_value::GUARD,
    &overwritten_replica::GUARD,
    &removed_replicas::GUARD,
    &other_targets::REPLICA,
    &cancel_rotation::CANCELLED,
    &cancel_rotation::DELETED,
    &rotate_now::GUARD,
    &protected::OVERWRITTEN,
    &lock_out::GUARD,
    &max_deletes::GUARD,
    &max_changes::GUARD,
    &empty_project::GUARD,
];

/// Every guard.
pub fn guards() -> impl Iterator<Item = &'static Guard> {
    GUARDS.iter().copied()
}

/// Every flag that overrides a guard, each once: two guards may share one.
pub fn flags() -> impl Iterator<Item = &'static Flag> {
    let flag = |at: usize| GUARDS[at].flag;
    let first = move |at: usize, name: &str| (0..at).filter_map(flag).all(|earlier| earlier.name != name);
    (0..GUARDS.len()).filter_map(move |at| flag(at).filter(|flag| first(at, flag.name)))
}
