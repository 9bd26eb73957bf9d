//! A policy would shut out whoever puts it.

use super::{Check, Flag, Guard, GuardedTarget, Refused, RunGuards};
use crate::domain::AccountId;
use crate::live::Live;
use crate::plan::SecretPlan;
use crate::policy::{LintContext, LintedSecret, shuts_out};

pub(super) const GUARD: Guard = Guard {
    name: "lock-out",
    flag: Some(&FLAG),
    words: "the policy shuts out whoever would have to take it back: {how}",
    check: Check::Target(check),
};

pub(super) const FLAG: Flag = Flag::switch("allow-lock-out", "Put policies that shut out whoever puts them");

/// One refusal a secret: each policy shuts out in its own way.
fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let locked = |secret: &SecretPlan| {
        locks_out(target.live, secret).map(|how| Refused::secrets(vec![secret.name.clone()]).text("how", how))
    };
    target.plan.secrets.iter().filter_map(locked).collect()
}

/// How a policy that is put shuts the caller out, when it does for certain.
fn locks_out(live: &Live, secret: &SecretPlan) -> Option<String> {
    let policy = secret.policy_to_put()?;
    let linted = secret.observed.as_ref().map_or_else(
        || LintedSecret::Named {
            account: live.account.as_ref().map(AccountId::as_str),
            region: live.region.as_str(),
            name: secret.name.as_str(),
        },
        |observed| LintedSecret::Arn(observed.arn.as_str()),
    );
    let context = LintContext { secret: linted, caller: live.caller.as_deref() };
    shuts_out(policy, &context).map(|finding| finding.problem.message)
}
