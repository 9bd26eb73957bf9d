//! The SDK's errors in our words.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;
use aws_smithy_types::retry::ErrorKind;

use super::http::{LONGEST_ANSWER, was_too_long};
use crate::live::{ServiceError, ServiceErrorKind};

/// Turns a failed call into a [`ServiceError`]. The texts of the SDK's error chain are kept, except where they hold
/// requests.
pub(super) fn service_error<E, R>(operation: &'static str, error: &SdkError<E, R>) -> ServiceError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: RequestId,
{
    let request_id = error.request_id().map(str::to_owned);
    let failed =
        |kind, message: String| ServiceError { operation, kind, code: None, message, request_id: request_id.clone() };
    match error {
        SdkError::ServiceError(answer) => {
            let metadata = answer.err().meta();
            let code = metadata.code().map(str::to_owned);
            ServiceError {
                operation,
                kind: kind_of(code.as_deref()),
                message: metadata.message().unwrap_or("the service gave no message").to_owned(),
                code,
                request_id: request_id.clone(),
            }
        }
        SdkError::DispatchFailure(failure) => {
            let credentials = failure.as_connector_error().is_some_and(|error| has_source::<CredentialsError>(error));
            let mut kind = if credentials { ServiceErrorKind::Credentials } else { ServiceErrorKind::Unreachable };
            let text = match failure.as_connector_error() {
                // Whatever went wrong between building a request and the network: an endpoint that is no URL is told
                // with the whole request, its body included, which may hold a value.
                Some(error) if error.as_other() == Some(ErrorKind::TransientError) => {
                    // As a server does with one that was idle, and one that has too many.
                    "the connection was closed before an answer came".to_owned()
                }
                Some(error) if error.is_other() && !credentials => {
                    kind = ServiceErrorKind::Unusable;
                    "the request could not be sent: is the endpoint a URL, as https://host?".to_owned()
                }
                Some(error) => chain(error),
                None => "the request was not sent".to_owned(),
            };
            failed(kind, text)
        }
        SdkError::TimeoutError(_) => failed(ServiceErrorKind::Unreachable, "there was no answer in time".to_owned()),
        SdkError::ResponseError(_) if error.source().is_some_and(was_too_long) => {
            let most = LONGEST_ANSWER / (1024 * 1024);
            failed(ServiceErrorKind::Unusable, format!("the answer is longer than {most} MiB, which none of AWS is"))
        }
        SdkError::ResponseError(_) => {
            failed(ServiceErrorKind::Service, "the answer is not one that Secrets Manager gives".to_owned())
        }
        SdkError::ConstructionFailure(_) => {
            let text = error.source().map_or_else(|| "the request could not be built".to_owned(), chain);
            failed(ServiceErrorKind::Rejected, text)
        }
        _ => failed(ServiceErrorKind::Service, "the call failed".to_owned()),
    }
}

pub(super) fn kind_of(code: Option<&str>) -> ServiceErrorKind {
    match code.unwrap_or_default() {
        "ResourceNotFoundException" => ServiceErrorKind::NotFound,
        "InvalidRequestException" => ServiceErrorKind::InvalidState,
        "ResourceExistsException" => ServiceErrorKind::AlreadyExists,
        "AccessDeniedException" | "AccessDenied" => ServiceErrorKind::AccessDenied,
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded" => {
            ServiceErrorKind::Throttled
        }
        "LimitExceededException" => ServiceErrorKind::QuotaReached,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationTokenException"
        | "MissingAuthenticationToken" => ServiceErrorKind::Credentials,
        "InternalServiceError" | "InternalFailure" | "ServiceUnavailable" | "" => ServiceErrorKind::Service,
        _ => ServiceErrorKind::Rejected,
    }
}

/// An error and its sources on one line, each text once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        // Some of the SDK's texts have several lines.
        let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !texts.iter().any(|seen| seen.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

/// Whether an error, or one that it came from, is a `T`.
pub(super) fn has_source<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<T>() || error.source().is_some_and(has_source::<T>)
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::Response;

    use super::{SdkError, ServiceErrorKind, service_error};

    #[test]
    fn a_request_that_stands_in_an_error_is_not_told() {
        let told = |error: ConnectorError| {
            let error: SdkError<PutSecretValueError, Response> = SdkError::dispatch_failure(error);
            service_error("PutSecretValue", &error)
        };
        let error = told(ConnectorError::other("failed to apply endpoint to SdkBody { hunter2 }".into(), None));
        assert_eq!(error.kind, ServiceErrorKind::Unusable);
        assert!(!error.message.contains("hunter2"), "{}", error.message);
        // What is tried again is told from what would fail again.
        let closed = Some(aws_smithy_types::retry::ErrorKind::TransientError);
        let error = told(ConnectorError::other("hunter2".into(), closed));
        assert_eq!(error.kind, ServiceErrorKind::Unreachable);
        assert!(!error.message.contains("hunter2"), "{}", error.message);
        let error = told(ConnectorError::io("connection refused".into()));
        assert!(error.message.contains("connection refused"), "{}", error.message);
    }
}
