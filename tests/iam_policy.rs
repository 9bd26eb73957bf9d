//! The policy that `iam-policy` prints, on a sandbox that enforces it: everything that plan and apply do is allowed,
//! and without any single action some command of the scenario below is refused.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use keywright::sandbox::{Outcome, Sandbox};
use serde_json::{Value, json};
use support::{Run, keywright, write_files};

const PROJECT: &str = include_str!("fixtures/iam-policy/keywright.yaml");

/// Every kind of value, policy, rotation, replica, label and removal. `DESCRIPTION`, `TEXT`, `TAGS`, `ACTION`, `EVERY`
/// and `REPLICAS` change in the course of the scenario.
const SECRETS: &str = include_str!("fixtures/iam-policy/secrets.yaml");

/// What is live before.
const LIVE: &str = include_str!("fixtures/iam-policy/live.yaml");

/// The manifests at one moment of the scenario.
fn manifests(changed: bool) -> String {
    let parts = if changed {
        [
            ("DESCRIPTION", "Another"),
            ("TEXT", "two"),
            ("TAGS", "{ team: b }"),
            ("ACTION", "secretsmanager:DescribeSecret"),
            ("EVERY", "10"),
            ("REPLICAS", "[{ region: us-west-2, kmsKeyId: alias/shop }]"),
        ]
    } else {
        [
            ("DESCRIPTION", "First"),
            ("TEXT", "one"),
            ("TAGS", "{ team: a, gone: soon }"),
            ("ACTION", "secretsmanager:GetSecretValue"),
            ("EVERY", "30"),
            ("REPLICAS", "[{ region: us-east-2, overwrite: true }, { region: us-west-2, kmsKeyId: alias/shop }]"),
        ]
    };
    parts.iter().fold(SECRETS.to_owned(), |text, (mark, with)| text.replace(mark, with))
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = manifests(false);
    let files = [("keywright.yaml", PROJECT), ("secrets/all.yaml", text.as_str()), ("plain.txt", "not a secret")];
    write_files(folder.path(), files);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/payments");
    for (from, to) in [("values/staging.sops.yaml", "values.sops.yaml"), ("sandbox-age-key.txt", "sandbox-age-key.txt")]
    {
        std::fs::copy(example.join(from), folder.path().join(to)).expect("the example's file");
    }
    folder
}

fn live() -> Sandbox {
    let sandbox = support::sandbox();
    sandbox.make_fixtures(LIVE).expect("what is live before");
    sandbox
}

const PLAN: &[&str] = &["plan", "--sandbox", "--read-values", "--allow-env", "PATH"];

const APPLY: &[&str] = &[
    "apply",
    "--sandbox",
    "--yes",
    "--read-values",
    "--allow-env",
    "PATH",
    "--concurrency",
    "1",
    "--allow-lose-value",
    "--allow-overwrite-replicas",
    "--allow-remove-replicas",
    "--allow-replace-values",
    "--max-changes-percent",
    "100",
];

