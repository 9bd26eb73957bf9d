//! One POST to somebody else than AWS, through the HTTP and TLS that the SDK brings along: a second stack would double
//! what has to be trusted and kept up to date.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

/// Why a POST came to nothing. It holds no part of the URL, and so no text of the HTTP stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The URL cannot be requested.
    #[error("its URL cannot be requested")]
    Url,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection could not be made, or broke.
    #[error("the connection could not be made, or broke (DNS, TCP, TLS or a proxy)")]
    Connection,
}

/// Posts a JSON document, without following redirects, and returns the status of the answer. Its body is not read.
pub async fn post_json(url: &str, loopback: bool, document: &str, limit: Duration) -> Result<u16, PostError> {
    let proxy = if loopback { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    let connector = Connector::builder().proxy_config(proxy).tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let mut request = HttpRequest::new(SdkBody::from(document));
    request.set_method("POST").map_err(|_| PostError::Url)?;
    request.set_uri(url).map_err(|_| PostError::Url)?;
    request.headers_mut().insert("content-type", "application/json");
    request.headers_mut().insert("content-length", document.len().to_string());
    request.headers_mut().insert("user-agent", concat!("keywright/", env!("CARGO_PKG_VERSION")));
    let answered = tokio::time::timeout(limit, connector.call(request)).await.map_err(|_| PostError::TimedOut)?;
    match answered {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(error) if error.is_timeout() => Err(PostError::TimedOut),
        Err(_) => Err(PostError::Connection),
    }
}
