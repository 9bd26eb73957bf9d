//! Says which requests leave and what comes back of each, the SDK's own retries included: the recorder of writing calls
//! listens.

use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use serde::Deserialize;

use crate::apply::{Answered, request_answered, request_sent};

/// The interceptor of one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentRequests;

impl Intercept for SentRequests {
    fn name(&self) -> &'static str {
        "SentRequests"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = config.load::<Metadata>() {
            request_sent(operation.name());
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        request_answered(context.response().map(answered));
        Ok(())
    }
}

fn answered(response: &HttpResponse) -> Answered {
    let accepted = response.status().is_success();
    let request_id = response.headers().get("x-amzn-requestid").map(str::to_owned);
    Answered { code: if accepted { None } else { error_code(response) }, accepted, request_id }
}

/// The error code of AWS JSON 1.1, without its namespace. The rest of the body is not looked at.
pub(super) fn error_code(response: &HttpResponse) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        #[serde(rename = "__type")]
        code: String,
    }
    let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
    let code = header.or_else(|| {
        let body = response.body().bytes()?;
        serde_json::from_slice::<Error>(body).ok().map(|error| error.code)
    })?;
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().map(str::to_owned)
}
