//! Reports which requests leave and what comes back of each, repeated ones included, to the recorder of writing calls.

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

/// The error code of AWS JSON 1.1, without its namespace, or of the XML in which STS answers. The rest of the body is
/// not looked at.
pub(super) fn error_code(response: &HttpResponse) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        #[serde(rename = "__type")]
        code: String,
    }
    let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
    let code = header.or_else(|| {
        let body = response.body().bytes()?;
        let json = serde_json::from_slice::<Error>(body).ok().map(|error| error.code);
        json.or_else(|| {
            let (_, code) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
            Some(code.split_once("</Code>")?.0.to_owned())
        })
    })?;
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn codes_are_read_from_json_and_from_the_xml_of_sts() {
        let code = |body: &'static str| {
            let response = http::Response::builder().status(403).body(SdkBody::from(body)).ok()?;
            error_code(&HttpResponse::try_from(response).ok()?)
        };
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>";
        assert_eq!(code(xml).as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(code(r#"{"__type": "a.b#AccessDeniedException"}"#).as_deref(), Some("AccessDeniedException"));
        assert_eq!(code("<Code>"), None);
        assert_eq!(code("no code"), None);
    }
}
