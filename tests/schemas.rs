//! `keywright schema` prints the folder `schemas/`, and every field in it is described. That the folder holds what the
//! types say is tested in `src/schemas.rs`.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::path::Path;

use keywright::exit_code::ExitCode;

const KINDS: [&str; 10] =
    ["project", "secret", "defaults", "rules", "plan", "apply", "drift", "inventory", "doctor", "watch"];

#[test]
fn each_schema_is_printed_as_its_file_has_it() {
    for kind in KINDS {
        let printed = support::keywright(&support::sandbox(), &["schema", kind], None);
        assert_eq!(printed.code, ExitCode::Success);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{kind}.schema.json"));
        let kept = std::fs::read_to_string(&path).expect("a file of schemas/");
        assert!(
            kept == printed.out,
            "schemas/{kind}.schema.json was written after this program was built; run the test again"
        );
    }
}

#[test]
fn every_field_is_described() {
    for kind in KINDS {
        let printed = support::keywright(&support::sandbox(), &["schema", kind], None).out;
        let schema: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        let mut missing = Vec::new();
        undescribed(&schema, &schema, "", &mut missing);
        assert!(missing.is_empty(), "{kind}: fields without a description: {missing:#?}");
    }
}

/// Collects the paths of properties that neither have a description nor refer to a type that has one.
fn undescribed(root: &serde_json::Value, schema: &serde_json::Value, path: &str, missing: &mut Vec<String>) {
    let Some(object) = schema.as_object() else { return };
    if let Some(properties) = object.get("properties").and_then(|value| value.as_object()) {
        for (name, property) in properties {
            let path = format!("{path}.{name}");
            let referred = property.get("$ref").and_then(|target| target.as_str());
            let referred = referred.and_then(|target| root.pointer(target.trim_start_matches('#')));
            let described =
                [Some(property), referred].into_iter().flatten().any(|schema| schema.get("description").is_some());
            if !described {
                missing.push(path.clone());
            }
            undescribed(root, property, &path, missing);
        }
    }
    for (name, definition) in object.get("$defs").and_then(|value| value.as_object()).into_iter().flatten() {
        undescribed(root, definition, &format!("{path}#{name}"), missing);
    }
    if let Some(items) = object.get("items") {
        undescribed(root, items, &format!("{path}[]"), missing);
    }
}
