//! What an earlier release wrote is read for ever, and what programs read of keywright keeps its members.
//!
//! `tests/fixtures/0.2.0` holds documents of that release as it wrote them; they are never edited. A later release adds
//! a folder of its own. `docs/compatibility.md` says what is promised.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keywright::exit_code::ExitCode;
use keywright::manifest::{LoadOptions, load};
use keywright::sandbox::Sandbox;
use keywright::workflow::open_sandbox;
use serde_json::Value;
use support::{keywright, sandbox};

/// Releases whose documents are kept.
const RELEASES: [&str; 1] = ["0.2.0"];

fn fixture(release: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(release).join(name)
}

fn read(release: &str, name: &str) -> String {
    std::fs::read_to_string(fixture(release, name)).expect("a fixture")
}

fn json(release: &str, name: &str) -> Value {
    serde_json::from_str(&read(release, name)).expect("JSON")
}

/// The project of a release in a folder of its own, since a sandbox and a state may be written beside it.
fn project(release: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["keywright.yaml", "secrets/db.yaml", "secrets/defaults.yaml", "policies/readers.json"] {
        let text = read(release, &format!("project/{name}"));
        support::write_files(folder.path(), [(name, text.as_str())]);
    }
    folder
}

/// The project of a release, its path, and a sandbox with its seed.
fn seeded(release: &str) -> (tempfile::TempDir, String, Sandbox) {
    let (folder, sandbox) = (project(release), sandbox());
    sandbox.make_fixtures(&read(release, "seed.yaml")).expect("the seed is read");
    let root = folder.path().to_string_lossy().into_owned();
    (folder, root, sandbox)
}

#[test]
fn manifests_stay_valid() {
    for release in RELEASES {
        let loaded = load(&fixture(release, "project"), &LoadOptions::default());
        let told: Vec<String> = loaded.diagnostics.iter().map(|found| found.message.clone()).collect();
        assert!(told.is_empty(), "{release}: {told:?}");
        assert_eq!((loaded.desired.len(), loaded.secrets), (2, 3), "{release}");
    }
}

#[test]
fn an_approved_plan_is_read_and_carried_out() {
    for release in RELEASES {
        let (_folder, root, sandbox) = seeded(release);
        let plan = fixture(release, "approved-plan.json");
        let args = ["apply", &plan.to_string_lossy(), "-C", &root, "--target", "dev", "--yes", "--sandbox"];
        let run = keywright(&sandbox, &args, None);
        assert_eq!(run.code, ExitCode::Success, "{release}: {}", run.err);
        assert!(run.out.contains("3 created") || run.err.contains("3 created"), "{}{}", run.out, run.err);
    }
}

#[test]
fn a_cache_and_the_state_of_a_watch_are_taken_over() {
    for release in RELEASES {
        let (folder, sandbox) = (project(release), sandbox());
        let (root, scratch) = (folder.path().to_string_lossy(), tempfile::tempdir().expect("a folder"));
        let copy = |name: &str| {
            let to = scratch.path().join(name);
            std::fs::copy(fixture(release, name), &to).expect("a copy");
            to.to_string_lossy().into_owned()
        };
        let cache = copy("cache.json");
        let run = keywright(&sandbox, &["drift", "-C", &root, "--sandbox", "--cache", &cache], None);
        assert!(!run.err.contains("cache"), "{release}: {}", run.err);
        // A cache that holds something, so that the test can fail.
        assert!(read(release, "cache.json").contains("arn:aws:secretsmanager"), "{release}");
        let state = copy("watch-state.json");
        let args = ["watch", "-C", &root, "--sandbox", "--rounds", "1", "--state", &state];
        let run = keywright(&sandbox, &args, None);
        assert!(!run.out.contains("begun anew") && !run.err.contains("begun anew"), "{release}: {}", run.out);
        // What it knew and is gone is told as resolved: it was read.
        assert!(run.out.contains("dev/payments/old"), "{release}: {}", run.out);
    }
}

