//! JSON Schemas of the documents that are written, made from their types. `crate::schemas` has them as texts.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::apply_json::ApplyDocument;
use super::doctor::DoctorDocument;
use super::drift::json::DriftDocument;
use super::inventory::documents::InventoryDocument;
use super::plan_json::PlanDocument;
use super::watch::EventDocument;

/// The schema of each kind of document.
pub(crate) fn generated() -> [(&'static str, Value); 6] {
    [
        ("plan", titled::<PlanDocument>("keywright plan, format version 1")),
        ("apply", titled::<ApplyDocument>("keywright apply, format version 1")),
        ("drift", titled::<DriftDocument>("keywright drift, format version 1")),
        ("inventory", titled::<InventoryDocument<'_>>("keywright inventory, format version 1")),
        ("doctor", titled::<DoctorDocument>("keywright doctor")),
        ("watch", titled::<EventDocument>("keywright watch, one line of standard output")),
    ]
}

/// The schema of a document, under a title of its own: of what serde writes, which decides what is required. A member
/// that may be left out is not, whatever its type, and one that is always written is, be it `null`.
fn titled<T: JsonSchema>(title: &'static str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), title.into());
    }
    schema
}
