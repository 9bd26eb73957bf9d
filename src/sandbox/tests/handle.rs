//! What tests ask of the sandbox: the log of calls, faults, hooks, the dump, the reset.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Fault, FaultKind, Outcome};
use super::*;

fn fault(operation: &str, kind: FaultKind) -> Fault {
    Fault { operation: Some(operation.to_owned()), secret: None, skip: 0, times: Some(1), kind }
}

#[test]
fn a_call_is_logged_with_the_name_of_the_secret() {
    let client = Client::new();
    let arn = client.create("a-b");
    client.describe(&arn);
    let removed = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:gone-AbCdEf";
    client.refused("DescribeSecret", json!({"SecretId": removed}));
    client.ok("ListSecrets", json!({}));
    let calls: Vec<_> =
        client.sandbox.calls().into_iter().map(|call| (call.operation, call.secret, call.outcome)).collect();
    let named = |name: &str| Some(name.to_owned());
    let missing = Outcome::Error("ResourceNotFoundException".to_owned());
    assert_eq!(
        calls,
        [
            ("CreateSecret".to_owned(), named("a-b"), Outcome::Ok),
            ("DescribeSecret".to_owned(), named("a-b"), Outcome::Ok),
            ("DescribeSecret".to_owned(), named("gone"), missing),
            ("ListSecrets".to_owned(), None, Outcome::Ok),
        ]
    );
    client.sandbox.clear_calls();
    assert_eq!(client.sandbox.calls(), []);
}

#[test]
fn no_value_is_in_the_log_or_the_dump() {
    let client = Client::new();
    client.create_with_value("a", "hunter2");
    client.value("a");
    client.refused(
        "PutSecretValue",
        json!({"SecretId": "a", "ClientRequestToken": token(1), "SecretString": "hunter22"}),
    );
    let shown = format!("{:?} {:?}", client.sandbox.calls(), client.sandbox.dump(DEFAULT_ACCOUNT, REGION));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_injected_error_changes_nothing() {
    let client = Client::new();
    let kind =
        FaultKind::Error { status: 400, code: "ThrottlingException".to_owned(), message: "Rate exceeded".to_owned() };
    client.sandbox.inject(Fault { secret: Some("a".to_owned()), ..fault("CreateSecret", kind) });
    client.create("other");
    let input = json!({"Name": "a", "ClientRequestToken": token(1)});
    assert_eq!(client.refused("CreateSecret", input), refused("ThrottlingException", "Rate exceeded"));
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    client.create("a");
}

#[test]
fn a_lost_answer_keeps_the_change() {
    let client = Client::new();
    client.create("a");
    client.sandbox.inject(fault("PutSecretValue", FaultKind::AnswerLost));
    let input = json!({"SecretId": "a", "ClientRequestToken": token(1), "SecretString": "x"});
    let response = client.send("PutSecretValue", &input);
    assert_eq!((response.status().as_u16(), refusal(&response).code.as_str()), (500, "InternalServiceError"));
    assert_eq!(client.value("a"), "x");
    assert_eq!(client.ok("PutSecretValue", input)["VersionStages"], json!(["AWSCURRENT"]), "the retry is harmless");
}

#[test]
fn an_access_denied_fault_names_action_and_resource() {
    let client = Client::new();
    let arn = client.create("a");
    client.sandbox.inject(fault("GetResourcePolicy", FaultKind::AccessDenied));
    let Refused { code, message } = client.refused("GetResourcePolicy", json!({"SecretId": arn}));
    assert_eq!(code, "AccessDeniedException");
    assert!(
        message.contains("not authorized to perform: secretsmanager:GetResourcePolicy on resource: a "),
        "{message}"
    );
}

#[test]
fn a_hook_runs_before_the_call_and_its_own_calls_are_not_logged() {
    let client = Client::new();
    client.create("a");
    client.sandbox.clear_calls();
    let (runs, behind) = (Arc::new(AtomicUsize::new(0)), client.clone());
    let counted = Arc::clone(&runs);
    client.sandbox.on_call(Box::new(move |call, sandbox| {
        if call.operation == "DescribeSecret" {
            counted.fetch_add(1, Ordering::Relaxed);
            assert_eq!(call.outcome, Outcome::Pending);
            let change = json!({"SecretId": "a", "ClientRequestToken": token(1), "Description": "changed"});
            let response = sandbox.respond(&behind.request("UpdateSecret", change.to_string()));
            assert_eq!(response.status(), 200);
            behind.describe("a");
        }
    }));
    assert_eq!(client.describe("a")["Description"], "changed");
    assert_eq!(runs.load(Ordering::Relaxed), 1, "a hook's own calls run no hook");
    let operations: Vec<String> = client.sandbox.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["DescribeSecret"], "and are not logged");
}