fn run(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> Run {
    let folder = folder.to_string_lossy();
    keywright(sandbox, &[args, &["--project", &folder]].concat(), None)
}

/// The printed policy.
fn policy(folder: &Path, args: &[&str]) -> Value {
    let printed = run(&support::sandbox(), folder, &[&["iam-policy"], args].concat());
    assert_eq!(printed.code.code(), 0, "{}", printed.err);
    serde_json::from_str(&printed.out).expect("standard output is one policy")
}

/// Plans, applies, changes everything that can change, and changes it back. Every run with its name.
fn scenario(policy: Option<&Value>) -> Vec<(&'static str, Run)> {
    let (folder, sandbox) = (project(), live());
    if let Some(policy) = policy {
        sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
    }
    let write = |text: &str| write_files(folder.path(), [("secrets/all.yaml", text)]);
    let mut runs = Vec::new();
    let mut go = |name, args| runs.push((name, run(&sandbox, folder.path(), args)));
    go("plan", PLAN);
    go("apply", APPLY);
    write(&manifests(true));
    go("apply changes", APPLY);
    write(&manifests(false).replace(", overwrite: true", ""));
    go("apply them back", APPLY);
    go("plan again", &[PLAN, &["--detailed-exitcode"]].concat());
    runs
}

/// Every action of a policy with the number of its statement.
fn actions(policy: &Value) -> Vec<(usize, String)> {
    let statements = policy["Statement"].as_array().expect("statements");
    let of = |statement: &Value| match &statement["Action"] {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>(),
        one => vec![one.as_str().expect("an action").to_owned()],
    };
    statements
        .iter()
        .enumerate()
        .flat_map(|(index, it)| of(it).into_iter().map(move |action| (index, action)))
        .collect()
}

fn action_names(policy: &Value) -> BTreeSet<String> {
    actions(policy).into_iter().map(|(_, action)| action).collect()
}

/// The policy without one action of one statement.
fn without(policy: &Value, statement: usize, action: &str) -> Value {
    let mut policy = policy.clone();
    let left: Vec<String> = actions(&policy)
        .into_iter()
        .filter(|(index, other)| *index == statement && other != action)
        .map(|(_, other)| other)
        .collect();
    let statements = policy["Statement"].as_array_mut().expect("statements");
    if left.is_empty() {
        statements.remove(statement);
    } else {
        statements[statement]["Action"] = json!(left);
    }
    policy
}

fn statement<'a>(policy: &'a Value, sid: &str) -> &'a Value {
    let statements = policy["Statement"].as_array().expect("statements");
    statements.iter().find(|statement| statement["Sid"] == sid).unwrap_or(&Value::Null)
}

#[test]
fn the_policy_for_apply_allows_all_of_it() {
    let folder = project();
    let apply = policy(folder.path(), &["--for", "apply", "--read-values"]);
    for (name, run) in scenario(Some(&apply)) {
        assert_eq!(run.code.code(), 0, "{name}:\n{}{}", run.out, run.err);
        assert!(!run.err.contains("not authorized") && !run.out.contains("not authorized"), "{name}: {}", run.err);
    }
}

#[test]
fn without_any_action_something_is_refused() {
    let folder = project();
    let apply = policy(folder.path(), &["--for", "apply", "--read-values"]);
    let mut useless = Vec::new();
    let mut silent = Vec::new();
    for (index, action) in actions(&apply).into_iter().filter(|(_, action)| action.starts_with("secretsmanager:")) {
        let runs = scenario(Some(&without(&apply, index, &action)));
        let refusal = format!("not authorized to perform: {action} ");
        let refused = runs.iter().any(|(_, run)| run.err.contains(&refusal) || run.out.contains(&refusal));
        let sid = apply["Statement"][index]["Sid"].as_str().unwrap_or_default();
        if !refused {
            useless.push(format!("{action} of {sid}"));
        } else if runs.iter().all(|(_, run)| run.code.code() == 0) {
            silent.push(action);
        }
    }
    assert!(useless.is_empty(), "nothing in the scenario needs: {useless:?}");
    // A policy that cannot be validated is put all the same, and a value that cannot be compared counts as unknown:
    // both are told, and neither fails a run.
    let reported_only = ["secretsmanager:GetSecretValue", "secretsmanager:ValidateResourcePolicy"];
    assert!(silent.iter().all(|action| reported_only.contains(&action.as_str())), "{silent:?}");
}

