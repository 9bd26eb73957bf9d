//! A target in the project file, and the matrix that makes several of one.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::super::field::{Field, Map, Spanned};

/// An AWS account and region that the manifests are applied to; with `matrix`, one for each combination. Variables can
/// stand in all of its texts.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["name", "region"])))]
pub struct TargetSpec {
    /// The target's name, for `--target`, `overrides` and `${target.name}`: 1 to 63 lower-case letters, digits and
    /// hyphens once variables are filled in, unique.
    #[cfg_attr(test, schemars(example = serde_json::json!("staging"), regex(pattern = r"^([a-z0-9-]|\$\{[^}]*\}+)+$")))]
    pub name: Field<String>,
    /// Makes a target of each combination of its values, as a matrix of GitHub Actions makes jobs. They are variables
    /// of the target. Left out, it is one target.
    #[cfg_attr(test, schemars(example = serde_json::json!({
        "stage": ["dev", "prod"], "region": ["eu-west-1", "us-east-1"],
        "exclude": [{ "stage": "dev", "region": "us-east-1" }],
        "include": [{ "stage": "prod", "tier": "gold" }],
    })))]
    pub matrix: Field<MatrixSpec>,
    /// The AWS account: twelve digits in quotes. Credentials of any other account are refused before anything is read.
    /// Without it any account is accepted.
    #[cfg_attr(test, schemars(example = serde_json::json!("111111111111"), regex(pattern = r"^([0-9]{12}|.*\$\{.*)$")))]
    pub account: Field<String>,
    /// The AWS region.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!("eu-west-1"), regex(pattern = r"^(([a-z]+-)+[0-9]+|.*\$\{.*)$"))
    )]
    pub region: Field<String>,
    /// An IAM role to assume (STS AssumeRole) before anything else. It is in the target's account. Left out, the
    /// credentials are used as they are.
    #[cfg_attr(test, schemars(example = serde_json::json!("arn:aws:iam::111111111111:role/keywright")))]
    pub assume_role: Field<String>,
    /// The profile of the AWS configuration files to take credentials from. Left out, they are found as the AWS CLI
    /// finds them.
    #[cfg_attr(test, schemars(example = serde_json::json!("staging")))]
    pub profile: Field<String>,
    /// An endpoint in place of AWS's own. A manifest may name only one on this machine (loopback), for tests; others
    /// come from `--endpoint-url` or the AWS configuration. Left out, it is AWS's own.
    #[cfg_attr(test, schemars(example = serde_json::json!("http://localhost:4566")))]
    pub endpoint_url: Field<String>,
    /// Labels, by which several targets are named at once, as kubectl does: `stage=prod,tier!=gold`. Keys and values
    /// are those of Kubernetes: at most 63 letters, digits, `-`, `_` and `.`.
    #[cfg_attr(test, schemars(example = serde_json::json!({ "stage": "prod", "tier": "gold" })))]
    pub labels: Field<Map<String>>,
    /// Variables for `${name}` in the manifests. Values are text, and may use one another, those of the project, and
    /// `${target.name}`, `${target.account}` and `${target.region}`, which are always there; a literal `${` is written
    /// `$${`.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!({ "env": "staging", "host": "db.${env}.${target.region}.example.com" }))
    )]
    pub vars: Field<Map<String>>,
}

/// A variable of a matrix with its values.
pub(crate) type Axis = (Spanned<String>, Field<Vec<Field<String>>>);

/// The combinations of a matrix: every key but `include` and `exclude` is a variable with its values.
#[derive(Clone, Debug, Default)]
pub struct MatrixSpec {
    pub(crate) axes: Vec<Axis>,
    pub(crate) include: Field<Vec<Field<Map<String>>>>,
    pub(crate) exclude: Field<Vec<Field<Map<String>>>>,
}

impl MatrixSpec {
    /// The names of the variables that it sets.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Spanned<String>> {
        let included = self.include.value().into_iter().flatten().filter_map(Field::value);
        let included = included.flat_map(|entry| entry.0.iter().map(|(key, _)| key));
        self.axes.iter().map(|(key, _)| key).chain(included)
    }
}

impl<'de> Deserialize<'de> for MatrixSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MatrixVisitor;
        impl<'de> Visitor<'de> for MatrixVisitor {
            type Value = MatrixSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of lists")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<MatrixSpec, A::Error> {
                let mut matrix = MatrixSpec::default();
                while let Some(key) = access.next_key::<Field<String>>()? {
                    match key.value().map(String::as_str) {
                        Some("include") => matrix.include = access.next_value()?,
                        Some("exclude") => matrix.exclude = access.next_value()?,
                        _ => {
                            let values = access.next_value()?;
                            matrix.axes.extend(key.get().cloned().map(|key| (key, values)));
                        }
                    }
                }
                Ok(matrix)
            }
        }
        deserializer.deserialize_map(MatrixVisitor)
    }
}

#[cfg(test)]
impl JsonSchema for MatrixSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MatrixSpec".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let combinations = |text: &str| {
            serde_json::json!({
                "description": text,
                "type": "array",
                "items": { "type": "object", "additionalProperties": { "type": "string" } }
            })
        };
        schemars::json_schema!({
            "description": "The combinations of a matrix, as in GitHub Actions: every key but `include` and `exclude` \
                is a variable with a list of its values.",
            "type": "object",
            "properties": {
                "include": combinations("Adds its variables to every combination of which it changes no value that \
                    the lists gave; where there is none, it is a combination of its own. Applied after `exclude`."),
                "exclude": combinations("Takes away every combination that has all of these values; naming some of \
                    the variables is enough.")
            },
            "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 }
        })
    }
}
