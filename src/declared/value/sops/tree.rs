//! A file's contents as a tree in file order.

use zeroize::Zeroizing;

/// A value, a list or a map. Text wipes itself: in what the `sops` program gives out, it is plaintext. There is no
/// `Debug`.
pub(in crate::value) enum Node {
    Null,
    Bool(bool),
    /// A number as SOPS writes it into the MAC; for a JSON document from the `sops` program, as it stands there.
    Number(Zeroizing<String>),
    Text(Zeroizing<String>),
    List(Vec<Node>),
    /// Keys are unique.
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    pub(super) fn number(text: impl Into<String>) -> Self {
        Self::Number(Zeroizing::new(text.into()))
    }

    /// Whether some text or number in it is such a one.
    pub(in crate::value) fn any_text(&self, is_one: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Null | Self::Bool(_) => false,
            Self::Number(text) | Self::Text(text) => is_one(text),
            Self::List(items) => items.iter().any(|item| item.any_text(is_one)),
            Self::Map(entries) => entries.iter().any(|(_, value)| value.any_text(is_one)),
        }
    }

    /// The value beneath a key of a map.
    pub(in crate::value) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(known, _)| known == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The metadata's part of a file as JSON, to be decoded. It holds no plaintext.
    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(set) => Value::Bool(*set),
            Self::Number(text) => text
                .parse::<i64>()
                .map_or_else(|_| Value::String(text.to_string()), |number| Value::Number(number.into())),
            Self::Text(text) => Value::String(text.to_string()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => {
                Value::Object(entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect())
            }
        }
    }
}