#[test]
fn the_policy_for_plan_allows_no_change() {
    let (folder, sandbox) = (project(), live());
    let plan = policy(folder.path(), &["--for", "plan", "--read-values"]);
    sandbox.enforce_policy(&plan.to_string()).expect("a policy that the sandbox evaluates");
    let planned = run(&sandbox, folder.path(), PLAN);
    assert_eq!(planned.code.code(), 0, "{}", planned.err);
    let applied = run(&sandbox, folder.path(), APPLY);
    assert_ne!(applied.code.code(), 0);
    assert!(applied.err.contains("not authorized to perform: secretsmanager:CreateSecret"), "{}", applied.err);
    let written = sandbox.calls().into_iter().filter(|call| support::is_write(call) && call.outcome == Outcome::Ok);
    assert_eq!(written.map(|call| call.operation).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(
        policy(folder.path(), &["--for", "drift", "--read-values"]),
        plan,
        "a drift report reads what a plan does"
    );
}

#[test]
fn a_plan_may_validate_policies_when_it_is_told_so() {
    let (folder, sandbox) = (project(), live());
    assert_eq!(run(&sandbox, folder.path(), APPLY).code.code(), 0);
    write_files(folder.path(), [("secrets/all.yaml", manifests(true).as_str())]);
    let plan = policy(folder.path(), &["--for", "plan", "--validate-policies"]);
    let validated = |policy: &Value| {
        sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
        let planned = run(&sandbox, folder.path(), &["plan", "--sandbox", "--validate-policies"]);
        assert_eq!(planned.code.code(), 0, "{}", planned.err);
        !planned.out.contains("not authorized")
    };
    assert!(validated(&plan));
    for (index, action) in actions(&plan).into_iter().filter(|(_, action)| action.ends_with("ResourcePolicy")) {
        if !action.ends_with(":GetResourcePolicy") {
            assert!(!validated(&without(&plan, index, &action)), "{action}");
        }
    }
}

const DRIFT: &[&str] = &["drift", "--sandbox", "--audit", "--read-values", "--allow-env", "PATH", "--who"];

#[test]
fn the_policy_for_drift_allows_the_report_and_nothing_less_does() {
    let folder = project();
    let drift = policy(folder.path(), &["--for", "drift", "--audit", "--read-values", "--who"]);
    // The live secrets differ from the manifests as they are, and differ more once they were applied and changed.
    let look = |policy: &Value| {
        let sandbox = live();
        let mut runs = Vec::new();
        for manifests in [manifests(false), manifests(true)] {
            write_files(folder.path(), [("secrets/all.yaml", manifests.as_str())]);
            sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
            runs.push(run(&sandbox, folder.path(), DRIFT));
            sandbox.clear_policy();
            assert_eq!(run(&sandbox, folder.path(), APPLY).code.code(), 0);
        }
        runs
    };
    for run in look(&drift) {
        assert_eq!(run.code.code(), 2, "{}", run.err);
        assert!(!run.err.contains("not authorized") && !run.out.contains("not authorized"), "{}{}", run.out, run.err);
    }
    let of_services = |action: &str| action.starts_with("secretsmanager:") || action.starts_with("cloudtrail:");
    for (index, action) in actions(&drift).into_iter().filter(|(_, action)| of_services(action)) {
        let refusal = format!("not authorized to perform: {action} ");
        let runs = look(&without(&drift, index, &action));
        let refused = runs.iter().any(|run| run.err.contains(&refusal) || run.out.contains(&refusal));
        assert!(refused, "nothing in the report needs {action}: {}", runs[1].out);
    }
}

#[test]
fn the_policy_for_an_inventory_allows_it_and_nothing_less_does() {
    let folder = project();
    for more in [vec!["--audit", "--who"], vec!["--audit", "--who", "--all"]] {
        let inventory = policy(folder.path(), &[&["--for", "inventory"], more.as_slice()].concat());
        let look = |policy: &Value| {
            let sandbox = live();
            assert_eq!(run(&sandbox, folder.path(), APPLY).code.code(), 0);
            sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
            run(&sandbox, folder.path(), &[&["inventory", "--sandbox", "--full"], more.as_slice()].concat())
        };
        let seen = look(&inventory);
        assert_eq!(seen.code.code(), 0, "{}", seen.err);
        assert!(
            !seen.err.contains("not authorized") && !seen.out.contains("not authorized"),
            "{}{}",
            seen.out,
            seen.err
        );
        for (index, action) in actions(&inventory) {
            let refusal = format!("not authorized to perform: {action} ");
            let seen = look(&without(&inventory, index, &action));
            let refused = seen.err.contains(&refusal) || seen.out.contains(&refusal);
            assert!(refused, "nothing in the inventory needs {action}: {}{}", seen.out, seen.err);
        }
    }
}

/// A raw call, answered with its error code, or none.
fn refused(sandbox: &Sandbox, region: &str, operation: &str, body: &Value) -> Option<String> {
    let credential = format!("111111111111/20260101/{region}/secretsmanager/aws4_request");
    let request = http::Request::post("http://secretsmanager.example/")
        .header("x-amz-target", format!("secretsmanager.{operation}"))
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"))
        .body(bytes::Bytes::from(body.to_string()))
        .expect("a request");
    let response = sandbox.respond(&request);
    let error: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    error["__type"].as_str().map(str::to_owned)
}

#[test]
fn nothing_outside_the_scope_is_allowed() {
    let (folder, sandbox) = (project(), live());
    let apply = policy(folder.path(), &["--for", "apply", "--read-values"]);
    sandbox.enforce_policy(&apply.to_string()).expect("a policy that the sandbox evaluates");
    let denied = Some("AccessDeniedException".to_owned());
    let mut asked = 0;
    for action in action_names(&apply) {
        let Some(operation) = action.strip_prefix("secretsmanager:") else { continue };
        if ["ListSecrets", "GetRandomPassword", "BatchGetSecretValue"].contains(&operation) {
            continue;
        }
        // Outside the prefix, and inside it in a region where only replicas are made.
        for (region, name) in [("eu-west-1", "dev/other/db"), ("eu-north-1", "dev/shop/orphan")] {
            let owner = keywright::desired::owner_tag::bind("shop/dev", name, "dev/shop/");
            let tags = json!([{ "Key": "keywright:project", "Value": owner }]);
            // What the conditions look at, where the operation takes it: another member is refused before that.
            let body = match operation {
                "CreateSecret" => json!({ "Name": name, "Tags": tags }),
                "TagResource" => json!({ "SecretId": name, "Tags": tags }),
                "DeleteSecret" => json!({ "SecretId": name, "RecoveryWindowInDays": 30 }),
                _ => json!({ "SecretId": name }),
            };
            assert_eq!(refused(&sandbox, region, operation, &body), denied, "{operation} of {name} in {region}");
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
}

#[test]
fn conditions_keep_to_the_projects_own_secrets() {
    let (folder, sandbox) = (project(), live());
    let apply = policy(folder.path(), &["--for", "apply", "--read-values"]);
    sandbox.enforce_policy(&apply.to_string()).expect("a policy that the sandbox evaluates");
    let denied = Some("AccessDeniedException".to_owned());
    let tag = |owner: &str| json!([{ "Key": "keywright:project", "Value": owner }]);
    let token = "0".repeat(32);
    let of = |id: &str, members: Value| {
        let mut body = json!({ "SecretId": id });
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        body
    };
    let denials = [
        // What another project owns.
        ("DeleteSecret", of("dev/shop/foreign", json!({ "RecoveryWindowInDays": 30 }))),
        ("PutSecretValue", of("dev/shop/foreign", json!({ "SecretString": "x", "ClientRequestToken": token }))),
        ("UpdateSecret", of("dev/shop/foreign", json!({ "Description": "x", "ClientRequestToken": token }))),
        ("TagResource", of("dev/shop/foreign", json!({ "Tags": tag("shop/dev:0123456789ab") }))),
        ("RotateSecret", of("dev/shop/foreign", json!({}))),
        // What nobody owns is not deleted.
        ("DeleteSecret", of("dev/shop/adopted", json!({ "RecoveryWindowInDays": 30 }))),
        // Too soon, and at once.
        ("DeleteSecret", of("dev/shop/env", json!({}))),
        ("DeleteSecret", of("dev/shop/env", json!({ "ForceDeleteWithoutRecovery": true }))),
        // In another project's name, or in none.
        (
            "CreateSecret",
            json!({ "Name": "dev/shop/new", "ClientRequestToken": token, "Tags": tag("till/dev:0123456789ab") }),
        ),
        ("CreateSecret", json!({ "Name": "dev/shop/new", "ClientRequestToken": token })),
        ("TagResource", of("dev/shop/env", json!({ "Tags": tag("till/dev:0123456789ab") }))),
        // Another function, at once, to another region, and public.
        (
            "RotateSecret",
            of("dev/shop/env", json!({ "RotationLambdaARN": "arn:aws:lambda:eu-west-1:111111111111:function:mine" })),
        ),
        ("RotateSecret", of("dev/shop/env", json!({ "RotateImmediately": true }))),
        ("ReplicateSecretToRegions", of("dev/shop/env", json!({ "AddReplicaRegions": [{ "Region": "ap-south-1" }] }))),
        ("PutResourcePolicy", of("dev/shop/env", json!({ "ResourcePolicy": "{}", "BlockPublicPolicy": false }))),
    ];
    for (operation, body) in denials {
        assert_eq!(refused(&sandbox, "eu-west-1", operation, &body), denied, "{operation} {body}");
    }
    let forced = of("dev/shop/forgotten", json!({ "ForceDeleteWithoutRecovery": true }));
    assert_eq!(refused(&sandbox, "eu-west-1", "DeleteSecret", &forced), None, "its manifest says so");
}

#[test]
fn keys_functions_and_roles_are_named() {
    let folder = project();
    let apply = policy(folder.path(), &["--for", "apply"]);
    assert_eq!(
        statement(&apply, "InvokeRotationFunctions"),
        &json!({
            "Sid": "InvokeRotationFunctions", "Effect": "Allow", "Action": "lambda:InvokeFunction",
            "Resource": "arn:aws:lambda:eu-west-1:111111111111:function:rotate",
        })
    );
    assert_eq!(
        statement(&apply, "PassRotationRoles"),
        &json!({
            "Sid": "PassRotationRoles", "Effect": "Allow", "Action": "iam:PassRole",
            "Resource": "arn:aws:iam::111111111111:role/partner",
            "Condition": { "StringEquals": { "iam:PassedToService": "secretsmanager.amazonaws.com" } },
        })
    );
    let via = json!({ "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com" });
    let keys = json!(["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]);
    assert_eq!(
        statement(&apply, "UseKeysDev"),
        &json!({
            "Sid": "UseKeysDev", "Effect": "Allow", "Action": keys,
            "Resource": "arn:aws:kms:eu-west-1:111111111111:key/11111111-2222-3333-4444-555555555555",
            "Condition": { "StringEquals": via },
        })
    );
    assert_eq!(
        statement(&apply, "UseKeysDev2"),
        &json!({
            "Sid": "UseKeysDev2", "Effect": "Allow", "Action": keys,
            "Resource": "arn:aws:kms:eu-west-1:111111111111:key/*",
            "Condition": { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/shop" }, "StringEquals": via },
        })
    );
    let replicas = statement(&apply, "UseReplicaKeys");
    assert_eq!(replicas["Resource"], "arn:aws:kms:us-west-2:111111111111:key/*");
    assert_eq!(replicas["Action"], json!(["kms:Encrypt", "kms:GenerateDataKey"]));

    let plan = policy(folder.path(), &["--for", "plan"]);
    let expected = ["DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds", "ListSecrets"];
    let expected: BTreeSet<_> = expected.iter().map(|action| format!("secretsmanager:{action}")).collect();
    assert_eq!(action_names(&plan), expected, "a plan decrypts nothing and calls nobody else");
    let compared = policy(folder.path(), &["--for", "plan", "--read-values"]);
    assert!(action_names(&compared).contains("kms:Decrypt"), "values are read with the secrets' keys");
}

/// One plain secret without a value.
const PLAIN: &str =
    "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/plain }\nspec: { tags: { a: b } }\n";

#[test]
fn what_no_manifest_needs_is_not_in_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = PROJECT.replace("prune: delete", "prune: report");
    write_files(folder.path(), [("keywright.yaml", report.as_str()), ("secrets/plain.yaml", PLAIN)]);
    let names = |args: &[&str]| {
        let names = action_names(&policy(folder.path(), args));
        names.iter().map(|name| name.replace("secretsmanager:", "")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&["--for", "plan", "--read-values"]), "DescribeSecret ListSecrets");
    assert_eq!(names(&["--for", "plan", "--who"]), "cloudtrail:LookupEvents DescribeSecret ListSecrets");
    assert_eq!(names(&["--for", "versions", "--who"]).matches("cloudtrail:LookupEvents").count(), 1);
    let refused = run(&support::sandbox(), folder.path(), &["iam-policy", "--for", "apply", "--who"]);
    assert!(refused.code.code() != 0 && refused.err.contains("--who goes with"), "{}", refused.err);
    assert_eq!(
        names(&["--for", "drift", "--audit"]),
        "DescribeSecret GetResourcePolicy ListResourcePolicies ListSecrets"
    );
    assert_eq!(
        names(&["--for", "apply"]),
        "CreateSecret DescribeSecret ListSecrets RestoreSecret TagResource UntagResource"
    );
}

#[test]
fn a_role_and_its_caller_have_a_policy_each() {
    let folder = project();
    let role = "arn:aws:iam::111111111111:role/keywright";
    let assumes = PROJECT.replace("region: eu-west-1 }", &format!("region: eu-west-1, assumeRole: \"{role}\" }}"));
    let sops = std::fs::read_to_string(folder.path().join("values.sops.yaml")).expect("the SOPS file");
    let key = "arn:aws:kms:eu-west-1:999999999999:key/abc";
    let with_kms = format!("sops:\n    kms:\n        - arn: {key}\n          enc: AAAA\n          aws_profile: \"\"");
    let files = [("keywright.yaml", assumes.as_str()), ("values.sops.yaml", &sops.replacen("sops:", &with_kms, 1))];
    write_files(folder.path(), files);

    let roles = policy(folder.path(), &["--for", "apply"]);
    assert!(!action_names(&roles).contains("sts:AssumeRole"));
    assert_eq!(statement(&roles, "DecryptSopsFiles"), &Value::Null, "SOPS files are opened by the caller");
    let callers = policy(folder.path(), &["--for", "apply", "--caller"]);
    assert_eq!(
        callers["Statement"],
        json!([
            { "Sid": "AssumeRoles", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role },
            { "Sid": "DecryptSopsFiles", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key },
        ])
    );
    let planning = policy(folder.path(), &["--for", "plan", "--caller"]);
    assert_eq!(action_names(&planning), BTreeSet::from(["sts:AssumeRole".to_owned()]));

    write_files(folder.path(), [("keywright.yaml", PROJECT)]);
    let own = policy(folder.path(), &["--for", "apply"]);
    assert_eq!(statement(&own, "DecryptSopsFiles")["Resource"], key, "without a role there is one identity");
    let nobody = run(&support::sandbox(), folder.path(), &["iam-policy", "--for", "apply", "--caller"]);
    assert_eq!((nobody.code.code(), nobody.out.as_str()), (1, ""));
}

#[test]
fn several_targets_give_one_policy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = PROJECT.replace(
        "  scope: { namePrefixes: [dev/shop/] }",
        "    - { name: us-prod, account: \"222222222222\", region: us-east-1 }\n    - { name: lab, region: us-east-2 \
         }\n  \
         scope: { namePrefixes: [dev/shop/, dev/till/] }",
    );
    write_files(folder.path(), [("keywright.yaml", project.as_str()), ("secrets/plain.yaml", PLAIN)]);
    let printed = run(&support::sandbox(), folder.path(), &["iam-policy", "--for", "apply"]);
    let merged: Value = serde_json::from_str(&printed.out).expect("one policy");
    let read = statement(&merged, "ReadMetadata");
    assert_eq!(read["Resource"].as_array().map(Vec::len), Some(6), "{read}");
    assert!(read["Resource"].to_string().contains("arn:aws:secretsmanager:us-east-2:*:secret:dev/till/*"), "{read}");
    let deletes = statement(&merged, "DeleteSecretsUsProd");
    assert_eq!(deletes["Condition"]["StringLike"]["aws:ResourceTag/keywright:project"], "shop/us-prod:*");
    assert!(printed.err.contains("lab names no account"), "{}", printed.err);
    assert!(printed.err.contains("2 accounts"), "{}", printed.err);

    let one = policy(folder.path(), &["--for", "apply", "--target", "dev"]);
    assert!(!one.to_string().contains("222222222222"));
}

#[test]
fn a_policy_that_is_too_large_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let prefixes: Vec<String> = (0..40).map(|number| format!("dev/a-long-name-of-a-team-{number:02}/")).collect();
    let project = PROJECT.replace("[dev/shop/]", &format!("[dev/shop/, {}]", prefixes.join(", ")));
    write_files(folder.path(), [("keywright.yaml", project.as_str()), ("secrets/plain.yaml", PLAIN)]);
    let printed = run(&support::sandbox(), folder.path(), &["iam-policy", "--for", "apply"]);
    assert_eq!(printed.code.code(), 0);
    assert!(printed.err.contains("6144") && printed.err.contains("fewer prefixes"), "{}", printed.err);
    let small = run(&support::sandbox(), folder.path(), &["iam-policy", "--for", "plan"]);
    assert_eq!(small.err, "");
}

/// The runs of a day-2 command under a policy, after an apply where it needs one.
fn day_two(purpose: &str, policy: &Value) -> Vec<Run> {
    let (folder, sandbox) = (project(), live());
    let commands: &[&[&str]] = match purpose {
        "versions" => &[&["versions", "dev/shop/env"]],
        "rollback" => &[&["rollback", "dev/shop/env", "--yes"]],
        "rotate" => &[&["rotate", "dev/shop/rotated", "--yes"], &["rotate", "dev/shop/rotated", "--cancel", "--yes"]],
        "restore" => &[&["restore", "dev/shop/restored", "--yes"]],
        "release" => &[&["release", "dev/shop/forgotten", "--yes"]],
        "promote" => &[&["promote", "dev/shop/orphan", "--region", "us-west-2", "--yes"]],
        other => unreachable!("{other}"),
    };
    if matches!(purpose, "rollback" | "rotate") {
        let applied = run(&sandbox, folder.path(), APPLY);
        assert_eq!(applied.code.code(), 0, "{}{}", applied.out, applied.err);
    }
    sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
    commands.iter().map(|command| run(&sandbox, folder.path(), &[*command, &["--sandbox"]].concat())).collect()
}

#[test]
fn each_day_2_command_has_a_policy_that_is_enough_and_no_more() {
    let folder = project();
    for purpose in ["versions", "rollback", "rotate", "restore", "release", "promote"] {
        let printed = policy(folder.path(), &["--for", purpose]);
        for run in day_two(purpose, &printed) {
            assert_eq!(run.code.code(), 0, "{purpose}:\n{}{}", run.out, run.err);
        }
        // Repairing is not run here, and either of two statements lets a promotion read.
        let unused = [
            ("secretsmanager:UpdateSecretVersionStage", "Rotate"),
            ("secretsmanager:DescribeSecret", "ReadPrimaries"),
            ("secretsmanager:DescribeSecret", "ReadMetadata"),
        ];
        for (index, action) in actions(&printed).into_iter().filter(|(_, action)| action.starts_with("secretsmanager:"))
        {
            let sid = printed["Statement"][index]["Sid"].as_str().unwrap_or_default();
            let both_read = purpose == "promote" || sid != "ReadMetadata";
            if both_read && unused.contains(&(action.as_str(), sid)) {
                continue;
            }
            let runs = day_two(purpose, &without(&printed, index, &action));
            let refusal = format!("not authorized to perform: {action} ");
            assert!(runs.iter().any(|run| run.err.contains(&refusal)), "{purpose} needs no {action} of {sid}");
        }
    }
}

#[test]
fn secrets_that_a_service_manages_have_permissions_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = r#"
apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  targets: [{ name: dev, account: "111111111111", region: eu-west-1 }]
  scope: { namePrefixes: ["rds!"] }
"#;
    let secret = r#"
apiVersion: keywright/v1
kind: Secret
metadata: { name: "rds!db-1", managedBy: rds }
spec: { tags: { team: a }, rotation: { everyDays: 30 } }
"#;
    write_files(folder.path(), [("keywright.yaml", project), ("secrets/db.yaml", secret)]);
    let live = "- { name: 'rds!db-1', account: '111111111111', region: eu-west-1, value: one, owningService: rds, \
        rotation: { everyDays: 7 } }";
    for (purpose, command) in [("apply", vec!["apply"]), ("rotate", vec!["rotate", "rds!db-1"])] {
        let printed = policy(folder.path(), &["--for", purpose]);
        let sandbox = support::sandbox();
        sandbox.make_fixtures(live).expect("what is live before");
        sandbox.enforce_policy(&printed.to_string()).expect("a policy that the sandbox evaluates");
        let done = run(&sandbox, folder.path(), &[command.as_slice(), &["--sandbox", "--yes"]].concat());
        assert_eq!(done.code.code(), 0, "{purpose}: {}{}", done.out, done.err);
    }
    let printed = policy(folder.path(), &["--for", "apply"]).to_string();
    for never in ["CreateSecret", "DeleteSecret", "PutSecretValue", "UpdateSecret", "CancelRotateSecret"] {
        assert!(!printed.contains(never), "{never}: {printed}");
    }
}

/// A project in which a secret with a value of people and a replica gets another name.
fn renamed(policy: Option<&Value>) -> (tempfile::TempDir, Run) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: shop }\nspec:\n  targets: [{ name: dev, \
                   account: \"111111111111\", region: eu-west-1 }]\n  scope: { namePrefixes: [app/] }\n";
    let secret = |metadata: &str, spec: &str| {
        format!("apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ {metadata} }}\nspec: {{ {spec} }}\n")
    };
    let before = secret("name: app/old", "replicas: [{ region: us-east-1 }]");
    write_files(folder.path(), [("keywright.yaml", project), ("secrets.yaml", before.as_str())]);
    let sandbox = support::sandbox();
    let apply = ["apply", "--sandbox", "--yes", "--allow-moves", "--allow-copy-values"];
    assert_eq!(run(&sandbox, folder.path(), &apply).code.code(), 0);
    let put = json!({ "SecretId": "app/old", "SecretString": "of people", "ClientRequestToken": "a".repeat(32) });
    support::call(&sandbox, "111111111111", "eu-west-1", "PutSecretValue", &put);
    write_files(folder.path(), [("secrets.yaml", secret("name: app/new, renamedFrom: app/old", "").as_str())]);
    if let Some(policy) = policy {
        sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
    }
    let applied = run(&sandbox, folder.path(), &apply);
    (folder, applied)
}

#[test]
fn a_move_needs_what_is_printed_for_it_and_no_more() {
    let folder = renamed(None).0;
    let apply = policy(folder.path(), &["--for", "apply"]);
    let (_, whole) = renamed(Some(&apply));
    assert_eq!(whole.code.code(), 0, "{}{}", whole.out, whole.err);
    // Two are for what the manifests may become: a cancelled deletion, and tags that go.
    let spare = ["secretsmanager:RestoreSecret", "secretsmanager:UntagResource"];
    for (index, action) in actions(&apply).into_iter().filter(|(_, action)| !spare.contains(&action.as_str())) {
        let (_, run) = renamed(Some(&without(&apply, index, &action)));
        let told = format!("{}{}", run.out, run.err);
        assert!(told.contains(&format!("not authorized to perform: {action} ")), "{action}: {told}");
    }
}
