//! Replication between accounts and names of policies: operations and members of November 2026, which the SDK does not
//! know yet. They go through `raw`. When the SDK has them, this file goes.
//!
//! Source: botocore's service model of Secrets Manager (API version 2017-10-17).

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::quota::Operation;
use super::raw::{Answer, Body};
use super::read::Reader;
use super::write::{incomplete, new_token};
use crate::apply::{Created, NewSecret, Receipt};
use crate::collect::CollectMap as _;
use crate::desired::Restriction;
use crate::domain::{self, KmsKey, SecretName};
use crate::live::{CrossAccount, LinkStatus, LinkedPrimary, LinkedReplica, Pages, ServiceError, ServiceErrorKind};

/// What an answer of DescribeSecret says of replication between accounts: the SDK leaves these members out, so they are
/// taken from the body of the same answer. One for each call.
#[derive(Clone, Debug, Default)]
pub(super) struct LinksOfAnswer(Arc<Mutex<CrossAccount>>);

impl LinksOfAnswer {
    /// What the last answer said.
    pub(super) fn read(&self) -> CrossAccount {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for LinksOfAnswer {
    fn name(&self) -> &'static str {
        "LinksOfAnswer"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().filter(|response| response.status().is_success());
        if let Some(body) = body.and_then(|response| response.body().bytes()) {
            // An answer that is no JSON is the SDK's to refuse.
            let links = serde_json::from_slice::<Described>(body).map(CrossAccount::from).unwrap_or_default();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = links;
        }
        Ok(())
    }
}

/// The members of DescribeSecret's answer.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    cross_account_primary: Option<Primary>,
    #[serde(default)]
    cross_account_replicas: Vec<Replica>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Primary {
    #[serde(rename = "PrimarySecretARN")]
    arn: String,
    replication_status: Option<String>,
    status_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replica {
    #[serde(rename = "ReplicaSecretARN")]
    arn: String,
    #[serde(rename = "ReplicationRoleARN")]
    role: Option<String>,
    replication_status: Option<String>,
    status_message: Option<String>,
}

impl From<Described> for CrossAccount {
    fn from(described: Described) -> Self {
        let Described { cross_account_primary, cross_account_replicas } = described;
        let arn = |text: String| domain::Arn::of_service(text);
        Self {
            primary: cross_account_primary.map(|primary| LinkedPrimary {
                arn: arn(primary.arn),
                status: status(primary.replication_status.as_deref(), primary.status_message),
            }),
            replicas: cross_account_replicas
                .into_iter()
                .map(|replica| {
                    let status = status(replica.replication_status.as_deref(), replica.status_message);
                    (arn(replica.arn), LinkedReplica { role: replica.role.map(arn), status })
                })
                .collect_map(),
        }
    }
}

fn status(status: Option<&str>, message: Option<String>) -> LinkStatus {
    match status {
        Some("InSync") => LinkStatus::InSync,
        Some("Pending") => LinkStatus::Pending,
        Some("Detached") => LinkStatus::Detached,
        Some("Failed") => LinkStatus::Failed { message: message.unwrap_or_else(|| "no reason was given".to_owned()) },
        // A state that this version does not know is no reason to write.
        _ => LinkStatus::InProgress,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreateReplica<'a> {
    name: &'a str,
    client_request_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'a str>,
    tags: Vec<Tag<'a>>,
    #[serde(rename = "CrossAccountPrimaryARN")]
    primary: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Link<'a> {
    secret_id: &'a str,
    #[serde(rename = "CrossAccountReplicaARN")]
    replica: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replica_restriction: Option<&'static str>,
    #[serde(rename = "ReplicationRoleARN", skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListPolicies<'a> {
    secret_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policies {
    #[serde(default)]
    resource_policies: Vec<PolicyName>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyName {
    policy_name: String,
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "ARN")]
    arn: Option<String>,
}

impl Reader {
    async fn call(&self, operation: Operation, request: &impl Serialize) -> Result<(Body, Receipt), ServiceError> {
        let unusable = |_| failed(operation, ServiceErrorKind::Unusable, "the request could not be written");
        let body = Zeroizing::new(serde_json::to_vec(request).map_err(unusable)?);
        let Answer { body, request_id } =
            self.send(operation, || self.raw.call(operation.name(), Body(body.clone()))).await?;
        Ok((body, Receipt { request_id }))
    }

    /// CreateSecret of a replica of `primary`. It has no value: only a token of ours tells a repeated request, and the
    /// service keeps none where there is no value.
    pub(super) async fn create_replica(
        &self,
        name: &SecretName,
        new: &NewSecret,
        primary: &domain::Arn,
    ) -> Result<Created, ServiceError> {
        let NewSecret { description: _, kms_key_id, tags, secret_type: _, value: _, replicas: _, .. } = new;
        let key = kms_key_id.as_ref().map(KmsKey::to_string);
        let request = CreateReplica {
            name: name.as_str(),
            client_request_token: new_token(),
            kms_key_id: key.as_deref(),
            tags: tags.iter().map(|(key, value)| Tag { key: key.as_str(), value }).collect(),
            primary: primary.as_str(),
        };
        let (body, receipt) = self.call(Operation::CreateSecret, &request).await?;
        let answer = serde_json::from_slice::<Made>(&body.0).ok().and_then(|answer| answer.arn);
        let arn = answer.ok_or_else(|| incomplete(Operation::CreateSecret, "ARN"))?;
        Ok(Created { arn: domain::Arn::of_service(arn), version_id: None, receipt })
    }

    /// AssociateCrossAccountReplica.
    pub(super) async fn associate(
        &self,
        arn: &domain::Arn,
        replica: &domain::Arn,
        restriction: Restriction,
        role: Option<&domain::Arn>,
    ) -> Result<Receipt, ServiceError> {
        let request = Link {
            secret_id: arn.as_str(),
            replica: replica.as_str(),
            replica_restriction: Some(restriction.as_str()),
            role: role.map(domain::Arn::as_str),
        };
        Ok(self.call(Operation::AssociateCrossAccountReplica, &request).await?.1)
    }

    /// DisassociateCrossAccountReplica.
    pub(super) async fn disassociate(&self, arn: &domain::Arn, replica: &domain::Arn) -> Result<Receipt, ServiceError> {
        let (secret_id, replica) = (arn.as_str(), replica.as_str());
        let request = Link { secret_id, replica, replica_restriction: None, role: None };
        Ok(self.call(Operation::DisassociateCrossAccountReplica, &request).await?.1)
    }

    /// ListResourcePolicies, all pages.
    pub(super) async fn list_policies(&self, name: &SecretName) -> Result<Vec<String>, ServiceError> {
        let mut names = Vec::new();
        let (mut token, mut pages) = (None, Pages::of("ListResourcePolicies"));
        loop {
            let request = ListPolicies { secret_id: name.as_str(), next_token: token };
            let (body, _) = self.call(Operation::ListResourcePolicies, &request).await?;
            let page: Policies = serde_json::from_slice(&body.0).map_err(|_| {
                let text = "the answer is not one that Secrets Manager gives";
                failed(Operation::ListResourcePolicies, ServiceErrorKind::Service, text)
            })?;
            names.extend(page.resource_policies.into_iter().map(|policy| policy.policy_name));
            token = pages.next(page.next_token)?;
            if token.is_none() {
                return Ok(names);
            }
        }
    }
}

fn failed(operation: Operation, kind: ServiceErrorKind, text: &str) -> ServiceError {
    ServiceError { operation: operation.name(), kind, code: None, message: text.to_owned(), request_id: None }
}
