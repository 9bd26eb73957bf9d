//! The error of commands: what went wrong, what lay beneath, and what can be done, as three things.
//!
//! Nothing here is escaped or printed: `cli/report.rs` is the one place that prints, `render/error.rs` makes the text,
//! and `exit_code.rs` says how the process ends.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::approved::AskedOtherwise;
use super::problem::Problem;
use crate::domain::{Arn, ScheduleFault, SecretName, VersionId};
use crate::manifest::Diagnostics;
use crate::manifest::explain::ExplainError;

/// Why a command did not do, or did not do wholly, what it was asked for.
#[derive(Debug)]
pub struct Error {
    /// What went wrong. The exit code is decided by it alone.
    pub kind: ErrorKind,
    /// What lay beneath; its text is not in the kind's.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
    /// What can be done about it.
    pub hints: Vec<Hint>,
}

impl Error {
    /// The same error with what lay beneath.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The same error with one hint more.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hints.push(hint);
        self
    }

    /// The same error with the name that was probably meant, where there is one.
    #[must_use]
    pub(super) fn did_you_mean(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.hint(Hint::DidYouMean { name: name.to_owned() }),
            None => self,
        }
    }

    /// A problem with a file.
    pub fn file(path: impl Into<PathBuf>, problem: FileProblem) -> Self {
        ErrorKind::File { path: path.into(), problem }.into()
    }

    /// A problem with one secret.
    pub fn secret(secret: &SecretName, problem: SecretProblem) -> Self {
        ErrorKind::Secret { secret: secret.clone(), problem }.into()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None, hints: Vec::new() }
    }
}

