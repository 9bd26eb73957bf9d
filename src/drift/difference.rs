//! What differs, and what is known of who did it: data, of which `render/drift/words.rs` makes words.

use jiff::Timestamp;

use super::class::Class;
use crate::desired::OtherOwner;
use crate::domain::{Arn, Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::plan::{LinkFinding, MadeBy, ValueReason};

/// What differs. Nothing in here moves by itself but the date of an overdue rotation, so that the same difference is
/// known again at the next look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A manifest names it, and it does not exist.
    Missing,
    /// A manifest has it take another one's place, and the other one is still there.
    Moves {
        /// The old name.
        from: SecretName,
    },
    /// The same, and something is in the way.
    MoveStopped {
        /// The old name.
        from: SecretName,
    },
    /// A manifest wants it, and it is scheduled for deletion.
    ScheduledForDeletion,
    /// It exists, and its manifest says `state: absent`.
    DeclaredAbsent,
    /// This target owns it, and no manifest names it.
    Orphaned {
        /// Whether an apply would delete or release it.
        pruned: bool,
        /// What the item of a list would say in its name that could make it.
        item: Option<String>,
    },
    /// A manifest names it, and it has no owner yet.
    NotAdopted,
    /// Fields other than the value.
    Fields(Vec<Field>),
    /// The value.
    Value(ValueDifference),
    /// The value was encrypted afresh in git, and is the live one.
    EqualReEncrypted,
    /// The value, and nothing is put while AWSPENDING is on another version.
    ValueHeldBack {
        /// How the value differs.
        value: ValueDifference,
        /// The version that holds AWSPENDING.
        version: VersionId,
    },
    /// Fields beside a generated one changed in git.
    GeneratedFieldsChanged,
    /// Git's value is not live, and is left alone since the secret was rotated once.
    ValueNotApplied,
    /// It could not be read.
    Unreadable {
        /// Why not, without the request's id, which moves; not escaped.
        reason: String,
    },
    /// The value could not be compared.
    ValueUnreadable {
        /// Why not; not escaped.
        reason: String,
    },
    /// Live and in scope, without an owner and without a manifest.
    Unmanaged,
    /// As unmanaged; its owner tag was copied from another secret.
    OwnerTagCopied {
        /// `project/target` as the tag names it.
        owner: String,
    },
    /// This target owns it under another scope prefix than today's.
    OtherScope {
        /// That prefix.
        prefix: String,
    },
    /// Owned by this project, and outside the scope.
    OutsideScope {
        /// `project/target` as the tag names it.
        owner: String,
    },
    /// Another project owns it.
    Foreign {
        /// The owner that its tag names.
        owner: String,
        /// What is known of that owner.
        whose: OtherOwner,
    },
    /// Its tags differ, and cannot be as declared: they would be too many.
    TagsDoNotFit {
        /// How many are live and stay.
        live: usize,
        /// How many more git asks for.
        added: usize,
    },
    /// Its labels differ, and cannot be as declared: they would be too many.
    LabelsDoNotFit {
        /// How many they would be.
        labels: usize,
        /// Those that are live, that its manifest does not name, and that stay.
        live_only: Vec<StagingLabel>,
    },
    /// A label is to be on a version that it does not have.
    LabelNowhere {
        /// The label.
        label: StagingLabel,
        /// Whether the secret exists.
        exists: bool,
    },
    /// An AWS service owns it.
    OfService {
        /// `OwningService`.
        service: String,
    },
    /// A manifest says that a service manages it, and it does not exist.
    ManagedMissing {
        /// The service.
        service: String,
    },
    /// A manifest says that a service manages it, and another one does, or none.
    ManagedOtherwise {
        /// The service of the manifest.
        declared: String,
        /// `OwningService`.
        owner: Option<String>,
    },
    /// It is a replica here.
    Replica {
        /// The region of its primary.
        primary: Region,
    },
    /// A replica could not be made.
    ReplicaFailed {
        /// Its region.
        region: Region,
        /// `StatusMessage`; not escaped.
        message: String,
    },
    /// A replica would destroy a secret that another project owns.
    ReplicaBlocked {
        /// Its region.
        region: Region,
        /// The owner of the secret there.
        owner: String,
    },
    /// A link with a secret of another account is not as declared, or not known to be.
    Link(LinkFinding),
    /// It is replicated with other accounts, which no manifest says (`--audit`).
    LinksUndeclared {
        /// The secrets there.
        others: Vec<Arn>,
        /// Whether their owners have ended that, and only what is left of it is there.
        ended: bool,
    },
    /// It has policies beside `default`, which no manifest can declare (`--audit`).
    OtherPolicies {
        /// Their names; not escaped.
        names: Vec<String>,
    },
    /// Replicas are being made.
    ReplicasInProgress {
        /// Their regions.
        regions: Vec<Region>,
    },
    /// It has replicas that git does not want, and that stay until the declared ones are in sync.
    ReplicasKept {
        /// Their regions.
        regions: Vec<Region>,
    },
    /// Rotation is declared otherwise than it is, and is left alone while AWSPENDING is on another version.
    RotationHeldBack {
        /// That version.
        version: VersionId,
    },
    /// Rotation is declared, and waits for a first value.
    RotationWaitsForValue,
    /// There is no value, and git leaves it to people.
    AwaitsValue,
    /// AWSPENDING stays on a version that is not current.
    RotationStuck {
        /// That version.
        version: VersionId,
        /// Of a replica of another account's secret: its primary, whose labels it has.
        primary: Option<Arn>,
    },
    /// The next rotation should have happened by now.
    RotationOverdue {
        /// By when.
        due: Timestamp,
    },
    /// It has a policy that git says nothing of.
    PolicyUndeclared,
    /// It has replicas that its manifest says nothing of.
    ReplicasUndeclared {
        /// Their regions.
        regions: Vec<Region>,
    },
    /// Its policy names a principal that was deleted.
    DeletedPrincipal {
        /// Which one and where, as the lint says it; not escaped.
        problem: String,
    },
    /// It was not compared, since it needs a secret that is not there.
    NotCompared {
        /// The secret that it needs.
        dependency: SecretName,
    },
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `description`.
    Description,
    /// `kmsKeyId`.
    KmsKey,
    /// `type`.
    Type,
    /// One tag.
    Tag(TagKey),
    /// `policy`.
    Policy,
    /// One staging label.
    Label(StagingLabel),
    /// `rotation`.
    Rotation,
    /// The replica in one region.
    Replica(Region),
    /// `crossAccountPrimary`.
    CrossAccountPrimary,
    /// `crossAccountReplica`.
    CrossAccountReplica,
    /// Its scheduled deletion.
    Deletion,
}

