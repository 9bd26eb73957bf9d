//! YAML as a tree in which everything knows its place.
//!
//! Scalars are resolved by YAML 1.2's core schema, and keep the text that was written, so that a message can quote it.

use std::sync::Arc;

use super::source::Span;
use crate::domain::Part;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    /// A scalar that is written without quotes and without a tag, just as it is.
    pub(crate) plain: bool,
}

/// What a [`Node`] is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// A number as it is written.
    Number(Arc<str>),
    String(Arc<str>),
    /// A string with references to other secrets: only interpolation makes these.
    Template(Arc<[Part]>),
    Seq(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// Something about which a problem is reported already: it causes no second one.
    Poison,
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) span: Span,
    pub(crate) text: Arc<str>,
    /// The merge key `<<`, which no map keeps.
    pub(crate) is_merge: bool,
}

impl Node {
    /// A collection, or a scalar in quotes.
    pub(crate) fn new(span: Span, kind: Kind) -> Self {
        Self { span, kind, plain: false }
    }

    /// Whether nothing is written where a value should stand: `key:`, which YAML reads as null.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self.kind, Kind::Null) && self.span.start == self.span.end
    }

    /// The entries of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value beneath a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The key with its value.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Self)> {
        self.entries().iter().find(|(known, _)| &*known.text == key)
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The node that a JSON pointer (RFC 6901) leads to, or the last one on the way there.
    pub(crate) fn at_pointer(&self, pointer: &str) -> &Self {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.kind {
                Kind::Map(_) => node.get(&step),
                Kind::Seq(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// What it is, for a message. Never its text.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(true) => "`true`",
            Kind::Bool(false) => "`false`",
            Kind::Number(_) => "a number",
            Kind::String(_) | Kind::Template(_) | Kind::Poison => "a string",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// A plain scalar by the core schema of YAML 1.2 (section 10.3.2). In it `yes`, `on` and `0o17x` are strings.
pub(crate) fn resolve_plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        text if is_number(text) => Kind::Number(text.into()),
        text => Kind::String(text.into()),
    }
}

fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let all_digits = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_ok
}

/// A whole number as it is written in YAML.
pub(crate) fn parse_integer(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_resolve_as_the_core_schema_says() {
        for number in
            ["1", "-1", "+1", "0x1F", "0o17", "1.10", ".5", "1.", "1e3", "-1.5E-3", ".inf", "-.INF", ".nan", "007"]
        {
            assert!(matches!(resolve_plain(number), Kind::Number(_)), "{number}");
        }
        for text in ["yes", "on", "1_000", "0x", "1.2.3", "e3", ".", "-", "1e", "12h", "0o8", "-.nan"] {
            assert!(matches!(resolve_plain(text), Kind::String(_)), "{text}");
        }
        assert!(matches!(resolve_plain("True"), Kind::Bool(true)));
        assert!(matches!(resolve_plain("~"), Kind::Null));
    }

    #[test]
    fn integers_keep_their_base() {
        assert_eq!(parse_integer("0x10"), Some(16));
        assert_eq!(parse_integer("+7"), Some(7));
        assert_eq!(parse_integer("010"), Some(10), "YAML 1.2 has no octal numbers without 0o");
        assert_eq!(parse_integer("1.0"), None);
    }
}
