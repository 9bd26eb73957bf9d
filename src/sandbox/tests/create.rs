//! CreateSecret and DescribeSecret, and the ways to name a secret.

use super::*;

#[test]
fn a_secret_with_a_value_has_a_version_and_shows_all_that_was_set() {
    let client = Client::new();
    let created = client.ok(
        "CreateSecret",
        json!({
            "Name": "app/db", "ClientRequestToken": token(1), "Description": "Primary", "KmsKeyId": "alias/payments",
            "SecretString": "hunter2", "Tags": [{"Key": "z", "Value": "1"}, {"Key": "a", "Value": ""}]
        }),
    );
    let arn = text(&created["ARN"]);
    let suffix = arn.strip_prefix("arn:aws:secretsmanager:eu-west-1:000000000000:secret:app/db-").unwrap();
    assert!(suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{arn}");
    assert_eq!(created, json!({"ARN": arn, "Name": "app/db", "VersionId": token(1)}));
    assert_eq!(
        client.describe("app/db"),
        json!({
            "ARN": arn, "Name": "app/db", "Description": "Primary", "KmsKeyId": "alias/payments",
            "LastChangedDate": seconds(&client, 0), "CreatedDate": seconds(&client, 0),
            "Tags": [{"Key": "z", "Value": "1"}, {"Key": "a", "Value": ""}],
            "VersionIdsToStages": {token(1): ["AWSCURRENT"]}
        })
    );
}

#[test]
fn members_that_were_not_set_are_absent() {
    let client = Client::new();
    let created = client.ok(
        "CreateSecret",
        json!({"Name": "bare", "ClientRequestToken": token(1), "Description": "", "Tags": [], "KmsKeyId": ""}),
    );
    let arn = text(&created["ARN"]);
    assert_eq!(created, json!({"ARN": arn, "Name": "bare"}));
    assert_eq!(
        client.describe("bare"),
        json!({
            "ARN": arn, "Name": "bare",
            "LastChangedDate": seconds(&client, 0), "CreatedDate": seconds(&client, 0)
        })
    );
}

#[test]
fn the_default_key_is_shown_when_it_was_named() {
    let client = Client::new();
    let input = json!({"Name": "a", "ClientRequestToken": token(1), "KmsKeyId": "alias/aws/secretsmanager"});
    client.ok("CreateSecret", input);
    assert_eq!(client.describe("a")["KmsKeyId"], "alias/aws/secretsmanager");
}

#[test]
fn requests_that_break_a_rule_are_refused() {
    let long = "x".repeat(513);
    let too_long_name = format!(
        "1 validation error detected: Value '{long}' at 'name' failed to satisfy constraint: \
         Member must have length less than or equal to 512"
    );
    let cases = [
        (
            json!({"ClientRequestToken": token(1)}),
            "ValidationException",
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
        ),
        (json!({"Name": long, "ClientRequestToken": token(1)}), "ValidationException", too_long_name.as_str()),
        (
            json!({"Name": "a", "ClientRequestToken": "short"}),
            "ValidationException",
            "1 validation error detected: Value 'short' at 'clientRequestToken' failed to satisfy constraint: \
             Member must have length greater than or equal to 32",
        ),
        (
            json!({"Name": "a b", "ClientRequestToken": token(1)}),
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ),
        (
            json!({"Name": "a"}),
            "InvalidRequestException",
            "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
        ),
        (
            json!({"Name": "a", "ClientRequestToken": token(1), "SecretString": "x", "SecretBinary": "eA=="}),
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        ),
        (
            json!({"Name": "a", "ClientRequestToken": token(1), "SecretString": "x".repeat(65_537)}),
            "ValidationException",
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: \
             Member must have length less than or equal to 65536",
        ),
        (
            json!({"Name": "a", "ClientRequestToken": token(1), "KmsKeyId": "no key"}),
            "InvalidParameterException",
            "The operation failed because of an invalid KMS key: Invalid keyId",
        ),
        (
            json!({"Name": "a", "ClientRequestToken": token(1), "Tags": [{"Key": "aws:x", "Value": ""}]}),
            "InvalidParameterException",
            "You can't modify system tags. Tag key: 'aws:x'.",
        ),
        (
            json!({"Name": "a", "ClientRequestToken": token(1), "Tags": [{"Key": "", "Value": ""}]}),
            "ValidationException",
            "1 validation error detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        ),
    ];
    for (input, code, message) in cases {
        let client = Client::new();
        assert_eq!(client.refused("CreateSecret", input), refused(code, message));
        assert_eq!(client.sandbox.dump(DEFAULT_ACCOUNT, REGION), [], "a refused request leaves nothing behind");
    }
}

#[test]
fn a_value_of_the_largest_size_is_accepted() {
    let client = Client::new();
    let value = "x".repeat(65_536);
    client.create_with_value("a", &value);
    assert_eq!(client.value("a"), value);
}

#[test]
fn a_taken_name_answers_by_token_and_value() {
    let client = Client::new();
    let input = |number, value| json!({"Name": "a", "ClientRequestToken": token(number), "SecretString": value});
    let created = client.ok("CreateSecret", input(1, "one"));
    assert_eq!(client.ok("CreateSecret", input(1, "one")), created, "the same request again");
    assert_eq!(
        client.refused("CreateSecret", input(2, "one")),
        refused("ResourceExistsException", "The operation failed because the secret a already exists.")
    );
    let in_use = format!(
        "You can't use ClientRequestToken {} because that value is already in use for a version of secret {}.",
        token(1),
        text(&created["ARN"])
    );
    assert_eq!(client.refused("CreateSecret", input(1, "two")), refused("ResourceExistsException", &in_use));
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    assert_eq!(
        client.refused("CreateSecret", input(1, "one")),
        refused(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    );
}

#[test]
fn a_secret_is_found_by_name_arn_and_partial_arn() {
    let client = Client::new();
    let prefix = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:";
    for name in ["a/b", "name-a1b2", "name-a1b2c3-", "name-a1b2c3"] {
        let arn = client.create(name);
        assert_eq!(client.describe(name)["ARN"], arn.as_str());
        assert_eq!(client.describe(&arn)["ARN"], arn.as_str());
        let partial = format!("{prefix}{name}");
        if name == "name-a1b2c3" {
            assert_eq!(client.refused("DescribeSecret", json!({"SecretId": partial})), not_found());
        } else {
            assert_eq!(client.describe(&partial)["ARN"], arn.as_str());
        }
        let other_suffix = format!("{prefix}{name}-000000");
        assert_eq!(client.refused("DescribeSecret", json!({"SecretId": other_suffix})), not_found());
    }
}

#[test]
fn accounts_and_regions_do_not_share_secrets() {
    let client = Client::new();
    let arn = client.create("a");
    assert_eq!(client.in_region("us-east-1").refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    assert_eq!(client.in_region("us-east-1").refused("DescribeSecret", json!({"SecretId": arn})), not_found());
    let stranger = client.as_account("111122223333");
    assert_eq!(stranger.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    assert!(stranger.create("a").contains(":111122223333:"));
}

#[test]
fn the_same_rng_seed_gives_the_same_arns() {
    let (one, other) = (Client::new(), Client::new());
    one.create("first");
    assert_eq!(one.create("second"), other.create("second"));
}

#[test]
fn every_operation_checks_the_characters_of_a_name() {
    let client = Client::new();
    let all = json!({
        "SecretId": "a b", "ClientRequestToken": token(1), "SecretString": "x", "Tags": [], "TagKeys": [],
        "ResourcePolicy": "{}", "VersionStage": "X"
    });
    for operation in [
        "DescribeSecret",
        "DeleteSecret",
        "RestoreSecret",
        "GetSecretValue",
        "PutSecretValue",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "ListSecretVersionIds",
        "TagResource",
        "UntagResource",
        "GetResourcePolicy",
        "PutResourcePolicy",
        "DeleteResourcePolicy",
        "ValidateResourcePolicy",
    ] {
        let more = known(operation, &all);
        let Refused { code, message } = client.refused(operation, more.clone());
        assert_eq!((code.as_str(), &message[..13]), ("ValidationException", "Invalid name."), "{operation}");
        let mut unknown = more.clone();
        unknown["SecretId"] = "unknown".into();
        assert_eq!(client.refused(operation, unknown), not_found(), "{operation}");
        let mut missing = more.clone();
        missing["SecretId"] = Value::Null;
        if operation != "ValidateResourcePolicy" {
            assert_eq!(
                client.refused(operation, missing).message,
                "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: \
                 Member must not be null",
                "{operation}"
            );
        }
    }
}
