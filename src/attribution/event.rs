//! One event of CloudTrail, read from what LookupEvents answers.
//!
//! Everything in it is somebody else's: names, parameters, user agents. What is missing, too long or of another type
//! than it should be is left out, and never an error.

use jiff::Timestamp;
use serde_json::Value;

use super::principal::Principal;
use crate::domain::{Arn, ArnParts};

/// The longest document that is looked into, in bytes: no event is longer (CloudTrail's documented limit of 256 KiB).
const LONGEST_DOCUMENT: usize = 256 * 1024;

/// The longest text that is kept of an event, in characters; a longer one is cut.
const LONGEST_TEXT: usize = 256;

/// How many texts of an event are taken for names of its secret.
const MOST_NAMES: usize = 16;

/// An event as LookupEvents answers it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundEvent {
    /// `EventId`.
    pub id: Option<String>,
    /// `EventName`.
    pub name: Option<String>,
    /// `EventTime`.
    pub time: Option<Timestamp>,
    /// `Username`.
    pub username: Option<String>,
    /// `ResourceName` of each resource.
    pub resources: Vec<String>,
    /// `CloudTrailEvent`: the event itself, as JSON.
    pub document: Option<String>,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct TrailEvent {
    /// Its id, by which it is found again; empty where it has none.
    pub id: String,
    /// What was called, or what the service did.
    pub name: String,
    /// When, to the second.
    pub time: Timestamp,
    /// By whom.
    pub principal: Principal,
    /// From where: an address, or a service's name.
    pub source: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// Whether the call failed, and so changed nothing.
    pub failed: bool,
    /// Names of the secret, where the event says what is a name.
    names: Vec<String>,
    /// What else the secret is called: by a name, an ARN, or a part of one.
    ids: Vec<String>,
    parameters: Option<Value>,
}

/// A text of an event, cut to what is kept of it; none for what is no text, or an empty one.
pub(super) fn short(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(cut)
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

impl TrailEvent {
    /// Reads an event; none of one that says neither what it is nor when it was.
    pub fn read(found: &FoundEvent) -> Option<Self> {
        let FoundEvent { id, name, time, username, resources, document } = found;
        let document = document.as_deref().filter(|text| text.len() <= LONGEST_DOCUMENT);
        let document: Value = document.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let text = |member: &str| document.get(member).and_then(short);
        let own_time = || text("eventTime")?.parse().ok();
        let of_service = text("eventType").is_some_and(|kind| kind == "AwsServiceEvent");
        let parameters = document.get("requestParameters").filter(|parameters| parameters.is_object()).cloned();
        let places = |members: &[(&str, &str)]| -> Vec<String> {
            let at = |(part, member): &(&str, &str)| document.get(part)?.get(member)?.as_str().map(str::to_owned);
            members.iter().filter_map(at).collect()
        };
        let names =
            places(&[("requestParameters", "name"), ("responseElements", "name"), ("additionalEventData", "Name")]);
        let mut ids = places(&[
            ("requestParameters", "secretId"),
            ("responseElements", "arn"),
            ("responseElements", "aRN"),
            ("responseElements", "ARN"),
            ("additionalEventData", "ARN"),
            ("additionalEventData", "SecretId"),
        ]);
        ids.extend(resources.iter().take(MOST_NAMES).cloned());
        let username = username.as_deref().map(cut);
        Some(Self {
            id: id.as_deref().map(cut).or_else(|| text("eventID")).unwrap_or_default(),
            name: name.as_deref().map(cut).or_else(|| text("eventName"))?,
            time: time.or_else(own_time)?,
            principal: Principal::read(document.get("userIdentity").unwrap_or(&Value::Null), username.as_deref()),
            source: text("sourceIPAddress"),
            user_agent: text("userAgent"),
            // What a service says of its own work is an error of that work, and happened.
            failed: !of_service && document.get("errorCode").is_some_and(|code| !code.is_null()),
            names,
            ids,
            parameters,
        })
    }

    /// What the call was made with; none where the event does not say.
    pub(super) fn parameters(&self) -> Option<&Value> {
        self.parameters.as_ref()
    }

    /// Whether the event is about a secret. An ARN that is known decides: another secret had the same name before, or
    /// has it in another place.
    pub(super) fn is_about(&self, name: &str, arn: Option<&Arn>) -> bool {
        let own = |id: &&String| whole_arn_of(id, name);
        if let Some(arn) = arn {
            let whole: Vec<&String> = self.ids.iter().filter(own).collect();
            if !whole.is_empty() {
                return whole.into_iter().any(|id| *id == arn.as_str());
            }
        }
        if !self.names.is_empty() {
            return self.names.iter().any(|known| known == name);
        }
        self.ids.iter().any(|id| id == name || own(&id) || partial_arn_of(id, name))
    }
}

/// Whether a text is an ARN of a secret of this name, with the six characters at its end.
fn whole_arn_of(text: &str, name: &str) -> bool {
    ArnParts::parse(text).and_then(|parts| parts.secret_name()) == Some(name)
}

/// Whether a text is the ARN of a secret of this name without the six characters at its end.
fn partial_arn_of(text: &str, name: &str) -> bool {
    let parts = ArnParts::parse(text).filter(|parts| parts.service == "secretsmanager");
    parts.and_then(|parts| parts.resource.strip_prefix("secret:")) == Some(name)
}
