//! Shapes against values, known and half known.

use super::*;
use crate::value::SecretValue;

const DB: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A database",
    "type": "object",
    "required": ["username", "password"],
    "properties": {
        "username": { "type": "string", "pattern": "^[a-z]+$" },
        "password": { "$ref": "#/$defs/password" },
        "port": { "type": "integer", "minimum": 1, "exclusiveMaximum": 65536 },
        "mode": { "enum": ["ro", "rw"] },
        "hosts": { "type": "array", "minItems": 1, "items": { "type": "string" } }
    },
    "additionalProperties": false,
    "$defs": { "password": { "type": "string", "minLength": 8, "maxLength": 64 } }
}"##;

fn breaches(shape: &Shape, text: &str) -> Vec<String> {
    let value = SecretValue::text(text.to_owned());
    let known = Known::of_value(&value);
    shape.check(&known, &known).iter().map(ToString::to_string).collect()
}

fn wrong(schema: &str) -> Vec<String> {
    Shape::parse(schema).map_or_else(|wrong| wrong.0.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[test]
fn a_value_of_the_shape_breaks_nothing() {
    let shape = Shape::parse(DB).unwrap_or_default();
    let value = r#"{ "username": "app", "password": "long enough", "port": 5432, "mode": "rw", "hosts": ["a"] }"#;
    assert_eq!(breaches(&shape, value), [""; 0]);
    assert!(shape.required.contains("password"), "the schema was read");
}

#[test]
fn each_breach_names_its_key_and_never_a_value() {
    let shape = Shape::parse(DB).unwrap_or_default();
    let value =
        r#"{ "username": "C4N4RY", "password": "C4N4RY", "port": 70000.5, "mode": "C4N4RY", "hosts": [1], "x": 1 }"#;
    let found = breaches(&shape, value);
    assert_eq!(
        found,
        [
            "/hosts/0 is a number, and is to be of type string",
            "/mode is none of what the schema lists",
            "/password has fewer than 8 characters",
            "/port is a number, and is to be of type integer",
            "/username does not fit the schema's pattern",
            "/x is a key too many",
        ]
    );
    assert_eq!(breaches(&shape, "C4N4RY"), ["the value is text, and is to be of type object"]);
    assert_eq!(breaches(&shape, r#"{ "port": 65536 }"#)[2], "/port is more than the schema's maximum");
}

#[test]
fn keys_that_only_the_value_itself_shows_are_counted() {
    let value = SecretValue::text(r#"{ "username": "a", "C4N4RY": 1, "C4N4RY too": 2, "port": "x" }"#.to_owned());
    let found = |shape: &Shape, clear: &Known| -> Vec<String> {
        shape.check(&Known::of_value(&value), clear).iter().map(ToString::to_string).collect()
    };
    let closed = Shape::of_keys(["username"], Some(["port"]));
    assert_eq!(found(&closed, &Known::Nothing), ["the value has 2 keys too many"]);
    let clear = Known::Map(BTreeMap::from([("C4N4RY".to_owned(), Known::Text(None))]));
    assert_eq!(found(&closed, &clear), ["/C4N4RY is a key too many", "the value has 1 key too many"]);
    let like = r#"{ "properties": { "port": {} }, "additionalProperties": { "type": "string" } }"#;
    let like = Shape::parse(like).unwrap_or_default();
    let number = "is a number, and is to be of type string";
    assert_eq!(found(&like, &Known::Nothing), [format!("/* {number}"), format!("/* {number}")]);
}

#[test]
fn what_is_not_known_breaks_nothing() {
    let shape = Shape::parse(DB).unwrap_or_default();
    let in_clear = |known: &Known| shape.check(known, known);
    assert!(in_clear(&Known::Nothing).is_empty());
    let half = [("username", Known::Text(None)), ("password", Known::Text(None)), ("mode", Known::Text(None))];
    let half = Known::Map(half.into_iter().map(|(key, known)| (key.to_owned(), known)).collect());
    assert!(in_clear(&half).is_empty());
    let bool_for_text = Known::Map(BTreeMap::from([("username".to_owned(), Known::Bool(None))]));
    assert_eq!(in_clear(&bool_for_text).len(), 2, "a kind and a missing key are known without a key");
}

#[test]
fn keys_that_are_listed_are_closed_only_beside_optional_ones() {
    let open = Shape::of_keys(["username"], None::<[&str; 0]>);
    let closed = Shape::of_keys(["username"], Some(["port"]));
    let value = r#"{ "username": "a", "port": 1, "other": 2 }"#;
    assert_eq!(breaches(&open, value), [""; 0]);
    assert_eq!(breaches(&closed, value), ["/other is a key too many"]);
    assert_eq!(breaches(&open, "[]"), ["the value is a list, and is to be of type object"]);
}

#[test]
fn what_is_not_checked_is_no_schema() {
    assert_eq!(wrong(r#"{ "oneOf": [] }"#), ["/oneOf: the keyword `oneOf` is not supported"]);
    assert_eq!(
        wrong(r#"{ "properties": { "a": { "format": "email" } } }"#),
        ["/properties/a/format: the keyword `format` is not supported"]
    );
    assert_eq!(wrong("{ \"type\": \"text\" }").len(), 1);
    assert_eq!(wrong("nonsense").len(), 1);
    assert_eq!(wrong(r##"{ "$ref": "#" }"##), ["/: is nested too deeply, or refers to itself"]);
    assert_eq!(wrong(r#"{ "$ref": "https://example.com/x" }"#).len(), 1);
    assert_eq!(wrong(r#"{ "minLength": -1, "required": "a", "pattern": "(", "minimum": "1" }"#).len(), 4);
}
