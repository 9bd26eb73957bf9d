//! What is refused of replicas in other accounts.

use super::cross_account::{HERE, KEY, Pair, THERE, replica_of};
use super::*;

#[test]
fn creation_refuses_what_a_replica_cannot_have() {
    let client = Client::new();
    let (here, there) = (client.as_account(HERE), client.as_account(THERE));
    let primary = here.create_with_value("a", "one");
    let own = there.create("own");
    for (change, message) in [
        (json!({"SecretString": "x"}), "You can't include SecretString with CrossAccountPrimaryARN."),
        (json!({"SecretBinary": "AA=="}), "You can't include SecretBinary with CrossAccountPrimaryARN."),
        (
            json!({"Description": "", "Type": "x", "AddReplicaRegions": [{"Region": "us-east-1"}]}),
            "You can't include Description, AddReplicaRegions, Type with CrossAccountPrimaryARN.",
        ),
        (json!({"KmsKeyId": null}), "You must specify a customer managed KMS key for a cross-account replica."),
        (
            json!({"KmsKeyId": "alias/aws/secretsmanager"}),
            "You must specify a customer managed KMS key for a cross-account replica.",
        ),
        (
            json!({"CrossAccountPrimaryARN": own.clone()}),
            &format!("CrossAccountPrimaryARN must be the ARN of a secret in another AWS account: {own}"),
        ),
        (
            json!({"CrossAccountPrimaryARN": primary.replace(REGION, "us-east-1")}),
            &format!(
                "CrossAccountPrimaryARN must be the ARN of a secret in the same AWS Region and partition: {}",
                primary.replace(REGION, "us-east-1")
            ),
        ),
        (
            json!({"CrossAccountPrimaryARN": primary.replace("arn:aws:", "arn:aws-cn:")}),
            &format!(
                "CrossAccountPrimaryARN must be the ARN of a secret in the same AWS Region and partition: {}",
                primary.replace("arn:aws:", "arn:aws-cn:")
            ),
        ),
        (
            json!({"CrossAccountPrimaryARN": "the secret of the others"}),
            "CrossAccountPrimaryARN is not the ARN of a secret: the secret of the others",
        ),
    ] {
        let mut input = replica_of(&primary);
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let expected = refused("InvalidParameterException", message);
        assert_eq!(there.refused("CreateSecret", input), expected, "{change}");
    }
    let mut short = replica_of(&primary);
    short["CrossAccountPrimaryARN"] = "short".into();
    assert_eq!(there.refused("CreateSecret", short).code, "ValidationException");
    there.ok("CreateSecret", replica_of(&primary.replace(":secret:a-", ":secret:missing-")));
    let again = there.refused("CreateSecret", replica_of(&primary));
    assert_eq!(again.code, "ResourceExistsException", "no version remembers the request");
}

#[test]
fn an_association_that_breaks_a_rule_changes_neither_secret() {
    let pair = Pair::new();
    let standalone = pair.there.create("standalone");
    let with = |change: Value| {
        let mut input = pair.link();
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        input
    };
    let in_another_account = pair.there.create_with_value("c", "x");
    let missing = pair.replica.replace(":secret:b-", ":secret:missing-");
    let before = (pair.here.describe("a"), pair.there.describe("b"));
    for (input, code) in [
        (with(json!({"SecretId": "nowhere"})), "ResourceNotFoundException"),
        (with(json!({"CrossAccountReplicaARN": missing})), "ResourceNotFoundException"),
        (with(json!({"CrossAccountReplicaARN": standalone})), "InvalidRequestException"),
        (with(json!({"SecretId": in_another_account})), "InvalidRequestException"),
        (with(json!({"CrossAccountReplicaARN": pair.primary})), "InvalidParameterException"),
        (
            with(json!({"CrossAccountReplicaARN": pair.replica.replace(REGION, "us-east-1")})),
            "InvalidParameterException",
        ),
        (with(json!({"CrossAccountReplicaARN": "a name of twenty characters"})), "InvalidParameterException"),
        (with(json!({"ReplicationRoleARN": "arn:aws:iam::222222222222:role/x"})), "InvalidParameterException"),
        (with(json!({"ReplicationRoleARN": "arn:aws:iam::111111111111:user/x"})), "InvalidParameterException"),
        (with(json!({"ReplicaRestriction": "SomeOrg"})), "ValidationException"),
        (with(json!({"CrossAccountReplicaARN": "short"})), "ValidationException"),
        (json!({"SecretId": "a"}), "ValidationException"),
        (json!({"CrossAccountReplicaARN": pair.replica}), "ValidationException"),
    ] {
        assert_eq!(pair.here.refused("AssociateCrossAccountReplica", input.clone()).code, code, "{input}");
    }
    let reversed = json!({"SecretId": "b", "CrossAccountReplicaARN": pair.primary});
    assert_eq!(pair.there.refused("AssociateCrossAccountReplica", reversed).code, "InvalidRequestException");
    assert_eq!((pair.here.describe("a"), pair.there.describe("b")), before);
    pair.here.ok("DeleteSecret", json!({"SecretId": "a"}));
    assert_eq!(pair.here.refused("AssociateCrossAccountReplica", pair.link()), marked_for_deletion());
}

