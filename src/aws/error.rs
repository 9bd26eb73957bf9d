//! The SDK's errors in our words.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;

use crate::live::{ServiceError, ServiceErrorKind};

/// Turns a failed call into a [`ServiceError`]. The texts of the SDK's error chain are kept; they hold no request bodies.
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
            let text = failure.as_connector_error().map_or_else(|| "the request was not sent".to_owned(), |e| chain(e));
            let credentials = failure.as_connector_error().is_some_and(|e| has_credentials_error(e));
            failed(if credentials { ServiceErrorKind::Credentials } else { ServiceErrorKind::Unreachable }, text)
        }
        SdkError::TimeoutError(_) => failed(ServiceErrorKind::Unreachable, "there was no answer in time".to_owned()),
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

/// Whether the failure is one of finding credentials and not of the network.
pub(super) fn has_credentials_error(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<CredentialsError>().is_some() {
            return true;
        }
        next = error.source();
    }
    false
}
