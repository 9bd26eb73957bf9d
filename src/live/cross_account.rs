//! Replication between accounts, as DescribeSecret shows it from either side. ListSecrets shows nothing of it.

use std::collections::BTreeMap;

use super::ServiceError;
use crate::desired::OtherSecret;
use crate::domain::{AccountId, Arn, SecretName};

/// The links of one secret with secrets of other accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrossAccount {
    /// Of a replica: its primary (`CrossAccountPrimary`).
    pub primary: Option<LinkedPrimary>,
    /// Of a primary: its replicas by ARN (`CrossAccountReplicas`). AWS allows one.
    pub replicas: BTreeMap<Arn, LinkedReplica>,
}

impl CrossAccount {
    /// Of a replica: the ARN of its primary.
    pub fn primary_arn(&self) -> Option<&Arn> {
        self.primary.as_ref().map(|primary| &primary.arn)
    }

    /// Whether no link changes by itself.
    pub fn is_settled(&self) -> bool {
        let statuses = self.replicas.values().map(|replica| &replica.status);
        let mut statuses = statuses.chain(self.primary.iter().map(|primary| &primary.status));
        statuses.all(|status| *status == LinkStatus::InSync)
    }
}

/// The primary that a replica in another account names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedPrimary {
    /// Its ARN, as CreateSecret was given it.
    pub arn: Arn,
    /// How replication stands.
    pub status: LinkStatus,
}

/// A replica in another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedReplica {
    /// `ReplicationRoleARN`.
    pub role: Option<Arn>,
    /// How replication stands.
    pub status: LinkStatus,
}

/// `StatusType`, of replication between accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// The replica waits for the primary's owner to associate it. Only the replica shows this.
    Pending,
    /// The value is being copied.
    InProgress,
    /// The replica has the primary's value.
    InSync,
    /// It could not be copied.
    Failed {
        /// `StatusMessage`.
        message: String,
    },
    /// The other side has ended it.
    Detached,
}

/// A secret of another target that a manifest refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterpart {
    /// The account of that target, when it is known.
    pub account: Option<AccountId>,
    /// What is known of the secret.
    pub state: CounterpartState,
}

/// What is known of a secret of another target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterpartState {
    /// It is there.
    There {
        /// Its ARN.
        arn: Arn,
        /// The primary in another account whose replica it is.
        primary: Option<Arn>,
        /// Whether it is scheduled for deletion, or deleted by this run.
        leaving: bool,
    },
    /// This run has made it.
    Made {
        /// Its ARN.
        arn: Arn,
        /// The primary that its manifest makes it a replica of.
        primary: Option<OtherSecret>,
    },
    /// This run makes it, or deletes it and makes it anew.
    ToCome {
        /// The primary that its manifest makes it a replica of.
        primary: Option<OtherSecret>,
    },
    /// It is not there, and this run does not make it.
    Missing,
    /// Its target is no part of this run.
    NotInRun,
    /// It could not be asked for.
    Unreadable(ServiceError),
    /// Its target could not be reached.
    Unreached,
}

/// Secrets of other targets, by target and name.
pub type Counterparts = BTreeMap<(String, SecretName), Counterpart>;
