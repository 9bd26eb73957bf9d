//! What a reader of a plan sees: the difference field by field, with the place that asks for it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::action::CarriedVersion;
use super::cross_account::{OtherArn, PlannedLink};
use super::revived::OtherValue;
use crate::desired::{Deletion, RotationSetup};
use crate::domain::{Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, VersionId, VersionOrigin, Window};
use crate::origin::Origin;
use crate::policy::PolicyDocument;
use crate::value::{DifferingParts, Source};

/// One difference between the desired state and what is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The description.
    Description {
        /// What is live; none when absent or empty.
        before: Option<String>,
        /// What will be; none clears it.
        after: Option<PlannedText>,
        /// Where it is declared.
        origin: Origin,
    },
    /// The KMS key; none stands for the account's `aws/secretsmanager` key.
    KmsKey {
        /// What is live, as the service echoes it.
        before: Option<KmsKey>,
        /// What will be, as written.
        after: Option<KmsKey>,
        /// Where it is declared.
        origin: Origin,
    },
    /// The partner of a managed external secret.
    Type {
        /// What is live.
        before: Option<String>,
        /// What will be; none clears it.
        after: Option<String>,
        /// Where it is declared.
        origin: Origin,
    },
    /// Rotation.
    Rotation {
        /// Who rotates now, and when; none when it is off.
        before: Option<RotationSetup>,
        /// Who will, and when; none switches it off.
        after: Option<RotationSetup>,
        /// What the function does as soon as this is applied.
        run: RotationRun,
        /// Whether the rotation that was scheduled before may still happen.
        earlier_may_run: bool,
        /// The first window of a new schedule that can be told: that of a cron expression, and of an interval where a
        /// rotation starts at once.
        next: Option<Window>,
        /// Where it is declared.
        origin: Origin,
    },
    /// One replica.
    Replica {
        /// Its region.
        region: Region,
        /// Its key now, when there is a replica.
        before: Option<ReplicaKey>,
        /// Its key then, when there will be one.
        after: Option<ReplicaKey>,
        /// Why.
        reason: ReplicaReason,
        /// Where it is declared.
        origin: Origin,
    },
    /// Whose replica it is, of a secret in another account.
    CrossAccountPrimary {
        /// Its primary now.
        before: Option<Arn>,
        /// Its primary then; none makes it a secret of its own.
        after: Option<OtherArn>,
        /// Where it is declared.
        origin: Origin,
    },
    /// Its replica in another account.
    CrossAccountReplica {
        /// The replica that gets no more values.
        before: Option<Arn>,
        /// The replica that values are copied to.
        after: Option<PlannedLink>,
        /// Why.
        reason: LinkReason,
        /// Where it is declared.
        origin: Origin,
    },
    /// One tag.
    Tag {
        /// Its key.
        key: TagKey,
        /// What is live.
        before: Option<String>,
        /// What will be; none removes the tag.
        after: Option<PlannedText>,
        /// Where it is declared; none for keywright's own tags.
        origin: Option<Origin>,
    },
    /// The resource policy.
    Policy {
        /// What is live.
        before: Box<PlannedPolicy>,
        /// What will be; [`PlannedPolicy::None`] deletes it.
        after: Box<PlannedPolicy>,
        /// Where it is declared.
        origin: Origin,
    },
    /// The value. Never what it is, but for text that the manifest holds in the clear.
    Value {
        /// Why it is put.
        reason: ValueReason,
        /// Where it comes from.
        source: Source,
        /// Whether generated parts that are live stay as they are.
        generated_kept: bool,
        /// Whether an equal value mints no version, and the tag `keywright:value` says so from then on.
        noted: bool,
        /// What of it is no secret: text that the manifest holds.
        text: Option<PublicText>,
        /// Which parts differ from the live ones, where both were read and it is made of parts.
        parts: Option<DifferingParts>,
        /// Where it is declared.
        origin: Origin,
    },
    /// A custom staging label.
    Label {
        /// The label.
        label: StagingLabel,
        /// The version that holds it now.
        before: Option<VersionId>,
        /// The version that will hold it; none stands for the version that git's value gets.
        after: Option<VersionId>,
        /// Where it is declared.
        origin: Origin,
    },
    /// A custom staging label that goes.
    LabelRemoved {
        /// The label.
        label: StagingLabel,
        /// The version that holds it; without any label left, Secrets Manager may remove the version.
        before: VersionId,
        /// Where it is declared that there are no labels.
        origin: Origin,
    },
    /// The secret takes the place of another one, which goes once this one is verified.
    Moved {
        /// The old name.
        from: SecretName,
        /// How the old secret is deleted.
        deletion: Deletion,
        /// The regions whose replicas of the old secret go first.
        replicas: BTreeSet<Region>,
        /// The old secret is rotated, and is not any more.
        rotates: bool,
        /// What the old secret has, and the new one will not have.
        left_behind: Vec<LeftBehind>,
        /// Where it is declared.
        origin: Origin,
    },
    /// A version whose value comes along from the old name. Never what it is.
    Carried {
        /// The version.
        version: CarriedVersion,
        /// Whether it is there already, and is only compared.
        there: bool,
        /// The new secret's current version, where that is a newer value and stays.
        stays: Option<VersionId>,
        /// Where the rename is declared.
        origin: Origin,
    },
    /// The scheduled deletion is cancelled.
    Restored {
        /// The deletion switched rotation off, and no manifest says that it shall be on.
        rotation_stays_off: bool,
        /// A secret with another value that goes, or that no manifest names any more.
        other_value: Option<OtherValue>,
    },
    /// The secret is deleted.
    Deleted {
        /// How.
        deletion: Deletion,
        /// The regions whose replicas go with it, at once and for good.
        replicas: BTreeSet<Region>,
        /// Secrets of other accounts that it is linked with; the links end first.
        linked: BTreeSet<Arn>,
        /// Rotation is on, and is switched off at once: cancelling the deletion does not switch it on again.
        rotates: bool,
    },
}

