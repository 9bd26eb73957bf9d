//! Replicas in other accounts: how they are made and associated, what follows, and how either side ends it.

use std::time::Duration;

use super::*;
use crate::faults::FaultProfile;

pub(super) const HERE: &str = "111111111111";
pub(super) const THERE: &str = "222222222222";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The owners of a primary `a` with a value and of its replica `b`, which is not associated.
pub(super) struct Pair {
    pub(super) here: Client,
    pub(super) there: Client,
    pub(super) primary: String,
    pub(super) replica: String,
}

impl Pair {
    pub(super) fn new() -> Self {
        let client = Client::new();
        let (here, there) = (client.as_account(HERE), client.as_account(THERE));
        let primary = here.create_with_value("a", "one");
        let replica = text(&there.ok("CreateSecret", replica_of(&primary))["ARN"]);
        Self { here, there, primary, replica }
    }

    pub(super) fn associated() -> Self {
        let pair = Self::new();
        pair.associate();
        pair
    }

    pub(super) fn associate(&self) -> Value {
        self.here.ok("AssociateCrossAccountReplica", self.link())
    }

    pub(super) fn link(&self) -> Value {
        json!({"SecretId": "a", "CrossAccountReplicaARN": self.replica})
    }

    pub(super) fn put(&self, number: u32, value: &str) {
        let input = json!({"SecretId": "a", "ClientRequestToken": token(number), "SecretString": value});
        self.here.ok("PutSecretValue", input);
    }

    /// What the primary shows, then what the replica does: a status each, or null.
    pub(super) fn statuses(&self) -> [Value; 2] {
        let primary = self.here.describe("a")["CrossAccountReplicas"][0]["ReplicationStatus"].clone();
        [primary, self.there.describe("b")["CrossAccountPrimary"]["ReplicationStatus"].clone()]
    }

    pub(super) fn faults(&self, faults: &Value) {
        self.here.sandbox.apply_fault_file(faults.to_string()).unwrap();
    }
}

pub(super) fn replica_of(primary: &str) -> Value {
    json!({"Name": "b", "ClientRequestToken": token(9), "KmsKeyId": KEY, "CrossAccountPrimaryARN": primary})
}

#[test]
fn a_replica_waits_for_its_primary_without_a_value() {
    let Pair { here, there, primary, replica } = Pair::new();
    let described = there.describe("b");
    assert_eq!(
        described["CrossAccountPrimary"],
        json!({"PrimarySecretARN": primary, "ReplicationStatus": "Pending"}),
        "only the replica is pending"
    );
    assert_eq!(described.get("VersionIdsToStages"), None);
    assert_eq!(here.describe("a").get("CrossAccountReplicas"), None);
    assert_eq!(there.refused("GetSecretValue", json!({"SecretId": "b"})).code, "ResourceNotFoundException");
    let created = there.ok(
        "CreateSecret",
        json!({"Name": "c", "ClientRequestToken": token(9), "KmsKeyId": KEY,
        "CrossAccountPrimaryARN": primary, "Tags": [{"Key": "k", "Value": "v"}], "ForceOverwriteReplicaSecret": true}),
    );
    assert_eq!(created.as_object().map(serde_json::Map::len), Some(2), "its ARN and name: {created}");
    assert_eq!(there.describe("c")["Tags"][0]["Key"], "k");
    let listed = there.ok("ListSecrets", json!({}));
    assert_eq!(listed["SecretList"][0]["ARN"], replica);
    assert_eq!(listed["SecretList"][0].get("CrossAccountPrimary"), None, "lists show nothing of it");
}

