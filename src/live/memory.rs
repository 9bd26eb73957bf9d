//! What a target was found to hold, for looks that read only what changed since.
//!
//! ListSecrets sorted by LastChangedDate, the newest first, shows what was changed until it meets what is known: one
//! call, as a rule. The date moves with every change of a secret, its policy, its tags and its deletion with a recovery
//! window; it does not move when a secret is deleted by force, and a list that goes on beyond its first pages is not
//! read to see that. So such a look says what changed, and never that everything is as it was.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::pages::Pages;
use super::reader::{ListFilter, ListPage, PolicyVerdict, ReadSecrets};
use super::{Live, LivePolicy, LiveSecret, LiveValue, ReplicaStatus, Seen, ServiceError, VersionEntry};
use crate::desired::Scope;
use crate::domain::{Region, SecretName, VersionId};
use crate::value::SecretValue;

/// Dates are read back to so long before the last look: ListSecrets may lag by half of it.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// What one target was found to hold. It holds no values.
pub struct Memory {
    secrets: BTreeMap<SecretName, LiveSecret>,
    /// Names that were asked for and do not exist.
    absent: BTreeSet<SecretName>,
    outside: Vec<LiveSecret>,
    /// When the look began that this comes from, by the service's clock.
    looked: Timestamp,
}

/// What the walk over the newest changes has met.
struct Met {
    names: BTreeSet<SecretName>,
    /// The oldest date; none when the list was read to its end.
    back_to: Option<Timestamp>,
}

impl Memory {
    /// How many secrets it holds.
    pub fn secrets(&self) -> usize {
        self.secrets.len() + self.outside.len()
    }

    /// What a look found that began at `looked`; `named` are the names that it asked for.
    pub fn of<'n>(live: &Live, named: impl IntoIterator<Item = &'n SecretName>, looked: Timestamp) -> Self {
        let found = |name: &&SecretName| live.secrets.contains_key(*name) || live.unreadable.contains_key(*name);
        let secrets = live.secrets.iter().filter(|(name, _)| !live.unreadable.contains_key(*name));
        Self {
            secrets: secrets.map(|(name, secret)| (name.clone(), secret.clone())).collect(),
            absent: named.into_iter().filter(|name| !found(name)).cloned().collect(),
            outside: live.owned_outside.clone(),
            looked,
        }
    }

    /// Reads what changed since. None where the service does not list the newest changes first, or what was newest is
    /// gone: everything is to be read then.
    pub async fn refreshed<R: ReadSecrets>(mut self, reader: &R, scope: &Scope) -> Result<Option<Self>, ServiceError> {
        for prefixes in scope.prefixes().chunks(ListFilter::MOST_PREFIXES) {
            let Some(met) = self.newest(reader, scope, prefixes).await? else { return Ok(None) };
            if !self.fits(prefixes, &met) {
                return Ok(None);
            }
        }
        Ok(Some(self))
    }

    /// Takes the newest changes of these prefixes, back to where everything is known.
    async fn newest<R: ReadSecrets>(
        &mut self,
        reader: &R,
        scope: &Scope,
        prefixes: &[String],
    ) -> Result<Option<Met>, ServiceError> {
        let filter = ListFilter { prefixes: prefixes.to_vec(), newest_first: true, ..ListFilter::default() };
        let known_before = self.horizon();
        let (mut token, mut pages) = (None, Pages::of("ListSecrets"));
        let mut names = BTreeSet::new();
        let mut last = Timestamp::MAX;
        loop {
            let page = reader.list(&filter, token).await?;
            for secret in page.secrets {
                let Some(changed) = secret.last_changed.filter(|changed| *changed <= last) else { return Ok(None) };
                last = changed;
                if scope.contains(secret.name.as_str()) {
                    names.insert(secret.name.clone());
                    self.take(secret);
                }
            }
            token = pages.next(page.next_token)?;
            if token.is_none() {
                return Ok(Some(Met { names, back_to: None }));
            }
            if last < known_before {
                return Ok(Some(Met { names, back_to: Some(last) }));
            }
        }
    }

    /// Dates before this were seen by the last look, however the list lagged.
    fn horizon(&self) -> Timestamp {
        self.looked.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN)
    }

    /// Takes what the list shows of a secret, where it is not what is known.
    fn take(&mut self, listed: LiveSecret) {
        self.absent.remove(&listed.name);
        if let Some(known) = self.secrets.get(&listed.name) {
            let is_older = listed.last_changed < known.last_changed;
            let same = LiveSecret {
                replicas: known.replicas.clone(),
                policy: known.policy.clone(),
                seen: known.seen,
                ..listed.clone()
            };
            if is_older || same == *known {
                return;
            }
        }
        self.secrets.insert(listed.name.clone(), listed);
    }

    /// Whether what was met is what a sorted list shows first. What a list that was read to its end lacks is gone.
    fn fits(&mut self, prefixes: &[String], met: &Met) -> bool {
        let horizon = self.horizon();
        let is_listed = |secret: &LiveSecret| {
            let within = prefixes.iter().any(|prefix| secret.name.as_str().starts_with(prefix.as_str()));
            within && secret.last_changed.is_some_and(|changed| changed < horizon)
        };
        let Some(back_to) = met.back_to else {
            self.secrets.retain(|name, secret| !is_listed(secret) || met.names.contains(name));
            return true;
        };
        // A sorted list has shown whatever is newer.
        let is_newer = |secret: &&LiveSecret| secret.last_changed.is_some_and(|changed| changed > back_to);
        !self.secrets.values().filter(is_newer).any(|secret| is_listed(secret) && !met.names.contains(&secret.name))
    }
}

