//! Which bytes of a manifest may be quoted: only what is known to be no secret.
//!
//! That is the keys that the language knows, and the values of its fields that are not beneath `value`. People paste
//! secrets under keys that are slightly wrong, in files that are no manifests, and in comments; so what is not known is
//! not shown, and of an unknown key only the key itself. What the language knows is read from its JSON Schemas.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;

use super::diagnostic::Report;
use super::parse::{Parsed, parse};
use super::source::Span;
use super::tree::{Key, Kind, Node};
use crate::schemas;

/// Longer keys are nobody's field names, and may be something that was pasted in the wrong place.
pub(crate) const MAX_SHOWN_KEY: usize = 64;

static PROJECT: LazyLock<Value> = LazyLock::new(|| schemas::parsed(schemas::PROJECT));
static SECRET: LazyLock<Value> = LazyLock::new(|| schemas::parsed(schemas::SECRET));
static RULES: LazyLock<Value> = LazyLock::new(|| schemas::parsed(schemas::RULES));
static DEFAULTS: LazyLock<Value> = LazyLock::new(|| schemas::parsed(schemas::DEFAULTS));
static ANYTHING: Value = Value::Bool(true);

/// Every key of the language.
static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut words = BTreeSet::new();
    words_of(&PROJECT, &mut words);
    words_of(&SECRET, &mut words);
    words
});

fn words_of(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            let properties = object.get("properties").and_then(Value::as_object);
            words.extend(properties.into_iter().flat_map(|properties| properties.keys().cloned()));
            object.values().for_each(|inner| words_of(inner, words));
        }
        Value::Array(items) => items.iter().for_each(|inner| words_of(inner, words)),
        _ => {}
    }
}

/// The length of a leading `key:` that is one of the language's own words: it tells nothing about what follows.
pub(crate) fn known_key(line: &str) -> usize {
    line.find(':')
        .filter(|&colon| line.get(..colon).is_some_and(|key| WORDS.contains(key)))
        .map_or(0, |colon| colon + 1)
}

/// What of one text may be quoted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// Known to be no secret; sorted, and none overlaps another.
    safe: Vec<Range<usize>>,
    /// May be a secret, whatever `safe` says: an alias can repeat one text in two places.
    hidden: Vec<Range<usize>>,
}

impl Shown {
    /// Reads a file for what may be shown of it. Documents that cannot be read show nothing.
    pub(crate) fn of_text(text: &str) -> Self {
        let Parsed { documents, repeated, .. } = parse(0, text, &mut Report::default());
        Self::of_documents(&documents, &repeated)
    }

    /// The same for documents that were read. `repeated` are keys that stand twice in a map, with their first places.
    pub(crate) fn of_documents(documents: &[Node], repeated: &[(Span, Span)]) -> Self {
        let mut walk = Walk::default();
        for document in documents {
            walk.document(document);
        }
        let mut shown = Self { safe: merged(walk.safe), hidden: merged(walk.hidden) };
        let again: Vec<_> =
            repeated.iter().filter(|(first, _)| shown.shows(*first)).map(|(_, again)| range(*again)).collect();
        shown.safe.extend(again);
        shown.safe = merged(shown.safe);
        shown
    }

    /// Whether all of a span may be shown.
    pub(crate) fn shows(&self, span: Span) -> bool {
        let span = range(span);
        covering(&self.safe, span.start).is_some_and(|safe| safe.end >= span.end)
            && covering(&self.hidden, span.start).is_none()
            && next(&self.hidden, span.start).is_none_or(|hidden| hidden.start >= span.end)
    }

