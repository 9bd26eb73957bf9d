//! `docs/reference/manifests.md` and `docs/reference/formats.md`: every field of manifests and of JSON documents, from
//! the schemas that are made of the types which parse and print them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::markdown::{cell, page};
use crate::support;

const MANIFESTS: &str = "\
# Fields of manifests

Made from the types that parse them; `keywright explain PATH` prints the same for one of them, with the paths that are
the headings here, and [schemas](../../schemas) has them for editors. A field that is left out is not managed.

";

const DOCUMENTS: &str = "\
# JSON documents

What `plan`, `apply`, `drift` and `inventory` print with `--format json`, and the lines of `watch`, made from the types
that print them. The schemas are in [schemas](../../schemas); [Reading the JSON with jq](../json.md) has examples.
Within a `formatVersion` members may be added, and none is taken away or changes its meaning. No value of a secret is in
any of them.

";

pub(crate) fn schema(kind: &str) -> Value {
    let printed = support::keywright(&support::sandbox(), &["schema", kind], None);
    serde_json::from_str(&printed.out).expect("a schema")
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.replace(' ', "-");
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'));
    kept.flat_map(char::to_lowercase).collect()
}

/// A schema as tables: one for each map that has fields, headed by the path to it.
struct Tables<'a> {
    root: &'a Value,
    /// Where the fields of each named type stand.
    headings: BTreeMap<String, String>,
    /// Maps whose table is to be written.
    left: Vec<(String, &'a Value)>,
    out: String,
}

/// What `Tables::resolve` comes to.
struct Resolved<'a> {
    /// What a value is, as a word or a link.
    words: Vec<String>,
    /// Descriptions of the type, for a field that has none.
    description: Option<&'a str>,
    /// Fixed values with their descriptions.
    choices: Vec<String>,
}

impl<'a> Tables<'a> {
    /// The tables of a schema, the root's under `name`.
    fn write(root: &'a Value, name: &str) -> String {
        let mut tables = Self { root, headings: BTreeMap::new(), left: Vec::new(), out: String::new() };
        tables.left.push((name.to_owned(), root));
        let mut level = "##";
        while !tables.left.is_empty() {
            let (path, map) = tables.left.remove(0);
            tables.table(level, &path, map);
            level = "###";
        }
        tables.out
    }

    fn table(&mut self, level: &str, path: &str, map: &'a Value) {
        let description = map["description"].as_str().unwrap_or_default();
        write!(self.out, "\n{level} {path}\n\n{}\n\n", cell(description)).expect("a String takes all");
        self.out += "| field | value | meaning |\n|---|---|---|\n";
        let required: Vec<&str> = map["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, field) in map["properties"].as_object().into_iter().flatten() {
            let resolved = self.resolve(&format!("{path}.{name}"), field);
            let mut meaning = cell(field["description"].as_str().or(resolved.description).unwrap_or_default());
            if !resolved.choices.is_empty() {
                write!(meaning, " {}", resolved.choices.join(" ")).expect("a String takes all");
            }
            if let Some(default) = field.get("default").filter(|default| !default.is_null()) {
                write!(meaning, " By default `{}`.", default.to_string().replace('|', "\\|")).expect("a String");
            }
            let must = if required.contains(&name.as_str()) { ", required" } else { "" };
            let words = resolved.words.join(" or ");
            writeln!(self.out, "| `{name}` | {words}{must} | {} |", meaning.trim()).expect("a String takes all");
        }
    }

