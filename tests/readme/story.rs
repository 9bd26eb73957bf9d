//! What each command and block of the README needs, and what may come of it. A new one has its row here, or the test
//! fails.

use std::fs;

use crate::stage::Stage;

/// What is done with a command.
pub(crate) enum Use {
    /// It is run in this folder, after this has been prepared, and ends with this code.
    Run(&'static str, fn(&Stage), i32),
    /// It is not run, for this reason.
    NotRun(&'static str),
}

use Use::{NotRun, Run};

const PAYMENTS: &str = "examples/payments";
const VALUES: &str = "values";
const SHOP: &str = "shop";
const DISPUTES: &str = "examples/payments/secrets/databases/disputes-mysql.yaml";

/// The commands, in the order of the README.
pub(crate) const COMMANDS: &[(&str, Use)] = &[
    ("cargo run --locked -- apply --sandbox --yes --project examples/payments", Run(".", nothing, 0)),
    ("cargo test --locked", NotRun("this test is a part of it")),
    ("keywright init payments --region eu-west-1", Run("empty", nothing, 0)),
    ("keywright validate", Run(PAYMENTS, mistakes, 1)),
    ("keywright plan --sandbox --target staging", Run(PAYMENTS, change, 0)),
    ("keywright apply --sandbox --target staging --yes", Run(PAYMENTS, change, 0)),
    ("keywright plan --sandbox --out approved.json --format markdown > comment.md", Run(PAYMENTS, another_change, 0)),
    ("keywright apply --sandbox approved.json", Run(PAYMENTS, another_change, 0)),
    ("keywright drift --sandbox --target staging", Run(PAYMENTS, value_by_hand, 2)),
    ("age-keygen -o key.txt", NotRun("it is a program of age")),
    (
        "sops encrypt --age age1… --in-place secrets/db.sops.yaml",
        NotRun("it is a program of its own; tests/interop/test_values.py runs it"),
    ),
    ("keywright plan --sandbox", Run(VALUES, encrypted_anew, 0)),
    ("SOPS_AGE_KEY_FILE=key.txt keywright apply --sandbox --yes", Run(VALUES, nothing, 0)),
    ("keywright sandbox serve --seed fixtures.yaml --port 4566", NotRun("it serves until it is stopped")),
    ("keywright sandbox advance P31D", Run(SHOP, shop, 0)),
    ("keywright apply --sandbox --sandbox-faults faults.json --yes", Run(SHOP, faults, 0)),
];

/// What is done with a block that is no shell.
pub(crate) enum Text {
    /// It is put into a project, and that project has no mistake. Gives the project's folder.
    Manifest(fn(&Stage, &str) -> &'static str),
    /// Another row runs something with it.
    UsedBy(&'static str),
    /// It is not used, for this reason.
    NotUsed(&'static str),
}

/// The other blocks, by their language and the beginning of their text.
pub(crate) const TEXTS: &[(&str, &str, Text)] = &[
    ("yaml", "apiVersion: keywright/v1\nkind: Secret\n", Text::Manifest(secret)),
    ("yaml", "spec:\n  value:", Text::Manifest(value)),
    ("yaml", "rules:\n", Text::Manifest(rules)),
    ("json", "{ \"rules\":", Text::UsedBy("keywright apply --sandbox --sandbox-faults faults.json --yes")),
    (
        "cron",
        "*/15 ",
        Text::NotUsed("cron runs it on a server; that keywright knows its flags is tested with all others"),
    ),
];

fn nothing(_: &Stage) {}

// Five minutes

/// Two mistakes in a manifest.
fn mistakes(stage: &Stage) {
    stage.restore();
    stage.edit(DISPUTES, "engine: mysql, schedule: quarterly }", "engine: mysql, version: 8.40 }");
    stage.edit(DISPUTES, "  policy: null\n", "  polcy: null\n");
}

/// Whoever owns the values that git leaves to people has put them, in every target.
fn values_of_people(stage: &Stage) {
    let plan = stage.run(PAYMENTS, "keywright plan --sandbox --format json").printed.concat();
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
    let targets =
        plan["awaitingValue"].as_array().into_iter().flatten().filter_map(|group| group["secrets"].as_object());
    let file = stage.path("examples/payments/.keywright/sandbox.redb");
    let sandbox = keywright::workflow::open_sandbox(Some(&file), &stage.path(PAYMENTS)).expect("the sandbox");
    for (target, names) in targets.flatten() {
        let account = if target == "staging" { "111111111111" } else { "222222222222" };
        for name in names.as_array().into_iter().flatten() {
            let id = format!("{:0>36}", name.as_str().map_or(0, str::len));
            let body = serde_json::json!({ "SecretId": name, "SecretString": "theirs", "ClientRequestToken": id });
            crate::support::call(&sandbox, account, "eu-west-1", "PutSecretValue", &body);
        }
    }
}

/// A change of a description, a tag and a policy.
fn change(stage: &Stage) {
    stage.restore();
    values_of_people(stage);
    stage.edit(DISPUTES, "the disputes service (", "the disputes API (");
    stage.edit(DISPUTES, "data-class: restricted }", "data-class: confidential }");
    let policy = "examples/payments/secrets/databases/policies/disputes-staging.json";
    stage.edit(policy, "role/developers", "role/on-call-developers");
}

/// The same, and one more.
fn another_change(stage: &Stage) {
    change(stage);
    stage.edit(DISPUTES, "schedule: quarterly }", "schedule: yearly }");
}

/// Somebody put a value at the console: one of a random version id.
fn value_by_hand(stage: &Stage) {
    let body = serde_json::json!({
        "SecretId": "staging/payments/third-party/adyen/api-key",
        "SecretString": "by hand",
        "ClientRequestToken": "237868c9-cf04-4d56-97a9-c9ed8ab38982",
    });
    let file = stage.path("examples/payments/.keywright/sandbox.redb");
    let sandbox = keywright::workflow::open_sandbox(Some(&file), &stage.path(PAYMENTS)).expect("the sandbox");
    crate::support::call(&sandbox, "111111111111", "eu-west-1", "PutSecretValue", &body);
}

/// The README's secret takes the place of the one that the example has under its name.
fn secret(stage: &Stage, text: &str) -> &'static str {
    stage.restore();
    let file = fs::read_to_string(stage.path(DISPUTES)).expect("a manifest");
    let (_, others) = file.split_once("\n---\n").expect("a second secret");
    stage.write(DISPUTES, &format!("{text}---\n{others}"));
    PAYMENTS
}

// Values

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  targets: [{ name: staging, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [staging/] }
";

/// A project whose value comes from a SOPS file, as `sops set` leaves it after `password` was set.
fn value(stage: &Stage, spec: &str) -> &'static str {
    stage.write("values/keywright.yaml", PROJECT);
    let head = "apiVersion: keywright/v1\nkind: Secret\nmetadata:\n  name: staging/db\n";
    stage.write("values/secrets/app.yaml", &format!("{head}{spec}"));
    stage.write("values/secrets/db.sops.yaml", include_str!("db.sops.yaml"));
    VALUES
}

fn encrypted_anew(stage: &Stage) {
    value(stage, &stage.block("yaml", "spec:\n  value:").text());
    stage.write("values/key.txt", include_str!("../fixtures/sops/throwaway-key.txt"));
    let first = stage.run(VALUES, "SOPS_AGE_KEY_FILE=key.txt keywright apply --sandbox --yes");
    assert_eq!(first.code, 0, "{:?}", first.printed);
    stage.write("values/secrets/db.sops.yaml", include_str!("db-set.sops.yaml"));
}

// The sandbox, rules

fn shop(stage: &Stage) {
    stage.write("shop/keywright.yaml", &PROJECT.replace("staging", "dev"));
    let value = "spec: { value: { text: one } }";
    let db = format!("apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: dev/db }}\n{value}\n");
    stage.write("shop/secrets/db.yaml", &db);
    let first = stage.run(SHOP, "keywright apply --sandbox --yes");
    assert_eq!(first.code, 0, "{:?}", first.printed);
}

fn faults(stage: &Stage) {
    stage.write("shop/faults.json", &stage.block("json", "{ \"rules\":").text());
    stage.edit("shop/secrets/db.yaml", "text: one", "text: two");
}

fn rules(stage: &Stage, text: &str) -> &'static str {
    let rules = text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    stage.write("rules/keywright.yaml", &format!("{PROJECT}{rules}"));
    stage.write("rules/secrets/empty.yaml", "");
    "rules"
}