#[test]
fn a_sandbox_is_opened_with_what_is_in_it() {
    for release in RELEASES {
        let (folder, scratch) = (project(release), tempfile::tempdir().expect("a folder"));
        for name in ["sandbox.redb", "sandbox.redb.key"] {
            std::fs::copy(fixture(release, name), scratch.path().join(name)).expect("a copy");
        }
        let root = folder.path().to_string_lossy();
        let opened = open_sandbox(Some(&scratch.path().join("sandbox.redb")), folder.path()).expect("it is opened");
        let run = keywright(&opened, &["drift", "-C", &root, "--sandbox", "--format", "json"], None);
        let report: Value = serde_json::from_str(&run.out).expect("a report");
        let told = report["targets"].to_string();
        assert!(told.contains("dev/payments/old") && !told.contains("\"missing\""), "{release}: {told}");
    }
}

#[test]
fn an_inventory_says_what_to_import() {
    for release in RELEASES {
        let (_folder, root, sandbox) = seeded(release);
        let inventory = fixture(release, "inventory.json");
        let from = inventory.to_string_lossy();
        let run = keywright(
            &sandbox,
            &["import", "-C", &root, "--sandbox", "--dry-run", "--target", "dev", "--from-inventory", &from],
            None,
        );
        assert_eq!(run.code, ExitCode::Success, "{release}: {}", run.err);
        assert!(run.out.contains("dev/payments/old") || run.out.contains("payments/old"), "{release}: {}", run.out);
    }
}

#[test]
fn lines_of_the_journal_keep_their_members() {
    let (folder, sandbox) = (project("0.2.0"), sandbox());
    let root = folder.path().to_string_lossy();
    let journal = folder.path().join("journal.jsonl");
    let journal = journal.to_string_lossy();
    let args = ["apply", "-C", &root, "--sandbox", "--yes", "--target", "dev", "--journal", &journal];
    assert_eq!(keywright(&sandbox, &args, None).code, ExitCode::Success);
    let members = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        lines.flat_map(|line| line.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()).collect()
    };
    let now = members(&std::fs::read_to_string(&*journal).expect("the journal"));
    for release in RELEASES {
        let then = members(&read(release, "journal.jsonl"));
        assert!(then.len() > 10 && then.is_subset(&now), "{release}: {:?}", then.difference(&now).collect::<Vec<_>>());
    }
}

/// Follows references.
fn resolved<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        schema = root.pointer(target.trim_start_matches('#')).expect("a reference that leads somewhere");
    }
    schema
}

/// Everything that a schema may stand for: itself and its alternatives.
fn faces<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = resolved(root, schema);
    let mut found = vec![schema];
    for key in ["anyOf", "oneOf", "allOf"] {
        for face in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            found.extend(faces(root, face));
        }
    }
    found
}

/// What does not fit of a document, where members may be missing that came later, and none may be unknown or of
/// another type.
fn misfits(root: &Value, schema: &Value, document: &Value, path: &str) -> Vec<String> {
    let fits = |face: &Value| {
        let kinds: Vec<&str> = match face.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        kinds.iter().any(|kind| match *kind {
            "object" => document.is_object(),
            "array" => document.is_array(),
            "string" => document.is_string(),
            "integer" => document.is_i64() || document.is_u64(),
            "number" => document.is_number(),
            "boolean" => document.is_boolean(),
            "null" => document.is_null(),
            _ => false,
        })
    };
    let all = faces(root, schema);
    let typed: Vec<&Value> = all.iter().copied().filter(|face| face.get("type").is_some()).collect();
    if !typed.is_empty() && !typed.iter().any(|face| fits(face)) {
        return vec![format!("{path} is of another type")];
    }
    let mut wrong = Vec::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let of_properties = all.iter().filter_map(|face| face.get("properties")?.get(name));
        let free = all.iter().filter_map(|face| face.get("additionalProperties")).filter(|free| free.is_object());
        let known: Vec<&Value> = of_properties.chain(free).collect();
        let of_each: Vec<Vec<String>> = known.iter().map(|schema| misfits(root, schema, value, &path)).collect();
        match of_each.iter().min_by_key(|wrong| wrong.len()) {
            None if all.iter().all(|face| face.get("properties").is_none()) => {}
            None => wrong.push(format!("{path} is no member any more")),
            Some(least) => wrong.extend(least.iter().cloned()),
        }
    }
    let items = all.iter().find_map(|face| face.get("items"));
    for (at, item) in document.as_array().into_iter().flatten().enumerate() {
        wrong.extend(items.iter().flat_map(|items| misfits(root, items, item, &format!("{path}[{at}]"))));
    }
    wrong
}

