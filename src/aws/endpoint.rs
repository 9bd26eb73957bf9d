//! The endpoint that is in force, from wherever it came: a flag, the manifest, AWS_ENDPOINT_URL*, a profile. It is read
//! from the requests themselves, so that nothing says "AWS" of what goes to another place.

use std::sync::{Arc, OnceLock};

use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;

/// Where the first request went. Cheap to clone; the clones know the same.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointInForce(Arc<OnceLock<String>>);

impl EndpointInForce {
    /// The endpoint, once a request was sent, when it is none of AWS's own for Secrets Manager in `region`.
    pub(super) fn other_than_aws(&self, region: &str) -> Option<String> {
        self.0.get().filter(|origin| !is_of_aws(origin, region)).cloned()
    }
}

impl Intercept for EndpointInForce {
    fn name(&self) -> &'static str {
        "EndpointInForce"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.0.get().is_none()
            && let Ok(url) = url::Url::parse(context.request().uri())
        {
            // Its origin alone: a path or a user's name in it has no place in a report.
            self.0.get_or_init(|| url.origin().ascii_serialization());
        }
        Ok(())
    }
}

/// Whether an origin is the service's own: `secretsmanager.REGION.amazonaws.com`, with FIPS and dual-stack forms and
/// the domains of the other partitions (AWS General Reference, "AWS Secrets Manager endpoints and quotas").
fn is_of_aws(origin: &str, region: &str) -> bool {
    let host = origin.strip_prefix("https://").unwrap_or_default();
    let rest = host.strip_prefix("secretsmanager-fips.").or_else(|| host.strip_prefix("secretsmanager."));
    let domain = rest.and_then(|rest| rest.strip_prefix(region)?.strip_prefix('.'));
    domain.is_some_and(|domain| DOMAINS.contains(&domain))
}

/// DNS suffixes of the partitions, as the SDK's own rules have them.
const DOMAINS: [&str; 14] = [
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "api.cloud-aws.adc-e.uk",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_the_service_are_told_from_others() {
        for (origin, region) in [
            ("https://secretsmanager.eu-west-1.amazonaws.com", "eu-west-1"),
            ("https://secretsmanager-fips.us-east-1.amazonaws.com", "us-east-1"),
            ("https://secretsmanager.us-east-1.api.aws", "us-east-1"),
            ("https://secretsmanager.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("https://secretsmanager.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"),
            ("https://secretsmanager.eu-isoe-west-1.api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
        ] {
            assert!(is_of_aws(origin, region), "{origin}");
        }
        for origin in [
            "http://secretsmanager.eu-west-1.amazonaws.com",
            "https://secretsmanager.eu-west-1.amazonaws.com:8443",
            "https://secretsmanager.eu-west-1.amazonaws.com.example",
            "https://secretsmanager.us-east-1.amazonaws.com",
            "https://vpce-1.secretsmanager.eu-west-1.vpce.amazonaws.com",
            "http://127.0.0.1:4566",
        ] {
            assert!(!is_of_aws(origin, "eu-west-1"), "{origin}");
        }
    }
}
