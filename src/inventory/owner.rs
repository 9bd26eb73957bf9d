//! Who manages a secret.

use crate::live::{LiveSecret, Ownership};

/// The tag that CloudFormation writes to what it makes.
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// Who manages a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// This target of this project.
    Project(String),
    /// Another target or another project, by the tag `keywright:project`.
    OtherProject(String),
    /// A stack of CloudFormation.
    Stack(String),
    /// A service of AWS (`OwningService`).
    Service(String),
    /// Whoever manages its primary, in this region: AWS shows no tags of a replica.
    Primary(String),
    /// Nothing manages it, and a tag says whose it is.
    Tag(String),
    /// Nobody.
    Nobody,
}

impl Owner {
    /// Who manages a secret, seen from the target whose owner text is `ours`; `team` is whose it is by its tag,
    /// and `replica_of` the region of its primary.
    pub(super) fn of(secret: &LiveSecret, ours: &str, team: Option<&str>, replica_of: Option<&str>) -> Self {
        if let Some(service) = &secret.owning_service {
            return Self::Service(service.clone());
        }
        match secret.ownership(ours) {
            Ownership::Ours { .. } => return Self::Project(ours.to_owned()),
            Ownership::Foreign { owner } => return Self::OtherProject(owner.to_owned()),
            Ownership::Unowned | Ownership::Copied { .. } => {}
        }
        if let Some(region) = replica_of {
            return Self::Primary(region.to_owned());
        }
        match (secret.tags.get(STACK_TAG), team) {
            (Some(stack), _) => Self::Stack(stack.clone()),
            (None, Some(team)) => Self::Tag(team.to_owned()),
            (None, None) => Self::Nobody,
        }
    }

    /// The word for its kind.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Project(_) => "project",
            Self::OtherProject(_) => "other-project",
            Self::Stack(_) => "cloudformation",
            Self::Service(_) => "service",
            Self::Primary(_) => "primary",
            Self::Tag(_) => "tag",
            Self::Nobody => "nobody",
        }
    }

    /// Its name; nobody has none.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Project(name)
            | Self::OtherProject(name)
            | Self::Stack(name)
            | Self::Service(name)
            | Self::Primary(name)
            | Self::Tag(name) => Some(name),
            Self::Nobody => None,
        }
    }

    /// Whether nothing manages it: no project, no stack, no service.
    pub fn is_unmanaged(&self) -> bool {
        matches!(self, Self::Tag(_) | Self::Nobody)
    }
}
