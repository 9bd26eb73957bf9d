//! The request rates that AWS documents for Secrets Manager, and of CloudTrail's LookupEvents: one table from operation
//! to the group whose quota it shares, and one from group to rate. They are kept in `pace`.
//!
//! Source: "AWS Secrets Manager quotas", request quotas. They are averages that several clients of an account share, so
//! staying below them avoids most throttling but not all.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// Calls a second that AWS allows of the four operations on resource policies together, in one account and region.
pub const POLICY_CALLS_PER_SECOND: u32 = 50;

/// An operation that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    AssociateCrossAccountReplica,
    BatchGetSecretValue,
    CancelRotateSecret,
    CreateSecret,
    DeleteResourcePolicy,
    DeleteSecret,
    DescribeSecret,
    DisassociateCrossAccountReplica,
    /// Of STS.
    GetCallerIdentity,
    GetRandomPassword,
    GetResourcePolicy,
    GetSecretValue,
    ListResourcePolicies,
    ListSecretVersionIds,
    ListSecrets,
    /// Of CloudTrail.
    LookupEvents,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
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
    /// What STS allows is not documented; it is asked once a target.
    Identity,
    /// CloudTrail's event history.
    Events,
}

impl Operation {
    /// The table: each operation once, with its name in the API and its group.
    const fn row(self) -> (&'static str, Group) {
        match self {
            Self::ListSecrets => ("ListSecrets", Group::List),
            Self::DescribeSecret => ("DescribeSecret", Group::Describe),
            Self::GetSecretValue => ("GetSecretValue", Group::GetValue),
            Self::GetCallerIdentity => ("GetCallerIdentity", Group::Identity),
            Self::LookupEvents => ("LookupEvents", Group::Events),
            Self::BatchGetSecretValue => ("BatchGetSecretValue", Group::GetValues),
            Self::ListSecretVersionIds => ("ListSecretVersionIds", Group::Versions),
            Self::GetRandomPassword => ("GetRandomPassword", Group::Password),
            Self::GetResourcePolicy => ("GetResourcePolicy", Group::ResourcePolicy),
            Self::PutResourcePolicy => ("PutResourcePolicy", Group::ResourcePolicy),
            Self::DeleteResourcePolicy => ("DeleteResourcePolicy", Group::ResourcePolicy),
            Self::ValidateResourcePolicy => ("ValidateResourcePolicy", Group::ResourcePolicy),
            // What AWS allows of the operations of 2026 is not documented: they are counted with their like.
            Self::ListResourcePolicies => ("ListResourcePolicies", Group::ResourcePolicy),
            Self::AssociateCrossAccountReplica => ("AssociateCrossAccountReplica", Group::Update),
            Self::DisassociateCrossAccountReplica => ("DisassociateCrossAccountReplica", Group::Update),
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

    const ALL: [Self; 28] = [
        Self::AssociateCrossAccountReplica,
        Self::BatchGetSecretValue,
        Self::CancelRotateSecret,
        Self::CreateSecret,
        Self::DeleteResourcePolicy,
        Self::DeleteSecret,
        Self::DescribeSecret,
        Self::DisassociateCrossAccountReplica,
        Self::GetCallerIdentity,
        Self::GetRandomPassword,
        Self::GetResourcePolicy,
        Self::GetSecretValue,
        Self::ListResourcePolicies,
        Self::ListSecretVersionIds,
        Self::ListSecrets,
        Self::LookupEvents,
        Self::PutResourcePolicy,
        Self::PutSecretValue,
        Self::RemoveRegionsFromReplication,
        Self::ReplicateSecretToRegions,
        Self::RestoreSecret,
        Self::RotateSecret,
        Self::StopReplicationToReplica,
        Self::TagResource,
        Self::UntagResource,
        Self::UpdateSecret,
        Self::UpdateSecretVersionStage,
        Self::ValidateResourcePolicy,
    ];

    /// Its name in the API.
    pub(super) const fn name(self) -> &'static str {
        self.row().0
    }

    /// Its group.
    pub(super) const fn group(self) -> Group {
        self.row().1
    }
}

/// The seconds that AWS's quotas alone make these operations take in one account and region.
pub fn quota_seconds<'o>(operations: impl IntoIterator<Item = &'o str>) -> f64 {
    let mut calls: BTreeMap<Group, u32> = BTreeMap::new();
    for group in operations.into_iter().filter_map(Group::of) {
        *calls.entry(group).or_default() += 1;
    }
    let seconds = |(group, calls): (Group, u32)| Some(f64::from(calls) / f64::from(group.per_second()?.get()));
    calls.into_iter().filter_map(seconds).fold(0.0, f64::max)
}

impl Group {
    /// The group of the operation of this name.
    pub(super) fn of(operation: &str) -> Option<Self> {
        Operation::ALL.into_iter().find(|known| known.name() == operation).map(Operation::group)
    }

    pub(super) const ALL: [Self; 15] = [
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
        Self::Identity,
        Self::Events,
    ];

    /// Requests a second. None where AWS allows so many (40,000 DescribeSecret, 10,000 GetSecretValue) that no pace of
    /// ours is needed.
    pub(super) const fn per_second(self) -> Option<NonZeroU32> {
        match self {
            Self::Describe | Self::GetValue | Self::Identity => None,
            Self::List | Self::GetValues => NonZeroU32::new(100),
            Self::Events => NonZeroU32::new(2),
            Self::ResourcePolicy => NonZeroU32::new(POLICY_CALLS_PER_SECOND),
            Self::Update
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_operations_on_policies_share_fifty_a_second() {
        let group = Operation::GetResourcePolicy.group();
        for operation in
            [Operation::PutResourcePolicy, Operation::DeleteResourcePolicy, Operation::ValidateResourcePolicy]
        {
            assert_eq!(operation.group(), group);
        }
        assert_eq!(group.per_second(), NonZeroU32::new(50));
    }

    #[test]
    fn the_busiest_group_says_how_long_it_takes() {
        let calls = |name: &'static str, number: usize| std::iter::repeat_n(name, number);
        let of = |calls: &mut dyn Iterator<Item = &'static str>| quota_seconds(calls);
        assert!((of(&mut calls("TagResource", 100).chain(calls("UntagResource", 100))) - 4.0).abs() < 1e-9);
        assert!((of(&mut calls("CreateSecret", 100).chain(calls("PutSecretValue", 50))) - 2.0).abs() < 1e-9);
        assert!(of(&mut calls("DescribeSecret", 100)) < 1e-9, "no pace is needed");
    }
}