/// Reads from memory what did not change, and everything else from the service.
pub struct Remembering<'a, R> {
    reader: &'a R,
    memory: &'a Memory,
}

impl<'a, R: ReadSecrets> Remembering<'a, R> {
    /// Reads beside what is remembered.
    pub fn new(reader: &'a R, memory: &'a Memory) -> Self {
        Self { reader, memory }
    }
}

impl<R: ReadSecrets> ReadSecrets for Remembering<'_, R> {
    async fn list(&self, filter: &ListFilter, _: Option<String>) -> Result<ListPage, ServiceError> {
        let ListFilter { prefixes, without, tag, newest_first: _ } = filter;
        if tag.is_some() {
            return Ok(ListPage { secrets: self.memory.outside.clone(), next_token: None });
        }
        let accepts = |secret: &&LiveSecret| {
            let begins = |text: &String| secret.name.as_str().starts_with(text.as_str());
            (prefixes.is_empty() || prefixes.iter().any(begins)) && !without.iter().any(begins)
        };
        let secrets = self.memory.secrets.values().filter(accepts).cloned().collect();
        Ok(ListPage { secrets, next_token: None })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        if self.memory.absent.contains(name) {
            return Ok(None);
        }
        // Replicas that are being made go on without a change of the secret.
        let settled = |secret: &&LiveSecret| {
            secret.seen == Seen::Described
                && secret.replicas.values().all(|replica| replica.status == ReplicaStatus::InSync)
                && secret.cross_account.is_settled()
        };
        match self.memory.secrets.get(name).filter(settled) {
            Some(secret) => Ok(Some(LiveSecret { policy: LivePolicy::NotRead, ..secret.clone() })),
            None => self.reader.describe(name).await,
        }
    }

    async fn describe_in_region(&self, region: &Region, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.reader.describe_in_region(region, name).await
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        match self.memory.secrets.get(name).map(|secret| &secret.policy) {
            Some(LivePolicy::NotRead | LivePolicy::Unreadable) | None => self.reader.policy(name).await,
            Some(policy) => Ok(Some(policy.clone())),
        }
    }

    async fn policy_names(&self, name: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        self.reader.policy_names(name).await
    }

    async fn validate_policy(&self, secret: Option<&str>, policy: &str) -> PolicyVerdict {
        self.reader.validate_policy(secret, policy).await
    }

    fn service_time(&self) -> Option<Timestamp> {
        self.reader.service_time()
    }

    async fn versions(&self, name: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        self.reader.versions(name).await
    }

    async fn value(&self, name: &SecretName, version_id: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        self.reader.value(name, version_id).await
    }

    async fn values(
        &self,
        names: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        self.reader.values(names).await
    }
}
