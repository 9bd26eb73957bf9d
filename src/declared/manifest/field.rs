//! The wrappers in the schema types: what is absent, null, set, or reported already, each with its place.
//!
//! They reach the tree's spans through names that `decode` knows (as toml's `Spanned` does). To JSON Schema they are
//! transparent.

#[cfg(test)]
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::source::Span;
use crate::domain::{Part, SecretName, Template};

/// The newtype name by which `decode` knows a [`Field`].
pub(crate) const FIELD: &str = "$keywright::field";
/// The newtype name by which `decode` knows a [`Nullable`].
pub(crate) const NULLABLE: &str = "$keywright::nullable";
/// The newtype name by which `decode` knows a [`Text`].
pub(crate) const TEXT: &str = "$keywright::text";

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    pub(crate) span: Span,
}

/// A field that a manifest may leave out.
#[derive(Clone, Debug, Default)]
pub enum Field<T> {
    /// It isn't there.
    #[default]
    Absent,
    /// It is there, and so wrong that a diagnostic says so already.
    Invalid,
    /// It is there.
    Set(Spanned<T>),
}

impl<T> Field<T> {
    /// The value with its place, if it is there and right.
    pub(crate) fn get(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Set(set) => Some(set),
            Self::Absent | Self::Invalid => None,
        }
    }

    /// The value, if it is there and right.
    pub(crate) fn value(&self) -> Option<&T> {
        self.get().map(|set| &set.value)
    }

    /// Whether it is left out.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A field that a manifest may leave out, or set to `null`, which is declared too: there must be none.
#[derive(Clone, Debug)]
pub struct Nullable<T>(pub Field<Option<T>>);

impl<T> Default for Nullable<T> {
    fn default() -> Self {
        Self(Field::Absent)
    }
}

impl<T> Nullable<T> {
    /// What is declared, with its place: `None` for a written `null`.
    pub(crate) fn get(&self) -> Option<&Spanned<Option<T>>> {
        self.0.get()
    }

    /// The value, if it is there, right and not null.
    pub(crate) fn set(&self) -> Option<(&T, Span)> {
        self.0.get().and_then(|set| set.value.as_ref().map(|value| (value, set.span)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldVisitor<T> {
            type Value = Field<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Field<T>, A::Error> {
                let Some(span) = access.next_element::<Span>()? else { return Ok(Field::Invalid) };
                // The error is in the report already; what is around this field is read on.
                Ok(match access.next_element::<T>() {
                    Ok(Some(value)) => Field::Set(Spanned { value, span }),
                    Ok(None) | Err(_) => Field::Invalid,
                })
            }
        }
        deserializer.deserialize_newtype_struct(FIELD, FieldVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NullableVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for NullableVisitor<T> {
            type Value = Nullable<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field or null")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Nullable<T>, A::Error> {
                let Some(span) = access.next_element::<Span>()? else { return Ok(Nullable(Field::Invalid)) };
                Ok(Nullable(match access.next_element::<T>() {
                    Ok(value) => Field::Set(Spanned { value, span }),
                    Err(_) => Field::Invalid,
                }))
            }
        }
        deserializer.deserialize_newtype_struct(NULLABLE, NullableVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [file, start, end, line, column] = <[u32; 5]>::deserialize(deserializer)?;
        Ok(Self { file, start, end, line, column })
    }
}

#[cfg(test)]
impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
impl<T: JsonSchema> JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Nullable_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<T>(), { "type": "null" }] })
    }
}

/// A map with keys of people's own choice, in the order in which it is written.
#[derive(Clone, Debug)]
pub struct Map<T>(pub(crate) Vec<(Spanned<String>, Field<T>)>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for MapVisitor<T> {
            type Value = Map<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Map<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = access.next_entry::<Field<String>, Field<T>>()? {
                    if let Field::Set(key) = key {
                        entries.push((key, value));
                    }
                }
                Ok(Map(entries))
            }
        }
        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

#[cfg(test)]
impl<T: JsonSchema> JsonSchema for Map<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// Text in which `${secret:NAME:arn}` may stand.
#[derive(Clone, Debug)]
pub struct Text(pub(crate) Template);

impl Text {
    /// The text, if it needs no other secret's ARN.
    pub(crate) fn known(&self) -> Option<String> {
        self.0.resolve(&|_| None).ok()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Template::text(text)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Text, A::Error> {
                let mut parts = Vec::new();
                while let Some((is_arn, text)) = access.next_element::<(bool, String)>()? {
                    parts.push(if is_arn { Part::SecretArn(SecretName::new(text)) } else { Part::Text(text) });
                }
                Ok(Text(Template::new(parts)))
            }
        }
        deserializer.deserialize_newtype_struct(TEXT, TextVisitor)
    }
}

#[cfg(test)]
impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
