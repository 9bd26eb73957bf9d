//! The reading operations over an SDK client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Region;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{
    ExternalSecretRotationMetadataItem, Filter, FilterNameStringType, ReplicationStatusType, RotationRulesType,
    SecretListEntry, SecretValueEntry, SecretVersionsListEntry, SortByType, SortOrderType, StatusType, Tag,
};
use jiff::Timestamp;

use super::clock::ServiceClock;
use super::cross_account::LinksOfAnswer;
use super::error::{kind_of, service_error};
use super::pace::Pace;
use super::quota::Operation;
use super::raw::RawClient;
use super::retry::{Retries, Tries};
use super::time::sleep;
use crate::collect::CollectMap as _;
use crate::domain;
use crate::domain::{Arn, KmsKey, Partition, RotationDuration, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{
    CrossAccount, ListFilter, ListPage, LivePolicy, LiveReplica, LiveRotation, LiveSecret, LiveValue, Pages,
    PolicyProblem, PolicyVerdict, ReadSecrets, ReplicaStatus, Seen, ServiceError, ServiceErrorKind, VersionEntry,
};
use crate::policy::PolicyDocument;
use crate::value::SecretValue;

/// ListSecrets' `MaxResults`: the most that it takes.
const PAGE: i32 = 100;

/// Reads one target.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) client: Client,
    pub(super) raw: RawClient,
    retries: Retries,
    clock: ServiceClock,
}

impl Reader {
    pub(super) fn new(client: Client, raw: RawClient, retries: Retries, clock: ServiceClock) -> Self {
        Self { client, raw, retries, clock }
    }

    /// The same credentials in another region, which has quotas of its own: no pace is kept for the few calls there.
    pub(super) fn in_region(&self, region: &domain::Region) -> Self {
        let config = self.client.config().to_builder().region(Region::new(region.to_string())).build();
        let retries = Retries { pace: Arc::new(Pace::unlimited()), ..self.retries.clone() };
        let raw = self.raw.in_region(Region::new(region.to_string()));
        Self::new(Client::from_conf(config), raw, retries, self.clock.clone())
    }

    /// The pace of its requests.
    pub(super) fn pace(&self) -> &Pace {
        &self.retries.pace
    }

    /// Makes a call when it is due, again where that may help, and puts its failure in our words.
    pub(super) async fn send<T, E, R, F>(&self, operation: Operation, call: impl Fn() -> F) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, SdkError<E, R>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
        SdkError<E, R>: RequestId,
    {
        self.send_at_most(operation, u32::MAX, call).await
    }

    /// The same, so many times at most where the service fails.
    async fn send_at_most<T, E, R, F>(
        &self,
        operation: Operation,
        attempts: u32,
        call: impl Fn() -> F,
    ) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, SdkError<E, R>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
        SdkError<E, R>: RequestId,
    {
        let attempts = self.retries.attempts.at_most(attempts);
        let once = || async { call().await.map_err(|error| service_error(operation.name(), &error)) };
        // The SDK's futures are large, and would be copied from frame to frame.
        self.retries.run(operation, attempts, || Box::pin(once())).await
    }
}

impl Reader {
    /// Reads the values of one batch, which may come in several pages.
    async fn batch(
        &self,
        names: &[SecretName],
        values: &mut BTreeMap<SecretName, Result<LiveValue, ServiceError>>,
    ) -> Result<(), ServiceError> {
        let ids: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
        let (mut token, mut pages) = (None, Pages::of("BatchGetSecretValue"));
        loop {
            let call = self.client.batch_get_secret_value().set_secret_id_list(Some(ids.clone())).set_next_token(token);
            let page = self.send(Operation::BatchGetSecretValue, || call.clone().send()).await?;
            let read = page.secret_values.unwrap_or_default().into_iter().filter_map(live_value);
            values.extend(read.map(|(name, value)| (name, Ok(value))));
            for error in page.errors.unwrap_or_default() {
                let Some(name) = error.secret_id else { continue };
                let failure = ServiceError {
                    operation: Operation::BatchGetSecretValue.name(),
                    kind: kind_of(error.error_code.as_deref()),
                    code: error.error_code,
                    message: error.message.unwrap_or_default(),
                    request_id: None,
                };
                values.insert(SecretName::new(name), Err(failure));
            }
            token = pages.next(page.next_token)?;
            if token.is_none() {
                return Ok(());
            }
        }
    }
}

impl ReadSecrets for Reader {
    fn service_time(&self) -> Option<Timestamp> {
        self.clock.last()
    }

    async fn policy_names(&self, name: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        match self.list_policies(name).await {
            Ok(names) => Ok(Some(names)),
            Err(error) => absent_when_not_found(error),
        }
    }

