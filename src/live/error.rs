//! What went wrong with one call to the service.

use std::fmt;

use super::denial::Denial;

/// A failed call, after all that could be tried again.
///
/// `message` is the service's text: hostile until `render` has escaped it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ServiceError {
    /// The operation's name in the API, for example `DescribeSecret`.
    pub operation: &'static str,
    /// What kind of failure it is.
    pub kind: ServiceErrorKind,
    /// The service's error code, when there was an answer.
    pub code: Option<String>,
    /// The service's text, or what the connection said.
    pub message: String,
    /// The request id of the answer.
    pub request_id: Option<String>,
}

/// Kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceErrorKind {
    /// ResourceNotFoundException.
    NotFound,
    /// The secret is scheduled for deletion, or the call does not fit its state (InvalidRequestException).
    InvalidState,
    /// ResourceExistsException.
    AlreadyExists,
    /// The caller may not do it.
    AccessDenied,
    /// Requests came too fast, and the retries were used up.
    Throttled,
    /// A quota of versions, labels or secrets is used up (LimitExceededException): waiting does not help.
    QuotaReached,
    /// The endpoint is no URL, or its answer is longer than any of AWS: asking again would change nothing.
    Unusable,
    /// No credentials, or ones that the service refuses.
    Credentials,
    /// The endpoint was not reached, or did not answer in time. A write may or may not have been carried out.
    Unreachable,
    /// The service failed (5xx), or its answer made no sense. A write may or may not have been carried out.
    Service,
    /// The request was refused as it stands.
    Rejected,
}

/// What can be done about a failed call; `render/hint.rs` makes words of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceHint {
    /// Let Secrets Manager invoke the rotation function.
    AllowInvoke,
    /// Change the policy that denied it; none where AWS names no kind of policy.
    Denied(Option<Denial>),
    /// Send fewer requests.
    SlowDown,
    /// Look at region, endpoint and network.
    CheckNetwork,
    /// Look at the credentials.
    CheckCredentials,
    /// Make room, or ask for more.
    QuotaReached,
    /// Look at the principals of the policy, or wait for one that is new.
    CheckPrincipal,
    /// Plan again: the name that was free is taken.
    NameTaken,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl ServiceError {
    /// Whether it may be about the one secret that was asked for: an explicit deny in its policy, a KMS key that is
    /// gone. Everything else would fail for the next secret too.
    pub fn is_about_one_secret(&self) -> bool {
        match self.kind {
            ServiceErrorKind::AccessDenied
            | ServiceErrorKind::InvalidState
            | ServiceErrorKind::AlreadyExists
            | ServiceErrorKind::NotFound
            | ServiceErrorKind::Service
            | ServiceErrorKind::QuotaReached
            | ServiceErrorKind::Rejected => true,
            ServiceErrorKind::Throttled
            | ServiceErrorKind::Credentials
            | ServiceErrorKind::Unreachable
            | ServiceErrorKind::Unusable => false,
        }
    }

    /// What the user can do about it, when that is known.
    pub fn hint(&self) -> Option<ServiceHint> {
        match self.kind {
            // Not the caller's permission but Secrets Manager's own.
            ServiceErrorKind::AccessDenied if self.message.contains("cannot invoke the specified Lambda function") => {
                Some(ServiceHint::AllowInvoke)
            }
            ServiceErrorKind::AccessDenied => Some(ServiceHint::Denied(Denial::read(&self.message))),
            ServiceErrorKind::Throttled => Some(ServiceHint::SlowDown),
            ServiceErrorKind::QuotaReached => Some(ServiceHint::QuotaReached),
            ServiceErrorKind::Rejected if self.message.contains("unsupported principal") => {
                Some(ServiceHint::CheckPrincipal)
            }
            ServiceErrorKind::AlreadyExists if self.operation == "CreateSecret" => Some(ServiceHint::NameTaken),
            ServiceErrorKind::Unreachable | ServiceErrorKind::Unusable => Some(ServiceHint::CheckNetwork),
            ServiceErrorKind::Credentials => Some(ServiceHint::CheckCredentials),
            ServiceErrorKind::NotFound
            | ServiceErrorKind::InvalidState
            | ServiceErrorKind::AlreadyExists
            | ServiceErrorKind::Service
            | ServiceErrorKind::Rejected => None,
        }
    }
}
