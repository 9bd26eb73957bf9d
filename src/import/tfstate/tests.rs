//! States as Terraform writes them, and as nobody should.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{State, StateError, Why, parse, removed_blocks};
use crate::desired::{Deletion, RotationSetup, Rotator};
use crate::domain::{Arn, Frequency, RotationDuration};
use crate::live::{LivePolicy, ReplicaStatus};

/// A state that Terraform 1.11 and version 5 of the AWS provider wrote, with count and for_each.
const GENUINE: &[u8] = include_bytes!("../../../tests/fixtures/tfstate/terraform.tfstate");

fn state(resources: &Value) -> State {
    parse(json!({ "version": 4, "resources": resources }).to_string().as_bytes()).unwrap()
}

fn secret(attributes: &Value) -> Value {
    let instances = json!([{ "attributes": attributes }]);
    json!({ "mode": "managed", "type": "aws_secretsmanager_secret", "name": "a", "instances": instances })
}

#[test]
fn a_genuine_state_is_read_whole() {
    let state = parse(GENUINE).unwrap();
    let addresses: Vec<&str> = state.secrets.iter().map(|found| found.address.as_str()).collect();
    assert_eq!(
        addresses,
        [
            "aws_secretsmanager_secret.fleet[0]",
            "aws_secretsmanager_secret.fleet[1]",
            "aws_secretsmanager_secret.fleet[2]",
            "aws_secretsmanager_secret.rotated",
            "aws_secretsmanager_secret.svc[\"ledger\"]",
            "aws_secretsmanager_secret.svc[\"payments\"]",
        ]
    );
    let fleet = &state.secrets[0];
    assert_eq!((fleet.account.as_str(), fleet.region.as_str()), ("123456789012", "us-east-1"));
    assert_eq!(fleet.secret.name.as_str(), "prod/fleet/node-0");
    assert_eq!(fleet.secret.description.as_deref(), Some("Fleet node 0"));
    assert_eq!(fleet.deletion, Some(Deletion::Window(7)));
    assert_eq!(fleet.secret.kms_key_id, None, "empty is the default key");

    let rotated = &state.secrets[3].secret;
    let setup = RotationSetup {
        rotator: Rotator::Lambda(Arn::of_service("arn:aws:lambda:us-east-1:123456789012:function:rotate-pg")),
        frequency: Frequency::of_service("cron(0 16 1,15 * ? *)"),
        duration: Some(RotationDuration::of_service("2h")),
    };
    assert_eq!(rotated.rotation.setup(), Some(setup));
    assert_eq!(rotated.policy, LivePolicy::None);
    assert!(rotated.current_version().is_some_and(|id| id.as_str().starts_with("terraform-")));

    let ledger = &state.secrets[4].secret;
    let LivePolicy::Document(policy) = &ledger.policy else { panic!("{:?}", ledger.policy) };
    assert!(policy.to_wire().contains("role/ledger"));
    assert_eq!(ledger.tags["env"], "prod");
    assert!(ledger.kms_key_id.as_ref().unwrap().as_str().contains(":key/1234abcd"));
    assert!(!format!("{state:?}").contains("NOT-TO-BE-PRINTED"), "a value was kept");
}

#[test]
fn whole_resources_are_let_go_in_order() {
    let state = parse(GENUINE).unwrap();
    let all: BTreeSet<&str> = state.secrets.iter().map(|found| found.secret.arn.as_str()).collect();
    let text = removed_blocks(&state, &all);
    let froms: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("from = ")).collect();
    assert_eq!(
        froms,
        [
            "aws_secretsmanager_secret_rotation.rotated",
            "aws_secretsmanager_secret_policy.svc",
            "aws_secretsmanager_secret_version.rotated",
            "aws_secretsmanager_secret_version.svc",
            "aws_secretsmanager_secret.fleet",
            "aws_secretsmanager_secret.rotated",
            "aws_secretsmanager_secret.svc",
        ]
    );
    assert_eq!(text.matches("destroy = false").count(), froms.len());
    assert!(!text.contains("NOT-TO-BE-PRINTED"));
}

