//! Keys that are written twice in one JSON object.
//!
//! IAM's grammar forbids them, and serde_json keeps the last one without a word, so a statement could lose its
//! conditions unseen. They can only be found in the text.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::PolicyProblem;
use super::document::MAX_PROBLEMS;
use super::syntax::child;

/// A problem for every key that its object has already, in document order: the first [`MAX_PROBLEMS`]. None where the
/// text isn't JSON.
pub(super) fn problems(text: &str) -> Vec<PolicyProblem> {
    let mut reading = Reading::default();
    let node = Node(&mut reading);
    match node.deserialize(&mut serde_json::Deserializer::from_str(text)) {
        Ok(()) => reading.problems,
        Err(_) => Vec::new(),
    }
}

/// Where in a document its reading has come to, and what was found. The place is put together only where it is told:
/// long keys with much below them would be copied over and over.
#[derive(Default)]
struct Reading {
    path: Vec<String>,
    problems: Vec<PolicyProblem>,
}

impl Reading {
    fn report(&mut self, key: &str) {
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let pointer = self.path.iter().fold(String::new(), |pointer, key| child(&pointer, key));
        self.problems.push(
            PolicyProblem::new(child(&pointer, key), format!("the key `{key}` is written twice in one object"))
                .quoting(key)
                .with_help("keep one of the two; for several values use a list"),
        );
    }
}

/// A JSON value that is read for its keys alone.
struct Node<'a>(&'a mut Reading);

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

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                self.0.report(&key);
            }
            self.0.path.push(key.clone());
            map.next_value_seed(Node(self.0))?;
            self.0.path.pop();
            seen.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        self.0.path.push("0".to_owned());
        let mut index = 0_usize;
        while sequence.next_element_seed(Node(self.0))?.is_some() {
            index += 1;
            if let Some(place) = self.0.path.last_mut() {
                *place = index.to_string();
            }
        }
        self.0.path.pop();
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

    /// Told one by one with their places, these would be some hundred megabytes.
    #[test]
    fn no_more_than_a_hundred_are_told() {
        let text = format!(r#"{{"{}": {{{}"a": 1}}}}"#, "k".repeat(20_000), r#""a": 1, "#.repeat(10_000));
        assert_eq!(pointers(&text).len(), MAX_PROBLEMS);
    }

    #[test]
    fn the_same_key_in_different_objects_is_fine() {
        assert!(pointers(r#"{"a": {"b": 1}, "b": {"a": [{"a": 1}, {"a": 2}]}}"#).is_empty());
        assert!(pointers("[1, 2").is_empty());
    }
}