    /// What a value is; a map with fields gets a table of its own.
    fn resolve(&mut self, path: &str, field: &'a Value) -> Resolved<'a> {
        let mut resolved = Resolved { words: Vec::new(), description: None, choices: Vec::new() };
        self.add(path, field, field.get("const").is_some(), &mut resolved);
        resolved.words.dedup();
        if resolved.words.is_empty() {
            resolved.words.push("any".to_owned());
        }
        resolved
    }

    /// Adds what a schema or a part of one says; `alone` where it is no choice among several.
    fn add(&mut self, path: &str, field: &'a Value, alone: bool, to: &mut Resolved<'a>) {
        if let Some(name) = field["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/")) {
            let definition = &self.root["$defs"][name];
            to.description = to.description.or(definition["description"].as_str());
            if definition.get("properties").is_none() {
                return self.add(path, definition, false, to);
            }
            if !self.headings.contains_key(name) {
                self.headings.insert(name.to_owned(), path.to_owned());
                self.left.push((path.to_owned(), definition));
            }
            let heading = &self.headings[name];
            to.words.push(format!("[map](#{})", anchor(heading)));
            return;
        }
        if let Some(parts) = field["anyOf"].as_array().or(field["oneOf"].as_array()) {
            return parts.iter().for_each(|part| self.add(path, part, false, to));
        }
        if let Some(constant) = field.get("const") {
            let described = field["description"].as_str().map(|text| format!(": {}", cell(text))).unwrap_or_default();
            let constant = constant.as_str().map_or(constant.to_string(), str::to_owned);
            if field["type"].is_string() && to.words.is_empty() && alone {
                to.words.push(format!("`{constant}`"));
            } else {
                to.choices.push(format!("`{constant}`{described}"));
                to.words.push("one of".to_owned());
            }
            return;
        }
        let one = field["type"].as_str();
        let several = field["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for kind in one.into_iter().chain(several) {
            match kind {
                "array" => {
                    let inner = self.resolve(&format!("{path}[]"), &field["items"]);
                    to.words.push(format!("list of {}", inner.words.join(" or ")));
                    to.choices.extend(inner.choices);
                }
                "object" if field.get("properties").is_some() => {
                    // A field may be one of several maps, each with a table.
                    let before = self.left.iter().filter(|(other, _)| other.split(' ').next() == Some(path)).count();
                    let path = if before == 0 { path.to_owned() } else { format!("{path} ({})", before + 1) };
                    to.words.push(format!("[map](#{})", anchor(&path)));
                    self.left.push((path, field));
                }
                "object" => {
                    let inner = self.resolve(&format!("{path}.*"), &field["additionalProperties"]);
                    let of = inner.words.join(" or ");
                    to.words.push(if of.is_empty() { "map".to_owned() } else { format!("map to {of}") });
                }
                "string" => to.words.push("text".to_owned()),
                "null" => to.words.push("`null`".to_owned()),
                other => to.words.push(other.to_owned()),
            }
        }
        for choice in field["enum"].as_array().into_iter().flatten() {
            to.choices.push(format!("`{}`", choice.as_str().unwrap_or(&choice.to_string())));
        }
    }
}

#[test]
fn every_field_of_manifests_is_in_the_page() {
    let mut out = MANIFESTS.to_owned();
    out += "[Project](#project) · [Secret](#secret) · [Defaults](#defaults) · [Rules](#rules)\n";
    for (kind, name) in [("project", "Project"), ("secret", "Secret"), ("defaults", "Defaults"), ("rules", "Rules")] {
        out += &Tables::write(&schema(kind), name);
    }
    for field in ["| `namePrefixes` |", "| `renamedFrom` |", "| `crossAccountReplica` |", "| `requireTags` |"] {
        assert!(out.contains(field), "{field}");
    }
    page("reference/manifests.md", &out);
}

#[test]
fn every_member_of_the_documents_is_in_the_page() {
    let mut out = DOCUMENTS.to_owned();
    out += "[plan](#plan) · [apply](#apply) · [drift](#drift) · [inventory](#inventory) · [watch](#watch)\n";
    for kind in ["plan", "apply", "drift", "inventory", "watch"] {
        out += &Tables::write(&schema(kind), kind);
    }
    assert!(out.matches("| `formatVersion` |").count() >= 4, "the documents");
    page("reference/formats.md", &out);
}
