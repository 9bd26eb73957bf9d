//! The request rates that AWS documents for Secrets Manager, kept on our side per account and region.
//!
//! Source: "AWS Secrets Manager quotas", request quotas. They are averages that several clients of an account share, so
//! staying below them avoids most throttling but not all; what remains is the SDK's adaptive retry.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Operations that share a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// ListSecrets: 100 a second.
    List,
    /// DescribeSecret: 40,000 a second, so no limit of ours.
    Describe,
    /// GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy and ValidateResourcePolicy: 50 a second together.
    ResourcePolicy,
    /// PutSecretValue, UpdateSecret, UpdateSecretVersionStage and the replication operations: 50 a second together.
    Update,
    /// CreateSecret, GetRandomPassword and ListSecretVersionIds have 50 a second each; this is CreateSecret's.
    Create,
    /// ListSecretVersionIds: 50 a second.
    Versions,
    /// GetRandomPassword: 50 a second.
    Password,
    /// BatchGetSecretValue: 100 a second.
    Values,
    /// DeleteSecret: 50 a second.
    Delete,
    /// RestoreSecret: 50 a second.
    Restore,
    /// TagResource and UntagResource: 50 a second together.
    Tag,
    /// RotateSecret and CancelRotateSecret: 50 a second together.
    Rotate,
}

/// One account's and region's limiters.
#[derive(Debug)]
pub(super) struct Quotas {
    list: DefaultDirectRateLimiter,
    policy: DefaultDirectRateLimiter,
    update: DefaultDirectRateLimiter,
    create: DefaultDirectRateLimiter,
    versions: DefaultDirectRateLimiter,
    password: DefaultDirectRateLimiter,
    values: DefaultDirectRateLimiter,
    delete: DefaultDirectRateLimiter,
    restore: DefaultDirectRateLimiter,
    tag: DefaultDirectRateLimiter,
    rotate: DefaultDirectRateLimiter,
}

const FIFTY: NonZeroU32 = NonZeroU32::new(50).unwrap();
const HUNDRED: NonZeroU32 = NonZeroU32::new(100).unwrap();

impl Default for Quotas {
    fn default() -> Self {
        let per_second = |rate| RateLimiter::direct(Quota::per_second(rate));
        Self {
            list: per_second(HUNDRED),
            policy: per_second(FIFTY),
            update: per_second(FIFTY),
            create: per_second(FIFTY),
            versions: per_second(FIFTY),
            password: per_second(FIFTY),
            values: per_second(HUNDRED),
            delete: per_second(FIFTY),
            restore: per_second(FIFTY),
            tag: per_second(FIFTY),
            rotate: per_second(FIFTY),
        }
    }
}

impl Quotas {
    /// Waits until the group's next request fits its rate.
    pub(super) async fn wait(&self, group: Group) {
        let limiter = match group {
            Group::Describe => return,
            Group::List => &self.list,
            Group::ResourcePolicy => &self.policy,
            Group::Update => &self.update,
            Group::Create => &self.create,
            Group::Versions => &self.versions,
            Group::Password => &self.password,
            Group::Values => &self.values,
            Group::Delete => &self.delete,
            Group::Restore => &self.restore,
            Group::Tag => &self.tag,
            Group::Rotate => &self.rotate,
        };
        limiter.until_ready().await;
    }
}
