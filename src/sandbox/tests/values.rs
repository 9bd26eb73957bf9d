//! PutSecretValue and GetSecretValue.

use super::*;

fn put(client: &Client, number: u32, value: &str) -> Value {
    client.ok("PutSecretValue", json!({"SecretId": "a", "ClientRequestToken": token(number), "SecretString": value}))
}

fn put_with(client: &Client, number: u32, value: &str, labels: &[&str]) -> Value {
    client.ok(
        "PutSecretValue",
        json!({"SecretId": "a", "ClientRequestToken": token(number), "SecretString": value, "VersionStages": labels}),
    )
}

#[test]
fn a_new_value_is_current_and_the_one_before_is_previous() {
    let client = Client::new();
    let arn = client.create("a");
    let answer = put(&client, 1, "one");
    assert_eq!(answer, json!({"ARN": arn, "Name": "a", "VersionId": token(1), "VersionStages": ["AWSCURRENT"]}));
    put(&client, 2, "two");
    assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}));
    put(&client, 3, "three");
    assert_eq!(client.labels("a"), json!({token(2): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]}));
    assert_eq!(client.value("a"), "three");
    assert_eq!(client.sandbox.dump(DEFAULT_ACCOUNT, REGION)[0].versions, 3, "deprecated, not gone");
}

#[test]
fn a_put_moves_only_the_labels_that_it_names() {
    let client = Client::new();
    client.create_with_value("a", "one");
    put_with(&client, 2, "two", &["PUT0", "AWSSOMETHING"]);
    assert_eq!(client.labels("a"), json!({token(1): ["AWSCURRENT"], token(2): ["AWSSOMETHING", "PUT0"]}));
    put_with(&client, 3, "three", &["PUT0", "AWSSOMETHING"]);
    assert_eq!(client.labels("a"), json!({token(1): ["AWSCURRENT"], token(3): ["AWSSOMETHING", "PUT0"]}));
    let answer = put_with(&client, 4, "four", &["AWSCURRENT", "PUT0"]);
    assert_eq!(answer["VersionStages"], json!(["AWSCURRENT", "PUT0"]));
    assert_eq!(
        client.labels("a"),
        json!({token(1): ["AWSPREVIOUS"], token(3): ["AWSSOMETHING"], token(4): ["AWSCURRENT", "PUT0"]})
    );
}

#[test]
fn a_put_of_a_current_value_removes_awspending() {
    let client = Client::new();
    client.create_with_value("a", "one");
    put_with(&client, 2, "two", &["AWSPENDING"]);
    put(&client, 3, "three");
    assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]}));
}

#[test]
fn a_repeated_put_changes_nothing_and_another_value_is_refused() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    put(&client, 2, "two");
    let before = client.describe("a");
    let answer = put(&client, 1, "one");
    assert_eq!(answer["VersionStages"], json!(["AWSPREVIOUS"]));
    assert_eq!(client.describe("a"), before);
    let in_use = format!(
        "You can't use ClientRequestToken {} because that value is already in use for a version of secret {arn}.",
        token(1)
    );
    for other in [json!({"SecretString": "other"}), json!({"SecretBinary": "b25l"})] {
        let mut input = other;
        input["SecretId"] = "a".into();
        input["ClientRequestToken"] = token(1).into();
        assert_eq!(client.refused("PutSecretValue", input), refused("ResourceExistsException", &in_use));
    }
    put(&client, 3, "three");
    assert_eq!(put(&client, 1, "one").get("VersionStages"), None, "a deprecated version has no labels to show");
}

