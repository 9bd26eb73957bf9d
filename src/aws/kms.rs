//! Data keys of SOPS files that AWS KMS unwraps.

use std::collections::HashMap;

use aws_config::Region;
use aws_sdk_kms::primitives::Blob;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::connection::{base, with_profile, with_role};
use super::error::service_error;
use super::http::http_client;
use super::settings::Settings;
use crate::loopback::is_loopback;
use crate::value::{DataKeys, KmsRequest, region_of_key};

/// AWS KMS, through the normal credential chain and with the role and profile that a file names, where those are
/// allowed.
/// With the embedded sandbox nothing outside the process is asked: no KMS, no STS, no `credential_process`.
#[derive(Default)]
pub struct Kms {
    endpoint_url: Option<String>,
    refused: bool,
    clients: Mutex<HashMap<Reach, aws_sdk_kms::Client>>,
}

/// What a client is made for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Reach {
    region: String,
    profile: Option<String>,
    role: Option<String>,
}

impl Kms {
    /// KMS itself, or an endpoint on loopback that stands in for all of AWS.
    pub(super) fn new(endpoint_url: Option<String>) -> Self {
        Self { endpoint_url: endpoint_url.filter(|url| is_loopback(url)), ..Self::default() }
    }

    /// KMS is not asked.
    pub(super) fn refused() -> Self {
        Self { refused: true, ..Self::default() }
    }

    async fn client(&self, reach: Reach) -> Result<aws_sdk_kms::Client, String> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(&reach) {
            return Ok(client.clone());
        }
        let settings = Box::pin(Settings::read(reach.profile.as_deref())).await.map_err(|error| error.to_string())?;
        let http = http_client(settings.tls_context().as_ref());
        let mut loader = base(reach.region.clone(), http.clone(), settings.max_attempts);
        if let Some(profile) = &reach.profile {
            loader = with_profile(loader, profile, &reach.region, http);
        }
        if let Some(endpoint) = &self.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        let mut config = loader.load().await;
        if let Some(role) = &reach.role {
            config = with_role(config, role, Region::new(reach.region.clone())).await;
        }
        let client = aws_sdk_kms::Client::new(&config);
        clients.insert(reach, client.clone());
        Ok(client)
    }
}

impl DataKeys for Kms {
    async fn decrypt_kms(&self, request: &KmsRequest) -> Result<Zeroizing<Vec<u8>>, String> {
        let KmsRequest { arn, ciphertext, context, role, profile } = request;
        if self.refused {
            return Err("AWS is not asked with --sandbox: encrypt the file to an age key as well".to_owned());
        }
        // It becomes a part of the host that is asked.
        let region = region_of_key(arn).ok_or_else(|| "the key's ARN names no region".to_owned())?.to_owned();
        let client = self.client(Reach { region, profile: profile.clone(), role: role.clone() }).await?;
        let mut call = client.decrypt().key_id(arn).ciphertext_blob(Blob::new(ciphertext.as_slice()));
        for (key, value) in context {
            call = call.encryption_context(key, value);
        }
        let answer = call.send().await.map_err(|error| {
            let error = service_error("Decrypt", &error);
            match profile {
                Some(profile) => format!(
                    "with the AWS profile {profile}, which the file asks for: {error}; define the profile, or take \
                     aws_profile out of the file"
                ),
                None => error.to_string(),
            }
        })?;
        answer.plaintext.map(|key| Zeroizing::new(key.into_inner())).ok_or_else(|| "the answer has no key".to_owned())
    }
}
