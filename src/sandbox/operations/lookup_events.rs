//! LookupEvents of CloudTrail: what happened to the secrets of an account in a region, the newest first.
//!
//! The shapes are those of the API model and of recorded events. Not known of the service are the texts of its errors,
//! and what it lists as resources: here that is what the request calls its secret, for a deletion was seen listed so.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Context, cut};
use crate::clock::Moment;
use crate::home::Home;
use crate::state::{Event, EventPlace, StoreError};
use crate::wire::{ErrorCode, Place, Query, Reply, ServiceError, input, limits, members};

/// The `EventSource` of all events here.
const SOURCE: &str = "secretsmanager.amazonaws.com";

/// The type of every resource here.
const RESOURCE_TYPE: &str = "AWS::SecretsManager::Secret";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(default)]
    lookup_attributes: Vec<AttributeInput>,
    /// Seconds since 1970.
    start_time: Option<f64>,
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeInput {
    attribute_key: Option<String>,
    attribute_value: Option<String>,
}

/// What events are looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    AccessKeyId,
    EventId,
    EventName,
    EventSource,
    ReadOnly,
    ResourceName,
    ResourceType,
    Username,
}

impl Key {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "AccessKeyId" => Self::AccessKeyId,
            "EventId" => Self::EventId,
            "EventName" => Self::EventName,
            "EventSource" => Self::EventSource,
            "ReadOnly" => Self::ReadOnly,
            "ResourceName" => Self::ResourceName,
            "ResourceType" => Self::ResourceType,
            "Username" => Self::Username,
            _ => return None,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    events: Vec<EventOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventOutput {
    event_id: String,
    event_name: String,
    /// A text in the API.
    read_only: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    /// Seconds since 1970; events have no fraction.
    event_time: i64,
    event_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    resources: Vec<ResourceOutput>,
    cloud_trail_event: String,
    #[serde(skip)]
    place: EventPlace,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceOutput {
    resource_type: &'static str,
    resource_name: String,
}

/// Runs an operation of CloudTrail: there is this one.
pub(crate) fn run(context: &Context<'_>, name: &str, body: &[u8]) -> Result<Reply, ServiceError> {
    if name != "LookupEvents" {
        return Err(ServiceError::unknown_operation(name));
    }
    members::refuse_unknown_to_cloudtrail(body)?;
    if let Some(authorizer) = &context.authorizer {
        authorizer.check_lookup_events()?;
    }
    lookup_events(context, body)
}

fn lookup_events(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let Input { lookup_attributes, start_time, end_time, event_category, max_results, next_token } = input(body)?;
    let attribute = attribute(lookup_attributes)?;
    let first = start_time.map(whole_seconds).transpose()?;
    let last = end_time.map(whole_seconds).transpose()?;
    if first > last.or(first) {
        return Err(ServiceError::invalid_time_range());
    }
    match event_category.as_deref() {
        None => {}
        // Nothing here is unusual.
        Some("insight") => return Reply::json(&Output { events: Vec::new(), next_token: None }),
        Some(_) => {
            let text = "The EventCategory value is not valid.";
            return Err(ServiceError::new(ErrorCode::InvalidEventCategory, text));
        }
    }
    if max_results.is_some_and(|most| !limits::EVENT_PAGE.contains(&most)) {
        let text = "The MaxResults value must be between 1 and 50 (inclusive).";
        return Err(ServiceError::new(ErrorCode::InvalidMaxResults, text));
    }
    let size = super::page_size(max_results, &limits::EVENT_PAGE);
    let shown = attribute.as_ref().map(|(key, value)| (format!("{key:?}"), value));
    let query = Query::new(&(context.caller.account.as_str(), &context.caller.region, shown, first, last, size));
    let after = next_token.map(|token| query.place(&token)).transpose()?.map(|place| (place.date, place.serial));
    // What is asked for by the second has the whole of it.
    let last_moment = last.map_or(Moment(i64::MAX), |last| Moment(last.saturating_mul(1000).saturating_add(999)));
    let visible = context.now.minus(context.profile.event_delay);
    let range = (Moment(first.unwrap_or(0).saturating_mul(1000)), last_moment.min(visible));
    context.store.write_events()?;
    let mut page = context.read(|reader| {
        let mut page = Vec::new();
        reader.walk_events(context.caller, range, after, |place, name, read| {
            if !matches!(&attribute, Some((Key::EventName, wanted)) if name != wanted) {
                let event = shown_event(context.caller, place, read()?);
                if attribute.as_ref().is_none_or(|(key, wanted)| event.fits(*key, wanted)) {
                    page.push(event);
                }
            }
            let full = page.len() > size;
            Ok::<_, StoreError>(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(page)
    })?;
    let place = |event: &EventOutput| Place { date: event.place.0, serial: event.place.1, name: String::new() };
    let next_token = cut(&mut page, size).map(|event| query.token(&place(event)));
    Reply::json(&Output { events: page, next_token })
}

/// The one attribute that is looked for.
fn attribute(attributes: Vec<AttributeInput>) -> Result<Option<(Key, String)>, ServiceError> {
    let mut attributes = attributes.into_iter();
    let (first, more) = (attributes.next(), attributes.next().is_some());
    let Some(AttributeInput { attribute_key, attribute_value }) = first else { return Ok(None) };
    let key = attribute_key.as_deref().and_then(Key::named);
    let value = attribute_value.filter(|value| limits::EVENT_ATTRIBUTE.contains(&value.chars().count()));
    if let (Some(key), Some(value), false) = (key, value, more) {
        return Ok(Some((key, value)));
    }
    let text = "A lookup attribute is not valid: one key that events are looked for by, with a value of 1 to 2000 \
                characters.";
    Err(ServiceError::new(ErrorCode::InvalidLookupAttributes, text))
}

#[expect(clippy::cast_possible_truncation, reason = "what is beyond the seconds that there are is refused")]
fn whole_seconds(seconds: f64) -> Result<i64, ServiceError> {
    let latest = jiff::Timestamp::MAX.as_second();
    let whole = seconds.floor() as i64;
    if seconds.is_finite() && (0..=latest).contains(&whole) {
        Ok(whole)
    } else {
        Err(ServiceError::invalid_time_range())
    }
}

impl EventOutput {
    fn fits(&self, key: Key, wanted: &str) -> bool {
        match key {
            Key::AccessKeyId => self.access_key_id.as_deref() == Some(wanted),
            Key::EventId => self.event_id == wanted,
            Key::EventName => self.event_name == wanted,
            Key::EventSource => self.event_source == wanted,
            Key::ReadOnly => self.read_only == wanted,
            Key::ResourceName => self.resources.iter().any(|resource| resource.resource_name == wanted),
            Key::ResourceType => self.resources.iter().any(|resource| resource.resource_type == wanted),
            Key::Username => self.username.as_deref() == Some(wanted),
        }
    }
}

/// An event as it is shown.
fn shown_event(home: &Home, place: EventPlace, event: Event) -> EventOutput {
    let event_id = id(home, place);
    let event_time = place.0.0.div_euclid(1000);
    let cloud_trail_event = document(home, event_time, &event_id, &event).to_string();
    let Event { name, read_only, username, access_key_id, resource, .. } = event;
    let resource = resource.map(|resource_name| ResourceOutput { resource_type: RESOURCE_TYPE, resource_name });
    EventOutput {
        event_id,
        event_name: name,
        read_only: read_only.to_string(),
        access_key_id,
        event_time,
        event_source: SOURCE,
        username,
        resources: resource.into_iter().collect(),
        cloud_trail_event,
        place,
    }
}

/// An event's id: a UUID that follows from where it is, so that it is the same whenever somebody looks.
fn id(home: &Home, (time, serial): EventPlace) -> String {
    let mut digest = Sha256::new();
    for part in [&home.account, &home.region] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(time.0.to_be_bytes());
    digest.update(serial.to_be_bytes());
    let digest = digest.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The event as CloudTrail logs it.
fn document(home: &Home, seconds: i64, event_id: &str, event: &Event) -> Value {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    let mut document = json!({
        "eventVersion": "1.08",
        "userIdentity": event.identity,
        "eventTime": time.to_string(),
        "eventSource": SOURCE,
        "eventName": event.name,
        "awsRegion": home.region,
        "sourceIPAddress": event.source_ip,
        "userAgent": event.user_agent,
    });
    let optional = [("errorCode", &event.error_code), ("errorMessage", &event.error_message)];
    for (member, text) in optional.into_iter().filter_map(|(member, text)| Some((member, text.as_ref()?))) {
        document[member] = text.as_str().into();
    }
    document["requestParameters"] = event.parameters.clone();
    document["responseElements"] = event.response.clone();
    if let Some(additional) = &event.additional {
        document["additionalEventData"] = additional.clone();
    }
    document["eventID"] = event_id.into();
    document["readOnly"] = event.read_only.into();
    document["eventType"] = if event.of_service { "AwsServiceEvent" } else { "AwsApiCall" }.into();
    document["managementEvent"] = true.into();
    document["recipientAccountId"] = home.account.as_str().into();
    document["eventCategory"] = "Management".into();
    document
}
