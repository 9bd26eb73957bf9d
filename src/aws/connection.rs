//! From a target to a client: credentials, region, endpoint, and the account that they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;

use super::calls::CallCounts;
use super::clock::ServiceClock;
use super::cloudtrail::Trail;
use super::credential_kind::CredentialKind;
use super::credentials::{self, CredentialSearch};
use super::embedded;
use super::endpoint::EndpointInForce;
use super::error::{chain, service_error};
use super::http::http_client;
use super::kms::Kms;
use super::pace::Pace;
use super::quota::Operation;
use super::raw::{CLOUDTRAIL, RawClient, RetriedBy, SECRETS_MANAGER};
use super::read::Reader;
use super::retry::{Attempts, OnlyClockSkew, PROPAGATION_TIMEOUT, Retries};
use super::sent::SentRequests;
use super::settings::{SettingError, Settings};
use super::wait_reporter::WaitReporter;
use super::write::Writer;
use crate::desired::Target;
use crate::domain::{self, AccountId};
use crate::live::{ReadSecrets as _, ServiceError};
use crate::loopback::is_loopback;
use crate::sandbox::Sandbox;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one attempt may take in all.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// What AWS counts requests by.
type AccountAndRegion = (AccountId, domain::Region);

/// Everything that targets are reached through in one run.
pub struct Aws {
    sandbox: Option<Sandbox>,
    /// Whether a call is made once, whatever comes of it.
    one_attempt: bool,
    endpoint_url: Option<String>,
    identify: bool,
    /// The accounts that targets may be in; empty for any.
    only_accounts: BTreeSet<String>,
    paces: Mutex<BTreeMap<AccountAndRegion, Arc<Pace>>>,
    calls: CallCounts,
    wait_reporter: WaitReporter,
    /// In milliseconds; connections look at it before each wait.
    propagation: Arc<AtomicU64>,
}

