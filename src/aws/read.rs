//! The reading operations over an SDK client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry, Tag};
use jiff::Timestamp;

use super::error::service_error;
use super::quota::{Group, Quotas};
use crate::desired::SecretName;
use crate::live::{ListPage, LivePolicy, LiveSecret, ReadSecrets, Seen, ServiceError, ServiceErrorKind};
use crate::policy::PolicyDocument;

/// ListSecrets' `MaxResults`: the most that it takes.
const PAGE: i32 = 100;

/// Reads one target.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) client: Client,
    quotas: Option<Arc<Quotas>>,
}

impl Reader {
    /// `quotas` is none where no quota applies.
    pub(super) fn new(client: Client, quotas: Option<Arc<Quotas>>) -> Self {
        Self { client, quotas }
    }

    pub(super) async fn wait(&self, group: Group) {
        if let Some(quotas) = &self.quotas {
            quotas.wait(group).await;
        }
    }
}

impl ReadSecrets for Reader {
    async fn list(&self, prefix: &str, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        self.wait(Group::List).await;
        let page = self
            .client
            .list_secrets()
            .include_planned_deletion(true)
            .max_results(PAGE)
            .set_filters(name_filter(prefix).map(|filter| vec![filter]))
            .set_next_token(next_token)
            .send()
            .await
            .map_err(|error| service_error("ListSecrets", &error))?;
        Ok(ListPage {
            secrets: page.secret_list.unwrap_or_default().into_iter().filter_map(listed).collect(),
            next_token: page.next_token.filter(|token| !token.is_empty()),
        })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.wait(Group::Describe).await;
        match self.client.describe_secret().secret_id(name.as_str()).send().await {
            Ok(secret) => Ok(described(secret)),
            Err(error) => absent_when_not_found(service_error("DescribeSecret", &error)),
        }
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        self.wait(Group::ResourcePolicy).await;
        let error = match self.client.get_resource_policy().secret_id(name.as_str()).send().await {
            Ok(answer) => return Ok(Some(live_policy(answer.resource_policy))),
            Err(error) => service_error("GetResourcePolicy", &error),
        };
        match error.kind {
            // Scheduled for deletion: it can be read again after a restore.
            ServiceErrorKind::InvalidState => Ok(Some(LivePolicy::Unreadable)),
            _ => absent_when_not_found(error),
        }
    }
}

fn absent_when_not_found<T>(error: ServiceError) -> Result<Option<T>, ServiceError> {
    if error.kind == ServiceErrorKind::NotFound { Ok(None) } else { Err(error) }
}

/// A filter by the name's beginning. None where it can't be expressed: a leading `!` would negate it, and a value has at
/// most 512 characters. The scope is checked again by the reader, so a missing filter costs calls and nothing else.
fn name_filter(prefix: &str) -> Option<Filter> {
    (!prefix.is_empty() && !prefix.starts_with('!') && prefix.len() <= 512)
        .then(|| Filter::builder().key(FilterNameStringType::Name).values(prefix).build())
}

fn live_policy(text: Option<String>) -> LivePolicy {
    match text.filter(|text| !text.is_empty()) {
        None => LivePolicy::None,
        Some(text) => match PolicyDocument::parse_lenient(&text) {
            Some(document) => LivePolicy::Document(document),
            None => LivePolicy::Unparsable(text),
        },
    }
}

fn timestamp(date: Option<aws_sdk_secretsmanager::primitives::DateTime>) -> Option<Timestamp> {
    date.and_then(|date| Timestamp::from_millisecond(date.to_millis().ok()?).ok())
}

fn tags(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

fn versions(versions: Option<std::collections::HashMap<String, Vec<String>>>) -> BTreeMap<String, BTreeSet<String>> {
    versions.unwrap_or_default().into_iter().map(|(id, labels)| (id, labels.into_iter().collect())).collect()
}

/// Without a name or an ARN an entry is of no use; the service always gives both.
fn listed(entry: SecretListEntry) -> Option<LiveSecret> {
    Some(LiveSecret {
        name: SecretName::new(entry.name?),
        arn: entry.arn?,
        description: entry.description,
        kms_key_id: entry.kms_key_id,
        tags: tags(entry.tags),
        deleted_at: timestamp(entry.deleted_date),
        owning_service: entry.owning_service,
        primary_region: entry.primary_region,
        versions: versions(entry.secret_versions_to_stages),
        last_changed: timestamp(entry.last_changed_date),
        policy: LivePolicy::NotRead,
        seen: Seen::Listed,
    })
}

fn described(secret: DescribeSecretOutput) -> Option<LiveSecret> {
    Some(LiveSecret {
        name: SecretName::new(secret.name?),
        arn: secret.arn?,
        description: secret.description,
        kms_key_id: secret.kms_key_id,
        tags: tags(secret.tags),
        deleted_at: timestamp(secret.deleted_date),
        owning_service: secret.owning_service,
        primary_region: secret.primary_region,
        versions: versions(secret.version_ids_to_stages),
        last_changed: timestamp(secret.last_changed_date),
        policy: LivePolicy::NotRead,
        seen: Seen::Described,
    })
}
