//! Attributes as Terraform before 0.12 kept them: one flat map of texts, `tags.%`, `tags.team`, `replica.#`,
//! `replica.123.region`.
//!
//! `terraform state pull` turns a state of version 3 into one of version 4 and leaves them so until a provider has
//! refreshed each. Values are skipped by the parser here too.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::attributes::{Attributes, Loose, wanted};

/// Attributes that were flat, in the form of the others.
#[derive(Default)]
pub(super) struct Flat(pub(super) Attributes);

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlatVisitor;
        impl<'de> Visitor<'de> for FlatVisitor {
            type Value = Flat;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("flat attributes")
            }
            fn visit_unit<E>(self) -> Result<Flat, E> {
                Ok(Flat::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Flat, A::Error> {
                let mut found: BTreeMap<&'static str, Shape> = BTreeMap::new();
                while let Some(key) = access.next_key::<String>()? {
                    let (name, rest) = key.split_once('.').map_or((&*key, None), |(name, rest)| (name, Some(rest)));
                    match wanted(name) {
                        Some(name) => {
                            let text = access.next_value::<Loose>()?;
                            found.entry(name).or_default().take(rest, text);
                        }
                        None => {
                            access.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                let mut attributes = Attributes::default();
                for (name, shape) in found {
                    attributes.put(name, shape.loose());
                }
                Ok(Flat(attributes))
            }
        }
        deserializer.deserialize_any(FlatVisitor)
    }
}

/// What was found of one attribute.
#[derive(Default)]
struct Shape {
    /// The attribute itself, when it is one text.
    alone: Option<Loose>,
    /// Whether a count of entries or items was there.
    is_map: bool,
    is_list: bool,
    /// What stands behind its name, with its text.
    members: BTreeMap<String, Loose>,
}

impl Shape {
    fn take(&mut self, rest: Option<&str>, text: Loose) {
        match rest {
            None => self.alone = Some(text),
            Some("%") => self.is_map = true,
            Some("#") => self.is_list = true,
            Some(rest) => {
                self.members.insert(rest.to_owned(), text);
            }
        }
    }

    fn loose(self) -> Loose {
        let Self { alone, is_map, is_list, members } = self;
        if let Some(alone) = alone {
            return alone;
        }
        if is_list && !is_map {
            return list(members);
        }
        // A key of a map may hold dots.
        Loose::Map(members)
    }
}

/// The items of a list or set: texts by their index or hash, or maps of which each member has it before its name.
fn list(members: BTreeMap<String, Loose>) -> Loose {
    let mut items: BTreeMap<(usize, String), Loose> = BTreeMap::new();
    for (place, text) in members {
        let (index, field) = place.split_once('.').map_or((&*place, None), |(index, field)| (index, Some(field)));
        // Indexes in the order of their numbers.
        let place = (index.len(), index.to_owned());
        match field {
            None => {
                items.insert(place, text);
            }
            Some(field) => {
                if let Loose::Map(fields) = items.entry(place).or_insert_with(|| Loose::Map(BTreeMap::new())) {
                    fields.insert(field.to_owned(), text);
                }
            }
        }
    }
    Loose::List(items.into_values().collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn lists_maps_and_texts_are_put_together_and_values_are_not() {
        let flat: Flat = serde_json::from_str(
            r#"{"arn": "a", "tags.%": "2", "tags.team": "x", "tags.a.b": "dotted", "replica.#": "1",
                "replica.123.region": "us-east-1", "replica.123.kms_key_id": "", "version_stages.#": "2",
                "version_stages.9": "AWSCURRENT", "version_stages.10": "BLUE", "recovery_window_in_days": "0",
                "secret_string": "MARK", "secret_binary": "MARK", "secret_string.MARK": "MARK"}"#,
        )
        .unwrap();
        let attributes = flat.0;
        assert_eq!(attributes.text("arn"), Some("a"));
        assert_eq!(attributes.get("tags").texts()["a.b"], "dotted");
        assert_eq!(attributes.get("replica").items()[0].get("region").and_then(Loose::text), Some("us-east-1"));
        let stages: Vec<_> = attributes.get("version_stages").items().iter().filter_map(Loose::text).collect();
        assert_eq!(stages, ["AWSCURRENT", "BLUE"]);
        assert_eq!(attributes.get("recovery_window_in_days").number(), Some(0));
        assert!(!format!("{attributes:?}").contains("MARK"));
    }
}