    async fn validate_policy(&self, secret: Option<&str>, policy: &str) -> PolicyVerdict {
        let call =
            self.client.validate_resource_policy().set_secret_id(secret.map(str::to_owned)).resource_policy(policy);
        // Its answer is advice. An endpoint that lacks the operation often answers 5xx, and waiting for the usual
        // number of attempts at every policy would make an apply look dead.
        let send = self.send_at_most(Operation::ValidateResourcePolicy, VALIDATIONS, || call.clone().send());
        let answer = match send.await {
            Ok(answer) => answer,
            Err(error) => return PolicyVerdict::Unavailable(error),
        };
        if answer.policy_validation_passed {
            return PolicyVerdict::Passed;
        }
        let mut problems: Vec<PolicyProblem> = answer
            .validation_errors
            .unwrap_or_default()
            .into_iter()
            .map(|problem| PolicyProblem {
                check: problem.check_name,
                message: problem.error_message.unwrap_or_else(|| "no reason was given".to_owned()),
            })
            .collect();
        if problems.is_empty() {
            let message = "validation did not pass, and no reason was given".to_owned();
            problems.push(PolicyProblem { check: None, message });
        }
        PolicyVerdict::Rejected(problems)
    }

    async fn versions(&self, name: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        let mut versions = Vec::new();
        let (mut token, mut pages) = (None, Pages::of("ListSecretVersionIds"));
        loop {
            let call = self.client.list_secret_version_ids().secret_id(name.as_str()).include_deprecated(true);
            let call = call.max_results(VERSIONS_PAGE).set_next_token(token);
            let page = match self.send(Operation::ListSecretVersionIds, || call.clone().send()).await {
                Ok(page) => page,
                Err(error) => return absent_when_not_found(error),
            };
            versions.extend(page.versions.unwrap_or_default().into_iter().filter_map(version_entry));
            token = pages.next(page.next_token)?;
            if token.is_none() {
                return Ok(Some(versions));
            }
        }
    }

    async fn value(&self, name: &SecretName, version_id: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        let call = self.client.get_secret_value().secret_id(name.as_str()).version_id(version_id.as_str());
        match self.send(Operation::GetSecretValue, || call.clone().send()).await {
            Ok(answer) => Ok(match (answer.secret_string, answer.secret_binary) {
                (Some(text), _) => Some(SecretValue::text(text)),
                (None, Some(binary)) => Some(SecretValue::binary(binary.into_inner())),
                (None, None) => None,
            }),
            Err(error) => absent_when_not_found(error),
        }
    }

    async fn values(
        &self,
        names: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        let mut values = BTreeMap::new();
        let mut asked: Vec<SecretName> = names.to_vec();
        let mut tries = Tries::default();
        loop {
            self.batch(&asked, &mut values).await?;
            // A secret that failed within a batch that did not is asked for again, alone with its like.
            let may_pass = |name: &SecretName| {
                let error = values.get(name).and_then(|value| value.as_ref().err());
                error.is_some_and(|error| matches!(error.kind, ServiceErrorKind::Throttled | ServiceErrorKind::Service))
            };
            asked.retain(may_pass);
            let failed = asked.first().and_then(|name| values.get(name)?.as_ref().err());
            let delay = failed.and_then(|error| self.retries.delay_in_batch(&mut tries, error));
            match delay {
                Some(delay) => sleep(delay).await,
                None => return Ok(values),
            }
        }
    }

    async fn list(&self, filter: &ListFilter, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        let call = self
            .client
            .list_secrets()
            .include_planned_deletion(true)
            .max_results(PAGE)
            .set_filters(Some(filters(filter)).filter(|filters| !filters.is_empty()))
            .set_sort_by(filter.newest_first.then_some(SortByType::LastChangedDate))
            .set_sort_order(filter.newest_first.then_some(SortOrderType::Desc))
            .set_next_token(next_token);
        let page = self.send(Operation::ListSecrets, || call.clone().send()).await?;
        Ok(ListPage {
            secrets: page.secret_list.unwrap_or_default().into_iter().filter_map(listed).collect(),
            next_token: page.next_token.filter(|token| !token.is_empty()),
        })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        let call = self.client.describe_secret().secret_id(name.as_str());
        let links = LinksOfAnswer::default();
        let send = || call.clone().customize().interceptor(links.clone()).send();
        match self.send(Operation::DescribeSecret, send).await {
            Ok(secret) => Ok(described(secret).map(|secret| LiveSecret { cross_account: links.read(), ..secret })),
            Err(error) => absent_when_not_found(error),
        }
    }

    fn describes_at_once(&self) -> usize {
        self.pace().describes_at_once()
    }

