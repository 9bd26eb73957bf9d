//! The canonical form: one document for all documents that IAM's documentation calls the same.
//!
//! AWS writes a policy back in its own way (other white space, sometimes an account's ARN for its id), and people write
//! them in many. What is folded here:
//!
//! - one statement or a list of one; a value or a list of one; order and duplicates of statements, actions, resources,
//!   principals and condition values; the order of keys;
//! - the principal `*` and `{"AWS": "*"}`, which IAM documents as the same in resource policies;
//! - an account's id and the ARN of its root in the partition that the policy is for;
//! - upper and lower case of actions, condition operators and condition keys; never of anything else;
//! - condition values `true` and `"true"`, `5` and `"5"`;
//! - an absent `Version` and `2008-10-17`; an absent `Sid` and an empty one; an absent `Condition` and an empty one.
//!
//! What is not known is kept as it is, with its keys sorted, since live policies may hold what this version has never
//! heard of. Lists of one become the value alone, as AWS's own examples are written.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::vocabulary::{self, Operator};
use crate::domain::Partition;

/// The canonical form of a document for a secret in `partition`. It is its own canonical form.
pub(super) fn canonical(document: &Value, partition: &Partition) -> Value {
    let Value::Object(members) = document else {
        return plain(document);
    };
    let mut entries: Vec<(String, Value)> = members
        .iter()
        .map(|(key, value)| {
            let value = if key == "Statement" { statements(value, partition) } else { plain(value) };
            (key.clone(), value)
        })
        .collect();
    if !members.contains_key("Version") {
        entries.push(("Version".to_owned(), vocabulary::DEFAULT_VERSION.into()));
    }
    object(entries, &vocabulary::DOCUMENT_KEYS)
}

/// Statements are a set: IAM evaluates all of them, in no order. Those with a Sid are sorted by it, so that a changed
/// statement stays in its place in a diff; the others follow, by their content.
fn statements(written: &Value, partition: &Partition) -> Value {
    let mut statements: Vec<Value> = match written {
        Value::Array(items) => items.iter().map(|item| statement(item, partition)).collect(),
        Value::Object(_) => vec![statement(written, partition)],
        _ => return plain(written),
    };
    statements.sort_by_cached_key(|statement| {
        let sid = statement.get("Sid").and_then(Value::as_str).map(str::to_owned);
        (sid.is_none(), sid, statement.to_string())
    });
    statements.dedup();
    Value::Array(statements)
}

/// The canonical form of one statement of a document for a secret in `partition`.
pub(super) fn statement(written: &Value, partition: &Partition) -> Value {
    let Value::Object(members) = written else {
        return plain(written);
    };
    let entries = members
        .iter()
        .filter_map(|(key, value)| {
            let value = match key.as_str() {
                "Principal" | "NotPrincipal" => principal(value, partition),
                "Action" | "NotAction" => set(value, action),
                "Resource" | "NotResource" => set(value, plain),
                "Condition" => condition(value),
                _ => plain(value),
            };
            let says_nothing = match key.as_str() {
                "Sid" => value == "",
                "Condition" => value.as_object().is_some_and(Map::is_empty),
                _ => false,
            };
            (!says_nothing).then(|| (key.clone(), value))
        })
        .collect();
    object(entries, &vocabulary::STATEMENT_KEYS)
}

/// A canonical document with its actions as these documents write them, the first one first.
pub(super) fn spelled<'a>(mut canonical: Value, documents: impl Iterator<Item = &'a Value>) -> Value {
    let mut spellings: HashMap<String, &str> = HashMap::new();
    for document in documents {
        each_action(document, &mut |action| {
            spellings.entry(vocabulary::action(action)).or_insert(action);
        });
    }
    if let Some(Value::Array(statements)) = canonical.get_mut("Statement") {
        for key in ["Action", "NotAction"] {
            let actions = statements.iter_mut().filter_map(|statement| statement.get_mut(key));
            actions.for_each(|actions| spell(actions, &spellings));
        }
    }
    canonical
}

