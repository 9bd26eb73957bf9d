//! The JSON Schemas of what is read and written, as texts that are compiled in: `schemas/` is where they stand.
//!
//! The test below makes them from the types, and fails where they differ; `KEYWRIGHT_BLESS=1` lets it write
//! them (`cargo test --lib schemas::`). So only tests need the crate that makes them.

use serde_json::Value;

/// Of a Project document.
pub(crate) const PROJECT: &str = include_str!("../schemas/project.schema.json");
/// Of a Secret document.
pub(crate) const SECRET: &str = include_str!("../schemas/secret.schema.json");
/// Of a Defaults document.
pub(crate) const DEFAULTS: &str = include_str!("../schemas/defaults.schema.json");
/// Of a Rules document.
pub(crate) const RULES: &str = include_str!("../schemas/rules.schema.json");
/// Of the JSON of `plan`.
pub(crate) const PLAN: &str = include_str!("../schemas/plan.schema.json");
/// Of the JSON of `apply`.
pub(crate) const APPLY: &str = include_str!("../schemas/apply.schema.json");
/// Of the JSON of `drift`.
pub(crate) const DRIFT: &str = include_str!("../schemas/drift.schema.json");
/// Of the JSON of `inventory`.
pub(crate) const INVENTORY: &str = include_str!("../schemas/inventory.schema.json");
/// Of the JSON of `doctor`.
pub(crate) const DOCTOR: &str = include_str!("../schemas/doctor.schema.json");
/// Of a line of `watch`.
pub(crate) const WATCH: &str = include_str!("../schemas/watch.schema.json");

/// One of these texts as JSON.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test makes it")]
pub(crate) fn parsed(schema: &'static str) -> Value {
    serde_json::from_str(schema).expect("a JSON Schema")
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::{manifest, render};

    #[test]
    fn the_folder_holds_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let mut files = Vec::new();
        let mut stale = Vec::new();
        for (kind, schema) in manifest::schema::generated().into_iter().chain(render::schema::generated()) {
            let name = format!("{kind}.schema.json");
            let (path, text) = (folder.join(&name), render::escape::json(&schema));
            if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
                fs::write(&path, text.as_str()).expect("the folder schemas/ can be written");
            }
            if fs::read_to_string(&path).unwrap_or_default() != text.as_str() {
                stale.push(name.clone());
            }
            files.push(name);
        }
        assert!(stale.is_empty(), "stale in schemas/: {stale:?}: KEYWRIGHT_BLESS=1 cargo test --lib schemas::");
        let entries = fs::read_dir(folder).expect("the folder schemas/");
        let mut there: Vec<_> =
            entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        there.sort();
        files.sort();
        assert_eq!(there, files, "schemas/ has a file for each kind, and no other");
    }
}
