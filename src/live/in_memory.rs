//! A service for tests: secrets in memory, as each call would show them, and a list of the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::{
    ListFilter, ListPage, LivePolicy, LiveSecret, LiveValue, PolicyVerdict, ReadSecrets, Seen, ServiceError,
    ServiceErrorKind, VersionEntry,
};
use crate::domain::{Region, SecretName, StagingLabel, VersionId};
use crate::value::SecretValue;

/// It holds secrets, with the policies that can be read of them.
#[derive(Default)]
pub(crate) struct InMemory {
    secrets: BTreeMap<SecretName, LiveSecret>,
    /// Operations that fail, with their errors.
    pub(crate) failing: BTreeMap<&'static str, ServiceError>,
    /// What the list still shows of secrets that have changed since.
    pub(crate) lagging: BTreeMap<SecretName, LiveSecret>,
    /// Whether the list ignores filters.
    pub(crate) ignores_filters: bool,
    calls: Mutex<Vec<String>>,
}

/// An error of an operation, with a code of the service or without.
pub(crate) fn failed(operation: &'static str, kind: ServiceErrorKind, code: Option<&str>) -> ServiceError {
    let code = code.map(str::to_owned);
    ServiceError { operation, kind, code, message: "no".to_owned(), request_id: Some("request-1".to_owned()) }
}

impl InMemory {
    pub(crate) fn new(secrets: impl IntoIterator<Item = LiveSecret>) -> Self {
        let secrets = secrets.into_iter().map(|secret| (secret.name.clone(), secret)).collect();
        Self { secrets, ..Self::default() }
    }

    /// The calls since the last question, sorted: several are made at once.
    pub(crate) fn calls(&self) -> Vec<String> {
        let mut calls = std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner));
        calls.sort();
        calls
    }

    fn called(&self, operation: &'static str, name: &str) -> Result<(), ServiceError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{operation} {name}"));
        self.failing.get(operation).map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl ReadSecrets for InMemory {
    async fn list(&self, filter: &ListFilter, _: Option<String>) -> Result<ListPage, ServiceError> {
        self.called("ListSecrets", &filter.prefixes.join(" "))?;
        let begins =
            |name: &str| filter.prefixes.is_empty() || filter.prefixes.iter().any(|from| name.starts_with(from));
        let listed = self.secrets.values().map(|secret| self.lagging.get(&secret.name).unwrap_or(secret));
        let accepts = |secret: &&LiveSecret| filter.tag.is_none() && begins(secret.name.as_str());
        let listed = listed.filter(|secret| self.ignores_filters || accepts(secret));
        let secrets = listed.map(|secret| LiveSecret { policy: LivePolicy::NotRead, ..secret.clone() }).collect();
        Ok(ListPage { secrets, next_token: None })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.called("DescribeSecret", name.as_str())?;
        let described =
            |secret: &LiveSecret| LiveSecret { policy: LivePolicy::NotRead, seen: Seen::Described, ..secret.clone() };
        Ok(self.secrets.get(name).map(described))
    }

    async fn describe_in_region(&self, region: &Region, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.called("DescribeSecret", &format!("{} in {}", name.as_str(), region.as_str()))?;
        Ok(None)
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        self.called("GetResourcePolicy", name.as_str())?;
        Ok(self.secrets.get(name).map(|secret| match &secret.policy {
            LivePolicy::NotRead => LivePolicy::None,
            policy => policy.clone(),
        }))
    }

    async fn policy_names(&self, name: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        self.called("ListResourcePolicies", name.as_str())?;
        Ok(self.secrets.get(name).map(|secret| {
            let has_default = !matches!(secret.policy, LivePolicy::NotRead | LivePolicy::None);
            let default = has_default.then(|| "default".to_owned());
            default.into_iter().chain(secret.other_policies.iter().cloned()).collect()
        }))
    }

    async fn validate_policy(&self, _: Option<&str>, _: &str) -> PolicyVerdict {
        PolicyVerdict::Passed
    }

    fn service_time(&self) -> Option<Timestamp> {
        Timestamp::from_second(3_600).ok()
    }

    async fn versions(&self, name: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        self.called("ListSecretVersionIds", name.as_str())?;
        let version = |(id, labels): (&VersionId, &BTreeSet<StagingLabel>)| VersionEntry {
            id: id.clone(),
            labels: labels.clone(),
            created: None,
            last_accessed: None,
            kms_key_ids: Vec::new(),
        };
        Ok(self.secrets.get(name).map(|secret| secret.versions.iter().map(version).collect()))
    }

    async fn value(&self, name: &SecretName, version: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        self.called("GetSecretValue", name.as_str())?;
        let there = self.secrets.get(name).is_some_and(|secret| secret.versions.contains_key(version));
        Ok(there.then(|| SecretValue::text("text".to_owned())))
    }

    async fn values(
        &self,
        names: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        self.called("BatchGetSecretValue", &names.iter().map(SecretName::as_str).collect::<Vec<_>>().join(" "))?;
        Ok(BTreeMap::new())
    }
}
