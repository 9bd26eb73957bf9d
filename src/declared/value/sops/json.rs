//! JSON documents: the JSON and binary stores, and what the `sops` program gives out.
//!
//! The order of keys counts for the MAC, a key that stands twice is refused, numbers keep the text that stands there,
//! and strings are decoded straight into memory that wipes itself, so this is not left to an untyped tree.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::tree::Node;
use super::{MAX_NODES, MAX_SOPS_DEPTH, number};
use crate::value::buffer::SecretBuffer;

const INVALID: &str = "it is not valid JSON";

/// Reads a document. An error says what is wrong, and quotes nothing.
pub(in crate::value) fn read(text: &str) -> Result<Node, &'static str> {
    let mut reader = Reader { text, at: 0, depth: 0, nodes: 0 };
    let node = reader.value()?;
    reader.space();
    if reader.at == text.len() { Ok(node) } else { Err(INVALID) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| b" \t\r\n".contains(byte)).count();
    }

    /// Takes `token` after any space.
    fn take(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn value(&mut self) -> Result<Node, &'static str> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err("it holds more than 200,000 values");
        }
        self.space();
        match self.rest().bytes().next() {
            Some(b'"') => self.string().map(Node::Text),
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.take("null") => Ok(Node::Null),
            _ if self.take("true") => Ok(Node::Bool(true)),
            _ if self.take("false") => Ok(Node::Bool(false)),
            _ => Err(INVALID),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Node, &'static str>) -> Result<Node, &'static str> {
        if self.depth >= MAX_SOPS_DEPTH {
            return Err("it is nested more than 64 deep");
        }
        self.depth += 1;
        self.at += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn map(&mut self) -> Result<Node, &'static str> {
        let (mut entries, mut keys) = (Vec::new(), HashSet::new());
        if self.take("}") {
            return Ok(Node::Map(entries));
        }
        loop {
            self.space();
            let key = self.string()?.to_string();
            if !keys.insert(key.clone()) {
                return Err("it has a key twice in one map");
            }
            if !self.take(":") {
                return Err(INVALID);
            }
            entries.push((key, self.value()?));
            if self.take("}") {
                return Ok(Node::Map(entries));
            }
            if !self.take(",") {
                return Err(INVALID);
            }
        }
    }

    fn list(&mut self) -> Result<Node, &'static str> {
        let mut items = Vec::new();
        if self.take("]") {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.take("]") {
                return Ok(Node::List(items));
            }
            if !self.take(",") {
                return Err(INVALID);
            }
        }
    }

    /// Whole numbers keep all their digits; others are written as SOPS writes floats.
    fn number(&mut self) -> Result<Node, &'static str> {
        let len = self.rest().bytes().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
        let text = &self.rest()[..len];
        // Rust takes more than JSON does: `1.`, `.5`, `+1`, `01`.
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let leading_zero = unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.as_bytes()[1].is_ascii_digit();
        let dot_fits = unsigned.split_once('.').is_none_or(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
        let first_fits = unsigned.starts_with(|c: char| c.is_ascii_digit());
        if leading_zero || !dot_fits || !first_fits {
            return Err(INVALID);
        }
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or(INVALID)?;
        let whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let node = Node::number(if whole { text.to_owned() } else { number::plain(number) });
        self.at += len;
        Ok(node)
    }

    fn string(&mut self) -> Result<Zeroizing<String>, &'static str> {
        let Some(rest) = self.rest().strip_prefix('"') else { return Err(INVALID) };
        let rest_at = self.text.len() - rest.len();
        let mut decoded = SecretBuffer::new();
        let bytes = self.text.as_bytes();
        let mut at = rest_at;
        loop {
            let plain = bytes[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            decoded.push(&bytes[at..at + plain]);
            at += plain;
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'"'), _) => {
                    self.at = at + 1;
                    return decoded.into_text().ok_or(INVALID);
                }
                (Some(b'\\'), Some(escape)) => at = self.escape(*escape, at + 2, &mut decoded)?,
                _ => return Err(INVALID),
            }
        }
    }

    /// Decodes an escape, of which `at` is the place after its letter, and gives the place after it.
    fn escape(&self, letter: u8, at: usize, decoded: &mut SecretBuffer) -> Result<usize, &'static str> {
        let plain = match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(at, decoded),
            _ => return Err(INVALID),
        };
        decoded.push(&[plain]);
        Ok(at)
    }

    fn unicode(&self, at: usize, decoded: &mut SecretBuffer) -> Result<usize, &'static str> {
        let unit = |at: usize| {
            let hex = self.text.get(at..at + 4).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
            hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()).ok_or(INVALID)
        };
        let first = unit(at)?;
        let pair = matches!(first, 0xD800..=0xDBFF) && self.text.get(at + 4..at + 6) == Some("\\u");
        let (units, end) = if pair { (vec![first, unit(at + 6)?], at + 10) } else { (vec![first], at + 4) };
        for character in char::decode_utf16(units) {
            let mut utf8 = [0; 4];
            decoded.push_str(character.map_err(|_| INVALID)?.encode_utf8(&mut utf8));
        }
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(node: &Node, json: &serde_json::Value) -> bool {
        use serde_json::Value;
        match (node, json) {
            (Node::Null, Value::Null) => true,
            (Node::Bool(a), Value::Bool(b)) => a == b,
            (Node::Number(a), Value::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
            (Node::Text(a), Value::String(b)) => **a == *b,
            (Node::List(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            (Node::Map(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((ka, a), (kb, b))| ka == kb && same(a, b))
            }
            _ => false,
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            (-1e9_f64..1e9).prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_writes(json in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
            let node = read(&text.unwrap_or_default());
            prop_assert!(node.is_ok_and(|node| same(&node, &json)));
        }

        /// Where it differs from serde_json, it takes less.
        #[test]
        fn it_takes_no_more_than_serde_json(text in r#"[\[\]{}",:0-9eE.+\\/utrue -]{0,12}"#) {
            if read(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }

    #[test]
    fn escapes_are_decoded() {
        let node = read(r#"{"a": "\u00e9\ud83d\ude00\/\n\"\\"}"#);
        let text = node.ok().and_then(|node| match node.get("a") {
            Some(Node::Text(text)) => Some(text.to_string()),
            _ => None,
        });
        assert_eq!(text.as_deref(), Some("é😀/\n\"\\"));
        assert!(read(r#""\ud83d""#).is_err());
        assert!(read(r#"{"a":1,"a":2}"#).is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
