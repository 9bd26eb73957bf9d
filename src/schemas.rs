//! The JSON Schemas of what is read and written, as texts that are compiled in: `schemas/` is where they stand.
//!
//! The test below makes those of what is written from the types, and fails where they differ; `KEYWRIGHT_BLESS=1` lets
//! it write them (`cargo test --lib schemas::`). So only tests need the crate that makes them.

pub(crate) use keywright_declared::schemas::{DEFAULTS, PROJECT, RULES, SECRET};

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

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::render;

    #[test]
    fn the_folder_holds_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let mut files = ["defaults", "project", "rules", "secret"].map(|kind| format!("{kind}.schema.json")).to_vec();
        let mut stale = Vec::new();
        for (kind, schema) in render::schema::generated() {
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
