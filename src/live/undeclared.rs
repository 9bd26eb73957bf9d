//! What no manifest declares, for an audit: how secrets are described, and all of their policies.

use super::all_policies::{AllPolicies, all_policies};
use super::reader::{OfSecret, ReadProgress, ReadSecrets, describe_all};
use super::{Live, LivePolicy, LiveSecret, Seen, ServiceError};
use crate::domain::SecretName;

/// Describes the secrets of these names that only a list has shown, and reads their policies. A list shows neither
/// where replicas are nor what is replicated with another account. One that is gone leaves the snapshot.
pub async fn read_undeclared<R: ReadSecrets>(
    reader: &R,
    live: &mut Live,
    names: &[SecretName],
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<(), ServiceError> {
    let is_listed = |name: &&SecretName| live.secrets.get(*name).is_some_and(|secret| secret.seen == Seen::Listed);
    let listed: Vec<SecretName> = names.iter().filter(is_listed).cloned().collect();
    for (name, described) in describe_all(reader, listed, progress).await? {
        live.refresh(name, described);
    }
    let unread = names.iter().filter_map(|name| {
        let secret = live.secrets.get(name).filter(|secret| !secret.is_scheduled_for_deletion())?;
        Some((name.clone(), secret.policy == LivePolicy::NotRead))
    });
    for (name, policies) in all_policies(reader, unread.collect(), progress).await? {
        match policies {
            Ok(AllPolicies { default, others }) => {
                if let Some(secret) = live.secrets.get_mut(&name) {
                    secret.other_policies = others;
                }
                if let Some(policy) = default {
                    live.set_policy(name, Ok(policy));
                }
            }
            Err(error) => drop(live.unreadable.insert(name, error)),
        }
    }
    Ok(())
}

impl Live {
    /// Notes a policy that was read.
    pub(crate) fn set_policy(&mut self, name: SecretName, policy: OfSecret<LivePolicy>) {
        match policy {
            Ok(policy) => {
                if let Some(secret) = self.secrets.get_mut(&name) {
                    secret.policy = policy;
                }
            }
            Err(error) => drop(self.unreadable.insert(name, error)),
        }
    }

    /// Puts a described secret in the place of the listed one, its policy kept.
    pub(crate) fn refresh(&mut self, name: SecretName, described: OfSecret<Option<LiveSecret>>) {
        match described {
            Err(error) => drop(self.unreadable.insert(name, error)),
            Ok(None) => {
                self.secrets.remove(&name);
            }
            Ok(Some(mut described)) => {
                if let Some(before) = self.secrets.remove(&name) {
                    described.policy = before.policy;
                }
                self.secrets.insert(name, described);
            }
        }
    }
}
