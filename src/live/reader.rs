//! Reads what one target holds with as few calls as the API allows.
//!
//! ListSecrets, planned deletions included, returns everything but policies, at 100 secrets a call (`listing`). A
//! declared policy is read as soon as its secret is listed, beside the list. DescribeSecret is asked only where the
//! list cannot answer.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::declared_policies::DeclaredPolicies;
use super::listing::{Listed, Listing};
use super::{Live, LivePolicy, LiveSecret, LiveValue, PolicyCache, PolicyProblem, ServiceError, VersionEntry};
use crate::desired::{OWNER_TAG, Scope};
use crate::domain::{Region, SecretName, VersionId};
use crate::value::SecretValue;

/// How many calls run at once. The client-side quotas in `aws` set the pace; this only bounds what is in flight, and is
/// enough to fill 50 calls a second at 600 ms a call.
pub(super) const IN_FLIGHT: usize = 32;

/// What ListSecrets is asked for. Filters only narrow what travels: whoever asks looks at every answer again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Names begin with one of these, at most [`ListFilter::MOST_PREFIXES`]; none for all names.
    pub prefixes: Vec<String>,
    /// Names begin with none of these.
    pub without: Vec<String>,
    /// A tag has this key, and some tag has a value that begins with this.
    pub tag: Option<(String, String)>,
    /// What was changed last comes first; else what was made first does.
    pub newest_first: bool,
}

impl ListFilter {
    /// The most prefixes of one list (ListSecrets, `Filter`, `Values`).
    pub(crate) const MOST_PREFIXES: usize = 10;

    /// Everything whose name begins with `prefix`.
    pub fn prefix(prefix: &str) -> Self {
        Self { prefixes: vec![prefix.to_owned()], ..Self::default() }
    }
}

/// A page of ListSecrets. Pages may be short or empty while more follow.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    /// The secrets on it.
    pub secrets: Vec<LiveSecret>,
    /// The token of the next page.
    pub next_token: Option<String>,
}

/// What ValidateResourcePolicy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyVerdict {
    /// The policy passes.
    Passed,
    /// What it finds wrong.
    Rejected(Vec<PolicyProblem>),
    /// It could not be asked: an endpoint that lacks the operation, or a caller without the permission.
    /// PutResourcePolicy makes the checks that matter for safety itself, so this is a warning and no failure.
    Unavailable(ServiceError),
}

/// The reading operations. All that planning can reach of AWS.
pub trait ReadSecrets: Send + Sync {
    /// ListSecrets with IncludePlannedDeletion, 100 to a page.
    fn list(
        &self,
        filter: &ListFilter,
        next_token: Option<String>,
    ) -> impl Future<Output = Result<ListPage, ServiceError>> + Send;

    /// DescribeSecret; `None` when there is no such secret. The policy is [`LivePolicy::NotRead`].
    fn describe(&self, name: &SecretName) -> impl Future<Output = Result<Option<LiveSecret>, ServiceError>> + Send;

    /// How many DescribeSecret should run at once. Their quota is far above that, so it follows the latency
    /// alone.
    fn describes_at_once(&self) -> usize {
        IN_FLIGHT
    }

    /// DescribeSecret in another region of the account; `None` when there is no such secret there.
    fn describe_in_region(
        &self,
        region: &Region,
        name: &SecretName,
    ) -> impl Future<Output = Result<Option<LiveSecret>, ServiceError>> + Send;

    /// GetResourcePolicy; `None` when there is no such secret.
    fn policy(&self, name: &SecretName) -> impl Future<Output = Result<Option<LivePolicy>, ServiceError>> + Send;

    /// ListResourcePolicies: the names of a secret's policies; `None` when there is no such secret.
    fn policy_names(&self, name: &SecretName)
    -> impl Future<Output = Result<Option<Vec<String>>, ServiceError>> + Send;

    /// ValidateResourcePolicy; it writes nothing. `secret` is none for one that does not exist yet.
    fn validate_policy(&self, secret: Option<&str>, policy: &str) -> impl Future<Output = PolicyVerdict> + Send;

