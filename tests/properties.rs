//! Properties of the whole pipeline, over generated projects and generated live states: manifests through planning and
//! applying to an empty plan, against the embedded sandbox.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::fmt::Write as _;

use keywright::exit_code::ExitCode;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";
const OWNER: &str = "shop/dev";

/// Names in scope; the last two are outside.
const NAMES: [&str; 8] =
    ["dev/shop/a", "dev/shop/b", "dev/shop/c", "dev/shop/d", "dev/shop/e", "dev/shop/f", "dev/other", "x"];
const IN_SCOPE: usize = 6;

fn policy(role: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Readers", "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/{role}") },
        "Action": ["secretsmanager:GetSecretValue"], "Resource": "*" }] })
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just("First words".to_owned()), Just("Other words, ünïcode".to_owned()), "[a-zA-Z0-9 .,:/-]{0,20}"]
}

fn keys() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop_oneof![
        Just("alias/a".to_owned()),
        Just("alias/aws/secretsmanager".to_owned()),
        Just(format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/a"))
    ])
}

fn tags() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("(team|tier|cost-centre)", "[a-z]{0,3}", 0..3)
        .prop_map(|tags| tags.into_iter().map(|(key, value)| (key, Value::from(value))).collect())
}

/// A field that is left out, written as null, or written.
fn field(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(Value::Null)), 3 => value.prop_map(Some)]
}

/// One manifest's wish for the `index`-th name.
fn wish(index: usize) -> impl Strategy<Value = Value> {
    let value =
        proptest::option::of((proptest::sample::select(vec!["one", "two"]), proptest::option::of(Just("seed"))));
    let spec = (
        field(texts().prop_map(Value::from)),
        field(keys().prop_map(|key| key.map_or(Value::Null, Value::from))),
        proptest::option::of(tags()),
        any::<bool>(),
        field(prop_oneof![Just(policy("one")), Just(policy("two"))]),
        value,
    );
    (spec, any::<bool>(), proptest::bool::weighted(0.2), proptest::collection::vec(0..index.max(1), 0..2)).prop_map(
        move |((description, key, tags, additive, policy, value), protect, absent, needs)| {
            let mut spec = Map::new();
            let mut put = |key: &str, value: Option<Value>| {
                if let Some(value) = value {
                    spec.insert(key.to_owned(), value);
                }
            };
            put("description", description);
            put("kmsKeyId", key);
            if let Some(mut tags) = tags {
                // The project ignores these, and a tag that is both set and ignored is a mistake.
                tags.remove("cost-centre");
                put("tags", Some(tags.into()));
                put("tagMode", additive.then(|| "additive".into()));
            }
            put("policy", policy);
            if let Some((text, ownership)) = value {
                let mut value = json!({ "text": text });
                if let Some(ownership) = ownership {
                    value["ownership"] = ownership.into();
                } else if text == "one" {
                    // A label of our own on git's version.
                    put("labels", Some(json!({ "STABLE": "git" })));
                }
                put("value", Some(value));
            }
            let mut metadata = json!({ "name": NAMES[index] });
            if absent {
                metadata["state"] = "absent".into();
            } else if protect {
                metadata["protect"] = true.into();
            }
            if !absent && index > 0 && !needs.is_empty() {
                metadata["dependsOn"] = needs.into_iter().map(|need| NAMES[need]).collect();
            }
            json!({ "apiVersion": "keywright/v1", "kind": "Secret", "metadata": metadata, "spec": spec })
        },
    )
}