impl Change {
    /// The label that is taken off a version, and that version.
    pub fn label_taken(&self) -> Option<(&StagingLabel, &VersionId)> {
        match self {
            Self::LabelRemoved { label, before, .. } | Self::Label { label, before: Some(before), .. } => {
                Some((label, before))
            }
            _ => None,
        }
    }
}

/// What an old secret has, that no manifest declares, and that the one which takes its place will not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftBehind {
    /// Its current version, of which git does not hold all: git's own value is put, or a primary's comes.
    CurrentValue(VersionId),
    /// A version that does not come along, with the labels of people that are on it.
    Labelled(VersionId, BTreeSet<StagingLabel>),
    /// So many versions beside those that come along.
    OlderVersions(usize),
    /// Its description.
    Description,
    /// Its KMS key: the new one is encrypted with the account's default key.
    KmsKey(KmsKey),
    /// Tags.
    Tags(Vec<TagKey>),
    /// Its resource policy.
    Policy,
    /// Its rotation.
    Rotation,
    /// Its replicas.
    Replicas(Vec<Region>),
    /// The tag that keeps it from being deleted.
    Protection,
}

/// What a rotation function does as soon as a secret is put under its rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationRun {
    /// Nothing: rotation is switched off, or a service rotates.
    Nothing,
    /// Its testSecret step, on a version that is removed again.
    TestOnly,
    /// All its steps: the secret gets a new value.
    Now,
}

/// The key of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaKey {
    /// The region's own key for Secrets Manager.
    Default,
    /// This one.
    Named(KmsKey),
}

impl ReplicaKey {
    /// The key, where it is not the region's own.
    pub fn named(&self) -> Option<&KmsKey> {
        match self {
            Self::Default => None,
            Self::Named(key) => Some(key),
        }
    }
}

