//! Defaults beneath a secret's `spec`, and overrides over it, on trees: every value keeps the place where it was
//! written.
//!
//! Maps are merged by key; lists and single values replace; `null` is a value that is kept; `unset` takes a field away.

use std::collections::HashMap;
use std::sync::Arc;

use super::tree::{Kind, Node};

/// Lays `over` over `base`.
pub(crate) fn merge(base: &mut Node, over: &Node) {
    let (Kind::Map(below), Kind::Map(above)) = (&mut base.kind, &over.kind) else {
        *base = over.clone();
        return;
    };
    // Looking through a map for every key of another would take hostile input for ever.
    let known: HashMap<Arc<str>, usize> =
        below.iter().enumerate().map(|(at, (key, _))| (Arc::clone(&key.text), at)).collect();
    for (key, value) in above {
        match known.get(&key.text).and_then(|&at| below.get_mut(at)) {
            Some((existing_key, existing)) => {
                *existing_key = key.clone();
                merge(existing, value);
            }
            None => below.push((key.clone(), value.clone())),
        }
    }
    base.span = over.span;
}

/// Takes a field of `spec` away: its name, or `tags.KEY`.
pub(crate) fn unset(spec: &mut Node, field: &str) {
    let Kind::Map(entries) = &mut spec.kind else { return };
    match field.strip_prefix("tags.") {
        Some(tag) => {
            if let Some((_, Node { kind: Kind::Map(tags), .. })) =
                entries.iter_mut().find(|(key, _)| &*key.text == "tags")
            {
                tags.retain(|(key, _)| &*key.text != tag);
            }
        }
        None => entries.retain(|(key, _)| &*key.text != field),
    }
}

/// The tree without one key of its top level.
pub(crate) fn without(node: &Node, field: &str) -> Node {
    let mut node = node.clone();
    unset(&mut node, field);
    node
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::parse::parse_for_test;
    use super::*;

    fn tree(text: &str) -> Node {
        parse_for_test(text).0.remove(0)
    }

    #[test]
    fn maps_merge_and_the_rest_replaces() {
        let mut spec = tree("tags: {a: x, b: y}\npolicy: {S: [1, 2]}\ndescription: low");
        merge(&mut spec, &tree("tags: {b: z}\npolicy: null\ndescription: high"));
        let tags = spec.get("tags").unwrap();
        assert_eq!((tags.get("a").unwrap().as_str(), tags.get("b").unwrap().as_str()), (Some("x"), Some("z")));
        assert!(matches!(spec.get("policy").unwrap().kind, Kind::Null), "null is kept");
        assert_eq!(spec.get("description").unwrap().as_str(), Some("high"));
        assert_eq!(spec.get("description").unwrap().span.line, 3);
    }

    #[test]
    fn unset_takes_fields_and_single_tags_away() {
        let mut spec = tree("tags: {a.b: x, c: y}\npolicy: null");
        unset(&mut spec, "policy");
        unset(&mut spec, "tags.a.b");
        assert!(spec.get("policy").is_none());
        assert_eq!(spec.get("tags").unwrap().entries().len(), 1);
    }
}
