//! `spec.value`: where a secret's value comes from.

use serde::Deserialize;

use super::super::field::{Field, Map, Text};
#[cfg(test)]
use crate::value::GenerateOptions;

/// Declares a struct with one field for each kind of source, and its own fields beside them.
macro_rules! sources {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map with one source")]
        pub struct $name {
            /// A value in a SOPS-encrypted file.
            #[cfg_attr(test, schemars(example = serde_json::json!({ "file": "db.sops.yaml", "key": "/db" })))]
            pub sops: Field<SopsSpec>,
            /// The name of an environment variable. It is read only when `--allow-env` permits it; AWS_* and SOPS_*
            /// never are.
            #[cfg_attr(test, schemars(example = serde_json::json!("DB_PASSWORD")))]
            pub env: Field<String>,
            /// A text file, relative to the manifest and inside the project.
            #[cfg_attr(test, schemars(example = serde_json::json!("certificates/ca.pem")))]
            pub file: Field<String>,
            /// A file whose bytes become the binary value (SecretBinary), relative to the manifest and inside the
            /// project.
            #[cfg_attr(test, schemars(example = serde_json::json!("keys/service.p12")))]
            pub binary_file: Field<String>,
            /// Text as it stands here, for what is not secret: anyone who can read the manifest can read it.
            #[cfg_attr(test, schemars(example = serde_json::json!("payments")))]
            pub text: Field<Text>,
            /// A random password, made once, when the secret has no value yet.
            #[cfg_attr(test, schemars(example = serde_json::json!({ "length": 32, "excludePunctuation": true })))]
            pub generate: Field<GenerateSpec>,
            /// A JSON object whose fields are sources of their own.
            #[cfg_attr(test, schemars(example = serde_json::json!({
                "username": { "text": "payments" },
                "password": { "generate": { "length": 32 } },
            })))]
            pub json: Field<Map<SourceSpec>>,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}

sources! {
    /// Where a secret's value comes from: exactly one source, and who owns the value afterwards.
    ValueSpec {
        /// `enforce` keeps the live value as it is in git. `seed` sets it once and then leaves it to people or
        /// rotation. By default it is `seed` when rotation is set, `enforce` otherwise.
        ownership: Field<Ownership>,
    }
}

sources! {
    /// The source of one field of a JSON value: exactly one.
    SourceSpec {}
}

/// Who owns a value after it was first set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum Ownership {
    /// Git: a live value that differs is put back.
    Enforce,
    /// People or rotation: the value is set once.
    Seed,
}

/// A value in a SOPS-encrypted file.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["file"])))]
pub struct SopsSpec {
    /// The encrypted file, relative to the manifest and inside the project.
    #[cfg_attr(test, schemars(example = serde_json::json!("db.sops.yaml")))]
    pub file: Field<String>,
    /// Which part of the file: a JSON pointer such as `/db/password`. Without it the whole file is the value.
    #[cfg_attr(test, schemars(example = serde_json::json!("/db")))]
    pub key: Field<String>,
    /// The format of the file. By default its name tells: .yaml, .yml, .json, .env and .ini, and anything else is
    /// binary.
    pub format: Field<SopsFormatName>,
    /// `string` makes a SecretString of a binary file whose contents are text, such as a certificate. Without it a
    /// binary file becomes a SecretBinary.
    #[serde(rename = "as")]
    pub as_: Field<SopsAs>,
    /// Lets the part hold values that the file's own rules leave unencrypted. At least one value in it must be
    /// encrypted.
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub allow_unencrypted: Field<bool>,
}

/// A format that SOPS knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum SopsFormatName {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// `KEY=value`, one a line.
    Dotenv,
    /// Sections of `key = value`.
    Ini,
    /// Anything, as one value.
    Binary,
}

/// What a binary file becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum SopsAs {
    /// A SecretString.
    String,
}

/// Options for a generated password (GetRandomPassword).
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct GenerateSpec {
    /// How many characters: 1 to 4,096.
    #[cfg_attr(test, schemars(range(min = 1, max = 4096), extend("default" = GenerateOptions::default().length)))]
    pub length: Field<i64>,
    /// Characters that are not used; at most 4,096.
    #[cfg_attr(test, schemars(example = serde_json::json!("\"'\\@/"), length(max = 4096)))]
    pub exclude_characters: Field<String>,
    /// Use no digits.
    #[cfg_attr(test, schemars(extend("default" = GenerateOptions::default().exclude_numbers)))]
    pub exclude_numbers: Field<bool>,
    /// Use no punctuation.
    #[cfg_attr(test, schemars(extend("default" = GenerateOptions::default().exclude_punctuation)))]
    pub exclude_punctuation: Field<bool>,
    /// Use no upper-case letters.
    #[cfg_attr(test, schemars(extend("default" = GenerateOptions::default().exclude_uppercase)))]
    pub exclude_uppercase: Field<bool>,
    /// Use no lower-case letters.
    #[cfg_attr(test, schemars(extend("default" = GenerateOptions::default().exclude_lowercase)))]
    pub exclude_lowercase: Field<bool>,
    /// Use the space too.
    #[cfg_attr(test, schemars(extend("default" = GenerateOptions::default().include_space)))]
    pub include_space: Field<bool>,
    /// Use at least one of each kind of character that is not excluded.
    #[cfg_attr(test, schemars(extend("default" = GenerateOptions::default().require_each_included_type)))]
    pub require_each_included_type: Field<bool>,
}
