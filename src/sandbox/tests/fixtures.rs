//! Secrets that exist before anything happens.

use super::super::FixtureError;
use super::*;

const FIXTURES: &str = r#"
- name: payments/db
  region: eu-west-1
  description: Primary database
  type: partner
  kmsKeyId: alias/payments
  tags: { team: payments, data-class: restricted }
  policy:
    Version: "2012-10-17"
    Statement:
      Effect: Allow
      Principal: { AWS: "111122223333" }
      Action: secretsmanager:GetSecretValue
      Resource: "*"
  value: hunter2
  versionId: 00000000-0000-0000-0000-000000000001
  replicas: [{ region: us-west-2, kmsKeyId: alias/there }]
  rotation:
    lambdaArn: arn:aws:lambda:eu-west-1:000000000000:function:rotate
    schedule: rate(30 days)
    duration: 2h
- { name: binary, region: eu-west-1, binary: AP9U }
- { name: "events!connection/a", region: eu-west-1, owningService: events }
- { name: doomed, region: eu-west-1, scheduledForDeletion: { recoveryWindowDays: 7 } }
- { name: other, account: "111122223333" }
"#;

#[test]
fn fixtures_make_every_field_and_leave_existing_secrets() {
    let client = Client::new();
    assert_eq!(client.sandbox.make_fixtures(FIXTURES).unwrap(), 5);
    let described = client.describe("payments/db");
    assert_eq!(described["Description"], "Primary database");
    assert_eq!(described["Type"], "partner");
    assert_eq!(described["Tags"].as_array().map(Vec::len), Some(2));
    assert_eq!(described["RotationEnabled"], true);
    assert_eq!(described["RotationRules"]["Duration"], "2h");
    assert_eq!(described["ReplicationStatus"][0]["Status"], "InSync");
    assert_eq!(described["VersionIdsToStages"], json!({"00000000-0000-0000-0000-000000000001": ["AWSCURRENT"]}));
    assert_eq!(client.value("payments/db"), "hunter2");
    let policy = client.ok("GetResourcePolicy", json!({"SecretId": "payments/db"}));
    assert!(text(&policy["ResourcePolicy"]).contains("111122223333"));
    assert_eq!(client.in_region("us-west-2").describe("payments/db")["KmsKeyId"], "alias/there");
    assert_eq!(client.ok("GetSecretValue", json!({"SecretId": "binary"}))["SecretBinary"], "AP9U");
    assert_eq!(client.describe("events!connection/a")["OwningService"], "events");
    assert!(client.describe("doomed").get("DeletedDate").is_some());
    client.as_account("111122223333").in_region("us-east-1").describe("other");
    assert_eq!(client.sandbox.calls().iter().filter(|call| call.operation == "CreateSecret").count(), 0, "unlogged");
    assert_eq!(client.sandbox.make_fixtures(FIXTURES).unwrap(), 0, "what is there is left as it is");
    assert_eq!(client.describe("payments/db")["VersionIdsToStages"], described["VersionIdsToStages"]);
    assert_eq!(client.sandbox.make_fixtures("").unwrap(), 0);
}

#[test]
fn one_refused_fixture_undoes_all() {
    let client = Client::new();
    let error = client.sandbox.make_fixtures("- { name: good }\n- { name: 'not good' }\n").unwrap_err();
    let FixtureError::Refused { name, code, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), code.as_str()), ("not good", "ValidationException"));
    assert_eq!(client.sandbox.dump(DEFAULT_ACCOUNT, "us-east-1"), []);
    assert!(client.sandbox.make_fixtures("- { name: a, account: '1' }").is_err());
    assert!(client.sandbox.make_fixtures("- { name: a, value: x, binary: AA== }").is_err());
}

#[test]
fn a_syntax_error_has_its_line_and_no_value() {
    let client = Client::new();
    for (text, line) in [
        ("- name: a\n  valu: hunter2\n", 2),
        ("- name: a\n  value: 1234567\n", 2),
        ("- name: a\n  value: 3.1234567\n", 2),
        ("- name: a\n  value: [1234567]\n", 2),
        ("- name: a\n  value: { hunter2: 1234567 }\n", 2),
        ("- name: a\n  replicas: 5\n", 2),
        ("- description: a\n", 1),
        ("name: [", 1),
        ("- name: a\n  scheduledForDeletion: soon\n", 0),
    ] {
        let error = client.sandbox.make_fixtures(text).unwrap_err();
        let shown = error.to_string();
        assert!(!shown.contains("hunter2") && !shown.contains("1234567"), "{shown}");
        let FixtureError::Syntax { line: found, .. } = error else { panic!("{shown}") };
        assert!(line == 0 || found == line, "{text}: {shown}");
    }
}
