//! A statement as it is written, with the place of everything in it, and in its canonical form.

use serde_json::{Map, Value};

use super::super::access::is_limited;
use super::super::canonical;
use super::super::syntax::child;
use crate::domain::Partition;

/// One statement of a policy.
pub(super) struct Statement<'a> {
    /// The pointer to it.
    pub(super) pointer: String,
    written: &'a Map<String, Value>,
    /// Its canonical form: operators and condition keys in their documented spelling.
    pub(super) canonical: Value,
}

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

impl<'a> Statement<'a> {
    /// The statements of a document: those that are objects.
    pub(super) fn all(document: &'a Value) -> Vec<Self> {
        let pointer = child("", "Statement");
        let written = match document.get("Statement") {
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(at, item)| (child(&pointer, &at.to_string()), item)).collect()
            }
            Some(single) => vec![(pointer, single)],
            None => Vec::new(),
        };
        written
            .into_iter()
            .filter_map(|(pointer, item)| {
                Some(Self {
                    pointer,
                    written: item.as_object()?,
                    canonical: canonical::statement(item, &Partition::default()),
                })
            })
            .collect()
    }

    /// Its name, if it has one.
    pub(super) fn sid(&self) -> Option<&'a str> {
        self.written.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty())
    }

    /// What it does. None for a statement that IAM would not take.
    pub(super) fn effect(&self) -> Option<Effect> {
        match self.written.get("Effect")?.as_str()? {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            _ => None,
        }
    }

    /// Whether it has this member.
    pub(super) fn has(&self, key: &str) -> bool {
        self.written.contains_key(key)
    }

    /// A member as it is written.
    pub(super) fn member(&self, key: &str) -> Option<&'a Value> {
        self.written.get(key)
    }

    /// The pointer to a member, or to the statement where it lacks it.
    pub(super) fn place_of(&self, key: &str) -> String {
        if self.has(key) { child(&self.pointer, key) } else { self.pointer.clone() }
    }

    /// The strings of a member, a list or one alone, each with its pointer.
    pub(super) fn strings(&self, key: &str) -> Vec<(String, &'a str)> {
        self.written.get(key).map(|value| strings(value, &child(&self.pointer, key))).unwrap_or_default()
    }

    /// The principals of a kind in `Principal` or `NotPrincipal`. `*` alone is of the kind `AWS`.
    pub(super) fn principals(&self, key: &str, kind: &str) -> Vec<(String, &'a str)> {
        let pointer = child(&self.pointer, key);
        match self.written.get(key) {
            Some(Value::Object(kinds)) => {
                kinds.get(kind).map(|value| strings(value, &child(&pointer, kind))).unwrap_or_default()
            }
            Some(everyone) if kind == "AWS" => strings(everyone, &pointer),
            _ => Vec::new(),
        }
    }

    /// Its conditions in canonical form.
    pub(super) fn condition(&self) -> Option<&Value> {
        self.canonical.get("Condition")
    }

    /// Whether a condition narrows it to fixed principals, accounts, organisations, networks or source ARNs.
    pub(super) fn is_limited(&self) -> bool {
        is_limited(self.condition())
    }
}

/// The strings of a value, a list or one alone, each with its pointer.
pub(super) fn strings<'a>(value: &'a Value, pointer: &str) -> Vec<(String, &'a str)> {
    match value {
        Value::String(text) => vec![(pointer.to_owned(), text)],
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| Some((child(pointer, &at.to_string()), item.as_str()?)))
            .collect(),
        _ => Vec::new(),
    }
}