#[test]
fn an_association_copies_the_values_and_every_later_change() {
    let pair = Pair::new();
    pair.put(2, "two");
    let answer = pair.associate();
    assert_eq!(
        answer,
        json!({"ARN": pair.primary, "CrossAccountReplicaARN": pair.replica, "ReplicationStatus": "InProgress"})
    );
    let described = pair.here.describe("a");
    let entry = json!({"ReplicaSecretARN": pair.replica, "ReplicationStatus": "InSync"});
    assert_eq!(described["CrossAccountReplicas"], json!([entry]));
    assert_eq!(pair.statuses(), ["InSync", "InSync"]);
    assert_eq!(pair.there.value("b"), "two");
    assert_eq!(pair.there.labels("b"), pair.here.labels("a"));
    let versions = pair.there.ok("ListSecretVersionIds", json!({"SecretId": "b"}));
    assert_eq!(versions["Versions"][0]["KmsKeyIds"], json!([KEY]), "under its own key");
    pair.here.advance(1);
    pair.put(3, "three");
    assert_eq!(pair.there.value("b"), "three");
    assert_eq!(pair.there.describe("b")["LastChangedDate"], seconds(&pair.there, 0), "a copy changes the replica");
    pair.here.ok(
        "UpdateSecretVersionStage",
        json!({
            "SecretId": "a", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": token(3), "MoveToVersionId": token(2)
        }),
    );
    assert_eq!(pair.there.value("b"), "two");
    pair.here.ok("UpdateSecret", json!({"SecretId": "a", "ClientRequestToken": token(4), "SecretString": "four"}));
    assert_eq!(pair.there.value("b"), "four");
    assert_eq!(pair.there.labels("b"), pair.here.labels("a"));
}

