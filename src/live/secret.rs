//! One live secret as List and Describe show it, and the snapshot of a target.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::desired::{OWNER_TAG, PROTECT_TAG, SecretName};
use crate::policy::PolicyDocument;

/// What one target holds, as far as it was looked at.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The twelve-digit account that the credentials belong to, when it was asked for.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// The secrets in scope, by name.
    pub secrets: BTreeMap<SecretName, LiveSecret>,
}

impl Live {
    /// The ARN of a secret, when it exists.
    pub fn arn(&self, name: &SecretName) -> Option<String> {
        self.secrets.get(name).map(|secret| secret.arn.clone())
    }
}

/// A live secret. No value is ever in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSecret {
    /// Its name.
    pub name: SecretName,
    /// Its ARN, with the six-character suffix.
    pub arn: String,
    /// Absent and empty are the same.
    pub description: Option<String>,
    /// As the service echoes it; absent for the account's `aws/secretsmanager` key.
    pub kms_key_id: Option<String>,
    /// All tags, AWS's own and keywright's included.
    pub tags: BTreeMap<String, String>,
    /// When it was scheduled for deletion; absent when it is not.
    pub deleted_at: Option<Timestamp>,
    /// The service that owns it (`OwningService`): read-only for everybody else.
    pub owning_service: Option<String>,
    /// The region of the primary secret, for replicas and for primaries that have replicas.
    pub primary_region: Option<String>,
    /// Version ids with their staging labels; versions without a label are not listed by the service.
    pub versions: BTreeMap<String, BTreeSet<String>>,
    /// `LastChangedDate`: for hints to people, never compared.
    pub last_changed: Option<Timestamp>,
    /// The resource policy, when it was read.
    pub policy: LivePolicy,
    /// Which call showed it.
    pub seen: Seen,
}

/// A live resource policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivePolicy {
    /// Nobody asked for it.
    NotRead,
    /// It cannot be read now, since the secret is scheduled for deletion.
    Unreadable,
    /// There is none.
    None,
    /// The document.
    Document(PolicyDocument),
    /// There is one that is not a JSON object: it differs from every wish.
    Unparsable(String),
}

/// Which call a [`LiveSecret`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// ListSecrets, which may lag by five minutes.
    Listed,
    /// DescribeSecret.
    Described,
}

impl LiveSecret {
    /// The owner that the tag `keywright:project` names.
    pub fn owner(&self) -> Option<&str> {
        self.tags.get(OWNER_TAG).map(String::as_str)
    }

    /// Whether keywright must not delete it.
    pub fn is_protected(&self) -> bool {
        self.tags.contains_key(PROTECT_TAG)
    }

    /// Whether it is a replica of a primary in another region than `region`.
    pub fn is_replica_in(&self, region: &str) -> bool {
        self.primary_region.as_deref().is_some_and(|primary| primary != region)
    }

    /// Whether it is scheduled for deletion.
    pub fn is_scheduled_for_deletion(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Whether a version holds AWSCURRENT.
    pub fn has_value(&self) -> bool {
        self.versions.values().any(|labels| labels.contains("AWSCURRENT"))
    }
}
