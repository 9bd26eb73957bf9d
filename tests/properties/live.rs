//! Live states: secrets that somebody made, each as the calls that make it.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::desired::{function, keys, policy, schedules, tags, texts};
use crate::stage::{IN_SCOPE, NAMES, OWNER, REGION, REPLICA_REGIONS, SCOPE};
use keywright::desired::owner_tag::bind;

/// One secret: where it is, and how it came to be.
#[derive(Clone, Debug)]
pub(crate) struct LiveSecret {
    pub(crate) region: &'static str,
    pub(crate) calls: Vec<(&'static str, Value)>,
}

/// The id of the first version of a name.
fn first(index: usize) -> String {
    format!("first-{index:032}")
}

/// The id of the second version of a name.
fn second(index: usize) -> String {
    format!("second-{index:032}")
}

/// A second version: the labels that it is put with, and whether a third is put to make it the previous one.
fn second_version() -> impl Strategy<Value = Option<Vec<&'static str>>> {
    option::weighted(
        0.4,
        select(vec![vec!["AWSCURRENT"], vec!["AWSPENDING"], vec!["BLUE"], vec!["AWSCURRENT", "STABLE"]]),
    )
}

fn rotated() -> impl Strategy<Value = Option<(String, Value, bool)>> {
    option::weighted(0.3, (function(), schedules(), proptest::bool::weighted(0.3)))
}

fn secret(index: usize, foreign: bool) -> impl Strategy<Value = LiveSecret> {
    let owners = if foreign {
        vec![None, Some(OWNER), Some("billing/dev"), Some("copied")]
    } else {
        vec![None, Some(OWNER), Some(OWNER)]
    };
    let described =
        (texts(), keys(), tags(), select(owners), any::<bool>(), option::of(select(vec!["some-partner", "third"])));
    let value = option::of(prop_oneof![Just("planted"), Just("one")]);
    let kept = (value, second_version(), rotated());
    let placed = (
        proptest::bool::weighted(0.2),
        proptest::collection::btree_map(select(REPLICA_REGIONS.to_vec()), option::of(Just("alias/west")), 0..2),
    );
    let policy = option::of(prop_oneof![Just(policy("one")), Just(policy("three"))]);
    (described, kept, policy, placed).prop_map(move |(described, kept, policy, (scheduled, replicas))| {
        let (description, key, mut tags, owner, protected, kind) = described;
        let (value, second_labels, rotation) = kept;
        if let Some(owner) = owner {
            let (owner, name) = if owner == "copied" { (OWNER, "dev/shop/another") } else { (owner, NAMES[index]) };
            tags.insert("keywright:project".to_owned(), bind(owner, name, SCOPE).into());
            if protected {
                tags.insert("keywright:protect".to_owned(), "true".into());
            }
        }
        let name = NAMES[index];
        let tags: Vec<_> = tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let token = first(index);
        let mut create = json!({ "Name": name, "Description": description, "Tags": tags, "ClientRequestToken": token });
        let mut put = |member: &str, value: Option<Value>| {
            if let Some(value) = value {
                create[member] = value;
            }
        };
        put("KmsKeyId", key.map(Value::from));
        put("Type", kind.map(Value::from));
        put("SecretString", value.map(Value::from));
        let mut calls = Vec::new();
        if let Some(policy) = policy {
            calls.push(("PutResourcePolicy", json!({ "SecretId": name, "ResourcePolicy": policy.to_string() })));
        }
        if value.is_some() {
            // A rotation that is set up tests the function, which must not meet an AWSPENDING of somebody else's.
            if let Some((function, schedule, cancelled)) = rotation {
                let rules = [
                    ("AutomaticallyAfterDays", &schedule["everyDays"]),
                    ("ScheduleExpression", &schedule["schedule"]),
                    ("Duration", &schedule["duration"]),
                ];
                let rules = rules.into_iter().filter(|(_, value)| !value.is_null());
                let rules: serde_json::Map<_, _> = rules.map(|(key, value)| (key.to_owned(), value.clone())).collect();
                let rotate = json!({
                    "SecretId": name, "RotationLambdaARN": function, "RotationRules": rules,
                    "RotateImmediately": false, "ClientRequestToken": format!("rotate-{index:032}"),
                });
                calls.push(("RotateSecret", rotate));
                if cancelled {
                    calls.push(("CancelRotateSecret", json!({ "SecretId": name })));
                }
            }
            if let Some(labels) = second_labels {
                let put = json!({
                    "SecretId": name, "SecretString": "second", "VersionStages": labels,
                    "ClientRequestToken": second(index),
                });
                calls.push(("PutSecretValue", put));
            }
        }
        // A secret with replicas cannot be deleted.
        if scheduled {
            calls.push(("DeleteSecret", json!({ "SecretId": name })));
        } else if !replicas.is_empty() {
            let replica = |(region, key): (_, Option<_>)| match key {
                None => json!({ "Region": region }),
                Some(key) => json!({ "Region": region, "KmsKeyId": key }),
            };
            let regions: Vec<Value> = replicas.into_iter().map(replica).collect();
            calls.push(("ReplicateSecretToRegions", json!({ "SecretId": name, "AddReplicaRegions": regions })));
        }
        calls.insert(0, ("CreateSecret", create));
        LiveSecret { region: REGION, calls }
    })
}

/// A secret of the same name in a region that replicas may be wanted in: unowned, or left by this target.
fn in_the_way(index: usize) -> impl Strategy<Value = LiveSecret> {
    (select(REPLICA_REGIONS.to_vec()), any::<bool>()).prop_map(move |(region, owned)| {
        let owner = json!({ "Key": "keywright:project", "Value": bind(OWNER, NAMES[index], SCOPE) });
        let tags = if owned { json!([owner]) } else { json!([]) };
        let create = json!({
            "Name": NAMES[index], "SecretString": "in the way", "Tags": tags, "ClientRequestToken": first(index),
        });
        LiveSecret { region, calls: vec![("CreateSecret", create)] }
    })
}

/// What is live; with `foreign`, some of it belongs to another project.
pub(crate) fn live(foreign: bool) -> impl Strategy<Value = Vec<LiveSecret>> {
    let here: Vec<_> =
        (0..NAMES.len()).map(|index| option::weighted(0.6, secret(index, foreign && index < IN_SCOPE))).collect();
    // What stands in the way comes first where there is no secret here, so that a replica never fails before the
    // scenario begins.
    let there: Vec<_> = (0..IN_SCOPE).map(|index| option::weighted(0.1, in_the_way(index))).collect();
    (here, there).prop_map(|(here, there)| {
        let free: Vec<LiveSecret> = there
            .into_iter()
            .enumerate()
            .filter(|(index, _)| here[*index].is_none())
            .filter_map(|(_, secret)| secret)
            .collect();
        here.into_iter().flatten().chain(free).collect()
    })
}
