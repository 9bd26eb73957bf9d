//! The request rates that AWS documents for Secrets Manager, kept on our side per account and region: one table from
//! operation to the group whose quota it shares, and one from group to rate.
//!
//! Source: "AWS Secrets Manager quotas", request quotas. They are averages that several clients of an account share, so
//! staying below them avoids most throttling but not all; what remains is the SDK's adaptive retry.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// An operation that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    BatchGetSecretValue,
    CancelRotateSecret,
    CreateSecret,
    DeleteResourcePolicy,
    DeleteSecret,
    DescribeSecret,
    GetRandomPassword,
    GetResourcePolicy,
    GetSecretValue,
    ListSecretVersionIds,
    ListSecrets,
    PutResourcePolicy,
    PutSecretValue,
    RemoveRegionsFromReplication,
    ReplicateSecretToRegions,
    RestoreSecret,
    RotateSecret,
    StopReplicationToReplica,
    TagResource,
    UntagResource,
    UpdateSecret,
    UpdateSecretVersionStage,
    ValidateResourcePolicy,
}

/// Operations that share a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    List,
    Describe,
    GetValue,
    GetValues,
    ResourcePolicy,
    Update,
    Create,
    Delete,
    Restore,
    Tag,
    Rotate,
    Versions,
    Password,
}

impl Operation {
    /// The table: each operation once, with its name in the API and its group.
    const fn row(self) -> (&'static str, Group) {
        match self {
            Self::ListSecrets => ("ListSecrets", Group::List),
            Self::DescribeSecret => ("DescribeSecret", Group::Describe),
            Self::GetSecretValue => ("GetSecretValue", Group::GetValue),
            Self::BatchGetSecretValue => ("BatchGetSecretValue", Group::GetValues),
            Self::ListSecretVersionIds => ("ListSecretVersionIds", Group::Versions),
            Self::GetRandomPassword => ("GetRandomPassword", Group::Password),
            Self::GetResourcePolicy => ("GetResourcePolicy", Group::ResourcePolicy),
            Self::PutResourcePolicy => ("PutResourcePolicy", Group::ResourcePolicy),
            Self::DeleteResourcePolicy => ("DeleteResourcePolicy", Group::ResourcePolicy),
            Self::ValidateResourcePolicy => ("ValidateResourcePolicy", Group::ResourcePolicy),
            Self::PutSecretValue => ("PutSecretValue", Group::Update),
            Self::UpdateSecret => ("UpdateSecret", Group::Update),
            Self::UpdateSecretVersionStage => ("UpdateSecretVersionStage", Group::Update),
            Self::ReplicateSecretToRegions => ("ReplicateSecretToRegions", Group::Update),
            Self::RemoveRegionsFromReplication => ("RemoveRegionsFromReplication", Group::Update),
            Self::StopReplicationToReplica => ("StopReplicationToReplica", Group::Update),
            Self::TagResource => ("TagResource", Group::Tag),
            Self::UntagResource => ("UntagResource", Group::Tag),
            Self::RotateSecret => ("RotateSecret", Group::Rotate),
            Self::CancelRotateSecret => ("CancelRotateSecret", Group::Rotate),
            Self::RestoreSecret => ("RestoreSecret", Group::Restore),
            Self::CreateSecret => ("CreateSecret", Group::Create),
            Self::DeleteSecret => ("DeleteSecret", Group::Delete),
        }
    }

    /// Its name in the API.
    pub(super) const fn name(self) -> &'static str {
        self.row().0
    }
}

impl Group {
    const ALL: [Self; 13] = [
        Self::List,
        Self::Describe,
        Self::GetValue,
        Self::GetValues,
        Self::ResourcePolicy,
        Self::Update,
        Self::Create,
        Self::Delete,
        Self::Restore,
        Self::Tag,
        Self::Rotate,
        Self::Versions,
        Self::Password,
    ];

    /// Requests a second. None where AWS allows so many (40,000 DescribeSecret, 10,000 GetSecretValue) that no pace of
    /// ours is needed.
    const fn per_second(self) -> Option<NonZeroU32> {
        match self {
            Self::Describe | Self::GetValue => None,
            Self::List | Self::GetValues => NonZeroU32::new(100),
            Self::ResourcePolicy
            | Self::Update
            | Self::Create
            | Self::Delete
            | Self::Restore
            | Self::Tag
            | Self::Rotate
            | Self::Versions
            | Self::Password => NonZeroU32::new(50),
        }
    }
}

/// One account's and region's limiters.
#[derive(Debug)]
pub(super) struct Quotas(Vec<(Group, DefaultDirectRateLimiter)>);

impl Default for Quotas {
    fn default() -> Self {
        let limiter = |group: Group| Some((group, RateLimiter::direct(Quota::per_second(group.per_second()?))));
        Self(Group::ALL.into_iter().filter_map(limiter).collect())
    }
}

impl Quotas {
    /// Waits until the operation's next request fits the rate of its group.
    pub(super) async fn wait(&self, operation: Operation) {
        let (_, group) = operation.row();
        if let Some((_, limiter)) = self.0.iter().find(|(own, _)| *own == group) {
            limiter.until_ready().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_one_limiter_or_needs_none() {
        let Quotas(limiters) = Quotas::default();
        for group in Group::ALL {
            let own = limiters.iter().filter(|(limited, _)| *limited == group).count();
            assert_eq!(own, usize::from(group.per_second().is_some()), "{group:?}");
        }
    }

    #[test]
    fn the_four_operations_on_policies_share_fifty_a_second() {
        let (_, group) = Operation::GetResourcePolicy.row();
        for operation in
            [Operation::PutResourcePolicy, Operation::DeleteResourcePolicy, Operation::ValidateResourcePolicy]
        {
            assert_eq!(operation.row().1, group);
        }
        assert_eq!(group.per_second(), NonZeroU32::new(50));
    }
}