/// Manifests for some of the names in scope, in any order. Dependencies on what is not there, or is absent, are dropped.
fn wishes() -> impl Strategy<Value = Vec<Value>> {
    let each: Vec<_> = (0..IN_SCOPE).map(|index| proptest::option::weighted(0.7, wish(index))).collect();
    each.prop_map(|wishes| {
        let mut wishes: Vec<Value> = wishes.into_iter().flatten().collect();
        let present: Vec<Value> = wishes
            .iter()
            .filter(|wish| wish["metadata"].get("state").is_none())
            .map(|wish| wish["metadata"]["name"].clone())
            .collect();
        for wish in &mut wishes {
            if let Some(needs) = wish["metadata"].get_mut("dependsOn").and_then(Value::as_array_mut) {
                needs.retain(|need| present.contains(need));
                needs.dedup();
            }
        }
        wishes
    })
    .prop_shuffle()
}

#[derive(Clone, Debug)]
struct LiveSecret {
    index: usize,
    create: Value,
    policy: Option<Value>,
    scheduled: bool,
}

/// No value, one that somebody made, or one that git may hold too.
fn live_value() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(prop_oneof![Just("planted"), Just("one")])
}

fn live_secret(index: usize, foreign: bool) -> impl Strategy<Value = LiveSecret> {
    let owners =
        if foreign { vec![None, Some(OWNER), Some("billing/dev")] } else { vec![None, Some(OWNER), Some(OWNER)] };
    (
        (texts(), keys(), tags(), proptest::sample::select(owners), any::<bool>(), live_value()),
        proptest::option::of(prop_oneof![Just(policy("one")), Just(policy("three"))]),
        proptest::bool::weighted(0.2),
    )
        .prop_map(move |((description, key, tags, owner, protected, value), policy, scheduled)| {
            let mut tags = tags;
            if let Some(owner) = owner {
                tags.insert("keywright:project".to_owned(), owner.into());
                if protected {
                    tags.insert("keywright:protect".to_owned(), "true".into());
                }
            }
            let tags: Vec<_> = tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
            let mut create = json!({ "Name": NAMES[index], "Description": description, "Tags": tags,
                "ClientRequestToken": format!("live-{index:032}") });
            if let Some(key) = key {
                create["KmsKeyId"] = key.into();
            }
            if let Some(value) = value {
                create["SecretString"] = value.into();
            }
            LiveSecret { index, create, policy, scheduled }
        })
}

fn live(foreign: bool) -> impl Strategy<Value = Vec<LiveSecret>> {
    let each: Vec<_> = (0..NAMES.len())
        .map(|index| proptest::option::weighted(0.6, live_secret(index, foreign && index < IN_SCOPE)))
        .collect();
    each.prop_map(|secrets| secrets.into_iter().flatten().collect())
}

