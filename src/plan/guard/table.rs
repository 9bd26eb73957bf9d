//! The table of guards, in the order in which they are checked and told.

use super::{
    Flag, Guard, adopted_value, cloudformation, empty_project, foreign, lock_out, max_changes, max_deletes,
    overwritten_replica, protected, public_policy, rotate_now, unowned,
};

/// One line a guard.
static GUARDS: [&Guard; 13] = [
    &foreign::GUARD,
    &protected::DELETED,
    &unowned::GUARD,
    &cloudformation::GUARD,
    &public_policy::GUARD,
    &adopted_value::GUARD,
    &overwritten_replica::GUARD,
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
