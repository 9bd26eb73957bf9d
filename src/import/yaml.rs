//! YAML in block style, written so that it reads back as exactly what was meant: a text stays a text, whatever it looks
//! like, and no text can end its line.

use std::fmt::Write as _;

use serde_json::Value;

use crate::manifest::escape_interpolation;
use crate::render::escape::{calls_runner, is_deceptive};

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    /// `null`.
    Null,
    /// A number or a boolean, as it stands in YAML.
    Raw(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// A map, in the order in which it is written.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A text in which nothing is to be filled in: every `${` of it is escaped.
    pub(super) fn literal(text: &str) -> Self {
        Self::Text(escape_interpolation(text))
    }

    /// JSON, all of its texts literal. Variables are filled into values alone, so keys are written as they are.
    pub(super) fn json(value: &Value) -> Self {
        Self::of(value, &Self::literal)
    }

    fn of(value: &Value, text_of: &dyn Fn(&str) -> Self) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) | Value::Number(_) => Self::Raw(value.to_string()),
            Value::String(text) => text_of(text),
            Value::Array(items) => Self::List(items.iter().map(|item| Self::of(item, text_of)).collect()),
            Value::Object(members) => {
                Self::Map(members.iter().map(|(key, value)| (key.clone(), Self::of(value, text_of))).collect())
            }
        }
    }

    /// The text of the document, each line with its line feed.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        self.block(&mut out, 0);
        out
    }

    /// Writes what begins on a line of its own, at this indentation. The first line's indentation is the caller's.
    fn block(&self, out: &mut String, indent: usize) {
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        pad(out, indent);
                    }
                    out.push_str(&scalar(key));
                    out.push(':');
                    value.beside(out, indent);
                }
            }
            Self::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        pad(out, indent);
                    }
                    out.push_str("- ");
                    item.block(out, indent + 2);
                }
            }
            _ => {
                out.push_str(&self.inline());
                out.push('\n');
            }
        }
    }

    /// Writes what stands behind a key: on its line, or indented below it.
    fn beside(&self, out: &mut String, indent: usize) {
        let nested = match self {
            Self::Map(entries) => !entries.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Null | Self::Raw(_) | Self::Text(_) => false,
        };
        if nested {
            out.push('\n');
            pad(out, indent + 2);
            self.block(out, indent + 2);
        } else {
            out.push(' ');
            self.block(out, indent);
        }
    }

    fn inline(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Raw(text) => text.clone(),
            Self::Text(text) => scalar(text),
            Self::List(_) => "[]".to_owned(),
            Self::Map(_) => "{}".to_owned(),
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A document that is shown: every text as it is, in a form in which a terminal can show all of it.
pub(crate) fn shown(document: &Value) -> String {
    Yaml::of(document, &|text| Yaml::Text(text.to_owned())).to_text()
}

/// A text as a scalar in block style: plain where every reader of YAML, old or new, takes it for this text, else
/// quoted.
pub(crate) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn is_plain(text: &str) -> bool {
    // What YAML 1.1 or 1.2 takes for something else than text.
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    // As the length of a rotation's window is written.
    if text.strip_suffix('h').is_some_and(|hours| !hours.is_empty() && hours.bytes().all(|b| b.is_ascii_digit())) {
        return true;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:+=@*,()?$&{}%- ".contains(c);
    text.len() <= 200
        && (text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '$') || text.starts_with("../"))
        && text.chars().all(plain)
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !text.contains("  ")
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// A text in double quotes, on one line. Characters that are not seen, and what begins a command of a runner that reads
/// the log, are written as their numbers: what is printed of it then is YAML still.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '[' if calls_runner(&out) => out.push_str("\\u005B"),
            c if c.is_control() || is_deceptive(c) || is_unusual(c) => {
                let number = u32::from(c);
                // Writing to a String cannot fail.
                let _ = if number <= 0xffff { write!(out, "\\u{number:04X}") } else { write!(out, "\\U{number:08X}") };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Private use and what is no character: outside what YAML calls printable, or nothing that a font shows.
fn is_unusual(c: char) -> bool {
    matches!(u32::from(c), 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfffe..=0xffff | 0xf_0000..)
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// As it reads back, `$${` being a literal `${`.
    fn read(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn it_reads_as_people_write_it() {
        let value = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "Read", "Principal": { "AWS": ["a", "b"] }, "Action": "secretsmanager:GetSecretValue",
                "Resource": "*", "Condition": {}, "Deep": [[1, 2], []] }],
            "schedule": "cron(0 16 1,15 * ? *)",
        });
        let text = "Version: \"2012-10-17\"
Statement:
  - Sid: Read
    Principal:
      AWS:
        - a
        - b
    Action: secretsmanager:GetSecretValue
    Resource: \"*\"
    Condition: {}
    Deep:
      - - 1
        - 2
      - []
schedule: cron(0 16 1,15 * ? *)
";
        assert_eq!(Yaml::json(&value).to_text(), text);
        assert_eq!(read(text), value);
    }

    #[test]
    fn what_looks_like_something_else_is_quoted() {
        for text in
            ["yes", "No", "null", "~", "1", "1e3", "0x1", "2026-01-01", "a: b", "a #b", "- a", "", " a", "a ", "a:"]
        {
            assert_eq!(read(&scalar(text)), json!(text));
            assert!(scalar(text).starts_with('"'), "{text}");
        }
        assert_eq!(scalar("2h"), "2h");
        assert_eq!(quoted("a\u{202e}b\u{85}\u{1f511}"), "\"a\\u202Eb\\u0085\u{1f511}\"");
        assert_eq!(quoted("a ##[group] ##vso[x] #[y]"), "\"a ##\\u005Bgroup] ##vso\\u005Bx] #[y]\"");
        assert_eq!(shown(&json!({ "a\u{202e}": "${x}" })), "\"a\\u202E\": ${x}\n");
        assert_eq!(Yaml::literal("${aws:username}").to_text(), "$${aws:username}\n");
    }

    fn trees() -> impl Strategy<Value = Value> {
        let text = || prop_oneof![any::<String>(), "[-a-z0-9:#${} '\"*&!|>%@,\\[\\]\n\t]{0,12}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            text().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 20, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(text(), inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    /// Undoes the escaping of `${` in values.
    fn unescape(value: &mut Value) {
        match value {
            Value::String(text) => *text = text.replace("$${", "${"),
            Value::Array(items) => items.iter_mut().for_each(unescape),
            Value::Object(members) => members.values_mut().for_each(unescape),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn everything_reads_back(tree in trees()) {
            let text = Yaml::json(&tree).to_text();
            let failed = |error| TestCaseError::fail(format!("{error}\n{text}"));
            let mut back: Value = serde_yaml::from_str(&text).map_err(failed)?;
            unescape(&mut back);
            prop_assert_eq!(back, tree, "{}", text);
        }

        #[test]
        fn what_is_shown_reads_back(tree in trees()) {
            let text = crate::render::escape::block(&shown(&tree)).into_owned();
            let failed = |error| TestCaseError::fail(format!("{error}\n{text}"));
            let back: Value = serde_yaml::from_str(&text).map_err(failed)?;
            prop_assert_eq!(back, tree, "{}", text);
        }
    }
}
