//! What is sent again, and what is not, over scripted answers.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use serde_json::{Value, json};

use super::clock::ServiceClock;
use super::pace::Pace;
use super::raw::{RawClient, RetriedBy, SECRETS_MANAGER};
use super::read::Reader;
use super::retry::{Attempts, OnlyClockSkew, Retries};
use super::wait_reporter::WaitReporter;
use super::write::Writer;
use crate::apply::{NewSecret, WriteSecrets as _};
use crate::desired::Restriction;
use crate::domain::{Arn, KmsKey, SecretName};
use crate::live::{LinkStatus, ListFilter, ReadSecrets as _, ServiceErrorKind};

/// Answers in their order, and the bodies of the requests that got them.
#[derive(Clone, Debug)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        self.requests.lock().unwrap_or_else(|_| unreachable!()).push(body);
        let next = self.answers.lock().unwrap_or_else(|_| unreachable!()).pop_front();
        let (status, body) = next.unwrap_or_else(|| (500, json!({"__type": "InternalServiceError"})));
        let answer = http::Response::builder().status(status).body(SdkBody::from(body.to_string()));
        HttpConnectorFuture::ready(Ok(
            HttpResponse::try_from(answer.unwrap_or_else(|_| unreachable!())).unwrap_or_else(|_| unreachable!())
        ))
    }
}

fn reader(answers: impl IntoIterator<Item = (u16, Value)>) -> (Reader, Script) {
    let script = Script { answers: Arc::new(Mutex::new(answers.into_iter().collect())), requests: Arc::default() };
    let connector = SharedHttpConnector::new(script.clone());
    let http_client = http_client_fn(move |_, _| connector.clone());
    let raw = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("x", "x", None)))
        .http_client(http_client.clone())
        .build();
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::from_keys("x", "x", None))
        .http_client(http_client.clone())
        .retry_classifier(OnlyClockSkew)
        .retry_config(RetryConfig::standard())
        .build();
    let retries = Retries {
        attempts: Attempts::of(None),
        pace: Arc::new(Pace::unlimited()),
        propagation: Arc::new(AtomicU64::new(60_000)),
        wait_reporter: WaitReporter::default(),
        place: "here".to_owned(),
    };
    let client = aws_sdk_secretsmanager::Client::from_conf(config);
    let raw = RawClient::new(SECRETS_MANAGER, raw, RetriedBy::Caller);
    (Reader::new(client, raw, retries, ServiceClock::new(None)), script)
}

impl Script {
    fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap_or_else(|_| unreachable!()).clone()
    }
}

fn error(code: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": "no"}))
}

