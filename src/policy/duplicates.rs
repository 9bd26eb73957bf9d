//! Keys that are written twice in one JSON object.
//!
//! IAM's grammar forbids them, and serde_json keeps the last one without a word, so a statement could lose its
//! conditions unseen. They can only be found in the text.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::PolicyProblem;
use super::syntax::child;

/// A problem for every key that its object has already, in document order. None where the text isn't JSON.
pub(super) fn problems(text: &str) -> Vec<PolicyProblem> {
    let mut problems = Vec::new();
    let node = Node { pointer: String::new(), problems: &mut problems };
    match node.deserialize(&mut serde_json::Deserializer::from_str(text)) {
        Ok(()) => problems,
        Err(_) => Vec::new(),
    }
}

/// A JSON value that is read for its keys alone.
struct Node<'a> {
    pointer: String,
    problems: &'a mut Vec<PolicyProblem>,
}

impl Node<'_> {
    fn child(&mut self, key: &str) -> Node<'_> {
        Node { pointer: child(&self.pointer, key), problems: self.problems }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let node = self.child(&key);
            if seen.contains(&key) {
                node.problems.push(
                    PolicyProblem::new(node.pointer.clone(), format!("the key `{key}` is written twice in one object"))
                        .quoting(&key)
                        .with_help("keep one of the two; for several values use a list"),
                );
            }
            map.next_value_seed(node)?;
            seen.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while sequence.next_element_seed(self.child(&index.to_string()))?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(text: &str) -> Vec<String> {
        problems(text).into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn duplicates_are_found_at_every_depth() {
        let text = r#"{"Id": "a", "Statement": [
            {"Effect": "Allow", "Condition": {"Bool": {"a/b": true, "a/b": false}}},
            {"Effect": "Deny", "Effect": "Allow", "n": [1, -1, 1.5, null]}
        ], "Id": "b", "Id": "c"}"#;
        let expected = ["/Statement/0/Condition/Bool/a~1b", "/Statement/1/Effect", "/Id", "/Id"];
        assert_eq!(pointers(text), expected);
    }

    #[test]
    fn the_same_key_in_different_objects_is_fine() {
        assert!(pointers(r#"{"a": {"b": 1}, "b": {"a": [{"a": 1}, {"a": 2}]}}"#).is_empty());
        assert!(pointers("[1, 2").is_empty());
    }
}