impl From<Option<KmsKey>> for ReplicaKey {
    fn from(key: Option<KmsKey>) -> Self {
        key.map_or(Self::Default, Self::Named)
    }
}

/// Why a link with another account is made or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkReason {
    /// There is none yet.
    Added,
    /// It is not declared any more.
    Removed,
    /// Another replica is declared.
    Replaced,
    /// Its owner has ended it: nothing is copied any more, and what is left of it goes.
    Ended,
    /// Another role is declared.
    RoleChanged {
        /// The role now.
        before: Option<Arn>,
    },
    /// The value could not be copied; associating again repairs that.
    Failed {
        /// `StatusMessage`.
        message: String,
    },
}

/// Why a replica is made or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaReason {
    /// There is none in its region.
    Added,
    /// There is none in its region, and a secret there is destroyed for it.
    Overwrites {
        /// The regions of that secret's own replicas.
        replicas: BTreeSet<Region>,
    },
    /// No manifest wants it.
    Removed,
    /// Its key is another one: it is removed, and made anew.
    KeyChanged,
    /// It could not be made, and is tried again.
    Failed {
        /// `StatusMessage`.
        message: String,
    },
}

/// A text of a manifest that is put in the place of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicText {
    /// What git held when the live version was made, where that is known: only `--read-values` tells.
    pub before: Option<String>,
    /// What the manifest holds.
    pub after: String,
}

/// Why a value is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueReason {
    /// The secret has none.
    First,
    /// The current version did not come from git, and is undone.
    NotFromGit {
        /// The version that is undone.
        undone: UndoneVersion,
        /// Whether git's version is still there and only becomes current again; else git's value is put afresh.
        moved_back: bool,
        /// Whether it was read, and is another value than git's; else an equal one is seen when git's is put.
        compared: bool,
    },
    /// The live value came from git, and the manifest now asks for a generated one, or for generated parts.
    NowGenerated {
        /// The current version's id.
        current: VersionId,
    },
    /// The live value has another form than the generated one that the manifest asks for: a whole one in the place of a
    /// JSON object, or the other way round. Nothing of it can be kept.
    NothingToKeep {
        /// The current version's id.
        current: VersionId,
    },
    /// The current version came from git, and git's ciphertext is another one now: the value was changed, or encrypted
    /// afresh. Which of the two is seen when it is put.
    ReEncryptedOrChanged {
        /// The current version's id.
        current: VersionId,
    },
    /// The current version came from git, and git's text is another one now: nothing of it is encrypted.
    ChangedInGit {
        /// The current version's id.
        current: VersionId,
    },
    /// Git went back to a value that the service still has.
    Reverted {
        /// The current version's id.
        current: VersionId,
    },
    /// The live value was read, and is another one.
    Differs {
        /// The current version's id.
        current: VersionId,
    },
    /// A label needs the version of git's value, which is not current.
    ForLabel,
}

/// A version that git did not make, and that git's replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneVersion {
    /// Its id.
    pub id: VersionId,
    /// What made it, as far as that is known.
    pub made_by: MadeBy,
    /// When it was made (ListSecretVersionIds, `CreatedDate`); none when that was not asked for.
    pub made: Option<Timestamp>,
}

/// What made a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeBy {
    /// A rotation: it was made just before the rotation that ended last.
    Rotation,
    /// What its id tells.
    Named(VersionOrigin),
}

/// Text that will be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedText {
    /// The text, with a note in the place of each ARN that is not known yet.
    pub text: String,
    /// Whether all of it is known.
    pub known: bool,
}

/// A policy before or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedPolicy {
    /// There is none.
    None,
    /// It cannot be read, since the secret is scheduled for deletion.
    Unreadable,
    /// It is not a JSON object; its text.
    Unparsable(String),
    /// The document, and whether every ARN in it is known.
    Document {
        /// The document, with a note in the place of each ARN that is not known yet.
        policy: PolicyDocument,
        /// Whether all of it is known.
        known: bool,
    },
}
