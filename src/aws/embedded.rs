//! The embedded sandbox in the place of the network: requests go through the SDK's own serialisation, signing, retries
//! and error parsing, and end here instead of in a socket.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::sandbox::{DEFAULT_ACCOUNT, Sandbox};

/// An HTTP client whose every request is answered by `sandbox`.
pub(super) fn http_client(sandbox: Sandbox) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Embedded(sandbox));
    http_client_fn(move |_, _| connector.clone())
}

/// Credentials whose access key id is the account, which is how the sandbox tells accounts apart.
pub(super) fn credentials(account: Option<&str>) -> Credentials {
    Credentials::from_keys(account.unwrap_or(DEFAULT_ACCOUNT), "sandbox", None)
}

#[derive(Clone)]
struct Embedded(Sandbox);

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body = body
                .bytes()
                .map(Bytes::copy_from_slice)
                .ok_or_else(|| ConnectorError::user("the sandbox takes no streamed request".into()))?;
            let request = http::Request::from_parts(parts, body);
            // The store's commits wait for the disk, so they stay off the threads that drive other requests.
            let response = tokio::task::spawn_blocking(move || sandbox.answer(&request))
                .await
                .map_err(|error| ConnectorError::other(error.into(), None))?
                // A connection that was dropped on purpose looks like one that the network dropped.
                .map_err(|dropped| ConnectorError::io(dropped.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}
