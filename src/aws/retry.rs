//! Which failures are tried again.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

use super::bounded::was_too_long;
use super::sent::error_code;

/// Failures that stay, though the SDK would try again.
///
/// LimitExceededException is in its list of throttling errors. Secrets Manager answers it for a quota of secrets,
/// versions or labels that is used up, which no waiting helps ("AWS Secrets Manager quotas"). An answer that was too
/// long once would only be sent again.
#[derive(Debug)]
pub(super) struct FinalFailures;

impl ClassifyRetry for FinalFailures {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let code = context.response().and_then(error_code);
        if code.as_deref() == Some("LimitExceededException") || was_too_long(error) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "FinalFailures"
    }

    fn priority(&self) -> RetryClassifierPriority {
        // Whoever forbids is asked first: nobody after it is heard.
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }
}
