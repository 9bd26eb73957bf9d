//! The errors that the service answers with: their codes, and each text in one place.
//!
//! Where a text is known from the real service or its documentation it stands here to the letter; where nothing is
//! known, the comment says so. A secret value never enters a message.

use std::borrow::Cow;

/// What a client reads as the error's type, with the HTTP status that the service sends it under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    AccessDenied,
    IncompleteSignature,
    InternalServiceError,
    InvalidEventCategory,
    InvalidLookupAttributes,
    InvalidMaxResults,
    InvalidNextToken,
    InvalidParameter,
    InvalidRequest,
    InvalidSignature,
    InvalidTimeRange,
    LimitExceeded,
    MalformedPolicyDocument,
    MissingAuthenticationToken,
    PublicPolicy,
    ResourceExists,
    ResourceNotFound,
    Serialization,
    Throttling,
    UnknownOperation,
    Validation,
    /// An injected fault, as its rule gives it.
    Injected {
        status: u16,
        code: String,
    },
}

impl ErrorCode {
    /// The `__type` on the wire: the bare name, without a namespace.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InternalServiceError => "InternalServiceError",
            Self::InvalidEventCategory => "InvalidEventCategoryException",
            Self::InvalidLookupAttributes => "InvalidLookupAttributesException",
            Self::InvalidMaxResults => "InvalidMaxResultsException",
            Self::InvalidNextToken => "InvalidNextTokenException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidRequest => "InvalidRequestException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::InvalidTimeRange => "InvalidTimeRangeException",
            Self::LimitExceeded => "LimitExceededException",
            Self::MalformedPolicyDocument => "MalformedPolicyDocumentException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::PublicPolicy => "PublicPolicyException",
            Self::ResourceExists => "ResourceExistsException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Serialization => "SerializationException",
            Self::Throttling => "ThrottlingException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::Validation => "ValidationException",
            Self::Injected { code, .. } => code,
        }
    }

    /// The HTTP status: 400 for everything that the client did, even for what is not found.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::InternalServiceError => 500,
            Self::Injected { status, .. } => *status,
            _ => 400,
        }
    }
}

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
}

/// The prefix of an action.
pub(crate) fn service_of(action: &str) -> &'static str {
    if action == "LookupEvents" { "cloudtrail" } else { "secretsmanager" }
}

