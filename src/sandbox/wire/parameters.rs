//! What CloudTrail logs of a request: `requestParameters`.
//!
//! Values of secrets are left out, as in every recorded event, and are passed over here without being copied. Members
//! are those of the API model, with a small first letter. What is unknown of the service: whether long texts are logged
//! whole. Here those that are longer than a name may be are left out.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::members::{self, Members};

/// Members that no event holds: what the API model marks as sensitive, and the ids of BatchGetSecretValue, which no
/// recorded event has.
const LEFT_OUT: [&str; 4] = ["SecretString", "SecretBinary", "RotationToken", "SecretIdList"];

/// The longest text that is kept, in bytes: the longest name of a secret as SecretId may give it.
const LONGEST: usize = 2_048;

/// How many items of a list are kept: more than any list of the model has.
const MOST_ITEMS: usize = 100;

/// The parameters of a request; null where there are none.
pub(crate) fn logged(operation: &str, body: &[u8]) -> Value {
    let Some(members) = members::of(operation) else { return Value::Null };
    let walk = Walk { members: Some(members) };
    match walk.deserialize(&mut serde_json::Deserializer::from_slice(body)) {
        Ok(Some(Value::Object(parameters))) if !parameters.is_empty() => Value::Object(parameters),
        _ => Value::Null,
    }
}

/// Takes what is logged out of an input; none of what is not.
#[derive(Clone, Copy)]
struct Walk {
    /// The members of the structure that stands here; none for a plain value.
    members: Option<&'static Members>,
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an input")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut logged = Map::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let known = self.members.filter(|members| members.has(&name) && !LEFT_OUT.contains(&name.as_ref()));
            let Some(members) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if let Some(value) = map.next_value_seed(Walk { members: members.within(&name) })? {
                logged.insert(with_small_letter(&name), value);
            }
        }
        // A structure in the place of a plain value may be a value of a secret in the wrong place.
        Ok(self.members.map(|_| Value::Object(logged)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Value>, A::Error> {
        let mut logged = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            if logged.len() < MOST_ITEMS {
                logged.extend(item);
            }
        }
        Ok(Some(Value::Array(logged)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Option<Value>, E> {
        Ok(self.plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<Value>, E> {
        Ok(self.plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<Value>, E> {
        Ok(self.plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Option<Value>, E> {
        Ok(self.plain(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Option<Value>, E> {
        Ok(if value.len() <= LONGEST { self.plain(value.into()) } else { None })
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }
}

impl Walk {
    /// A plain value, where one belongs.
    fn plain(self, value: Value) -> Option<Value> {
        self.members.is_none().then_some(value)
    }
}

fn with_small_letter(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(operation: &str, body: &Value) -> Value {
        logged(operation, body.to_string().as_bytes())
    }

    #[test]
    fn members_are_named_as_in_recorded_events_and_values_are_left_out() {
        let create = json!({
            "Name": "a/b", "ClientRequestToken": "t", "SecretString": "hunter2", "ForceOverwriteReplicaSecret": false,
            "Tags": [{"Key": "team", "Value": "x"}], "AddReplicaRegions": [{"Region": "eu-west-2"}]
        });
        let logged = json!({
            "name": "a/b", "clientRequestToken": "t", "forceOverwriteReplicaSecret": false,
            "tags": [{"key": "team", "value": "x"}], "addReplicaRegions": [{"region": "eu-west-2"}]
        });
        assert_eq!(of("CreateSecret", &create), logged);
        let put = json!({"SecretId": "a", "SecretBinary": "aHVudGVyMg==", "RotationToken": "hunter2"});
        assert_eq!(of("PutSecretValue", &put), json!({"secretId": "a"}));
        assert_eq!(of("BatchGetSecretValue", &json!({"SecretIdList": ["a"]})), Value::Null);
    }

    #[test]
    fn a_value_in_a_wrong_place_is_left_out() {
        for body in [
            json!({"SecretString": {"password": "hunter2"}}),
            json!({"SecretString": ["hunter2"], "SecretBinary": "hunter2"}),
            json!({"Password": "hunter2"}),
            json!({"Description": {"password": "hunter2"}}),
            json!({"Tags": "hunter2", "Description": "hunter2".repeat(1000)}),
            json!("hunter2"),
        ] {
            let logged = of("CreateSecret", &body).to_string();
            assert!(!logged.contains("hunter2"), "{logged}");
        }
        assert_eq!(logged("CreateSecret", b"{\"Name\": \"a\", "), Value::Null);
        assert_eq!(logged("NoOperation", b"{}"), Value::Null);
    }
}
