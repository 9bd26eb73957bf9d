//! YAML's merge key: `<<: *name` brings the entries of another map in, and the map's own ones win.
//!
//! It is of YAML 1.1 and no part of 1.2; people know it from other tools. What it brings in is written in the same
//! document, since anchors end with theirs, and counts towards the limit on nodes as what any alias repeats. In a list
//! of maps the first one that has a key wins (<https://yaml.org/type/merge.html>).

use std::collections::HashSet;
use std::sync::Arc;

use super::codes;
use super::diagnostic::Problem;
use super::source::Span;
use super::tree::{Key, Kind, Node};

/// Puts what a merge key holds into its map, before the map's own entries. Gives the place of what is no map.
pub(super) fn merge(map: &mut Node, from: Vec<Node>) -> Option<Span> {
    let Kind::Map(own) = &mut map.kind else { return None };
    if from.is_empty() {
        return None;
    }
    let mut known: HashSet<Arc<str>> = own.iter().map(|(key, _)| Arc::clone(&key.text)).collect();
    let mut merged: Vec<(Key, Node)> = Vec::new();
    let mut wrong = None;
    let mut take = |node: Node| match node.kind {
        Kind::Map(entries) => merged.extend(entries.into_iter().filter(|(key, _)| known.insert(Arc::clone(&key.text)))),
        Kind::Poison => {}
        _ => wrong = Some(node.span),
    };
    for node in from {
        match node.kind {
            Kind::Seq(items) => items.into_iter().for_each(&mut take),
            _ => take(node),
        }
    }
    merged.append(own);
    *own = merged;
    wrong
}

/// What is said of a merge key that holds something else than maps.
pub(super) fn problem(place: Span) -> Problem {
    Problem::new(&codes::YAML_MERGE_KEY, place, "a merge key (`<<`) takes a map, or a list of maps")
        .label("not a map")
        .help("for example `<<: *base`, where `&base` stands before a map of the same document")
        .help("a key that is called << is quoted: \"<<\"")
}

#[cfg(test)]
mod tests {
    use super::super::parse::{MAX_NODES, parse_for_test};
    use super::super::tree::Node;

    fn entries(node: &Node) -> Vec<(String, String)> {
        let text = |node: &Node| node.as_str().unwrap_or("-").to_owned();
        node.entries().iter().map(|(key, value)| (key.text.to_string(), text(value))).collect()
    }

    fn merged(text: &str) -> Vec<(String, String)> {
        let (documents, codes) = parse_for_test(text);
        assert_eq!(codes, [""; 0], "{text}");
        documents.last().and_then(|document| document.get("is")).map(entries).unwrap_or_default()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn own_entries_win_wherever_they_stand() {
        let base = "base: &b { a: base, b: base }\n";
        let expected = pairs(&[("b", "base"), ("a", "own")]);
        assert_eq!(merged(&format!("{base}is: {{ <<: *b, a: own }}")), expected);
        assert_eq!(merged(&format!("{base}is: {{ a: own, <<: *b }}")), expected);
    }

    #[test]
    fn first_of_several_maps_wins() {
        let text = "x: &x { a: x, b: x }\ny: &y { a: y, c: y }\nis: { <<: [*x, *y, { d: z }] }";
        assert_eq!(merged(text), pairs(&[("a", "x"), ("b", "x"), ("c", "y"), ("d", "z")]));
    }

    #[test]
    fn merged_maps_may_have_merged_others() {
        let text = "x: &x { a: x, b: x }\ny: &y { <<: *x, b: y }\nis: { <<: *y, c: own }";
        assert_eq!(merged(text), pairs(&[("a", "x"), ("b", "y"), ("c", "own")]));
    }

    #[test]
    fn quoted_key_is_a_key_like_any_other() {
        assert_eq!(merged("is: { \"<<\": a, '<': b }"), pairs(&[("<<", "a"), ("<", "b")]));
    }

    #[test]
    fn anchors_end_with_their_document() {
        let (_, codes) = parse_for_test("a: &b { c: d }\n---\nis: { <<: *b }");
        assert_eq!(codes, ["yaml-alias"]);
    }

    #[test]
    fn what_is_no_map_is_an_error() {
        for text in
            ["is: { <<: text }", "is: { <<: [{ a: b }, 5] }", "a: &a [{ b: c }]\nis: { <<: [*a] }", "is: { <<: }"]
        {
            assert_eq!(parse_for_test(text).1, ["yaml-merge-key"], "{text}");
        }
        assert_eq!(parse_for_test("is: { <<: { a: b }, <<: { c: d } }").1, ["yaml-duplicate-key"]);
        assert_eq!(parse_for_test("is: &a { <<: *a }").1, ["yaml-alias"]);
    }

    /// Each map merges the one before it twice over.
    #[test]
    fn merged_entries_count_towards_the_limit() {
        let mut text = "a0: &a0 { k: v }\n".to_owned();
        for at in 1..40 {
            text.push_str(&format!("a{at}: &a{at} {{ <<: [*a{0}, *a{0}], x{at}: [*a{0}, *a{0}] }}\n", at - 1));
        }
        let (documents, codes) = parse_for_test(&text);
        assert_eq!((documents.len(), codes), (0, vec!["yaml-too-large"]), "at most {MAX_NODES} nodes");
    }
}
