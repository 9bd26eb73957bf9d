//! A secret that has readers would be rotated at once: often a flag left in the manifest from the day when rotation was
//! set up, while today only the schedule was edited.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::{Action, SecretPlan};

pub(super) const GUARD: Guard = Guard {
    name: "rotate-now",
    flag: Some(&FLAG),
    words: "a secret that is in use would be rotated at once, since its manifest says rotateImmediately",
    check: Check::Secret(rotates_what_is_in_use),
};

const FLAG: Flag = Flag::switch(
    "allow-rotate-now",
    "Rotate secrets at once that are in use, where their manifests say rotateImmediately",
);

fn rotates_what_is_in_use(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.in_use().is_some_and(|live| live.current_version().is_some())
        && secret.actions.iter().any(|action| matches!(action, Action::Rotate { immediately: true, .. }))
}
