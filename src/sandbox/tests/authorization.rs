//! A policy that is enforced, as its callers see it.

use serde_json::{Value, json};

use super::{Client, not_found, refused, text, token};

fn enforce(client: &Client, statements: &Value) {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    client.sandbox.enforce_policy(&policy.to_string()).unwrap();
}

fn allow(actions: &[&str], resource: &str) -> Value {
    let actions: Vec<String> = actions.iter().map(|action| format!("secretsmanager:{action}")).collect();
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

const BELOW_APP: &str = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:app/*";

fn denial(action: &str, on: &str) -> super::Refused {
    let message = format!(
        "User: arn:aws:iam::000000000000:user/sandbox is not authorized to perform: secretsmanager:{action}{on} \
         because no identity-based policy allows the secretsmanager:{action} action"
    );
    refused("AccessDeniedException", &message)
}

#[test]
fn a_secret_is_authorized_by_its_arn_however_the_call_names_it() {
    let client = Client::new();
    let arn = client.create("app/db");
    let other = client.create("other");
    enforce(&client, &allow(&["DescribeSecret"], BELOW_APP));
    for id in ["app/db", &arn, arn.rsplit_once('-').unwrap().0] {
        client.ok("DescribeSecret", json!({"SecretId": id}));
    }
    let on = format!(" on resource: {other}");
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "other"})), denial("DescribeSecret", &on));
    client.sandbox.clear_policy();
    client.ok("DescribeSecret", json!({"SecretId": "other"}));
}

#[test]
fn a_missing_secret_is_not_found_only_where_the_policy_allows_its_name() {
    let client = Client::new();
    enforce(&client, &allow(&["DescribeSecret"], BELOW_APP));
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "app/gone"})), not_found());
    let answer = client.refused("DescribeSecret", json!({"SecretId": "gone"}));
    assert_eq!(answer, denial("DescribeSecret", " on resource: gone"));
    // With a pattern for the ending alone it is not sure what IAM would say.
    enforce(&client, &allow(&["DescribeSecret"], &BELOW_APP.replace('*', "gone-??????")));
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "app/gone"})).code, "AccessDeniedException");
}

#[test]
fn create_secret_needs_permission_for_its_tags_and_replicas() {
    let client = Client::new();
    let create = |members: Value| {
        let mut input = json!({"Name": "app/new", "ClientRequestToken": token(1)});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        input
    };
    enforce(&client, &allow(&["CreateSecret"], BELOW_APP));
    for (action, members) in [
        ("TagResource", json!({"Tags": [{"Key": "a", "Value": "b"}]})),
        ("ReplicateSecretToRegions", json!({"AddReplicaRegions": [{"Region": "us-west-2"}]})),
    ] {
        assert_eq!(client.refused("CreateSecret", create(members)), denial(action, " on resource: app/new"));
    }
    client.ok("CreateSecret", create(json!({})));
}

#[test]
fn both_sides_of_a_replication_between_accounts_need_more_than_its_operation() {
    let client = Client::new();
    let there = client.as_account("222222222222");
    let primary = client.create_with_value("app/db", "one");
    let create = json!({
        "Name": "copy", "ClientRequestToken": token(1), "KmsKeyId": "alias/x", "CrossAccountPrimaryARN": primary
    });
    let managed = json!({"StringEquals": {"secretsmanager:PolicyName": "cross-account-replication"}});
    let on_managed = |action: &str| {
        let mut statement = allow(&[action], "*");
        statement["Condition"] = managed.clone();
        statement
    };
    let denied = |client: &Client, operation: &str, input: &Value| {
        let refused = client.refused(operation, input.clone());
        assert_eq!(refused.code, "AccessDeniedException");
        refused.message.split("secretsmanager:").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    enforce(&client, &allow(&["CreateSecret"], "*"));
    assert_eq!(denied(&there, "CreateSecret", &create), "PutResourcePolicy");
    enforce(&client, &json!([allow(&["CreateSecret"], "*"), on_managed("PutResourcePolicy")]));
    let replica = text(&there.ok("CreateSecret", create)["ARN"]);
    let link = json!({"SecretId": "app/db", "CrossAccountReplicaARN": replica});
    let allowed = |actions: &[&str]| allow(actions, BELOW_APP);
    enforce(&client, &allowed(&["AssociateCrossAccountReplica"]));
    assert_eq!(denied(&client, "AssociateCrossAccountReplica", &link), "GetSecretValue");
    let on_primary = allowed(&["AssociateCrossAccountReplica", "GetSecretValue"]);
    enforce(&client, &on_primary);
    assert_eq!(denied(&client, "AssociateCrossAccountReplica", &link), "AcceptCrossAccountReplication");
    enforce(&client, &json!([on_primary, allow(&["AcceptCrossAccountReplication"], &replica)]));
    client.ok("AssociateCrossAccountReplica", link.clone());
    let stop = json!({"SecretId": "copy"});
    enforce(&client, &allow(&["StopReplicationToReplica"], "*"));
    assert_eq!(denied(&there, "StopReplicationToReplica", &stop), "DeleteResourcePolicy");
    assert_eq!(
        client.refused("StopReplicationToReplica", json!({"SecretId": "app/db"})).code,
        "InvalidRequestException"
    );
    enforce(&client, &json!([allow(&["StopReplicationToReplica"], "*"), on_managed("DeleteResourcePolicy")]));
    there.ok("StopReplicationToReplica", stop);
    enforce(&client, &allow(&["DisassociateCrossAccountReplica"], "*"));
    client.ok("DisassociateCrossAccountReplica", link);
}

#[test]
fn a_batch_reports_each_secret_that_may_not_be_read() {
    let client = Client::new();
    client.create_with_value("app/db", "one");
    let other = client.create_with_value("other", "two");
    let both = json!({"SecretIdList": ["app/db", "other"]});
    enforce(&client, &json!([allow(&["BatchGetSecretValue"], "*"), allow(&["GetSecretValue"], BELOW_APP)]));
    let answer = client.ok("BatchGetSecretValue", both.clone());
    assert_eq!(answer["SecretValues"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["Errors"][0]["ErrorCode"], "AccessDeniedException");
    let on = format!(" on resource: {other}");
    assert_eq!(text(&answer["Errors"][0]["Message"]), denial("GetSecretValue", &on).message);
    let filtered = json!({"Filters": [{"Key": "name", "Values": ["app/"]}]});
    assert_eq!(client.refused("BatchGetSecretValue", filtered), denial("ListSecrets", ""));
    enforce(&client, &allow(&["GetSecretValue"], "*"));
    assert_eq!(client.refused("BatchGetSecretValue", both), denial("BatchGetSecretValue", ""));
}

#[test]
fn a_policy_that_is_not_evaluated_leaves_the_one_before() {
    let client = Client::new();
    client.create("app/db");
    let wrong =
        json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"a": "b"}}}});
    assert!(client.sandbox.enforce_policy(&wrong.to_string()).is_err());
    client.describe("app/db");
}
