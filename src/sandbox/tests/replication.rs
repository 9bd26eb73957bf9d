//! Copies in other regions: how they come, what they are, and how they go.

use std::time::Duration;

use super::*;
use crate::faults::FaultProfile;

const THERE: &str = "us-west-2";

fn add(regions: &[&str]) -> Value {
    let regions: Vec<Value> = regions.iter().map(|region| json!({"Region": region})).collect();
    json!({"SecretId": "a", "AddReplicaRegions": regions})
}

fn read_only() -> Refused {
    refused(
        "InvalidParameterException",
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    )
}

fn replicated() -> (Client, Client) {
    let client = Client::new();
    client.create_with_value("a", "one");
    client.ok("ReplicateSecretToRegions", add(&[THERE]));
    let there = client.in_region(THERE);
    (client, there)
}

#[test]
fn a_replication_begins_and_is_then_in_sync() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    client.advance(1);
    let started = client.ok("ReplicateSecretToRegions", add(&[THERE]));
    let status = json!({"Region": THERE, "KmsKeyId": "alias/aws/secretsmanager", "Status": "InProgress"});
    assert_eq!(started, json!({"ARN": arn, "ReplicationStatus": [status]}));
    let described = client.describe("a");
    assert_eq!(described["PrimaryRegion"], REGION);
    assert_eq!(described["ReplicationStatus"][0]["Status"], "InSync");
    assert_eq!(described["ReplicationStatus"][0]["StatusMessage"], "Replication succeeded");
    assert_eq!(described["LastChangedDate"], seconds(&client, 0), "a replication changes its secret");
    let there = client.in_region(THERE);
    assert_eq!(
        there.describe("a"),
        json!({
            "ARN": arn.replace(REGION, THERE), "Name": "a", "KmsKeyId": "alias/aws/secretsmanager",
            "LastChangedDate": seconds(&client, 0), "CreatedDate": seconds(&client, 0),
            "PrimaryRegion": REGION, "VersionIdsToStages": {token(1): ["AWSCURRENT"]},
        })
    );
    assert_eq!(there.value(&arn.replace(REGION, THERE)), "one");
    let versions = there.ok("ListSecretVersionIds", json!({"SecretId": "a"}));
    assert_eq!(versions["Versions"][0]["VersionId"], token(1));
    let accessed = &client.describe("a")["ReplicationStatus"][0]["LastAccessedDate"];
    assert_eq!(*accessed, there.describe("a")["LastAccessedDate"]);
    assert_eq!(client.describe("a").get("LastAccessedDate"), None, "each region has its own");
    let listed = client.ok("ListSecrets", json!({}));
    assert_eq!(listed["SecretList"][0].get("ReplicationStatus"), None);
    assert_eq!(listed["SecretList"][0]["PrimaryRegion"], REGION);
}

