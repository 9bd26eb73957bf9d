//! What holds of every run: an apply converges and a rehearsal knew it, nothing else is touched, planning never writes.

use keywright::exit_code::ExitCode;
use proptest::prelude::*;
use serde_json::Value;

use crate::desired::{Desired, desired_secrets};
use crate::live::live;
use crate::stage::{ACCOUNT, REGION, REPLICA_REGIONS, apply, cases, nothing_to_apply, prune, run, stage};
use crate::support;

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn an_apply_converges_and_its_rehearsal_says_so(
        desired_secrets in desired_secrets(),
        live in live(false),
        prune in prune(),
    ) {
        let (folder, sandbox) = stage(&desired_secrets, &live, prune);
        let rehearsed = run(&sandbox, &folder, &["plan", "--sandbox", "--rehearse", "--format", "json"]);
        prop_assert!(!sandbox.calls().iter().any(support::is_write), "a rehearsal wrote");
        prop_assert!(!sandbox.calls().iter().any(|call| call.operation.contains("SecretValue")), "a rehearsal read \
            a value");
        let plan: Value = serde_json::from_str(&rehearsed.out).unwrap_or_default();
        let passed = &plan["targets"][0]["rehearsal"]["passed"];
        prop_assert_eq!(passed, &Value::Bool(true), "{}{}", rehearsed.out, rehearsed.err);

        let applied = apply(&sandbox, &folder);
        prop_assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
        sandbox.clear_calls();
        let planned = run(&sandbox, &folder, &["plan", "--sandbox", "--format", "json"]);
        prop_assert!(nothing_to_apply(&planned), "{}\nand then\n{}{}", applied.out, planned.out, planned.err);
        let again = apply(&sandbox, &folder);
        prop_assert_eq!(again.code, ExitCode::Success);
        prop_assert!(!sandbox.calls().iter().any(support::is_write), "an apply with nothing to do wrote");
    }

    #[test]
    fn nothing_outside_the_scope_and_no_undeclared_value_is_ever_touched(
        desired_secrets in desired_secrets(),
        live in live(true),
        prune in prune(),
    ) {
        let (folder, sandbox) = stage(&desired_secrets, &live, prune);
        let before = sandbox.dump(ACCOUNT, REGION);
        let elsewhere = || -> Vec<_> {
            let all = REPLICA_REGIONS.iter().flat_map(|region| sandbox.dump(ACCOUNT, region));
            all.filter(|secret| !secret.name.starts_with("dev/shop/")).collect()
        };
        let elsewhere_before = elsewhere();
        apply(&sandbox, &folder);
        for call in sandbox.calls().iter().filter(|call| support::is_write(call)) {
            let name = call.secret.as_deref().unwrap_or_default();
            prop_assert!(name.starts_with("dev/shop/") && call.region == REGION && call.account == ACCOUNT, "{call:?}");
            let foreign = before.iter().any(|secret| secret.name == name
                && secret.tags.get("keywright:project").is_some_and(|owner| owner.starts_with("billing/")));
            prop_assert!(!foreign, "a secret of another project was written to: {call:?}");
        }
        prop_assert_eq!(elsewhere(), elsewhere_before);
        let after = sandbox.dump(ACCOUNT, REGION);
        let valued: Vec<&str> = desired_secrets
            .iter()
            // A rotation makes values too.
            .filter(|desired| {
                let rotates = desired.spec.get("rotation").is_some_and(|rotation| !rotation.is_null());
                rotates || desired.spec.contains_key("value")
            })
            .map(Desired::name)
            .collect();
        for secret in before.iter().filter(|secret| !valued.contains(&secret.name.as_str())) {
            let same = after.iter().find(|other| other.name == secret.name);
            prop_assert_eq!(same.map(|other| &other.labels), Some(&secret.labels), "a value moved that git does not \
                declare");
        }
    }

    #[test]
    fn planning_never_writes_and_the_order_of_the_manifests_does_not_matter(
        (desired_secrets, shuffled) in desired_secrets().prop_flat_map(|desired_secrets| {
            (Just(desired_secrets.clone()), Just(desired_secrets).prop_shuffle())
        }),
        live in live(true), prune in prune(),
    ) {
        let (folder, sandbox) = stage(&desired_secrets, &live, prune);
        let other_folder = crate::stage::project(&shuffled, prune);
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