#[test]
fn a_replica_outside_of_the_organization_needs_no_restriction() {
    let pair = Pair::new();
    pair.faults(&json!({"profile": {"outsideOrganization": [THERE]}}));
    let mut input = pair.link();
    for restriction in [json!(null), json!("SameOrg")] {
        input["ReplicaRestriction"] = restriction;
        assert_eq!(
            pair.here.refused("AssociateCrossAccountReplica", input.clone()),
            refused(
                "InvalidRequestException",
                "The account 222222222222 of the replica is not in the organization of the account 111111111111. \
                 Set ReplicaRestriction to NoRestriction to replicate outside of it."
            )
        );
    }
    input["ReplicaRestriction"] = "NoRestriction".into();
    pair.here.ok("AssociateCrossAccountReplica", input);
    assert_eq!(pair.statuses(), ["InSync", "InSync"]);
}

#[test]
fn a_primary_has_one_replica_at_most() {
    let pair = Pair::associated();
    let mut second = replica_of(&pair.primary);
    second["Name"] = "c".into();
    let second = text(&pair.there.ok("CreateSecret", second)["ARN"]);
    let input = json!({"SecretId": "a", "CrossAccountReplicaARN": second});
    assert_eq!(pair.here.refused("AssociateCrossAccountReplica", input.clone()).code, "LimitExceededException");
    pair.there.ok("StopReplicationToReplica", json!({"SecretId": "b"}));
    let detached = pair.here.refused("AssociateCrossAccountReplica", input.clone());
    assert_eq!(detached.code, "LimitExceededException", "it is there until it is taken off");
    pair.here.ok("DisassociateCrossAccountReplica", pair.link());
    pair.here.ok("AssociateCrossAccountReplica", input);
    assert_eq!(pair.there.value("c"), "one");
}

#[test]
fn neither_side_can_be_deleted_while_it_is_one() {
    let pair = Pair::associated();
    let (primary, replica) = (&pair.primary, &pair.replica);
    for forced in [false, true] {
        let input = |name: &str| json!({"SecretId": name, "ForceDeleteWithoutRecovery": forced});
        assert_eq!(
            pair.here.refused("DeleteSecret", input("a")),
            refused(
                "InvalidRequestException",
                &format!(
                    "You can't delete secret {primary} that is still associated with the cross-account replica \
                     {replica}. Call DisassociateCrossAccountReplica first."
                )
            )
        );
        assert_eq!(
            pair.there.refused("DeleteSecret", input("b")),
            refused(
                "InvalidRequestException",
                &format!("You can't delete the cross-account replica {replica}. Call StopReplicationToReplica first.")
            )
        );
    }
}

#[test]
fn the_values_of_a_replica_cannot_be_written_and_the_rest_can() {
    let pair = Pair::associated();
    let there = &pair.there;
    let message = format!(
        "You can't perform this operation on a cross-account replica: its values are those of its primary {}. Call \
         StopReplicationToReplica to make it a standalone secret.",
        pair.primary
    );
    for (operation, change) in [
        ("PutSecretValue", json!({"ClientRequestToken": token(2), "SecretString": "x"})),
        ("UpdateSecret", json!({"ClientRequestToken": token(2), "SecretString": "x"})),
        ("UpdateSecret", json!({"ClientRequestToken": token(2), "Description": "x", "KmsKeyId": KEY})),
        ("UpdateSecret", json!({"ClientRequestToken": token(2)})),
        ("UpdateSecretVersionStage", json!({"VersionStage": "X", "MoveToVersionId": token(1)})),
        ("RotateSecret", json!({"ClientRequestToken": token(2)})),
        ("CancelRotateSecret", json!({})),
        ("ReplicateSecretToRegions", json!({"AddReplicaRegions": [{"Region": "us-east-1"}]})),
        ("RemoveRegionsFromReplication", json!({"RemoveReplicaRegions": ["us-east-1"]})),
    ] {
        let mut input = change.clone();
        input["SecretId"] = "b".into();
        assert_eq!(there.refused(operation, input), refused("InvalidRequestException", &message), "{operation}");
    }
    there.ok("UpdateSecret", json!({"SecretId": "b", "ClientRequestToken": token(2), "KmsKeyId": "alias/there"}));
    assert_eq!(there.describe("b")["KmsKeyId"], "alias/there");
    let default_key = json!({"SecretId": "b", "ClientRequestToken": token(2), "KmsKeyId": ""});
    assert_eq!(there.refused("UpdateSecret", default_key).code, "InvalidParameterException");
    there.ok("TagResource", json!({"SecretId": "b", "Tags": [{"Key": "k", "Value": "v"}]}));
    there.ok("UntagResource", json!({"SecretId": "b", "TagKeys": ["k"]}));
    assert_eq!(there.value("b"), "one");
    assert_eq!(there.ok("ListSecretVersionIds", json!({"SecretId": "b"}))["Versions"][0]["VersionId"], token(1));
    let taken = json!({"Name": "b", "ClientRequestToken": token(1), "SecretString": "one"});
    assert_eq!(there.refused("CreateSecret", taken).code, "ResourceExistsException");
}
