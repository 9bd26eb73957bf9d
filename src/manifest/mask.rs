//! Which parts of a manifest may hold somebody's secret, and are therefore never quoted.
//!
//! A literal beneath `value` may be a password that was pasted there. The same is true for a misspelt `value`, and for
//! words that people write in its place, so those keys hide what follows them too.

use std::ops::Range;

use super::tree::{Key, Kind, Node};

/// What people write where they mean `value` or one of its sources.
const VALUE_LIKE: &[&str] = &[
    "data",
    "json",
    "password",
    "plaintext",
    "secret",
    "secretbinary",
    "secretstring",
    "secretvalue",
    "stringdata",
    "text",
    "token",
];

/// Whether what stands beneath this key may be a secret.
pub(crate) fn holds_values(key: &str) -> bool {
    if key.len() > 24 {
        return false;
    }
    let key = key.to_ascii_lowercase();
    VALUE_LIKE.contains(&key.as_str()) || strsim::osa_distance(&key, "value") <= 1 || key == "values"
}

/// Adds the byte ranges beneath every such key.
pub(crate) fn value_ranges(text: &str, node: &Node, ranges: &mut Vec<Range<u32>>) {
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(|item| value_ranges(text, item, ranges)),
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| entry_ranges(text, key, value, ranges)),
        _ => {}
    }
}

/// Adds the byte ranges of one key's value that may hold a secret.
pub(crate) fn entry_ranges(text: &str, key: &Key, value: &Node, ranges: &mut Vec<Range<u32>>) {
    if !holds_values(&key.text) {
        value_ranges(text, value, ranges);
        return;
    }
    let after_key = text
        .get(key.span.end as usize..)
        .and_then(|rest| rest.find(':'))
        .map_or(key.span.end, |colon| key.span.end + u32::try_from(colon).unwrap_or(0) + 1);
    ranges.push(after_key..value.span.end.max(after_key + 1));
    aliased(value, key.span.end, ranges);
}

/// The length of a leading `key:` that is one of the schema's own words beneath `value`: those tell nothing about the
/// value.
pub(crate) fn schema_word(line: &str) -> usize {
    const WORDS: &[&str] =
        &["sops", "env", "file", "binaryFile", "text", "generate", "json", "ownership", "key", "length"];
    line.find(':')
        .filter(|&colon| line.get(..colon).is_some_and(|key| WORDS.contains(&key)))
        .map_or(0, |colon| colon + 1)
}

/// Adds what aliases beneath a value repeat: its text stands before the value.
fn aliased(node: &Node, value_start: u32, ranges: &mut Vec<Range<u32>>) {
    if node.span.start < value_start {
        ranges.push(node.span.start..node.span.end);
        return;
    }
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(|item| aliased(item, value_start, ranges)),
        Kind::Map(entries) => entries.iter().for_each(|(_, value)| aliased(value, value_start, ranges)),
        _ => {}
    }
}

/// Whether the line at `offset` of a document that has no tree (its syntax is broken) may lie beneath such a key.
///
/// Indentation proves nothing there: the mistake may be in the indentation, or a quote may never have been closed. So
/// the line is safe only if no such key is to be seen in its document up to its end.
pub(crate) fn may_be_value(text: &str, offset: usize) -> bool {
    let offset = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let (before, after) = text.split_at(offset);
    let end = after.find('\n').map_or(text.len(), |at| offset + at);
    let start = before.rfind("\n---").map_or(0, |at| at + 1);
    let seen = text.get(start..end).unwrap_or(text);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut at = 0;
    seen.split(|c: char| !is_word(c)).any(|word| {
        let from = at;
        at += word.len();
        let after = seen.get(at..).unwrap_or_default();
        at += after.chars().next().map_or(0, char::len_utf8);
        let is_key = after.trim_start_matches([' ', '\t', '"', '\'']).starts_with(':')
            || seen.get(..from).unwrap_or_default().trim_end_matches([' ', '\t', '"', '\'']).ends_with('?');
        is_key && holds_values(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_keys_hide_what_follows_too() {
        for key in ["value", "Value", "vale", "valeu", "values", "text", "secretString"] {
            assert!(holds_values(key), "{key}");
        }
        for key in ["tags", "description", "policy", "name", "vars"] {
            assert!(!holds_values(key), "{key}");
        }
    }

    #[test]
    fn a_broken_line_is_safe_only_before_any_value() {
        let text = "kind: Secret\nspec:\n  description: [x\n---\nspec:\n  value:\n    text: \"hunter2\n  tags: {}\n";
        assert!(!may_be_value(text, 25));
        assert!(may_be_value(text, text.len() - 3));
    }
}
