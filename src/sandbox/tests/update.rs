//! UpdateSecret, and which operations move LastChangedDate.

use super::*;

fn update(client: &Client, number: u32, mut members: Value) -> Value {
    members["SecretId"] = "a".into();
    members["ClientRequestToken"] = token(number).into();
    client.ok("UpdateSecret", members)
}

#[test]
fn an_update_with_a_value_makes_a_version() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    let updated = update(&client, 2, json!({"SecretString": "two"}));
    assert_eq!(updated, json!({"ARN": arn, "Name": "a", "VersionId": token(2)}));
    assert_eq!(client.value("a"), "two");
    update(&client, 3, json!({"SecretString": "two"}));
    assert_eq!(client.labels("a"), json!({token(2): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]}));
}

#[test]
fn a_repeated_update_makes_no_second_version() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    let updated = update(&client, 2, json!({"SecretString": "two"}));
    assert_eq!(update(&client, 2, json!({"SecretString": "two"})), updated);
    assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}));
    let in_use = format!(
        "You can't use ClientRequestToken {} because that value is already in use for a version of secret {arn}.",
        token(2)
    );
    let other = json!({"SecretId": "a", "ClientRequestToken": token(2), "SecretString": "three"});
    assert_eq!(client.refused("UpdateSecret", other), refused("ResourceExistsException", &in_use));
}

#[test]
fn metadata_changes_make_no_version() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    for (members, member, shown) in [
        (json!({"Description": "new"}), "Description", json!("new")),
        (json!({"Description": ""}), "Description", Value::Null),
        (json!({"KmsKeyId": "alias/qewrqwer"}), "KmsKeyId", json!("alias/qewrqwer")),
        (json!({"KmsKeyId": "alias/aws/secretsmanager"}), "KmsKeyId", json!("alias/aws/secretsmanager")),
        (json!({"KmsKeyId": ""}), "KmsKeyId", Value::Null),
        (json!({"Type": "Partner"}), "Type", json!("Partner")),
        (json!({}), "Description", Value::Null),
    ] {
        assert_eq!(update(&client, 9, members), json!({"ARN": arn, "Name": "a"}));
        let described = client.describe("a");
        assert_eq!(described.get(member).unwrap_or(&Value::Null), &shown);
        assert_eq!(described["VersionIdsToStages"], json!({token(1): ["AWSCURRENT"]}));
    }
}

#[test]
fn updates_that_break_a_rule_are_refused() {
    let client = Client::new();
    client.create_with_value("a", "one");
    assert_eq!(
        client.refused("UpdateSecret", json!({"SecretId": "missing", "Description": "x"})),
        refused(
            "InvalidRequestException",
            "You must provide a ClientRequestToken value. We recommend a UUID-type value."
        ),
        "the token is checked before the secret"
    );
    let both = json!({"SecretId": "a", "ClientRequestToken": token(2), "SecretString": "x", "SecretBinary": "eA=="});
    assert_eq!(client.refused("UpdateSecret", both).code, "InvalidParameterException");
    let key = json!({"SecretId": "a", "ClientRequestToken": token(2), "KmsKeyId": "nonsense"});
    assert_eq!(
        client.refused("UpdateSecret", key),
        refused("InvalidParameterException", "The operation failed because of an invalid KMS key: Invalid keyId")
    );
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    let scheduled = json!({"SecretId": "a", "ClientRequestToken": token(2), "Description": "x"});
    assert_eq!(client.refused("UpdateSecret", scheduled), marked_for_deletion());
}

#[test]
fn every_change_moves_the_date_even_when_the_clock_stands_still() {
    let client = Client::new();
    client.create("a");
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "secretsmanager:GetSecretValue",
            "Resource": "*"
        }]
    });
    let mut last = client.describe("a")["LastChangedDate"].as_f64().unwrap();
    for (operation, mut input) in [
        ("PutSecretValue", json!({"ClientRequestToken": token(2), "SecretString": "x"})),
        ("UpdateSecret", json!({"ClientRequestToken": token(3), "SecretString": "x"})),
        ("UpdateSecret", json!({"ClientRequestToken": token(4)})),
        ("TagResource", json!({"Tags": [{"Key": "k", "Value": "v"}]})),
        ("UntagResource", json!({"TagKeys": ["k"]})),
        ("PutResourcePolicy", json!({"ResourcePolicy": policy.to_string()})),
        ("DeleteResourcePolicy", json!({})),
        ("DeleteSecret", json!({})),
        ("RestoreSecret", json!({})),
    ] {
        input["SecretId"] = "a".into();
        client.ok(operation, input);
        let changed = client.describe("a")["LastChangedDate"].as_f64().unwrap();
        assert!(changed > last, "{operation}");
        last = changed;
    }
    client.value("a");
    assert_eq!(client.describe("a")["LastChangedDate"].as_f64(), Some(last), "reading a value is no change");
}
