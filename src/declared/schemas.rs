//! The JSON Schemas of documents, as texts that are compiled in: `schemas/`, at the top of the repository, is where
//! they stand, beside those of what is written.
//!
//! The test below makes them from the types, and fails where they differ; `KEYWRIGHT_BLESS=1` lets it write
//! them (`cargo test --lib schemas::`). So only tests need the crate that makes them.

use serde_json::Value;

/// Of a Project document.
pub const PROJECT: &str = include_str!("../../schemas/project.schema.json");
/// Of a Secret document.
pub const SECRET: &str = include_str!("../../schemas/secret.schema.json");
/// Of a Defaults document.
pub const DEFAULTS: &str = include_str!("../../schemas/defaults.schema.json");
/// Of a Rules document.
pub const RULES: &str = include_str!("../../schemas/rules.schema.json");
/// One of these texts as JSON.
///
/// # Panics
///
/// On a text that is no JSON, which none of these is.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test makes it")]
pub fn parsed(schema: &'static str) -> Value {
    serde_json::from_str(schema).expect("a JSON Schema")
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::manifest::schema;

    #[test]
    fn the_folder_holds_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        let mut stale = Vec::new();
        for (kind, schema) in schema::generated() {
            let path = folder.join(format!("{kind}.schema.json"));
            let text = format!("{schema:#}\n");
            if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
                fs::write(&path, &text).expect("the folder schemas/ can be written");
            }
            if fs::read_to_string(&path).unwrap_or_default() != text {
                stale.push(kind);
            }
        }
        let bless = "KEYWRIGHT_BLESS=1 cargo test --lib schemas::";
        assert!(stale.is_empty(), "stale in schemas/: {stale:?}: {bless}");
    }
}
