//! Which parts of a JSON value differ from those of another one: their keys alone.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::render::KeptParts;
use super::secret::{Exposed, SecretValue};
use super::sops::Node;
use super::source::Source;

/// Keys that are named; further ones are counted.
const NAMED: usize = 5;

/// The parts of a JSON object that are not as they are in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferingParts {
    /// Keys that the manifest has, the first few.
    pub named: Vec<String>,
    /// How many more of these differ.
    pub more: usize,
    /// How many the live value has that git does not.
    pub only_live: usize,
    /// Parts that git generates and in whose place the live value has neither text nor a number, so that they are made
    /// anew: their keys, from the outermost inwards with dots between them. Where there are some, the other parts were
    /// not compared.
    pub made_anew: Vec<String>,
}

impl DifferingParts {
    /// Compares what git says with what is live. None unless both are JSON objects and the manifest names the parts of
    /// its own: keys inside of what is encrypted, or read from elsewhere, are not told.
    pub fn of(source: &Source, declared: &SecretValue, live: &SecretValue) -> Option<Self> {
        let Source::Json(_) = source else { return None };
        let (declared, live) = (members(declared)?, members(live)?);
        let same = |one: &RawValue, other: &RawValue| bool::from(one.get().as_bytes().ct_eq(other.get().as_bytes()));
        let differs = |(key, value): &(&String, &&RawValue)| live.get(*key).is_none_or(|live| !same(value, live));
        let mut named: Vec<String> = declared.iter().filter(differs).map(|(key, _)| key.clone()).collect();
        let more = named.len().saturating_sub(NAMED);
        named.truncate(NAMED);
        let only_live = live.keys().filter(|key| !declared.contains_key(*key)).count();
        // Nobody but the live value itself tells its keys.
        for mut key in live.into_keys() {
            key.zeroize();
        }
        Some(Self { named, more, only_live, made_anew: Vec::new() })
    }

    /// What can be said of a value that cannot be rendered before apply, since a part of it is to be generated that the
    /// live value does not have.
    pub fn made_anew(source: &Source, live: &SecretValue) -> Option<Self> {
        let KeptParts(live) = KeptParts::read(live).ok()?;
        let mut parts = Self { named: Vec::new(), more: 0, only_live: 0, made_anew: Vec::new() };
        parts.look_for_made_anew(source, Some(&live), "");
        Some(parts)
    }

    fn look_for_made_anew(&mut self, source: &Source, live: Option<&Node>, place: &str) {
        match source {
            Source::Generate(_) if !matches!(live, Some(Node::Text(_) | Node::Number(_))) => {
                self.made_anew.push(place.to_owned());
                // Whatever else stands there goes.
                self.only_live += usize::from(live.is_some());
            }
            Source::Json(fields) => {
                if let Some(Node::Map(entries)) = live {
                    self.only_live += entries.iter().filter(|(key, _)| !fields.contains_key(key.as_str())).count();
                }
                let dot = if place.is_empty() { "" } else { "." };
                for (key, field) in fields {
                    let live = live.and_then(|live| live.get(key));
                    self.look_for_made_anew(field, live, &format!("{place}{dot}{key}"));
                }
            }
            _ => {}
        }
    }
}

/// The members of a JSON object, as they are written.
fn members(value: &SecretValue) -> Option<BTreeMap<String, &RawValue>> {
    match value.expose() {
        Exposed::Text(text) => serde_json::from_str(text).ok(),
        Exposed::Binary(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::GenerateOptions;
    use super::*;

    fn parts(declared: &str, live: &str) -> Option<(Vec<String>, usize, usize)> {
        let value = |text: &str| SecretValue::text(text.to_owned());
        let found = DifferingParts::of(&Source::Json(BTreeMap::new()), &value(declared), &value(live));
        found.map(|DifferingParts { named, more, only_live, .. }| (named, more, only_live))
    }

    #[test]
    fn keys_of_git_are_named_and_those_of_the_live_value_counted() {
        let found = parts(r#"{"a":1,"b":{"x":2},"c":"3"}"#, r#"{"c":"4","a":1,"TOKEN":"5"}"#);
        assert_eq!(found, Some((vec!["b".to_owned(), "c".to_owned()], 0, 1)));
    }

    #[test]
    fn a_long_list_is_cut() {
        let declared: Vec<String> = (0..8).map(|number| format!("\"key{number}\":1")).collect();
        let (named, more, only_live) = parts(&format!("{{{}}}", declared.join(",")), "{}").unwrap_or_default();
        assert_eq!((named.len(), more, only_live), (5, 3, 0));
    }

    #[test]
    fn nothing_is_said_of_what_is_no_object() {
        for (declared, live) in [("{}", "text"), ("text", "{}"), ("[1]", "[2]")] {
            assert_eq!(parts(declared, live), None, "{declared} {live}");
        }
        let value = SecretValue::text("{\"a\":1}".to_owned());
        assert_eq!(DifferingParts::of(&Source::Env("X".to_owned()), &value, &value), None);
    }

    #[test]
    fn generated_parts_that_are_not_live_are_named_by_their_place() {
        let generated = || Source::Generate(GenerateOptions::default());
        let json = |fields: Vec<(&str, Source)>| {
            Source::Json(fields.into_iter().map(|(key, field)| (key.to_owned(), field)).collect())
        };
        let source = json(vec![("kept", generated()), ("db", json(vec![("pw", generated())])), ("new", generated())]);
        let found = |live: &str| {
            let live = SecretValue::text(live.to_owned());
            DifferingParts::made_anew(&source, &live).map(|parts| (parts.made_anew, parts.only_live))
        };
        let named = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let live = r#"{"kept":"1","db":{"password":"2","old":"3"},"TOKEN":"4"}"#;
        assert_eq!(found(live), Some((named(&["db.pw", "new"]), 3)));
        let others = r#"{"kept":["1"],"db":{"pw":2},"new":null}"#;
        assert_eq!(found(others), Some((named(&["kept", "new"]), 2)), "what is there is no password");
    }
}