impl ServiceError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn invalid_parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidParameter, message)
    }

    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Validation, message)
    }

    /// A failure of the sandbox itself, or one that was injected.
    pub(crate) fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InternalServiceError, message)
    }

    /// An action that no identity-based policy allows, in the service's words: `resource` is the ARN of a secret that
    /// exists, or what the request calls it.
    pub(crate) fn not_allowed(user: &str, action: &str, resource: Option<&str>) -> Self {
        let service = service_of(action);
        let because = format!("because no identity-based policy allows the {service}:{action} action");
        Self::access_denied(user, action, resource, &because)
    }

    /// An action that an identity-based policy denies.
    pub(crate) fn explicitly_denied(user: &str, action: &str, resource: Option<&str>) -> Self {
        Self::access_denied(user, action, resource, "with an explicit deny in an identity-based policy")
    }

    fn access_denied(user: &str, action: &str, resource: Option<&str>, because: &str) -> Self {
        let on = resource.map(|resource| format!(" on resource: {resource}")).unwrap_or_default();
        let service = service_of(action);
        let message = format!("User: {user} is not authorized to perform: {service}:{action}{on} {because}");
        Self::new(ErrorCode::AccessDenied, message)
    }

    pub(crate) fn secret_not_found() -> Self {
        Self::new(ErrorCode::ResourceNotFound, "Secrets Manager can't find the specified secret.")
    }

    pub(crate) fn label_not_found(label: &str) -> Self {
        let message = format!("Secrets Manager can't find the specified secret value for staging label: {label}");
        Self::new(ErrorCode::ResourceNotFound, message)
    }

    pub(crate) fn version_not_found(version_id: &str) -> Self {
        let message = format!("Secrets Manager can't find the specified secret value for VersionId: {version_id}");
        Self::new(ErrorCode::ResourceNotFound, message)
    }

    pub(crate) fn invalid_name() -> Self {
        Self::validation(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )
    }

    pub(crate) fn scheduled_for_deletion() -> Self {
        Self::invalid_request("You can't perform this operation on the secret because it was marked for deletion.")
    }

    pub(crate) fn name_scheduled_for_deletion() -> Self {
        Self::invalid_request(
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    }

    pub(crate) fn already_exists(name: &str) -> Self {
        let message = format!("The operation failed because the secret {name} already exists.");
        Self::new(ErrorCode::ResourceExists, message)
    }

    pub(crate) fn token_in_use(token: &str, arn: &str) -> Self {
        let message = format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a version of secret \
             {arn}."
        );
        Self::new(ErrorCode::ResourceExists, message)
    }

    pub(crate) fn token_missing() -> Self {
        Self::invalid_request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    }

    pub(crate) fn system_tag(key: &str) -> Self {
        Self::invalid_parameter(format!("You can't modify system tags. Tag key: '{key}'."))
    }

    pub(crate) fn invalid_kms_key() -> Self {
        Self::invalid_parameter("The operation failed because of an invalid KMS key: Invalid keyId")
    }

    pub(crate) fn foreign_account_with_default_key() -> Self {
        Self::invalid_request(
            "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS \
             service key.",
        )
    }

    pub(crate) fn rate_exceeded() -> Self {
        Self::new(ErrorCode::Throttling, "Rate exceeded")
    }

    /// The cause is documented, its text is not known.
    pub(crate) fn managed_by_service() -> Self {
        Self::invalid_request(
            "You can't perform this operation on the secret because it is managed by another service, and you must \
             use that service to update it.",
        )
    }

    pub(crate) fn not_on_a_replica() -> Self {
        Self::invalid_parameter(
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        )
    }

    pub(crate) fn has_replicas(arn: &str, regions: &[&str]) -> Self {
        let regions = regions.join(", ");
        Self::invalid_parameter(format!("You can't delete secret {arn} that still has replica regions [{regions}]."))
    }

    /// That the values of a replica of another account's secret are its primary's is documented; the error is not
    /// known.
    pub(crate) fn not_on_a_cross_account_replica(primary: &str) -> Self {
        Self::invalid_request(format!(
            "You can't perform this operation on a cross-account replica: its values are those of its primary \
             {primary}. Call StopReplicationToReplica to make it a standalone secret."
        ))
    }

    /// Documented; the code and the text are not known.
    pub(crate) fn has_cross_account_replica(arn: &str, replica: &str) -> Self {
        Self::invalid_request(format!(
            "You can't delete secret {arn} that is still associated with the cross-account replica {replica}. Call \
             DisassociateCrossAccountReplica first."
        ))
    }

    /// Documented; the code and the text are not known.
    pub(crate) fn is_cross_account_replica(arn: &str) -> Self {
        Self::invalid_request(format!(
            "You can't delete the cross-account replica {arn}. Call StopReplicationToReplica first."
        ))
    }

    /// The code is documented, the text is not known.
    pub(crate) fn policy_not_found(name: &str) -> Self {
        let message = format!("Secrets Manager can't find the resource policy {name} of the specified secret.");
        Self::new(ErrorCode::ResourceNotFound, message)
    }

    /// The code is documented, the text is not known.
    pub(crate) fn only_default_policy(name: &str) -> Self {
        Self::invalid_parameter(format!("You can modify only the resource policy named default, not {name}."))
    }

    pub(crate) fn invalid_replica_region() -> Self {
        Self::invalid_parameter("Invalid replica region.")
    }

    pub(crate) fn no_rotation_function() -> Self {
        Self::invalid_request("No Lambda rotation function ARN is associated with this secret.")
    }

    pub(crate) fn rotation_unfinished() -> Self {
        Self::invalid_request("A previous rotation isn't complete. That rotation will be reattempted.")
    }

    pub(crate) fn function_not_invocable() -> Self {
        Self::new(
            ErrorCode::AccessDenied,
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants \
             access to the principal secretsmanager.amazonaws.com.",
        )
    }

    /// The text for a token that is not one of ours is not known from the real service.
    pub(crate) fn invalid_next_token() -> Self {
        Self::new(ErrorCode::InvalidNextToken, "Invalid NextToken.")
    }

    /// The text is not known.
    pub(crate) fn invalid_time_range() -> Self {
        Self::new(ErrorCode::InvalidTimeRange, "The start time is after the end time, or a time cannot be.")
    }

    pub(crate) fn unknown_operation(name: &str) -> Self {
        Self::new(ErrorCode::UnknownOperation, format!("The operation {name:?} is not one of this service."))
    }
}
