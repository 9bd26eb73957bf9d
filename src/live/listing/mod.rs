//! What is in scope, by ListSecrets alone.
//!
//! A list is one page after the other, so its time grows with latency. Where many pages are to be expected a prefix is
//! walked in parts, side by side: `cover` makes the parts from names that are known (pure), `parts` walks them and
//! checks what comes back. A service that answers otherwise than documented gets the plain walk.
//! `docs/decisions/0027-split-walks.md` has the reasons.

mod cover;
mod parts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::reader::{IN_FLIGHT, ListFilter, ListPage, ReadProgress, ReadSecrets};
use super::{LiveSecret, Pages, ServiceError};
use crate::desired::Scope;
use crate::domain::SecretName;

/// One listing: who is asked, and who is told.
pub(super) struct Listing<'a, R> {
    reader: &'a R,
    progress: &'a (dyn Fn(ReadProgress) + Sync),
    /// Told of each secret as soon as it is listed; of some more than once.
    found: &'a (dyn Fn(&LiveSecret) + Sync),
    /// Bounds the calls that are in flight, over all prefixes.
    turns: Semaphore,
}

/// What a listing came to.
#[derive(Default)]
pub(super) struct Listed {
    /// The secrets in scope.
    pub(super) secrets: BTreeMap<SecretName, LiveSecret>,
    /// The prefixes that were walked in parts.
    pub(super) in_parts: Vec<String>,
}

/// What is in scope, by ListSecrets alone. `known` are names that may be there: what the parts of a split walk are
/// made from, and nothing else.
pub async fn list_scope<R: ReadSecrets>(
    reader: &R,
    scope: &Scope,
    known: &BTreeSet<SecretName>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<BTreeMap<SecretName, LiveSecret>, ServiceError> {
    let known = known.iter().map(SecretName::as_str).collect();
    Ok(Listing::new(reader, progress, &|_| {}).scope(scope, &known).await?.secrets)
}

impl<'a, R: ReadSecrets> Listing<'a, R> {
    pub(super) fn new(
        reader: &'a R,
        progress: &'a (dyn Fn(ReadProgress) + Sync),
        found: &'a (dyn Fn(&LiveSecret) + Sync),
    ) -> Self {
        Self { reader, progress, found, turns: Semaphore::new(IN_FLIGHT) }
    }

    /// Everything in scope.
    pub(super) async fn scope(&self, scope: &Scope, known: &BTreeSet<&str>) -> Result<Listed, ServiceError> {
        let mut listed = Listed::default();
        let mut walks = stream::iter(scope.prefixes())
            .map(async |prefix| Ok((prefix, parts::walk(self, prefix, known).await?)))
            .buffer_unordered(IN_FLIGHT);
        while let Some((prefix, walked)) = walks.try_next().await? {
            if walked.in_parts {
                listed.in_parts.push(prefix.clone());
            }
            // The filter only narrows what travels; the scope decides.
            let within = walked.secrets.into_iter().filter(|(name, _)| scope.contains(name.as_str()));
            listed.secrets.extend(within);
        }
        Ok(listed)
    }

    /// Everything that a filter lets through, one page after the other.
    pub(super) async fn plain(&self, filter: &ListFilter) -> Result<Vec<LiveSecret>, ServiceError> {
        let mut secrets = Vec::new();
        let (mut token, mut pages) = (None, Pages::of("ListSecrets"));
        loop {
            let page = self.page(filter, token).await?;
            (self.progress)(ReadProgress::Listed(page.secrets.len()));
            secrets.extend(page.secrets);
            token = pages.next(page.next_token)?;
            if token.is_none() {
                return Ok(secrets);
            }
        }
    }

    async fn page(&self, filter: &ListFilter, token: Option<String>) -> Result<ListPage, ServiceError> {
        // Nobody closes the semaphore.
        let _turn = self.turns.acquire().await;
        let page = self.reader.list(filter, token).await?;
        page.secrets.iter().for_each(self.found);
        Ok(page)
    }
}