    /// The service's time, as its last answer showed it.
    fn service_time(&self) -> Option<Timestamp>;

    /// ListSecretVersionIds, deprecated versions too, all pages; `None` when there is no such secret.
    fn versions(
        &self,
        name: &SecretName,
    ) -> impl Future<Output = Result<Option<Vec<VersionEntry>>, ServiceError>> + Send;

    /// GetSecretValue of one version; `None` when there is no such secret or version.
    fn value(
        &self,
        name: &SecretName,
        version_id: &VersionId,
    ) -> impl Future<Output = Result<Option<SecretValue>, ServiceError>> + Send;

    /// BatchGetSecretValue: current values of at most 20 secrets. What fails for one secret is its own error.
    fn values(
        &self,
        names: &[SecretName],
    ) -> impl Future<Output = Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError>> + Send;
}

/// Something that reads through another one: what writes can read too.
pub trait ReadThrough: Send + Sync {
    /// What it reads through.
    type Reader: ReadSecrets;

    /// What it reads through.
    fn reader(&self) -> &Self::Reader;
}

impl<T: ReadThrough> ReadSecrets for T {
    async fn list(&self, filter: &ListFilter, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        self.reader().list(filter, next_token).await
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.reader().describe(name).await
    }

    fn describes_at_once(&self) -> usize {
        self.reader().describes_at_once()
    }

    async fn describe_in_region(&self, region: &Region, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.reader().describe_in_region(region, name).await
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        self.reader().policy(name).await
    }

    async fn policy_names(&self, name: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        self.reader().policy_names(name).await
    }

    async fn validate_policy(&self, secret: Option<&str>, policy: &str) -> PolicyVerdict {
        self.reader().validate_policy(secret, policy).await
    }

    fn service_time(&self) -> Option<Timestamp> {
        self.reader().service_time()
    }

    async fn versions(&self, name: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        self.reader().versions(name).await
    }

    async fn value(&self, name: &SecretName, version_id: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        self.reader().value(name, version_id).await
    }

    async fn values(
        &self,
        names: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        self.reader().values(names).await
    }
}

/// What a plan needs to know.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The names that may be looked at.
    pub scope: &'a Scope,
    /// The secrets that manifests name.
    pub names: BTreeSet<SecretName>,
    /// Those of them whose policy is declared.
    pub policies: BTreeSet<SecretName>,
    /// Those of them whose replicas are declared: ListSecrets tells of a secret that it has replicas, and not which.
    pub replicated: BTreeSet<SecretName>,
    /// Those of them with a link to another account: only DescribeSecret shows it.
    pub linked: BTreeSet<SecretName>,
    /// Policies that were read before.
    pub cache: Option<&'a PolicyCache>,
    /// The project whose secrets outside the scope are looked for too, by their owner tag: one call.
    pub owned_by: Option<&'a str>,
    /// Look at [`Wanted::names`] alone, by DescribeSecret; nothing else is found then, orphans included.
    pub names_only: bool,
}

/// How far reading has come, for a progress line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadProgress {
    /// A page of ListSecrets with this many secrets.
    Listed(usize),
    /// One DescribeSecret.
    Described,
    /// So many more GetResourcePolicy will be called.
    PoliciesExpected(usize),
    /// One GetResourcePolicy.
    PolicyRead,
}

/// Reads a snapshot of `region`.
pub async fn read<R: ReadSecrets>(
    reader: &R,
    region: &Region,
    wanted: &Wanted<'_>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<Live, ServiceError> {
    let (declared, queue) = DeclaredPolicies::new(reader, wanted, progress);
    let secrets = async {
        let found = secrets(reader, wanted, progress, &|secret| declared.found(secret)).await;
        declared.all_found();
        found
    };
    let (found, read, outside) =
        futures::try_join!(secrets, declared.read(queue), owned_outside(reader, wanted, progress))?;
    let Found { mut secrets, mut unreadable } = found;
    for (name, error) in declared.give(&mut secrets, read).await? {
        unreadable.insert(name, error);
    }
    Ok(Live { region: region.clone(), secrets, owned_outside: outside, unreadable, ..Live::default() })
}

