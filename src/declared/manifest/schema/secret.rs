//! The Secret document.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::super::field::{Field, Map};
use super::for_each::ForEachSpec;

/// A secret that should exist in AWS Secrets Manager, or should no longer.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a Secret document")]
#[cfg_attr(test, schemars(extend("required" = ["apiVersion", "kind", "metadata"])))]
pub struct SecretDocument {
    /// The version of the manifest language: always `keywright/v1`.
    #[cfg_attr(test, schemars(extend("const" = "keywright/v1")))]
    pub api_version: Field<String>,
    /// The kind of this document: `Secret`.
    #[cfg_attr(test, schemars(extend("const" = "Secret")))]
    pub kind: Field<String>,
    /// Makes a secret for each item of a list: texts (`${each}`) or maps of texts (`${each.FIELD}`), written here or in
    /// a YAML, JSON or CSV file. `${each.index}` is the item's number, counted from 0. At most 50,000 items. Left out,
    /// the document is one secret.
    #[cfg_attr(
        test,
        schemars(example =
            serde_json::json!([{ "name": "acme", "tier": "gold" }, { "name": "globex", "tier": "free" }]))
    )]
    pub for_each: Field<ForEachSpec>,
    /// The secret's name, and where and whether it should exist.
    pub metadata: Field<SecretMetadata>,
    /// What the secret should be like. A field that is left out is not managed: it is neither compared nor changed.
    /// `null` means that there must be none.
    pub spec: Field<SecretSpec>,
}

/// A folder's defaults: fields that are merged beneath the `spec` of every secret in the folder of this file and in
/// those below it, above those of the project. Of several folders, the nearest one wins.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a Defaults document")]
#[cfg_attr(test, schemars(extend("required" = ["apiVersion", "kind", "spec"])))]
pub struct DefaultsDocument {
    /// The version of the manifest language: always `keywright/v1`.
    #[cfg_attr(test, schemars(extend("const" = "keywright/v1")))]
    pub api_version: Field<String>,
    /// The kind of this document: `Defaults`.
    #[cfg_attr(test, schemars(extend("const" = "Defaults")))]
    pub kind: Field<String>,
    /// What secrets are like that do not say otherwise. `overrides` apply beneath the secrets' own `spec` too.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!({ "kmsKeyId": "alias/tenants", "tags": { "team": "tenants" } }))
    )]
    pub spec: Field<SecretSpec>,
}

/// A secret's name, and where and whether it should exist.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["name"])))]
pub struct SecretMetadata {
    /// The secret's name in Secrets Manager, in which variables can stand: 1 to 512 characters of `A-Za-z0-9/_+=.@-`,
    /// beginning with a prefix of the project's scope; with `managedBy` also `!`. It doesn't end in a hyphen and six
    /// letters or digits, which would look like the end of an ARN.
    #[cfg_attr(test, schemars(example = serde_json::json!("${env}/payments/db")))]
    pub name: Field<String>,
    /// The name that the secret had until now. AWS cannot rename a secret: the new one is made, the value of the old
    /// one is copied where git has none, and once the new one is verified the old one is deleted with its recovery
    /// window. Where nothing is left of the old name the field does nothing, and a plan says so. Left out, the secret
    /// had no other name.
    #[cfg_attr(test, schemars(example = serde_json::json!("${env}/payments/database")))]
    pub renamed_from: Field<String>,
    /// The targets that the secret belongs to: names, globs over names (`prod-*`), or label selectors as kubectl has
    /// them (`stage=prod,tier!=gold`). By default it belongs to all of them.
    #[cfg_attr(
        test,
        schemars(example = serde_json::json!(["staging"]), example = serde_json::json!(["prod-*", "tier=gold"]))
    )]
    pub targets: Field<Vec<Field<String>>>,
    /// Names of secrets that must be done before this one. A `${secret:NAME:arn}` is such a dependency without being
    /// listed here.
    #[cfg_attr(test, schemars(example = serde_json::json!(["${env}/payments/admin"])))]
    pub depends_on: Field<Vec<Field<String>>>,
    /// Whether the secret should exist. `absent` deletes it, reviewably, with the window of `spec.deletion`, whatever
    /// the project's `prune` says.
    #[cfg_attr(test, schemars(extend("default" = "present")))]
    pub state: Field<StateChoice>,
    /// The AWS service that makes and manages the secret, which its name begins with: `rds` for `rds!cluster-…`. Then
    /// only what its users may change can be declared: `tags`, and of `rotation` the schedule. Such a secret is never
    /// made, adopted or deleted, and gets no owner tag.
    #[cfg_attr(test, schemars(example = serde_json::json!("rds"), regex(pattern = r"^[a-z0-9-]+$")))]
    pub managed_by: Field<String>,
    /// Never delete this secret. It is also written to the secret as the tag `keywright:protect`, since the manifest is
    /// gone when it matters. Left out, a tag that somebody put there stays; only `false` takes it off.
    pub protect: Field<bool>,
}

