//! What planning found: the part of its answer that is not an action.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::change::ValueReason;
use super::cross_account::LinkFinding;
use super::rename::Seeded;
use super::value_facts::SameOfGit;
use super::{AwaitingValue, Counts, LeftItem};
use crate::collect::CollectSet as _;
use crate::desired::OtherOwner;
use crate::domain::{Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{PolicyProblem, ServiceError};
use crate::origin::Origin;
use crate::value::Edges;

/// What a plan does not say: findings, and how many secrets are as they should be.
#[derive(Clone, Debug, Default)]
#[must_use = "a plan without its report hides what was not planned"]
pub struct PlanReport {
    /// Findings, by secret.
    pub findings: Vec<Finding>,
    /// Counts over the target.
    pub counts: Counts,
    /// Secrets that manifests name, and that have no value now and get none of git's.
    pub without_value: BTreeSet<SecretName>,
    /// Secrets that manifests name, and that have no value now and get git's as a seed for another owner.
    pub seeded: BTreeMap<SecretName, Seeded>,
    /// Secrets whose value git leaves to people, and which have none. They are counted apart: with
    /// nothing to do for an apply they are not done.
    pub awaiting: Vec<AwaitingValue>,
    /// Secrets that other shards of this run would delete.
    pub deleted_in_other_shards: BTreeSet<SecretName>,
    /// Versions of two secrets that have one value of git's, under an id for each name.
    pub same_of_git: SameOfGit,
}

impl PlanReport {
    /// Secrets that a manifest names and that could not be read.
    pub fn declared_unreadable(&self) -> usize {
        let unreadable =
            |finding: &&Finding| finding.origin.is_some() && matches!(finding.kind, FindingKind::Unreadable { .. });
        self.findings.iter().filter(unreadable).count()
    }

    /// Secrets that could not be read, and those of which the value alone could not be compared.
    pub fn unreadable(&self) -> (usize, usize) {
        let named = |is: &dyn Fn(&FindingKind) -> bool| {
            let found = self.findings.iter().filter(|finding| is(&finding.kind));
            found.map(|finding| &finding.secret).collect_set()
        };
        let secrets = named(&|kind| matches!(kind, FindingKind::Unreadable { .. }));
        let values = named(&|kind| matches!(kind, FindingKind::ValueUnreadable { .. }));
        (secrets.len(), values.difference(&secrets).count())
    }

    /// Secrets that a manifest names and that are left alone for an error of theirs, while the others go on.
    pub fn declared_refused(&self) -> usize {
        self.findings.iter().filter(|finding| finding.origin.is_some() && finding.refuses_secret_alone()).count()
    }

    /// Whether a finding makes the plan unfit to be applied. Foreign owners are a guard's business.
    pub fn has_blockers(&self) -> bool {
        self.findings.iter().any(|finding| {
            finding.severity() == Severity::Error
                && !finding.is_failure()
                && !finding.refuses_secret_alone()
                && !matches!(finding.kind, FindingKind::Foreign { .. })
        })
    }
}

/// Something that a reader of the plan should know about one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The secret.
    pub secret: SecretName,
    /// Where its manifest names it, when there is one.
    pub origin: Option<Origin>,
    /// What was found.
    pub kind: FindingKind,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// Live and in scope, without an owner, and no manifest names it.
    Unmanaged {
        /// LastChangedDate.
        last_changed: Option<Timestamp>,
    },
    /// Its tags would be more than a secret has, since those that are live stay: nothing is planned for it.
    TooManyTags {
        /// How many are live and stay, AWS's own not counted.
        live: usize,
        /// How many more git asks for, keywright's own included.
        added: usize,
        /// The keys that are live, that the manifest does not name, and that stay.
        live_only: Vec<TagKey>,
    },
    /// Its versions would have more labels together than a secret has, since those that are live stay: nothing is
    /// planned for it.
    TooManyLabels {
        /// How many they would be, those that the service itself moves included.
        labels: usize,
        /// Those that are live, that the manifest does not name, and that stay.
        live_only: Vec<StagingLabel>,
    },
    /// A label is to be on a version that the secret does not have: nothing is planned for it.
    LabelNowhere {
        /// The label.
        label: StagingLabel,
        /// The version's id, as the manifest gives it.
        version: VersionId,
        /// Whether the secret exists.
        exists: bool,
    },
    /// Live and in scope, and no manifest names it; its owner tag was written for another secret, and owns nothing.
    CopiedTag {
        /// `project/target` as the tag names it.
        owner: String,
        /// LastChangedDate.
        last_changed: Option<Timestamp>,
    },
    /// Owned by this target, and no manifest names it; it was applied under another scope prefix than today's, so
    /// whether it left git cannot be told here. It is never touched.
    OtherScope {
        /// The scope prefix under which it was applied.
        prefix: String,
    },
    /// Owned by this target, or by a target of this project that is no longer there, under a name outside the scope.
    OwnedOutsideScope {
        /// `project/target` as the tag names it.
        owner: String,
    },
    /// Owned by this target, and no manifest names it any more; `prune` is `report`.
    Orphaned {
        /// LastChangedDate.
        last_changed: Option<Timestamp>,
        /// The item of a list that would give its name.
        left: Option<LeftItem>,
    },
    /// A manifest names a secret that another project owns.
    Foreign {
        /// The owner that its tag names.
        owner: String,
        /// What is known of that owner.
        whose: OtherOwner,
    },
    /// In scope, owned by another project, and no manifest here names it.
    ForeignInScope {
        /// The owner that its tag names.
        owner: String,
        /// What is known of that owner.
        whose: OtherOwner,
    },
    /// A manifest names a secret that an AWS service owns.
    OwnedByService {
        /// `OwningService`.
        service: String,
    },
    /// A manifest says that a service manages the secret, and there is none: only the service makes it.
    ManagedMissing {
        /// The service.
        service: String,
    },
    /// A manifest says that a service manages the secret, and another one does, or none.
    ManagedOtherwise {
        /// The service of the manifest.
        declared: String,
        /// `OwningService`.
        owner: Option<String>,
    },
    /// A manifest names a replica; its primary is in another region.
    Replica {
        /// The region of the primary.
        primary_region: Region,
    },
    /// The plan creates this secret and removes one that looks like it.
    LooksRenamed {
        /// The name that goes away, or stays behind as an orphan.
        from: SecretName,
    },
    /// The secret takes another one's place, and cannot: both are left alone.
    MoveRefused {
        /// The old name.
        from: SecretName,
        /// Why not.
        obstacle: MoveObstacle,
    },
    /// The secret takes another one's place once the rotation of that one is over: its new version may be the only
    /// valid credential soon.
    MoveWaits {
        /// The old name.
        from: SecretName,
        /// The version that holds AWSPENDING.
        version: VersionId,
    },
    /// Nothing is left of the old name that the manifest still gives.
    MoveOver {
        /// The old name.
        from: SecretName,
    },
    /// A rotation is stuck: AWSPENDING is on another version than AWSCURRENT. A put would drop what may be the only
    /// valid credential.
    RotationPending {
        /// The version that holds AWSPENDING.
        version: VersionId,
        /// Why the value would be put, when it would.
        held_back: Option<ValueReason>,
    },
    /// Replicas are being made: whether they come to be is not known yet.
    ReplicaInProgress {
        /// Their regions.
        regions: Vec<Region>,
    },
    /// Replicas that no manifest wants: they are kept until all that are declared are in sync.
    ReplicasKept {
        /// Their regions.
        regions: Vec<Region>,
        /// The regions of those that are declared and not in sync; none once an apply has made them.
        missing: Vec<Region>,
    },
    /// What was found about a link with a secret of another account.
    CrossAccount(LinkFinding),
    /// Rotation is declared, and there is no value that it could begin with.
    RotationWaitsForValue,
    /// A replica would destroy a secret in its region that another project owns.
    OverwritesForeign {
        /// The region.
        region: Region,
        /// The owner that the tag of the secret there names.
        owner: String,
    },
    /// A replica is to be made where another target has a secret of its name, or a replica of one.
    ReplicaPlaceTaken {
        /// The region.
        region: Region,
        /// The other target.
        target: String,
        /// What holds the place.
        holder: PlaceHolder,
    },
    /// ValidateResourcePolicy does not accept the policy that would be put (`--validate-policies`).
    PolicyRejected {
        /// What it finds wrong.
        problems: Vec<PolicyProblem>,
    },
    /// ValidateResourcePolicy could not be asked.
    PolicyNotValidated {
        /// Why not.
        reason: String,
    },
    /// Other fields of a value that holds generated ones changed in git. They are not applied: a put would need the
    /// generated ones, which only the live value has.
    GeneratedFieldsChanged,
    /// Git's value is not live and is not put: the secret is rotated, or was once, so its value counts as seeded, while
    /// no rotation made what is live and the manifest does not say who owns the value.
    ValueNotApplied {
        /// LastRotatedDate.
        rotated: Option<Timestamp>,
    },
    /// `--read-values` found the value of git's new ciphertext live already.
    ValueReEncrypted {
        /// Whether the tag `keywright:value` is to say so; else there is no room for it.
        noted: bool,
    },
    /// The value that is put ends or begins with what is easily overlooked. It is kept.
    ValueEdges(Edges),
    /// A value that `generate` is to make is live under an id that keywright gives to none of these: it was put by
    /// hand, by a rotation or out of a source without ids. It stays.
    MaybeNotGenerated,
    /// Whether the live value is the declared one is seen only by reading it (`--read-values`).
    ValueUnknown,
    /// `--read-values` could not compare.
    ValueUnreadable {
        /// Why not.
        reason: String,
    },
    /// A description, its policy or its versions could not be read: nothing is planned for it.
    Unreadable {
        /// Why not.
        error: ServiceError,
    },
    /// It needs a secret that could not be read.
    DependencyUnreadable {
        /// The secret that is needed.
        dependency: SecretName,
    },
    /// It needs a secret that is left alone for an error of its own.
    DependencyRefused {
        /// The secret that is needed.
        dependency: SecretName,
    },
    /// It needs a secret that does not exist and that the selection leaves out.
    DependencyNotSelected {
        /// The secret that is needed.
        dependency: SecretName,
    },
    /// It needs a secret that the manifests remove.
    DependencyAbsent {
        /// The secret that is needed.
        dependency: SecretName,
    },
}