/// How a value differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueDifference {
    /// There is none yet.
    None,
    /// The current one did not come from git.
    NotFromGit,
    /// It is still the one that git held, and a generated one is declared.
    NotGenerated,
    /// It has another form than the generated one that is declared.
    NothingToKeep,
    /// Git's ciphertext is another one: that the values are equal is not proven.
    NotProven,
    /// The current one came from git, which holds another text now.
    ChangedInGit,
    /// Another version is current than the one in git.
    OtherVersion,
    /// The values were compared, and are not equal.
    Differs,
    /// Git's version is not there for its label.
    NotThereForLabel,
}

impl ValueDifference {
    /// The class that it is told in: what may be no difference at all has one of its own.
    pub(super) fn class(self) -> Class {
        match self {
            Self::NotProven => Class::ReEncrypted,
            Self::None
            | Self::NotFromGit
            | Self::NotGenerated
            | Self::NothingToKeep
            | Self::ChangedInGit
            | Self::OtherVersion
            | Self::Differs
            | Self::NotThereForLabel => Class::ValueChanged,
        }
    }

    pub(super) fn of(reason: &ValueReason) -> Self {
        match reason {
            ValueReason::First => Self::None,
            ValueReason::NotFromGit { .. } => Self::NotFromGit,
            ValueReason::NowGenerated { .. } => Self::NotGenerated,
            ValueReason::NothingToKeep { .. } => Self::NothingToKeep,
            ValueReason::ReEncryptedOrChanged { .. } => Self::NotProven,
            ValueReason::ChangedInGit { .. } => Self::ChangedInGit,
            ValueReason::Reverted { .. } => Self::OtherVersion,
            ValueReason::Differs { .. } => Self::Differs,
            ValueReason::ForLabel => Self::NotThereForLabel,
        }
    }
}

/// What is known of who did it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// What made the current version.
    CurrentVersion {
        /// Its id.
        version: VersionId,
        /// What made it, as far as that is known.
        made_by: MadeBy,
        /// Whether its value was compared with git's, and is another one: then an id that keywright gives proves
        /// nothing.
        differs: bool,
    },
    /// LastChangedDate.
    LastChanged(Timestamp),
    /// LastRotatedDate.
    LastRotated(Timestamp),
}
