//! The request quotas of Secrets Manager, and the one of CloudTrail's LookupEvents, for each account and region.
//!
//! The rates are the documented ones, by the groups in which they are documented; which operation is in which group
//! stands in the table of operations. How the real service counts is not documented: here each group is a bucket that
//! holds the requests of one second and fills at its rate.

use std::collections::HashMap;
use std::time::Instant;

use crate::state::Call;

/// A group of operations that share a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum QuotaGroup {
    /// The five operations of resource policies (of ListResourcePolicies this is not documented).
    ResourcePolicies,
    /// New values, metadata and labels, and the operations of replication (of those between accounts this is not
    /// documented).
    Updates,
    Tags,
    Rotations,
    RestoreSecret,
    CreateSecret,
    DeleteSecret,
    GetRandomPassword,
    ListSecretVersionIds,
    ListSecrets,
    BatchGetSecretValue,
    DescribeSecret,
    GetSecretValue,
    /// Of CloudTrail: two requests a second.
    LookupEvents,
}

impl QuotaGroup {
    /// In requests a second.
    fn rate(self) -> f64 {
        match self {
            Self::ResourcePolicies
            | Self::Updates
            | Self::Tags
            | Self::Rotations
            | Self::RestoreSecret
            | Self::CreateSecret
            | Self::DeleteSecret
            | Self::GetRandomPassword
            | Self::ListSecretVersionIds => 50.0,
            Self::ListSecrets | Self::BatchGetSecretValue => 100.0,
            Self::DescribeSecret => 40_000.0,
            Self::GetSecretValue => 10_000.0,
            Self::LookupEvents => 2.0,
        }
    }
}

/// What is left of each quota.
#[derive(Default)]
pub(crate) struct Quotas {
    buckets: HashMap<(String, String, QuotaGroup), Bucket>,
}

struct Bucket {
    left: f64,
    filled: Instant,
}

impl Quotas {
    /// Counts a call; false if it is one too many.
    pub(crate) fn admit(&mut self, call: &Call, group: QuotaGroup, now: Instant) -> bool {
        let rate = group.rate();
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
    use crate::state::Outcome;

    fn call(region: &str) -> Call {
        Call {
            operation: "TagResource".to_owned(),
            account: crate::DEFAULT_ACCOUNT.to_owned(),
            region: region.to_owned(),
            secret: None,
            outcome: Outcome::Pending,
        }
    }

    #[test]
    fn a_group_has_its_rate_in_each_region_and_fills_again() {
        let start = Instant::now();
        let mut quotas = Quotas::default();
        let mut admitted =
            |group, region: &str, now| (0..60).filter(|_| quotas.admit(&call(region), group, now)).count();
        assert_eq!(admitted(QuotaGroup::Tags, "eu-west-1", start), 50);
        assert_eq!(admitted(QuotaGroup::Tags, "eu-west-1", start), 0, "it is used up");
        assert_eq!(admitted(QuotaGroup::Tags, "us-east-1", start), 50, "another region");
        assert_eq!(admitted(QuotaGroup::CreateSecret, "eu-west-1", start), 50, "another group");
        assert_eq!(admitted(QuotaGroup::Tags, "eu-west-1", start + Duration::from_millis(100)), 5);
    }
}
