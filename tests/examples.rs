//! The examples do what they say: no mistake, no warning, applied to an empty account, and then nothing is left to do.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::path::{Path, PathBuf};

use keywright::exit_code::ExitCode;

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
