//! Live secrets as a Terraform state shows them, and the blocks that hand them over.
//!
//! A state holds values in clear text. Only the attributes that are needed are ever taken out of the text of the file;
//! `secret_string` and `secret_binary` are skipped while it is parsed, and errors quote nothing of it.

mod address;
mod attributes;
mod encoding;
mod flat;
mod parse;
mod removed;

use std::collections::BTreeMap;

pub use address::ResourceAddress;
pub(crate) use encoding::{MAX_STATE, plain_text};
pub use parse::{StateError, parse};
pub use removed::removed_blocks;

use crate::desired::Deletion;
use crate::domain::{AccountId, Region};
use crate::live::LiveSecret;

/// What a state says about secrets.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The secrets, in the order of the state.
    pub secrets: Vec<StateSecret>,
    /// The resources that make them up, in the order of the state.
    pub resources: Vec<StateResource>,
    /// What is about secrets and could not be taken.
    pub unread: Vec<Unread>,
}

/// Something in a state that is about a secret, and is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its address, as far as it can be told.
    pub address: String,
    /// Why it was not taken.
    pub why: Why,
}

/// Why something in a state could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It has no attributes.
    NoAttributes,
    /// Its ARN is missing, or is not that of a secret.
    Arn,
    /// It has no name, and its ARN shows none.
    Name,
    /// Its address, or that of its module, is none that Terraform takes.
    Address,
    /// Terraform is about to destroy it.
    Deposed,
    /// It belongs to a secret that is not in the state.
    SecretElsewhere,
    /// It is of a type that is not known here.
    UnknownType,
}

/// A secret of a state.
#[derive(Clone, Debug)]
pub struct StateSecret {
    /// Its address, for example `aws_secretsmanager_secret.svc["ledger"]`.
    pub address: String,
    /// The account and region in its ARN.
    pub account: AccountId,
    /// See `account`.
    pub region: Region,
    /// What Terraform knows of it.
    pub secret: LiveSecret,
    /// `recovery_window_in_days`; 0 is [`Deletion::Force`].
    pub deletion: Option<Deletion>,
}

/// A resource of a state, over all its instances and all instances of its modules.
#[derive(Clone, Debug)]
pub struct StateResource {
    /// Its address without any index.
    pub address: ResourceAddress,
    /// The instances: the full address, and the ARN of the secret that it belongs to.
    pub instances: BTreeMap<String, String>,
}

/// A type of resource that makes up secrets, in the order in which they are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// `aws_secretsmanager_secret_rotation`
    Rotation,
    /// `aws_secretsmanager_secret_policy`
    Policy,
    /// `aws_secretsmanager_secret_version`
    Version,
    /// `aws_secretsmanager_secret`
    Secret,
}

impl ResourceKind {
    fn of(name: &str) -> Option<Self> {
        [Self::Rotation, Self::Policy, Self::Version, Self::Secret].into_iter().find(|kind| kind.name() == name)
    }

    /// As Terraform names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotation => "aws_secretsmanager_secret_rotation",
            Self::Policy => "aws_secretsmanager_secret_policy",
            Self::Version => "aws_secretsmanager_secret_version",
            Self::Secret => "aws_secretsmanager_secret",
        }
    }
}

#[cfg(test)]
mod tests;
