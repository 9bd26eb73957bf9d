//! A secret would be adopted that a CloudFormation stack manages.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::live::LiveSecret;
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "adopt-cloudformation",
    flag: Some(&FLAG),
    words: "a secret would be adopted that a CloudFormation stack manages: the two would fight over it",
    check: Check::Secret(is_of_a_stack),
};

const FLAG: Flag = Flag::switch("allow-adopt-cloudformation", "Adopt secrets that a CloudFormation stack manages");

fn is_of_a_stack(target: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    let ours = target.desired.owner();
    let from_a_stack = |live: &LiveSecret| {
        !live.is_owned_by(&ours) && live.tags.keys().any(|key| key.as_str().starts_with("aws:cloudformation:"))
    };
    secret.observed.as_ref().is_some_and(from_a_stack)
}
