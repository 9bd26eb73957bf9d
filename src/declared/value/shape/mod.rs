//! The shape of values: which keys they have and of what kind, required by a rule of the project.
//!
//! A shape is a part of JSON Schema (draft 2020-12), of which every keyword is either checked or refused: a schema that
//! is only half understood would promise what nobody checks. It is held against what is known of a value, which offline
//! is its keys and kinds alone (SOPS leaves both in the clear), and right before a write all of it. What may not enter:
//! values, or anything made of one, in a message.
//!
//! - `compile`: from JSON text to a [`Shape`];
//! - `known`: what is known of a value, with and without a key;
//! - `check`: the one against the other.

mod check;
mod compile;
mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regex::Regex;

use crate::collect::CollectMap as _;

pub use check::ShapeBreach;
pub use compile::{SchemaProblem, WrongSchema};
pub use known::Known;

/// What a rule requires of a value.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Any kind, when there is none.
    kinds: Option<BTreeSet<Kind>>,
    /// `enum`, and `const` as its only member.
    one_of: Option<Vec<serde_json::Value>>,
    properties: BTreeMap<String, Self>,
    required: BTreeSet<String>,
    others: Others,
    /// `minProperties` and `maxProperties`.
    keys: Bounds,
    items: Option<Box<Self>>,
    /// `minItems` and `maxItems`.
    count: Bounds,
    /// `minLength` and `maxLength`, in characters.
    length: Bounds,
    pattern: Option<Regex>,
    minimum: Option<Limit>,
    maximum: Option<Limit>,
}

/// A kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    /// What JSON Schema calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// What may stand beside the named properties (`additionalProperties`).
#[derive(Clone, Debug, Default)]
enum Others {
    #[default]
    Any,
    None,
    Like(Box<Shape>),
}

/// From and to, both included.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    least: Option<usize>,
    most: Option<usize>,
}

/// A limit of a number.
#[derive(Clone, Copy, Debug)]
struct Limit {
    number: f64,
    exclusive: bool,
}

impl Shape {
    /// An object with these keys. Where others are listed that it may have, it has no further ones.
    pub fn of_keys<'a>(
        required: impl IntoIterator<Item = &'a str>,
        optional: Option<impl IntoIterator<Item = &'a str>>,
    ) -> Arc<Self> {
        let required: BTreeSet<String> = required.into_iter().map(str::to_owned).collect();
        let closed = optional.is_some();
        let optional = optional.into_iter().flatten().map(str::to_owned);
        let properties = required.iter().cloned().chain(optional).map(|key| (key, Self::default())).collect_map();
        let others = if closed { Others::None } else { Others::Any };
        Arc::new(Self { kinds: Some(BTreeSet::from([Kind::Object])), required, properties, others, ..Self::default() })
    }
}

#[cfg(test)]
mod tests;
