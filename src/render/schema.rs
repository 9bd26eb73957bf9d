//! JSON Schemas of the documents that are written.

use schemars::JsonSchema;

/// The schema of a document, under a title of its own.
pub(super) fn titled<T: JsonSchema>(title: &'static str) -> serde_json::Value {
    let mut schema = schemars::schema_for!(T).to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), title.into());
    }
    schema
}
