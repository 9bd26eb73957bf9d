//! The HTTP and TLS under every client: certificates, proxies, and the longest answer that is read.
//!
//! TLS by rustls with ring: no C library to build. A request to this machine never goes through a proxy, wherever its
//! endpoint came from. Answers have a bound, since the SDK reads each of them whole, and an endpoint that is no AWS may
//! send without end.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::{LengthLimitError, Limited};

use super::error::has_source;
use crate::loopback::is_loopback;

/// The longest answer that is read, in bytes.
///
/// The longest that the documented limits allow is a page of ListSecrets: 100 secrets, each with 50 tags of 128 and 256
/// characters, a description and a key of 2,048 each, and its versions, in letters of four bytes: some 12 MB. The 20
/// values of 64 KiB that one BatchGetSecretValue gives are 8 MB where every byte of them is escaped.
pub(super) const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A client that trusts the system's certificates, or those of `tls`, and goes through the proxies of the environment.
pub(super) fn http_client(tls: Option<&TlsContext>) -> SharedHttpClient {
    SharedHttpClient::new(ProxiedOrDirect {
        proxied: client(tls, ProxyConfig::from_env()),
        direct: client(tls, ProxyConfig::disabled()),
    })
}

fn client(tls: Option<&TlsContext>, proxy: ProxyConfig) -> SharedHttpClient {
    let tls = tls.cloned();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        let mut connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring));
        if let Some(tls) = &tls {
            connector.set_tls_context(tls.clone());
        }
        connector.build()
    })
}

/// Whether an answer was broken off at the bound.
pub(super) fn was_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    has_source::<LengthLimitError>(error)
}

/// The way to this machine, and the way to all others.
#[derive(Debug)]
struct ProxiedOrDirect<T> {
    proxied: T,
    direct: T,
}

impl HttpClient for ProxiedOrDirect<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(ProxiedOrDirect {
            proxied: self.proxied.http_connector(settings, components),
            direct: self.direct.http_connector(settings, components),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.proxied.validate_base_client_config(components, config)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        self.proxied.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.proxied.connector_metadata()
    }
}

impl HttpConnector for ProxiedOrDirect<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = if is_loopback(request.uri()) { &self.direct } else { &self.proxied };
        let answer = way.call(request);
        HttpConnectorFuture::new(async move {
            Ok(answer.await?.map(|body| SdkBody::from_body_1_x(Limited::new(body, LONGEST_ANSWER))))
        })
    }
}
