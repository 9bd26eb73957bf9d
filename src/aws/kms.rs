//! Data keys of SOPS files that AWS KMS unwraps.

use std::collections::{BTreeMap, HashMap};

use aws_config::Region;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::connection::{base, with_profile, with_role};
use super::error::service_error;
use super::http::http_client;
use super::raw::{Body, KMS, RawClient, RetriedBy};
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
    clients: Mutex<HashMap<Reach, RawClient>>,
}

/// What a client is made for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Reach {
    region: String,
    profile: Option<String>,
    role: Option<String>,
}

/// The request of Decrypt, as far as SOPS needs it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    key_id: &'a str,
    ciphertext_blob: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    encryption_context: &'a BTreeMap<String, String>,
}

/// What Decrypt answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    plaintext: String,
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

    async fn client(&self, reach: Reach) -> Result<RawClient, String> {
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
        let client = RawClient::new(KMS, config, RetriedBy::Runtime);
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
        let input = Input { key_id: arn, ciphertext_blob: STANDARD.encode(ciphertext), encryption_context: context };
        let input = serde_json::to_vec(&input).map_err(|_| "the request could not be written".to_owned())?;
        let answer = client.call("Decrypt", Body(Zeroizing::new(input))).await.map_err(|error| {
            let error = service_error("Decrypt", &error);
            match profile {
                Some(profile) => format!(
                    "with the AWS profile {profile}, which the file asks for: {error}; define the profile, or take \
                     aws_profile out of the file"
                ),
                None => error.to_string(),
            }
        })?;
        // Neither error is told: it could quote the answer.
        let output: Output = serde_json::from_slice(&answer.body.0).map_err(|_| "the answer has no key".to_owned())?;
        let key = STANDARD
            .decode(Zeroizing::new(output.plaintext).as_bytes())
            .map_err(|_| "the answer has no key".to_owned())?;
        Ok(Zeroizing::new(key))
    }
}
