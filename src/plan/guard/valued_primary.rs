//! Whether a replica has a value to get from its primary in another account.

use super::{GuardedTarget, RunGuards};
use crate::desired::{DesiredSecret, OtherSecret};
use crate::domain::SecretName;
use crate::plan::SecretPlan;

/// Whether a secret is declared to be a replica of a primary that has a value, or gets git's in this run. A primary of
/// another project is not looked at: it counts as one that has a value.
pub(super) fn primary_has_value(replica: &DesiredSecret, run: &RunGuards<'_>) -> bool {
    match replica.other_primary() {
        None => false,
        Some(OtherSecret::Named { target, name }) => {
            run.targets.iter().find(|there| there.plan.target == *target).is_some_and(|there| is_valued(there, name))
        }
        Some(OtherSecret::Arn(arn)) => {
            let Some(parts) = arn.parts() else { return true };
            let of_project = run.targets.iter().find_map(|there| {
                let account = there.plan.account.as_ref().is_some_and(|account| *account == parts.account);
                let name = there.desired.secrets.keys().find(|name| parts.secret_name() == Some(name.as_str()))?;
                account.then(|| is_valued(there, name))
            });
            of_project.unwrap_or(true)
        }
    }
}

fn is_valued(target: &GuardedTarget<'_>, name: &SecretName) -> bool {
    let live = target.live.secrets.get(name).is_some_and(|secret| secret.current_version().is_some());
    let comes = |planned: &SecretPlan| planned.gets_value_of_git() || planned.carried().any(|version| version.current);
    live || target.plan.secrets.iter().filter(|planned| planned.name == *name).any(comes)
}
