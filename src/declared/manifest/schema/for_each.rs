//! The list of a Secret's `forEach`, written out or in a file.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::field::Field;

/// Where the items come from.
#[derive(Clone, Debug)]
pub enum ForEachSpec {
    /// They are written here, and read from the tree, where each has its place.
    Inline,
    /// `{ file: tenants.csv }`.
    File(Field<String>),
}

impl<'de> Deserialize<'de> for ForEachSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ForEachVisitor;
        impl<'de> Visitor<'de> for ForEachVisitor {
            type Value = ForEachSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of items or `{ file: ... }`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<ForEachSpec, A::Error> {
                while access.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ForEachSpec::Inline)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ForEachSpec, A::Error> {
                let mut file = Field::Absent;
                while let Some(key) = access.next_key::<String>()? {
                    if key == "file" {
                        file = access.next_value()?;
                    } else {
                        access.next_value::<IgnoredAny>()?;
                        return Err(serde::de::Error::custom("`forEach` is a list of items, or `{ file: ... }`"));
                    }
                }
                Ok(ForEachSpec::File(file))
            }
        }
        deserializer.deserialize_any(ForEachVisitor)
    }
}

#[cfg(test)]
impl JsonSchema for ForEachSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ForEachSpec".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let scalar = serde_json::json!(["string", "number", "boolean"]);
        schemars::json_schema!({
            "description": "The items of a list: written here, or in a file.",
            "anyOf": [
                {
                    "type": "array",
                    "maxItems": super::super::items::MAX_ITEMS,
                    "items": {
                        "anyOf": [
                            { "type": scalar },
                            { "type": "object", "minProperties": 1, "additionalProperties": { "type": scalar } }
                        ]
                    }
                },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "description": "A list of texts or of maps in YAML or JSON, or a CSV file whose first row \
                             names the columns; relative to the manifest and inside the project. Variables can stand \
                             in its name, and mean nothing in the file itself.",
                            "examples": ["tenants.csv"]
                        }
                    }
                }
            ]
        })
    }
}
