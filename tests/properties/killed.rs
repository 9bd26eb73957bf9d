//! What holds after an apply that was cut off at any writing call, or whose answer was lost on the way: the next apply
//! converges, and nothing that git or an operator relies on is gone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use keywright::exit_code::ExitCode;
use keywright::sandbox::{Fault, FaultKind, Sandbox, SecretDump};
use proptest::prelude::*;

use crate::desired::{Desired, desired_secrets};
use crate::live::live;
use crate::stage::{ACCOUNT, REGION, apply, cases, nothing_to_apply, prune, run, sandbox, stage};
use crate::support;

/// From the writing call after the `survived`-th on, every call is refused, reads too: for the service that is what a
/// killed run looks like.
fn kill_after(sandbox: &Sandbox, survived: usize) {
    let writes = AtomicUsize::new(0);
    sandbox.on_call(Box::new(move |call, sandbox| {
        if support::is_write(call) && writes.fetch_add(1, Ordering::SeqCst) == survived {
            let kind = FaultKind::Error {
                status: 400,
                code: "AccessDeniedException".to_owned(),
                message: "killed".to_owned(),
            };
            sandbox.inject(Fault { operation: None, secret: None, skip: 0, times: None, kind });
        }
    }));
}

/// The answer of the `nth` writing call is lost: the change was made.
fn lose_answer(sandbox: &Sandbox, nth: usize) {
    let writes = AtomicUsize::new(0);
    sandbox.on_call(Box::new(move |call, sandbox| {
        if support::is_write(call) && writes.fetch_add(1, Ordering::SeqCst) == nth {
            sandbox.inject(Fault {
                operation: Some(call.operation.clone()),
                secret: call.secret.clone(),
                skip: 0,
                times: Some(1),
                kind: FaultKind::AnswerLost,
            });
        }
    }));
}

/// Whether an operator's versions and labels are where they were. Labels that the desired names are git's; AWSCURRENT
/// and AWSPREVIOUS move with a value that git or a rotation sets.
fn lost(desired_secrets: &[Desired], before: &[SecretDump], after: &[SecretDump]) -> Option<String> {
    for secret in before {
        let desired = desired_secrets.iter().find(|desired| desired.name() == secret.name && !desired.absent);
        let Some(now) = after.iter().find(|now| now.name == secret.name) else {
            return Some(format!("{} is gone", secret.name));
        };
        if now.versions < secret.versions {
            return Some(format!("{} lost a version", secret.name));
        }
        let named = |label: &str| {
            desired.and_then(|desired| desired.spec.get("labels")).is_some_and(|labels| labels.get(label).is_some())
        };
        let gets_values = desired.is_some_and(|desired| {
            desired.spec.contains_key("value")
                || desired.spec.get("rotation").is_some_and(|rotation| !rotation.is_null())
        });
        for (label, version) in &secret.labels {
            let moves = named(label) || (gets_values && matches!(label.as_str(), "AWSCURRENT" | "AWSPREVIOUS"));
            if !moves && now.labels.get(label) != Some(version) {
                return Some(format!(
                    "{}: {label} is no longer on {version}, but on {:?}",
                    secret.name,
                    now.labels.get(label)
                ));
            }
        }
        // Whatever was current can be gone back to.
        if let Some(current) = secret.labels.get("AWSCURRENT")
            && !now.labels.values().any(|version| version == current)
        {
            return Some(format!("{}: nothing names {current} any more", secret.name));
        }
    }
    None
}

/// What must be the same however often an apply was begun. Version ids that are random are not.
fn essence(sandbox: &Sandbox) -> Vec<BTreeMap<&'static str, String>> {
    let describe = |secret: SecretDump| {
        BTreeMap::from([
            ("name", secret.name),
            ("description", format!("{:?}", secret.description)),
            ("key", format!("{:?}", secret.kms_key_id)),
            // The tag that names an equal live version depends on which version that is.
            ("tags", format!("{:?}", secret.tags)),
            ("policy", format!("{:?}", secret.policy)),
            ("deletion", secret.scheduled_for_deletion.to_string()),
            ("labels", format!("{:?}", secret.labels.keys().collect::<Vec<_>>())),
            ("replicas", format!("{:?} {:?}", secret.replicas, secret.replica_of)),
            ("rotation", format!("{:?}", secret.rotation_enabled.unwrap_or_default())),
        ])
    };
    sandbox.dump(ACCOUNT, REGION).into_iter().map(describe).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn a_killed_apply_is_finished_by_the_next(
        desired_secrets in desired_secrets(), live in live(false), prune in prune(), survived in 0_usize..24,
    ) {
        let (folder, twin) = stage(&desired_secrets, &live, prune);
        let whole = apply(&twin, &folder);
        prop_assert_eq!(whole.code, ExitCode::Success, "{}{}", whole.out, whole.err);
        let writes = twin.calls().iter().filter(|call| support::is_write(call)).count();
        if writes == 0 {
            return Ok(());
        }

        let killed = sandbox(&live);
        let before = killed.dump(ACCOUNT, REGION);
        kill_after(&killed, survived % writes);
        let cut = apply(&killed, &folder);
        prop_assert_ne!(cut.code, ExitCode::Success);
        killed.clear_faults();
        let after = killed.dump(ACCOUNT, REGION);
        prop_assert_eq!(lost(&desired_secrets, &before, &after), None, "after {} of {} \
            writes\n{}{}", survived % writes, writes, cut.out, cut.err);

        let finished = apply(&killed, &folder);
        prop_assert_eq!(finished.code, ExitCode::Success, "after {} of {} \
            writes\n{}\n{}{}", survived % writes, writes, cut.err, finished.out, finished.err);
        let planned = run(&killed, &folder, &["plan", "--sandbox", "--format", "json"]);
        prop_assert!(nothing_to_apply(&planned), "{}\nand then\n{}", finished.out, planned.out);
        prop_assert_eq!(lost(&desired_secrets, &before, &killed.dump(ACCOUNT, REGION)), None);
        prop_assert_eq!(essence(&killed), essence(&twin), "after {} of {} \
            writes\n{}", survived % writes, writes, whole.out);
    }
}

proptest! {
    // Each case waits for the SDK to try again.
    #![proptest_config(cases(12))]

    #[test]
    fn a_lost_answer_does_no_harm(
        desired_secrets in desired_secrets(),
        live in live(false),
        prune in prune(),
        nth in 0_usize..24,
    ) {
        let (folder, sandbox) = stage(&desired_secrets, &live, prune);
        let before = sandbox.dump(ACCOUNT, REGION);
        lose_answer(&sandbox, nth);
        let applied = apply(&sandbox, &folder);
        prop_assert_eq!(applied.code, ExitCode::Success, "the SDK's second try\n{}{}", applied.out, applied.err);
        let planned = run(&sandbox, &folder, &["plan", "--sandbox", "--format", "json"]);
        prop_assert!(nothing_to_apply(&planned), "{}\nand then\n{}", applied.out, planned.out);
        prop_assert_eq!(lost(&desired_secrets, &before, &sandbox.dump(ACCOUNT, REGION)), None);
    }
}
