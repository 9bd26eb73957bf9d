//! The sandbox as its clients see it: raw HTTP requests go in, and the answers are compared with what is known of the
//! real service.
//!
//! The client below is as small as it can be: `ok` is a call that must succeed, `refused` one that must not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail, and say where")]

mod authorization;
mod batch;
mod concurrency;
mod crash;
mod create;
mod cross_account;
mod cross_account_model;
mod cross_account_rules;
mod delete;
mod durability;
mod events;
mod faults;
mod fixtures;
mod fuzz;
mod handle;
mod list;
mod model;
mod policy;
mod random_password;
mod replication;
mod rooms;
mod rotation;
mod scale;
mod serving;
mod stages;
mod tags;
mod update;
mod values;
mod wire;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::wire::members;
use super::{Clock, DEFAULT_ACCOUNT, Options, Sandbox};

/// The region of a client that says nothing else.
const REGION: &str = "eu-west-1";

/// A client of one account in one region.
#[derive(Clone)]
struct Client {
    sandbox: Sandbox,
    clock: Clock,
    account: String,
    region: String,
}

/// What an error says.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    code: String,
    message: String,
}

impl Client {
    /// A client of a new sandbox whose clock stands at a quarter to eight, and whose ARNs are the same in every run.
    fn new() -> Self {
        let clock = Clock::manual("2026-03-04T07:45:00.250Z".parse().unwrap());
        Self::of(Sandbox::in_memory(Options { rng_seed: 1, clock: clock.clone() }), clock)
    }

    fn of(sandbox: Sandbox, clock: Clock) -> Self {
        Self { sandbox, clock, account: DEFAULT_ACCOUNT.to_owned(), region: REGION.to_owned() }
    }

    fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    fn as_account(&self, account: &str) -> Self {
        Self { account: account.to_owned(), ..self.clone() }
    }

    fn advance(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    fn request(&self, operation: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let Self { account, region, .. } = self;
        let credential = format!("{account}/20260304/{region}/secretsmanager/aws4_request");
        Request::post("/")
            .header("host", "127.0.0.1")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"),
            )
            .body(body.into())
            .unwrap()
    }

    fn send(&self, operation: &str, input: &Value) -> Response<Bytes> {
        self.sandbox.respond(&self.request(operation, input.to_string()))
    }

    /// A call that succeeds: its output, or null where there is no body.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "calls read better with the input as it is written")]
    fn ok(&self, operation: &str, input: Value) -> Value {
        let response = self.send(operation, &input);
        let body = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(response.status(), 200, "{operation} {input} answered {body}");
        if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() }
    }

    /// A call that is refused.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "calls read better with the input as it is written")]
    fn refused(&self, operation: &str, input: Value) -> Refused {
        let response = self.send(operation, &input);
        assert_eq!(response.status(), 400, "{operation} {input} answered {:?}", response.body());
        refusal(&response)
    }

    /// Makes a secret without a value and returns its ARN.
    #[track_caller]
    fn create(&self, name: &str) -> String {
        text(&self.ok("CreateSecret", json!({"Name": name, "ClientRequestToken": token(0)}))["ARN"])
    }

    /// Makes a secret with a value, whose version is `token(1)`.
    #[track_caller]
    fn create_with_value(&self, name: &str, value: &str) -> String {
        let input = json!({"Name": name, "ClientRequestToken": token(1), "SecretString": value});
        text(&self.ok("CreateSecret", input)["ARN"])
    }

    #[track_caller]
    fn describe(&self, name: &str) -> Value {
        self.ok("DescribeSecret", json!({"SecretId": name}))
    }

    /// The labels of each version that has some.
    #[track_caller]
    fn labels(&self, name: &str) -> Value {
        self.describe(name)["VersionIdsToStages"].clone()
    }

    /// The value that a reader gets.
    #[track_caller]
    fn value(&self, name: &str) -> String {
        text(&self.ok("GetSecretValue", json!({"SecretId": name}))["SecretString"])
    }
}

/// What of an input an operation knows: any other member is refused.
fn known(operation: &str, input: &Value) -> Value {
    let names: Vec<&str> = members::of(operation).unwrap().names().collect();
    let members = input.as_object().unwrap().iter().filter(|(name, _)| names.contains(&name.as_str()));
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A request token, long enough to be one.
fn token(number: u32) -> String {
    format!("token-{number:0>32}")
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn refusal(response: &Response<Bytes>) -> Refused {
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    Refused { code: text(&body["__type"]), message: text(&body["Message"]) }
}

fn refused(code: &str, message: &str) -> Refused {
    Refused { code: code.to_owned(), message: message.to_owned() }
}

fn not_found() -> Refused {
    refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn marked_for_deletion() -> Refused {
    refused(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
}

/// The present of a client, in the wire's seconds, plus some hours.
fn seconds(client: &Client, hours: i64) -> Value {
    let start: Timestamp = Timestamp::from_millisecond(client.clock.now().0).unwrap();
    let moment = start + SignedDuration::from_hours(hours);
    let (whole, milliseconds) = (moment.as_second(), moment.as_millisecond() % 1000);
    serde_json::from_str(&format!("{whole}.{milliseconds:03}")).unwrap()
}