fn listed(name: &str, next: Option<&str>) -> (u16, Value) {
    (200, json!({"SecretList": [{"Name": name, "ARN": format!("arn:{name}")}], "NextToken": next}))
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again_where_it_was() {
    let (reader, script) = reader([
        listed("a", Some("second")),
        error("ThrottlingException"),
        (500, json!({"__type": "InternalServiceError"})),
        (200, json!("half an answ")),
        listed("b", None),
    ]);
    let first = reader.list(&ListFilter::default(), None).await.unwrap_or_else(|error| unreachable!("{error}"));
    let token = first.next_token.clone();
    let second = reader.list(&ListFilter::default(), token).await.unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(second.secrets.len(), 1);
    let tokens: Vec<Value> = script.requests().iter().map(|request| request["NextToken"].clone()).collect();
    assert_eq!(tokens, [Value::Null, json!("second"), json!("second"), json!("second"), json!("second")]);
}

#[tokio::test]
async fn alternatives_are_values_of_one_filter_and_exclusions_are_filters_of_their_own() {
    let (reader, script) = reader([listed("a", None), listed("a", None)]);
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let filter =
        ListFilter { prefixes: text(&["p/a", "p/b"]), without: text(&["p/a1", "p/b2"]), ..ListFilter::default() };
    assert!(reader.list(&filter, None).await.is_ok());
    let negated = ListFilter { prefixes: text(&["p/a", "!p/b"]), newest_first: true, ..ListFilter::default() };
    assert!(reader.list(&negated, None).await.is_ok());
    let filter = |values: &[&str]| json!({"Key": "name", "Values": values});
    let requests = script.requests();
    assert_eq!(requests[0]["Filters"], json!([filter(&["p/a", "p/b"]), filter(&["!p/a1"]), filter(&["!p/b2"])]));
    assert_eq!(requests[0]["SortBy"], Value::Null);
    assert_eq!(requests[1]["Filters"], Value::Null, "what begins with ! would negate");
    assert_eq!((&requests[1]["SortBy"], &requests[1]["SortOrder"]), (&json!("last-changed-date"), &json!("desc")));
}

#[tokio::test]
async fn errors_that_stay_are_not_asked_for_again() {
    for (code, kind) in [
        ("LimitExceededException", ServiceErrorKind::QuotaReached),
        ("AccessDeniedException", ServiceErrorKind::AccessDenied),
        ("InvalidParameterException", ServiceErrorKind::Rejected),
        ("InvalidSignatureException", ServiceErrorKind::Credentials),
        ("DecryptionFailure", ServiceErrorKind::Rejected),
    ] {
        let (reader, script) = reader([error(code)]);
        let error = reader.list(&ListFilter::default(), None).await.err();
        assert_eq!(error.map(|error| error.kind), Some(kind));
        assert_eq!(script.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_batch_is_read_to_its_end_and_what_failed_in_it_again() {
    let value = |name: &str| json!({"Name": name, "VersionId": format!("{name:-<32}"), "SecretString": name});
    let (reader, script) = reader([
        (
            200,
            json!({"SecretValues": [value("a")], "NextToken": "more", "Errors": [
                {"SecretId": "b", "ErrorCode": "ThrottlingException", "Message": "Rate exceeded"},
                {"SecretId": "c", "ErrorCode": "AccessDeniedException", "Message": "no"},
            ]}),
        ),
        (200, json!({"SecretValues": [value("d")], "NextToken": ""})),
        (200, json!({"SecretValues": [value("b")]})),
    ]);
    let names = ["a", "b", "c", "d"].map(SecretName::new);
    let values = reader.values(&names).await.unwrap_or_else(|error| unreachable!("{error}"));
    let read: Vec<(&str, bool)> = values.iter().map(|(name, value)| (name.as_str(), value.is_ok())).collect();
    assert_eq!(read, [("a", true), ("b", true), ("c", false), ("d", true)]);
    let requests = script.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[1]["NextToken"], "more");
    assert_eq!(requests[2]["SecretIdList"], json!(["b"]), "only what may come now");
}

#[tokio::test]
async fn links_with_other_accounts_are_read_from_the_answer_that_shows_the_secret() {
    let answer = json!({"Name": "a", "ARN": "arn:a",
    "CrossAccountPrimary": {"PrimarySecretARN": "arn:p", "ReplicationStatus": "Failed", "StatusMessage": "no key"},
    "CrossAccountReplicas": [
        {"ReplicaSecretARN": "arn:r", "ReplicationRoleARN": "arn:role", "ReplicationStatus": "InSync"},
    ]});
    let without = json!({"Name": "a", "ARN": "arn:a"});
    let (reader, script) = reader([(200, answer), (200, without)]);
    let name = SecretName::new("a");
    let secret = reader.describe(&name).await.ok().flatten().unwrap_or_else(|| unreachable!());
    let primary = secret.cross_account.primary.unwrap_or_else(|| unreachable!());
    assert_eq!((primary.arn.as_str(), primary.status), ("arn:p", LinkStatus::Failed { message: "no key".to_owned() }));
    let replica = &secret.cross_account.replicas[&Arn::of_service("arn:r")];
    assert_eq!((replica.role.as_ref().map(Arn::as_str), &replica.status), (Some("arn:role"), &LinkStatus::InSync));
    let secret = reader.describe(&name).await.ok().flatten().unwrap_or_else(|| unreachable!());
    assert_eq!(secret.cross_account, crate::live::CrossAccount::default());
    assert_eq!(script.requests().len(), 2, "no call more");
}

#[tokio::test]
async fn what_the_sdk_lacks_is_sent_as_the_service_model_names_it() {
    let (reader, script) = reader([
        (503, json!({})),
        (200, json!({"ARN": "arn:r", "Name": "r"})),
        (200, json!({"ARN": "arn:p", "ReplicationStatus": "InProgress"})),
        (200, json!({"ARN": "arn:p"})),
        (200, json!({"ResourcePolicies": [{"PolicyName": "default"}], "NextToken": "more"})),
        (200, json!({"ResourcePolicies": [{"PolicyName": "cross-account-replication"}]})),
    ]);
    let writer = Writer::new(reader);
    let new = NewSecret {
        description: None,
        kms_key_id: Some(KmsKey::of_service("alias/k")),
        tags: std::collections::BTreeMap::new(),
        secret_type: None,
        value: None,
        replicas: std::collections::BTreeMap::new(),
        cross_account_primary: Some(Arn::of_service("arn:p")),
    };
    let [primary, replica, role] = ["arn:p", "arn:r", "arn:role"].map(Arn::of_service);
    let made = writer.create(&SecretName::new("r"), &new).await;
    assert_eq!(made.map(|made| made.arn.to_string()).ok().as_deref(), Some("arn:r"));
    assert!(writer.associate(&primary, &replica, Restriction::NoRestriction, Some(&role)).await.is_ok());
    assert!(writer.disassociate(&primary, &replica).await.is_ok());
    let names = writer.policy_names(&SecretName::new("r")).await.ok().flatten();
    assert_eq!(names.unwrap_or_default(), ["default", "cross-account-replication"]);
    let requests = script.requests();
    let token = &requests[0]["ClientRequestToken"];
    assert_eq!(
        requests[0],
        json!({"Name": "r", "ClientRequestToken": token, "KmsKeyId": "alias/k", "Tags": [],
            "CrossAccountPrimaryARN": "arn:p"})
    );
    assert_eq!(requests[1], requests[0], "the same request, token and all");
    assert_eq!(
        requests[2],
        json!({"SecretId": "arn:p", "CrossAccountReplicaARN": "arn:r", "ReplicaRestriction": "NoRestriction",
            "ReplicationRoleARN": "arn:role"})
    );
    assert_eq!(requests[3], json!({"SecretId": "arn:p", "CrossAccountReplicaARN": "arn:r"}));
    assert_eq!(requests[5], json!({"SecretId": "r", "NextToken": "more"}));
}
