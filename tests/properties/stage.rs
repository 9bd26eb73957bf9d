//! A generated project and a generated sandbox, and runs of keywright on them.

use std::fmt::Write as _;

use keywright::sandbox::Sandbox;
use proptest::prelude::*;

use crate::desired::Desired;
use crate::live::LiveSecret;
use crate::support;

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const REPLICA_REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];
pub(crate) const OWNER: &str = "shop/dev";

/// The prefix of its scope.
pub(crate) const SCOPE: &str = "dev/shop/";

/// Names in scope; the last two are outside.
pub(crate) const NAMES: [&str; 8] =
    ["dev/shop/a", "dev/shop/b", "dev/shop/c", "dev/shop/d", "dev/shop/e", "dev/shop/f", "dev/other", "x"];
pub(crate) const IN_SCOPE: usize = 6;

/// So many cases as a rule, so that all of them take well below a minute; `PROPTEST_CASES` says otherwise.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { ProptestConfig::default() } else { ProptestConfig::with_cases(usual) }
}

/// Writes the project into a folder.
pub(crate) fn project(desired_secrets: &[Desired], prune: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = format!(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  targets:\n    \
         - {{ name: dev, account: \"{ACCOUNT}\", region: {REGION} }}\n  scope: {{ namePrefixes: [dev/shop/] }}\n  \
         prune: {prune}\n  ignoreTags: [\"cost-*\"]\n"
    );
    let documents = desired_secrets.iter().fold(String::new(), |mut text, desired| {
        let _ = write!(text, "---\n{}\n", serde_json::to_string_pretty(&desired.document()).expect("JSON is YAML"));
        text
    });
    support::write_files(folder.path(), [("keywright.yaml", project.as_str()), ("secrets.yaml", documents.as_str())]);
    folder
}

/// A sandbox in which all this is live.
pub(crate) fn sandbox(live: &[LiveSecret]) -> Sandbox {
    let sandbox = support::sandbox();
    for LiveSecret { region, calls } in live {
        for (operation, body) in calls {
            support::call(&sandbox, ACCOUNT, region, operation, body);
        }
    }
    sandbox.clear_calls();
    sandbox
}

/// A project folder and a sandbox.
pub(crate) fn stage(desired_secrets: &[Desired], live: &[LiveSecret], prune: &str) -> (tempfile::TempDir, Sandbox) {
    (project(desired_secrets, prune), sandbox(live))
}

/// An apply with every guard overridden.
pub(crate) const APPLY: [&str; 21] = [
    "apply",
    "--yes",
    "--sandbox",
    "--allow-protected",
    "--allow-remove-all",
    "--allow-scope-change",
    "--allow-lose-value",
    "--allow-restore-unowned",
    "--allow-undo-rotation",
    "--allow-remove-replicas",
    "--allow-cancel-rotation",
    "--allow-empty",
    "--allow-skipped-files",
    "--allow-delete-unowned",
    "--allow-replace-values",
    "--allow-overwrite-replicas",
    "--allow-rotate-now",
    "--max-deletes",
    "99",
    "--max-changes-percent",
    "100",
];

pub(crate) fn run(sandbox: &Sandbox, folder: &tempfile::TempDir, args: &[&str]) -> support::Run {
    let folder = folder.path().to_string_lossy();
    let args: Vec<&str> = args.iter().copied().chain(["--project", &folder]).collect();
    support::keywright(sandbox, &args, None)
}

/// An apply, and those after it that remove the replicas which it has kept: they go when the declared ones are in sync.
/// The first one that does not succeed is the last.
pub(crate) fn apply(sandbox: &Sandbox, folder: &tempfile::TempDir) -> support::Run {
    let applied = run(sandbox, folder, &APPLY);
    let done = applied.code == keywright::exit_code::ExitCode::Success;
    if done && applied.out.contains("that no manifest wants: they stay until") {
        let then = run(sandbox, folder, &APPLY);
        return support::Run { code: then.code, out: applied.out + &then.out, err: applied.err + &then.err };
    }
    applied
}

pub(crate) fn prune() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["report", "delete", "release"])
}

/// Whether a plan as JSON has no change. What is held back is no change, and is nothing that an apply could do.
pub(crate) fn nothing_to_apply(planned: &support::Run) -> bool {
    let plan: serde_json::Value = serde_json::from_str(&planned.out).unwrap_or_default();
    planned.code == keywright::exit_code::ExitCode::Success && plan["hasChanges"] == serde_json::Value::Bool(false)
}
