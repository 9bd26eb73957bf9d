//! What a scenario's command prints as JSON fits the schema that is published for it. tests/interop holds some of these
//! documents against the schemas with a validator of others; this one knows the words that our schemas use, and is here
//! so that every scenario asks.

use std::path::Path;

use serde_json::Value;

/// Panics with what does not fit, where the command prints a document that has a schema.
pub(crate) fn assert_fits(verb: &str, args: &[&str], printed: &str) {
    let is_json = args.windows(2).any(|pair| pair == ["--format", "json"]) || args.contains(&"--format=json");
    let documents: Vec<&str> = match verb {
        "watch" => printed.lines().filter(|line| line.starts_with('{')).collect(),
        "plan" | "apply" | "drift" | "inventory" | "doctor" if is_json && !printed.is_empty() => vec![printed],
        _ => return,
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{verb}.schema.json"));
    let schema = std::fs::read_to_string(file).expect("a file of schemas/");
    let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
    for document in documents {
        let document: Value = serde_json::from_str(document).expect("what is printed is JSON");
        let wrong = misfits(&schema, &schema, &document, verb);
        assert!(wrong.is_empty(), "does not fit schemas/{verb}.schema.json:\n{}", wrong.join("\n"));
    }
}

/// What of a document does not fit a schema, by its path.
fn misfits(root: &Value, schema: &Value, document: &Value, path: &str) -> Vec<String> {
    let Some(words) = schema.as_object() else {
        return if *schema == Value::Bool(true) { Vec::new() } else { vec![format!("{path}: nothing fits")] };
    };
    let mut wrong = Vec::new();
    for (word, said) in words {
        let list = || said.as_array().into_iter().flatten();
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => {}
            "$ref" => {
                let target = said.as_str().map(|target| target.trim_start_matches('#'));
                let target = target.and_then(|target| root.pointer(target)).expect("a reference leads somewhere");
                wrong.extend(misfits(root, target, document, path));
            }
            "type" => {
                let kinds: Vec<&str> = list().chain([said]).filter_map(Value::as_str).collect();
                if !kinds.iter().any(|kind| is_of(kind, document)) {
                    wrong.push(format!("{path}: {document} is none of {kinds:?}"));
                }
            }
            "const" => {
                if said != document {
                    wrong.push(format!("{path}: {document} is not {said}"));
                }
            }
            "enum" => {
                if !list().any(|choice| choice == document) {
                    wrong.push(format!("{path}: {document} is no choice"));
                }
            }
            "minimum" => {
                if document.as_f64().zip(said.as_f64()).is_some_and(|(number, least)| number < least) {
                    wrong.push(format!("{path}: {document} is below {said}"));
                }
            }
            "maximum" => {
                if document.as_f64().zip(said.as_f64()).is_some_and(|(number, most)| number > most) {
                    wrong.push(format!("{path}: {document} is above {said}"));
                }
            }
            "required" => {
                let names = list().filter_map(Value::as_str).filter(|_| document.is_object());
                let missing = names.filter(|name| document.get(name).is_none());
                wrong.extend(missing.map(|name| format!("{path}: {name} is required and left out")));
            }
            "properties" => {
                let properties = said.as_object().into_iter().flatten();
                let there = properties.filter_map(|(name, schema)| Some((name, schema, document.get(name)?)));
                wrong.extend(there.flat_map(|(name, at, value)| misfits(root, at, value, &format!("{path}.{name}"))));
            }
            "additionalProperties" => {
                let known = |name: &String| schema.pointer("/properties").is_some_and(|all| all.get(name).is_some());
                let more = document.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
                wrong.extend(more.flat_map(|(name, value)| misfits(root, said, value, &format!("{path}.{name}"))));
            }
            "items" => {
                let items = document.as_array().into_iter().flatten().enumerate();
                wrong.extend(items.flat_map(|(at, item)| misfits(root, said, item, &format!("{path}[{at}]"))));
            }
            "uniqueItems" => {
                let items = document.as_array().map_or(&[][..], Vec::as_slice);
                if items.iter().enumerate().any(|(at, item)| items[..at].contains(item)) {
                    wrong.push(format!("{path}: an item is there twice"));
                }
            }
            "allOf" => wrong.extend(list().flat_map(|part| misfits(root, part, document, path))),
            "anyOf" | "oneOf" => {
                let tried: Vec<Vec<String>> = list().map(|face| misfits(root, face, document, path)).collect();
                let fitting = tried.iter().filter(|wrong| wrong.is_empty()).count();
                if fitting == 0 {
                    wrong.extend(tried.into_iter().min_by_key(Vec::len).into_iter().flatten());
                } else if word == "oneOf" && fitting > 1 {
                    wrong.push(format!("{path}: {fitting} of one fit"));
                }
            }
            _ => unreachable!("{path}: this test does not know the word {word} of schemas"),
        }
    }
    wrong
}

fn is_of(kind: &str, document: &Value) -> bool {
    match kind {
        "object" => document.is_object(),
        "array" => document.is_array(),
        "string" => document.is_string(),
        "integer" => document.is_i64() || document.is_u64(),
        "number" => document.is_number(),
        "boolean" => document.is_boolean(),
        "null" => document.is_null(),
        _ => unreachable!("a kind that JSON does not have: {kind}"),
    }
}