/// The secrets that were found, and those that could not be described.
#[derive(Default)]
struct Found {
    secrets: BTreeMap<SecretName, LiveSecret>,
    unreadable: BTreeMap<SecretName, ServiceError>,
}

/// How old LastChangedDate must be for a list to have the secret: twice what ListSecrets may lag.
const LISTED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What is in scope and what manifests name, policies apart.
async fn secrets<R: ReadSecrets>(
    reader: &R,
    wanted: &Wanted<'_>,
    progress: &(dyn Fn(ReadProgress) + Sync),
    found: &(dyn Fn(&LiveSecret) + Sync),
) -> Result<Found, ServiceError> {
    let listing = Listing::new(reader, progress, found);
    let cached = wanted.cache.map(PolicyCache::names).unwrap_or_default();
    let known = wanted.names.iter().map(SecretName::as_str).chain(cached.iter().map(String::as_str)).collect();
    let listed = if wanted.names_only { Listed::default() } else { listing.scope(wanted.scope, &known).await? };
    let Listed { mut secrets, in_parts } = listed;

    // The list may lag: a secret that it lacks may exist all the same. A primary that has, or had, replicas names its
    // own region as the primary's.
    let unanswered = wanted.names.iter().filter(|name| match secrets.get(*name) {
        None => true,
        Some(listed) => {
            wanted.linked.contains(*name) || (wanted.replicated.contains(*name) && listed.primary_region.is_some())
        }
    });
    let unanswered: Vec<SecretName> = unanswered.cloned().collect();
    let mut unreadable = BTreeMap::new();
    let mut overlooked = false;
    for (name, described) in describe_all(reader, unanswered, progress).await? {
        match described {
            Ok(Some(described)) => {
                found(&described);
                let settled = reader.service_time().zip(described.last_changed);
                let settled = settled.is_some_and(|(now, changed)| now.duration_since(changed) > LISTED_AFTER);
                overlooked |= secrets.insert(name, described).is_none() && settled;
            }
            Ok(None) => {}
            Err(error) => drop(unreadable.insert(name, error)),
        }
    }
    if overlooked {
        // A list that lacks what has long been there is no list: one that was walked in parts is walked plainly.
        for prefix in &in_parts {
            for secret in listing.plain(&ListFilter::prefix(prefix)).await? {
                if wanted.scope.contains(secret.name.as_str()) {
                    secrets.entry(secret.name.clone()).or_insert(secret);
                }
            }
        }
    }
    Ok(Found { secrets, unreadable })
}

/// Filters that one ListSecrets takes (`Filters`, at most 10), less the two for the tag.
const MOST_EXCLUDED: usize = 8;