/// What went wrong. `Display` has neither the source nor hints in it, and is not escaped.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// A flag has a value that it cannot have; the source says why.
    #[error("--{flag}")]
    WrongFlag {
        /// Its name.
        flag: &'static str,
    },
    /// Flags, or a flag and the project, that do not go together.
    #[error("{0}")]
    WrongUsage(Problem),
    /// A command works in one target, and the project has several.
    #[error("the project has several targets{}", if *.importing { ", and this imports from one" } else { "" })]
    SeveralTargets {
        /// Whether it is an import.
        importing: bool,
    },
    /// Mistakes in the manifests; every one of them.
    #[error("the manifests are wrong")]
    Manifests(Box<Diagnostics>),
    /// Targets that were asked for, and that the project does not have.
    #[error("the project has no such target")]
    NoSuchTarget(Box<Diagnostics>),
    /// Targets that could not be reached or planned, all for the one cause that is the source.
    #[error("{}", .targets.join(", "))]
    Targets {
        /// Their names.
        targets: Vec<String>,
    },
    /// Targets that lie in accounts that the run was not allowed.
    #[error("{}: account {} is not one of those that --only-account allows", .targets.join(", "), .account)]
    OtherAccount {
        /// Their names.
        targets: Vec<String>,
        /// The account of the first one.
        account: String,
    },
    /// Secrets that were left alone, while the others were planned and applied.
    #[error("{}", left_alone(*.unreadable, *.uncompared, *.refused))]
    LeftAlone {
        /// Could not be read.
        unreadable: usize,
        /// Their values alone could not be compared.
        uncompared: usize,
        /// Cannot be as they are declared.
        refused: usize,
    },
    /// Values that could not be made, all for the one cause that is the source.
    #[error("{}", listed(.secrets))]
    Values {
        /// The secrets.
        secrets: Vec<SecretName>,
    },
    /// `--select` has names or patterns that no manifest and no live secret in scope fits.
    #[error("--select {}: {}", .patterns.join(", "), not_selected(*.in_inventory))]
    NotSelected {
        /// They.
        patterns: Vec<String>,
        /// Whether they choose among the unmanaged secrets of an inventory.
        in_inventory: bool,
    },
    /// `--select` has the name that a secret had before: what becomes of it is planned with the new one.
    #[error("--select {old}: a manifest gives that secret the name {new} (metadata.renamedFrom)")]
    SelectsOldName {
        /// The name that is selected.
        old: SecretName,
        /// The one that it gets.
        new: SecretName,
    },
    /// `--ignore` has names or patterns that no secret fits.
    #[error("--ignore {}: no secret of these targets fits that", written.join(", "))]
    IgnoresNothing {
        /// They, as they are written.
        written: Vec<String>,
    },
    /// Targets in which CloudTrail could not be asked, all for the one cause that is the source.
    #[error("{}: CloudTrail could not be asked who did it", .0.join(", "))]
    WhoUnknown(Vec<String>),
    /// One secret with which nothing can be done.
    #[error("{secret}: {problem}")]
    Secret {
        /// Its name.
        secret: SecretName,
        /// Why.
        problem: SecretProblem,
    },
    /// A file that cannot be read, written or made sense of.
    #[error("{}", .problem.text(&.path.display().to_string()))]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: FileProblem,
    },
    /// An address that cannot be listened on.
    #[error("{0} cannot be listened on")]
    Listen(SocketAddr),
    /// Something else that failed on this machine; the source says why.
    #[error("{0}")]
    Local(Problem),
    /// The plan did not come through its rehearsal.
    #[error("{target}: the plan did not pass its rehearsal")]
    Rehearsal {
        /// The target.
        target: String,
    },
    /// The command ended before its work; the errors before this one say why.
    #[error("{0}")]
    NothingDone(NothingDone),
    /// The plan is not the approved one.
    #[error("the plan is stale: what would be done now is not what was approved, and nothing was applied")]
    Stale,
    /// What was applied could not be read again; the source says why.
    #[error("what was applied could not be read again")]
    NotVerified,
    /// A replica could not be made.
    #[error("{secret}: the replica in {place} failed: {message}")]
    ReplicaFailed {
        /// The secret.
        secret: SecretName,
        /// The replica's region, or its ARN in another account.
        place: String,
        /// The service's text.
        message: String,
    },
    /// How replicas stand could not be asked; the source says why.
    #[error("replicas could not be followed")]
    ReplicasNotFollowed,
    /// Replicas were still being made when the time was over.
    #[error("replicas are still being made after {} seconds", .0.as_secs())]
    ReplicasLate(Duration),
    /// A line of the journal could not be written, and the call was made.
    #[error("the journal {} could not be written any more: nothing new was begun", .path.display())]
    JournalLost {
        /// The file.
        path: PathBuf,
    },
    /// Something was written, and what was to follow it failed.
    #[error("{secret}: {problem}")]
    AfterWrite {
        /// The secret.
        secret: SecretName,
        /// What failed.
        problem: SecretProblem,
    },
    /// The run was interrupted.
    #[error("{}", .what.map_or_else(|| "interrupted".to_owned(), |what| what.to_string()))]
    Interrupted {
        /// What is to be said about it, if anything is.
        what: Option<Problem>,
    },
}

const fn not_selected(in_inventory: bool) -> &'static str {
    if in_inventory { "the inventory has no such unmanaged secret" } else { "there is no such secret in scope" }
}

/// Why so many secrets, or their values, were left alone.
fn left_alone(unreadable: usize, uncompared: usize, refused: usize) -> String {
    let some = |number: usize, one: &str, many: &str| {
        if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
    };
    let were = if unreadable + uncompared + refused == 1 { "was" } else { "were" };
    let causes = [
        (unreadable, some(unreadable, "secret", "secrets"), "could not be read"),
        (uncompared, some(uncompared, "value", "values"), "could not be compared"),
        (refused, some(refused, "secret", "secrets"), "cannot be as declared"),
    ];
    let causes = causes.iter().filter(|(number, _, _)| *number > 0);
    let causes: Vec<String> = causes.map(|(_, what, cause)| format!("{what} {cause}")).collect();
    let causes = match causes.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        causes => causes.concat(),
    };
    format!("{causes}, and {were} left alone")
}

fn listed(names: &[SecretName]) -> String {
    names.iter().map(SecretName::as_str).collect::<Vec<_>>().join(", ")
}