/// Whether a secret should exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum StateChoice {
    /// The secret should exist.
    Present,
    /// The secret should be deleted.
    Absent,
}

/// Declares a struct with the fields that `spec`, `defaults` and `overrides` have in common, and its own beside them.
macro_rules! spec {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
        pub struct $name {
            /// What the secret is for; at most 2,048 characters. `null` and the empty text both mean that there is
            /// none.
            #[cfg_attr(test, schemars(example = serde_json::json!("Primary database of payments"), length(max = 2048)))]
            pub description: $crate::manifest::field::Nullable<$crate::manifest::field::Text>,
            /// The partner of a managed external secret, whose service the secret opens (CreateSecret, `Type`); at most
            /// 256 characters.
            #[cfg_attr(
                test,
                schemars(example = serde_json::json!("SalesforceClientSecret"), length(min = 1, max = 256))
            )]
            pub r#type: $crate::manifest::field::Nullable<String>,
            /// The KMS key that encrypts the secret: key id, key ARN, alias or alias ARN. `null` is the account's own
            /// key for Secrets Manager (`alias/aws/secretsmanager`).
            #[cfg_attr(test, schemars(example = serde_json::json!("alias/payments")))]
            pub kms_key_id: $crate::manifest::field::Nullable<String>,
            /// Tags: key to value. At most 50, counting the ones that keywright itself writes. Keys under `aws:` and
            /// `keywright:` are reserved. `null` means that there are none, and so does `{}` where defaults name none:
            /// the two are merged.
            #[cfg_attr(test, schemars(example = serde_json::json!({ "team": "payments", "data-class": "restricted" })))]
            pub tags: $crate::manifest::field::Nullable<$crate::manifest::field::Map<$crate::manifest::field::Text>>,
            /// Whether live tags that `tags` doesn't name are removed: `exact` removes them, `additive` leaves them
            /// alone.
            #[cfg_attr(test, schemars(extend("default" = "exact")))]
            pub tag_mode: $crate::manifest::field::Field<$crate::manifest::schema::TagModeChoice>,
            /// Where the secret's value comes from: exactly one source. When it is left out, people or rotation own the
            /// value, and keywright never touches it.
            #[cfg_attr(
                test,
                schemars(example = serde_json::json!({ "sops": { "file": "db.sops.yaml", "key": "/db" } }))
            )]
            pub value: $crate::manifest::field::Field<$crate::manifest::schema::ValueSpec>,
            /// Whether a secret whose `value` is left out waits for one: plans and applies end with a list of those
            /// that do. `false` for one that is meant to stay empty.
            #[cfg_attr(test, schemars(extend("default" = true)))]
            pub value_expected: $crate::manifest::field::Field<bool>,
            /// Staging labels of your own, beside AWSCURRENT and its like: label to `git` (the version that holds the
            /// committed value) or to a version id. Labels that are not named stay. `null` means that there are none,
            /// and so does `{}` where defaults name none: the two are merged.
            #[cfg_attr(test, schemars(example = serde_json::json!({ "blue": "git" })))]
            pub labels: $crate::manifest::field::Nullable<$crate::manifest::field::Map<String>>,
            /// The resource policy: an IAM policy document written as YAML, or `{ file: policy.json }`. `null` means
            /// that there must be none. Within it an IAM policy variable is written `$${aws:...}`.
            pub policy: $crate::manifest::field::Nullable<$crate::manifest::schema::PolicySource>,
            /// Whether Secrets Manager refuses a policy that opens the secret to everyone (PutResourcePolicy,
            /// `BlockPublicPolicy`).
            #[cfg_attr(test, schemars(extend("default" = true)))]
            pub block_public_policy: $crate::manifest::field::Field<bool>,
            /// Automatic rotation, by a Lambda function or by the partner of a managed external secret. `null` means
            /// that rotation must be off.
            #[cfg_attr(test, schemars(example = serde_json::json!({
                "lambdaArn": "arn:aws:lambda:eu-west-1:111111111111:function:rotate-pg", "schedule": "rate(30 days)",
            })))]
            pub rotation: $crate::manifest::field::Nullable<$crate::manifest::schema::RotationSpec>,
            /// Other regions that hold a replica of the secret. `null` and `[]` mean that there are none.
            #[cfg_attr(
                test,
                schemars(example = serde_json::json!([{ "region": "us-west-2", "kmsKeyId": "alias/payments" }]))
            )]
            pub replicas: $crate::manifest::field::Nullable<
                Vec<$crate::manifest::field::Field<$crate::manifest::schema::ReplicaSpec>>,
            >,
            /// The secret's replica in another account: a secret of its own there, to which each new value is copied
            /// (AssociateCrossAccountReplica). At most one. `null` means that there must be none. An apply wants
            /// `--allow-cross-account-replica` for it.
            #[cfg_attr(test, schemars(example = serde_json::json!({
                "secret": { "target": "data-eu", "name": "shared/partner-key" },
            })))]
            pub cross_account_replica: $crate::manifest::field::Nullable<
                $crate::manifest::schema::CrossAccountReplicaSpec,
            >,
            /// The secret in another account that this one is a replica of, which is settled when it is made
            /// (CreateSecret, `CrossAccountPrimaryARN`). It needs a `kmsKeyId` of its own, and has no value,
            /// description, type, rotation or replicas but its primary's. `null` means that it must be no replica.
            #[cfg_attr(
                test,
                schemars(example = serde_json::json!({ "target": "prod-eu", "name": "shared/partner-key" }))
            )]
            pub cross_account_primary: $crate::manifest::field::Nullable<
                $crate::manifest::schema::OtherSecretSpec,
            >,
            /// How the secret is deleted when `metadata.state` is `absent`. Left out, it is with the default recovery
            /// window.
            #[cfg_attr(test, schemars(example = serde_json::json!({ "recoveryWindowDays": 7 })))]
            pub deletion: $crate::manifest::field::Field<$crate::manifest::schema::DeletionSpec>,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}
