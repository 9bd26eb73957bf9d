//! A snapshot that is loaded is what was taken.

#![expect(clippy::unwrap_used, reason = "a store in memory does not fail")]

use serde_json::{Value, json};

use super::*;
use crate::{Clock, Options, Sandbox};

const ACCOUNT: &str = "111111111111";

fn sandbox() -> Sandbox {
    Sandbox::in_memory(Options { rng_seed: 1, clock: Clock::manual("2026-05-01T12:00:00Z".parse().unwrap()) })
}

fn call(sandbox: &Sandbox, region: &str, operation: &str, body: &Value) -> Value {
    let request = http::Request::post("http://secretsmanager.example/")
        .header("x-amz-target", format!("secretsmanager.{operation}"))
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260501/{region}/secretsmanager/aws4_request"),
        )
        .body(bytes::Bytes::from(body.to_string()))
        .unwrap();
    serde_json::from_slice(sandbox.respond(&request).body()).unwrap()
}

fn text<T: From<String>>(text: &str) -> T {
    T::from(text.to_owned())
}

fn version(labels: &[&str]) -> SnapshotVersion {
    SnapshotVersion { labels: labels.iter().map(ToString::to_string).collect(), value: "x".to_owned().into() }
}

fn arn(region: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:prod/db-AbCd12")
}