/// The schema that this keywright prints.
fn schema_now(kind: &str) -> Value {
    serde_json::from_str(&keywright(&sandbox(), &["schema", kind], None).out).expect("a schema")
}

#[test]
fn documents_for_programs_have_members_that_are_still_described() {
    for release in RELEASES {
        for kind in ["plan", "apply", "drift", "inventory", "doctor"] {
            let wrong = misfits(&schema_now(kind), &schema_now(kind), &json(release, &format!("{kind}.json")), kind);
            assert!(wrong.is_empty(), "{release}: {}", wrong.join("\n"));
        }
        let schema = schema_now("watch");
        for line in read(release, "watch.jsonl").lines() {
            let event: Value = serde_json::from_str(line).expect("a line of JSON");
            let wrong = misfits(&schema, &schema, &event, "watch");
            assert!(wrong.is_empty(), "{release}: {}", wrong.join("\n"));
        }
    }
}

#[test]
fn a_document_with_a_foreign_member_or_another_type_does_not_fit() {
    let (schema, mut document) = (schema_now("drift"), json("0.2.0", "drift.json"));
    document["unheardOf"] = Value::Bool(true);
    assert!(!misfits(&schema, &schema, &document, "drift").is_empty());
    let mut document = json("0.2.0", "drift.json");
    document["project"] = Value::Bool(true);
    assert!(!misfits(&schema, &schema, &document, "drift").is_empty());
}

/// What a schema names: members by their paths, those that must be there, and the choices of each.
#[derive(Default)]
struct Named {
    members: BTreeSet<String>,
    required: BTreeSet<String>,
    choices: BTreeSet<String>,
}

fn name_all(root: &Value, schema: &Value, path: &str, depth: usize, named: &mut Named) {
    if depth == 0 {
        return;
    }
    for face in faces(root, schema) {
        for (name, member) in face.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{path}.{name}");
            named.members.insert(path.clone());
            name_all(root, member, &path, depth - 1, named);
        }
        let required = face.get("required").and_then(Value::as_array).into_iter().flatten();
        named.required.extend(required.filter_map(Value::as_str).map(|name| format!("{path}.{name}")));
        let choices = face.get("enum").and_then(Value::as_array).into_iter().flatten().chain(face.get("const"));
        named.choices.extend(choices.map(|choice| format!("{path}={choice}")));
        for beneath in ["items", "additionalProperties"].iter().filter_map(|key| face.get(key)) {
            name_all(root, beneath, &format!("{path}[]"), depth - 1, named);
        }
    }
}

fn named(schema: &Value) -> Named {
    let mut named = Named::default();
    name_all(schema, schema, "", 7, &mut named);
    assert!(named.members.len() > 5, "a schema has members");
    named
}

fn gone(then: &BTreeSet<String>, now: &BTreeSet<String>) -> Vec<String> {
    then.difference(now).cloned().collect()
}

#[test]
fn schemas_keep_what_they_promise() {
    for release in RELEASES {
        for kind in ["project", "secret", "defaults", "rules"] {
            let (then, now) = (named(&json(release, &format!("schemas/{kind}.schema.json"))), named(&schema_now(kind)));
            assert_eq!(gone(&then.members, &now.members), [""; 0], "{release}: fields of {kind} are gone");
            assert_eq!(gone(&then.choices, &now.choices), [""; 0], "{release}: choices of {kind} are gone");
            let known = now.required.iter().filter(|path| then.members.contains(*path)).cloned().collect();
            assert_eq!(gone(&known, &then.required), [""; 0], "{release}: fields of {kind} are required now");
        }
        for kind in ["plan", "apply", "drift", "inventory", "watch", "doctor"] {
            let (then, now) = (named(&json(release, &format!("schemas/{kind}.schema.json"))), named(&schema_now(kind)));
            assert_eq!(gone(&then.members, &now.members), [""; 0], "{release}: members of {kind} are gone");
            assert_eq!(gone(&then.required, &now.required), [""; 0], "{release}: members of {kind} may be missing now");
        }
    }
}