/// Why a command ended without its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingDone {
    /// An apply: a guard refused.
    #[error("nothing was applied: a guard refused")]
    ApplyGuard,
    /// An apply: there were errors before.
    #[error("nothing was applied: resolve the errors above first")]
    ApplyErrors,
    /// `plan --out`: a guard refuses.
    #[error("no plan was written: a guard refuses it")]
    OutGuard,
    /// `plan --out`: there were errors before.
    #[error("no plan was written: resolve the errors above first")]
    OutErrors,
    /// Nobody is there to be asked.
    #[error("nothing was applied: this needs a confirmation, and standard input is no terminal")]
    NobodyToAsk,
    /// Somebody was asked and did not say yes.
    #[error("nothing was applied")]
    Declined,
}

/// Why nothing is done with one secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is in its text")]
pub enum SecretProblem {
    #[error("is outside the project's scope, and is never touched")]
    OutsideScope,
    #[error("does not exist in this target")]
    Missing,
    #[error("is scheduled for deletion")]
    ScheduledForDeletion,
    #[error("is not scheduled for deletion")]
    NotScheduledForDeletion,
    #[error("is a replica here; its primary is in {primary}")]
    Replica { primary: String },
    #[error("is a replica here; its primary is {primary}")]
    ReplicaOf { primary: Arn },
    #[error("is managed by the AWS service {service}")]
    OfService { service: String },
    #[error("is not managed: it carries no owner tag")]
    NotManaged,
    #[error("belongs to {owner}, and only that project may change it")]
    BelongsTo { owner: String },
    #[error("is not managed: its owner tag of {owner} was copied")]
    OwnerTagCopied { owner: String },
    #[error("belongs to a project of this name already: {owner}")]
    OwnedByThisName { owner: String },
    #[error("was applied, and could not be read again")]
    NotVerified,
    #[error("has nothing to release")]
    NothingToRelease,
    #[error("has no rotation that is on")]
    NoRotation,
    #[error("is not put under rotation yet, since it has no value")]
    RotationWaitsForValue,
    #[error("has no rotation that is stuck")]
    NotStuck,
    #[error("is in the middle of a rotation: AWSPENDING is on {version}")]
    Rotating { version: VersionId },
    #[error("is not rotated after {} seconds", .0.as_secs())]
    NotRotated(Duration),
    #[error("is being rotated, and could not be followed")]
    NotFollowed,
    #[error("has no replica in {region}")]
    NoReplicaIn { region: String },
    #[error("is the primary: say which replica with --region")]
    IsPrimary,
    #[error("is no replica, and has none: nothing is there to be promoted")]
    NoReplicas,
    #[error("is a replica in {region}, the target's own region")]
    ReplicaHere { region: String },
    #[error("has a primary in {region} that belongs to {owner}")]
    PrimaryBelongsTo { region: String, owner: String },
    #[error("has no value in git that could be compared")]
    NoDeclaredValue,
    #[error("has no value")]
    NoValue,
    #[error("has no version with the id or label {wanted}")]
    NoVersion { wanted: String },
    #[error("has AWSCURRENT on {version} already")]
    CurrentAlready { version: VersionId },
    #[error("is a secret of its own now, and carries its primary's keywright tag still")]
    OwnerTagStays,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is in its text")]
pub enum FileProblem {
    Unreadable,
    Unwritable,
    NotMade,
    /// Read, and wrong; the source says what.
    Wrong,
    SandboxNotOpened,
    WebhookUnreadable,
    ApprovedUnreadable,
    NotApproved,
    ApprovedOfOtherVersion,
    StateOfNewer,
    StateOfOther,
    ApprovedEdited,
    PlanNotWritten,
    ReportNotWritten,
    PagesNotWritten,
    NoFileWritten,
    CacheBegunAnew,
    CacheNotWritten,
    StateUnreadable,
    StateWrong,
    InventoryUnreadable,
    InventoryWrong,
    ProjectAlready,
    /// Another project of the work tree has this name.
    NameTaken,
    JournalNotWritten,
    /// It is there, and not what would be written: what that is.
    OfAnotherKind(&'static str),
}

impl FileProblem {
    fn text(self, file: &str) -> String {
        match self {
            Self::Unreadable => format!("{file} cannot be read"),
            Self::Unwritable => format!("{file} cannot be written"),
            Self::NotMade => format!("{file} cannot be made"),
            Self::Wrong => file.to_owned(),
            Self::SandboxNotOpened => format!("the sandbox {file} cannot be opened"),
            Self::WebhookUnreadable => format!("--webhook-file {file} cannot be read"),
            Self::ApprovedUnreadable => format!("{file}: the approved plan cannot be read"),
            Self::NotApproved => format!("{file}: this is no approved plan"),
            Self::ApprovedOfOtherVersion => {
                format!("{file}: the approved plan is of another version of keywright")
            }
            Self::StateOfNewer | Self::StateOfOther => format!("the state of a watch {file} cannot be taken over"),
            Self::ApprovedEdited => {
                format!("{file}: the approved plan was edited: its fingerprint is another one")
            }
            Self::PlanNotWritten => format!("the plan could not be written to {file}"),
            Self::ReportNotWritten => format!("the report could not be written to {file}"),
            Self::PagesNotWritten => format!("the pages could not be written into {file}"),
            Self::NoFileWritten => format!("{file} cannot be written, so no file was"),
            Self::CacheBegunAnew => format!("{file}: the cache is begun anew"),
            Self::CacheNotWritten => format!("{file}: the cache could not be written"),
            Self::StateUnreadable => format!("the state {file}: cannot be read"),
            Self::StateWrong => format!("the state {file}"),
            Self::InventoryUnreadable => format!("the inventory {file}: cannot be read"),
            Self::InventoryWrong => format!("the inventory {file}"),
            Self::JournalNotWritten => format!("the journal {file} could not be written"),
            Self::ProjectAlready => format!("{file} is a project already"),
            Self::NameTaken => format!("{file} is a project of this name"),
            Self::OfAnotherKind(kind) => format!("{file} is not {kind}, and is not overwritten"),
        }
    }
}

/// What can be done about an error. `render/hint.rs` makes words of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "render has the words of each")]
pub enum Hint {
    ChooseTarget {
        targets: Vec<String>,
    },
    NamesBeginWith {
        target: String,
        prefixes: Vec<String>,
    },
    DidYouMean {
        name: String,
    },
    RestoreCancelsDeletion,
    TargetOfPrimary {
        targets: Vec<String>,
    },
    OnceReplica,
    FormerTarget,
    ReplicasIn {
        regions: Vec<String>,
    },
    LeaveRegionOut,
    TakeOwnerTagOff,
    SelectInstead {
        name: SecretName,
    },
    DeclareRotation,
    ApplyRotation,
    GiveValue,
    RepairStuckRotation,
    AllowCancelRotation,
    LookAtFunctionLog,
    VersionsShows,
    NameAnotherFolder,
    NameAnotherManFolder,
    NameProject,
    NameProjectOtherwise,
    NameJournal,
    NotInJournal {
        lines: Vec<String>,
    },
    SandboxFile,
    ApprovedByPlanOut,
    ApprovedBySandboxMixUp,
    ApproveAgain,
    PlanAsApproved {
        otherwise: Vec<AskedOtherwise>,
    },
    GiveYes,
    NothingIsOverwritten,
    DeleteItFirst,
    OutputRelative,
    ListedFolders {
        folders: Vec<String>,
    },
    AddManifestFolder,
    LeaveInitOut,
    NameAccount {
        target: String,
    },
    StatePull,
    StatePullNewer,
    TofuStatePull,
    WriteInventory,
    OtherPort,
    OtherListen,
    BeyondLoopback,
    HttpsWebhook,
    WithoutCaller,
    WhoPermission,
    ReplicasGoOn,
    InitWithImport,
    DryRunShows,
    NothingWritten,
    /// What would be right instead of a path that cannot be explained.
    Explained(ExplainError),
    /// What would be right instead of a schedule.
    Schedule(ScheduleFault),
}
