//! A policy would open a secret to everyone.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "public-policy",
    flag: Some(&FLAG),
    words: "the policy opens the secret to everyone, which Secrets Manager refuses too unless the manifest says \
            `blockPublicPolicy: false`",
    check: Check::Secret(opens_to_everyone),
};

pub(super) const FLAG: Flag = Flag::switch("allow-public-policy", "Put policies that open secrets to everyone");

fn opens_to_everyone(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.policy_to_put().is_some_and(crate::policy::PolicyDocument::grants_broad_access)
}
