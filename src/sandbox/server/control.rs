//! The control path of the server: what a test or a rehearsal changes in the sandbox, apart from the service's own API.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /_keywright/health` | `ok` |
//! | `POST /_keywright/reset` | forgets every secret, and puts the clock back |
//! | `GET /_keywright/calls`, `DELETE` | the calls so far; forgets them |
//! | `GET /_keywright/clock`, `POST` | the time; moves it forward: `{"advance": "PT240H"}` or seconds |
//! | `POST /_keywright/faults`, `DELETE` | takes a fault file; removes all faults |
//! | `POST /_keywright/policy`, `DELETE` | enforces an identity-based policy; lets everybody do everything again |
//! | `POST /_keywright/seed` | makes the secrets that a YAML text describes |
//!
//! The server has refused what a browser page could send before anything gets here.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sandbox::Sandbox;
use crate::faults::duration;
use crate::state::{Call, Outcome};

/// Every control path begins so.
pub(super) const PREFIX: &str = "/_keywright/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    #[serde(deserialize_with = "duration")]
    advance: Duration,
}

/// Carries out a control request.
pub(super) fn answer(sandbox: &Sandbox, method: &Method, path: &str, body: &[u8]) -> Response<Bytes> {
    let order = path.strip_prefix(PREFIX).unwrap_or_default();
    let outcome = match (order, method.as_str()) {
        ("health", "GET") => return text(StatusCode::OK, "ok"),
        ("reset", "POST") => sandbox.reset().map(|()| json!({})).map_err(failed),
        ("calls", "GET") => Ok(json!({"calls": sandbox.calls().iter().map(shown).collect::<Vec<_>>()})),
        ("calls", "DELETE") => {
            sandbox.clear_calls();
            Ok(json!({}))
        }
        ("clock", "GET") => Ok(time(sandbox)),
        ("clock", "POST") => read(body).and_then(|ClockOrder { advance }| {
            sandbox.advance(advance).map_err(failed)?;
            Ok(time(sandbox))
        }),
        ("faults", "POST") => {
            sandbox.apply_fault_file(body).map(|()| json!({})).map_err(|error| refused(&error.to_string()))
        }
        ("faults", "DELETE") => {
            sandbox.clear_faults();
            Ok(json!({}))
        }
        ("policy", "POST") => std::str::from_utf8(body)
            .map_err(|_| refused("the policy is not UTF-8"))
            .and_then(|text| sandbox.enforce_policy(text).map_err(|error| refused(&error.to_string())))
            .map(|()| json!({})),
        ("policy", "DELETE") => {
            sandbox.clear_policy();
            Ok(json!({}))
        }
        ("seed", "POST") => std::str::from_utf8(body)
            .map_err(|_| refused("the text is not UTF-8"))
            .and_then(|text| sandbox.make_fixtures(text).map_err(|error| refused(&error.to_string())))
            .map(|made| json!({"made": made})),
        ("health" | "reset" | "calls" | "clock" | "faults" | "policy" | "seed", _) => {
            Err((StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method".to_owned()))
        }
        _ => Err((StatusCode::NOT_FOUND, "there is no such control path".to_owned())),
    };
    match outcome {
        Ok(answer) => written(StatusCode::OK, &answer),
        Err((status, problem)) => written(status, &json!({"error": problem})),
    }
}

type Problem = (StatusCode, String);

fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| refused(&error.to_string()))
}

fn refused(problem: &str) -> Problem {
    (StatusCode::BAD_REQUEST, problem.to_owned())
}

fn failed(error: impl std::fmt::Display) -> Problem {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn time(sandbox: &Sandbox) -> Value {
    json!({"now": sandbox.now().to_string()})
}

fn shown(call: &Call) -> Value {
    let Call { operation, account, region, secret, outcome } = call;
    let (outcome, error) = match outcome {
        Outcome::Pending => ("pending", None),
        Outcome::Ok => ("ok", None),
        Outcome::Error(code) => ("error", Some(code)),
        Outcome::Dropped => ("dropped", None),
    };
    let mut shown = json!({"operation": operation, "account": account, "region": region, "outcome": outcome});
    if let Some(secret) = secret {
        shown["secret"] = secret.as_str().into();
    }
    if let Some(error) = error {
        shown["error"] = error.as_str().into();
    }
    shown
}

fn written(status: StatusCode, answer: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{answer}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer for people.
pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
