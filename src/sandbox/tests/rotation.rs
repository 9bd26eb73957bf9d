//! RotateSecret and CancelRotateSecret, and what happens when a window opens.

use super::*;
use crate::faults::{RotationOf, RotationOutcome, RotationStep};

const LAMBDA: &str = "arn:aws:lambda:eu-west-1:000000000000:function:rotate";

fn rotate(number: u32) -> Value {
    json!({
        "SecretId": "a", "ClientRequestToken": token(number), "RotationLambdaARN": LAMBDA,
        "RotationRules": {"ScheduleExpression": "rate(4 hours)"}
    })
}

fn again(number: u32) -> Value {
    json!({"SecretId": "a", "ClientRequestToken": token(number)})
}

fn unfinished() -> Refused {
    refused("InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted.")
}

fn with_value(value: &str) -> Client {
    let client = Client::new();
    client.create_with_value("a", value);
    client
}

/// The clock stands at 07:45.
fn date(text: &str) -> Value {
    let moment: Timestamp = text.parse().unwrap();
    json!(f64::from(i32::try_from(moment.as_second()).unwrap()))
}

#[test]
fn a_rotation_makes_a_new_current_version() {
    let client = with_value(r#"{"username":"u","password":"p"}"#);
    let arn = text(&client.describe("a")["ARN"]);
    assert_eq!(client.describe("a").get("RotationEnabled"), None);
    assert_eq!(client.ok("RotateSecret", rotate(2)), json!({"ARN": arn, "Name": "a", "VersionId": token(2)}));
    let described = client.describe("a");
    assert_eq!(described["RotationEnabled"], true);
    assert_eq!(described["RotationLambdaARN"], LAMBDA);
    assert_eq!(described["RotationRules"], json!({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(4 hours)"}));
    assert_eq!(described["LastRotatedDate"], seconds(&client, 0));
    assert_eq!(described["NextRotationDate"], date("2026-03-04T11:59:59Z"));
    assert_eq!(described["VersionIdsToStages"], json!({token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}));
    let value: Value = serde_json::from_str(&client.value("a")).unwrap();
    assert_eq!(value["username"], "u");
    assert_ne!(value["password"], "p");
    let listed = &client.ok("ListSecrets", json!({}))["SecretList"][0];
    assert_eq!(listed["NextRotationDate"], described["NextRotationDate"]);
    client.ok("RotateSecret", again(3));
    assert_eq!(client.labels("a"), json!({token(2): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]}), "with what is stored");
    client.ok("RotateSecret", again(3));
    assert_eq!(client.labels("a"), json!({token(2): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]}), "a repetition");
}

#[test]
fn without_rotating_at_once_only_the_configuration_changes() {
    let client = with_value("x");
    let mut input = rotate(2);
    input["RotateImmediately"] = false.into();
    input["RotationRules"] = json!({"AutomaticallyAfterDays": 10, "Duration": "2h"});
    client.ok("RotateSecret", input);
    let described = client.describe("a");
    assert_eq!(described["RotationEnabled"], true);
    assert_eq!(described["RotationRules"], json!({"AutomaticallyAfterDays": 10, "Duration": "2h"}));
    assert_eq!(described["NextRotationDate"], date("2026-03-14T01:59:59Z"));
    assert_eq!(described.get("LastRotatedDate"), None);
    assert_eq!(described["VersionIdsToStages"], json!({token(1): ["AWSCURRENT"]}));
    client.advance(24);
    client.ok("PutSecretValue", json!({"SecretId": "a", "ClientRequestToken": token(3), "SecretString": "y"}));
    assert_eq!(client.describe("a")["NextRotationDate"], date("2026-03-15T01:59:59Z"), "a new value counts as one");
}

#[test]
fn a_rotation_runs_when_its_window_opens() {
    let client = with_value("x");
    client.ok("RotateSecret", rotate(2));
    client.advance(4);
    assert_eq!(client.describe("a")["LastRotatedDate"], date("2026-03-04T11:00:00Z"), "as soon as the window opens");
    client.advance(8);
    let described = client.describe("a");
    assert_eq!(described["LastRotatedDate"], date("2026-03-04T19:00:00Z"));
    assert_eq!(described["NextRotationDate"], date("2026-03-04T23:59:59Z"));
    let versions = client.ok("ListSecretVersionIds", json!({"SecretId": "a", "IncludeDeprecated": true}));
    assert_eq!(versions["Versions"].as_array().map(Vec::len), Some(5));
    assert_eq!(versions["Versions"][4]["CreatedDate"], date("2026-03-04T19:00:00Z"));
    client.advance(24 * 365 * 20);
    let described = client.describe("a");
    assert!(described["NextRotationDate"].as_f64() > seconds(&client, 0).as_f64(), "however far the clock jumps");
}

#[test]
fn a_secret_that_cannot_rotate_does_not_stop_the_others() {
    let client = with_value("x");
    client.ok("RotateSecret", rotate(2));
    for number in 0..18 {
        let label = json!({"SecretId": "a", "VersionStage": format!("L{number}"), "MoveToVersionId": token(1)});
        client.ok("UpdateSecretVersionStage", label);
    }
    assert_eq!(client.refused("RotateSecret", again(3)).code, "LimitExceededException");
    let before = client.labels("a");
    client.advance(24);
    assert_eq!(client.labels("a"), before);
    assert_eq!(client.describe("a")["NextRotationDate"], date("2026-03-05T11:59:59Z"));
}

#[test]
fn a_step_that_fails_leaves_awspending_behind() {
    for (step, has_value) in [
        (RotationStep::Create, false),
        (RotationStep::Set, true),
        (RotationStep::Test, true),
        (RotationStep::Finish, true),
    ] {
        let client = with_value("x");
        client.sandbox.set_rotation(RotationOf::Secret("a".to_owned()), RotationOutcome::FailAt(step));
        client.ok("RotateSecret", rotate(2));
        assert_eq!(client.labels("a"), json!({token(1): ["AWSCURRENT"], token(2): ["AWSPENDING"]}));
        assert_eq!(client.describe("a").get("LastRotatedDate"), None);
        assert_eq!(client.value("a"), "x");
        let pending = json!({"SecretId": "a", "VersionStage": "AWSPENDING"});
        if has_value {
            client.ok("GetSecretValue", pending);
        } else {
            let message = "Secrets Manager can't find the specified secret value for staging label: AWSPENDING";
            assert_eq!(client.refused("GetSecretValue", pending), refused("ResourceNotFoundException", message));
        }
        assert_eq!(client.refused("RotateSecret", again(3)), unfinished());
        client.ok("RotateSecret", again(2));
        // The function is repaired: the next call is refused still, and the old rotation is tried again.
        client.sandbox.set_rotation(RotationOf::Secret("a".to_owned()), RotationOutcome::Succeed);
        assert_eq!(client.refused("RotateSecret", again(3)), unfinished());
        assert_eq!(client.labels("a"), json!({token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}));
        client.ok("RotateSecret", again(3));
    }
}

#[test]
fn a_pending_label_that_somebody_set_is_not_rotated_away() {
    let client = with_value("x");
    let put = json!({
        "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "y", "VersionStages": ["AWSPENDING"]
    });
    client.ok("PutSecretValue", put);
    for number in [3, 4] {
        assert_eq!(client.refused("RotateSecret", rotate(number)), unfinished());
    }
    assert_eq!(client.labels("a"), json!({token(1): ["AWSCURRENT"], token(2): ["AWSPENDING"]}));
    let remove = json!({"SecretId": "a", "VersionStage": "AWSPENDING", "RemoveFromVersionId": token(2)});
    client.ok("UpdateSecretVersionStage", remove);
    client.ok("RotateSecret", rotate(5));
    let move_pending = json!({"SecretId": "a", "VersionStage": "AWSPENDING", "MoveToVersionId": token(5)});
    client.ok("UpdateSecretVersionStage", move_pending);
    client.ok("RotateSecret", again(6));
    assert_eq!(client.labels("a")[token(6)], json!(["AWSCURRENT"]), "on the current version it is in nobody's way");
}

#[test]
fn a_refused_rotation_changes_nothing() {
    let client = with_value("x");
    let before = client.describe("a");
    let no_lambda =
        refused("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.");
    assert_eq!(client.refused("RotateSecret", again(2)), no_lambda);
    assert_eq!(client.refused("CancelRotateSecret", json!({"SecretId": "a"})), no_lambda);
    client.sandbox.set_rotation(RotationOf::Lambda(LAMBDA.to_owned()), RotationOutcome::NotInvocable);
    let Refused { code, message } = client.refused("RotateSecret", rotate(2));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.starts_with("Secrets Manager cannot invoke the specified Lambda function."), "{message}");
    let mut no_token = rotate(2);
    no_token.as_object_mut().unwrap().remove("ClientRequestToken");
    let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
    assert_eq!(client.refused("RotateSecret", no_token), refused("InvalidParameterException", message));
    let both = "You cannot specify both rotation frequency and schedule expression together.";
    for (rules, code, message) in [
        (
            json!({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"}),
            "InvalidParameterException",
            Some(both),
        ),
        (json!({"ScheduleExpression": "cron(5 0 * * ? *)"}), "InvalidParameterException", None),
        (json!({"ScheduleExpression": "rate(1 hour)"}), "InvalidParameterException", None),
        (json!({"AutomaticallyAfterDays": 1, "Duration": "25h"}), "InvalidParameterException", None),
        (json!({"AutomaticallyAfterDays": 0}), "ValidationException", None),
        (json!({"AutomaticallyAfterDays": 1001}), "ValidationException", None),
        (json!({"Duration": "xh"}), "ValidationException", None),
        (json!({"ScheduleExpression": "rate(1 day)!"}), "ValidationException", None),
    ] {
        let mut input = rotate(2);
        input["RotationRules"] = rules.clone();
        let refusal = client.refused("RotateSecret", input);
        assert_eq!(refusal.code, code, "{rules}");
        assert!(message.is_none_or(|message| message == refusal.message), "{rules}");
    }
    assert_eq!(client.describe("a"), before);
    client.create("empty");
    let mut empty = rotate(2);
    empty["SecretId"] = "empty".into();
    empty["RotationLambdaARN"] = format!("{LAMBDA}2").into();
    assert_eq!(client.refused("RotateSecret", empty).code, "ResourceNotFoundException");
}

#[test]
fn cancel_keeps_the_rules_for_the_next_rotate_secret() {
    let client = with_value("x");
    client.ok("RotateSecret", rotate(2));
    let arn = text(&client.describe("a")["ARN"]);
    assert_eq!(client.ok("CancelRotateSecret", json!({"SecretId": "a"})), json!({"ARN": arn, "Name": "a"}));
    let described = client.describe("a");
    assert_eq!((&described["RotationEnabled"], described.get("NextRotationDate")), (&json!(false), None));
    assert_eq!((&described["RotationLambdaARN"], described["RotationRules"].is_object()), (&json!(LAMBDA), true));
    client.advance(48);
    assert_eq!(client.labels("a")[token(2)], json!(["AWSCURRENT"]));
    client.ok("RotateSecret", again(3));
    assert_eq!(client.describe("a")["RotationEnabled"], true);
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    let described = client.describe("a");
    assert_eq!((&described["RotationEnabled"], described.get("NextRotationDate")), (&json!(false), None));
    assert_eq!(described["RotationLambdaARN"], LAMBDA);
    client.advance(48);
    client.ok("RestoreSecret", json!({"SecretId": "a"}));
    assert_eq!(client.labels("a")[token(3)], json!(["AWSCURRENT"]));
}

#[test]
fn an_external_secret_rotates_without_a_function() {
    let client = Client::new();
    let created = json!({"Name": "a", "ClientRequestToken": token(1), "SecretString": "x", "Type": "partner"});
    client.ok("CreateSecret", created);
    let (metadata, role) = (json!([{"Key": "k", "Value": "v"}]), "arn:aws:iam::000000000000:role/rotate");
    client.ok(
        "RotateSecret",
        json!({
            "SecretId": "a", "ClientRequestToken": token(2), "ExternalSecretRotationMetadata": metadata,
            "ExternalSecretRotationRoleArn": role
        }),
    );
    let described = client.describe("a");
    assert_eq!((&described["ExternalSecretRotationMetadata"], &described["Type"]), (&metadata, &json!("partner")));
    assert_eq!(described["ExternalSecretRotationRoleArn"], role);
    assert_eq!(client.labels("a")[token(2)], json!(["AWSCURRENT"]));
}

#[test]
fn a_rotation_reaches_the_replicas() {
    let client = with_value("x");
    client.ok("ReplicateSecretToRegions", json!({"SecretId": "a", "AddReplicaRegions": [{"Region": "us-west-2"}]}));
    let there = client.in_region("us-west-2");
    client.sandbox.set_rotation(RotationOf::Any, RotationOutcome::StickAt(RotationStep::Create));
    client.ok("RotateSecret", rotate(2));
    assert_eq!(there.labels("a"), client.labels("a"));
    client.sandbox.set_rotation(RotationOf::Any, RotationOutcome::Succeed);
    client.refused("RotateSecret", again(3));
    assert_eq!(there.value("a"), client.value("a"), "a version that had no value at first too");
    client.advance(100);
    assert_eq!(there.value("a"), client.value("a"));
    assert_eq!(there.describe("a").get("RotationEnabled"), None);
}
