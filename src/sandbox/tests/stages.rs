//! UpdateSecretVersionStage and ListSecretVersionIds.

use super::*;

/// A secret with the versions `token(1)` (previous) to `token(n)` (current), made an hour apart.
fn with_versions(count: u32) -> Client {
    let client = Client::new();
    client.create_with_value("a", "1");
    for number in 2..=count {
        client.advance(1);
        put(&client, number, &["AWSCURRENT"]);
    }
    client
}

fn put(client: &Client, number: u32, labels: &[&str]) {
    let value = number.to_string();
    client.ok(
        "PutSecretValue",
        json!({"SecretId": "a", "ClientRequestToken": token(number), "SecretString": value, "VersionStages": labels}),
    );
}

fn input(label: &str, from: Option<u32>, to: Option<u32>) -> Value {
    let mut input = json!({"SecretId": "a", "VersionStage": label});
    if let Some(from) = from {
        input["RemoveFromVersionId"] = token(from).into();
    }
    if let Some(to) = to {
        input["MoveToVersionId"] = token(to).into();
    }
    input
}

#[test]
fn moving_current_moves_previous_and_the_value() {
    let client = with_versions(3);
    put(&client, 4, &["AWSPENDING"]);
    let arn = text(&client.describe("a")["ARN"]);
    client.ok("UpdateSecretVersionStage", input("PUT0", None, Some(3)));
    let moved = client.ok("UpdateSecretVersionStage", input("AWSCURRENT", Some(3), Some(4)));
    assert_eq!(moved, json!({"ARN": arn, "Name": "a"}));
    assert_eq!(
        client.labels("a"),
        json!({token(3): ["AWSPREVIOUS", "PUT0"], token(4): ["AWSCURRENT", "AWSPENDING"]}),
        "pending and custom labels stay; the one that was previous drops out"
    );
    assert_eq!(client.value("a"), "4");
    client.ok("UpdateSecretVersionStage", input("AWSCURRENT", Some(4), Some(1)));
    assert_eq!(client.value("a"), "1", "a deprecated version can come back");
}

#[test]
fn moving_a_custom_label_moves_no_other() {
    let client = with_versions(2);
    client.ok("UpdateSecretVersionStage", input("CUSTOM", None, Some(1)));
    client.ok("UpdateSecretVersionStage", input("CUSTOM", None, Some(1)));
    assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS", "CUSTOM"], token(2): ["AWSCURRENT"]}));
    client.ok("UpdateSecretVersionStage", input("CUSTOM", Some(1), Some(2)));
    assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT", "CUSTOM"]}));
    client.ok("UpdateSecretVersionStage", input("CUSTOM", Some(2), None));
    assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}));
}

#[test]
fn moves_that_break_a_rule_are_refused() {
    let client = with_versions(2);
    let attached = |label: &str| {
        format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to \
             version {}, so you must explicitly reference that version in RemoveFromVersionId.",
            token(2)
        )
    };
    let removal =
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.";
    client.ok("UpdateSecretVersionStage", input("CUSTOM", None, Some(2)));
    let before = client.describe("a");
    for (input, message) in [
        (input("AWSCURRENT", None, Some(1)), attached("AWSCURRENT")),
        (input("CUSTOM", None, Some(1)), attached("CUSTOM")),
        (input("AWSCURRENT", Some(2), None), removal.to_owned()),
        (input("AWSCURRENT", None, None), removal.to_owned()),
    ] {
        assert_eq!(client.refused("UpdateSecretVersionStage", input), refused("InvalidParameterException", &message));
    }
    for input in [input("CUSTOM", None, None), input("CUSTOM", Some(1), Some(2)), input("NONE", Some(1), None)] {
        assert_eq!(client.refused("UpdateSecretVersionStage", input).code, "InvalidParameterException");
    }
    for input in [input("CUSTOM", None, Some(9)), input("CUSTOM", Some(9), Some(1))] {
        assert_eq!(client.refused("UpdateSecretVersionStage", input).code, "ResourceNotFoundException");
    }
    assert_eq!(client.describe("a"), before);
    for number in 0..17 {
        client.ok("UpdateSecretVersionStage", input(&format!("L{number}"), None, Some(1)));
    }
    let one_too_many = client.refused("UpdateSecretVersionStage", input("L17", None, Some(1)));
    assert_eq!(one_too_many.code, "LimitExceededException");
}

#[test]
fn versions_are_listed_with_their_labels_keys_and_dates() {
    let client = with_versions(2);
    let key = "arn:aws:kms:eu-west-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    client.ok("UpdateSecret", json!({"SecretId": "a", "ClientRequestToken": token(9), "KmsKeyId": key}));
    client.advance(1);
    put(&client, 3, &["AWSCURRENT"]);
    client.value("a");
    let arn = text(&client.describe("a")["ARN"]);
    let midnight = client.describe("a")["LastAccessedDate"].clone();
    let labelled = [
        json!({
            "VersionId": token(2), "VersionStages": ["AWSPREVIOUS"],
            "CreatedDate": seconds(&client, -1), "KmsKeyIds": [key]
        }),
        json!({
            "VersionId": token(3), "VersionStages": ["AWSCURRENT"], "LastAccessedDate": midnight,
            "CreatedDate": seconds(&client, 0), "KmsKeyIds": [key]
        }),
    ];
    assert_eq!(
        client.ok("ListSecretVersionIds", json!({"SecretId": "a"})),
        json!({"Versions": labelled, "ARN": arn, "Name": "a"})
    );
    let deprecated = json!({"VersionId": token(1), "CreatedDate": seconds(&client, -2), "KmsKeyIds": [key]});
    let all = client.ok("ListSecretVersionIds", json!({"SecretId": "a", "IncludeDeprecated": true}));
    assert_eq!(all["Versions"], json!([deprecated, labelled[0], labelled[1]]));
    let other = Client::new();
    other.create_with_value("b", "x");
    let versions = other.ok("ListSecretVersionIds", json!({"SecretId": "b"}));
    assert_eq!(versions["Versions"][0]["KmsKeyIds"], json!(["DefaultEncryptionKey"]));
    other.create("empty");
    assert_eq!(other.ok("ListSecretVersionIds", json!({"SecretId": "empty"}))["Versions"], json!([]));
}

#[test]
fn version_pages_cover_everything_exactly_once() {
    let client = with_versions(7);
    for size in 1..=8 {
        let mut seen = Vec::new();
        let mut input = json!({"SecretId": "a", "IncludeDeprecated": true, "MaxResults": size});
        loop {
            let page = client.ok("ListSecretVersionIds", input.clone());
            seen.extend(page["Versions"].as_array().unwrap().iter().map(|version| text(&version["VersionId"])));
            let Some(next) = page.get("NextToken") else { break };
            input["NextToken"] = next.clone();
        }
        assert_eq!(seen, (1..=7).map(token).collect::<Vec<_>>(), "{size} to a page");
    }
    let first = client.ok("ListSecretVersionIds", json!({"SecretId": "a", "MaxResults": 1}));
    let mixed = json!({"SecretId": "a", "IncludeDeprecated": true, "NextToken": first["NextToken"]});
    assert_eq!(client.refused("ListSecretVersionIds", mixed).code, "InvalidNextTokenException");
}
