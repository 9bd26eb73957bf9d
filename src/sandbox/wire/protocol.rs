//! Requests and answers as they travel: AWS JSON 1.1 for Secrets Manager and CloudTrail, the query protocol for STS.
//!
//! Headers, the credential scope, the target and the envelopes of answers are here; what an operation does is not.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::error::{ErrorCode, ServiceError};
use super::query;
use crate::clock::Moment;

/// The media type of every answer of Secrets Manager and CloudTrail.
const AMZ_JSON: &str = "application/x-amz-json-1.1";

/// Which service a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    CloudTrail,
    SecretsManager,
    Sts,
}

/// What operations of CloudTrail are named under.
const CLOUDTRAIL_TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.";

/// What a request says before its body is looked into.
pub(crate) struct Envelope<'r> {
    /// From the credential scope, with the region.
    pub(crate) access_key_id: &'r str,
    pub(crate) region: &'r str,
    pub(crate) session_token: Option<&'r str>,
    pub(crate) user_agent: Option<&'r str>,
    /// Where the request came from; none within one process.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) service: Service,
    /// The operation's name as it was sent, known or not.
    pub(crate) operation: String,
    pub(crate) body: &'r [u8],
}

/// The address that a request came from, among its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A refusal before any operation was found, with the service whose form the answer takes.
pub(crate) type Refusal = (Service, ServiceError);

/// Reads the envelope of a request.
pub(crate) fn read(request: &Request<Bytes>) -> Result<Envelope<'_>, Refusal> {
    let headers = request.headers();
    let target = text(headers, "x-amz-target");
    // Before the credential scope has been read, a target is what distinguishes the services.
    let is_query = target.is_none() && query::action(request).is_some();
    let likely = match target {
        None if is_query => Service::Sts,
        Some(target) if target.starts_with(CLOUDTRAIL_TARGET) => Service::CloudTrail,
        _ => Service::SecretsManager,
    };
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        let missing = ServiceError::new(ErrorCode::MissingAuthenticationToken, "Missing Authentication Token");
        return Err((likely, missing));
    };
    let scope = authorization.to_str().ok().and_then(Scope::parse);
    let scope = scope.ok_or_else(|| {
        let text = "Authorization header must be an AWS4-HMAC-SHA256 signature with a 'Credential' parameter of \
                    the form key/date/region/service/aws4_request.";
        (likely, ServiceError::new(ErrorCode::IncompleteSignature, text))
    })?;
    let service = match scope.service {
        "cloudtrail" => Service::CloudTrail,
        "secretsmanager" => Service::SecretsManager,
        "sts" => Service::Sts,
        _ => {
            let wanted = match likely {
                Service::CloudTrail => "cloudtrail",
                Service::SecretsManager => "secretsmanager",
                Service::Sts => "sts",
            };
            let message = format!("Credential should be scoped to correct service: '{wanted}'.");
            return Err((likely, ServiceError::new(ErrorCode::InvalidSignature, message)));
        }
    };
    if !is_region(scope.region) {
        let text = "Credential should be scoped to a valid region.";
        return Err((service, ServiceError::new(ErrorCode::InvalidSignature, text)));
    }
    let named = |prefix| {
        let name = target.and_then(|target| target.strip_prefix(prefix)).map(str::to_owned);
        name.ok_or_else(|| (service, ServiceError::unknown_operation(target.unwrap_or_default())))
    };
    let operation = match service {
        Service::CloudTrail => named(CLOUDTRAIL_TARGET)?,
        Service::SecretsManager => named("secretsmanager.")?,
        Service::Sts => query::action(request).unwrap_or_default(),
    };
    let body = match (service, request.uri().query()) {
        // The query protocol may put its parameters into the address.
        (Service::Sts, Some(query)) if request.body().is_empty() => query.as_bytes(),
        _ => request.body().as_ref(),
    };
    let session_token = text(headers, "x-amz-security-token");
    let user_agent = text(headers, USER_AGENT.as_str());
    let peer = request.extensions().get().map(|Peer(peer)| *peer);
    let Scope { access_key_id, region, .. } = scope;
    Ok(Envelope { access_key_id, region, session_token, user_agent, peer, service, operation, body })
}

fn text<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    headers.get(name)?.to_str().ok()
}

/// The credential scope of a SigV4 signature.
struct Scope<'h> {
    access_key_id: &'h str,
    region: &'h str,
    service: &'h str,
}

impl<'h> Scope<'h> {
    fn parse(authorization: &'h str) -> Option<Self> {
        let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let credential =
            parameters.split(',').find_map(|parameter| parameter.trim_start().strip_prefix("Credential="))?;
        // From the right: an access key id is free text as far as we are concerned.
        let mut parts = credential.trim_end().rsplitn(5, '/');
        let (ending, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (_date, access_key_id) = (parts.next()?, parts.next()?);
        (ending == "aws4_request").then_some(Self { access_key_id, region, service })
    }
}

/// Letters, digits and hyphens, as every region's name has.
fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Reads the JSON input of an operation.
///
/// The texts of these errors are ours: the framework's own differ with every cause. They say where, and never quote
/// what was sent, since it may be a secret.
pub(crate) fn input<T: DeserializeOwned>(body: &[u8]) -> Result<T, ServiceError> {
    let body = body.trim_ascii();
    // An empty body is an empty structure; anything but an object would be read by position otherwise.
    let body = if body.is_empty() { b"{}" } else { body };
    if body[0] != b'{' {
        return Err(ServiceError::new(ErrorCode::Serialization, "The request body is not a JSON object."));
    }
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() {
            "A member of the request has another type than the API model gives it"
        } else {
            "The request body is not valid JSON"
        };
        let place = format!("{what} (line {}, column {}).", error.line(), error.column());
        ServiceError::new(ErrorCode::Serialization, place)
    })
}

