//! The attributes of one instance, and only those that are needed.
//!
//! Values of secrets are among the others. Those are skipped by the parser itself: nothing of them is copied out of the
//! text.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::collect::CollectMap as _;

/// Every attribute that is read. `secret_string`, `secret_binary` and their write-only forms must never be here.
const WANTED: [&str; 23] = [
    "arn",
    "id",
    "name",
    "description",
    "type",
    "kms_key_id",
    "policy",
    "recovery_window_in_days",
    "replica",
    "tags",
    "tags_all",
    "secret_arn",
    "secret_id",
    "rotation_enabled",
    "rotation_lambda_arn",
    "rotation_rules",
    "external_secret_rotation_role_arn",
    "external_secret_rotation_metadata",
    "version_id",
    "version_stages",
    "region",
    "status",
    "status_message",
];

/// The attribute of this name, if it is read.
pub(super) fn wanted(name: &str) -> Option<&'static str> {
    WANTED.iter().copied().find(|wanted| *wanted == name)
}

/// A JSON value of which only the kinds that occur here are kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Loose {
    /// `null`, or a number that is not whole.
    Nothing,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Loose>),
    Map(BTreeMap<String, Loose>),
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = Loose;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Loose, E> {
                Ok(Loose::Nothing)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
                Ok(Loose::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
                Ok(Loose::Number(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
                Ok(i64::try_from(value).map_or(Loose::Nothing, Loose::Number))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
                Ok(Loose::Nothing)
            }
            fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Loose, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(Loose::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Loose, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = access.next_entry()? {
                    entries.insert(key, value);
                }
                Ok(Loose::Map(entries))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

impl Loose {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            // Terraform writes an empty text where there is none.
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A number. Flat attributes are texts, whatever they mean.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether it says no, as a boolean or as the text of one.
    pub(super) fn is_false(&self) -> bool {
        match self {
            Self::Bool(value) => !value,
            Self::Text(text) => text == "false",
            _ => false,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.get(key),
            _ => None,
        }
    }

    /// A map of texts.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let Self::Map(entries) = self else { return BTreeMap::new() };
        let text = |value: &Self| match value {
            Self::Text(text) => Some(text.clone()),
            _ => None,
        };
        entries.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect_map()
    }
}

/// The attributes of an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(BTreeMap<&'static str, Loose>);

impl Attributes {
    /// Whether there are none: the instance has nothing to read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn put(&mut self, name: &'static str, value: Loose) {
        self.0.insert(name, value);
    }

    pub(super) fn get(&self, name: &str) -> &Loose {
        self.0.get(name).unwrap_or(&Loose::Nothing)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).text()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AttributesVisitor;
        impl<'de> Visitor<'de> for AttributesVisitor {
            type Value = Attributes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("attributes")
            }
            fn visit_unit<E>(self) -> Result<Attributes, E> {
                Ok(Attributes::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Attributes, A::Error> {
                let mut attributes = Attributes::default();
                while let Some(key) = access.next_key::<String>()? {
                    match wanted(&key) {
                        Some(wanted) => {
                            attributes.0.insert(wanted, access.next_value()?);
                        }
                        None => {
                            access.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(attributes)
            }
        }
        deserializer.deserialize_any(AttributesVisitor)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_taken_out_of_the_text() {
        let attributes: Attributes = serde_json::from_str(
            r#"{"arn": "a", "secret_string": "MARK", "secret_binary": "MARK",
                "secret_string_wo": {"deep": ["MARK"]}, "tags": {"t": "v"}}"#,
        )
        .unwrap();
        assert_eq!(attributes.text("arn"), Some("a"));
        assert_eq!(attributes.get("tags").texts()["t"], "v");
        assert!(!format!("{attributes:?}").contains("MARK"));
        assert!(
            !WANTED.iter().any(|wanted| wanted.starts_with("secret_string") || wanted.starts_with("secret_binary"))
        );
    }
}
