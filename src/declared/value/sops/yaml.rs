//! The YAML store: every document of a file, in file order.
//!
//! Comments need no reading: SOPS leaves them out of the MAC, encrypted or not, except that an encrypted comment within
//! a list stands there as an item of type `comment`. What a plain scalar means is in `scalar`, and what a line break is
//! in `breaks`: in both, SOPS's own YAML library goes its own ways, and unencrypted values are part of the MAC.

use std::collections::HashSet;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::breaks::{self, Original};
use super::scalar::resolve;
use super::tree::Node;
use super::{MAX_NODES, MAX_SOPS_DEPTH};

/// Reads every document. An error says what is wrong, and quotes nothing.
pub(super) fn read(text: &str) -> Result<Vec<Node>, &'static str> {
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_SOPS_DEPTH,
        block_nesting_limit: MAX_SOPS_DEPTH,
    };
    let normalised = breaks::normalised(text);
    let original = normalised.is_some().then(|| Original::new(text));
    let mut reader = Reader { original, ..Reader::default() };
    let mut parser = Parser::new_from_str_with_options(normalised.as_deref().unwrap_or(text), options);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|_| "it is not valid YAML")?;
        reader.event(event, span)?;
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
    /// The column of each open collection.
    columns: Vec<usize>,
    /// The text before its line breaks were normalised, when they were.
    original: Option<Original>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                let parent = self.columns.last().copied().unwrap_or_default();
                let text = self
                    .original
                    .as_ref()
                    .and_then(|original| original.scalar(span, style, parent))
                    .map_or(text, Into::into);
                let node = scalar(&text, style, tag.as_deref())?;
                self.complete(node)
            }
            Event::SequenceStart(_, _, tag) => self.open(Open::List(Vec::new()), span, tag.as_deref()),
            Event::MappingStart(_, _, tag) => {
                self.open(Open::Map { entries: Vec::new(), keys: HashSet::new(), key: None }, span, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.columns.pop();
                match self.stack.pop() {
                    Some(Open::List(items)) => self.complete(Node::List(items)),
                    Some(Open::Map { entries, .. }) => self.complete(Node::Map(entries)),
                    None => Ok(()),
                }
            }
            Event::Alias(_) => Err("it has an alias, which an encrypted file never has"),
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open, span: Span, tag: Option<&Tag>) -> Result<(), &'static str> {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            return Err("it has a YAML tag that is not known");
        }
        if self.stack.len() >= MAX_SOPS_DEPTH {
            return Err("it is nested more than 64 deep");
        }
        self.stack.push(open);
        self.columns.push(span.start.col());
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn old_line_breaks_end_lines_and_stay() {
        for (written, meant) in [
            ("a: 'one\u{2028}    two'\n", "one\u{2028}two"),
            ("a: 'one\u{2029}\n    two'\n", "one\u{2029}\ntwo"),
            ("a: 'it''s\n\n    two\u{2028}'\n", "it's\ntwo\u{2028}"),
            ("a: |-\n    one\n    two\u{2028}    three\n", "one\ntwo\u{2028}three"),
            ("a: |\n    one\n    two\u{2028}b: next\n", "one\ntwo\u{2028}"),
            ("a: |4-\n\u{2028}      one\n    two\n", "\u{2028}  one\ntwo"),
            ("a: 'one\u{85}    two'\n", "one two"),
            ("a: \"\\Lx\"\n", "\u{2028}x"),
        ] {
            let documents = read(written).unwrap_or_default();
            let found = documents.first().and_then(|document| match document.get("a") {
                Some(Node::Text(text)) => Some(text.to_string()),
                _ => None,
            });
            assert_eq!(found.as_deref(), Some(meant), "{written:?}");
        }
    }

    #[test]
    fn every_document_is_read() {
        assert_eq!(read("a: 1\n---\nb: 2\n---\n").map(|documents| documents.len()), Ok(3));
    }
}
