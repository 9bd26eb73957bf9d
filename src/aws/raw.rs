//! Signed calls of AWS JSON services for which there is no client here: on the SDK's own runtime, with its
//! credentials, retries, timeouts, proxies, endpoints and error types. A service's client of hundreds of operations
//! costs everybody's first build a minute; this costs none.
//!
//! What may not enter: what an operation means. Bodies go in and come out as bytes of JSON.

use std::borrow::Cow;
use std::fmt;

use aws_config::{Region, SdkConfig};
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_secretsmanager::config::Intercept;
use aws_sdk_secretsmanager::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sdk_secretsmanager::error::SdkError;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{FrozenLayer, Layer};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::chain;

/// A service that is called so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// What requests are signed for, which is the name of its endpoint as well.
    pub(super) name: &'static str,
    /// What its operations are named under, in `X-Amz-Target`.
    pub(super) target: &'static str,
    /// What its variable `AWS_ENDPOINT_URL_…` ends with, and what a profile's `services` call it in small letters.
    pub(super) id: &'static str,
}

/// AWS Key Management Service, API version 2014-11-01.
pub(super) const KMS: Service = Service { name: "kms", target: "TrentService", id: "KMS" };

/// AWS CloudTrail, API version 2013-11-01.
pub(super) const CLOUDTRAIL: Service =
    Service { name: "cloudtrail", target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", id: "CLOUDTRAIL" };

/// AWS Secrets Manager, API version 2017-10-17, for what its client does not know yet.
pub(super) const SECRETS_MANAGER: Service =
    Service { name: "secretsmanager", target: "secretsmanager", id: "SECRETS_MANAGER" };

/// A body, which may hold a secret.
pub(super) struct Body(pub(super) Zeroizing<Vec<u8>>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(…)")
    }
}

/// What a service answers to a request that it carried out.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Body,
    /// The request's id.
    pub(super) request_id: Option<String>,
}

/// A service's refusal, as it names and explains it.
#[derive(Debug)]
pub(super) struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message().unwrap_or("the service gave no message"))
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// Calls one service with one configuration.
#[derive(Clone, Debug)]
pub(super) struct RawClient {
    service: Service,
    config: SdkConfig,
    interceptors: Vec<SharedInterceptor>,
    retries: RetriedBy,
}

/// Who makes a failed call again.
#[derive(Clone, Copy, Debug)]
pub(super) enum RetriedBy {
    /// The SDK's runtime, as the configuration says.
    Runtime,
    /// Whoever calls.
    Caller,
}

impl RawClient {
    pub(super) fn new(service: Service, config: SdkConfig, retries: RetriedBy) -> Self {
        Self { service, config, interceptors: Vec::new(), retries }
    }

    /// Adds one that looks at each request and its answer.
    #[must_use]
    pub(super) fn interceptor(mut self, interceptor: impl Intercept + 'static) -> Self {
        self.interceptors.push(SharedInterceptor::new(interceptor));
        self
    }

    /// The same in another region.
    #[must_use]
    pub(super) fn in_region(&self, region: Region) -> Self {
        Self { config: self.config.to_builder().region(region).build(), ..self.clone() }
    }

    async fn endpoint(&self) -> Result<String, String> {
        match own_endpoint(self.service, &self.config) {
            Some(endpoint) => Ok(endpoint),
            None => endpoint(self.service, &self.config).await,
        }
    }