/// What holds the place of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceHolder {
    /// A secret that this run leaves there.
    Stays,
    /// A secret that this run leaves there, and that has no owner tag.
    Unmanaged,
    /// A secret that is scheduled for deletion: its name is taken as long as it can be restored.
    Leaving {
        /// When it was scheduled.
        since: Timestamp,
    },
    /// A secret that this run would delete: its name is taken as long as it can be restored, and its readers would have
    /// neither that one nor the replica.
    Goes,
    /// A replica that this run removes: the next one makes this one.
    ReplicaGoes,
}

/// Why a secret cannot take another one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveObstacle {
    /// The old one is not this target's.
    NotOurs {
        /// The owner that its tag names, if it has one.
        owner: Option<String>,
    },
    /// The old one is a replica, or an AWS service manages it: it cannot be deleted.
    NotDeletable,
    /// The old one is scheduled for deletion, and its value is not there under the new name.
    ScheduledForDeletion,
    /// The new one has a value that is none of the old one's: one of the two would be lost.
    Diverged {
        /// The current version of the new one.
        current: VersionId,
    },
    /// The old one was rotated, the manifest declares a value and no rotation, and does not say who owns the value.
    OwnershipUnclear,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// Somebody should look.
    Warning,
    /// Nothing is applied to this target until it is resolved; to this secret alone, where it could not be read or the
    /// error is of it alone.
    Error,
}