    async fn describe_in_region(
        &self,
        region: &domain::Region,
        name: &SecretName,
    ) -> Result<Option<LiveSecret>, ServiceError> {
        self.in_region(region).describe(name).await
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        let call = self.client.get_resource_policy().secret_id(name.as_str());
        let error = match self.send(Operation::GetResourcePolicy, || call.clone().send()).await {
            Ok(answer) => return Ok(Some(live_policy(answer.resource_policy, answer.arn.as_deref()))),
            Err(error) => error,
        };
        match error.kind {
            // Scheduled for deletion: it can be read again after a restore.
            ServiceErrorKind::InvalidState => Ok(Some(LivePolicy::Unreadable)),
            _ => absent_when_not_found(error),
        }
    }
}

/// How often a policy is validated: once more where it failed.
const VALIDATIONS: u32 = 2;

/// Versions of one page of ListSecretVersionIds: the most that it takes.
const VERSIONS_PAGE: i32 = 100;

fn version_entry(entry: SecretVersionsListEntry) -> Option<VersionEntry> {
    Some(VersionEntry {
        id: VersionId::of_service(entry.version_id?),
        labels: entry.version_stages.unwrap_or_default().into_iter().map(StagingLabel::of_service).collect(),
        created: timestamp(entry.created_date),
        last_accessed: timestamp(entry.last_accessed_date),
        kms_key_ids: entry.kms_key_ids.unwrap_or_default().into_iter().map(KmsKey::of_service).collect(),
    })
}

fn live_value(entry: SecretValueEntry) -> Option<(SecretName, LiveValue)> {
    let value = match (entry.secret_string, entry.secret_binary) {
        (Some(text), _) => SecretValue::text(text),
        (None, Some(binary)) => SecretValue::binary(binary.into_inner()),
        (None, None) => return None,
    };
    Some((SecretName::new(entry.name?), LiveValue { version_id: VersionId::of_service(entry.version_id?), value }))
}

fn absent_when_not_found<T>(error: ServiceError) -> Result<Option<T>, ServiceError> {
    if error.kind == ServiceErrorKind::NotFound { Ok(None) } else { Err(error) }
}

/// A filter by the name's beginning. None where it can't be expressed: a leading `!` would negate it, and a value has
/// at most 512 characters. The scope is checked again by the reader, so a missing filter costs calls and nothing else.
fn name_filter(prefixes: &[String]) -> Option<Filter> {
    let can_be_sent = |prefix: &String| !prefix.is_empty() && !prefix.starts_with('!') && prefix.len() <= 512;
    let filter = Filter::builder().key(FilterNameStringType::Name).set_values(Some(prefixes.to_vec()));
    (!prefixes.is_empty() && prefixes.iter().all(can_be_sent)).then(|| filter.build())
}

/// Separate filters are ANDed, the values of one are ORed; `!` before a value negates it (ListSecrets, `Filters`).
fn filters(filter: &ListFilter) -> Vec<Filter> {
    let ListFilter { prefixes, without, tag, newest_first: _ } = filter;
    let mut filters: Vec<Filter> = name_filter(prefixes).into_iter().collect();
    for prefix in without.iter().filter(|prefix| !prefix.starts_with('!') && prefix.len() < 512) {
        filters.push(Filter::builder().key(FilterNameStringType::Name).values(format!("!{prefix}")).build());
    }
    if let Some((key, value)) = tag {
        filters.push(Filter::builder().key(FilterNameStringType::TagKey).values(key).build());
        filters.push(Filter::builder().key(FilterNameStringType::TagValue).values(value).build());
    }
    filters
}

/// `arn` is the secret's: it names the partition that the policy is for.
fn live_policy(text: Option<String>, arn: Option<&str>) -> LivePolicy {
    let partition = Partition::of_arn(arn.unwrap_or_default());
    match text.filter(|text| !text.is_empty()) {
        None => LivePolicy::None,
        Some(text) => match PolicyDocument::parse_lenient(&text, &partition) {
            Some(document) => LivePolicy::Document(document),
            None => LivePolicy::Unparsable(text),
        },
    }
}

fn timestamp(date: Option<aws_sdk_secretsmanager::primitives::DateTime>) -> Option<Timestamp> {
    date.and_then(|date| Timestamp::from_millisecond(date.to_millis().ok()?).ok())
}

fn tags(tags: Option<Vec<Tag>>) -> BTreeMap<TagKey, String> {
    tags.unwrap_or_default()
        .into_iter()
        .filter_map(|tag| Some((TagKey::of_service(tag.key?), tag.value.unwrap_or_default())))
        .collect_map()
}

fn versions(
    versions: Option<std::collections::HashMap<String, Vec<String>>>,
) -> BTreeMap<VersionId, BTreeSet<StagingLabel>> {
    let typed = |(id, labels): (String, Vec<String>)| {
        (VersionId::of_service(id), labels.into_iter().map(StagingLabel::of_service).collect())
    };
    versions.unwrap_or_default().into_iter().map(typed).collect_map()
}