    /// Sends one request; its answer.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        body: Body,
    ) -> Result<Answer, SdkError<Refusal, HttpResponse>> {
        let Self { service, config, interceptors, retries } = self;
        let endpoint = &self.endpoint().await.map_err(SdkError::construction_failure)?;
        let target = format!("{}.{operation}", service.target);
        let mut call = Operation::builder()
            .service_name(service.id)
            .operation_name(operation)
            .endpoint_url(endpoint)
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .with_connection_poisoning()
            .runtime_plugin(
                StaticRuntimePlugin::new().with_config(signing(*service, config)).with_runtime_components(auth(config)),
            );
        if let Some(behavior) = config.behavior_version() {
            call = call.behavior_version(behavior);
        }
        if let Some(client) = config.http_client() {
            call = call.http_client(client);
        }
        call = match (retries, config.retry_config()) {
            (RetriedBy::Runtime, Some(retries)) => call.standard_retry(retries),
            (RetriedBy::Runtime, None) => call,
            (RetriedBy::Caller, _) => call.no_retry(),
        };
        for interceptor in interceptors {
            call = call.interceptor(interceptor.clone());
        }
        if let Some(timeouts) = config.timeout_config() {
            call = call.timeout_config(timeouts.clone());
        }
        if let Some(sleep) = config.sleep_impl() {
            call = call.sleep_impl(sleep);
        }
        if let Some(time) = config.time_source() {
            call = call.time_source(time);
        }
        call.serializer(move |body: Body| {
            let mut request = HttpRequest::new(SdkBody::from(body.0.as_slice()));
            request.set_method("POST")?;
            request.set_uri("/")?;
            let headers = request.headers_mut();
            headers.insert("content-type", "application/x-amz-json-1.1");
            headers.insert("content-length", body.0.len().to_string());
            headers.insert("x-amz-target", target.clone());
            Ok(request)
        })
        .deserializer(read)
        .build()
        .invoke(body)
        .await
    }
}

/// What the answer says.
fn read(response: &HttpResponse) -> Result<Answer, OrchestratorError<Refusal>> {
    /// The members of a refusal. Services write the second with a small or a large letter.
    #[derive(Default, Deserialize)]
    struct Members {
        #[serde(rename = "__type")]
        kind: Option<String>,
        #[serde(alias = "Message")]
        message: Option<String>,
    }
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let request_id = response.headers().get("x-amzn-requestid").map(str::to_owned);
        return Ok(Answer { body: Body(Zeroizing::new(body.to_vec())), request_id });
    }
    let members: Members = serde_json::from_slice(body).unwrap_or_default();
    let kind = response.headers().get("x-amzn-errortype").map(str::to_owned).or(members.kind);
    let mut metadata = ErrorMetadata::builder();
    if let Some(kind) = &kind {
        metadata = metadata.code(code(kind));
    }
    if let Some(message) = members.message {
        metadata = metadata.message(message);
    }
    Err(OrchestratorError::operation(Refusal(metadata.build())))
}

/// An error's code in what names it: `namespace#Code:http://…` in the longest form.
fn code(kind: &str) -> &str {
    let kind = kind.split_once(':').map_or(kind, |(kind, _)| kind);
    kind.rsplit_once('#').map_or(kind, |(_, code)| code)
}

/// Credentials, and that requests are signed with them.
fn auth(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("keywright raw call")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)))
        .with_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    components
}

/// For which service and region requests are signed, and that what comes back is not to be logged.
fn signing(service: Service, config: &SdkConfig) -> FrozenLayer {
    let mut layer = Layer::new("keywright raw call");
    layer.store_put(SigningName::from_static(service.name));
    if let Some(region) = config.region() {
        layer.store_put(SigningRegion::from(region.clone()));
    }
    let mut signing_options = SigningOptions::default();
    signing_options.double_uri_encode = true;
    signing_options.normalize_uri_path = true;
    layer.store_put(SigV4OperationSigningConfig { signing_options, ..SigV4OperationSigningConfig::default() });
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SensitiveOutput);
    layer.freeze()
}

/// The endpoint that the environment or the profile names for this service or for all.
fn own_endpoint(service: Service, config: &SdkConfig) -> Option<String> {
    let of_service = || {
        let key = ServiceConfigKey::builder()
            .service_id(service.id)
            .profile("endpoint_url")
            .env("AWS_ENDPOINT_URL")
            .build()
            .ok()?;
        config.service_config()?.load_config(key)
    };
    // As in the SDK's clients: what was set by code goes before what is found, and of that what is for this service
    // before what is for all.
    let for_all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() { for_all() } else { of_service().or_else(for_all) }
}

