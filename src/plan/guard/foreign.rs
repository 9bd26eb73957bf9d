//! Manifests name secrets that other projects own.

use super::{Check, Guard, GuardedTarget, Refused, RunGuards};
use crate::plan::FindingKind;

pub(super) const GUARD: Guard = Guard {
    name: "foreign-owner",
    flag: None,
    words: "the secret belongs to {owner}: only that project may change or release it",
    check: Check::Target(check),
};

/// One refusal a secret: each may have another owner.
fn check(target: &GuardedTarget<'_>, _: &RunGuards<'_>) -> Vec<Refused> {
    let foreign = |finding: &crate::plan::Finding| match &finding.kind {
        FindingKind::Foreign { owner, whose: _ } => {
            Some(Refused::secrets(vec![finding.secret.clone()]).text("owner", owner.as_str()))
        }
        _ => None,
    };
    target.report.findings.iter().filter_map(foreign).collect()
}
