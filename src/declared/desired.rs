//! The normalised desired state of one target: what `manifest` hands to `plan`.
//!
//! By the time it is here, defaults and overrides are merged, variables are filled in and every rule that can be
//! checked offline has been checked. What may not enter: YAML, spans other than [`Origin`], and anything live.

mod audit;
mod cross_account;
mod ignore;
mod left_out;
mod list;
pub mod owner_tag;
mod rotation;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::GlobSet;
use serde::Serialize;

pub use audit::{AuditCheck, AuditKind, AuditRules, Severity, UnknownAuditKind};
pub use cross_account::{CrossAccountReplica, OtherSecret, REPLICATION_POLICY, Restriction};
pub use ignore::{Ignore, IgnoreError};
pub use left_out::LeftOut;
pub use list::ListNames;
pub use rotation::{DesiredRotation, RotationSetup, Rotator};

use crate::domain::{
    AccountId, Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, Template, VersionId, is_system_tag,
};
use crate::origin::Origin;
use crate::policy::PolicyDocument;
use crate::value::{Shape, Source};

/// The tag in which the owner of a secret is recorded: `project/target`.
pub const OWNER_TAG: &str = "keywright:project";

/// The tag that keeps a secret from being deleted by keywright when its manifest is gone.
pub const PROTECT_TAG: &str = "keywright:protect";

/// The tag that says that two ciphertexts hold one value: `<version id in git>=<live version id>`. It counts only while
/// that live version holds AWSCURRENT.
pub const VALUE_TAG: &str = "keywright:value";

/// The tag of a replica in another account that is being made anew: its primary until then.
pub const REPLACING_TAG: &str = "keywright:replacing";

/// The prefix of the tags that keywright keeps for itself.
pub const RESERVED_TAG_PREFIX: &str = "keywright:";

/// The shortest and the longest recovery window, in days (DeleteSecret, `RecoveryWindowInDays`).
pub const RECOVERY_WINDOW_DAYS: (u8, u8) = (7, 30);

/// The recovery window that DeleteSecret uses when none is given, in days.
pub const DEFAULT_RECOVERY_WINDOW_DAYS: u8 = 30;

/// A field that a manifest declares. A field that it leaves out is `None` around this, and is not managed at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<T> {
    /// What is declared; `None` is a written `null`: there must be none.
    pub value: Option<T>,
    /// Where it was written: in the secret's manifest, in the defaults or in an override.
    pub origin: Origin,
}

/// Everything that one target of one project should hold.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The project's name.
    pub project: String,
    /// Where it is applied.
    pub target: Target,
    /// All targets of the project by name, and where each is.
    pub targets: BTreeMap<String, Place>,
    /// What the project may touch.
    pub scope: Scope,
    /// What becomes of owned secrets whose manifest is gone.
    pub prune: Prune,
    /// The recovery window of secrets that are pruned, in days (7 to 30).
    pub prune_window_days: u8,
    /// Tags that are neither compared nor changed.
    pub ignore_tags: TagPatterns,
    /// Limits on what one apply may do.
    pub guards: GuardLimits,
    /// What an audit measures with, and what it excuses here.
    pub audit: AuditRules,
    /// The tag that says whom secrets without a value wait for, when the project names one.
    pub value_owner_tag: Option<TagKey>,
    /// What was passed over while manifests were read: what it declares would look like orphans.
    pub skipped: Vec<String>,
    /// What git has of the manifests and a sparse checkout leaves out.
    pub left_out: Arc<LeftOut>,
    /// Secrets that manifests name for other targets alone, as they would be named here.
    pub of_other_targets: BTreeMap<SecretName, ForOthers>,
    /// The names that the lists of `forEach` give: a secret that has such a name and no manifest was made of an item
    /// that left its list.
    pub lists: Vec<ListNames>,
    /// The secrets, by name.
    pub secrets: BTreeMap<SecretName, DesiredSecret>,
}

impl Desired {
    /// The value of the owner tag of the secret `name`, which is in scope.
    pub fn owner_tag(&self, name: &SecretName) -> String {
        let prefix = self.scope.prefix_of(name.as_str()).unwrap_or_default();
        owner_tag::bind(&self.owner(), name.as_str(), prefix)
    }

