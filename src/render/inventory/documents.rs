//! The documents of an inventory: these types are the format, and `schemas/inventory.schema.json` is made of them.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::super::drift::json::DriftedDocument;
use super::super::plan_json::OriginDocument;
use super::super::who::WhoDocument;
use super::json;
use crate::inventory::{Inventory, TargetInventory};

/// The version of the format of [`InventoryDocument`].
pub const FORMAT_VERSION: &str = "1";

/// What is there, over all chosen targets.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InventoryDocument<'a> {
    /// The version of this format: `1`.
    pub format_version: &'static str,
    /// The project's name.
    pub project: String,
    /// When the run began, as RFC 3339 in UTC. Ages are counted from here.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Requests to AWS, by operation.
    pub calls: BTreeMap<String, u64>,
    /// Whether secrets outside the scope are here as well (`--all`).
    pub whole_account: bool,
    /// Whether policies, replicas, versions and links with other accounts were read of every secret (`--audit`); a
    /// watch reads no dates of versions.
    pub audited: bool,
    /// What findings are measured with.
    pub thresholds: ThresholdsDocument,
    /// The kinds of findings that there are here, the worst first, each once.
    pub kinds: Vec<KindDocument>,
    /// Everything together.
    pub totals: TotalsDocument,
    /// The same by target, by owner, and by what `--group-by` names.
    pub groups: Vec<GroupingDocument>,
    /// The targets, in the order of the project file.
    pub targets: Vec<TargetDocument<'a>>,
}

/// What findings are measured with: `spec.audit` of the project.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ThresholdsDocument {
    /// Days without a read after which a secret is unused.
    pub unused_days: u32,
    /// Days after which a value is old.
    pub value_age_days: u32,
    /// Days within which rotation is to happen.
    pub rotation_days: u32,
    /// Tags that every secret is to have; without any, one that is not AWS's own.
    pub required_tags: Vec<String>,
}

/// Counts and cost of some secrets.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TotalsDocument {
    /// How many secrets there are.
    pub secrets: usize,
    /// How many AWS bills: a secret is one, and so is each of its replicas; one that is scheduled for deletion is free.
    pub billed: u64,
    /// What they cost a month by the list price, in US cents, requests apart.
    pub monthly_cents: u64,
    /// Secrets that nobody reads: those with the finding `unused` or `never-read`.
    pub unused: usize,
    /// What those cost a year by the list price, in US cents.
    pub unused_yearly_cents: u64,
    /// Findings by severity: `high`, `medium`, `low`, `info`.
    pub findings: BTreeMap<&'static str, usize>,
}

/// Totals of the groups of one kind.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupingDocument {
    /// What they are grouped by: `target`, `owner`, or a tag as `tag:KEY`.
    pub by: String,
    /// The groups, the dearest first. A secret without the tag is in the group whose name is null.
    pub groups: Vec<GroupDocument>,
}

/// One group.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupDocument {
    /// Its name.
    pub name: Option<String>,
    /// Its totals.
    #[serde(flatten)]
    pub totals: TotalsDocument,
}

/// One target.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryTargetDocument"))]
pub struct TargetDocument<'a> {
    /// The target's name.
    pub name: String,
    /// The twelve-digit account, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Where it was reached when that is not AWS itself: an endpoint, or `sandbox`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Why the target could not be looked at; the other members are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Findings that are excused until a day (`--ignore`, `spec.audit.ignore`) and are not listed.
    pub ignored: usize,
    /// Its secrets, by name.
    #[cfg_attr(test, schemars(with = "Vec<SecretDocument>"))]
    pub secrets: Secrets<'a>,
}

/// The secrets of a target, each made when it is written: of 50,000 one is there at a time.
pub struct Secrets<'a> {
    /// The inventory.
    pub(super) inventory: &'a Inventory,
    /// The target.
    pub(super) target: &'a TargetInventory,
}

impl Serialize for Secrets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.target.outcome.iter().flat_map(|stock| &stock.entries);
        serializer.collect_seq(entries.map(|entry| json::secret(self.inventory, self.target, entry)))
    }
}