/// A secret with everything that a secret can have.
fn whole() -> Snapshot {
    let replica = |status| SnapshotReplica { kms_key_id: text("alias/west"), status };
    Snapshot {
        name: "prod/db".to_owned(),
        arn: arn("eu-west-1"),
        description: text("A database"),
        kms_key_id: text("alias/payments"),
        secret_type: text("some-partner"),
        tags: BTreeMap::from([("aws:cloudformation:stack-id".to_owned(), "stack".to_owned())]),
        policy: text(r#"{"Version":"2012-10-17","Statement":[]}"#),
        versions: BTreeMap::from([
            ("version-1".to_owned(), version(&["AWSPREVIOUS", "STABLE"])),
            ("version-2".to_owned(), version(&["AWSCURRENT"])),
            ("version-3".to_owned(), version(&["AWSPENDING"])),
            ("version-4".to_owned(), version(&[])),
        ]),
        owning_service: text("events"),
        replicas: BTreeMap::from([
            ("us-east-1".to_owned(), replica(SnapshotStatus::InSync)),
            ("us-east-2".to_owned(), replica(SnapshotStatus::InProgress)),
            ("us-west-1".to_owned(), replica(SnapshotStatus::Failed { message: "no".to_owned(), in_the_way: true })),
            ("us-west-2".to_owned(), replica(SnapshotStatus::Failed { message: "no".to_owned(), in_the_way: false })),
        ]),
        rotation: Some(SnapshotRotation {
            enabled: true,
            lambda_arn: text("arn:aws:lambda:eu-west-1:111111111111:function:f"),
            expression: text("rate(10 days)"),
            duration: text("3h"),
            last: Some("2026-04-25T00:00:00Z".parse().unwrap()),
            next: Some("2026-05-05T00:00:00Z".parse().unwrap()),
            ..SnapshotRotation::default()
        }),
        changed: Some("2026-04-26T00:00:00Z".parse().unwrap()),
        ..Snapshot::default()
    }
}

#[test]
fn what_is_loaded_is_described_as_it_was() {
    let sandbox = sandbox();
    assert_eq!(sandbox.load([&whole()]).unwrap(), 1);
    let described = call(&sandbox, "eu-west-1", "DescribeSecret", &json!({ "SecretId": arn("eu-west-1") }));
    let status = |region: &str, status: &str, message: Value| {
        let mut shown = json!({ "Region": region, "KmsKeyId": "alias/west", "Status": status });
        if !message.is_null() {
            shown["StatusMessage"] = message;
        }
        shown
    };
    for (member, expected) in [
        ("ARN", json!(arn("eu-west-1"))),
        ("Description", json!("A database")),
        ("KmsKeyId", json!("alias/payments")),
        ("Type", json!("some-partner")),
        ("OwningService", json!("events")),
        ("PrimaryRegion", json!("eu-west-1")),
        ("Tags", json!([{ "Key": "aws:cloudformation:stack-id", "Value": "stack" }])),
        ("RotationEnabled", json!(true)),
        (
            "RotationRules",
            json!({ "AutomaticallyAfterDays": 10, "Duration": "3h", "ScheduleExpression": "rate(10 days)" }),
        ),
        (
            "VersionIdsToStages",
            json!({ "version-1": ["AWSPREVIOUS", "STABLE"], "version-2": ["AWSCURRENT"], "version-3": ["AWSPENDING"] }),
        ),
        (
            "ReplicationStatus",
            json!([
                status("us-east-1", "InSync", json!("Replication succeeded")),
                status("us-east-2", "InSync", json!("Replication succeeded")),
                status("us-west-1", "Failed", json!("no")),
                status("us-west-2", "Failed", json!("no")),
            ]),
        ),
    ] {
        assert_eq!(described[member], expected, "{member}");
    }
    let listed = call(
        &sandbox,
        "eu-west-1",
        "ListSecretVersionIds",
        &json!({ "SecretId": "prod/db", "IncludeDeprecated": true }),
    );
    assert_eq!(listed["Versions"].as_array().unwrap().len(), 4);
    let policy = call(&sandbox, "eu-west-1", "GetResourcePolicy", &json!({ "SecretId": "prod/db" }));
    assert_eq!(policy["ResourcePolicy"], r#"{"Version":"2012-10-17","Statement":[]}"#);
    // The copy that is there, the one that came meanwhile, what stands in the way of the third, and nothing.
    let primary =
        |region| call(&sandbox, region, "DescribeSecret", &json!({ "SecretId": "prod/db" }))["PrimaryRegion"].clone();
    assert_eq!(primary("us-east-1"), "eu-west-1");
    assert_eq!(primary("us-east-2"), "eu-west-1");
    assert_eq!(primary("us-west-1"), Value::Null);
    assert_eq!(sandbox.dump(ACCOUNT, "us-west-1").len(), 1);
    assert_eq!(sandbox.dump(ACCOUNT, "us-west-2").len(), 0);
    // Of a secret that a service manages, nobody else makes replicas.
    let sandbox = self::sandbox();
    sandbox.load([&Snapshot { owning_service: None, ..whole() }]).unwrap();
    let again = ["us-west-1", "us-west-2"].map(|region| json!({ "Region": region }));
    call(
        &sandbox,
        "eu-west-1",
        "ReplicateSecretToRegions",
        &json!({ "SecretId": "prod/db", "AddReplicaRegions": again }),
    );
    let replicas = sandbox.dump(ACCOUNT, "eu-west-1").remove(0).replicas;
    assert_eq!((replicas["us-west-1"].as_str(), replicas["us-west-2"].as_str()), ("Failed", "InSync"));
}

#[test]
fn a_replica_and_a_scheduled_deletion_are_what_they_were() {
    let sandbox = sandbox();
    let replica = Snapshot {
        arn: arn("us-east-1"),
        replica_of: text("eu-west-1"),
        name: "prod/db".to_owned(),
        ..Snapshot::default()
    };
    let deleted = Snapshot {
        name: "prod/old".to_owned(),
        arn: arn("eu-west-1").replace("db-", "old-"),
        // Long enough ago that no window would still be open.
        deletion_requested: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..Snapshot::default()
    };
    assert_eq!(sandbox.load([&replica, &deleted, &replica]).unwrap(), 2, "a place is taken once");
    let shown = call(&sandbox, "us-east-1", "DescribeSecret", &json!({ "SecretId": "prod/db" }));
    assert_eq!(shown["PrimaryRegion"], "eu-west-1");
    assert!(sandbox.dump(ACCOUNT, "eu-west-1")[0].scheduled_for_deletion);
    let restored = call(&sandbox, "eu-west-1", "RestoreSecret", &json!({ "SecretId": deleted.arn }));
    assert_eq!(restored["Name"], "prod/old");
}

#[test]
fn either_side_of_a_replication_between_accounts_can_be_loaded_alone() {
    let shown = |snapshot: &Snapshot, account: &str| {
        let sandbox = sandbox();
        sandbox.load([snapshot]).unwrap();
        sandbox.dump(account, "eu-west-1").remove(0)
    };
    let replica_arn = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:copy-AbCdEf";
    let link = |status: CrossAccountStatus| {
        Some(CrossAccountReplica { arn: replica_arn.to_owned(), role_arn: None, status, copies_at: None })
    };
    for (status, expected) in [
        (CrossAccountStatus::InSync, "InSync"),
        (CrossAccountStatus::InProgress, "InSync"),
        (CrossAccountStatus::Failed { message: "no key".to_owned() }, "Failed"),
        (CrossAccountStatus::Detached, "Detached"),
    ] {
        let primary = Snapshot { cross_account_replica: link(status), owning_service: None, ..whole() };
        let other_side = shown(&primary, ACCOUNT).cross_account_replica.unwrap();
        assert_eq!((other_side.arn.as_str(), other_side.status.as_str()), (replica_arn, expected));
    }
    let replica = Snapshot {
        name: "copy".to_owned(),
        arn: replica_arn.to_owned(),
        cross_account_primary: Some(CrossAccountPrimary { arn: arn("eu-west-1"), status: CrossAccountStatus::Pending }),
        ..Snapshot::default()
    };
    assert_eq!(shown(&replica, "222222222222").cross_account_primary.unwrap().status, "Pending");
}

#[test]
fn a_primary_that_is_loaded_with_its_replica_is_followed() {
    let sandbox = sandbox();
    let arn = arn("eu-west-1");
    let replica_arn = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:copy-AbCdEf".to_owned();
    let primary = Snapshot {
        cross_account_replica: Some(CrossAccountReplica {
            arn: replica_arn.clone(),
            role_arn: None,
            status: CrossAccountStatus::InSync,
            copies_at: None,
        }),
        owning_service: None,
        rotation: None,
        ..whole()
    };
    let replica = Snapshot {
        name: "copy".to_owned(),
        arn: replica_arn,
        cross_account_primary: Some(CrossAccountPrimary { arn, status: CrossAccountStatus::InSync }),
        ..Snapshot::default()
    };
    sandbox.load([&primary, &replica]).unwrap();
    let put = json!({
        "SecretId": "prod/db", "SecretString": "new", "ClientRequestToken": "a-token-of-thirty-two-characters"
    });
    call(&sandbox, "eu-west-1", "PutSecretValue", &put);
    let copy = sandbox.dump("222222222222", "eu-west-1").remove(0);
    assert_eq!(copy.labels["AWSCURRENT"], "a-token-of-thirty-two-characters");
}

#[test]
fn an_arn_that_names_no_place_loads_nothing() {
    let sandbox = sandbox();
    let lost = Snapshot { name: "a".to_owned(), arn: "prod/db".to_owned(), ..Snapshot::default() };
    assert!(matches!(sandbox.load([&whole(), &lost]), Err(LoadError::NotAnArn { .. })));
    assert!(sandbox.dump(ACCOUNT, "eu-west-1").is_empty(), "all or nothing");
}