    /// The names that secrets had before, each with the secret that has it now.
    pub fn renames(&self) -> impl Iterator<Item = (&SecretName, &DesiredSecret)> {
        self.secrets.values().filter_map(|secret| Some((&secret.renamed_from.as_ref()?.name, secret)))
    }

    /// The names that secrets had before: who has them now looks after what is left of them.
    pub fn old_names(&self) -> BTreeSet<&SecretName> {
        self.renames().map(|(old, _)| old).collect()
    }

    /// Whose the secrets of this target are: `project/target`, which their owner tags begin with.
    pub fn owner(&self) -> String {
        format!("{}/{}", self.project, self.target.name)
    }

    /// What is known of an owner that is not this target.
    pub fn other_owner(&self, owner: &str) -> OtherOwner {
        let named = owner.split_once('/').filter(|(project, _)| *project == self.project);
        let Some((_, target)) = named else { return OtherOwner::Another };
        let Some(Place { account, region }) = self.targets.get(target) else { return OtherOwner::FormerTarget };
        let account_differs = account.is_some() && self.target.account.is_some() && *account != self.target.account;
        if *region != self.target.region && !account_differs { OtherOwner::OnceReplica } else { OtherOwner::Another }
    }
}

/// What names a secret for other targets alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForOthers {
    /// Where `metadata.name` is written.
    pub origin: Origin,
    /// Where the item of a `forEach` is written that it is made of.
    pub item: Option<Origin>,
}

/// Whose a secret of another owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherOwner {
    /// Another project's, or another target's.
    Another,
    /// That of a target of this project whose secrets may have replicas here: one in another region, and in no other
    /// account that is known. A secret of its own with that owner tag was such a replica once: a replica has its
    /// primary's tags, and keeps them when it is promoted by hand.
    OnceReplica,
    /// That of a target which this project does not have, or has no longer under that name.
    FormerTarget,
}

/// Where a target is, as far as the project says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The account, where it is named.
    pub account: Option<AccountId>,
    /// The region.
    pub region: Region,
}

/// An AWS account and region, with the way to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name in the project file.
    pub name: String,
    /// The twelve-digit account, when the project names one: credentials of any other are refused.
    pub account: Option<AccountId>,
    /// The region, for example `eu-west-1`.
    pub region: Region,
    /// The role to assume (STS AssumeRole) before anything else.
    pub assume_role: Option<String>,
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// An endpoint instead of AWS's own; from a manifest only on loopback.
    pub endpoint_url: Option<String>,
    /// Where the target is declared.
    pub origin: Origin,
}

/// The names that a project may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Prefixes of names, sorted, none of them a prefix of another.
    prefixes: Vec<String>,
}

impl Scope {
    /// A scope of name prefixes. Prefixes that another one covers are dropped.
    pub fn new(prefixes: impl IntoIterator<Item = String>) -> Self {
        let mut sorted: Vec<String> = prefixes.into_iter().collect();
        sorted.sort();
        let mut kept: Vec<String> = Vec::with_capacity(sorted.len());
        for prefix in sorted {
            if !kept.last().is_some_and(|last| prefix.starts_with(last.as_str())) {
                kept.push(prefix);
            }
        }
        Self { prefixes: kept }
    }

    /// Whether `name` begins with one of the prefixes.
    pub fn contains(&self, name: &str) -> bool {
        self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }

    /// The prefix that covers `name`, when one does.
    pub fn prefix_of(&self, name: &str) -> Option<&str> {
        self.prefixes.iter().map(String::as_str).find(|prefix| name.starts_with(prefix))
    }

    /// Whether the two scopes share a possible name.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.prefixes
            .iter()
            .any(|a| other.prefixes.iter().any(|b| a.starts_with(b.as_str()) || b.starts_with(a.as_str())))
    }

    /// The prefixes, sorted, none of them covered by another.
    pub fn prefixes(&self) -> &[String] {
        &self.prefixes
    }
}