#[test]
fn a_replication_is_in_progress_for_the_delay_of_the_profile() {
    let client = Client::new();
    let profile = FaultProfile { replication_delay: Duration::from_hours(1), ..FaultProfile::default() };
    client.sandbox.set_fault_profile(profile);
    client.create_with_value("a", "one");
    client.ok("ReplicateSecretToRegions", add(&[THERE]));
    assert_eq!(client.describe("a")["ReplicationStatus"][0]["Status"], "InProgress");
    let there = client.in_region(THERE);
    assert_eq!(there.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    client.advance(1);
    assert_eq!(there.value("a"), "one");
    assert_eq!(client.describe("a")["ReplicationStatus"][0]["Status"], "InSync");
}

#[test]
fn creation_can_replicate_with_a_key_for_each_region() {
    let client = Client::new();
    let regions = json!([{"Region": THERE, "KmsKeyId": "alias/there"}, {"Region": "us-east-1", "KmsKeyId": ""}]);
    let created = client.ok(
        "CreateSecret",
        json!({"Name": "a", "ClientRequestToken": token(1), "SecretString": "x", "AddReplicaRegions": regions}),
    );
    assert_eq!(
        created["ReplicationStatus"],
        json!([
            {"Region": THERE, "KmsKeyId": "alias/there", "Status": "InProgress"},
            {"Region": "us-east-1", "KmsKeyId": "alias/aws/secretsmanager", "Status": "InProgress"},
        ])
    );
    let there = client.in_region(THERE);
    assert_eq!(there.describe("a")["KmsKeyId"], "alias/there");
    let versions = there.ok("ListSecretVersionIds", json!({"SecretId": "a"}));
    assert_eq!(versions["Versions"][0]["KmsKeyIds"], json!(["alias/there"]));
    assert_eq!(client.describe("a").get("KmsKeyId"), None);
    let named = |region: &str| json!({"Filters": [{"Key": "primary-region", "Values": [region]}]});
    assert_eq!(there.ok("ListSecrets", named("eu-"))["SecretList"].as_array().map(Vec::len), Some(1));
    assert_eq!(there.ok("ListSecrets", named("us-"))["SecretList"], json!([]));
    client.create("plain");
    assert_eq!(client.ok("ListSecrets", named("eu-"))["SecretList"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_change_of_the_primary_reaches_its_replicas() {
    let (client, there) = replicated();
    client.ok("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]}));
    client.ok(
        "UpdateSecret",
        json!({
            "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "two", "Description": "d",
            "KmsKeyId": "alias/here"
        }),
    );
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"
        }]
    });
    client.ok("PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": policy.to_string()}));
    let (here, copy) = (client.describe("a"), there.describe("a"));
    for member in ["Tags", "Description", "VersionIdsToStages", "LastChangedDate"] {
        assert_eq!(here[member], copy[member], "{member}");
    }
    assert_eq!(copy["KmsKeyId"], "alias/aws/secretsmanager", "the key is each region's own");
    assert_eq!(there.value("a"), "two");
    assert_eq!(
        client.ok("GetResourcePolicy", json!({"SecretId": "a"}))["ResourcePolicy"],
        there.ok("GetResourcePolicy", json!({"SecretId": "a"}))["ResourcePolicy"]
    );
    client.ok(
        "UpdateSecretVersionStage",
        json!({
            "SecretId": "a", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": token(2), "MoveToVersionId": token(1)
        }),
    );
    assert_eq!(there.value("a"), "one");
}

#[test]
fn a_replica_is_read_only() {
    let (client, there) = replicated();
    let input = json!({
        "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "x", "Tags": [], "TagKeys": [],
        "ResourcePolicy": "{}", "VersionStage": "X", "AddReplicaRegions": [{"Region": "us-east-1"}],
        "RemoveReplicaRegions": [THERE]
    });
    for operation in [
        "CancelRotateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "PutResourcePolicy",
        "PutSecretValue",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RestoreSecret",
        "RotateSecret",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    ] {
        assert_eq!(there.refused(operation, known(operation, &input)), read_only(), "{operation}");
    }
    let forced = json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true});
    assert_eq!(there.refused("DeleteSecret", forced), read_only());
    let taken =
        there.refused("CreateSecret", json!({"Name": "a", "ClientRequestToken": token(1), "SecretString": "one"}));
    assert_eq!(taken, refused("ResourceExistsException", "The operation failed because the secret a already exists."));
    let key = json!({"SecretId": "a", "ClientRequestToken": token(2), "KmsKeyId": "alias/there"});
    there.ok("UpdateSecret", key);
    assert_eq!(there.describe("a")["KmsKeyId"], "alias/there", "but for its key");
    assert_eq!(client.describe("a")["ReplicationStatus"][0]["KmsKeyId"], "alias/there");
}