impl FindingKind {
    /// Whether nothing is planned for the secret because of what its manifest asks for.
    pub(super) fn plans_nothing(&self) -> bool {
        match self {
            Self::TooManyTags { .. } | Self::TooManyLabels { .. } | Self::LabelNowhere { .. } => true,
            Self::CrossAccount(finding) => finding.refuses(),
            _ => false,
        }
    }
}

impl Finding {
    /// Whether something of the secret is not, or may not be, as declared, and is left alone for now. Held back is not
    /// unchanged: it is counted apart, and never "nothing to do".
    pub fn holds_back(&self) -> bool {
        match &self.kind {
            FindingKind::RotationPending { .. }
            | FindingKind::RotationWaitsForValue
            | FindingKind::ReplicaInProgress { .. }
            | FindingKind::ReplicasKept { .. }
            | FindingKind::ValueNotApplied { .. }
            | FindingKind::GeneratedFieldsChanged
            | FindingKind::MoveWaits { .. }
            | FindingKind::DependencyRefused { .. }
            | FindingKind::DependencyUnreadable { .. } => true,
            FindingKind::CrossAccount(finding) => !finding.refuses(),
            FindingKind::Unreadable { .. }
            | FindingKind::ValueUnreadable { .. }
            | FindingKind::TooManyTags { .. }
            | FindingKind::TooManyLabels { .. }
            | FindingKind::LabelNowhere { .. }
            | FindingKind::ManagedMissing { .. }
            | FindingKind::ManagedOtherwise { .. }
            | FindingKind::Unmanaged { .. }
            | FindingKind::CopiedTag { .. }
            | FindingKind::OtherScope { .. }
            | FindingKind::OwnedOutsideScope { .. }
            | FindingKind::Orphaned { .. }
            | FindingKind::Foreign { .. }
            | FindingKind::ForeignInScope { .. }
            | FindingKind::OwnedByService { .. }
            | FindingKind::Replica { .. }
            | FindingKind::LooksRenamed { .. }
            | FindingKind::MoveRefused { .. }
            | FindingKind::MoveOver { .. }
            | FindingKind::OverwritesForeign { .. }
            | FindingKind::ReplicaPlaceTaken { .. }
            | FindingKind::PolicyRejected { .. }
            | FindingKind::PolicyNotValidated { .. }
            | FindingKind::ValueReEncrypted { .. }
            | FindingKind::ValueEdges(_)
            | FindingKind::MaybeNotGenerated
            | FindingKind::ValueUnknown
            | FindingKind::DependencyNotSelected { .. }
            | FindingKind::DependencyAbsent { .. } => false,
        }
    }