/// What becomes of a secret that keywright owns and that no manifest names any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// It is reported, and stays.
    Report,
    /// It is deleted with the project's `pruneDeletion` window.
    Delete,
    /// Its owner tag is dropped, and it stays.
    Release,
}

/// Limits on what one apply may do without being told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    /// Most secrets that one apply may delete.
    pub max_deletes: u32,
    /// Largest share, in percent, of the owned live secrets that one apply may change. Creates, adoptions, and secrets
    /// without a value don't count.
    pub max_changes_percent: u8,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self { max_deletes: 5, max_changes_percent: 30 }
    }
}

/// Patterns over tag keys, such as `aws:*` and `cost-*`.
#[derive(Clone, Debug)]
pub struct TagPatterns {
    set: GlobSet,
}

impl TagPatterns {
    /// Patterns that are already compiled.
    pub fn new(set: GlobSet) -> Self {
        Self { set }
    }

    /// Whether keywright leaves this key alone: it matches a pattern, or belongs to AWS or to keywright itself.
    pub fn ignores(&self, key: &str) -> bool {
        is_system_tag(key) || key.starts_with(RESERVED_TAG_PREFIX) || self.set.is_match(key)
    }
}

/// The desired state of one secret.
#[derive(Clone, Debug)]
pub struct DesiredSecret {
    /// Its name.
    pub name: SecretName,
    /// Where `metadata.name` is written.
    pub origin: Origin,
    /// Where the item of a `forEach` is written that it is made of.
    pub item: Option<Origin>,
    /// The AWS service that makes and manages it (`OwningService`), as `metadata.managedBy` says: then all that is
    /// declared is what its users may change, tags and the schedule of its rotation. It gets no owner tag, and is never
    /// made, adopted or deleted.
    pub managed_by: Option<String>,
    /// Whether it should exist.
    pub state: State,
    /// `metadata.renamedFrom`: the secret's name before, whose value comes along.
    pub renamed_from: Option<RenamedFrom>,
    /// `metadata.protect`: never deleted by keywright. Left out, the tag stays as it is.
    pub protect: Option<bool>,
    /// The secrets that must be done before this one: `dependsOn` and every `${secret:NAME:arn}`.
    pub depends_on: BTreeSet<SecretName>,
    /// `spec.description`.
    pub description: Option<Declared<Template>>,
    /// `spec.kmsKeyId`: key id, key ARN, alias or alias ARN. A declared `null` is the account's `aws/secretsmanager`
    /// key.
    pub kms_key_id: Option<Declared<KmsKey>>,
    /// `spec.tags`, without keywright's own.
    pub tags: Option<DesiredTags>,
    /// `spec.policy`.
    pub policy: Option<Declared<PolicyTemplate>>,
    /// `spec.blockPublicPolicy`: sent with PutResourcePolicy; never a difference by itself.
    pub block_public_policy: bool,
    /// How it is deleted when `state` is absent.
    pub deletion: Deletion,
    /// `spec.value`; none leaves the value to people or to rotation.
    pub value: Option<DesiredValue>,
    /// `spec.valueExpected`: whether a secret whose value is left to people waits for one.
    pub value_expected: bool,
    /// `spec.labels`: custom staging labels, each with the version that should hold it.
    pub labels: BTreeMap<StagingLabel, (LabelHolder, Origin)>,
    /// Where `spec.labels` is written as `{}` or `null`: there must be no custom staging label.
    pub no_labels: Option<Origin>,
    /// `spec.type`: the partner of a managed external secret (CreateSecret, `Type`).
    pub secret_type: Option<Declared<String>>,
    /// `spec.rotation`; a declared `null` means that rotation must be off.
    pub rotation: Option<Declared<DesiredRotation>>,
    /// `spec.crossAccountPrimary`: it is the replica of a secret in another account. A declared `null` means that it
    /// must be none.
    pub cross_account_primary: Option<Declared<OtherSecret>>,
    /// `spec.crossAccountReplica`: its replica in another account; a declared `null` means that there must be none.
    pub cross_account_replica: Option<Declared<CrossAccountReplica>>,
    /// `spec.replicas`, by region; none and a declared `null` both mean that there must be none.
    pub replicas: Option<Declared<BTreeMap<Region, DesiredReplica>>>,
}

