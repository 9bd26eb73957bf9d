//! DeleteSecret and RestoreSecret, and the recovery window between them.

use super::*;

#[test]
fn a_secret_is_removed_when_its_recovery_window_ends() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    let deleted = client.ok("DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7}));
    assert_eq!(deleted, json!({"ARN": arn, "Name": "a", "DeletionDate": seconds(&client, 7 * 24)}));
    let described = client.describe("a");
    assert_eq!(described["DeletedDate"], seconds(&client, 0), "the moment of the call, not the end of the window");
    assert_eq!(described["VersionIdsToStages"], json!({token(1): ["AWSCURRENT"]}));
    client.advance(7 * 24 - 1);
    client.describe("a");
    client.advance(1);
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    assert_eq!(client.ok("ListSecrets", json!({"IncludePlannedDeletion": true})), json!({"SecretList": []}));
    assert_eq!(client.refused("RestoreSecret", json!({"SecretId": "a"})), not_found());
    let again = client.create("a");
    assert_ne!(again, arn, "a secret made anew has another ARN");
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": arn})), not_found());
    assert_eq!(client.labels("a"), Value::Null, "nothing of the old one is left");
}

#[test]
fn the_window_is_thirty_days_unless_it_is_named() {
    let client = Client::new();
    client.create("a");
    let deleted = client.ok("DeleteSecret", json!({"SecretId": "a"}));
    assert_eq!(deleted["DeletionDate"], seconds(&client, 30 * 24));
}

#[test]
fn a_scheduled_secret_can_only_be_described_and_restored() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    let input = json!({
        "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "x", "Tags": [], "TagKeys": [],
        "ResourcePolicy": "{}", "VersionStage": "X"
    });
    for operation in [
        "GetSecretValue",
        "PutSecretValue",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "TagResource",
        "UntagResource",
        "DeleteSecret",
        "GetResourcePolicy",
        "PutResourcePolicy",
        "DeleteResourcePolicy",
    ] {
        assert_eq!(client.refused(operation, known(operation, &input)), marked_for_deletion(), "{operation}");
    }
    assert_eq!(client.ok("RestoreSecret", json!({"SecretId": arn})), json!({"ARN": arn, "Name": "a"}));
    assert_eq!(client.describe("a").get("DeletedDate"), None);
    assert_eq!(client.value("a"), "one");
    client.advance(31 * 24);
    assert_eq!(client.value("a"), "one", "a restored secret is not removed when the old window ends");
    client.create("b");
    assert_eq!(client.value("a"), "one", "nor by the next write");
}

#[test]
fn restoring_a_secret_that_is_not_scheduled_changes_nothing() {
    let client = Client::new();
    client.create("a");
    let before = client.describe("a");
    client.ok("RestoreSecret", json!({"SecretId": "a"}));
    assert_eq!(client.describe("a"), before);
}

#[test]
fn a_forced_deletion_removes_at_once() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    let forced = json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true});
    let deleted = client.ok("DeleteSecret", forced.clone());
    assert_eq!(deleted, json!({"ARN": arn, "Name": "a", "DeletionDate": seconds(&client, 0)}), "scheduled ones too");
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    let unknown = client.ok("DeleteSecret", forced);
    assert_eq!((unknown["Name"].as_str(), &unknown["DeletionDate"]), (Some("a"), &seconds(&client, 0)));
    assert_ne!(client.create_with_value("a", "two"), arn);
}

#[test]
fn windows_that_break_a_rule_are_refused() {
    let client = Client::new();
    client.create("a");
    let range = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
    for (members, message) in [
        (json!({"RecoveryWindowInDays": 6}), range),
        (json!({"RecoveryWindowInDays": 31}), range),
        (json!({"RecoveryWindowInDays": -1}), range),
        (
            json!({"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true}),
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ),
    ] {
        let mut input = members;
        input["SecretId"] = "a".into();
        assert_eq!(client.refused("DeleteSecret", input), refused("InvalidParameterException", message));
    }
    client.ok("DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": false}));
    assert_eq!(client.refused("DeleteSecret", json!({"SecretId": "missing"})), not_found());
}
