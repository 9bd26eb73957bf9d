//! From the text of a JSON Schema to a shape. Keywords that are not checked are errors.

use std::collections::BTreeSet;
use std::fmt;

use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::known::beneath;
use super::{Bounds, Kind, Limit, Others, Shape};

/// How deep a schema may be nested, references followed.
const MAX_DEPTH: usize = 32;

/// The most schemas within one, references followed.
const MAX_SCHEMAS: usize = 5_000;

/// Largest compiled regular expression, in bytes.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Keywords that say nothing about values.
const NOTES: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords that are checked.
const CHECKED: [&str; 19] = [
    "$ref",
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSchema(pub Vec<SchemaProblem>);

/// One thing that is wrong with a schema, with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaProblem {
    /// JSON pointer into the schema.
    pointer: String,
    wrong: String,
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {}", self.wrong)
    }
}

impl Shape {
    /// Reads a schema; the error lists everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, WrongSchema> {
        let whole = |wrong| WrongSchema(vec![SchemaProblem { pointer: String::new(), wrong }]);
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| whole(format!("is not JSON (line {}, column {})", error.line(), error.column())))?;
        let mut compiler = Compiler { root: &schema, wrong: Vec::new(), schemas: 0 };
        let shape = compiler.schema(&schema, "", 0);
        if compiler.wrong.is_empty() { Ok(shape) } else { Err(WrongSchema(compiler.wrong)) }
    }
}

struct Compiler<'a> {
    root: &'a Value,
    wrong: Vec<SchemaProblem>,
    schemas: usize,
}

impl<'a> Compiler<'a> {
    fn wrong(&mut self, pointer: &str, wrong: impl Into<String>) {
        self.wrong.push(SchemaProblem { pointer: pointer.to_owned(), wrong: wrong.into() });
    }

