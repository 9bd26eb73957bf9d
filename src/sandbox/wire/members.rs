//! The members that the input of each operation has, from the newest API model (`members.json`, which
//! `KEYWRIGHT_BLESS=1 tests/interop/run -k newest_model` writes from botocore's).
//!
//! The service ignores a member that it does not know. Here one is refused: a request that means something else than
//! what is carried out must not look as if it had worked, and that is how a newer API than this one shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::{ErrorCode, ServiceError};

/// The members of a structure by their names, with those of the structures (or lists of structures) among them.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Members(BTreeMap<String, Option<Members>>);

impl Members {
    /// Whether one of them has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What the one of this name holds in turn, where it is a structure or a list of them.
    pub(crate) fn within(&self, name: &str) -> Option<&Self> {
        self.0.get(name)?.as_ref()
    }

    /// Their names.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
static OPERATIONS: LazyLock<BTreeMap<String, Members>> =
    LazyLock::new(|| serde_json::from_str(include_str!("members.json")).expect("the members of every operation"));

/// The members of an operation's input.
pub(crate) fn of(operation: &str) -> Option<&'static Members> {
    OPERATIONS.get(operation)
}

/// The members of LookupEvents, of CloudTrail.
const LOOKUP_EVENTS: &str = r#"{"LookupAttributes": {"AttributeKey": null, "AttributeValue": null}, "StartTime": null,
    "EndTime": null, "EventCategory": null, "MaxResults": null, "NextToken": null}"#;

#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
static OF_CLOUDTRAIL: LazyLock<Members> =
    LazyLock::new(|| serde_json::from_str(LOOKUP_EVENTS).expect("the members of LookupEvents"));

/// As [`refuse_unknown`], for LookupEvents.
pub(crate) fn refuse_unknown_to_cloudtrail(body: &[u8]) -> Result<(), ServiceError> {
    refuse_unknown_to("LookupEvents", &OF_CLOUDTRAIL, body)
}

/// Every operation of the model.
#[cfg(test)]
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.keys().map(String::as_str)
}

/// Refuses an input with a member that the model does not have, however deep. One that is no JSON is left to its
/// operation.
pub(crate) fn refuse_unknown(operation: &str, body: &[u8]) -> Result<(), ServiceError> {
    of(operation).map_or(Ok(()), |members| refuse_unknown_to(operation, members, body))
}

fn refuse_unknown_to(operation: &str, members: &'static Members, body: &[u8]) -> Result<(), ServiceError> {
    let mut unknown = None;
    let walk = Walk { members, path: String::new(), unknown: &mut unknown };
    let walked = walk.deserialize(&mut serde_json::Deserializer::from_slice(body));
    match unknown.filter(|_| walked.is_ok()) {
        None => Ok(()),
        Some(member) => Err(ServiceError::new(
            ErrorCode::Serialization,
            format!(
                "{operation} has no member {member}. (The sandbox refuses what it does not know; the service would \
                 ignore it.)"
            ),
        )),
    }
}

/// The longest name that an error quotes.
const QUOTED: usize = 64;

/// How an error names a member: by its name, unless it cannot be one. It may be a value in the wrong place.
fn quoted(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.len() <= QUOTED && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if plain { format!("{path}{name}") } else { format!("{path}(a name that no member has)") }
}

/// Walks through an input and notes the first unknown member. Values are passed over, and copied nowhere.
struct Walk<'a> {
    members: &'static Members,
    path: String,
    unknown: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an input")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { members, path, unknown } = self;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match members.0.get(name.as_ref()) {
                Some(Some(members)) => {
                    map.next_value_seed(Walk { members, path: format!("{path}{name}."), unknown: &mut *unknown })?;
                }
                Some(None) => drop(map.next_value::<IgnoredAny>()?),
                None => {
                    unknown.get_or_insert_with(|| quoted(&path, &name));
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { members, path, unknown } = self;
        while items.next_element_seed(Walk { members, path: path.clone(), unknown: &mut *unknown })?.is_some() {}
        Ok(())
    }

    // A value of another type than the model's is its operation's to refuse.

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

    fn refusal(operation: &str, body: &str) -> Option<String> {
        let error = refuse_unknown(operation, body.as_bytes()).err()?;
        assert_eq!(error.code, ErrorCode::Serialization);
        error.message.split(" (The").next().map(str::to_owned)
    }

    #[test]
    fn an_unknown_member_is_named_wherever_it_is() {
        let no = |text: &str| Some(format!("{text}."));
        assert_eq!(refusal("DeleteSecret", r#"{"Secretid": "a"}"#), no("DeleteSecret has no member Secretid"));
        assert_eq!(
            refusal("TagResource", r#"{"Tags": [{"Key": "a"}, {"Key": "a", "Kind": 1}], "Nope": {}}"#),
            no("TagResource has no member Tags.Kind")
        );
        assert_eq!(
            refusal("RotateSecret", r#"{"RotationRules": {"Days": 3}}"#),
            no("RotateSecret has no member RotationRules.Days")
        );
    }

    #[test]
    fn a_name_that_may_be_a_value_is_not_quoted() {
        for name in ["hunter2", "", "two words", &"x".repeat(65)] {
            let message = refusal("GetSecretValue", &serde_json::json!({ name: 1 }).to_string());
            let expected = "GetSecretValue has no member (a name that no member has).";
            assert_eq!(message.as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn the_members_of_cloudtrail_are_known_too() {
        let known = r#"{"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a"}], "MaxResults": 1}"#;
        assert_eq!(refuse_unknown_to_cloudtrail(known.as_bytes()), Ok(()));
        let unknown = refuse_unknown_to_cloudtrail(br#"{"LookupAttributes": [{"Name": "EventName"}]}"#);
        assert!(unknown.is_err_and(|error| error.message.contains("no member LookupAttributes.Name")));
    }

    #[test]
    fn what_is_no_input_is_left_to_the_operation() {
        for body in ["", "hunter2", "[1]", "{\"SecretId\": ", "{\"Nope\": ", "5", "{\"SecretId\": {\"a\": 1}}"] {
            assert_eq!(refusal("DeleteSecret", body), None, "{body}");
        }
        assert_eq!(refusal("TagResource", r#"{"Tags": "a"}"#), None);
        assert_eq!(refusal("NoOperation", r#"{"Nope": 1}"#), None);
    }
}
