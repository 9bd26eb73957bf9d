//! The operations of resource policies; the managed one of a replica is in `cross_account`.

use super::*;

const COMPACT: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","#,
    r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/reader"},"#,
    r#""Action":["secretsmanager:GetSecretValue"],"Resource":"*"}]}"#
);

const LAID_OUT: &str = r#"{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "Read",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:role/reader"
    },
    "Action" : [ "secretsmanager:GetSecretValue" ],
    "Resource" : "*"
  } ]
}"#;

fn with(principal: &Value) -> String {
    let mut policy: Value = serde_json::from_str(COMPACT).unwrap();
    policy["Statement"][0]["Principal"] = principal.clone();
    policy.to_string()
}

#[test]
fn a_policy_is_returned_in_the_layout_of_the_service_and_deleted() {
    let client = Client::new();
    let arn = client.create("a");
    let touched = json!({"ARN": arn, "Name": "a", "PolicyName": "default"});
    assert_eq!(client.ok("GetResourcePolicy", json!({"SecretId": "a"})), touched, "no member without a policy");
    assert_eq!(client.ok("PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": COMPACT})), touched);
    assert_eq!(
        client.ok("GetResourcePolicy", json!({"SecretId": "a"})),
        json!({"ARN": arn, "Name": "a", "ResourcePolicy": LAID_OUT, "PolicyName": "default"})
    );
    assert_eq!(client.ok("DeleteResourcePolicy", json!({"SecretId": "a"})), touched);
    assert_eq!(client.ok("DeleteResourcePolicy", json!({"SecretId": "a"})), touched);
    assert_eq!(client.ok("GetResourcePolicy", json!({"SecretId": "a"})), touched);
}

#[test]
fn only_the_policy_named_default_can_be_changed() {
    let client = Client::new();
    client.create("a");
    let put = |name: &str| json!({"SecretId": "a", "ResourcePolicy": COMPACT, "PolicyName": name});
    assert_eq!(client.ok("PutResourcePolicy", put("default"))["PolicyName"], "default");
    let other = json!({"SecretId": "a", "PolicyName": "other"});
    let message = "You can modify only the resource policy named default, not other.";
    assert_eq!(client.refused("PutResourcePolicy", put("other")), refused("InvalidParameterException", message));
    assert_eq!(client.refused("DeleteResourcePolicy", other.clone()), refused("InvalidParameterException", message));
    let message = "Secrets Manager can't find the resource policy other of the specified secret.";
    assert_eq!(client.refused("GetResourcePolicy", other), refused("ResourceNotFoundException", message));
    let named = json!({"SecretId": "a", "PolicyName": "default"});
    assert_eq!(client.ok("GetResourcePolicy", named.clone())["ResourcePolicy"], LAID_OUT);
    for name in ["", "not a name", &"x".repeat(65)] {
        for operation in ["GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"] {
            let input = known(operation, &put(name));
            assert_eq!(client.refused(operation, input).code, "ValidationException", "{operation} {name}");
        }
    }
    client.ok("DeleteResourcePolicy", named);
    assert_eq!(client.ok("GetResourcePolicy", json!({"SecretId": "a"})).get("ResourcePolicy"), None);
}

#[test]
fn the_names_of_policies_are_listed_page_by_page() {
    let client = Client::new();
    let (here, there) = (client.as_account("111111111111"), client.as_account("222222222222"));
    let primary = here.create("a");
    there.ok(
        "CreateSecret",
        json!({
            "Name": "b", "ClientRequestToken": token(1), "KmsKeyId": "alias/b", "CrossAccountPrimaryARN": primary
        }),
    );
    there.ok("PutResourcePolicy", json!({"SecretId": "b", "ResourcePolicy": COMPACT}));
    let first = there.ok("ListResourcePolicies", json!({"SecretId": "b", "MaxResults": 1}));
    assert_eq!(first["ResourcePolicies"], json!([{"PolicyName": "default"}]));
    let second = json!({"SecretId": "b", "MaxResults": 1, "NextToken": first["NextToken"]});
    let second = there.ok("ListResourcePolicies", second);
    assert_eq!(second, json!({"ResourcePolicies": [{"PolicyName": "cross-account-replication"}]}));
    let list = |change: Value| {
        let mut input = json!({"SecretId": "b"});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        there.refused("ListResourcePolicies", input).code
    };
    assert_eq!(list(json!({"NextToken": "nonsense"})), "InvalidNextTokenException");
    assert_eq!(list(json!({"MaxResults": 0})), "ValidationException");
    assert_eq!(list(json!({"MaxResults": 101})), "ValidationException");
    assert_eq!(list(json!({"SecretId": "missing"})), "ResourceNotFoundException");
    here.ok("DeleteSecret", json!({"SecretId": "a"}));
    assert_eq!(here.refused("ListResourcePolicies", json!({"SecretId": "a"})), marked_for_deletion());
}