#[test]
fn a_resource_that_stays_in_part_is_not_let_go_as_a_whole() {
    let state = parse(GENUINE).unwrap();
    let one = BTreeSet::from([state.secrets[1].secret.arn.as_str()]);
    let text = removed_blocks(&state, &one);
    assert!(!text.contains("removed {"), "{text}");
    assert!(text.contains("#   terraform state rm 'aws_secretsmanager_secret.fleet[1]'\n"), "{text}");
    assert!(!text.contains("fleet[0]"), "{text}");
}

#[test]
fn keys_in_any_order_and_attributes_of_any_shape_are_read() {
    // As `jq -S` sorts it, after a resource of another provider with attributes of the same names and other shapes.
    let text = r#"{"resources":[
        {"instances":[{"attributes":{"arn":1,"name":["x"],"policy":{"a":1},"replica":"none","tags":[1.5]}}],
            "mode":"managed","name":"o","type":"other"},
        {"instances":[{"attributes":{"arn":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf","name":"a",
            "replica":[{"region":"us-east-1","kms_key_id":"alias/k","status":"Failed","status_message":"no key"}],
            "rotation_enabled":true,"rotation_lambda_arn":"arn:aws:lambda:eu-west-1:111111111111:function:f",
            "rotation_rules":[{"automatically_after_days":30}],
            "secret_string":"NOT-TO-BE-PRINTED","tags":{"a":"b"},"tags_all":null}}],
         "mode":"managed","module":"module.m[0]","name":"n","type":"aws_secretsmanager_secret"}],"version":4}"#;
    let state = parse(text.as_bytes()).unwrap();
    assert_eq!(state.secrets.len(), 1);
    let found = &state.secrets[0];
    assert_eq!(found.address, "module.m[0].aws_secretsmanager_secret.n");
    assert_eq!(state.resources[0].address.to_string(), "module.m.aws_secretsmanager_secret.n");
    assert_eq!(found.secret.tags["a"], "b");
    assert!(matches!(found.secret.replicas["us-east-1"].status, ReplicaStatus::Failed { .. }));
    assert!(matches!(found.secret.rotation.setup().unwrap().frequency, Frequency::EveryDays(30)));
}

#[test]
fn what_is_none_of_ours_is_not_mentioned() {
    let good = json!({ "arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf", "name": "a" });
    for (key, value) in [("mode", "data"), ("type", "aws_ssm_parameter")] {
        let mut resource = secret(&good);
        resource[key] = value.into();
        let state = state(&json!([resource]));
        assert_eq!((state.secrets.len(), state.unread.len()), (0, 0), "{key}");
    }
    let state = state(&json!([secret(&good)]));
    assert_eq!((state.secrets.len(), state.unread.len()), (1, 0));
}

#[test]
fn nothing_of_ours_is_left_out_in_silence() {
    let good = json!({ "arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf", "name": "a" });
    let with = |key: &str, value: &str| {
        let mut resource = secret(&good);
        resource[key] = value.into();
        resource
    };
    let arn = |arn: &str| secret(&json!({ "arn": arn, "name": "a" }));
    let mut deposed = secret(&good);
    deposed["instances"][0]["deposed"] = "0a1b2c3d".into();
    let mut policy = secret(&json!({ "secret_arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:b-AbCdEf" }));
    policy["type"] = "aws_secretsmanager_secret_policy".into();
    for (resource, why) in [
        (with("name", "a }\nx"), Why::Address),
        (with("module", "nonsense"), Why::Address),
        (with("type", "aws_secretsmanager_secret_shadow"), Why::UnknownType),
        (deposed, Why::Deposed),
        (arn("nonsense"), Why::Arn),
        (arn("arn:aws:secretsmanager:eu-west-1:1111:secret:a-AbCdEf"), Why::Arn),
        (arn("arn:aws:ssm:eu-west-1:111111111111:parameter/a"), Why::Arn),
        (secret(&json!({ "name": "a" })), Why::Arn),
        (secret(&json!({ "arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:x" })), Why::Name),
        (secret(&json!(null)), Why::NoAttributes),
        (policy, Why::SecretElsewhere),
    ] {
        let state = state(&json!([resource]));
        let found: Vec<Why> = state.unread.iter().map(|unread| unread.why).collect();
        assert_eq!((state.secrets.len(), found), (0, vec![why]), "{resource}");
    }
}