/// The name that a secret had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamedFrom {
    /// The name, in scope, which no other manifest has.
    pub name: SecretName,
    /// Where it is written.
    pub origin: Origin,
}

/// `spec.value`: where the value comes from, and who owns it afterwards.
#[derive(Clone, Debug)]
pub struct DesiredValue {
    /// The source.
    pub source: Source,
    /// What rules of the project require of it, each with the rule's name.
    pub shapes: Vec<(String, Arc<Shape>)>,
    /// `ownership` as written; none takes the default, which depends on whether the live secret is rotated.
    pub ownership: Option<Ownership>,
    /// Where `value` is written.
    pub origin: Origin,
}

/// Who owns a value after it was first set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Git: a live value that differs is put back.
    Enforce,
    /// People or rotation: the value is set once.
    Seed,
}

/// The version that should hold a custom staging label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelHolder {
    /// The version of the committed value.
    Git,
    /// The version with this id.
    Version(VersionId),
}

/// A replica that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredReplica {
    /// The KMS key in its region; none is that region's own key for Secrets Manager.
    pub kms_key_id: Option<KmsKey>,
    /// Whether a secret of the same name in that region may be destroyed for it (`ForceOverwriteReplicaSecret`).
    pub overwrite: bool,
    /// Where it is written.
    pub origin: Origin,
}

/// `metadata.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The secret should exist.
    Present,
    /// The secret should be deleted.
    Absent,
}

/// `spec.tags` with `spec.tagMode`.
#[derive(Clone, Debug)]
pub struct DesiredTags {
    /// Exact or additive.
    pub mode: TagMode,
    /// Key to value, each with the place where the value is written.
    pub tags: BTreeMap<TagKey, (Template, Origin)>,
    /// Where the map is written.
    pub origin: Origin,
}

/// Whether live tags that a manifest does not name are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagMode {
    /// The live set, less the ignored keys, is exactly the declared one.
    Exact,
    /// Live tags that are not named stay.
    Additive,
}

/// How a secret is deleted (DeleteSecret).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Deletion {
    /// `RecoveryWindowInDays`, 7 to 30: it can be restored until then.
    Window(u8),
    /// `ForceDeleteWithoutRecovery`: it is gone at once.
    Force,
}

impl Deletion {
    /// The same with a window: what goes since another secret has taken its place can always be restored for a while.
    #[must_use]
    pub fn with_window(self) -> Self {
        match self {
            Self::Window(days) => Self::Window(days),
            Self::Force => Self::Window(DEFAULT_RECOVERY_WINDOW_DAYS),
        }
    }
}

/// A resource policy as written, with the places in it that wait for another secret's ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTemplate {
    /// The document. Where [`PolicyTemplate::holes`] has an entry, the string here is only a placeholder.
    pub document: serde_json::Value,
    /// JSON pointer (RFC 6901) to the text that stands there.
    pub holes: BTreeMap<String, Template>,
}

impl PolicyTemplate {
    /// The document with every ARN filled in, or the first secret whose ARN is not known yet.
    pub fn resolve(&self, arns: &dyn Fn(&SecretName) -> Option<Arn>) -> Result<PolicyDocument, SecretName> {
        self.fill(|template| template.resolve(arns))
    }

    /// The document with `(known after apply)` for every ARN that is not known yet.
    pub fn preview(&self, arns: &dyn Fn(&SecretName) -> Option<Arn>) -> PolicyDocument {
        match self.fill(|template| Ok::<_, std::convert::Infallible>(template.preview(arns))) {
            Ok(document) => document,
            Err(never) => match never {},
        }
    }

    fn fill<E>(&self, text: impl Fn(&Template) -> Result<String, E>) -> Result<PolicyDocument, E> {
        let mut document = self.document.clone();
        for (pointer, template) in &self.holes {
            if let Some(place) = document.pointer_mut(pointer) {
                *place = serde_json::Value::String(text(template)?);
            }
        }
        Ok(PolicyDocument::from_checked(document))
    }
}
