//! The rules that a project makes for its own secrets.

use serde::Deserialize;

use super::super::field::{Field, Map};

/// Rules that several projects share: in a folder of `spec.include`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a Rules document")]
#[cfg_attr(test, schemars(extend("required" = ["apiVersion", "kind", "spec"])))]
pub struct RulesDocument {
    /// The version of the manifest language: always `keywright/v1`.
    #[cfg_attr(test, schemars(extend("const" = "keywright/v1")))]
    pub api_version: Field<String>,
    /// The kind of this document: `Rules`.
    #[cfg_attr(test, schemars(extend("const" = "Rules")))]
    pub kind: Field<String>,
    /// The rules.
    pub spec: Field<SharedRules>,
}

/// Rules that several projects share.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["rules"])))]
pub struct SharedRules {
    /// Rules as in `spec.rules` of a project, for every project that includes this folder.
    pub rules: Field<Vec<Field<RuleSpec>>>,
}

/// A rule that the project's secrets keep. It is checked by `validate` and before every plan, on what the manifests
/// declare, with the defaults and overrides merged and variables filled in. It requires at least one thing. Variables
/// are not filled in within rules.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["name"])))]
pub struct RuleSpec {
    /// The rule's name, which findings give: 1 to 63 lower-case letters, digits and hyphens, unique.
    #[cfg_attr(test, schemars(example = serde_json::json!("owner-tag"), regex(pattern = r"^[a-z0-9][a-z0-9-]{0,62}$")))]
    pub name: Field<String>,
    /// Which secrets the rule is for: those that everything in it holds for. By default it is for all of them.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!({ "names": ["prod/*"], "tags": { "data-class": "restricted|secret" } }))
    )]
    pub r#match: Field<RuleMatch>,
    /// Tags that are declared, each with a regular expression that its whole value matches; empty for any value.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "owner": "team-[a-z]+", "cost-center": "" })))]
    pub require_tags: Field<Map<String>>,
    /// A regular expression that the secret's whole name matches.
    #[cfg_attr(test, schemars(example = serde_json::json!("[a-z0-9/-]+"), length(min = 1)))]
    pub name_pattern: Field<String>,
    /// What is required of rotation.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "required": true, "atLeastEveryDays": 30 })))]
    pub rotation: Field<RuleRotation>,
    /// Regions that do, and do not, hold a replica.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "required": ["us-west-2"] })))]
    pub replicas: Field<RuleReplicas>,
    /// What is required of the value, where the manifest has one: `validate` sees keys and kinds without any key, and
    /// an apply checks all of a value before its first write. Messages name keys, never values.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "keys": ["username", "password"], "optional": ["port"] })))]
    pub value: Field<RuleValue>,
    /// No manifest says `deletion.force`: a deleted secret can always be restored for a while. The only requirement
    /// that secrets with `metadata.state: absent` are held to.
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub forbid_force_deletion: Field<bool>,
    /// `kmsKeyId` names a key, for the secret and each of its replicas, other than the account's own key for Secrets
    /// Manager (`alias/aws/secretsmanager`).
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub require_kms_key: Field<bool>,
    /// Why there is this rule, or whom to ask: shown with every finding.
    #[cfg_attr(test, schemars(example = serde_json::json!("every secret names its team: see the handbook, chapter 4")))]
    pub message: Field<String>,
    /// `error` stops `plan` and `apply`; `warning` is only shown.
    #[cfg_attr(test, schemars(extend("default" = "error")))]
    pub severity: Field<RuleSeverity>,
}

/// Which secrets a rule is for. Everything that is given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct RuleMatch {
    /// Globs over secrets' names, of which one fits, as in `--select`: `*` and `?` match `/` too.
    #[cfg_attr(test, schemars(example = serde_json::json!(["prod/*"]), extend("minItems" = 1)))]
    pub names: Field<Vec<Field<String>>>,
    /// Declared tags, each with a regular expression that its whole value matches; empty for any value. All of them are
    /// there.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!({ "data-class": "restricted|secret" }), extend("minProperties" = 1))
    )]
    pub tags: Field<Map<String>>,
    /// Names of targets, globs over names, or label selectors, of which one fits the secret's.
    #[cfg_attr(test, schemars(example = serde_json::json!(["prod", "stage=prod"]), extend("minItems" = 1)))]
    pub targets: Field<Vec<Field<String>>>,
}

/// What a rule requires of rotation.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct RuleRotation {
    /// Rotation is declared, and not `null`.
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub required: Field<bool>,
    /// Where rotation is declared, at most so many days lie between two rotations: 1 to 1,000. For `cron(...)` the
    /// longest time between two of its dates counts.
    #[cfg_attr(test, schemars(example = 30, range(min = 1, max = 1000)))]
    pub at_least_every_days: Field<i64>,
}

/// What a rule requires of a value: keys, or a schema.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct RuleValue {
    /// The value is a JSON object with these keys.
    #[cfg_attr(test, schemars(example = serde_json::json!(["username", "password"]), extend("minItems" = 1)))]
    pub keys: Field<Vec<Field<String>>>,
    /// Keys that it may have beside `keys`; then it has no further ones. Left out, it may have any others.
    #[cfg_attr(test, schemars(example = serde_json::json!(["port"])))]
    pub optional: Field<Vec<Field<String>>>,
    /// A file with a JSON Schema, relative to the file of the rule and inside the project. Keywords that are not
    /// checked are errors: `docs/decisions/0037-shapes-of-values.md` lists those that are. Excludes `keys`.
    #[cfg_attr(test, schemars(example = serde_json::json!("schemas/database.schema.json")))]
    pub schema: Field<String>,
}

/// Regions that do, and do not, hold a replica.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct RuleReplicas {
    /// Regions that hold a replica, or the secret itself.
    #[cfg_attr(test, schemars(example = serde_json::json!(["us-west-2"])))]
    pub required: Field<Vec<Field<String>>>,
    /// Regions that hold no replica.
    #[cfg_attr(test, schemars(example = serde_json::json!(["us-east-1"])))]
    pub forbidden: Field<Vec<Field<String>>>,
}

/// What a breach of a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum RuleSeverity {
    /// Nothing is planned as long as it is there.
    Error,
    /// It is shown, and stops nothing.
    Warning,
}
