//! LookupEvents of AWS CloudTrail, over `raw`: the SDK's client of this service is not worth its build for one call.
//!
//! Source: the API reference of CloudTrail (API version 2013-11-01). Two calls a second are allowed for each account
//! and region (documented with the operation), and ninety days can be looked back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::service_error;
use super::quota::Operation;
use super::raw::{Body, RawClient};
use super::retry::Retries;
use crate::attribution::{Ask, FoundEvent};
use crate::live::{ServiceError, ServiceErrorKind};

/// Attempts of a call that fails: nothing depends on an answer.
const ATTEMPTS: u32 = 2;

/// The event history of one account and region.
#[derive(Clone)]
pub struct Trail {
    raw: RawClient,
    retries: Retries,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    lookup_attributes: [Attribute<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    attribute_key: &'static str,
    attribute_value: &'a str,
}

/// Events are taken as they are: one that is not as it should be hides none of the others.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    events: Vec<Value>,
    next_token: Option<String>,
}

impl Trail {
    pub(super) fn new(raw: RawClient, retries: Retries) -> Self {
        Self { raw, retries }
    }

    /// One page of events, the newest first, and what leads to the next.
    pub async fn page(&self, ask: &Ask) -> Result<(Vec<FoundEvent>, Option<String>), ServiceError> {
        let attribute = Attribute { attribute_key: "EventName", attribute_value: ask.event_name };
        let request = Request { lookup_attributes: [attribute], next_token: ask.token.as_deref() };
        let body = serde_json::to_vec(&request)
            .map_err(|_| failed(ServiceErrorKind::Unusable, "the request could not be written"))?;
        let operation = Operation::LookupEvents;
        let once = || async {
            let body = Body(Zeroizing::new(body.clone()));
            let answer = self.raw.call(operation.name(), body).await;
            answer.map_err(|error| service_error(operation.name(), &error))
        };
        let attempts = self.retries.attempts.at_most(ATTEMPTS);
        let answer = self.retries.run(operation, attempts, || Box::pin(once())).await?;
        let answer: Answer = serde_json::from_slice(&answer.body.0)
            .map_err(|_| failed(ServiceErrorKind::Service, "the answer is not one that CloudTrail gives"))?;
        Ok((answer.events.iter().map(found).collect(), answer.next_token.filter(|token| !token.is_empty())))
    }
}

fn found(event: &Value) -> FoundEvent {
    let text = |member: &str| event.get(member).and_then(Value::as_str).map(str::to_owned);
    let resources = event.get("Resources").and_then(Value::as_array).into_iter().flatten();
    let name = |resource: &Value| resource.get("ResourceName").and_then(Value::as_str).map(str::to_owned);
    #[expect(clippy::cast_possible_truncation, reason = "a time that is none is no time")]
    let time = event.get("EventTime").and_then(Value::as_f64).map(|seconds| seconds as i64);
    FoundEvent {
        id: text("EventId"),
        name: text("EventName"),
        time: time.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        username: text("Username"),
        resources: resources.filter_map(name).collect(),
        document: text("CloudTrailEvent"),
    }
}

fn failed(kind: ServiceErrorKind, text: &str) -> ServiceError {
    let operation = Operation::LookupEvents.name();
    ServiceError { operation, kind, code: None, message: text.to_owned(), request_id: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_taken_as_it_is() {
        let event = json!({
            "EventId": "e", "EventName": "TagResource", "EventTime": 1_772_610_300.0, "Username": "alice",
            "Resources": [{"ResourceName": "a"}, {"ResourceType": "x"}, 5], "CloudTrailEvent": "{}"
        });
        let found = found(&event);
        assert_eq!((found.id.as_deref(), found.name.as_deref()), (Some("e"), Some("TagResource")));
        assert_eq!(found.time, Timestamp::from_second(1_772_610_300).ok());
        assert_eq!((found.resources, found.document.as_deref()), (vec!["a".to_owned()], Some("{}")));
    }

    #[test]
    fn an_event_that_is_none_is_an_empty_one() {
        for event in [json!(null), json!(5), json!({"EventId": 5, "EventTime": "now", "Resources": {}})] {
            assert_eq!(found(&event), FoundEvent::default());
        }
    }
}