fn spell(actions: &mut Value, spellings: &HashMap<String, &str>) {
    match actions {
        Value::String(action) => {
            if let Some(spelling) = spellings.get(action.as_str()) {
                (*spelling).clone_into(action);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| spell(item, spellings)),
        _ => {}
    }
}

fn each_action<'a>(document: &'a Value, visit: &mut impl FnMut(&'a str)) {
    for statement in super::access::items(document.get("Statement")) {
        for key in ["Action", "NotAction"] {
            super::access::items(statement.get(key)).filter_map(Value::as_str).for_each(&mut *visit);
        }
    }
}

fn principal(written: &Value, partition: &Partition) -> Value {
    let entries = match written {
        Value::String(everyone) if everyone == "*" => vec![("AWS".to_owned(), written.clone())],
        Value::Object(members) => members
            .iter()
            .map(|(kind, value)| {
                let aws = |value: &Value| aws_principal(value, partition);
                let value = if kind == "AWS" { set(value, aws) } else { set(value, plain) };
                (kind.clone(), value)
            })
            .collect(),
        _ => return plain(written),
    };
    object(entries, &vocabulary::PRINCIPAL_KEYS)
}

/// An account id is its root ARN in the partition of the secret's region, as the service stores it. An id that equalled
/// the root ARNs of all partitions would make those equal to each other, though they are different accounts.
fn aws_principal(written: &Value, partition: &Partition) -> Value {
    match written.as_str() {
        Some(id) if super::principal::is_account_id(id) => format!("arn:{partition}:iam::{id}:root").into(),
        _ => plain(written),
    }
}

fn action(written: &Value) -> Value {
    match written.as_str() {
        Some(name) => vocabulary::action(name).into(),
        None => plain(written),
    }
}

fn condition(written: &Value) -> Value {
    let Value::Object(operators) = written else {
        return plain(written);
    };
    let operators = operators.iter().map(|(operator, keys)| {
        let keys = match keys {
            Value::Object(keys) => {
                let keys = keys.iter().map(|(key, values)| (key.as_str(), set(values, text)));
                object(renamed(keys, vocabulary::condition_key), &[])
            }
            _ => plain(keys),
        };
        (operator.as_str(), keys)
    });
    let spelling = |operator: &str| Operator::read(operator).map_or_else(|| operator.to_owned(), Operator::spelling);
    object(renamed(operators, spelling), &[])
}

/// Entries under their canonical names. Where two names become one, all stay as they are, so that none is lost.
fn renamed<'a>(
    entries: impl Iterator<Item = (&'a str, Value)>,
    rename: impl Fn(&str) -> String,
) -> Vec<(String, Value)> {
    let entries: Vec<_> = entries.collect();
    let names: BTreeSet<String> = entries.iter().map(|(name, _)| rename(name)).collect();
    let all_differ = names.len() == entries.len();
    entries.into_iter().map(|(name, value)| (if all_differ { rename(name) } else { name.to_owned() }, value)).collect()
}

/// The text of a condition value; quotation marks are optional for booleans and numbers.
fn text(written: &Value) -> Value {
    match written {
        Value::Bool(_) | Value::Number(_) => written.to_string().into(),
        _ => plain(written),
    }
}

/// A value that stands for a set: one member, or a list whose order and repetitions mean nothing.
fn set(written: &Value, member: impl Fn(&Value) -> Value) -> Value {
    let Value::Array(items) = written else {
        return member(written);
    };
    let mut members: Vec<Value> = items.iter().map(member).collect();
    members.sort_by_cached_key(Value::to_string);
    members.dedup();
    match members.as_slice() {
        // A list inside a list is nothing that IAM knows; it must not be unwrapped twice.
        [only] if !only.is_array() => only.clone(),
        _ => Value::Array(members),
    }
}

/// A value of no known meaning: only the order of keys is folded.
fn plain(written: &Value) -> Value {
    match written {
        Value::Object(members) => object(members.iter().map(|(key, value)| (key.clone(), plain(value))).collect(), &[]),
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => written.clone(),
    }
}

/// An object with the keys of `order` first, and the others after them by name.
fn object(mut entries: Vec<(String, Value)>, order: &[&str]) -> Value {
    entries.sort_by_cached_key(|(key, _)| {
        let place = order.iter().position(|known| known == key).unwrap_or(order.len());
        (place, key.clone())
    });
    Value::Object(entries.into_iter().collect())
}