    /// Where in a line of the text that begins with what may not be shown; the line is given by its bytes.
    pub(crate) fn hidden_from(&self, text: &str, line: Range<usize>) -> Option<usize> {
        let mut at = line.start;
        while at < line.end {
            if covering(&self.hidden, at).is_some() {
                return Some(at);
            }
            if let Some(safe) = covering(&self.safe, at) {
                let hidden = next(&self.hidden, at).map_or(usize::MAX, |hidden| hidden.start);
                at = safe.end.min(hidden);
                continue;
            }
            // Between keys and values there is nothing but YAML's own punctuation, or it is not shown.
            let mark = text.get(at..).and_then(|rest| rest.chars().next())?;
            if !" \t:,[]{}-?<".contains(mark) {
                return Some(at);
            }
            at += mark.len_utf8();
        }
        None
    }
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn covering(ranges: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    let after = ranges.partition_point(|range| range.start <= at);
    ranges.get(after.checked_sub(1)?).filter(|range| at < range.end)
}

fn next(ranges: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    ranges.get(ranges.partition_point(|range| range.start <= at))
}

#[derive(Default)]
struct Walk {
    safe: Vec<Range<usize>>,
    hidden: Vec<Range<usize>>,
}

impl Walk {
    fn document(&mut self, tree: &Node) {
        let text = |key: &str| tree.get(key).and_then(Node::as_str);
        let ours = text("apiVersion").is_some_and(|version| version.starts_with("keywright/"));
        // As `load` has it: what has a kind of ours and says no other version is ours, and misspelt.
        let foreign = !ours && (tree.get("sops").is_some() || text("apiVersion") == Some("v1"));
        match text("kind") {
            Some("Project") if !foreign => self.node(&[&PROJECT], &PROJECT, tree),
            Some("Secret") if !foreign => self.node(&[&SECRET], &SECRET, tree),
            Some("Rules") if !foreign => self.node(&[&RULES], &RULES, tree),
            Some("Defaults") if !foreign => self.node(&[&DEFAULTS], &DEFAULTS, tree),
            _ => {
                for (key, value) in tree.entries() {
                    let known = matches!(&*key.text, "apiVersion" | "kind");
                    if known || matches!(&*key.text, "metadata" | "spec") {
                        self.safe.push(range(key.span));
                    }
                    // The only words of a document of ours whose kind is misspelt.
                    if known && ours && value.as_str().is_some() {
                        self.safe.push(range(value.span));
                    }
                }
            }
        }
    }

    /// `schemas` are what may stand here; `root` is where their references lead.
    fn node<'a>(&mut self, schemas: &[&'a Value], root: &'a Value, node: &Node) {
        let schemas = alternatives(schemas, root);
        match &node.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    let (inner, named) = beneath(&schemas, key);
                    if named && &*key.text == "value" {
                        self.safe.push(range(key.span));
                        self.hide(value);
                    } else if named && &*key.text == "forEach" {
                        self.safe.push(range(key.span));
                        self.items(&inner, root, value);
                    } else if inner.is_empty() {
                        self.unknown(key, value);
                    } else {
                        self.safe.push(range(key.span));
                        self.node(&inner, root, value);
                    }
                }
            }
            Kind::Seq(items) => {
                let inner: Vec<&Value> = schemas.iter().filter_map(|schema| items_of(schema)).collect();
                for item in items {
                    if inner.is_empty() { self.hide(item) } else { self.node(&inner, root, item) }
                }
            }
            Kind::Null => self.safe.push(range(node.span)),
            // A text in the place of a map may be what belongs into the map.
            _ if schemas.iter().any(|schema| takes_scalars(schema)) => self.safe.push(range(node.span)),
            _ => self.hide(node),
        }
    }

    /// Of the items of a list texts are shown, and of maps the keys: what a field holds may be put into a value.
    fn items<'a>(&mut self, schemas: &[&'a Value], root: &'a Value, node: &Node) {
        let Kind::Seq(items) = &node.kind else { return self.node(schemas, root, node) };
        for item in items {
            match &item.kind {
                Kind::Map(entries) => entries.iter().for_each(|(key, value)| self.unknown(key, value)),
                Kind::String(_) | Kind::Number(_) | Kind::Bool(_) => self.safe.push(range(item.span)),
                _ => self.hide(item),
            }
        }
    }

    fn unknown(&mut self, key: &Key, value: &Node) {
        if key.text.len() <= MAX_SHOWN_KEY {
            self.safe.push(range(key.span));
        } else {
            self.hidden.push(range(key.span));
        }
        self.hide(value);
    }

    fn hide(&mut self, node: &Node) {
        self.hidden.push(range(node.span));
        match &node.kind {
            Kind::Seq(items) => items.iter().for_each(|item| self.hide(item)),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    self.hidden.push(range(key.span));
                    self.hide(value);
                }
            }
            _ => {}
        }
    }
}

/// The schemas themselves: references followed, alternatives taken apart.
fn alternatives<'a>(schemas: &[&'a Value], root: &'a Value) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let mut open = schemas.to_vec();
    // The schemas are our own, and none refers to itself without a key between.
    while let Some(schema) = open.pop() {
        found.push(schema);
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        open.extend(reference.and_then(|pointer| root.pointer(pointer)));
        for word in ["anyOf", "oneOf", "allOf"] {
            open.extend(schema.get(word).and_then(Value::as_array).into_iter().flatten());
        }
    }
    found
}