#[test]
fn a_dump_has_the_secrets_of_one_account_and_region() {
    let client = Client::new();
    client.ok(
        "CreateSecret",
        json!({"Name": "b", "ClientRequestToken": token(1), "SecretString": "x", "Tags": [{"Key": "k", "Value": "v"}]}),
    );
    describe_deleted(&client);
    client.in_region("us-east-1").create("other");
    let dump = serde_json::to_value(client.sandbox.dump(DEFAULT_ACCOUNT, REGION)).unwrap();
    assert_eq!(
        dump,
        json!([
            {"name": "a", "description": "d", "tags": {}, "scheduledForDeletion": true, "labels": {}, "versions": 0},
            {
                "name": "b", "tags": {"k": "v"}, "scheduledForDeletion": false,
                "labels": {"AWSCURRENT": token(1)}, "versions": 1
            }
        ])
    );
}

fn describe_deleted(client: &Client) {
    client.ok("CreateSecret", json!({"Name": "a", "ClientRequestToken": token(1), "Description": "d"}));
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
}

#[test]
fn a_reset_removes_every_secret_and_arns_repeat() {
    let client = Client::new();
    let arn = client.create("a");
    client.ok("DeleteSecret", json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true}));
    client.as_account("111122223333").create("b");
    client.sandbox.reset().unwrap();
    assert_eq!(client.ok("ListSecrets", json!({})), json!({"SecretList": []}));
    assert_eq!(client.sandbox.dump("111122223333", REGION), []);
    assert_eq!(client.create("a"), arn);
}

#[test]
fn an_owning_service_is_shown_and_filtered_by() {
    let client = Client::new();
    client.create("events!connection/a");
    let hand = |name| client.sandbox.set_owning_service(DEFAULT_ACCOUNT, REGION, name, "events").unwrap();
    assert!(hand("events!connection/a"));
    assert!(!hand("missing"));
    let described = client.describe("events!connection/a");
    assert_eq!(described["OwningService"], "events");
    assert_eq!(described["Tags"], json!([{"Key": "aws:secretsmanager:owningService", "Value": "events"}]));
    let owned = json!({"Filters": [{"Key": "owning-service", "Values": ["ev"]}]});
    assert_eq!(client.ok("ListSecrets", owned)["SecretList"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_a_service_manages_only_the_service_changes() {
    let client = Client::new();
    let secrets = "- { name: 'rds!db-1', value: one, region: REGION, owningService: rds, rotation: { everyDays: 7 } }";
    client.sandbox.make_fixtures(&secrets.replace("REGION", REGION)).unwrap();
    let id = |mut members: serde_json::Value| {
        members["SecretId"] = "rds!db-1".into();
        members
    };
    let token = "00000000-0000-4000-8000-000000000001";
    for (operation, members) in [
        ("UpdateSecret", json!({"Description": "ours", "ClientRequestToken": token})),
        ("PutSecretValue", json!({"SecretString": "ours", "ClientRequestToken": token})),
        ("UpdateSecretVersionStage", json!({"VersionStage": "OURS"})),
        ("CancelRotateSecret", json!({})),
        ("DeleteSecret", json!({})),
        ("DeleteSecret", json!({"ForceDeleteWithoutRecovery": true})),
        ("ReplicateSecretToRegions", json!({"AddReplicaRegions": [{"Region": "eu-central-1"}]})),
        ("RotateSecret", json!({"RotationLambdaARN": "arn:aws:lambda:x", "ClientRequestToken": token})),
    ] {
        assert_eq!(client.refused(operation, id(members)).code, "InvalidRequestException", "{operation}");
    }
    client.ok("TagResource", id(json!({"Tags": [{"Key": "team", "Value": "a"}]})));
    client.ok("UntagResource", id(json!({"TagKeys": ["team"]})));
    let rules = json!({"RotationRules": {"AutomaticallyAfterDays": 30}, "ClientRequestToken": token});
    client.ok("RotateSecret", id(rules));
    let described = client.describe("rds!db-1");
    assert_eq!(described["RotationRules"]["AutomaticallyAfterDays"], 30);
    assert_eq!(described["VersionIdsToStages"][token], json!(["AWSCURRENT"]), "it was rotated at once");
}
