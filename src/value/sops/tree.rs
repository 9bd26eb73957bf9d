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

    /// The value beneath a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
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

/// A number as Go's `strconv.FormatFloat(number, 'f', -1, 64)` writes it, which is what SOPS hashes.
pub(super) fn format_float(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // Rust writes the shortest digits that read back the same, without an exponent, and so does Go.
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_does() {
        for (number, text) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (-0.0, "-0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Inf"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(format_float(number), text);
        }
    }
}
