//! The writing operations over an SDK client.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_types::retry::RetryConfig;

use super::error::service_error;
use super::quota::Group;
use super::read::Reader;
use crate::apply::{NewSecret, PolicyVerdict, WriteSecrets};
use crate::desired::{Deletion, SecretName};
use crate::live::{ListPage, LivePolicy, LiveSecret, ReadSecrets, ServiceError, ServiceErrorKind};

/// Writes to one target.
#[derive(Debug)]
pub struct Writer {
    reader: Reader,
}

impl Writer {
    /// Built by [`super::Connection::into_writer`] alone.
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader }
    }
}

impl ReadSecrets for Writer {
    async fn list(&self, prefix: &str, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        self.reader.list(prefix, next_token).await
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.reader.describe(name).await
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        self.reader.policy(name).await
    }
}

impl WriteSecrets for Writer {
    async fn create(&self, name: &SecretName, secret: &NewSecret) -> Result<String, ServiceError> {
        self.reader.wait(Group::Create).await;
        let NewSecret { description, kms_key_id, tags } = secret;
        // The SDK fills in a ClientRequestToken and keeps it over its retries, so a lost answer makes no second secret.
        let created = self
            .reader
            .client
            .create_secret()
            .name(name.as_str())
            .set_description(description.clone())
            .set_kms_key_id(kms_key_id.clone())
            .set_tags(Some(sdk_tags(tags)))
            .send()
            .await
            .map_err(|error| service_error("CreateSecret", &error))?;
        created.arn.ok_or(ServiceError {
            operation: "CreateSecret",
            kind: ServiceErrorKind::Service,
            code: None,
            message: "the answer has no ARN".to_owned(),
            request_id: None,
        })
    }

    async fn restore(&self, arn: &str) -> Result<(), ServiceError> {
        self.reader.wait(Group::Restore).await;
        let call = self.reader.client.restore_secret().secret_id(arn);
        call.send().await.map(|_| ()).map_err(|error| service_error("RestoreSecret", &error))
    }

    async fn update(&self, arn: &str, description: Option<&str>, kms_key_id: Option<&str>) -> Result<(), ServiceError> {
        self.reader.wait(Group::Update).await;
        let call = self
            .reader
            .client
            .update_secret()
            .secret_id(arn)
            .set_description(description.map(str::to_owned))
            .set_kms_key_id(kms_key_id.map(str::to_owned));
        call.send().await.map(|_| ()).map_err(|error| service_error("UpdateSecret", &error))
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
        self.reader.wait(Group::Tag).await;
        let call = self.reader.client.tag_resource().secret_id(arn).set_tags(Some(sdk_tags(tags)));
        call.send().await.map(|_| ()).map_err(|error| service_error("TagResource", &error))
    }

    async fn untag(&self, arn: &str, keys: &BTreeSet<String>) -> Result<(), ServiceError> {
        self.reader.wait(Group::Tag).await;
        let keys = keys.iter().cloned().collect();
        let call = self.reader.client.untag_resource().secret_id(arn).set_tag_keys(Some(keys));
        call.send().await.map(|_| ()).map_err(|error| service_error("UntagResource", &error))
    }

    async fn validate_policy(&self, arn: &str, policy: &str) -> PolicyVerdict {
        self.reader.wait(Group::ResourcePolicy).await;
        let call = self.reader.client.validate_resource_policy().secret_id(arn).resource_policy(policy);
        // Its answer is advice. An endpoint that lacks the operation often answers 5xx, and waiting for the usual number
        // of attempts at every policy would make an apply look dead.
        let once_more =
            aws_sdk_secretsmanager::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(2));
        let answer = match call.customize().config_override(once_more).send().await {
            Ok(answer) => answer,
            Err(error) => return PolicyVerdict::Unavailable(service_error("ValidateResourcePolicy", &error)),
        };
        if answer.policy_validation_passed {
            return PolicyVerdict::Passed;
        }
        let mut problems: Vec<String> = answer
            .validation_errors
            .unwrap_or_default()
            .into_iter()
            .filter_map(|problem| match (problem.check_name, problem.error_message) {
                (Some(check), Some(message)) => Some(format!("{check}: {message}")),
                (check, message) => check.or(message),
            })
            .collect();
        if problems.is_empty() {
            problems.push("validation did not pass, and no reason was given".to_owned());
        }
        PolicyVerdict::Rejected(problems)
    }

    async fn put_policy(&self, arn: &str, policy: &str, block_public_policy: bool) -> Result<(), ServiceError> {
        self.reader.wait(Group::ResourcePolicy).await;
        let call = self
            .reader
            .client
            .put_resource_policy()
            .secret_id(arn)
            .resource_policy(policy)
            .block_public_policy(block_public_policy);
        call.send().await.map(|_| ()).map_err(|error| service_error("PutResourcePolicy", &error))
    }

    async fn delete_policy(&self, arn: &str) -> Result<(), ServiceError> {
        self.reader.wait(Group::ResourcePolicy).await;
        let call = self.reader.client.delete_resource_policy().secret_id(arn);
        call.send().await.map(|_| ()).map_err(|error| service_error("DeleteResourcePolicy", &error))
    }

    async fn delete(&self, arn: &str, deletion: Deletion) -> Result<(), ServiceError> {
        self.reader.wait(Group::Delete).await;
        let call = self.reader.client.delete_secret().secret_id(arn);
        let call = match deletion {
            Deletion::Window(days) => call.recovery_window_in_days(i64::from(days)),
            Deletion::Force => call.force_delete_without_recovery(true),
        };
        call.send().await.map(|_| ()).map_err(|error| service_error("DeleteSecret", &error))
    }
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