impl Default for Aws {
    fn default() -> Self {
        Self {
            sandbox: None,
            one_attempt: false,
            endpoint_url: None,
            identify: false,
            only_accounts: BTreeSet::new(),
            paces: Mutex::default(),
            calls: CallCounts::default(),
            wait_reporter: WaitReporter::default(),
            propagation: Arc::new(AtomicU64::new(milliseconds(PROPAGATION_TIMEOUT))),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Aws {
    /// AWS itself, or `endpoint_url` in its place, which then overrides what the targets say.
    pub fn new(endpoint_url: Option<String>) -> Self {
        Self { endpoint_url, ..Self::default() }
    }

    /// The embedded sandbox. Profiles, roles and endpoints of the targets are not looked at.
    pub fn embedded(sandbox: Sandbox) -> Self {
        Self { sandbox: Some(sandbox), ..Self::default() }
    }

    /// An embedded sandbox that nothing happens to by chance: what it refuses once it refuses always, so no call is
    /// tried again, and nothing is waited for that was made moments ago.
    pub fn rehearsal(sandbox: Sandbox) -> Self {
        Self { one_attempt: true, ..Self::embedded(sandbox) }
    }

    /// Asks for the caller's account of every target, also of those that name none: an approval is for one account.
    #[must_use]
    pub fn identifying_callers(self) -> Self {
        Self { identify: true, ..self }
    }

    /// Refuses targets in other accounts than these; none given allows any. Whatever the manifests say, the caller's
    /// account is asked for then.
    #[must_use]
    pub fn only_accounts(self, only_accounts: BTreeSet<String>) -> Self {
        Self { only_accounts, ..self }
    }

    /// Refuses a target that says itself that it lies beyond the accounts that are allowed: by its account, or by the
    /// role that is to be assumed.
    pub fn check_declared_account(&self, target: &Target) -> Result<(), ConnectError> {
        let role = target.assume_role.as_deref().and_then(|role| role.split(':').nth(4));
        target
            .account
            .as_ref()
            .map(AccountId::as_str)
            .into_iter()
            .chain(role)
            .try_for_each(|account| self.check_account(account))
    }

    fn check_account(&self, account: &str) -> Result<(), ConnectError> {
        if self.only_accounts.is_empty() || self.only_accounts.contains(account) {
            return Ok(());
        }
        Err(ConnectError::OtherAccount { account: account.to_owned() })
    }

    /// Says what is waited for.
    #[must_use]
    pub fn reporting_waits(self, wait_reporter: WaitReporter) -> Self {
        Self { wait_reporter, ..self }
    }

    /// How long a call is made again that misses what was made moments ago: a role, a permission, a name that is free
    /// again.
    pub fn set_propagation_timeout(&self, timeout: Duration) {
        self.propagation.store(milliseconds(timeout), Ordering::Relaxed);
    }

    /// Whether everything stays in the embedded sandbox.
    pub fn is_embedded(&self) -> bool {
        self.sandbox.is_some()
    }

    /// How many answers said that a request came too soon.
    pub fn throttled_answers(&self) -> u64 {
        self.wait_reporter.throttled_answers()
    }

    /// The time: the sandbox has a clock of its own.
    pub fn now(&self) -> jiff::Timestamp {
        self.sandbox.as_ref().map_or_else(jiff::Timestamp::now, Sandbox::now)
    }

    /// Where a target is reached when that is not AWS itself: an endpoint, or the sandbox.
    pub fn endpoint(&self, target: &Target) -> Option<String> {
        if self.is_embedded() {
            return Some("sandbox".to_owned());
        }
        self.endpoint_url.clone().or_else(|| target.endpoint_url.clone())
    }

    /// AWS KMS, for data keys of SOPS files. With the sandbox nothing of AWS is asked.
    pub fn kms(&self) -> Kms {
        if self.is_embedded() { Kms::refused() } else { Kms::new(self.endpoint_url.clone()) }
    }

    /// The requests sent so far, over all targets.
    pub fn calls(&self) -> &CallCounts {
        &self.calls
    }

    /// Finds credentials for `target`, and checks that they belong to its account when it names one.
    pub async fn connect(&self, target: &Target) -> Result<Connection, ConnectError> {
        self.check_declared_account(target)?;
        let settings = Box::pin(self.settings(target)).await?;
        let Configs { service, identity, credentials } = if let Some(sandbox) = &self.sandbox {
            Configs::same(embedded_config(sandbox, target), CredentialKind::Sandbox)
        } else {
            let configs = Box::pin(self.configs(target, &settings));
            self.wait_reporter.watch("credentials", &self.place(target), configs).await?
        };
        let retries = self.retries(target, &settings);
        let caller = match &target.account {
            Some(expected) => {
                let found = self.caller(&identity, &retries).await?;
                if found.account != *expected {
                    return Err(ConnectError::WrongAccount { expected: expected.clone(), found: found.account });
                }
                Some(found)
            }
            None if self.identify || !self.only_accounts.is_empty() => Some(self.caller(&identity, &retries).await?),
            None => None,
        };
        if let Some(caller) = &caller {
            self.check_account(caller.account.as_str())?;
        }
        let (account, caller) = caller.map(|caller| (caller.account, caller.arn)).unzip();
        let clock = ServiceClock::new(self.sandbox.clone());
        let endpoint = EndpointInForce::default();
        let raw = RawClient::new(SECRETS_MANAGER, service.clone(), RetriedBy::Caller)
            .interceptor(self.calls.clone())
            .interceptor(SentRequests)
            .interceptor(clock.clone())
            .interceptor(endpoint.clone());
        let client = aws_sdk_secretsmanager::config::Builder::from(&service)
            .interceptor(self.calls.clone())
            .interceptor(SentRequests)
            .interceptor(clock.clone())
            .interceptor(endpoint.clone())
            .retry_classifier(OnlyClockSkew)
            .retry_config(RetryConfig::standard())
            .retry_partition(own_retries())
            .build();
        let client = aws_sdk_secretsmanager::Client::from_conf(client);
        let place = (!self.is_embedded()).then(|| (endpoint, target.region.clone()));
        let retries = Retries { pace: self.pace(account.as_ref(), &target.region, &settings), ..retries };
        let trail = RawClient::new(CLOUDTRAIL, identity, RetriedBy::Caller).interceptor(self.calls.clone());
        let trail = Trail::new(trail, retries.clone());
        let reader = Reader::new(client, raw, retries, clock);
        Ok(Connection { account, caller, credentials, place, reader, trail })
    }

    async fn settings(&self, target: &Target) -> Result<Settings, ConnectError> {
        // Nobody's environment changes what a sandbox in this process does.
        if self.is_embedded() {
            return Ok(Settings::default());
        }
        Ok(Settings::read(target.profile.as_deref()).await?)
    }

    fn retries(&self, target: &Target, settings: &Settings) -> Retries {
        Retries {
            attempts: if self.one_attempt { Attempts::ONE } else { Attempts::of(settings.max_attempts) },
            pace: Arc::new(Pace::unlimited()),
            propagation: Arc::clone(&self.propagation),
            wait_reporter: self.wait_reporter.clone(),
            place: self.place(target),
        }
    }

    /// Where a target is, for people.
    fn place(&self, target: &Target) -> String {
        self.endpoint(target).unwrap_or_else(|| format!("AWS in {}", target.region))
    }

    /// Two targets in one account and region share their pace, as they share AWS's quotas. Where nobody asked for the
    /// account, a target has its own.
    fn pace(&self, account: Option<&AccountId>, region: &domain::Region, settings: &Settings) -> Arc<Pace> {
        // The sandbox has quotas where its faults say so.
        if self.sandbox.as_ref().is_some_and(|sandbox| !sandbox.has_quotas()) {
            return Arc::new(Pace::unlimited());
        }
        let new = || Arc::new(Pace::documented(!settings.keeps_pace));
        let Some(account) = account else { return new() };
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paces.entry((account.clone(), region.clone())).or_insert_with(new))
    }

    async fn configs(&self, target: &Target, settings: &Settings) -> Result<Configs, ConnectError> {
        let endpoint = self.endpoint_url.as_ref().or(target.endpoint_url.as_ref());
        let http = http_client(settings.tls_context().as_ref());
        let mut loader = base(target.region.to_string(), http.clone(), settings.max_attempts);
        if let Some(profile) = &target.profile {
            loader = with_profile(loader, profile, target.region.as_str(), http);
        }
        // A loopback endpoint stands in for all of AWS, STS included. Any other is one of Secrets Manager alone.
        if let Some(endpoint) = endpoint.filter(|url| is_loopback(url)) {
            loader = loader.endpoint_url(endpoint);
        }
        let mut config = loader.load().await;
        if let Some(role) = &target.assume_role {
            config = with_role(config, role, Region::new(target.region.to_string())).await;
        }
        let kind = self.check_credentials(&config, target).await?;
        let mut configs = Configs::same(config, kind);
        if let Some(endpoint) = endpoint.filter(|url| !is_loopback(url)) {
            configs.service = configs.service.into_builder().endpoint_url(endpoint).build();
        }
        Ok(configs)
    }

    /// Fails early, and says where credentials were looked for.
    async fn check_credentials(&self, config: &SdkConfig, target: &Target) -> Result<CredentialKind, ConnectError> {
        let found = match config.credentials_provider() {
            Some(provider) => provider.provide_credentials().await,
            None => Err(CredentialsError::not_loaded("none is configured")),
        };
        match found {
            Ok(credentials) => Ok(CredentialKind::of(&credentials)),
            Err(error) => {
                let search = Box::new(Box::pin(credentials::search(target, &error)).await);
                let reason = match error {
                    // The chain lists every place with what is not set for it; where it looked is in the search.
                    CredentialsError::CredentialsNotLoaded(_) => "none was found".to_owned(),
                    error => chain(&error),
                };
                Err(ConnectError::NoCredentials { search, reason })
            }
        }
    }

    /// STS GetCallerIdentity.
    async fn caller(&self, config: &SdkConfig, retries: &Retries) -> Result<Caller, ConnectError> {
        let client = aws_sdk_sts::config::Builder::from(config)
            .interceptor(self.calls.clone())
            .retry_classifier(OnlyClockSkew)
            .retry_config(RetryConfig::standard())
            .retry_partition(own_retries())
            .build();
        let call = aws_sdk_sts::Client::from_conf(client).get_caller_identity();
        let once = || async { call.clone().send().await.map_err(|error| service_error("GetCallerIdentity", &error)) };
        let identity = retries.run(Operation::GetCallerIdentity, retries.attempts, || Box::pin(once())).await?;
        Ok(Caller {
            account: AccountId::of_service(identity.account.unwrap_or_default()),
            arn: identity.arn.unwrap_or_default(),
        })
    }
}

/// Who the credentials belong to.
struct Caller {
    account: AccountId,
    arn: String,
}

/// How the services are reached.
struct Configs {
    /// Secrets Manager.
    service: SdkConfig,
    /// STS and CloudTrail, which keep AWS's own endpoints: the account check must not ask whoever answers at another
    /// one.
    identity: SdkConfig,
    /// What gave the credentials of both.
    credentials: CredentialKind,
}

impl Configs {
    fn same(config: SdkConfig, credentials: CredentialKind) -> Self {
        Self { service: config.clone(), identity: config, credentials }
    }
}

/// A target that answers, with the account checked.
#[derive(Clone)]
pub struct Connection {
    /// The account that the credentials belong to, when the target names one.
    pub account: Option<AccountId>,
    /// The ARN of the caller, as GetCallerIdentity shows it, when it was asked for the account.
    pub caller: Option<String>,
    /// What gave the credentials.
    pub credentials: CredentialKind,
    /// Where requests go, and the region in which they should be answered; none in the embedded sandbox.
    place: Option<(EndpointInForce, domain::Region)>,
    reader: Reader,
    trail: Trail,
}

impl Connection {
    /// The time by the service's clock, as of its last answer; by ours where it has not answered.
    pub fn now(&self) -> jiff::Timestamp {
        self.reader.service_time().unwrap_or_else(jiff::Timestamp::now)
    }

    /// Where the target was reached when that was not AWS itself, once it was: an endpoint, or `sandbox`.
    pub fn endpoint(&self) -> Option<String> {
        match &self.place {
            None => Some("sandbox".to_owned()),
            Some((endpoint, region)) => endpoint.other_than_aws(region.as_str()),
        }
    }

    /// The reading operations alone.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// CloudTrail's event history, of the same account and region.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// The writing operations. Only `apply` and the day-2 commands may ask for them.
    pub fn writer(&self) -> Writer {
        Writer::new(self.reader.clone())
    }
}

/// Why a target cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No credentials were found.
    #[error("there are no usable credentials: {reason}")]
    NoCredentials {
        /// Where they were looked for.
        search: Box<CredentialSearch>,
        /// What the credential chain said.
        reason: String,
    },
    /// The credentials belong to another account than the target names.
    #[error("the credentials belong to account {found}, and the target is in account {expected}")]
    WrongAccount {
        /// The target's account.
        expected: AccountId,
        /// The credentials' account.
        found: AccountId,
    },
    /// The target is in an account that this run was not allowed.
    #[error("account {account} is not one of those that --only-account allows")]
    OtherAccount {
        /// The target's account, as the target or its credentials say.
        account: String,
    },
    /// The environment or the profile asks for what cannot be.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// STS did not answer.
    #[error("the caller's account could not be checked")]
    Service(#[from] ServiceError),
}

/// The same configuration with the credentials of a profile that was named on purpose: as with the AWS CLI, it goes
/// before the environment.
pub(super) fn with_profile(loader: ConfigLoader, profile: &str, region: &str, http: SharedHttpClient) -> ConfigLoader {
    let provider =
        ProviderConfig::without_region().with_http_client(http).with_region(Some(Region::new(region.to_owned())));
    let credentials = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(profile).build();
    loader.profile_name(profile).credentials_provider(credentials)
}

/// The same configuration with the credentials of an assumed role (STS AssumeRole).
pub(super) async fn with_role(config: SdkConfig, role: &str, region: Region) -> SdkConfig {
    let role = aws_config::sts::AssumeRoleProvider::builder(role)
        .session_name("keywright")
        .region(region)
        .configure(&config)
        .build()
        .await;
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(role)).build()
}

pub(super) fn base(region: String, http: SharedHttpClient, max_attempts: Option<u32>) -> ConfigLoader {
    let retries = RetryConfig::standard();
    // Said in every case: the SDK's own reading of the environment ends the process where it means nothing.
    let retries = max_attempts.map_or(retries.clone(), |attempts| retries.with_max_attempts(attempts));
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .http_client(http)
        .retry_config(retries)
        .timeout_config(timeouts())
}

/// A budget of retries that no other client shares: the SDK's own belong to a service and region in the whole process,
/// so that one account's trouble would be another's.
fn own_retries() -> RetryPartition {
    RetryPartition::custom("keywright").build()
}

fn embedded_config(sandbox: &Sandbox, target: &Target) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(target.region.to_string()))
        .credentials_provider(SharedCredentialsProvider::new(embedded::credentials(
            target.account.as_ref().map(AccountId::as_str),
        )))
        .http_client(embedded::http_client(sandbox.clone()))
        .timeout_config(timeouts())
        .build()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}