#[test]
fn puts_that_break_a_rule_are_refused() {
    let client = Client::new();
    client.create("a");
    let refusal = |members: Value| {
        let mut input = members;
        input["SecretId"] = "a".into();
        client.refused("PutSecretValue", input)
    };
    assert_eq!(
        refusal(json!({"SecretString": "x"})),
        refused(
            "InvalidRequestException",
            "You must provide a ClientRequestToken value. We recommend a UUID-type value."
        )
    );
    assert_eq!(
        refusal(json!({"ClientRequestToken": token(1)})),
        refused("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    );
    assert_eq!(
        refusal(json!({"ClientRequestToken": token(1), "SecretString": ""})).message,
        "1 validation error detected: Value at 'secretString' failed to satisfy constraint: \
         Member must have length greater than or equal to 1"
    );
    let labels: Vec<String> = (0..21).map(|number| format!("L{number}")).collect();
    let too_many = refusal(json!({"ClientRequestToken": token(1), "SecretString": "x", "VersionStages": labels}));
    assert_eq!(too_many.code, "ValidationException");
    let with_current =
        refusal(json!({"ClientRequestToken": token(1), "SecretString": "x", "VersionStages": labels[..20]}));
    assert_eq!(with_current.code, "LimitExceededException", "the first version is current too");
    assert_eq!(client.labels("a"), Value::Null);
    let hidden = refusal(json!({"ClientRequestToken": token(1), "SecretString": "x", "RotationToken": "hunter2"}));
    assert_eq!(
        hidden.message,
        "1 validation error detected: Value at 'rotationToken' failed to satisfy constraint: \
         Member must have length greater than or equal to 36"
    );
}

#[test]
fn a_value_is_returned_as_it_was_put() {
    let client = Client::new();
    let arn = client.create("a");
    put(&client, 1, "pässwörd \"quoted\" \u{0} ☃");
    let answer = client.ok("GetSecretValue", json!({"SecretId": "a"}));
    assert_eq!(
        answer,
        json!({
            "ARN": arn, "Name": "a", "VersionId": token(1), "SecretString": "pässwörd \"quoted\" \u{0} ☃",
            "VersionStages": ["AWSCURRENT"], "CreatedDate": seconds(&client, 0)
        })
    );
    client.ok("PutSecretValue", json!({"SecretId": "a", "ClientRequestToken": token(2), "SecretBinary": "/wAB/g=="}));
    let answer = client.ok("GetSecretValue", json!({"SecretId": "a"}));
    assert_eq!((&answer["SecretBinary"], answer.get("SecretString")), (&json!("/wAB/g=="), None));
}

#[test]
fn a_version_is_chosen_by_id_and_label() {
    let client = Client::new();
    client.create("a");
    let no_value = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    assert_eq!(
        client.refused("GetSecretValue", json!({"SecretId": "a"})),
        refused("ResourceNotFoundException", no_value)
    );
    for (number, value) in [(1, "one"), (2, "two"), (3, "three")] {
        put(&client, number, value);
    }
    for (input, value) in [
        (json!({"VersionStage": "AWSPREVIOUS"}), "two"),
        (json!({"VersionId": token(2)}), "two"),
        (json!({"VersionId": token(1)}), "one"),
        (json!({"VersionId": token(3), "VersionStage": "AWSCURRENT"}), "three"),
    ] {
        let mut input = input;
        input["SecretId"] = "a".into();
        assert_eq!(client.ok("GetSecretValue", input)["SecretString"], value);
    }
    let unknown = format!("Secrets Manager can't find the specified secret value for VersionId: {}", token(9));
    for (input, code, message) in [
        (
            json!({"VersionStage": "NONE"}),
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret value for staging label: NONE",
        ),
        (json!({"VersionId": token(9)}), "ResourceNotFoundException", unknown.as_str()),
        (
            json!({"VersionId": token(2), "VersionStage": "AWSCURRENT"}),
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
        ),
    ] {
        let mut input = input;
        input["SecretId"] = "a".into();
        assert_eq!(client.refused("GetSecretValue", input), refused(code, message));
    }
}

#[test]
fn a_read_sets_last_accessed_date() {
    let client = Client::new();
    client.create_with_value("a", "one");
    assert_eq!(client.describe("a").get("LastAccessedDate"), None);
    client.value("a");
    let first = client.describe("a")["LastAccessedDate"].clone();
    assert_eq!(first, json!(1_772_582_400.0), "midnight of 2026-03-04, UTC");
    client.advance(10);
    client.value("a");
    assert_eq!(client.describe("a")["LastAccessedDate"], first, "the same day");
    client.advance(10);
    client.value("a");
    assert_eq!(client.describe("a")["LastAccessedDate"], json!(1_772_582_400.0 + 86_400.0));
}

#[test]
fn another_account_cannot_read_a_secret_under_the_default_key() {
    let client = Client::new();
    let (shut, open) = (client.create_with_value("a", "one"), client.create_with_value("b", "two"));
    let key = json!({"SecretId": "b", "ClientRequestToken": token(9), "KmsKeyId": "alias/shared"});
    client.ok("UpdateSecret", key);
    let stranger = client.as_account("111122223333");
    let message = "You can't access a secret from a different AWS account if you encrypt the secret with the \
                   default KMS service key.";
    for (operation, input) in [
        ("GetSecretValue", json!({"SecretId": shut})),
        ("PutSecretValue", json!({"SecretId": shut, "ClientRequestToken": token(2), "SecretString": "x"})),
    ] {
        assert_eq!(stranger.refused(operation, input), refused("InvalidRequestException", message));
    }
    assert_eq!(stranger.value(&open), "two");
}

#[test]
fn old_versions_without_labels_are_pruned_beyond_a_hundred() {
    let client = Client::new();
    client.create("a");
    for number in 0..150 {
        put(&client, number, "x");
    }
    let versions = || client.sandbox.dump(DEFAULT_ACCOUNT, REGION)[0].versions;
    assert_eq!(versions(), 150, "none is a day old");
    client.advance(25);
    put(&client, 150, "x");
    assert_eq!(versions(), 102, "a hundred deprecated ones, the current and the previous");
    let oldest = client.refused("GetSecretValue", json!({"SecretId": "a", "VersionId": token(0)}));
    assert_eq!(oldest.code, "ResourceNotFoundException");
}
