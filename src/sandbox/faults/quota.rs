//! The request quotas of Secrets Manager, for each account and region.
//!
//! The rates are the documented ones, by the groups in which they are documented. How the real service counts is not:
//! here each group is a bucket that holds the requests of one second and fills at its rate.

use crate::sandbox::state::Call;
use std::collections::HashMap;
use std::time::Instant;

/// A group of operations that share a quota, and its rate in requests for each second.
fn group(operation: &str) -> Option<(&'static str, f64)> {
    Some(match operation {
        "DeleteResourcePolicy" | "GetResourcePolicy" | "PutResourcePolicy" | "ValidateResourcePolicy" => {
            ("resource policies", 50.0)
        }
        "PutSecretValue"
        | "RemoveRegionsFromReplication"
        | "ReplicateSecretToRegions"
        | "StopReplicationToReplica"
        | "UpdateSecret"
        | "UpdateSecretVersionStage" => ("updates", 50.0),
        "TagResource" | "UntagResource" => ("tags", 50.0),
        "CancelRotateSecret" | "RotateSecret" => ("rotations", 50.0),
        "RestoreSecret" => ("RestoreSecret", 50.0),
        "CreateSecret" => ("CreateSecret", 50.0),
        "DeleteSecret" => ("DeleteSecret", 50.0),
        "GetRandomPassword" => ("GetRandomPassword", 50.0),
        "ListSecretVersionIds" => ("ListSecretVersionIds", 50.0),
        "ListSecrets" => ("ListSecrets", 100.0),
        "BatchGetSecretValue" => ("BatchGetSecretValue", 100.0),
        "DescribeSecret" => ("DescribeSecret", 40_000.0),
        "GetSecretValue" => ("GetSecretValue", 10_000.0),
        // No quota of Secrets Manager: the actions of STS, and what does not exist.
        _ => return None,
    })
}

/// What is left of each quota.
#[derive(Default)]
pub(crate) struct Quotas {
    buckets: HashMap<(String, String, &'static str), Bucket>,
}

struct Bucket {
    left: f64,
    filled: Instant,
}

impl Quotas {
    /// Counts a call; false if it is one too many.
    pub(crate) fn admit(&mut self, call: &Call, now: Instant) -> bool {
        let Some((group, rate)) = group(&call.operation) else { return true };
        let key = (call.account.clone(), call.region.clone(), group);
        let bucket = self.buckets.entry(key).or_insert(Bucket { left: rate, filled: now });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.left = (bucket.left + passed * rate).min(rate);
        bucket.filled = now;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sandbox::state::Outcome;

    fn call(operation: &str, region: &str) -> Call {
        Call {
            operation: operation.to_owned(),
            account: crate::sandbox::DEFAULT_ACCOUNT.to_owned(),
            region: region.to_owned(),
            secret: None,
            outcome: Outcome::Pending,
        }
    }

    #[test]
    fn a_group_shares_its_rate_and_fills_again() {
        let start = Instant::now();
        let mut quotas = Quotas::default();
        let admitted = (0..60).filter(|_| quotas.admit(&call("TagResource", "eu-west-1"), start)).count();
        assert_eq!(admitted, 50);
        assert!(!quotas.admit(&call("UntagResource", "eu-west-1"), start), "the other operation of the group");
        assert!(quotas.admit(&call("UntagResource", "us-east-1"), start), "another region");
        assert!(quotas.admit(&call("CreateSecret", "eu-west-1"), start), "another group");
        let later = start + Duration::from_millis(100);
        let admitted = (0..60).filter(|_| quotas.admit(&call("TagResource", "eu-west-1"), later)).count();
        assert_eq!(admitted, 5);
        assert!(quotas.admit(&call("GetCallerIdentity", "eu-west-1"), start));
    }
}
