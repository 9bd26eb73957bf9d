//! Values would be copied to another account, whose owners can read them and give them on.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::desired::Restriction;
use crate::plan::{Change, LinkReason, PlannedLink, SecretPlan};

pub(super) const COPIES: Guard = Guard {
    name: "cross-account-replica",
    flag: Some(&COPY),
    words: "the value of a secret, and each later one, would be copied to another account, whose owners decide who \
            reads it there",
    check: Check::Secret(is_linked),
};

const COPY: Flag =
    Flag::switch("allow-cross-account-replica", "Copy values to replicas in other accounts (crossAccountReplica)");

pub(super) const ANYWHERE: Guard = Guard {
    name: "replica-anywhere",
    flag: Some(&ANY),
    words: "a replica could be in an account of any organization (restriction: noRestriction)",
    check: Check::Secret(is_linked_anywhere),
};

const ANY: Flag = Flag::switch(
    "allow-replica-anywhere",
    "Copy values to accounts of other organizations (restriction: noRestriction)",
);

pub(super) const REPLACES: Guard = Guard {
    name: "replace-replica",
    flag: Some(&REPLACE),
    words: "a replica of another account's secret would be deleted at once and for good, and made anew: its readers \
            lose it until the new value is copied, and its ARN is another one then",
    check: Check::Secret(is_replaced),
};

const REPLACE: Flag =
    Flag::switch("allow-replace-replicas", "Delete replicas whose crossAccountPrimary changed, and make them anew");

fn is_replaced(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.is_replaced()
}

/// The link that is made, and why.
fn link(secret: &SecretPlan) -> Option<(&PlannedLink, &LinkReason)> {
    secret.changes.iter().find_map(|change| match change {
        Change::CrossAccountReplica { after: Some(link), reason, .. } => Some((link, reason)),
        _ => None,
    })
}

/// A link that failed may never have carried a value.
fn is_linked(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    link(secret).is_some_and(|(_, reason)| !matches!(reason, LinkReason::RoleChanged { .. }))
}

/// The restriction cannot be read back, so it is a new one each time.
fn is_linked_anywhere(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    link(secret).is_some_and(|(link, _)| link.restriction == Restriction::NoRestriction)
}
