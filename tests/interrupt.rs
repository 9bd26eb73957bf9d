//! An apply that is told to stop: what has begun is finished, nothing else begins, and the next apply converges.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::BTreeSet;

use keywright::apply::{
    ApplyOptions, MadeSecrets, PolicyChecks, Recorder, SecretOutcome, SkipReason, Stopped, Work, apply,
};
use keywright::aws::Aws;
use keywright::live::Counterparts;
use keywright::manifest::{LoadOptions, load};
use keywright::plan::Rules;
use keywright::reconcile::{Planning, Reading, plan_target};
use tokio::sync::watch;

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets: [{ name: dev, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [dev/] }
";

#[test]
fn what_has_begun_is_finished_and_nothing_else_begins() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let policy = "{ Version: \"2012-10-17\", Statement: [{ Effect: Allow, Principal: { AWS: \"111111111111\" }, \
        Action: \"secretsmanager:GetSecretValue\", Resource: \"*\" }] }";
    let documents: String = (0..6)
        .map(|index| {
            format!(
                "---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: dev/{index} }}\nspec: \
            {{ policy: {policy} }}\n"
            )
        })
        .collect();
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets.yaml", documents.as_str())]);
    let desired = load(folder.path(), &LoadOptions::default()).desired.remove(0);

    let sandbox = support::sandbox();
    let (stop, stopped) = watch::channel(false);
    // The interrupt comes while the second secret is being created.
    sandbox.on_call(Box::new(move |call, _| {
        if call.operation == "CreateSecret" && call.secret.as_deref() == Some("dev/1") {
            stop.send_replace(true);
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(async {
        let connection = Aws::embedded(sandbox.clone()).connect(&desired.target).await.expect("the sandbox answers");
        let values = support::NoValues;
        let rules = Rules::default();
        let counterparts = Counterparts::new();
        let (reading, made) = (Reading::default(), MadeSecrets::default());
        let planning =
            Planning { rules: &rules, values: &values, reading, counterparts: &counterparts, progress: &|_| {} };
        let planned = plan_target(connection.reader(), &desired, None, &planning).await.expect("a plan");
        let writer = connection.writer();
        let options = ApplyOptions { concurrency: 1, ..ApplyOptions::default() };
        let policies = PolicyChecks::default();
        let work = Work {
            plan: &planned.plan,
            live: &planned.live,
            ignored: &desired.ignore_tags,
            made: &made,
            undone: &BTreeSet::new(),
            policies: &policies,
        };
        apply(&Recorder::new(&writer, &()), &values, work, options, stopped, &|_| {}).await
    });

    assert_eq!(report.stopped, Some(Stopped::Interrupted));
    let outcomes: Vec<_> = report.outcomes.values().collect();
    assert_eq!(outcomes[..2], [&SecretOutcome::Done, &SecretOutcome::Done]);
    for outcome in &outcomes[2..] {
        assert_eq!(**outcome, SecretOutcome::Skipped { reason: SkipReason::Stopped(Stopped::Interrupted) });
    }
    let live = sandbox.dump("111111111111", "eu-west-1");
    assert_eq!(live.len(), 2);
    assert!(live.iter().all(|secret| secret.policy.is_some()), "no secret is left half-written: {live:?}");

    let root = folder.path().to_string_lossy().into_owned();
    let again = support::keywright(&sandbox, &["apply", "--yes", "--sandbox", "--project", &root], None);
    assert_eq!(again.code.code(), 0, "{}{}", again.out, again.err);
    let planned = support::keywright(&sandbox, &["plan", "--detailed-exitcode", "--sandbox", "--project", &root], None);
    assert_eq!(planned.code.code(), 0, "{}", planned.out);
}