/// When a secret rotates; the rest of a rotation is left empty.
fn rotation_rules(rules: Option<RotationRulesType>) -> LiveRotation {
    let Some(rules) = rules else { return LiveRotation::default() };
    LiveRotation {
        every_days: rules.automatically_after_days.and_then(|days| u32::try_from(days).ok()).filter(|days| *days > 0),
        expression: rules.schedule_expression.filter(|text| !text.is_empty()),
        duration: rules.duration.filter(|text| !text.is_empty()).map(RotationDuration::of_service),
        ..LiveRotation::default()
    }
}

fn metadata(items: Option<Vec<ExternalSecretRotationMetadataItem>>) -> BTreeMap<String, String> {
    items
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| Some((item.key?, item.value.unwrap_or_default())))
        .collect_map()
}

fn replica(status: ReplicationStatusType) -> Option<(domain::Region, LiveReplica)> {
    let state = match status.status {
        Some(StatusType::InSync) => ReplicaStatus::InSync,
        Some(StatusType::Failed) => {
            ReplicaStatus::Failed { message: status.status_message.unwrap_or_else(|| "no reason was given".to_owned()) }
        }
        // A state that this version does not know is no reason to write.
        _ => ReplicaStatus::InProgress,
    };
    Some((
        domain::Region::of_service(status.region?),
        LiveReplica { kms_key_id: status.kms_key_id.map(KmsKey::of_service), status: state },
    ))
}

/// Without a name or an ARN an entry is of no use; the service always gives both.
fn listed(entry: SecretListEntry) -> Option<LiveSecret> {
    Some(LiveSecret {
        name: SecretName::new(entry.name?),
        arn: Arn::of_service(entry.arn?),
        description: entry.description,
        kms_key_id: entry.kms_key_id.map(KmsKey::of_service),
        tags: tags(entry.tags),
        deleted_at: timestamp(entry.deleted_date),
        owning_service: entry.owning_service,
        primary_region: entry.primary_region.map(domain::Region::of_service),
        versions: versions(entry.secret_versions_to_stages),
        secret_type: entry.r#type,
        rotation: LiveRotation {
            enabled: entry.rotation_enabled.unwrap_or(false),
            lambda_arn: entry.rotation_lambda_arn.map(Arn::of_service),
            external_role_arn: entry.external_secret_rotation_role_arn.map(Arn::of_service),
            external_metadata: metadata(entry.external_secret_rotation_metadata),
            last: timestamp(entry.last_rotated_date),
            next: timestamp(entry.next_rotation_date),
            ..rotation_rules(entry.rotation_rules)
        },
        replicas: BTreeMap::new(),
        cross_account: CrossAccount::default(),
        created: timestamp(entry.created_date),
        last_changed: timestamp(entry.last_changed_date),
        last_accessed: timestamp(entry.last_accessed_date),
        replicas_accessed: None,
        policy: LivePolicy::NotRead,
        other_policies: Vec::new(),
        seen: Seen::Listed,
    })
}

fn described(secret: DescribeSecretOutput) -> Option<LiveSecret> {
    let replicas_accessed =
        secret.replication_status().iter().filter_map(|replica| timestamp(replica.last_accessed_date)).max();
    Some(LiveSecret {
        name: SecretName::new(secret.name?),
        arn: Arn::of_service(secret.arn?),
        description: secret.description,
        kms_key_id: secret.kms_key_id.map(KmsKey::of_service),
        tags: tags(secret.tags),
        deleted_at: timestamp(secret.deleted_date),
        owning_service: secret.owning_service,
        primary_region: secret.primary_region.map(domain::Region::of_service),
        versions: versions(secret.version_ids_to_stages),
        secret_type: secret.r#type,
        rotation: LiveRotation {
            enabled: secret.rotation_enabled.unwrap_or(false),
            lambda_arn: secret.rotation_lambda_arn.map(Arn::of_service),
            external_role_arn: secret.external_secret_rotation_role_arn.map(Arn::of_service),
            external_metadata: metadata(secret.external_secret_rotation_metadata),
            last: timestamp(secret.last_rotated_date),
            next: timestamp(secret.next_rotation_date),
            ..rotation_rules(secret.rotation_rules)
        },
        replicas: secret.replication_status.unwrap_or_default().into_iter().filter_map(replica).collect_map(),
        cross_account: CrossAccount::default(),
        created: timestamp(secret.created_date),
        last_changed: timestamp(secret.last_changed_date),
        last_accessed: timestamp(secret.last_accessed_date),
        replicas_accessed,
        policy: LivePolicy::NotRead,
        other_policies: Vec::new(),
        seen: Seen::Described,
    })
}
