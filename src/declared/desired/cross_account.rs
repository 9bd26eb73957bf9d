//! Replication of a value to another account, as manifests declare it from either side.
//!
//! Source: AssociateCrossAccountReplica and CreateSecret's `CrossAccountPrimaryARN`. A primary has at most one such
//! replica, in the same region and partition; the replica is a secret of its own, of which only the value follows.

use super::DesiredSecret;
use crate::domain::{Arn, SecretName};

/// The policy that AWS attaches to a replica of another account's secret, until it becomes a secret of its own.
pub const REPLICATION_POLICY: &str = "cross-account-replication";

/// A secret in another account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherSecret {
    /// By its full ARN.
    Arn(Arn),
    /// One of another target of the project.
    Named {
        /// The target.
        target: String,
        /// The name of the secret there.
        name: SecretName,
    },
}

/// The replica of a secret in another account (`spec.crossAccountReplica`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossAccountReplica {
    /// The replica.
    pub secret: OtherSecret,
    /// In whose account it may be.
    pub restriction: Restriction,
    /// `ReplicationRoleARN`: the role in the primary's account under which values are copied. Without one the caller's
    /// own rights count, of whoever changes the value.
    pub role: Option<Arn>,
}

impl DesiredSecret {
    /// The primary in another account that it is declared to be a replica of.
    pub fn other_primary(&self) -> Option<&OtherSecret> {
        self.cross_account_primary.as_ref()?.value.as_ref()
    }

    /// The replica in another account that it is declared to have.
    pub fn other_replica(&self) -> Option<&CrossAccountReplica> {
        self.cross_account_replica.as_ref()?.value.as_ref()
    }

    /// The secrets of other accounts that it is declared to be linked with.
    pub fn linked_with(&self) -> impl Iterator<Item = &OtherSecret> {
        self.other_primary().into_iter().chain(self.other_replica().map(|replica| &replica.secret))
    }

    /// Whether links with other accounts are declared, or that there is none.
    pub fn declares_links(&self) -> bool {
        self.cross_account_primary.is_some() || self.cross_account_replica.is_some()
    }
}

/// `ReplicaRestriction`: it cannot be read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restriction {
    /// The replica's account is in the primary's organization.
    #[default]
    SameOrg,
    /// Any account.
    NoRestriction,
}

impl Restriction {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameOrg => "SameOrg",
            Self::NoRestriction => "NoRestriction",
        }
    }
}
