//! docs/cross-account.md does what it says: its project is applied and done, and the policies that `iam-policy` prints
//! for it are enough and no more.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod support;

use std::path::Path;

use keywright::sandbox::Sandbox;
use serde_json::{Value, json};
use support::{Run, call, keywright, write_files};

const PAGE: &str = include_str!("../docs/cross-account.md");
const PRIMARY: &str = "111111111111";
const REPLICA: &str = "222222222222";
const REGION: &str = "eu-west-1";

/// The project and the manifests of the page.
fn project() -> tempfile::TempDir {
    let blocks: Vec<&str> = PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [project, secrets] = blocks[..] else { panic!("the page has a project and its manifests") };
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_files(folder.path(), [("keywright.yaml", project), ("secrets.yaml", secrets)]);
    folder
}

fn run(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> Run {
    let folder = folder.to_string_lossy();
    keywright(sandbox, &[args, &["--project", &folder]].concat(), None)
}

const APPLY: [&str; 4] = ["apply", "--sandbox", "--yes", "--allow-cross-account-replica"];

#[test]
fn the_project_of_the_page_is_applied_and_its_values_are_copied() {
    let (sandbox, folder) = (support::sandbox(), project());
    let applied = run(&sandbox, folder.path(), &APPLY);
    assert_eq!(applied.code.code(), 0, "{}{}", applied.out, applied.err);
    let token = "a-token-of-at-least-32-characters";
    let put = json!({ "SecretId": "shared/partner-key", "SecretString": "of people", "ClientRequestToken": token });
    call(&sandbox, PRIMARY, REGION, "PutSecretValue", &put);
    let read = call(&sandbox, REPLICA, REGION, "GetSecretValue", &json!({ "SecretId": "shared/partner-key" }));
    assert_eq!(read["SecretString"], "of people");
    let again = run(&sandbox, folder.path(), &["plan", "--sandbox", "--detailed-exitcode"]);
    assert_eq!(again.code.code(), 0, "{}{}", again.out, again.err);
}

/// The printed policy of the role that applies.
fn policy(folder: &Path) -> Value {
    let printed = run(&support::sandbox(), folder, &["iam-policy", "--for", "apply"]);
    assert_eq!(printed.code.code(), 0, "{}", printed.err);
    serde_json::from_str(&printed.out).expect("standard output is one policy")
}

/// What the role with this policy comes to.
fn applied_with(policy: &Value) -> Run {
    let (sandbox, folder) = (support::sandbox(), project());
    sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
    run(&sandbox, folder.path(), &APPLY)
}

#[test]
fn the_printed_policy_is_enough_and_no_more() {
    let folder = project();
    let policy = policy(folder.path());
    let run = applied_with(&policy);
    assert_eq!(run.code.code(), 0, "{}{}\n{policy:#}", run.out, run.err);
    let statements = policy["Statement"].as_array().expect("statements");
    // Whether a role may be passed is asked of IAM, which the sandbox is not.
    for sid in ["MakeReplicas", "AssociateReplicas", "ReplicateToOtherAccounts"] {
        let at =
            statements.iter().position(|statement| statement["Sid"].as_str().is_some_and(|id| id.starts_with(sid)));
        let mut less = policy.clone();
        less["Statement"]
            .as_array_mut()
            .expect("statements")
            .remove(at.unwrap_or_else(|| panic!("no {sid}: {policy:#}")));
        assert_ne!(applied_with(&less).code.code(), 0, "nothing is refused without {sid}");
    }
}
