//! What is live, before and after, as YAML.

use std::collections::BTreeMap;

use keywright::sandbox::{Call, Sandbox};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::call;

/// A secret that somebody else made.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fixture {
    name: String,
    description: Option<String>,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    policy: Option<Value>,
    /// The value, when it has one. Marked, so that the leak canary would find it.
    value: Option<String>,
    #[serde(default)]
    scheduled_for_deletion: bool,
    /// The AWS service that owns it.
    owning_service: Option<String>,
    /// The account and name of its primary, which has associated it.
    cross_account_primary: Option<(String, String)>,
    /// Rotation, as RotateSecret takes its rules. A service rotates what it owns without a function.
    rotation: Option<Value>,
}

/// Makes the secrets of a `live` section.
pub(crate) fn make(sandbox: &Sandbox, account: &str, region: &str, body: &str) -> Result<(), String> {
    let fixtures: Vec<Fixture> = serde_yaml::from_str(body).map_err(|error| error.to_string())?;
    for (index, fixture) in fixtures.into_iter().enumerate() {
        let mut create = json!({ "Name": fixture.name, "ClientRequestToken": format!("fixture-{index:032}") });
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                create[key] = value;
            }
        };
        set("Description", fixture.description.map(Value::from));
        set("KmsKeyId", fixture.kms_key_id.map(Value::from));
        set("SecretString", fixture.value.map(Value::from));
        let tags: Vec<_> = fixture.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        set("Tags", (!tags.is_empty()).then(|| tags.into()));
        let primary = fixture.cross_account_primary.as_ref().map(|(account, name)| {
            let described = call(sandbox, account, region, "DescribeSecret", &json!({ "SecretId": name }));
            (account, name, described["ARN"].clone())
        });
        set("CrossAccountPrimaryARN", primary.as_ref().map(|(_, _, arn)| arn.clone()));
        let created = call(sandbox, account, region, "CreateSecret", &create);
        if let Some((primary_account, primary, _)) = primary {
            let link = json!({ "SecretId": primary, "CrossAccountReplicaARN": created["ARN"] });
            call(sandbox, primary_account, region, "AssociateCrossAccountReplica", &link);
        }
        if let Some(policy) = fixture.policy {
            let put = json!({ "SecretId": fixture.name, "ResourcePolicy": policy.to_string() });
            call(sandbox, account, region, "PutResourcePolicy", &put);
        }
        if let Some(service) = &fixture.owning_service {
            let set = sandbox.set_owning_service(account, region, &fixture.name, service);
            set.map_err(|error| error.to_string())?;
        }
        if let Some(rules) = &fixture.rotation {
            let token = format!("rotation-{index:032}");
            let rotate = json!({
                "SecretId": fixture.name,
                "ClientRequestToken": token,
                "RotationRules": rules,
                "RotateImmediately": false,
            });
            call(sandbox, account, region, "RotateSecret", &rotate);
        }
        if fixture.scheduled_for_deletion {
            call(sandbox, account, region, "DeleteSecret", &json!({ "SecretId": fixture.name }));
        }
    }
    sandbox.clear_calls();
    Ok(())
}

/// Reads lines such as `TagResource {"SecretId": "a", …}`.
pub(crate) fn parse_calls(body: &str) -> Result<Vec<(String, Value)>, String> {
    body.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (operation, body) = line.trim().split_once(' ').ok_or("a call reads `Operation {json}`")?;
            Ok((operation.to_owned(), serde_json::from_str(body).map_err(|error| error.to_string())?))
        })
        .collect()
}

/// What is live now, as YAML; policies as JSON on one line.
pub(crate) fn dump(sandbox: &Sandbox, account: &str, region: &str) -> String {
    let secrets = sandbox.dump(account, region);
    if secrets.is_empty() {
        return "[]\n".to_owned();
    }
    let values: Vec<Value> = secrets
        .iter()
        .map(|secret| {
            let mut value = serde_json::to_value(secret).expect("a dump is JSON");
            let object = value.as_object_mut().expect("a dump is an object");
            // Only what says something.
            object.retain(|_, member| {
                !member.is_null() && *member != json!({}) && *member != json!(false) && *member != json!(0)
            });
            if let Some(policy) = object.get_mut("policy") {
                *policy = policy.to_string().into();
            }
            value
        })
        .collect();
    serde_yaml::to_string(&values).expect("JSON is YAML")
}

/// Calls as lines: `CreateSecret a/b`, with the error when they failed.
pub(crate) fn tell_calls<'a>(calls: impl Iterator<Item = &'a Call>) -> String {
    calls
        .map(|call| {
            let secret = call.secret.as_deref().unwrap_or_default();
            let outcome = match &call.outcome {
                keywright::sandbox::Outcome::Error(code) => format!("  {code}"),
                _ => String::new(),
            };
            format!("{} {secret}{outcome}\n", call.operation)
        })
        .collect()
}