pub(super) use spec;

/// The names of the fields that `spec`, `defaults` and `overrides` have in common.
pub const SPEC_FIELDS: &[&str] = &[
    "description",
    "type",
    "kmsKeyId",
    "tags",
    "tagMode",
    "value",
    "valueExpected",
    "labels",
    "policy",
    "blockPublicPolicy",
    "rotation",
    "replicas",
    "crossAccountReplica",
    "crossAccountPrimary",
    "deletion",
];

spec! {
    /// What a secret should be like.
    SecretSpec {
        /// Changes for single targets, by the target's name, or for several, by a glob over names (`prod-*`) or a label
        /// selector (`stage=prod,tier!=gold`). They are merged over the rest of `spec`, in the order in which they are
        /// written: maps by key, while lists and single values replace.
        #[cfg_attr(test, schemars(example = serde_json::json!({
            "stage=prod": { "deletion": { "recoveryWindowDays": 30 } }, "prod-us": { "unset": ["policy"] },
        })))]
        overrides: Field<Map<OverrideSpec>>,
    }
}

spec! {
    /// Changes to a secret's `spec` for one target.
    OverrideSpec {
        /// Fields of `spec` that are not managed in this target, whatever the defaults and the secret say: names of
        /// fields, or `tags.KEY` for a single tag.
        #[cfg_attr(test, schemars(example = serde_json::json!(["policy"])))]
        unset: Field<Vec<Field<String>>>,
    }
}

