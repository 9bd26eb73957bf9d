//! Which operations can have made a change, and whether an event of one of them can be it.
//!
//! Sources: the API reference of Secrets Manager for what an operation changes, its page "Logging Secrets Manager
//! events with AWS CloudTrail" for the events of the service itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::event::TrailEvent;
use crate::collect::CollectSet as _;

/// Something that was changed of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// It was made.
    Created,
    /// It was deleted, or scheduled for that.
    Deleted,
    /// Its description.
    Description,
    /// Its KMS key.
    KmsKey,
    /// Its `Type`.
    Type,
    /// One tag, by its key.
    Tag(String),
    /// Its tags, whichever.
    Tags,
    /// Its resource policy.
    Policy,
    /// One staging label.
    Label(String),
    /// Its value.
    Value {
        /// The version that is current now, as far as it is known.
        version: Option<String>,
    },
    /// One version came to be, by its id.
    Version(String),
    /// Its rotation, or how one ended.
    Rotation,
    /// Its replica in one region.
    Replica(String),
    /// Its replicas, wherever.
    Replicas,
    /// A link with a secret of another account.
    Link,
}

impl Changed {
    /// The events that can be of such a change, by their names.
    pub fn event_names(&self) -> &'static [&'static str] {
        match self {
            Self::Created => &["CreateSecret"],
            Self::Deleted => &["DeleteSecret", "EndSecretVersionDelete"],
            Self::Description | Self::KmsKey | Self::Type => &["UpdateSecret", "CreateSecret"],
            Self::Tag(_) | Self::Tags => &["TagResource", "UntagResource", "CreateSecret"],
            Self::Policy => &["PutResourcePolicy", "DeleteResourcePolicy"],
            Self::Label(_) => &["UpdateSecretVersionStage", "PutSecretValue"],
            Self::Value { .. } => &[
                "PutSecretValue",
                "UpdateSecret",
                "UpdateSecretVersionStage",
                "RotationSucceeded",
                "RotateSecret",
                "CreateSecret",
            ],
            Self::Version(_) => &["PutSecretValue", "UpdateSecret", "RotateSecret", "CreateSecret"],
            Self::Rotation => {
                &["RotateSecret", "CancelRotateSecret", "RotationFailed", "RotationAbandoned", "DeleteSecret"]
            }
            Self::Replica(_) | Self::Replicas => &[
                "ReplicateSecretToRegions",
                "RemoveRegionsFromReplication",
                "StopReplicationToReplica",
                "CreateSecret",
            ],
            Self::Link => &[
                "AssociateCrossAccountReplica",
                "DisassociateCrossAccountReplica",
                "StopReplicationToReplica",
                "CreateSecret",
            ],
        }
    }

    /// Whether an event that is about the secret can be of this change. What an event leaves out excludes nothing but
    /// where its parameters are there, and say that it is of something else.
    pub(super) fn can_be(&self, event: &TrailEvent) -> bool {
        let name = event.name.as_str();
        if !self.event_names().contains(&name) {
            return false;
        }
        let Some(parameters) = event.parameters() else { return true };
        let has = |member: &str| parameters.get(member).is_some();
        match (self, name) {
            (Self::Description, "UpdateSecret") => has("description"),
            (Self::KmsKey, "UpdateSecret") => has("kmsKeyId"),
            (Self::Type, "UpdateSecret") => has("type"),
            (Self::Tag(key), "TagResource") => names(parameters.get("tags"), "key", key),
            (Self::Tag(key), "UntagResource") => names(parameters.get("tagKeys"), "", key),
            (Self::Label(label), "UpdateSecretVersionStage") => is(parameters.get("versionStage"), label),
            (Self::Label(label), "PutSecretValue") => {
                has("versionStages") && names(parameters.get("versionStages"), "", label)
            }
            (Self::Value { version }, "UpdateSecretVersionStage") => {
                let moves_to = |version: &String| is(parameters.get("moveToVersionId"), version);
                is(parameters.get("versionStage"), "AWSCURRENT") && version.as_ref().is_none_or(moves_to)
            }
            // The token is the id of the version that a call makes. Other labels may be put without AWSCURRENT.
            (Self::Value { version }, _) => {
                let makes = |version: &String| is(parameters.get("clientRequestToken"), version);
                let stages = parameters.get("versionStages");
                version.as_ref().is_none_or(makes) && (stages.is_none() || names(stages, "", "AWSCURRENT"))
            }
            (Self::Version(_), _) => self.names_version(event),
            (Self::Replica(region), "ReplicateSecretToRegions") => {
                names(parameters.get("addReplicaRegions"), "region", region)
            }
            (Self::Replica(region), "RemoveRegionsFromReplication") => {
                names(parameters.get("removeReplicaRegions"), "", region)
            }
            _ => true,
        }
    }

    /// Whether an event names the very version that this change is about: then it is one of those that made it, and
    /// events that name another version or none are not.
    pub(super) fn names_version(&self, event: &TrailEvent) -> bool {
        let (Self::Value { version: Some(version) } | Self::Version(version)) = self else { return false };
        let Some(parameters) = event.parameters() else { return false };
        ["clientRequestToken", "moveToVersionId"]
            .iter()
            .any(|member| parameters.get(member).and_then(Value::as_str) == Some(version))
    }
}

/// Whether a text is this one; what is no text may be.
fn is(value: Option<&Value>, text: &str) -> bool {
    value.and_then(Value::as_str).is_none_or(|value| value == text)
}

/// Whether a list names a text, in a member of its items or by the items themselves; what is no such list may.
fn names(list: Option<&Value>, member: &str, text: &str) -> bool {
    let Some(list) = list.and_then(Value::as_array) else { return true };
    let named =
        |item: &Value| if member.is_empty() { item.as_str() } else { item.get(member)?.as_str() }.map(str::to_owned);
    let items: BTreeSet<Option<String>> = list.iter().map(named).collect_set();
    items.contains(&None) || items.contains(&Some(text.to_owned()))
}