    /// Whether it could not be told how the secret, or its value, stands. Like a write that fails, it is an error of
    /// the secret alone: the others are planned and applied.
    pub fn is_failure(&self) -> bool {
        matches!(self.kind, FindingKind::Unreadable { .. } | FindingKind::ValueUnreadable { .. })
    }

    /// Whether it is an error of the secret alone, which is left as it is: the others are planned and applied.
    pub fn refuses_secret_alone(&self) -> bool {
        if let FindingKind::CrossAccount(finding) = &self.kind {
            return finding.refuses();
        }
        matches!(
            self.kind,
            FindingKind::TooManyTags { .. }
                | FindingKind::TooManyLabels { .. }
                | FindingKind::LabelNowhere { .. }
                | FindingKind::ManagedMissing { .. }
                | FindingKind::ManagedOtherwise { .. }
                | FindingKind::MoveRefused { .. }
        )
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match &self.kind {
            FindingKind::CrossAccount(finding) if finding.refuses() => Severity::Error,
            FindingKind::CrossAccount(finding) if finding.goes_on() => Severity::Info,
            FindingKind::Unmanaged { .. }
            | FindingKind::ForeignInScope { .. }
            | FindingKind::RotationWaitsForValue
            | FindingKind::ReplicaInProgress { .. }
            | FindingKind::ReplicasKept { .. }
            | FindingKind::ReplicaPlaceTaken { holder: PlaceHolder::ReplicaGoes, .. }
            | FindingKind::ValueReEncrypted { .. }
            | FindingKind::ValueEdges(_)
            | FindingKind::MoveOver { .. }
            | FindingKind::MaybeNotGenerated
            | FindingKind::ValueUnknown => Severity::Info,
            FindingKind::CrossAccount(_)
            | FindingKind::Orphaned { .. }
            | FindingKind::CopiedTag { .. }
            | FindingKind::OtherScope { .. }
            | FindingKind::OwnedOutsideScope { .. }
            | FindingKind::LooksRenamed { .. }
            | FindingKind::ReplicaPlaceTaken { holder: PlaceHolder::Stays | PlaceHolder::Unmanaged, .. }
            | FindingKind::MoveWaits { .. }
            | FindingKind::RotationPending { .. }
            | FindingKind::PolicyNotValidated { .. }
            | FindingKind::ValueNotApplied { .. }
            | FindingKind::GeneratedFieldsChanged
            | FindingKind::DependencyRefused { .. }
            | FindingKind::DependencyUnreadable { .. } => Severity::Warning,
            FindingKind::Unreadable { .. }
            | FindingKind::ValueUnreadable { .. }
            | FindingKind::TooManyTags { .. }
            | FindingKind::TooManyLabels { .. }
            | FindingKind::LabelNowhere { .. }
            | FindingKind::ManagedMissing { .. }
            | FindingKind::ManagedOtherwise { .. }
            | FindingKind::MoveRefused { .. }
            | FindingKind::Foreign { .. }
            | FindingKind::OwnedByService { .. }
            | FindingKind::Replica { .. }
            | FindingKind::OverwritesForeign { .. }
            | FindingKind::ReplicaPlaceTaken { holder: PlaceHolder::Goes | PlaceHolder::Leaving { .. }, .. }
            | FindingKind::PolicyRejected { .. }
            | FindingKind::DependencyNotSelected { .. }
            | FindingKind::DependencyAbsent { .. } => Severity::Error,
        }
    }
}