/// Whether live tags that a manifest does not name are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum TagModeChoice {
    /// The live tags, less the ignored ones, are exactly the declared ones.
    Exact,
    /// Live tags that are not named stay.
    Additive,
}

/// How a secret is deleted when `metadata.state` is `absent`: with a recovery window, or at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct DeletionSpec {
    /// For how many days the deleted secret can be restored: 7 to 30.
    #[cfg_attr(
        test,
        schemars(range(min = 7, max = 30), extend("default" = crate::desired::DEFAULT_RECOVERY_WINDOW_DAYS))
    )]
    pub recovery_window_days: Field<i64>,
    /// Delete at once, without any way back, also where it is scheduled for deletion already. Excludes
    /// `recoveryWindowDays`.
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub force: Field<bool>,
}

/// A resource policy: an IAM policy document as YAML, or a file with one as JSON.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// `{ file: policy.json }`.
    File(Field<String>),
    /// `{ template: readers.json, with: { ... } }`. What is under `with` is read from the tree.
    Template(Field<String>),
    /// A document. Its content is read from the tree, where every statement has its place.
    Inline,
}

impl<'de> Deserialize<'de> for PolicySource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PolicyVisitor;
        impl<'de> Visitor<'de> for PolicyVisitor {
            type Value = PolicySource;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy document or `{ file: ... }`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<PolicySource, A::Error> {
                let mut source = PolicySource::Inline;
                while let Some(key) = access.next_key::<String>()? {
                    if key == "file" {
                        source = PolicySource::File(access.next_value()?);
                    } else if key == "template" {
                        source = PolicySource::Template(access.next_value()?);
                    } else {
                        access.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(source)
            }
        }
        deserializer.deserialize_map(PolicyVisitor)
    }
}

#[cfg(test)]
impl JsonSchema for PolicySource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PolicySource".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let statement = serde_json::json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "Sid": { "type": "string" },
                "Effect": { "type": "string", "enum": ["Allow", "Deny"] },
                "Principal": true,
                "NotPrincipal": true,
                "Action": true,
                "NotAction": true,
                "Resource": true,
                "NotResource": true,
                "Condition": true
            }
        });
        schemars::json_schema!({
            "description": "A resource policy: an IAM policy document as YAML, a file with one as JSON, or a template \
             with parameters.",
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "description": "A file with the policy as JSON, relative to the manifest and inside the \
                             project. It is taken as it is: no variables are filled in.",
                            "examples": ["policies/db.json"]
                        }
                    }
                },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["template"],
                    "properties": {
                        "template": {
                            "type": "string",
                            "description": "A file with a policy as JSON or YAML whose first key, `x-parameters`, \
                             lists the names of its parameters. `<<name>>` stands for one in its texts; everything \
                             else is taken as it is. Relative to the manifest, inside the project or a folder of \
                             `spec.include`.",
                            "examples": ["policies/readers.json"]
                        },
                        "with": {
                            "type": "object",
                            "description": "The parameters: texts, or lists of texts where a parameter is all of a \
                             text. Left out, the template has none.",
                            "additionalProperties": {
                                "anyOf": [
                                    { "type": "string" },
                                    { "type": "array", "items": { "type": "string" }, "minItems": 1 }
                                ]
                            },
                            "examples": [{ "roles": ["arn:aws:iam::${target.account}:role/app"] }]
                        }
                    }
                },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["Statement"],
                    "properties": {
                        "Version": {
                            "description": "The version of the policy language. Left out, IAM takes 2008-10-17.",
                            "type": "string",
                            "enum": ["2012-10-17", "2008-10-17"]
                        },
                        "Id": { "type": "string", "description": "A name for the policy." },
                        "Statement": {
                            "description": "The statements: who may do what, under which conditions.",
                            "anyOf": [statement, { "type": "array", "items": statement }]
                        }
                    },
                    "examples": [{
                        "Version": "2012-10-17",
                        "Statement": [{
                            "Sid": "ReadByService",
                            "Effect": "Allow",
                            "Principal": { "AWS": "arn:aws:iam::111111111111:role/payments" },
                            "Action": "secretsmanager:GetSecretValue",
                            "Resource": "*"
                        }]
                    }]
                }
            ]
        })
    }
}
