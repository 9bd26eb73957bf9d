//! The policies that manifests declare, read while the list goes on: each when its secret is found, none of secrets
//! that do not exist, and none that the cache answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use jiff::{SignedDuration, Timestamp};

use super::reader::{OfSecret, ReadProgress, ReadSecrets, Wanted, policies_of, read_policies};
use super::{LivePolicy, LiveSecret, PolicyCache, ServiceError};
use crate::domain::SecretName;

/// Policies that were read.
type Read = BTreeMap<SecretName, OfSecret<LivePolicy>>;

/// What became of the declared policies so far.
pub(super) struct DeclaredPolicies<'a, R> {
    reader: &'a R,
    wanted: &'a Wanted<'a>,
    progress: &'a (dyn Fn(ReadProgress) + Sync),
    begun: Instant,
    asked: Mutex<Asked>,
    queue: UnboundedSender<SecretName>,
}

/// What was answered by the cache, or asked for.
#[derive(Default)]
struct Asked {
    cached: BTreeSet<SecretName>,
    read: BTreeSet<SecretName>,
}

impl<'a, R: ReadSecrets> DeclaredPolicies<'a, R> {
    pub(super) fn new(
        reader: &'a R,
        wanted: &'a Wanted<'a>,
        progress: &'a (dyn Fn(ReadProgress) + Sync),
    ) -> (Self, UnboundedReceiver<SecretName>) {
        let (queue, names) = unbounded();
        let asked = Mutex::default();
        (Self { reader, wanted, progress, begun: Instant::now(), asked, queue }, names)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        // The sets are whole even if another task died while it held the lock.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a secret that exists.
    pub(super) fn found(&self, secret: &LiveSecret) {
        if !self.wanted.policies.contains(&secret.name) {
            return;
        }
        let mut asked = self.asked();
        if asked.cached.contains(&secret.name) || asked.read.contains(&secret.name) {
            return;
        }
        if self.cached(secret, self.reader.service_time()).is_some() {
            asked.cached.insert(secret.name.clone());
            return;
        }
        asked.read.insert(secret.name.clone());
        (self.progress)(ReadProgress::PoliciesExpected(1));
        // Whoever reads them is gone only when all of it has failed.
        let _ = self.queue.unbounded_send(secret.name.clone());
    }

    /// Nothing more will be found.
    pub(super) fn all_found(&self) {
        self.queue.close_channel();
    }

    fn cached(&self, secret: &LiveSecret, now: Option<Timestamp>) -> Option<LivePolicy> {
        self.wanted.cache.zip(now).and_then(|(cache, now)| cache.lookup(secret, now))
    }

    /// Reads what is not in the cache, until everything was found.
    pub(super) async fn read(&self, queue: UnboundedReceiver<SecretName>) -> Result<Read, ServiceError> {
        read_policies(self.reader, queue, self.progress).await
    }

    /// Gives the secrets their policies, and the cache what was read. What could not be read comes back.
    pub(super) async fn give(
        &self,
        secrets: &mut BTreeMap<SecretName, LiveSecret>,
        mut read: Read,
    ) -> Result<Vec<(SecretName, ServiceError)>, ServiceError> {
        let now = self.reader.service_time();
        let cached = std::mem::take(&mut self.asked().cached);
        let mut changed = Vec::new();
        for name in cached {
            let Some(secret) = secrets.get_mut(&name) else { continue };
            // The list may have shown a newer date since.
            match self.cached(secret, now) {
                Some(policy) => secret.policy = policy,
                None => changed.push(name),
            }
        }
        if !changed.is_empty() {
            read.extend(policies_of(self.reader, changed, self.progress).await?);
        }
        let mut unreadable = Vec::new();
        // A policy may have been read at the very beginning, so that is when all of them count as read.
        let elapsed = SignedDuration::try_from(self.begun.elapsed()).unwrap_or(SignedDuration::MAX);
        let read_at = now.and_then(|now| now.checked_sub(elapsed).ok());
        for (name, policy) in read {
            let Some(secret) = secrets.get_mut(&name) else { continue };
            match policy {
                Ok(policy) => secret.policy = policy,
                Err(error) => unreadable.push((name, error)),
            }
            if let Some((cache, read_at)) = self.wanted.cache.zip(read_at) {
                PolicyCache::remember(cache, secret, read_at);
            }
        }
        Ok(unreadable)
    }
}
