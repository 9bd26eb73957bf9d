//! The shapes of the JSON document of a plan: what `schemas/plan.schema.json` is made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::awaiting::AwaitingDocument;
use super::super::rehearsal::RehearsalDocument;
use super::super::who::WhoDocument;

/// The plan of a project over all chosen targets.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanDocument {
    /// The version of this format: `1`.
    pub format_version: &'static str,
    /// The project's name.
    pub project: String,
    /// Whether an apply would change anything in any target; null when that is not known, since a target could not be
    /// planned, a secret not be read, or one is held back by an error of its own.
    pub has_changes: Option<bool>,
    /// What the plans change of the monthly bill; absent where nothing, and where AWS's list price in USD does not
    /// hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_cost: Option<CostDocument>,
    /// The targets, in the order of the project file.
    pub targets: Vec<TargetDocument>,
    /// Secrets to which the same happens, over all targets: each is among those of its target too. Nothing that is lost
    /// is in here.
    pub groups: Vec<GroupDocument>,
    /// The secrets whose value is left to people and that have none, or will have none when they are made, by the tag
    /// that says whom they wait for; secrets without an owner tag come last.
    pub awaiting_value: Vec<AwaitingDocument>,
}

/// What secrets and their replicas cost a month, by AWS's list price and without calls.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CostDocument {
    /// How much more, in cents of USD; negative for less.
    pub change_usd_cents: i64,
    /// How much then, in cents of USD; absent where not all secrets of the project were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_usd_cents: Option<i64>,
    /// When the list price was looked up.
    pub list_price_date: &'static str,
}

/// Secrets to which the same happens.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupDocument {
    /// What happens, in one word.
    pub verb: VerbDocument,
    /// The fields that differ.
    pub fields: Vec<&'static str>,
    /// The names of the secrets, by target.
    pub secrets: BTreeMap<String, Vec<String>>,
}

/// One target.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TargetDocument {
    /// The target's name.
    pub name: String,
    /// The twelve-digit account, when it was checked or the target names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Where it was reached when that is not AWS itself: an endpoint, or `sandbox`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Why the target could not be planned; the other members are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many secrets there are of each kind.
    pub summary: SummaryDocument,
    /// The secrets with something to do, by name.
    pub secrets: Vec<SecretDocument>,
    /// What was found, by secret.
    pub findings: Vec<FindingDocument>,
    /// The guards that would refuse an apply with the same flags.
    pub refusals: Vec<RefusalDocument>,
    /// What became of the plan on a copy of what is live; absent without `--rehearse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<RehearsalDocument>,
}

/// Counts of one target.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SummaryDocument {
    /// Secrets that the manifests name, after selection.
    pub desired: usize,
    /// Of these, the ones with nothing to do, for an apply or for people.
    pub unchanged: usize,
    /// Of these, the ones that an error keeps from being planned.
    pub blocked: usize,
    /// Of these, the ones of which something is not as declared and is left alone for now; findings say what.
    pub held_back: usize,
    /// Of these, the ones that wait for a value from people.
    pub awaiting_value: usize,
    /// Secrets that could not be read, or whose value could not: they are left alone.
    pub unreadable: usize,
    /// Of the desired ones, those whose value only `--read-values` could compare.
    pub unread: usize,
    /// Live secrets that carry this target's owner tag.
    pub owned_live: usize,
    /// Secrets to create.
    pub create: usize,
    /// Secrets to make under another name, with the value that they have.
    #[serde(rename = "move")]
    pub moves: usize,
    /// Secrets to restore from a scheduled deletion.
    pub restore: usize,
    /// Live secrets without an owner to take over.
    pub adopt: usize,
    /// Secrets to change.
    pub change: usize,
    /// Of these, the ones of which nothing is known to differ: encrypted afresh in git, or changed there.
    pub re_encrypted: usize,
    /// Secrets to keep and stop managing.
    pub release: usize,
    /// Secrets to delete.
    pub delete: usize,
    /// Calls to AWS that an apply would write with.
    pub actions: usize,
}