#[test]
fn only_values_travel() {
    let pair = Pair::associated();
    pair.here.advance(1);
    let before = pair.there.describe("b");
    pair.here.ok("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]}));
    pair.here.ok(
        "UpdateSecret",
        json!({"SecretId": "a", "ClientRequestToken": token(2), "Description": "d", "KmsKeyId": "alias/here"}),
    );
    pair.here.ok(
        "RotateSecret",
        json!({"SecretId": "a", "ClientRequestToken": token(3), "RotateImmediately": false,
            "RotationLambdaARN": "arn:aws:lambda:eu-west-1:111111111111:function:rotate",
            "RotationRules": {"AutomaticallyAfterDays": 30}}),
    );
    assert_eq!(pair.there.describe("b"), before);
    pair.here.advance(24 * 31);
    assert_eq!(pair.there.labels("b"), pair.here.labels("a"), "a rotation is a change of values");
    assert_eq!(pair.there.value("b"), pair.here.value("a"));
}

#[test]
fn versions_without_a_value_are_neither_copied_nor_listed() {
    let pair = Pair::associated();
    pair.faults(&json!({"rotations": [{"of": "any", "outcome": {"failAt": "create"}}]}));
    pair.here.ok(
        "RotateSecret",
        json!({"SecretId": "a", "ClientRequestToken": token(2),
            "RotationLambdaARN": "arn:aws:lambda:eu-west-1:111111111111:function:rotate"}),
    );
    assert_eq!(pair.here.labels("a")[token(2)], json!(["AWSPENDING"]), "DescribeSecret has it");
    let listed = pair.here.ok("ListSecretVersionIds", json!({"SecretId": "a", "IncludeDeprecated": true}));
    assert_eq!(listed["Versions"].as_array().map(Vec::len), Some(1));
    assert_eq!(pair.there.labels("b"), json!({token(1): ["AWSCURRENT"]}));
    assert_eq!(pair.statuses(), ["InSync", "InSync"]);
}

#[test]
fn a_primary_without_a_value_copies_it_when_it_comes() {
    let client = Client::new();
    let (here, there) = (client.as_account(HERE), client.as_account(THERE));
    let primary = here.create("a");
    let replica = text(&there.ok("CreateSecret", replica_of(&primary))["ARN"]);
    let pair = Pair { here, there, primary, replica };
    pair.associate();
    assert_eq!(pair.statuses(), ["InSync", "InSync"]);
    pair.put(1, "one");
    assert_eq!(pair.there.value("b"), "one");
}

#[test]
fn an_association_is_in_progress_for_the_delay_of_the_profile() {
    let pair = Pair::new();
    let profile = FaultProfile { replication_delay: Duration::from_hours(1), ..FaultProfile::default() };
    pair.here.sandbox.set_fault_profile(profile);
    pair.associate();
    assert_eq!(pair.statuses(), ["InProgress", "InProgress"]);
    pair.put(2, "two");
    assert_eq!(pair.statuses(), ["InProgress", "InProgress"]);
    assert_eq!(pair.there.refused("GetSecretValue", json!({"SecretId": "b"})).code, "ResourceNotFoundException");
    pair.here.advance(1);
    assert_eq!(pair.statuses(), ["InSync", "InSync"]);
    assert_eq!(pair.there.value("b"), "two");
}

#[test]
fn a_failed_copy_is_told_on_both_sides_and_repaired_by_associating_again() {
    let pair = Pair::new();
    let message = "Access to KMS is not allowed";
    pair.faults(&json!({"replications": [{"of": {"secret": "a"}, "outcome": {"fail": message}}]}));
    pair.associate();
    assert_eq!(pair.statuses(), ["Failed", "Failed"]);
    assert_eq!(pair.here.describe("a")["CrossAccountReplicas"][0]["StatusMessage"], message);
    assert_eq!(pair.there.describe("b")["CrossAccountPrimary"]["StatusMessage"], message);
    assert_eq!(pair.there.describe("b").get("VersionIdsToStages"), None);
    pair.faults(&json!({"replications": [{"of": {"secret": "a"}, "outcome": "succeed"}]}));
    assert_eq!(pair.statuses(), ["Failed", "Failed"], "nothing tries it again by itself");
    assert_eq!(pair.associate()["ReplicationStatus"], "InProgress");
    assert_eq!(pair.statuses(), ["InSync", "InSync"]);
    assert_eq!(pair.there.value("b"), "one");
    pair.faults(&json!({"replications": [{"of": {"secret": "a"}, "outcome": {"fail": message}}]}));
    pair.put(2, "two");
    assert_eq!(pair.statuses(), ["Failed", "Failed"]);
    assert_eq!(pair.there.value("b"), "one", "the last value that was copied stays");
    pair.here.sandbox.clear_faults();
    pair.put(3, "three");
    assert_eq!(pair.statuses(), ["InSync", "InSync"], "each change is copied, whatever became of the last");
    assert_eq!(pair.there.value("b"), "three");
}

#[test]
fn replications_to_regions_fail_by_the_same_part_of_the_fault_file() {
    let client = Client::new();
    client.create_with_value("a", "one");
    let faults = json!({"replications": [{"of": "any", "outcome": {"fail": "no key there"}}]});
    client.sandbox.apply_fault_file(faults.to_string()).unwrap();
    let regions = json!({"SecretId": "a", "AddReplicaRegions": [{"Region": "us-west-2"}]});
    client.ok("ReplicateSecretToRegions", regions.clone());
    let status = client.describe("a")["ReplicationStatus"][0].clone();
    assert_eq!((&status["Status"], &status["StatusMessage"]), (&json!("Failed"), &json!("no key there")));
    client.sandbox.clear_faults();
    client.ok("ReplicateSecretToRegions", regions);
    assert_eq!(client.describe("a")["ReplicationStatus"][0]["Status"], "InSync");
}

#[test]
fn an_association_in_sync_is_repeated_without_a_change_but_of_the_role() {
    let pair = Pair::associated();
    let role = "arn:aws:iam::111111111111:role/replication";
    let mut input = pair.link();
    input["ReplicationRoleARN"] = role.into();
    assert_eq!(pair.here.ok("AssociateCrossAccountReplica", input)["ReplicationStatus"], "InSync");
    assert_eq!(pair.here.describe("a")["CrossAccountReplicas"][0]["ReplicationRoleARN"], role);
    pair.associate();
    assert_eq!(pair.here.describe("a")["CrossAccountReplicas"][0].get("ReplicationRoleARN"), None);
}

#[test]
fn the_primary_s_owner_detaches_a_replica() {
    let pair = Pair::associated();
    let answer = pair.here.ok("DisassociateCrossAccountReplica", pair.link());
    assert_eq!(answer, json!({"ARN": pair.primary, "CrossAccountReplicaARN": pair.replica}));
    assert_eq!(pair.here.describe("a").get("CrossAccountReplicas"), None);
    assert_eq!(
        pair.there.describe("b")["CrossAccountPrimary"],
        json!({"PrimarySecretARN": pair.primary, "ReplicationStatus": "Detached"})
    );
    pair.put(2, "two");
    assert_eq!(pair.there.value("b"), "one");
    assert_eq!(pair.here.refused("DisassociateCrossAccountReplica", pair.link()).code, "InvalidRequestException");
    pair.associate();
    assert_eq!((pair.statuses(), pair.there.value("b")), (["InSync".into(), "InSync".into()], "two".to_owned()));
    pair.here.ok("DisassociateCrossAccountReplica", pair.link());
    assert_eq!(pair.there.refused("DeleteSecret", json!({"SecretId": "b"})).code, "InvalidRequestException");
    pair.there.ok("StopReplicationToReplica", json!({"SecretId": "b"}));
    pair.there.ok("DeleteSecret", json!({"SecretId": "b"}));
    pair.here.ok("DeleteSecret", json!({"SecretId": "a"}));
}

#[test]
fn the_replica_s_owner_makes_it_a_secret_of_its_own() {
    let pair = Pair::associated();
    assert_eq!(pair.here.refused("StopReplicationToReplica", json!({"SecretId": "a"})).code, "InvalidRequestException");
    let foreign = pair.here.refused("StopReplicationToReplica", json!({"SecretId": pair.replica}));
    assert_eq!(foreign.message, "You must call this operation from the account that owns the replica.");
    let answer = pair.there.ok("StopReplicationToReplica", json!({"SecretId": pair.replica}));
    assert_eq!(answer, json!({"ARN": pair.replica}));
    assert_eq!(pair.there.describe("b").get("CrossAccountPrimary"), None);
    assert_eq!(pair.there.ok("ListResourcePolicies", json!({"SecretId": "b"})), json!({"ResourcePolicies": []}));
    let entry = json!({"ReplicaSecretARN": pair.replica, "ReplicationStatus": "Detached"});
    assert_eq!(pair.here.describe("a")["CrossAccountReplicas"], json!([entry]));
    pair.put(2, "two");
    assert_eq!(pair.there.value("b"), "one");
    pair.there.ok("PutSecretValue", json!({"SecretId": "b", "ClientRequestToken": token(5), "SecretString": "own"}));
    assert_eq!(pair.there.value("b"), "own");
    assert_eq!(pair.here.refused("AssociateCrossAccountReplica", pair.link()).code, "InvalidRequestException");
    pair.there.ok("DeleteSecret", json!({"SecretId": "b", "ForceDeleteWithoutRecovery": true}));
    assert_eq!(pair.here.refused("DeleteSecret", json!({"SecretId": "a"})).code, "InvalidRequestException");
    pair.here.ok("DisassociateCrossAccountReplica", pair.link());
    pair.here.ok("DeleteSecret", json!({"SecretId": "a"}));
}

#[test]
fn a_replica_has_a_managed_policy_beside_its_own() {
    let pair = Pair::new();
    let there = &pair.there;
    let listed = |client: &Client, name: &str| {
        client.ok("ListResourcePolicies", json!({"SecretId": name}))["ResourcePolicies"].clone()
    };
    let managed = json!({"PolicyName": "cross-account-replication"});
    assert_eq!(listed(there, "b"), json!([managed]));
    let named = json!({"SecretId": "b", "PolicyName": "cross-account-replication"});
    let got = there.ok("GetResourcePolicy", named.clone());
    assert_eq!(got["PolicyName"], "cross-account-replication");
    let document: Value = serde_json::from_str(&text(&got["ResourcePolicy"])).unwrap();
    assert_eq!(document["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111111111111:root");
    assert_eq!(document["Statement"][0]["Resource"], pair.replica);
    assert_eq!(
        there.ok("GetResourcePolicy", json!({"SecretId": "b"})),
        json!({"ARN": pair.replica, "Name": "b", "PolicyName": "default"})
    );
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"
        }]
    });
    there.ok("PutResourcePolicy", json!({"SecretId": "b", "ResourcePolicy": policy.to_string()}));
    assert_eq!(listed(there, "b"), json!([{"PolicyName": "default"}, managed]));
    assert_eq!(there.refused("DeleteResourcePolicy", named.clone()).code, "InvalidParameterException");
    there.ok("DeleteResourcePolicy", json!({"SecretId": "b"}));
    assert_eq!(there.ok("GetResourcePolicy", named)["ResourcePolicy"], got["ResourcePolicy"]);
    assert_eq!(listed(&pair.here, "a"), json!([]));
}

