//! The examples do what they say: no mistake, no warning, applied to an empty account, and then nothing is left to do.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::path::{Path, PathBuf};

use keywright::exit_code::ExitCode;
use serde_json::json;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = std::fs::read_dir(folder).expect("the folder examples/");
    let projects = entries.map(|entry| entry.expect("an entry").path());
    projects.filter(|path| path.join("keywright.yaml").is_file()).collect()
}

#[test]
fn every_example_is_applied_and_then_nothing_is_left_to_do() {
    let examples = examples();
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        let project = example.to_string_lossy();
        let sandbox = support::sandbox();
        let run = |args: &[&str]| support::keywright(&sandbox, &[args, &["--project", &project]].concat(), None);

        let validated = run(&["validate"]);
        assert_eq!((validated.code, validated.out.as_str()), (ExitCode::Success, ""), "{project}: {}", validated.err);
        let applied = run(&["apply", "--sandbox", "--yes"]);
        assert_eq!(applied.code, ExitCode::Success, "{project}\n{}{}", applied.out, applied.err);
        let planned = run(&["plan", "--sandbox", "--detailed-exitcode"]);
        assert_eq!(planned.code, ExitCode::Success, "{project}\n{}{}", planned.out, planned.err);
        let drift = run(&["drift", "--sandbox"]);
        assert_eq!(drift.code, ExitCode::Success, "{project}\n{}{}", drift.out, drift.err);
    }
}

/// What people put under the old name comes along to the new one, in each target that has it.
#[test]
fn a_rename_in_the_fleet_carries_the_values() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    let place = "secrets/platform/services.yaml";
    let now = std::fs::read_to_string(example.join(place)).expect("the manifest");
    let rename = "  name: ${stage}/platform/pager\n  renamedFrom: ${stage}/platform/paging\n";
    assert_eq!(now.matches(rename).count(), 1, "the example has a rename");
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&example, folder.path());
    std::fs::write(folder.path().join(place), now.replace(rename, "  name: ${stage}/platform/paging\n"))
        .expect("the manifest of before");
    let sandbox = support::sandbox();
    let root = folder.path().to_string_lossy().into_owned();
    let pager = ["--select", "*/platform/pag*"];
    let run = |args: &[&str]| {
        support::keywright(&sandbox, &[args, &pager, &["--sandbox", "--project", &root]].concat(), None)
    };
    let applied = run(&["apply", "--yes"]);
    assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
    let places = [("333333333333", "stage"), ("444444444444", "prod")]
        .into_iter()
        .flat_map(|(account, stage)| ["eu-west-1", "us-east-1"].map(|region| (account, region, stage)));
    let places: Vec<_> = places.collect();
    for (account, region, stage) in &places {
        let put = json!({ "SecretId": format!("{stage}/platform/paging"), "ClientRequestToken": "0".repeat(32),
            "SecretString": format!("of {account} {region}") });
        support::call(&sandbox, account, region, "PutSecretValue", &put);
    }

    std::fs::write(folder.path().join(place), now).expect("the manifest of the example");
    let planned = run(&["plan", "--summary"]);
    assert!(planned.out.contains("4 to move"), "{}{}", planned.out, planned.err);
    let refused = run(&["apply", "--yes"]);
    assert_eq!(refused.code, ExitCode::Guard, "{}{}", refused.out, refused.err);
    let applied = run(&["apply", "--yes", "--allow-copy-values", "--allow-moves"]);
    assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
    for (account, region, stage) in &places {
        let get = json!({ "SecretId": format!("{stage}/platform/pager") });
        let got = support::call(&sandbox, account, region, "GetSecretValue", &get);
        assert_eq!(got["SecretString"], format!("of {account} {region}"));
        let old = json!({ "SecretId": format!("{stage}/platform/paging") });
        let old = support::call(&sandbox, account, region, "DescribeSecret", &old);
        assert!(old["DeletedDate"].is_number(), "{old}");
    }
    let planned = run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, ExitCode::Success, "{}{}", planned.out, planned.err);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a file");
        }
    }
}