#[test]
fn a_name_that_is_missing_is_read_from_the_arn() {
    let arn = json!({ "arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/a-b-AbCdEf" });
    assert_eq!(state(&json!([secret(&arn)])).secrets[0].secret.name.as_str(), "prod/a-b");
}

#[test]
fn flat_attributes_are_read_as_the_others() {
    let flat = json!({
        "arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf", "name": "a", "description": "old",
        "tags.%": "1", "tags.team": "x", "recovery_window_in_days": "0", "rotation_enabled": "true",
        "rotation_lambda_arn": "arn:aws:lambda:eu-west-1:111111111111:function:f", "rotation_rules.#": "1",
        "rotation_rules.0.automatically_after_days": "30", "secret_string": "NOT-TO-BE-PRINTED",
    });
    let resource = json!({ "mode": "managed", "type": "aws_secretsmanager_secret", "name": "old",
        "instances": [{ "schema_version": 0, "attributes_flat": flat }] });
    let state = state(&json!([resource]));
    let found = &state.secrets[0];
    assert_eq!((found.deletion, found.secret.tags["team"].as_str()), (Some(Deletion::Force), "x"));
    assert!(matches!(found.secret.rotation.setup().unwrap().frequency, Frequency::EveryDays(30)));
    assert_eq!(state.unread, []);
    assert!(!format!("{state:?}").contains("NOT-TO-BE-PRINTED"));
}

#[test]
fn what_is_no_state_says_what_it_is() {
    let error = |text: &str| parse(text.as_bytes()).unwrap_err();
    let tofu = r#"{"serial":1,"lineage":"x","meta":{"key_provider.pbkdf2.k":"e30="},
        "encrypted_data":"AA==","encryption_version":"v0"}"#;
    assert_eq!(error(tofu), StateError::Encrypted);
    assert_eq!(error(r#"{"version": 3, "modules": []}"#), StateError::Old { version: 3 });
    assert_eq!(error(r#"{"format_version": "1.0", "values": {}}"#), StateError::Shown);
    assert_eq!(error(r#"{"version": 5}"#), StateError::Version);
    assert_eq!(error("{}"), StateError::Version);
}

/// A list is no map: its items are not its fields in their order.
#[test]
fn a_list_in_the_place_of_a_map_is_no_state() {
    let is_no_state = |text: &str| matches!(parse(text.as_bytes()), Err(StateError::Form { .. }));
    for text in ["[1, 2]", "[]", "[4, null, null, []]", "1", "null", "\"a\""] {
        assert!(is_no_state(text), "{text}");
    }
    let resource = |instances: &str| {
        let resource = r#""mode": "managed", "type": "aws_secretsmanager_secret", "name": "a""#;
        format!(r#"{{"version": 4, "resources": [{{{resource}, "instances": {instances}}}]}}"#)
    };
    assert!(is_no_state(&resource(r#"[["a", null, {}, {}]]"#)));
    assert!(!is_no_state(&resource("[{}]")));
}

#[test]
fn errors_quote_nothing() {
    let marked = "NOT-TO-BE-PRINTED";
    let errors: Vec<StateError> = [
        marked.to_owned(),
        format!("{{\"version\": 4, \"resources\": \"{marked}\"}}"),
        format!("{{\"version\": 4, \"resources\": [\"{marked}\"]}}"),
        format!("{{\"version\": 4, \"resources\": [{{\"type\": {{\"{marked}\": 1}}}}]}}"),
        format!(
            "{{\"version\": 4, \"resources\": [{{\"type\": \"aws_secretsmanager_secret_version\", \
            \"instances\": [{{\"attributes\": \"{marked}\"}}]}}]}}"
        ),
        format!(
            "{{\"version\": 4, \"resources\": [{{\"type\": \"aws_secretsmanager_secret_version\", \
            \"instances\": [{{\"attributes\": {{\"secret_string\": \"{marked}"
        ),
        format!("{{\"version\": \"{marked}\"}}"),
        "{\"version\": 3, \"modules\": []}".to_owned(),
    ]
    .iter()
    .map(|text| parse(text.as_bytes()).unwrap_err())
    .collect();
    for error in &errors {
        assert!(!error.to_string().contains(marked) && !format!("{error:?}").contains(marked), "{error:?}");
    }
    assert_eq!(errors[6], StateError::Version);
    assert_eq!(errors[7], StateError::Old { version: 3 });
}
