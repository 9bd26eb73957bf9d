//! The YAML store: every document of a file, in file order.
//!
//! Comments need no reading: SOPS leaves them out of the MAC, encrypted or not, except that an encrypted comment within
//! a list stands there as an item of type `comment`. Plain scalars are resolved as SOPS's own YAML library does, since
//! unencrypted ones are part of the MAC: `017` is 15 and `1_000` is 1000.

use std::collections::HashSet;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::tree::{Node, format_float};
use super::{MAX_NODES, MAX_SOPS_DEPTH};

/// Reads every document. An error says what is wrong, and quotes nothing.
pub(super) fn read(text: &str) -> Result<Vec<Node>, &'static str> {
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_SOPS_DEPTH,
        block_nesting_limit: MAX_SOPS_DEPTH,
    };
    let mut reader = Reader::default();
    let mut parser = Parser::new_from_str_with_options(text, options);
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|_| "it is not valid YAML")?;
        reader.event(event)?;
    }
    Ok(reader.documents)
}

/// A collection that is not complete yet.
enum Open {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, keys: HashSet<String>, key: Option<String> },
}

#[derive(Default)]
struct Reader {
    stack: Vec<Open>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                let node = scalar(&text, style, tag.as_deref())?;
                self.complete(node)
            }
            Event::SequenceStart(_, _, tag) => self.open(Open::List(Vec::new()), tag.as_deref()),
            Event::MappingStart(_, _, tag) => {
                self.open(Open::Map { entries: Vec::new(), keys: HashSet::new(), key: None }, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::List(items)) => self.complete(Node::List(items)),
                Some(Open::Map { entries, .. }) => self.complete(Node::Map(entries)),
                None => Ok(()),
            },
            Event::Alias(_) => Err("it has an alias, which an encrypted file never has"),
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open, tag: Option<&Tag>) -> Result<(), &'static str> {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            return Err("it has a YAML tag that is not known");
        }
        if self.stack.len() >= MAX_SOPS_DEPTH {
            return Err("it is nested more than 64 deep");
        }
        self.stack.push(open);
        Ok(())
    }

    fn complete(&mut self, node: Node) -> Result<(), &'static str> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err("it holds more than 200,000 values");
        }
        match self.stack.last_mut() {
            None => self.documents.push(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map { entries, keys, key }) => match (key.take(), node) {
                (Some(key), node) => entries.push((key, node)),
                (None, Node::Text(text)) => {
                    if !keys.insert(text.to_string()) {
                        return Err("it has a key twice in one map");
                    }
                    *key = Some(text.to_string());
                }
                (None, _) => return Err("it has a key that is not text"),
            },
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Node, &'static str> {
    let is_text = match tag {
        None => false,
        // go-yaml writes the text `<<` as `!!merge <<`.
        Some(tag) if matches!(tag.parts(), ("!", "") | ("", "!") | ("tag:yaml.org,2002:", "str" | "merge")) => true,
        Some(tag) if tag.is_yaml_core_schema() => false,
        Some(_) => return Err("it has a YAML tag that is not known"),
    };
    Ok(if style == ScalarStyle::Plain && !is_text { resolve(text) } else { Node::text(text) })
}

/// A plain scalar, resolved as go-yaml version 3 does.
fn resolve(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Node::number("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Node::number("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => Node::number("-Inf"),
        // A moment is text here: SOPS writes it out in one form only, which is also what it hashes.
        _ if text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            number(text).map_or_else(|| Node::text(text), Node::number)
        }
        _ => Node::text(text),
    }
}

fn number(text: &str) -> Option<String> {
    let plain = text.replace('_', "");
    if !plain.starts_with('.')
        && let Some(whole) = integer(&plain)
    {
        return Some(whole.to_string());
    }
    is_float(&plain).then(|| plain.parse().ok().map(format_float)).flatten()
}

/// A whole number as Go's `strconv.ParseInt(text, 0, 64)` reads it: with 0x, 0o and 0b, and a leading 0 for octal.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    // `from_str_radix` would take a second sign.
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// go-yaml's pattern for a float: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    exponent_fits && mantissa_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> String {
        match resolve(text) {
            Node::Null => "null".to_owned(),
            Node::Bool(set) => format!("bool {set}"),
            Node::Number(number) => format!("number {}", *number),
            Node::Text(text) => format!("text {}", *text),
            Node::List(_) | Node::Map(_) => String::new(),
        }
    }

    #[test]
    fn plain_scalars_are_those_of_go_yaml() {
        for (written, meant) in [
            ("017", "number 15"),
            ("08", "number 8"),
            ("0o17", "number 15"),
            ("-0x1F", "number -31"),
            ("0b101", "number 5"),
            ("1_000", "number 1000"),
            ("1e21", "number 1000000000000000000000"),
            ("1.50", "number 1.5"),
            (".5", "number 0.5"),
            ("-.inf", "number -Inf"),
            ("2024-01-02", "text 2024-01-02"),
            ("--1", "text --1"),
            ("1.2.3", "text 1.2.3"),
            ("yes", "text yes"),
            ("~", "null"),
            ("TRUE", "bool true"),
        ] {
            assert_eq!(resolved(written), meant, "{written}");
        }
    }

    #[test]
    fn what_an_encrypted_file_never_has_is_refused() {
        for text in ["a: &x 1\nb: *x\n", "a: 1\na: 2\n", "1: a\n", "? [a]\n: b\n", "a: !custom b\n", "a: [\n"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(MAX_SOPS_DEPTH + 1)).is_err());
        let deep = format!("{}{}", "[".repeat(MAX_SOPS_DEPTH + 1), "]".repeat(MAX_SOPS_DEPTH + 1));
        assert!(read(&deep).is_err());
        let wide = "- a\n".repeat(MAX_NODES + 1);
        assert!(read(&wide).is_err());
    }

    #[test]
    fn tags_of_text_are_known() {
        let documents = read("a: !!merge <<\nb: !!str 12\nc: ! 12\n").unwrap_or_default();
        for key in ["a", "b", "c"] {
            assert!(documents.iter().all(|document| matches!(document.get(key), Some(Node::Text(_)))), "{key}");
        }
        assert_eq!(documents.len(), 1);
    }

    #[test]
    fn every_document_is_read() {
        assert_eq!(read("a: 1\n---\nb: 2\n---\n").map(|documents| documents.len()), Ok(3));
    }
}