/// One secret with something to do.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretDocument {
    /// The secret's name.
    pub name: String,
    /// What happens to it, in one word.
    pub verb: VerbDocument,
    /// The old name of a secret that takes another one's place; the old one is deleted once this one is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The ARN, when it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Where its manifest names it; absent when its manifest is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginDocument>,
    /// Where the item of a list is written that it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<OriginDocument>,
    /// Secrets of this plan that are done first.
    pub depends_on: BTreeSet<String>,
    /// Why it goes and what counts on it, where it is deleted or released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaving: Option<LeavingDocument>,
    /// The differences, field by field.
    pub changes: Vec<ChangeDocument>,
    /// The operations that an apply calls, in this order.
    pub actions: Vec<&'static str>,
    /// Who made what would be changed, as far as CloudTrail knows; absent without `--who`, where git alone brought it
    /// about, and where CloudTrail could not be asked. No approval rests on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<WhoDocument>,
}

/// Why a secret goes and what counts on it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeavingDocument {
    /// In words.
    pub reason: String,
    /// The item that would give its name, and that its list does not have; absent where its manifest left git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_list: Option<LeftListDocument>,
    /// The commit that took its manifest away, where git tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_in: Option<CommitDocument>,
    /// When its value was last read, to the day (`LastAccessedDate`); absent when no read is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_accessed: Option<String>,
    /// Secrets that stay and whose declared policies name its ARN.
    pub named_by: BTreeSet<String>,
}

/// A commit.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CommitDocument {
    /// Its abbreviated id.
    pub id: String,
    /// When it was committed, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The first line of its message.
    pub subject: String,
}

/// What happens to a secret.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum VerbDocument {
    /// It does not exist and will.
    Create,
    /// It takes the place of another secret, `movedFrom`, which is deleted then.
    Move,
    /// It is scheduled for deletion and will be restored.
    Restore,
    /// It exists without an owner and becomes this project's.
    Adopt,
    /// It is this project's and differs.
    Change,
    /// It stays, and stops being this project's.
    Release,
    /// It is deleted.
    Delete,
}

/// A place in a manifest.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OriginDocument {
    /// The file, relative to the project's folder.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One difference.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeDocument {
    /// The field: `description`, `type`, `kmsKeyId`, `tags`, `policy`, `value`, `labels`, `rotation`, `replicas`,
    /// `deletion`, or `from` of a secret that takes another one's place. A value is never shown: its note says where it
    /// comes from and why it is put. Text that the manifest holds in the clear is no secret.
    pub field: &'static str,
    /// The tag's key for `tags`, the staging label for `labels`, the region for `replicas`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is live: text, or a policy document. Absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    /// What will be: text, or a policy document. Absent when there will be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
    /// True when `after` holds an ARN that is known only after another secret is created; a note stands in its place.
    pub known_after_apply: bool,
    /// When the first window of a new rotation schedule opens, as RFC 3339, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_rotation: Option<String>,
    /// The parts of a JSON value that differ from the live ones, where both were read (`--read-values`): the keys of
    /// the manifest, at most five.
    pub parts: Vec<String>,
    /// In words, where before and after do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it is declared; absent for keywright's own tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginDocument>,
}

/// Something that was found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingDocument {
    /// The kind, as a stable word.
    pub kind: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// The secret.
    pub secret: String,
    /// What was found, in one sentence without the secret's name.
    pub message: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where the secret's manifest names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginDocument>,
    /// Of an orphan: the item of a list that would give its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_list: Option<LeftListDocument>,
}

/// An item that a list does not have.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftListDocument {
    /// What the item says in the secret's name.
    pub item: String,
    /// Where the list is written, or named.
    pub list: OriginDocument,
}

/// A guard that would refuse.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefusalDocument {
    /// The guard's name.
    pub guard: &'static str,
    /// Why, in one sentence.
    pub message: String,
    /// What the guard found: numbers and texts by name.
    pub facts: BTreeMap<&'static str, FactDocument>,
    /// The secrets that it is about; empty when it is about the whole plan.
    pub secrets: Vec<String>,
    /// The flag that overrides the guard; absent when nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden_by: Option<String>,
}

/// Something that a guard found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum FactDocument {
    /// How many.
    Number(usize),
    /// A text.
    Text(String),
}