/// A sensitive text of a request, wiped when it goes.
pub(crate) struct SensitiveText(pub(crate) Zeroizing<String>);

impl<'de> Deserialize<'de> for SensitiveText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Zeroizing::new(String::deserialize(deserializer)?)))
    }
}

/// Sensitive bytes of a request (base64 on the wire), wiped when they go.
pub(crate) struct SensitiveBytes(pub(crate) Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for SensitiveBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // The decoder's error names a byte of the value; ours does not.
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| D::Error::custom("not base64"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// A date as the wire has it.
#[derive(Clone, Copy)]
pub(crate) struct EpochSeconds(pub(crate) Moment);

impl Serialize for EpochSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.epoch_seconds())
    }
}

/// What an operation answers with when it succeeds.
pub(crate) enum Reply {
    /// A JSON structure. It may hold a value, so it is wiped when it goes.
    Json(Zeroizing<Vec<u8>>),
    /// Nothing at all: TagResource and UntagResource send no body.
    Empty,
    /// The result of an action of STS: XML without its envelope.
    Xml { action: &'static str, result: String },
}

impl Reply {
    pub(crate) fn json(output: &impl Serialize) -> Result<Self, ServiceError> {
        Self::written(output, 0)
    }

    /// An output that holds values: it is measured first, since a vector that grows leaves copies behind.
    pub(crate) fn sensitive(output: &impl Serialize) -> Result<Self, ServiceError> {
        /// Counts what is written.
        struct Measure(usize);
        impl std::io::Write for Measure {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut measure = Measure(0);
        serde_json::to_writer(&mut measure, output).map_err(|_| unwritten())?;
        Self::written(output, measure.0)
    }

    fn written(output: &impl Serialize, size: usize) -> Result<Self, ServiceError> {
        let mut body = Zeroizing::new(Vec::with_capacity(size));
        serde_json::to_writer(&mut *body, output).map_err(|_| unwritten())?;
        Ok(Self::Json(body))
    }
}

fn unwritten() -> ServiceError {
    ServiceError::internal("The sandbox could not write its answer.")
}

/// Makes the HTTP response of an outcome.
pub(crate) fn respond(service: Service, outcome: Result<Reply, ServiceError>) -> Response<Bytes> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let (status, media_type, body) = match (service, outcome) {
        (_, Ok(Reply::Json(body))) => (200, AMZ_JSON, Bytes::from_owner(body)),
        (_, Ok(Reply::Empty)) => (200, AMZ_JSON, Bytes::new()),
        (_, Ok(Reply::Xml { action, result })) => {
            (200, query::XML, query::envelope(action, &result, &request_id).into())
        }
        (Service::CloudTrail | Service::SecretsManager, Err(error)) => {
            (error.code.status(), AMZ_JSON, error_body(&error).into())
        }
        (Service::Sts, Err(error)) => {
            let (status, body) = query::error(&error, &request_id);
            (status, query::XML, body.into())
        }
    };
    let mut response = Response::new(body);
    // A fault rule may name a status that HTTP does not have.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-amzn-requestid", request_id);
    }
    response
}

/// The JSON of an error. `Message` has a capital in everything that the service models; of ValidationException and
/// AccessDeniedException the case is not known, and every SDK reads either.
fn error_body(error: &ServiceError) -> Vec<u8> {
    serde_json::json!({ "__type": error.code.name(), "Message": error.message }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_read_from_the_right() {
        let header = "AWS4-HMAC-SHA256 Credential=AK/ID/20240102/eu-west-1/secretsmanager/aws4_request, \
                      SignedHeaders=host, Signature=00";
        let scope = Scope::parse(header).map(|scope| (scope.access_key_id, scope.region, scope.service));
        assert_eq!(scope, Some(("AK/ID", "eu-west-1", "secretsmanager")));
        for bad in ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b/c", "AWS4-HMAC-SHA256 Signature=0"] {
            assert!(Scope::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn wrong_input_is_never_quoted() {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input {
            #[expect(dead_code, reason = "only its type matters")]
            max_results: Option<i64>,
        }
        for body in [r#"{"MaxResults": "hunter2"}"#, "hunter2", r#"{"MaxResults": hunter2}"#, "[1]"] {
            let error = input::<Input>(body.as_bytes()).err().map(|error| (error.code, error.message));
            let (code, message) = error.unwrap_or((ErrorCode::InternalServiceError, "accepted".into()));
            assert_eq!(code, ErrorCode::Serialization, "{body}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
