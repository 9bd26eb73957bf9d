//! BatchGetSecretValue.

use super::*;

#[test]
fn one_secret_that_fails_does_not_fail_the_others() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    client.create("empty");
    client.create_with_value("deleted", "x");
    client.ok("DeleteSecret", json!({"SecretId": "deleted"}));
    let ids = json!({"SecretIdList": ["missing", arn, "deleted", "empty"]});
    let failure = |id: &str, Refused { code, message }| json!({"SecretId": id, "ErrorCode": code, "Message": message});
    let no_value = refused(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    );
    assert_eq!(
        client.ok("BatchGetSecretValue", ids),
        json!({
            "SecretValues": [client.ok("GetSecretValue", json!({"SecretId": "a"}))],
            "Errors": [
                failure("missing", not_found()), failure("deleted", marked_for_deletion()), failure("empty", no_value)
            ]
        })
    );
}

#[test]
fn filters_find_values_page_by_page() {
    let client = Client::new();
    for number in 0..5 {
        client.create_with_value(&format!("x/{number}"), &number.to_string());
    }
    client.create_with_value("y", "other");
    client.create_with_value("x/deleted", "deleted");
    client.ok("DeleteSecret", json!({"SecretId": "x/deleted"}));
    let mut input = json!({"Filters": [{"Key": "name", "Values": ["x/"]}], "MaxResults": 2});
    let mut values = String::new();
    loop {
        let page = client.ok("BatchGetSecretValue", input.clone());
        assert_eq!(page["Errors"], json!([]));
        for value in page["SecretValues"].as_array().unwrap() {
            values.push_str(&text(&value["SecretString"]));
        }
        let Some(next) = page.get("NextToken") else { break };
        input["NextToken"] = next.clone();
    }
    assert_eq!(values, "01234");
    assert!(client.describe("x/0").get("LastAccessedDate").is_some(), "a batch leaves the day of access too");
    assert!(client.describe("y").get("LastAccessedDate").is_none());
}

#[test]
fn batches_that_break_a_rule_are_refused() {
    let client = Client::new();
    let either = "Either 'SecretIdList' or 'Filters' must be provided, but not both.";
    let filters = json!([{"Key": "name", "Values": ["x"]}]);
    for (input, message) in [
        (json!({}), either),
        (json!({"SecretIdList": ["a"], "Filters": filters}), either),
        (
            json!({"SecretIdList": ["a"], "MaxResults": 5}),
            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
        ),
    ] {
        assert_eq!(client.refused("BatchGetSecretValue", input), refused("InvalidParameterException", message));
    }
    let many: Vec<String> = (0..21).map(|number| format!("s{number}")).collect();
    assert_eq!(client.refused("BatchGetSecretValue", json!({"SecretIdList": many})).code, "ValidationException");
    assert_eq!(client.refused("BatchGetSecretValue", json!({"SecretIdList": []})).code, "ValidationException");
}
