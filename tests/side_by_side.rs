//! Targets in several accounts are written side by side: one that is throttled keeps no other from going on, and what
//! is said of them comes in their order.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use keywright::exit_code::ExitCode;
use keywright::sandbox::{Fault, FaultKind, Sandbox};

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets:
    - { name: slow, account: \"111111111111\", region: eu-west-1 }
    - { name: fast, account: \"222222222222\", region: eu-west-1 }
  scope: { namePrefixes: [\"${target.name}/\"] }
  prune: delete
";

fn manifests(names: &[&str]) -> String {
    let document = |name: &&str| {
        format!("---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: \"{name}\" }}\nspec: {{}}\n")
    };
    names.iter().map(document).collect()
}

fn apply(sandbox: &Sandbox, folder: &tempfile::TempDir, more: &[&str]) -> support::Run {
    let project = folder.path().to_string_lossy();
    let args = ["apply", "--yes", "--sandbox", "--allow-remove-all", "--project", &*project];
    support::keywright(sandbox, &[&args, more].concat(), None)
}

fn project(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(&folder, names);
    folder
}

fn write(folder: &tempfile::TempDir, names: &[&str]) {
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets.yaml", manifests(names).as_str())]);
}

/// Throttles every create of the first target, until the second was written and read again.
fn throttle_until_the_other_is_done(sandbox: &Sandbox) {
    sandbox.inject(Fault {
        operation: Some("CreateSecret".to_owned()),
        secret: Some("slow/a".to_owned()),
        skip: 0,
        times: None,
        kind: FaultKind::Error {
            status: 400,
            code: "ThrottlingException".to_owned(),
            message: "Rate exceeded".to_owned(),
        },
    });
    let created = AtomicBool::new(false);
    sandbox.on_call(Box::new(move |call, sandbox| {
        if call.account != "222222222222" {
            return;
        }
        match call.operation.as_str() {
            "CreateSecret" => created.store(true, Ordering::SeqCst),
            "DescribeSecret" if created.load(Ordering::SeqCst) => sandbox.clear_faults(),
            _ => {}
        }
    }));
}

#[test]
fn an_account_that_is_throttled_keeps_no_other_waiting() {
    let folder = project(&["${target.name}/a"]);
    let sandbox = support::sandbox();
    throttle_until_the_other_is_done(&sandbox);
    let run = apply(&sandbox, &folder, &[]);
    // It would have failed if the second had waited for it.
    assert_eq!(run.code, ExitCode::Success, "{}{}", run.out, run.err);
    let place = |text: &str, of: &str| of.find(text).expect("the text is there");
    assert!(place("fast: + created  fast/a", &run.err) < place("slow: + created  slow/a", &run.err), "{}", run.err);
    assert!(place("slow: 1 created", &run.out) < place("fast: 1 created", &run.out), "{}", run.out);
}

#[test]
fn with_one_secret_at_a_time_targets_come_one_after_the_other() {
    let folder = project(&["${target.name}/a", "${target.name}/b"]);
    let sandbox = support::sandbox();
    let run = apply(&sandbox, &folder, &["--concurrency", "1"]);
    assert_eq!(run.code, ExitCode::Success, "{}{}", run.out, run.err);
    let calls = sandbox.calls().into_iter().filter(|call| call.operation == "CreateSecret");
    let secrets: Vec<String> = calls.filter_map(|call| call.secret).collect();
    assert_eq!(secrets, ["slow/a", "slow/b", "fast/a", "fast/b"]);
}

#[test]
fn removals_wait_for_what_every_target_creates() {
    let folder = project(&["${target.name}/a"]);
    let sandbox = support::sandbox();
    assert_eq!(apply(&sandbox, &folder, &[]).code, ExitCode::Success);
    write(&folder, &["${target.name}/b"]);
    sandbox.clear_calls();
    let run = apply(&sandbox, &folder, &[]);
    assert_eq!(run.code, ExitCode::Success, "{}{}", run.out, run.err);
    let writes: Vec<_> = sandbox.calls().into_iter().filter(support::is_write).map(|call| call.operation).collect();
    assert_eq!(writes, ["CreateSecret", "CreateSecret", "DeleteSecret", "DeleteSecret"]);

    // One that fails in one target keeps the removals of both.
    write(&folder, &["${target.name}/c"]);
    sandbox.clear_calls();
    sandbox.inject(Fault {
        operation: Some("CreateSecret".to_owned()),
        secret: Some("fast/c".to_owned()),
        skip: 0,
        times: None,
        kind: FaultKind::AccessDenied,
    });
    let run = apply(&sandbox, &folder, &[]);
    assert_eq!(run.code, ExitCode::Partial, "{}{}", run.out, run.err);
    assert!(!sandbox.calls().iter().any(|call| call.operation == "DeleteSecret"), "{}", run.err);
    assert!(run.err.contains("slow: . skipped  slow/b") && run.err.contains("fast: . skipped  fast/b"), "{}", run.err);
}
