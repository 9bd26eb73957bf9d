//! Every fixture gives, value by value, what the genuine program decrypts it to.

use serde_json::Value;

use super::*;

/// The files that decrypt in process, and whether something in them is not encrypted.
const IN_PROCESS: [(&str, bool); 18] = [
    ("app.env", false),
    ("day-keys.yaml", false),
    ("day-one.yaml", false),
    ("day-rotate.yaml", false),
    ("day-set.yaml", false),
    ("default-mode.yaml", true),
    ("encrypted-regex.yaml", true),
    ("encrypted-suffix.yaml", true),
    ("mac-only-encrypted.yaml", true),
    ("mode.json", true),
    ("types.json", false),
    ("types.yaml", false),
    ("two-recipients.yaml", false),
    ("unencrypted-regex.yaml", true),
    ("unencrypted-suffix.yaml", true),
    ("several.yaml", false),
    ("shamir.yaml", false),
    ("app.ini", false),
];

fn expected(name: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(fixture(&format!("{name}.expected")))?)?)
}

/// Whether the value is what `expected` says: texts as they are, anything else as JSON.
fn agrees(value: &SecretValue, expected: &Value) -> Result<bool> {
    let (Exposed::Text(text), false) = (value.expose(), value.is_binary()) else { return Ok(false) };
    Ok(match expected {
        Value::String(expected) => text == expected,
        _ => same(&serde_json::from_str(text)?, expected),
    })
}

/// JSON equality in which 1e21 is 1000000000000000000000.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            // serde_json may be off in the last digit of a float.
            let close = |one: f64, other: f64| (one - other).abs() <= one.abs() * 1e-15;
            one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| close(one, other))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// Every JSON pointer into the document.
pub(super) fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, child)| (key.replace('~', "~0").replace('/', "~1"), child)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(place, child)| (place.to_string(), child)).collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        let pointer = format!("{at}/{step}");
        pointers(child, &pointer, all);
        all.push(pointer);
    }
}

#[test]
fn every_value_is_what_the_genuine_program_decrypts() -> Result {
    let needs_program = ["shamir.yaml", "app.ini"];
    let mut compared = 0;
    for (name, has_plain) in IN_PROCESS.into_iter().filter(|(name, _)| !needs_program.contains(name)) {
        let documents = match expected(name)? {
            Value::Array(documents) => documents,
            document => vec![document],
        };
        for document in &documents {
            let mut all = Vec::new();
            pointers(document, "", &mut all);
            for pointer in all {
                let want = document.pointer(&pointer).ok_or("no such place")?;
                match render(&sops(name, Some(&pointer))) {
                    Ok(value) => {
                        compared += 1;
                        assert!(agrees(&value, want)?, "{name} {pointer}");
                    }
                    Err(ValueError::NotEncrypted { .. }) if has_plain => {}
                    // A null, an empty text, an empty collection, or a list of nothing else.
                    Err(ValueError::NothingEncrypted { .. }) => {
                        let empty = matches!(want, Value::Null) || want == "" || want == &serde_json::json!([]);
                        assert!(empty || want == &serde_json::json!({}), "{name} {pointer}");
                    }
                    Err(error) => return Err(format!("{name} {pointer}: {error}").into()),
                }
            }
        }
        match render(&sops(name, None)) {
            Ok(value) => assert!(agrees(&value, &documents[0])? && documents.len() == 1, "{name}"),
            Err(ValueError::NotEncrypted { .. }) => assert!(has_plain, "{name}"),
            Err(error) => assert_eq!(error, ValueError::SeveralDocuments { file: name.to_owned() }),
        }
    }
    assert!(compared > 100, "{compared}");
    Ok(())
}

#[test]
fn binary_files_become_bytes() -> Result {
    let value = render(&sops("blob.bin", None))?;
    let bytes = std::fs::read(fixture("blob.bin.expected"))?;
    assert!(matches!(value.expose(), Exposed::Binary(found) if found == bytes));
    let key = sops("blob.bin", Some("/data"));
    assert!(matches!(render(&key), Err(ValueError::KeyInBinary { .. })));
    Ok(())
}

#[test]
fn keys_are_sorted_and_numbers_stay_numbers() -> Result {
    assert_eq!(
        text(&render(&sops("types.json", None))?),
        concat!(
            r#"{"alpha":"last in the file","db":{"empty":"","emptyList":[],"emptyMap":{},"list":[1,"two",[3],"#,
            r#"{"four":4}],"none":null,"off":false,"on":true,"password":"sécret\n\t\"x\"","port":5432,"ratio":1.5},"#,
            r#""zebra":"first in the file"}"#
        )
    );
    assert_eq!(text(&render(&sops("types.yaml", Some("/db/tls")))?), "true");
    assert_eq!(text(&render(&sops("types.yaml", Some("/db/key with~1slash~0tilde")))?), "odd key");
    assert_eq!(text(&render(&sops("types.yaml", Some("/hosts/0")))?), "a.example", "comments do not count");
    assert_eq!(
        text(&render(&sops("app.env", None))?),
        concat!(
            r#"{"EMPTY":"","MULTILINE":"one\ntwo\n","PASSWORD":"a=b c \"quoted\" pässwörd","#,
            r#""URL":"https://example.test/?q=1#x","USER":"payments"}"#
        )
    );
    Ok(())
}

#[test]
fn either_recipient_opens_the_file() -> Result {
    let source = sops("two-recipients.yaml", Some("/password"));
    for name in ["throwaway-key.txt", "throwaway-other-key.txt"] {
        assert_eq!(text(&render_with(&source, &keys_of(name), &NoKms, None)?), "for either key");
    }
    Ok(())
}

#[test]
fn one_run_reads_and_opens_a_file_once() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.yaml");
    std::fs::copy(fixture("day-one.yaml"), &path)?;
    let (files, age) = (SopsFiles::new(), keys());
    let decryptor = Decryptor::new(&files, &age, &NoKms, None);
    let allowed = GlobSet::empty();
    let passwords = SamePassword::default();
    let context = RenderContext {
        decryptor: &decryptor,
        arns: &arn,
        env: EnvAccess::new(&environment, &allowed),
        passwords: &passwords,
        kept: None,
    };
    assert_eq!(text(&run(sops_at(&path, Some("/db/password")).render(&context))?), "one");
    std::fs::remove_file(&path)?;
    assert_eq!(text(&run(sops_at(&path, Some("/cache/password")).render(&context))?), "two");
    Ok(())
}
