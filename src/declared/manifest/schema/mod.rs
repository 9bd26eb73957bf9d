//! The types that manifests are read into, and from which a test makes JSON Schemas (`crate::schemas`).
//!
//! Every field has a doc comment: it becomes the schema's description, what editors show, and the text of `keywright
//! explain`. Fields are optional to serde, so that one mistake never hides the next; what is required is listed in
//! `required` of the schema, and checked by `check`. What may not enter: rules that need more than one field, and
//! anything about targets.

mod audit;
mod cross_account;
mod for_each;
mod project;
mod rotation;
mod rules;
mod secret;
mod target;
mod value;

#[cfg(test)]
use schemars::{JsonSchema, generate::SchemaSettings};
#[cfg(test)]
use serde_json::{Value, json};

pub use self::audit::{AuditIgnoreSpec, AuditSpec};
pub use self::cross_account::{CrossAccountReplicaSpec, OtherSecretSpec, RestrictionChoice};
pub use self::for_each::ForEachSpec;
pub use self::project::{
    Defaults, GuardsSpec, ProjectDocument, ProjectMetadata, ProjectSpec, PruneChoice, PruneDeletion, ScopeSpec,
};
pub use self::rotation::{ExternalRotationSpec, ReplicaSpec, RotationSpec};
pub use self::rules::{
    RuleMatch, RuleReplicas, RuleRotation, RuleSeverity, RuleSpec, RuleValue, RulesDocument, SharedRules,
};
pub use self::secret::{
    DefaultsDocument, DeletionSpec, OverrideSpec, PolicySource, SPEC_FIELDS, SecretDocument, SecretMetadata,
    SecretSpec, StateChoice, TagModeChoice,
};
pub(crate) use self::target::Axis;
pub use self::target::{MatrixSpec, TargetSpec};
pub use self::value::{GenerateSpec, Ownership, SopsAs, SopsFormatName, SopsSpec, SourceSpec, ValueSpec};

/// The version of the manifest language.
pub const API_VERSION: &str = "keywright/v1";

/// The JSON Schemas (draft 2020-12) of documents, by the names of their kinds.
#[cfg(test)]
pub(crate) fn generated() -> [(&'static str, Value); 4] {
    [
        ("project", generate::<ProjectDocument>("project", "keywright Project")),
        ("secret", generate::<SecretDocument>("secret", "keywright Secret")),
        ("defaults", generate::<DefaultsDocument>("defaults", "keywright Defaults")),
        ("rules", generate::<RulesDocument>("rules", "keywright Rules")),
    ]
}

#[cfg(test)]
fn generate<T: JsonSchema>(name: &str, title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), json!(format!("urn:keywright:v1:{name}")));
    schema.insert("title".to_owned(), json!(title));
    schema.to_value()
}