#[test]
fn a_taken_name_fails_the_replication_unless_overwrite_is_set() {
    let client = Client::new();
    client.create_with_value("a", "here");
    let there = client.in_region(THERE);
    there.create_with_value("a", "there");
    client.ok("ReplicateSecretToRegions", add(&[THERE]));
    let status = &client.describe("a")["ReplicationStatus"][0];
    assert_eq!(status["Status"], "Failed");
    let message = format!("Replication failed: Secret name a already exists in region {THERE}.");
    assert_eq!(status["StatusMessage"], message);
    assert_eq!(there.value("a"), "there");
    client.ok("RemoveRegionsFromReplication", json!({"SecretId": "a", "RemoveReplicaRegions": [THERE]}));
    assert_eq!(there.value("a"), "there", "a secret that is no copy is not removed");
    let mut input = add(&[THERE]);
    input["ForceOverwriteReplicaSecret"] = true.into();
    client.ok("ReplicateSecretToRegions", input);
    assert_eq!(client.describe("a")["ReplicationStatus"][0]["Status"], "InSync");
    assert_eq!(there.value("a"), "here");
    assert_eq!(there.ok("ListSecrets", json!({}))["SecretList"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_failed_region_can_be_tried_again() {
    let client = Client::new();
    client.create_with_value("a", "here");
    let there = client.in_region(THERE);
    there.create_with_value("a", "there");
    client.ok("ReplicateSecretToRegions", add(&[THERE]));
    client.describe("a");
    there.ok("DeleteSecret", json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true}));
    client.ok("ReplicateSecretToRegions", add(&[THERE]));
    let statuses = client.describe("a")["ReplicationStatus"].clone();
    assert_eq!((statuses.as_array().map(Vec::len), &statuses[0]["Status"]), (Some(1), &json!("InSync")));
}

#[test]
fn a_primary_with_replicas_cannot_be_deleted() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    client.ok("ReplicateSecretToRegions", add(&["us-west-2", "us-east-1"]));
    let message = format!("You can't delete secret {arn} that still has replica regions [us-west-2, us-east-1].");
    for input in [json!({"SecretId": "a"}), json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true})] {
        assert_eq!(client.refused("DeleteSecret", input), refused("InvalidParameterException", &message));
    }
    let removed = json!({"SecretId": "a", "RemoveReplicaRegions": ["us-west-2"]});
    let left = client.ok("RemoveRegionsFromReplication", removed);
    assert_eq!((&left["ARN"], &left["ReplicationStatus"][0]["Region"]), (&json!(arn), &json!("us-east-1")));
    assert_eq!(client.in_region("us-west-2").refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    let last =
        client.ok("RemoveRegionsFromReplication", json!({"SecretId": "a", "RemoveReplicaRegions": ["us-east-1"]}));
    assert_eq!(last["ReplicationStatus"], json!([]));
    assert_eq!(client.describe("a").get("PrimaryRegion"), None);
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
}

#[test]
fn stop_replication_makes_a_replica_a_secret_of_its_own() {
    let (client, there) = replicated();
    let arn = there.describe("a")["ARN"].clone();
    assert_eq!(client.refused("StopReplicationToReplica", json!({"SecretId": "a"})).code, "InvalidRequestException");
    assert_eq!(there.ok("StopReplicationToReplica", json!({"SecretId": "a"})), json!({"ARN": arn}));
    for either in [&client, &there] {
        let described = either.describe("a");
        assert_eq!((described.get("PrimaryRegion"), described.get("ReplicationStatus")), (None, None));
    }
    there.ok("PutSecretValue", json!({"SecretId": "a", "ClientRequestToken": token(2), "SecretString": "two"}));
    assert_eq!((client.value("a"), there.value("a")), ("one".to_owned(), "two".to_owned()));
    client.ok("DeleteSecret", json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true}));
    assert_eq!(there.value("a"), "two");
    assert_eq!(there.describe("a")["ARN"], arn);
}

#[test]
fn requests_that_break_a_rule_are_refused() {
    let client = Client::new();
    client.create("a");
    let invalid = refused("InvalidParameterException", "Invalid replica region.");
    assert_eq!(client.refused("ReplicateSecretToRegions", add(&[REGION])), invalid);
    assert_eq!(client.refused("ReplicateSecretToRegions", add(&[THERE, THERE])), invalid);
    let created = json!({"Name": "b", "ClientRequestToken": token(1), "AddReplicaRegions": [{"Region": REGION}]});
    assert_eq!(client.refused("CreateSecret", created), invalid);
    let bad_key = json!({"SecretId": "a", "AddReplicaRegions": [{"Region": THERE, "KmsKeyId": "nonsense"}]});
    assert_eq!(client.refused("ReplicateSecretToRegions", bad_key).code, "InvalidParameterException");
    for input in [json!({"SecretId": "a"}), json!({"SecretId": "a", "AddReplicaRegions": []}), add(&["nowhere"])] {
        assert_eq!(client.refused("ReplicateSecretToRegions", input).code, "ValidationException");
    }
    assert_eq!(
        client.refused("ReplicateSecretToRegions", json!({"SecretId": "a"})).message,
        "1 validation error detected: Value null at 'addReplicaRegions' failed to satisfy constraint: \
         Member must not be null"
    );
    let missing = json!({"SecretId": "missing", "AddReplicaRegions": [{"Region": THERE}]});
    assert_eq!(client.refused("ReplicateSecretToRegions", missing), not_found());
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    assert_eq!(client.refused("ReplicateSecretToRegions", add(&[THERE])), marked_for_deletion());
}