/// One secret. No value is ever in here.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventorySecretDocument"))]
pub struct SecretDocument {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Whether its name is in the scope of the target.
    pub in_scope: bool,
    /// Who manages it.
    pub owner: OwnerDocument,
    /// Who it belongs to by its tag: the project's `valueOwnerTag`, else `owner`, else `team`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All of its tags.
    pub tags: BTreeMap<String, String>,
    /// Its KMS key as the service shows it; absent for the account's `aws/secretsmanager`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// The partner of a managed external secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_type: Option<String>,
    /// When it was made, as RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When anything of it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// The day on which its value was read last, here or, with `--audit`, in one of its replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_accessed: Option<String>,
    /// When its current value was put, as far as that is known: the date of the version (`--audit`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_since: Option<String>,
    /// Its versions, the newest first where their dates are known. Without `--audit` only those with a label.
    pub versions: Vec<VersionDocument>,
    /// Its rotation.
    pub rotation: RotationDocument,
    /// The region of its primary, where it is a replica itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// Its replicas; without `--audit` only of secrets that were described.
    pub replicas: Vec<ReplicaDocument>,
    /// Whether it has replicas that were not read: ListSecrets tells that there are some, and not where.
    pub has_unread_replicas: bool,
    /// Its primary and replicas in other accounts (`--audit`, or where manifests declare them).
    pub links: Vec<LinkDocument>,
    /// Its scheduled deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion: Option<DeletionDocument>,
    /// Its resource policy.
    pub policy: PolicyDocument,
    /// The names of its policies beside `default` (`--audit`).
    pub other_policies: Vec<String>,
    /// How many AWS bills for it.
    pub billed: u64,
    /// What that costs a month by the list price, in US cents.
    pub monthly_cents: u64,
    /// Where its manifest names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<OriginDocument>,
    /// Why it could not be read whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What of it differs from git; only in the document that `keywright watch` serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drifts: Option<Vec<DriftedDocument>>,
    /// What an auditor would say of it, the worst first.
    pub findings: Vec<FindingDocument>,
}

/// Who manages a secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnerDocument {
    /// `project` (this project's target), `other-project` (another target or project by its tag `keywright:project`),
    /// `cloudformation`, `service`, `primary` (a replica, managed where its primary is), `tag` (nothing manages it, and
    /// a tag says whose it is) or `nobody`.
    pub kind: &'static str,
    /// `project/target`, the stack, the service, the primary's region, or the tag's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A version.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryVersionDocument"))]
pub struct VersionDocument {
    /// Its id.
    pub id: String,
    /// Its staging labels; none for a deprecated version.
    pub labels: Vec<String>,
    /// When it was made, where that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The day on which it was read last, where that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_accessed: Option<String>,
}

/// Rotation of a secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryRotationDocument"))]
pub struct RotationDocument {
    /// `off`, `on`, `overdue` (the date passed more than two days ago) or `stuck` (AWSPENDING is on another version
    /// than AWSCURRENT).
    pub state: &'static str,
    /// When it rotates, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// What rotates it: the function's ARN, a partner's role, or the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was rotated last, as RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// By when it is to be rotated next (`NextRotationDate`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A replica.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryReplicaDocument"))]
pub struct ReplicaDocument {
    /// Its region.
    pub region: String,
    /// `InSync`, `InProgress` or `Failed`.
    pub status: &'static str,
    /// Why it failed, in AWS's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A link with a secret of another account.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryLinkDocument"))]
pub struct LinkDocument {
    /// What the other secret is to this one: `primary` or `replica`.
    pub other: &'static str,
    /// The other secret's ARN.
    pub arn: String,
    /// The target of this project that it is in, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The state of the link, in AWS's word.
    pub status: String,
    /// What AWS says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A scheduled deletion.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeletionDocument {
    /// When it was scheduled, as RFC 3339 in UTC (`DeletedDate`).
    pub scheduled: String,
    /// Until then it can be restored for certain, as RFC 3339 in UTC: AWS does not tell the recovery window, which is 7
    /// to 30 days.
    pub restorable_until: String,
    /// By then it is gone for certain.
    pub gone_by: String,
}

/// A resource policy.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryPolicyDocument"))]
pub struct PolicyDocument {
    /// `not-read`, `none`, `document`, `not-readable` (scheduled for deletion) or `not-json`.
    pub state: &'static str,
    /// What it says, in words, a sentence for each whom it names.
    pub words: Vec<String>,
    /// Whom it lets read the value, by itself. Whether a call is allowed in the end also depends on identity policies.
    pub readers: Vec<String>,
    /// Other accounts that it names in what it allows.
    pub other_accounts: Vec<String>,
    /// Whether it gives broad access, by the rules of BlockPublicPolicy.
    pub public: bool,
    /// Principals that were deleted: AWS shows ids in their place.
    pub dangling: Vec<String>,
    /// The document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<serde_json::Value>,
}

/// What an auditor would say.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "InventoryFindingDocument"))]
pub struct FindingDocument {
    /// Its kind, as a stable word: the ones that `keywright inventory --help` lists.
    pub kind: &'static str,
    /// `high`, `medium`, `low` or `info`.
    pub severity: &'static str,
    /// What is found, in words without the secret's name.
    pub message: String,
    /// The command or the line of a manifest that mends it.
    pub fix: String,
    /// Who brought it about, as far as CloudTrail knows; absent without `--who`, and where nobody did anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<WhoDocument>,
}

/// A kind of finding.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KindDocument {
    /// Its word.
    pub kind: &'static str,
    /// `high`, `medium`, `low` or `info`.
    pub severity: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// How many findings of it there are.
    pub findings: usize,
    /// The checks of auditors' tools that ask the same.
    pub checks: Vec<CheckDocument>,
}

/// A check of an auditor's tool.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckDocument {
    /// The tool: `Security Hub`, `AWS Config`, `Prowler`, `Checkov`, `cfn_nag`, `Powerpipe`.
    pub tool: &'static str,
    /// Its id there.
    pub id: &'static str,
}
