//! All policies of secrets, for an audit: ListResourcePolicies says which there are, so that GetResourcePolicy is asked
//! only where there is one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::reader::{IN_FLIGHT, OfSecret, ReadProgress, ReadSecrets, of_secret};
use super::{LivePolicy, ServiceError, ServiceErrorKind};
use crate::domain::SecretName;

/// The policy that PutResourcePolicy puts.
const DEFAULT: &str = "default";

/// The policies of one secret.
#[derive(Clone, Debug, Default)]
pub(super) struct AllPolicies {
    /// The one that is called `default`; none where it was read before.
    pub(super) default: Option<LivePolicy>,
    /// The names of the others, as far as the service tells.
    pub(super) others: Vec<String>,
}

/// Reads all policies of several secrets, the default one where it is wanted; secrets that do not exist are left out.
///
/// An endpoint that lacks ListResourcePolicies, an operation of November 2026, is asked for the default one alone.
pub(super) async fn all_policies<R: ReadSecrets>(
    reader: &R,
    secrets: Vec<(SecretName, bool)>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<BTreeMap<SecretName, OfSecret<AllPolicies>>, ServiceError> {
    progress(ReadProgress::PoliciesExpected(secrets.len()));
    let lists = &AtomicBool::new(true);
    stream::iter(secrets)
        .map(async |(name, wants_default)| {
            let policies = of_secret(of_one(reader, &name, wants_default, lists).await)?;
            progress(ReadProgress::PolicyRead);
            Ok(policies.transpose().map(|policies| (name, policies)))
        })
        .buffer_unordered(IN_FLIGHT)
        .try_filter_map(async |found| Ok(found))
        .try_collect()
        .await
}

async fn of_one<R: ReadSecrets>(
    reader: &R,
    name: &SecretName,
    wants_default: bool,
    lists: &AtomicBool,
) -> Result<Option<AllPolicies>, ServiceError> {
    let names = if lists.load(Ordering::Relaxed) {
        match reader.policy_names(name).await {
            Ok(Some(names)) => Some(names),
            Ok(None) => return Ok(None),
            Err(error) if is_not_told(&error) => {
                lists.store(false, Ordering::Relaxed);
                None
            }
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    let exists = names.as_ref().is_none_or(|names| names.iter().any(|name| name == DEFAULT));
    let default = match (wants_default, exists) {
        (false, _) => None,
        (true, false) => Some(LivePolicy::None),
        (true, true) => match reader.policy(name).await? {
            Some(policy) => Some(policy),
            None => return Ok(None),
        },
    };
    let others = names.into_iter().flatten().filter(|name| name != DEFAULT).collect();
    Ok(Some(AllPolicies { default, others }))
}

/// Whether the operation is not there.
fn is_not_told(error: &ServiceError) -> bool {
    let unknown = ["UnknownOperationException", "InvalidAction", "NotImplemented", "UnknownAction"];
    error.code.as_deref().is_some_and(|code| unknown.contains(&code))
        || (error.kind == ServiceErrorKind::Service && error.code.as_deref() == Some("InternalFailure"))
}