/// A project folder and a sandbox, as generated.
fn stage(wishes: &[Value], live: &[LiveSecret], prune: &str) -> (tempfile::TempDir, keywright::sandbox::Sandbox) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = format!(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  targets:\n    - {{ name: dev, account: \
         \"{ACCOUNT}\", region: {REGION} }}\n  scope: {{ namePrefixes: [dev/shop/] }}\n  prune: {prune}\n  ignoreTags: [\"cost-*\"]\n"
    );
    let documents = wishes.iter().fold(String::new(), |mut text, wish| {
        let _ = write!(text, "---\n{}", serde_yaml::to_string(wish).expect("JSON is YAML"));
        text
    });
    support::write_files(folder.path(), [("keywright.yaml", project.as_str()), ("secrets.yaml", documents.as_str())]);

    let sandbox = support::sandbox();
    for secret in live {
        support::call(&sandbox, ACCOUNT, REGION, "CreateSecret", &secret.create);
        let name = NAMES[secret.index];
        if let Some(policy) = &secret.policy {
            let put = json!({ "SecretId": name, "ResourcePolicy": policy.to_string() });
            support::call(&sandbox, ACCOUNT, REGION, "PutResourcePolicy", &put);
        }
        if secret.scheduled {
            support::call(&sandbox, ACCOUNT, REGION, "DeleteSecret", &json!({ "SecretId": name }));
        }
    }
    sandbox.clear_calls();
    (folder, sandbox)
}

const APPLY: [&str; 11] = [
    "apply",
    "--yes",
    "--sandbox",
    "--allow-protected",
    "--allow-empty",
    "--allow-delete-unowned",
    "--allow-replace-values",
    "--max-deletes",
    "99",
    "--max-changes-percent",
    "100",
];

fn run(sandbox: &keywright::sandbox::Sandbox, folder: &tempfile::TempDir, args: &[&str]) -> support::Run {
    let folder = folder.path().to_string_lossy();
    let args: Vec<&str> = args.iter().copied().chain(["--project", &folder]).collect();
    support::keywright(sandbox, &args, None)
}

fn prune() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["report", "delete", "release"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn apply_then_plan_is_empty(wishes in wishes(), live in live(false), prune in prune()) {
        let (folder, sandbox) = stage(&wishes, &live, prune);
        let applied = run(&sandbox, &folder, &APPLY);
        prop_assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
        sandbox.clear_calls();
        let planned = run(&sandbox, &folder, &["plan", "--sandbox", "--detailed-exitcode"]);
        prop_assert_eq!(planned.code, ExitCode::Success, "{}{}", planned.out, planned.err);
        let again = run(&sandbox, &folder, &APPLY);
        prop_assert_eq!(again.code, ExitCode::Success);
        prop_assert!(!sandbox.calls().iter().any(support::is_write), "an apply with nothing to do wrote");
    }

    #[test]
    fn nothing_outside_the_scope_and_no_undeclared_value_is_ever_touched(wishes in wishes(), live in live(true), prune in prune()) {
        let (folder, sandbox) = stage(&wishes, &live, prune);
        let before = sandbox.dump(ACCOUNT, REGION);
        run(&sandbox, &folder, &APPLY);
        for call in sandbox.calls().iter().filter(|call| support::is_write(call)) {
            let name = call.secret.as_deref().unwrap_or_default();
            prop_assert!(name.starts_with("dev/shop/"), "{call:?}");
            let foreign = before.iter().any(|secret| secret.name == name
                && secret.tags.get("keywright:project").is_some_and(|owner| owner != OWNER));
            prop_assert!(!foreign, "a secret of another project was written to: {call:?}");
        }
        let after = sandbox.dump(ACCOUNT, REGION);
        let valued: Vec<&str> = wishes
            .iter()
            .filter(|wish| wish["spec"].get("value").is_some())
            .filter_map(|wish| wish["metadata"]["name"].as_str())
            .collect();
        for secret in before.iter().filter(|secret| !valued.contains(&secret.name.as_str())) {
            let same = after.iter().find(|other| other.name == secret.name);
            prop_assert_eq!(same.map(|other| &other.labels), Some(&secret.labels), "a value moved that git does not declare");
        }
    }

    #[test]
    fn planning_never_writes_and_the_order_of_the_manifests_does_not_matter(
        (wishes, shuffled) in wishes().prop_flat_map(|wishes| (Just(wishes.clone()), Just(wishes).prop_shuffle())),
        live in live(true), prune in prune(),
    ) {
        let (folder, sandbox) = stage(&wishes, &live, prune);
        let (other_folder, _) = stage(&shuffled, &[], prune);
        let plan = ["plan", "--sandbox", "--format", "json"];
        let first = run(&sandbox, &folder, &plan);
        let second = run(&sandbox, &other_folder, &plan);
        prop_assert!(!sandbox.calls().iter().any(support::is_write));
        prop_assert_eq!(first.code, second.code);
        prop_assert_eq!(without_origins(&first.out), without_origins(&second.out));
        let third = run(&sandbox, &folder, &plan);
        prop_assert_eq!(first.out, third.out, "the same inputs give the same bytes");
    }
}

/// Lines and columns move when documents do; nothing else may.
fn without_origins(plan: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.remove("origin");
                object.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut plan: Value = serde_json::from_str(plan).unwrap_or_default();
    strip(&mut plan);
    plan
}
