//! What an apply calls: a closed set, each with all that it needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::{Deletion, PolicyTemplate, SecretName, Template};

/// One writing call to the service, for the secret whose plan holds it.
///
/// Templates in here are resolved as far as the ARNs are known at plan time; what remains is filled in at apply, and
/// nothing else is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// RestoreSecret.
    Restore,
    /// CreateSecret. No value is sent with it.
    Create {
        /// `Description`, when there is one.
        description: Option<Template>,
        /// `KmsKeyId`, when it is not the default key.
        kms_key_id: Option<String>,
        /// `Tags`, the owner tag included.
        tags: BTreeMap<String, Template>,
    },
    /// UpdateSecret without a value, so that no version is minted.
    Update {
        /// `Description`; empty text clears it.
        description: Option<Template>,
        /// `KmsKeyId`.
        kms_key_id: Option<String>,
    },
    /// TagResource: new and changed keys.
    Tag {
        /// Key to value.
        tags: BTreeMap<String, Template>,
    },
    /// PutResourcePolicy, after ValidateResourcePolicy has passed.
    PutPolicy {
        /// `ResourcePolicy`.
        policy: PolicyTemplate,
        /// `BlockPublicPolicy`.
        block_public_policy: bool,
    },
    /// DeleteResourcePolicy.
    DeletePolicy,
    /// UntagResource: keys that go, never one that is to be set again.
    Untag {
        /// The keys.
        keys: BTreeSet<String>,
    },
    /// DeleteSecret.
    Delete {
        /// `RecoveryWindowInDays` or `ForceDeleteWithoutRecovery`.
        deletion: Deletion,
    },
}

impl Action {
    /// The operation that carries it out, as the API names it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Restore => "RestoreSecret",
            Self::Create { .. } => "CreateSecret",
            Self::Update { .. } => "UpdateSecret",
            Self::Tag { .. } => "TagResource",
            Self::PutPolicy { .. } => "PutResourcePolicy",
            Self::DeletePolicy => "DeleteResourcePolicy",
            Self::Untag { .. } => "UntagResource",
            Self::Delete { .. } => "DeleteSecret",
        }
    }

    /// The place in the order within one secret: restore, create, key and description, new and changed tags, policy,
    /// untag, and removal last of all.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Restore => 0,
            Self::Create { .. } => 1,
            Self::Update { .. } => 2,
            Self::Tag { .. } => 3,
            Self::PutPolicy { .. } | Self::DeletePolicy => 4,
            Self::Untag { .. } => 5,
            Self::Delete { .. } => 6,
        }
    }

    /// The secrets whose ARNs must be known before it can be called.
    pub fn references(&self) -> BTreeSet<SecretName> {
        let of = |template: &Template| template.references().cloned().collect::<Vec<_>>();
        match self {
            Self::Create { description, kms_key_id: _, tags } => {
                description.iter().chain(tags.values()).flat_map(of).collect()
            }
            Self::Update { description, kms_key_id: _ } => description.iter().flat_map(of).collect(),
            Self::Tag { tags } => tags.values().flat_map(of).collect(),
            Self::PutPolicy { policy, block_public_policy: _ } => policy.holes.values().flat_map(of).collect(),
            Self::Restore | Self::DeletePolicy | Self::Untag { .. } | Self::Delete { .. } => BTreeSet::new(),
        }
    }
}
