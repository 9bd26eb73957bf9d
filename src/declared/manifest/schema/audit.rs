//! `spec.audit` of a project: what an audit measures with.

use serde::Deserialize;

use super::super::field::Field;
#[cfg(test)]
use crate::desired::AuditRules;

/// What `keywright inventory` measures with, and what it excuses.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct AuditSpec {
    /// Days without a read after which a secret is unused: 1 to 365.
    #[cfg_attr(test, schemars(range(min = 1, max = 365), extend("default" = AuditRules::default().unused_days)))]
    pub unused_days: Field<i64>,
    /// Days after which a value is old: 1 to 3650.
    #[cfg_attr(test, schemars(range(min = 1, max = 3650), extend("default" = AuditRules::default().value_age_days)))]
    pub value_age_days: Field<i64>,
    /// Days within which rotation is to happen: 1 to 1000.
    #[cfg_attr(test, schemars(range(min = 1, max = 1000), extend("default" = AuditRules::default().rotation_days)))]
    pub rotation_days: Field<i64>,
    /// Keys of tags that every secret is to have. Left out, a secret is to have one that is not AWS's own.
    #[cfg_attr(test, schemars(example = serde_json::json!(["owner", "cost-centre"]), length(max = 50)))]
    pub required_tags: Field<Vec<Field<String>>>,
    /// Findings that are excused, each until a day: at most 500. Left out, none are.
    #[cfg_attr(test, schemars(length(max = 500)))]
    pub ignore: Field<Vec<Field<AuditIgnoreSpec>>>,
}

/// Findings that are excused until a day.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["finding", "secrets", "until"])))]
pub struct AuditIgnoreSpec {
    /// The kind of finding, one that `keywright inventory --help` lists, or `*` for every kind.
    #[cfg_attr(test, schemars(example = serde_json::json!("rotation-off")))]
    pub finding: Field<String>,
    /// A glob of names. `*` also matches `/`.
    #[cfg_attr(test, schemars(example = serde_json::json!("prod/vendor/*")))]
    pub secrets: Field<String>,
    /// The last day on which it is excused, as YYYY-MM-DD, in UTC.
    #[cfg_attr(test, schemars(example = serde_json::json!("2027-01-31")))]
    pub until: Field<String>,
    /// The targets that it is for: a name, a glob, or a selector of labels. Left out, it is for all.
    #[cfg_attr(test, schemars(example = serde_json::json!("stage=dev")))]
    pub targets: Field<String>,
    /// Why, for whoever reads it next. It may be left out.
    pub reason: Field<String>,
}
