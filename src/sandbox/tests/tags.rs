//! TagResource and UntagResource.

use super::*;

#[test]
fn tags_keep_the_order_in_which_they_were_set() {
    let client = Client::new();
    client.create("a");
    let response =
        client.send("TagResource", &json!({"SecretId": "a", "Tags": [{"Key": "z", "Value": "1"}, {"Key": "b"}]}));
    assert_eq!((response.status().as_u16(), response.body().len()), (200, 0), "an empty body");
    client
        .ok("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "a", "Value": "3"}, {"Key": "z", "Value": "4"}]}));
    assert_eq!(
        client.describe("a")["Tags"],
        json!([{"Key": "z", "Value": "4"}, {"Key": "b", "Value": ""}, {"Key": "a", "Value": "3"}])
    );
}

#[test]
fn an_empty_list_is_shown_after_the_last_tag_is_removed() {
    let client = Client::new();
    client.create("a");
    client.ok("UntagResource", json!({"SecretId": "a", "TagKeys": ["never"]}));
    assert_eq!(client.describe("a").get("Tags"), None);
    client.ok("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]}));
    client.ok("UntagResource", json!({"SecretId": "a", "TagKeys": ["k", "never"]}));
    assert_eq!(client.describe("a")["Tags"], json!([]));
}

#[test]
fn tags_that_break_a_rule_are_refused_and_change_nothing() {
    let client = Client::new();
    client.create("a");
    let system = "You can't modify system tags. Tag key: 'aws:cloudformation:stack-name'.";
    let tags = json!([{"Key": "fine", "Value": ""}, {"Key": "aws:cloudformation:stack-name", "Value": "x"}]);
    assert_eq!(
        client.refused("TagResource", json!({"SecretId": "a", "Tags": tags})),
        refused("InvalidParameterException", system)
    );
    assert_eq!(
        client.refused("UntagResource", json!({"SecretId": "a", "TagKeys": ["aws:cloudformation:stack-name"]})),
        refused("InvalidParameterException", system)
    );
    let many: Vec<Value> = (0..51).map(|number| json!({"Key": format!("k{number}"), "Value": ""})).collect();
    let code = |tags: &[Value]| client.refused("TagResource", json!({"SecretId": "a", "Tags": tags})).code;
    assert_eq!(code(&many), "InvalidParameterException");
    assert_eq!(
        code(&[json!({"Key": "k", "Value": "1"}), json!({"Key": "k", "Value": "2"})]),
        "InvalidParameterException"
    );
    assert_eq!(code(&[json!({"Value": "1"})]), "InvalidParameterException");
    assert_eq!(code(&[json!({"Key": "k".repeat(129), "Value": ""})]), "ValidationException");
    assert_eq!(code(&[json!({"Key": "k", "Value": "v".repeat(257)})]), "ValidationException");
    assert_eq!(client.describe("a").get("Tags"), None);
    client.ok("TagResource", json!({"SecretId": "a", "Tags": many[..50]}));
    assert_eq!(code(&many[50..]), "InvalidParameterException", "the fifty-first");
    client.ok("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "k1", "Value": "changed"}]}));
    assert_eq!(
        client.refused("TagResource", json!({"SecretId": "a"})).message,
        "1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must not be null"
    );
}
