//! The Project document: `keywright.yaml` at the root.

use serde::Deserialize;

use super::super::field::{Field, Map};
use super::audit::AuditSpec;
use super::rules::RuleSpec;
use super::secret::spec;
use super::target::TargetSpec;
#[cfg(test)]
use crate::desired::{DEFAULT_RECOVERY_WINDOW_DAYS, GuardLimits};

/// A keywright project: who owns the secrets, where they are applied, and what may be touched. It is the file
/// `keywright.yaml` at the root of the project.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a Project document")]
#[cfg_attr(test, schemars(extend("required" = ["apiVersion", "kind", "metadata", "spec"])))]
pub struct ProjectDocument {
    /// The version of the manifest language: always `keywright/v1`.
    #[cfg_attr(test, schemars(extend("const" = "keywright/v1")))]
    pub api_version: Field<String>,
    /// The kind of this document: `Project`.
    #[cfg_attr(test, schemars(extend("const" = "Project")))]
    pub kind: Field<String>,
    /// Who owns the secrets.
    pub metadata: Field<ProjectMetadata>,
    /// Targets, scope, defaults and limits.
    pub spec: Field<ProjectSpec>,
}

/// Who owns the secrets of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["name"])))]
pub struct ProjectMetadata {
    /// The project's name: 1 to 63 lower-case letters, digits and hyphens. Together with the target's name it is
    /// written to every managed secret as the tag `keywright:project`, by which keywright knows its own secrets. Don't
    /// change it later.
    #[cfg_attr(test, schemars(example = serde_json::json!("payments"), regex(pattern = r"^[a-z0-9][a-z0-9-]{0,62}$")))]
    pub name: Field<String>,
}

/// Targets, scope, defaults and limits of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["targets", "scope"])))]
pub struct ProjectSpec {
    /// Files and folders with manifests, relative to the project's folder and inside it. Folders are searched for
    /// `.yaml` and `.yml` files, leaving out hidden folders, `target` and `node_modules`. By default the project's
    /// whole folder is searched.
    #[cfg_attr(test, schemars(example = serde_json::json!(["secrets/"])))]
    pub manifests: Field<Vec<Field<String>>>,
    /// Folders of the same git work tree, outside this project, that several projects share, relative to this one's
    /// folder: for Defaults documents, which lie beneath the project's own `defaults`, Rules documents, and templates
    /// of policies. They are only read. Left out, nothing is shared.
    #[cfg_attr(test, schemars(example = serde_json::json!(["../platform/common"])))]
    pub include: Field<Vec<Field<String>>>,
    /// Variables for `${name}`, the same in all targets. A target's own `vars`, and what its `matrix` gives, win over
    /// them. Their values are text, and may use one another, those of the target, look-ups in `maps`, and
    /// `${target.name}`, `${target.account}` and `${target.region}`.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "stage": "dev", "domain": "${stage}.example.internal" })))]
    pub vars: Field<Map<String>>,
    /// Look-ups: `${accounts.${stage}}` is what the map `accounts` has for the stage. Values are text, as those of
    /// `vars`.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!({ "accounts": { "dev": "111111111111", "prod": "222222222222" } }))
    )]
    pub maps: Field<Map<Map<String>>>,
    /// Where the manifests are applied: AWS accounts and regions. At least one, and at most 500, those that a `matrix`
    /// makes included.
    #[cfg_attr(test, schemars(extend("minItems" = 1)))]
    #[cfg_attr(test, schemars(example = serde_json::json!([{
        "name": "staging", "account": "111111111111", "region": "eu-west-1", "vars": { "env": "staging" },
    }])))]
    pub targets: Field<Vec<Field<TargetSpec>>>,
    /// Fields that are merged beneath every secret's `spec`: maps are merged by key, lists and single values of the
    /// secret replace these. A secret leaves one out with `overrides.TARGET.unset`.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "tags": { "owner": "platform" } })))]
    pub defaults: Field<Defaults>,
    /// What the project may touch. A secret outside it is an error, and nothing outside it is ever changed or deleted.
    pub scope: Field<ScopeSpec>,
    /// What becomes of secrets that this project owns and that no manifest declares any more: `report` shows them,
    /// `delete` deletes them with the window of `pruneDeletion`, `release` drops the owner tag and keeps the secret.
    #[cfg_attr(test, schemars(extend("default" = "report")))]
    pub prune: Field<PruneChoice>,
    /// How secrets are deleted that no manifest declares any more. They can always be restored for a while: there is no
    /// `force` here.
    pub prune_deletion: Field<PruneDeletion>,
    /// Patterns over tag keys. Live tags that match are neither compared nor changed, for tags that other tools write.
    /// Keys under `aws:` and `keywright:` are always left alone.
    #[cfg_attr(test, schemars(example = serde_json::json!(["aws:*", "cost-*"])))]
    pub ignore_tags: Field<Vec<Field<String>>>,
    /// Limits on what one apply may do without being told so by a flag.
    pub guards: Field<GuardsSpec>,
    /// What `keywright inventory` measures with, and what it excuses. Left out, each has its default.
    pub audit: Field<AuditSpec>,
    /// The key of the tag that says whose a secret is. Plans and applies end with the secrets that wait for a value
    /// from people, grouped by this tag. Left out, they are grouped by `owner`, or else by `team`, in whatever case.
    #[cfg_attr(test, schemars(example = serde_json::json!("team"), length(min = 1, max = 128)))]
    pub value_owner_tag: Field<String>,
    /// Rules that the project's secrets keep, checked by `validate` and before every plan: at most 100.
    #[cfg_attr(test, schemars(extend("maxItems" = 100)))]
    #[cfg_attr(test, schemars(example = serde_json::json!([{
        "name": "owner-tag", "requireTags": { "owner": "team-[a-z]+" }, "message": "every secret names its team",
    }])))]
    pub rules: Field<Vec<Field<RuleSpec>>>,
}

/// What a project may touch.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["namePrefixes"])))]
pub struct ScopeSpec {
    /// Prefixes of secrets' names, in which variables can stand. Every secret's name begins with one of them. Two
    /// targets in one account and region have none in common.
    #[cfg_attr(test, schemars(example = serde_json::json!(["${env}/payments/"]), extend("minItems" = 1)))]
    pub name_prefixes: Field<Vec<Field<String>>>,
}

/// What becomes of secrets that this project owns and that no manifest declares any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum PruneChoice {
    /// They are reported, and stay.
    Report,
    /// They are deleted, with the window of `pruneDeletion`.
    Delete,
    /// Their owner tag is dropped, and they stay.
    Release,
}

/// How secrets are deleted that no manifest declares any more.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct PruneDeletion {
    /// For how many days a deleted secret can be restored: 7 to 30.
    #[cfg_attr(test, schemars(range(min = 7, max = 30), extend("default" = DEFAULT_RECOVERY_WINDOW_DAYS)))]
    pub recovery_window_days: Field<i64>,
}

/// Limits on what one apply may do without being told so by a flag.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct GuardsSpec {
    /// Most secrets that one apply may delete.
    #[cfg_attr(test, schemars(range(min = 0, max = 100_000), extend("default" = GuardLimits::default().max_deletes)))]
    pub max_deletes: Field<i64>,
    /// Largest share, in percent, of the owned live secrets that one apply may change. Creating and adopting secrets
    /// doesn't count.
    #[cfg_attr(
        test,
        schemars(range(min = 0, max = 100), extend("default" = GuardLimits::default().max_changes_percent))
    )]
    pub max_changes_percent: Field<i64>,
}

spec! {
    /// Fields that are merged beneath every secret's `spec`.
    Defaults {}
}