/// Secrets that carry an owner tag of the project, outside the scope: what a narrowed scope or a removed target left
/// behind.
async fn owned_outside<R: ReadSecrets>(
    reader: &R,
    wanted: &Wanted<'_>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<Vec<LiveSecret>, ServiceError> {
    let Some(project) = wanted.owned_by.filter(|_| !wanted.names_only) else { return Ok(Vec::new()) };
    let filter = ListFilter {
        prefixes: Vec::new(),
        without: wanted.scope.prefixes().iter().take(MOST_EXCLUDED).cloned().collect(),
        tag: Some((OWNER_TAG.to_owned(), format!("{project}/"))),
        newest_first: false,
    };
    let mut found = Listing::new(reader, progress, &|_| {}).plain(&filter).await?;
    found.retain(|secret| {
        let owner = secret.named_owner().and_then(|owner| owner.split_once('/'));
        owner.is_some_and(|(named, _)| named == project) && !wanted.scope.contains(secret.name.as_str())
    });
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// What was asked of one secret, or why it could not be had. What would fail for every other secret too fails as a
/// whole.
pub type OfSecret<T> = Result<T, ServiceError>;

/// Tells a failure that is about one secret from one that would meet every other.
pub fn of_secret<T>(answer: Result<T, ServiceError>) -> Result<OfSecret<T>, ServiceError> {
    match answer {
        Err(error) if !error.is_about_one_secret() => Err(error),
        answer => Ok(answer),
    }
}

/// Describes several secrets; `None` stands for one that does not exist.
pub async fn describe_all<R: ReadSecrets>(
    reader: &R,
    names: impl IntoIterator<Item = SecretName>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<BTreeMap<SecretName, OfSecret<Option<LiveSecret>>>, ServiceError> {
    stream::iter(names)
        .map(async |name| {
            let described = of_secret(reader.describe(&name).await)?;
            progress(ReadProgress::Described);
            Ok((name, described))
        })
        .buffer_unordered(reader.describes_at_once())
        .try_collect()
        .await
}

/// Describes the secrets of these names in a snapshot and reads their policies, so that nothing about them is left to a
/// list that may lag. One that is gone leaves the snapshot.
pub async fn read_in_full<R: ReadSecrets>(
    reader: &R,
    live: &mut Live,
    names: &[SecretName],
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<(), ServiceError> {
    let descriptions = describe_all(reader, names.iter().cloned(), progress);
    let policies = policies_of(reader, names.iter().cloned(), progress);
    let (descriptions, mut policies) = futures::try_join!(descriptions, policies)?;
    for (name, described) in descriptions {
        live.secrets.remove(&name);
        let policy = policies.remove(&name).unwrap_or(Ok(LivePolicy::NotRead));
        match described.and_then(|described| Ok((described, policy?))) {
            Ok((Some(mut secret), policy)) => {
                secret.policy = policy;
                live.secrets.insert(name, secret);
            }
            Ok((None, _)) => {}
            Err(error) => drop(live.unreadable.insert(name, error)),
        }
    }
    Ok(())
}

/// Reads the policies of several secrets; those of secrets that do not exist are left out.
pub async fn policies_of<R: ReadSecrets>(
    reader: &R,
    names: impl IntoIterator<Item = SecretName>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<BTreeMap<SecretName, OfSecret<LivePolicy>>, ServiceError> {
    let names: Vec<SecretName> = names.into_iter().collect();
    progress(ReadProgress::PoliciesExpected(names.len()));
    read_policies(reader, stream::iter(names), progress).await
}

/// Reads the policies of secrets as their names come.
pub(super) async fn read_policies<R: ReadSecrets>(
    reader: &R,
    names: impl Stream<Item = SecretName>,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<BTreeMap<SecretName, OfSecret<LivePolicy>>, ServiceError> {
    names
        .map(async |name| {
            let policy = of_secret(reader.policy(&name).await)?;
            progress(ReadProgress::PolicyRead);
            Ok(policy.transpose().map(|policy| (name, policy)))
        })
        .buffer_unordered(IN_FLIGHT)
        .try_filter_map(async |found| Ok(found))
        .try_collect()
        .await
}

/// Documents that ValidateResourcePolicy is asked about at once; the client-side quota sets the pace.
const DOCUMENTS_AT_ONCE: usize = 32;

/// Asks about policies before they are put, each with the ARN of a secret that gets it, where there is one: who may
/// call by the ARNs of secrets alone is not denied then.
pub async fn validate_policies<R: ReadSecrets>(
    reader: &R,
    documents: impl IntoIterator<Item = (String, Option<&str>)>,
) -> BTreeMap<String, PolicyVerdict> {
    stream::iter(documents)
        .map(async |(text, arn)| {
            let verdict = reader.validate_policy(arn, &text).await;
            (text, verdict)
        })
        .buffer_unordered(DOCUMENTS_AT_ONCE)
        .collect()
        .await
}

/// All versions of several secrets, deprecated ones too; none for a secret that does not exist.
pub async fn versions_of<R: ReadSecrets>(
    reader: &R,
    names: impl IntoIterator<Item = SecretName>,
) -> Result<BTreeMap<SecretName, OfSecret<Vec<VersionEntry>>>, ServiceError> {
    stream::iter(names)
        .map(async |name| {
            let versions = of_secret(reader.versions(&name).await)?;
            Ok((name, versions.map(Option::unwrap_or_default)))
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await
}