#[test]
fn a_policy_is_removed_with_its_secret() {
    let client = Client::new();
    client.create("a");
    client.ok("PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": COMPACT}));
    client.ok("DeleteSecret", json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true}));
    client.create("a");
    assert_eq!(client.ok("GetResourcePolicy", json!({"SecretId": "a"})).get("ResourcePolicy"), None);
}

#[test]
fn policies_that_break_a_rule_are_refused() {
    let client = Client::new();
    client.create("a");
    let syntax = "This resource policy contains a syntax error.";
    for (policy, message) in [
        ("not json".to_owned(), syntax),
        ("{}".to_owned(), syntax),
        (COMPACT.replace("Allow", "Perhaps"), syntax),
        (with(&json!({"AWS": "nobody"})), "This resource policy contains an unsupported principal."),
        (with(&json!({"Service": "nowhere"})), "This resource policy contains an invalid service principal."),
    ] {
        for operation in ["PutResourcePolicy", "ValidateResourcePolicy"] {
            let input = json!({"SecretId": "a", "ResourcePolicy": policy});
            let expected = refused("MalformedPolicyDocumentException", message);
            assert_eq!(client.refused(operation, input), expected, "{operation} {policy}");
        }
    }
    let long = json!({"SecretId": "a", "ResourcePolicy": " ".repeat(20_481)});
    assert_eq!(client.refused("PutResourcePolicy", long).code, "ValidationException");
    assert_eq!(client.ok("GetResourcePolicy", json!({"SecretId": "a"})).get("ResourcePolicy"), None);
}

#[test]
fn public_policies_are_refused_when_that_was_asked_for() {
    let client = Client::new();
    client.create("a");
    let public = with(&json!("*"));
    let text = "You can't attach a resource-based policy that allows broad access to the secret.";
    let input = json!({"SecretId": "a", "ResourcePolicy": public, "BlockPublicPolicy": true});
    assert_eq!(client.refused("PutResourcePolicy", input), refused("PublicPolicyException", text));
    client.ok("PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": public}));
    client.ok("PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": COMPACT, "BlockPublicPolicy": true}));
}

#[test]
fn a_policy_can_be_validated_with_a_secret_and_without() {
    let client = Client::new();
    client.create("a");
    let passed = json!({"PolicyValidationPassed": true, "ValidationErrors": []});
    assert_eq!(client.ok("ValidateResourcePolicy", json!({"ResourcePolicy": COMPACT})), passed);
    assert_eq!(client.ok("ValidateResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": COMPACT})), passed);
    let public = client.ok("ValidateResourcePolicy", json!({"ResourcePolicy": with(&json!("*"))}));
    assert_eq!(public["PolicyValidationPassed"], false);
    assert_eq!(public["ValidationErrors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_policy_that_shuts_its_caller_out_fails_validation() {
    let client = Client::new();
    client.create("a");
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}]
    });
    let input = json!({"SecretId": "a", "ResourcePolicy": policy.to_string()});
    let message = "Your requested changes will not allow you to manage this secret in the future.";
    assert_eq!(
        client.ok("ValidateResourcePolicy", input),
        json!({
            "PolicyValidationPassed": false,
            "ValidationErrors": [{"CheckName": "LOCK_OUT", "ErrorMessage": message}]
        })
    );
}
