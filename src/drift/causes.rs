//! What was changed of a secret, as far as a difference tells: what CloudTrail's events are looked through for.
//!
//! What git alone brought about was changed by nobody in AWS, and nobody is looked for.

use std::collections::BTreeSet;

use super::classify::Drift;
use super::difference::{Clue, Difference, Field, ValueDifference};
use crate::attribution::Changed;
use crate::desired::OWNER_TAG;
use crate::plan::LinkFinding;

impl Drift {
    /// What was changed, if that was in AWS: one of these is enough for this difference.
    pub fn changed(&self) -> BTreeSet<Changed> {
        of_difference(&self.what, self.current_version())
    }

    /// The version that is current and should not be.
    fn current_version(&self) -> Option<String> {
        self.hints.iter().find_map(|clue| match clue {
            Clue::CurrentVersion { version, .. } => Some(version.to_string()),
            Clue::LastChanged(_) | Clue::LastRotated(_) => None,
        })
    }
}

fn of_difference(what: &Difference, version: Option<String>) -> BTreeSet<Changed> {
    match what {
        Difference::Missing | Difference::ManagedMissing { .. } | Difference::ScheduledForDeletion => {
            [Changed::Deleted].into()
        }
        Difference::DeclaredAbsent | Difference::OfService { .. } | Difference::ManagedOtherwise { .. } => {
            [Changed::Created].into()
        }
        // It was made by somebody else, or its owner tag was taken off, or put on.
        Difference::NotAdopted
        | Difference::Unmanaged
        | Difference::OwnerTagCopied { .. }
        | Difference::Foreign { .. } => [Changed::Tag(OWNER_TAG.to_owned())].into(),
        Difference::TagsDoNotFit { .. } => [Changed::Tags].into(),
        Difference::LabelsDoNotFit { live_only, labels: _ } => {
            live_only.iter().map(|label| Changed::Label(label.to_string())).collect()
        }
        Difference::LabelNowhere { exists: false, .. } => [Changed::Deleted].into(),
        Difference::LabelNowhere { label, exists: true } => [Changed::Label(label.to_string())].into(),
        Difference::Fields(fields) => fields.iter().map(of_field).collect(),
        Difference::Value(value) | Difference::ValueHeldBack { value, version: _ } => of_value(*value, version),
        Difference::RotationStuck { .. } | Difference::RotationHeldBack { .. } | Difference::RotationOverdue { .. } => {
            [Changed::Rotation].into()
        }
        Difference::ReplicaFailed { region, message: _ } => [Changed::Replica(region.to_string())].into(),
        Difference::ReplicasKept { regions } => {
            regions.iter().map(|region| Changed::Replica(region.to_string())).collect()
        }
        Difference::ReplicasInProgress { .. } | Difference::ReplicasUndeclared { .. } => [Changed::Replicas].into(),
        Difference::Link(
            // What the other side ended is an event of the other account.
            LinkFinding::Failed { .. } | LinkFinding::InProgress { .. },
        )
        | Difference::LinksUndeclared { .. } => [Changed::Link].into(),
        Difference::PolicyUndeclared | Difference::OtherPolicies { .. } => [Changed::Policy].into(),
        Difference::Link(_)
        | Difference::Moves { .. }
        | Difference::MoveStopped { .. }
        | Difference::Orphaned { .. }
        | Difference::EqualReEncrypted
        | Difference::GeneratedFieldsChanged
        | Difference::ValueNotApplied
        | Difference::Unreadable { .. }
        | Difference::ValueUnreadable { .. }
        | Difference::OtherScope { .. }
        | Difference::OutsideScope { .. }
        | Difference::Replica { .. }
        | Difference::ReplicaBlocked { .. }
        | Difference::RotationWaitsForValue
        | Difference::AwaitsValue
        | Difference::DeletedPrincipal { .. }
        | Difference::NotCompared { .. } => BTreeSet::new(),
    }
}

fn of_field(field: &Field) -> Changed {
    match field {
        Field::Description => Changed::Description,
        Field::KmsKey => Changed::KmsKey,
        Field::Type => Changed::Type,
        Field::Tag(key) => Changed::Tag(key.to_string()),
        Field::Policy => Changed::Policy,
        Field::Label(label) => Changed::Label(label.to_string()),
        Field::Rotation => Changed::Rotation,
        Field::Replica(region) => Changed::Replica(region.to_string()),
        Field::CrossAccountPrimary | Field::CrossAccountReplica => Changed::Link,
        Field::Deletion => Changed::Deleted,
    }
}

fn of_value(value: ValueDifference, version: Option<String>) -> BTreeSet<Changed> {
    match value {
        ValueDifference::NotFromGit | ValueDifference::OtherVersion | ValueDifference::Differs => {
            [Changed::Value { version }].into()
        }
        // A label is told of as a field.
        ValueDifference::None
        | ValueDifference::NotGenerated
        | ValueDifference::NothingToKeep
        | ValueDifference::NotProven
        | ValueDifference::ChangedInGit
        | ValueDifference::NotThereForLabel => BTreeSet::new(),
    }
}