#[test]
fn a_replica_in_another_account_can_be_beside_one_in_another_region() {
    let pair = Pair::associated();
    pair.here.ok("ReplicateSecretToRegions", json!({"SecretId": "a", "AddReplicaRegions": [{"Region": "us-west-2"}]}));
    let region = pair.here.in_region("us-west-2");
    assert_eq!(region.describe("a").get("CrossAccountReplicas"), None);
    pair.put(2, "two");
    assert_eq!((region.value("a"), pair.there.value("b")), ("two".to_owned(), "two".to_owned()));
    let of_a_copy = region.refused(
        "AssociateCrossAccountReplica",
        json!({"SecretId": "a", "CrossAccountReplicaARN": pair.replica.replace(REGION, "us-west-2")}),
    );
    assert_eq!(of_a_copy.code, "InvalidParameterException");
}

#[test]
fn dumps_and_fixtures_have_both_sides() {
    let client = Client::new();
    let fixtures = r#"
- { name: a, account: "111111111111", region: eu-west-1, value: one }
- name: b
  account: "222222222222"
  region: eu-west-1
  kmsKeyId: alias/there
  crossAccountPrimary: { account: "111111111111", name: a }
- name: c
  account: "222222222222"
  region: eu-west-1
  kmsKeyId: alias/there
  crossAccountPrimary: { account: "111111111111", name: a, associated: false }
"#;
    client.sandbox.make_fixtures(fixtures).unwrap();
    let (here, there) = (client.as_account(HERE), client.as_account(THERE));
    assert_eq!(there.value("b"), "one");
    assert_eq!(there.describe("c")["CrossAccountPrimary"]["ReplicationStatus"], "Pending");
    let dumped = client.sandbox.dump(HERE, REGION);
    let link = dumped[0].cross_account_replica.as_ref().unwrap();
    assert_eq!((link.arn.as_str(), link.status.as_str()), (text(&there.describe("b")["ARN"]).as_str(), "InSync"));
    let dumped = client.sandbox.dump(THERE, REGION);
    let arn = text(&here.describe("a")["ARN"]);
    let statuses: Vec<_> = dumped.iter().map(|secret| secret.cross_account_primary.clone().unwrap()).collect();
    assert!(statuses.iter().all(|link| link.arn == arn));
    assert_eq!(statuses.iter().map(|link| link.status.as_str()).collect::<Vec<_>>(), ["InSync", "Pending"]);
    let missing = "- { name: d, account: '222222222222', region: eu-west-1, kmsKeyId: alias/x, \
                   crossAccountPrimary: { account: '111111111111', name: missing } }";
    assert!(client.sandbox.make_fixtures(missing).is_err());
}