    fn schema(&mut self, schema: &'a Value, pointer: &str, depth: usize) -> Shape {
        self.schemas += 1;
        if depth > MAX_DEPTH || self.schemas > MAX_SCHEMAS {
            if self.schemas <= MAX_SCHEMAS + 1 {
                self.wrong(pointer, "is nested too deeply, or refers to itself");
            }
            return Shape::default();
        }
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(true) => return Shape::default(),
            Value::Bool(false) => return Shape { kinds: Some(BTreeSet::new()), ..Shape::default() },
            _ => {
                self.wrong(pointer, "a schema is an object");
                return Shape::default();
            }
        };
        for keyword in keywords.keys().filter(|keyword| !NOTES.contains(&keyword.as_str())) {
            if !CHECKED.contains(&keyword.as_str()) {
                self.wrong(&beneath(pointer, keyword), format!("the keyword `{keyword}` is not supported"));
            }
        }
        if let Some(reference) = keywords.get("$ref") {
            return self.reference(reference, keywords, pointer, depth);
        }
        let mut shape = Shape { kinds: self.kinds(keywords, pointer), ..Shape::default() };
        self.listed(keywords, pointer, &mut shape);
        self.object(keywords, pointer, depth, &mut shape);
        if let Some(items) = keywords.get("items") {
            shape.items = Some(Box::new(self.schema(items, &beneath(pointer, "items"), depth + 1)));
        }
        shape.keys = self.bounds(keywords, ["minProperties", "maxProperties"], pointer);
        shape.count = self.bounds(keywords, ["minItems", "maxItems"], pointer);
        shape.length = self.bounds(keywords, ["minLength", "maxLength"], pointer);
        shape.minimum = self.limit(keywords, ["minimum", "exclusiveMinimum"], pointer);
        shape.maximum = self.limit(keywords, ["maximum", "exclusiveMaximum"], pointer);
        if let Some(pattern) = keywords.get("pattern") {
            let place = beneath(pointer, "pattern");
            let compiled =
                pattern.as_str().and_then(|text| RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).build().ok());
            if compiled.is_none() {
                self.wrong(&place, "is not a regular expression of Rust's regex crate");
            }
            shape.pattern = compiled;
        }
        shape
    }

    /// `$ref` to a place in the same schema, alone.
    fn reference(&mut self, reference: &Value, keywords: &Map<String, Value>, pointer: &str, depth: usize) -> Shape {
        let place = beneath(pointer, "$ref");
        if keywords.keys().any(|keyword| keyword != "$ref" && !NOTES.contains(&keyword.as_str())) {
            self.wrong(&place, "stands alone: put the other keywords into what it refers to");
        }
        let root = self.root;
        let target = reference.as_str().and_then(|text| text.strip_prefix('#')).and_then(|text| root.pointer(text));
        if let Some(target) = target {
            return self.schema(target, pointer, depth + 1);
        }
        self.wrong(&place, "refers to nothing in this file; only `#/$defs/NAME` and its like are followed");
        Shape::default()
    }

    fn kinds(&mut self, keywords: &Map<String, Value>, pointer: &str) -> Option<BTreeSet<Kind>> {
        let written = keywords.get("type")?;
        let names = match written {
            Value::Array(names) => names.iter().collect(),
            one => vec![one],
        };
        let kind = |name: &Value| Kind::ALL.into_iter().find(|kind| name.as_str() == Some(kind.name()));
        let kinds: Option<BTreeSet<Kind>> = names.into_iter().map(kind).collect();
        if kinds.as_ref().is_none_or(BTreeSet::is_empty) {
            let known = Kind::ALL.map(Kind::name).join(", ");
            self.wrong(&beneath(pointer, "type"), format!("is one of {known}, or a list of them"));
        }
        kinds
    }

    fn listed(&mut self, keywords: &Map<String, Value>, pointer: &str, shape: &mut Shape) {
        match keywords.get("enum") {
            Some(Value::Array(listed)) => shape.one_of = Some(listed.clone()),
            Some(_) => self.wrong(&beneath(pointer, "enum"), "is a list"),
            None => {}
        }
        if let Some(only) = keywords.get("const") {
            if shape.one_of.is_some() {
                self.wrong(&beneath(pointer, "const"), "stands beside `enum`: keep one of the two");
            }
            shape.one_of = Some(vec![only.clone()]);
        }
    }

    fn object(&mut self, keywords: &'a Map<String, Value>, pointer: &str, depth: usize, shape: &mut Shape) {
        match keywords.get("properties") {
            Some(Value::Object(properties)) => {
                let place = beneath(pointer, "properties");
                for (key, schema) in properties {
                    let property = self.schema(schema, &beneath(&place, key), depth + 1);
                    shape.properties.insert(key.clone(), property);
                }
            }
            Some(_) => self.wrong(&beneath(pointer, "properties"), "is an object"),
            None => {}
        }
        match keywords.get("required") {
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
                shape.required = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            Some(_) => self.wrong(&beneath(pointer, "required"), "is a list of names"),
            None => {}
        }
        let place = beneath(pointer, "additionalProperties");
        shape.others = match keywords.get("additionalProperties") {
            None | Some(Value::Bool(true)) => Others::Any,
            Some(Value::Bool(false)) => Others::None,
            Some(schema) => Others::Like(Box::new(self.schema(schema, &place, depth + 1))),
        };
    }

    fn bounds(&mut self, keywords: &Map<String, Value>, names: [&str; 2], pointer: &str) -> Bounds {
        let [least, most] = names.map(|name| {
            let number = keywords.get(name)?;
            let number = number.as_u64().and_then(|number| usize::try_from(number).ok());
            if number.is_none() {
                self.wrong(&beneath(pointer, name), "is a whole number from 0 on");
            }
            number
        });
        Bounds { least, most }
    }

    fn limit(&mut self, keywords: &Map<String, Value>, names: [&str; 2], pointer: &str) -> Option<Limit> {
        let [inclusive, exclusive] = names.map(|name| {
            let number = keywords.get(name)?;
            if !number.is_number() {
                self.wrong(&beneath(pointer, name), "is a number");
            }
            number.as_f64()
        });
        if inclusive.is_some() && exclusive.is_some() {
            self.wrong(&beneath(pointer, names[1]), format!("stands beside `{}`: keep one of the two", names[0]));
        }
        let limit = |exclusive| move |number| Limit { number, exclusive };
        inclusive.map(limit(false)).or(exclusive.map(limit(true)))
    }
}