/// What may stand beneath a key, and whether the key is a word of the language; nothing for an unknown key.
fn beneath<'a>(schemas: &[&'a Value], key: &Key) -> (Vec<&'a Value>, bool) {
    let named: Vec<&Value> = schemas.iter().filter_map(|schema| schema.get("properties")?.get(&*key.text)).collect();
    if !named.is_empty() {
        return (named, true);
    }
    let free = |schema: &&'a Value| match schema {
        Value::Bool(true) => Some(&ANYTHING),
        schema => schema.get("additionalProperties").filter(|free| **free != Value::Bool(false)),
    };
    (schemas.iter().filter_map(free).collect(), false)
}

fn items_of(schema: &Value) -> Option<&Value> {
    match schema {
        Value::Bool(true) => Some(&ANYTHING),
        schema => schema.get("items"),
    }
}

fn takes_scalars(schema: &Value) -> bool {
    let is_scalar = |name: &str| matches!(name, "string" | "number" | "integer" | "boolean");
    match schema {
        Value::Bool(all) => *all,
        schema => {
            let types = schema.get("type");
            types.and_then(Value::as_str).is_some_and(is_scalar)
                || types.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).any(is_scalar)
                || schema.get("const").is_some()
                || schema.get("enum").is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line as it may be shown.
    fn shown(text: &str) -> String {
        let shown = Shown::of_text(text);
        let mut out = String::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.trim_end_matches('\n').len();
            match shown.hidden_from(text, start..end) {
                Some(from) => out.push_str(&format!("{}#\n", &text[start..from])),
                None => out.push_str(line),
            }
            start += line.len();
        }
        out
    }

    #[test]
    fn only_what_the_language_knows_is_shown() {
        let text = "apiVersion: keywright/v1
kind: Secret
metadata: { name: a, targets: [b], nmae: X }
spec:
  description: >-
    two
    lines
  tags: { any: thing } # X
  kmsKeyId: &x alias/a
  pasword: X
  value:text: X
  policy:
    Version: \"2012-10-17\"
    Statement:
      - Sid: a
        Condition: { StringEquals: { k: [v] } }
        Secret: X
    other: X
  replicas: X
  rotation: { schedule: rate(1 day), token: { a: X } }
  value: { text: X }
  overrides:
    prod:
      value: X
      description: fine
";
        let expected = "apiVersion: keywright/v1
kind: Secret
metadata: { name: a, targets: [b], nmae: #
spec:
  description: #
    two
    lines
  tags: { any: thing } #
  kmsKeyId: #
  pasword: #
  value:text: #
  policy:
    Version: \"2012-10-17\"
    Statement:
      - Sid: a
        Condition: { StringEquals: { k: [v] } }
        Secret: #
    other: #
  replicas: #
  rotation: { schedule: rate(1 day), token: #
  value: #
  overrides:
    prod:
      value: #
      description: fine
";
        let found = shown(text);
        assert!(!found.contains('X'), "{found}");
        // Whether a block scalar's mark belongs to its node is the parser's business.
        assert_eq!(found.replace("description: >-\n", "description: #\n"), expected);
    }

    #[test]
    fn documents_that_are_no_manifests_show_only_keys() {
        assert_eq!(shown("apiVersion: v1\nkind: Secret\ndata: { a: X }\n"), "apiVersion: #\nkind: #\n#\n");
        assert_eq!(
            shown("apiVersion: keywright/v1\nkind: Scret\nspec: X\n"),
            "apiVersion: keywright/v1\nkind: Scret\nspec: #\n"
        );
        assert_eq!(shown("- X\n"), "- #\n");
        assert_eq!(shown("a: [X\n"), "#\n");
    }

    #[test]
    fn text_that_an_alias_brings_beneath_value_is_hidden_where_it_is_written() {
        let head = "apiVersion: keywright/v1\nkind: Secret\nspec:\n";
        let found = shown(&format!("{head}  description: &x hunter2\n  value: {{ text: *x }}\n"));
        assert!(!found.contains("hunter2"), "{found}");
        let found = shown(&format!("{head}  pasword: &x hunter2\n  description: *x\n"));
        assert!(!found.contains("hunter2"), "{found}");
    }

    #[test]
    fn keys_of_the_language_are_known() {
        assert_eq!(known_key("description: X"), 12);
        assert_eq!((known_key("pasword: X"), known_key("X")), (0, 0));
    }
}
