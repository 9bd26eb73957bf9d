//! What the secrets of a plan cost, counted in what AWS bills: a secret is one, and so is each of its replicas; one
//! that is scheduled for deletion is free (the price page of Secrets Manager; "Delete a secret" in its user guide).

use super::{Change, Plan, ReplicaReason, SecretPlan, Verb};
use crate::domain::Region;
use crate::live::{LiveReplica, LiveSecret};

/// USD cents for a secret or a replica a month, AWS's list price outside China. API calls cost 0.05 USD for 10,000.
pub const LIST_PRICE_CENTS: u64 = 40;

/// When the list price was looked up.
pub const LIST_PRICE_DATE: &str = "2026-09-20";

impl Plan {
    /// How many more secrets and replicas are billed once the plan is carried out. What is adopted or released was
    /// billed before and stays billed.
    pub fn billed_change(&self) -> i64 {
        self.secrets
            .iter()
            .map(|secret| {
                let itself = match secret.verb {
                    Verb::Create | Verb::Restore => 1,
                    // The one whose place it takes is counted with the change.
                    Verb::Move => i64::from(secret.observed.as_ref().is_none_or(LiveSecret::is_scheduled_for_deletion)),
                    Verb::Delete => {
                        -i64::from(!secret.observed.as_ref().is_some_and(LiveSecret::is_scheduled_for_deletion))
                    }
                    Verb::Adopt | Verb::Change | Verb::Release => 0,
                };
                itself + secret.changes.iter().map(|change| of_change(secret, change)).sum::<i64>()
            })
            .sum()
    }
}

fn of_change(plan: &SecretPlan, change: &Change) -> i64 {
    // One that failed is not there.
    let there = |secret: Option<&LiveSecret>, region: &Region| {
        let live = secret.and_then(|secret| secret.replicas.get(region));
        i64::from(live.is_none_or(LiveReplica::is_billed))
    };
    let observed = plan.observed.as_ref();
    match change {
        Change::Moved { replicas, .. } => {
            let old = plan.moved_from().map(|from| &from.secret);
            -1 - replicas.iter().map(|region| there(old, region)).sum::<i64>()
        }
        Change::Deleted { replicas, .. } => -replicas.iter().map(|region| there(observed, region)).sum::<i64>(),
        Change::Replica { region, reason, .. } => match reason {
            ReplicaReason::Added | ReplicaReason::Failed { .. } => 1,
            ReplicaReason::Removed => -there(observed, region),
            ReplicaReason::KeyChanged => 1 - there(observed, region),
            // It takes the place of a secret.
            ReplicaReason::Overwrites { .. } => 0,
        },
        _ => 0,
    }
}