/// AWS's endpoint of a service. Secrets Manager's own rules name it, for partitions, FIPS and dual stack are the same
/// for every regional service of this kind.
async fn endpoint(service: Service, config: &SdkConfig) -> Result<String, String> {
    let params = Params::builder()
        .set_region(config.region().map(ToString::to_string))
        .set_use_fips(config.use_fips())
        .set_use_dual_stack(config.use_dual_stack())
        .build()
        .map_err(|error| chain(&error))?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.map_err(|error| error.to_string())?;
    let url: Cow<'_, str> = endpoint.url().into();
    Ok(url.replacen("://secretsmanager", &format!("://{}", service.name), 1))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail so")]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_config::BehaviorVersion;
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_types::retry::RetryConfig;

    use super::*;
    use crate::aws::error::service_error;
    use crate::live::ServiceErrorKind;

    /// Answers one after the other, and keeps what it was asked.
    #[derive(Clone, Debug)]
    struct Wire {
        answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
        asked: Arc<Mutex<Vec<http::Request<Vec<u8>>>>>,
    }

    impl HttpConnector for Wire {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let (parts, body) = request.try_into_http1x().unwrap().into_parts();
            let body = body.bytes().unwrap_or_default().to_vec();
            self.asked.lock().unwrap().push(http::Request::from_parts(parts, body));
            let (status, body) = self.answers.lock().unwrap().remove(0);
            let answer = http::Response::builder().status(status).header("x-amzn-requestid", "r-1");
            HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer.body(SdkBody::from(body)).unwrap()).unwrap()))
        }
    }

    fn client(answers: &[(u16, &'static str)], region: &'static str) -> (RawClient, Wire) {
        let wire = Wire { answers: Arc::new(Mutex::new(answers.to_vec())), asked: Arc::default() };
        let connector = SharedHttpConnector::new(wire.clone());
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(region))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("AKIDEXAMPLE", "secret", None)))
            .retry_config(RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)))
            .build();
        (RawClient::new(KMS, config, RetriedBy::Runtime), wire)
    }

    fn body(text: &str) -> Body {
        Body(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[tokio::test]
    async fn a_request_is_signed_and_named_as_the_service_wants_it() {
        let (client, wire) = client(&[(200, "{\"Plaintext\":\"\"}")], "cn-north-1");
        let answer = client.call("Decrypt", body("{}")).await.unwrap();
        assert_eq!(&answer.body.0[..], b"{\"Plaintext\":\"\"}");
        let asked = wire.asked.lock().unwrap();
        let request = &asked[0];
        assert_eq!(request.uri(), "https://kms.cn-north-1.amazonaws.com.cn/");
        assert_eq!((request.method().as_str(), request.body().as_slice()), ("POST", &b"{}"[..]));
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-amz-target"), "TrentService.Decrypt");
        assert_eq!(header("content-type"), "application/x-amz-json-1.1");
        let signed = header("authorization");
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signed}");
        assert!(signed.contains("/cn-north-1/kms/aws4_request"), "{signed}");
        assert!(signed.contains("x-amz-target"), "{signed}");
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_stays_is_told() {
        let throttled = (400, "{\"__type\":\"ThrottlingException\"}");
        let denied = (400, "{\"__type\":\"com.amazon#AccessDeniedException\",\"Message\":\"no\"}");
        let (client, wire) = client(&[throttled, (503, ""), denied], "eu-west-1");
        let error = client.call("Decrypt", body("{}")).await.unwrap_err();
        let error = service_error("Decrypt", &error);
        assert_eq!(wire.asked.lock().unwrap().len(), 3);
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ServiceErrorKind::AccessDenied, Some("AccessDeniedException"))
        );
        assert_eq!((error.message.as_str(), error.request_id.as_deref()), ("no", Some("r-1")));
    }

    #[test]
    fn an_error_is_named_by_its_code_alone() {
        for kind in ["Code", "a.b#Code", "Code:http://example.com/a#b", "a.b#Code:http://example.com/"] {
            assert_eq!(code(kind), "Code", "{kind}");
        }
    }
}
