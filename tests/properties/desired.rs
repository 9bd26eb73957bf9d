//! DesiredSecrets: a manifest for some of the names in scope, with every field that a manifest can have.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::stage::{ACCOUNT, IN_SCOPE, NAMES, REGION, REPLICA_REGIONS};

/// One manifest.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) index: usize,
    pub(crate) absent: bool,
    protect: bool,
    /// What it depends on, by the place of the name; always an earlier one.
    pub(crate) needs: Vec<usize>,
    /// Whether the description holds the ARNs of what it depends on, or `dependsOn` names them.
    by_arn: bool,
    pub(crate) spec: Map<String, Value>,
}

impl Desired {
    pub(crate) fn name(&self) -> &'static str {
        NAMES[self.index]
    }

    pub(crate) fn document(&self) -> Value {
        let mut metadata = json!({ "name": self.name() });
        let mut spec = self.spec.clone();
        if self.absent {
            metadata["state"] = "absent".into();
        } else if self.protect {
            metadata["protect"] = true.into();
        }
        let needs = self.needs.iter().map(|need| NAMES[*need]);
        if self.by_arn && !self.needs.is_empty() {
            let arns: Vec<String> = needs.map(|name| format!("${{secret:{name}:arn}}")).collect();
            spec.insert("description".to_owned(), format!("with {}", arns.join(" and ")).into());
        } else if !self.needs.is_empty() {
            metadata["dependsOn"] = needs.collect();
        }
        json!({ "apiVersion": "keywright/v1", "kind": "Secret", "metadata": metadata, "spec": spec })
    }
}

pub(crate) fn policy(role: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Readers", "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/{role}") },
        "Action": ["secretsmanager:GetSecretValue"], "Resource": "*" }] })
}

pub(crate) fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just("First words".to_owned()), Just("Other words, ünïcode".to_owned()), "[a-zA-Z0-9 .,:/-]{0,20}"]
}

pub(crate) fn keys() -> impl Strategy<Value = Option<String>> {
    option::of(prop_oneof![
        Just("alias/a".to_owned()),
        Just("alias/aws/secretsmanager".to_owned()),
        Just(format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/a"))
    ])
}

pub(crate) fn tags() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("(team|tier|cost-centre)", "[a-z]{0,3}", 0..3)
        .prop_map(|tags| tags.into_iter().map(|(key, value)| (key, Value::from(value))).collect())
}

pub(crate) fn function() -> impl Strategy<Value = String> {
    select(vec!["rotate", "renew"]).prop_map(|name| format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
}

/// When a secret rotates, with the names of a manifest.
pub(crate) fn schedules() -> impl Strategy<Value = Value> {
    select(vec![
        json!({ "everyDays": 30 }),
        json!({ "everyDays": 7, "duration": "2h" }),
        json!({ "schedule": "rate(30 days)" }),
        json!({ "schedule": "rate(10 hours)" }),
        json!({ "schedule": "cron(0 16 1,15 * ? *)", "duration": "3h" }),
    ])
}

fn rotation() -> impl Strategy<Value = Value> {
    (function(), schedules(), proptest::bool::weighted(0.3)).prop_map(|(function, mut rotation, immediately)| {
        rotation["lambdaArn"] = function.into();
        if immediately {
            rotation["rotateImmediately"] = true.into();
        }
        rotation
    })
}

fn replicas() -> impl Strategy<Value = Value> {
    let each: Vec<_> = REPLICA_REGIONS
        .iter()
        .map(|region| {
            option::of(option::of(select(vec!["alias/west", "alias/aws/secretsmanager"])))
                .prop_map(move |key| (*region, key))
        })
        .collect();
    each.prop_map(|regions| {
        let wanted = regions.into_iter().filter_map(|(region, key)| Some((region, key?)));
        wanted
            .map(|(region, key)| match key {
                // A secret may stand there already.
                Some(key) => json!({ "region": region, "kmsKeyId": key, "overwrite": true }),
                None => json!({ "region": region, "overwrite": true }),
            })
            .collect()
    })
}

fn value() -> impl Strategy<Value = Value> {
    let source = prop_oneof![
        3 => select(vec!["one", "two"]).prop_map(|text| json!({ "text": text })),
        1 => Just(json!({ "generate": { "length": 20 } })),
        1 => Just(json!({ "json": { "user": { "text": "app" }, "password": { "generate": { "length": 12 } } } })),
    ];
    (source, option::weighted(0.3, Just("seed"))).prop_map(|(mut value, ownership)| {
        if let Some(ownership) = ownership {
            value["ownership"] = ownership.into();
        }
        value
    })
}

/// A field that is left out, written as null, or written.
fn field(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(Value::Null)), 3 => value.prop_map(Some)]
}

/// One manifest's desired for the `index`-th name.
fn desired(index: usize) -> impl Strategy<Value = Desired> {
    let described = (
        field(texts().prop_map(Value::from)),
        field(keys().prop_map(|key| key.map_or(Value::Null, Value::from))),
        option::of(tags()),
        any::<bool>(),
        field(prop_oneof![Just(policy("one")), Just(policy("two"))]),
        option::weighted(0.2, select(vec!["some-partner", "other-partner"])),
    );
    let kept = (option::weighted(0.6, value()), field(rotation()), field(replicas()), any::<bool>());
    let placed = (any::<bool>(), proptest::bool::weighted(0.15), any::<bool>());
    let needs = proptest::collection::btree_set(0..index.max(1), 0..=index.min(2));
    (described, kept, placed, needs).prop_map(
        move |(
            (description, key, tags, additive, policy, kind),
            (value, rotation, replicas, label),
            (protect, absent, by_arn),
            needs,
        )| {
            let mut spec = Map::new();
            let mut put = |key: &str, value: Option<Value>| {
                if let Some(value) = value {
                    spec.insert(key.to_owned(), value);
                }
            };
            put("description", description);
            put("kmsKeyId", key);
            put("type", kind.map(Value::from));
            if let Some(mut tags) = tags {
                // The project ignores these, and a tag that is both set and ignored is a mistake.
                tags.remove("cost-centre");
                put("tags", Some(tags.into()));
                put("tagMode", additive.then(|| "additive".into()));
            }
            put("policy", policy);
            put("labels", (label && value.is_some()).then(|| json!({ "STABLE": "git" })));
            put("value", value);
            put("rotation", rotation);
            put("replicas", replicas);
            let needs = if absent || index == 0 { Vec::new() } else { needs.into_iter().collect() };
            Desired { index, absent, protect, needs, by_arn, spec }
        },
    )
}

/// Manifests for some of the names in scope, in any order. Dependencies on what is not there, or is absent, are
/// dropped.
pub(crate) fn desired_secrets() -> impl Strategy<Value = Vec<Desired>> {
    let each: Vec<_> = (0..IN_SCOPE).map(|index| option::weighted(0.7, desired(index))).collect();
    each.prop_map(|desired_secrets| {
        let mut desired_secrets: Vec<Desired> = desired_secrets.into_iter().flatten().collect();
        let present: Vec<usize> =
            desired_secrets.iter().filter(|desired| !desired.absent).map(|desired| desired.index).collect();
        for desired in &mut desired_secrets {
            desired.needs.retain(|need| present.contains(need));
        }
        desired_secrets
    })
    .prop_shuffle()
}
