//! What holds of the order of the calls, as the service saw them.

use keywright::sandbox::{Call, Outcome};
use proptest::prelude::*;

use crate::desired::desired_secrets;
use crate::live::live;
use crate::stage::{APPLY, NAMES, cases, prune, run, stage};
use crate::support;

/// The place of an operation within one secret's calls.
const ORDER: [&[&str]; 12] = [
    &["RestoreSecret"],
    &["CreateSecret"],
    &["CancelRotateSecret"],
    &["UpdateSecret"],
    &["TagResource"],
    &["PutResourcePolicy", "DeleteResourcePolicy"],
    &["PutSecretValue"],
    &["UpdateSecretVersionStage"],
    &["RemoveRegionsFromReplication", "ReplicateSecretToRegions"],
    &["RotateSecret"],
    &["UntagResource"],
    &["DeleteSecret"],
];

fn place(operation: &str) -> Option<usize> {
    ORDER.iter().position(|operations| operations.contains(&operation))
}

/// The writing calls for one secret, each with its place among all calls.
fn of_secret<'a>(calls: &'a [Call], name: &str) -> Vec<(usize, &'a str)> {
    let indexed = calls.iter().enumerate().filter(|(_, call)| call.secret.as_deref() == Some(name));
    indexed.map(|(at, call)| (at, call.operation.as_str())).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn calls_come_in_the_order_of_the_design(
        desired_secrets in desired_secrets(),
        live in live(false),
        prune in prune(),
    ) {
        let (folder, sandbox) = stage(&desired_secrets, &live, prune);
        let applied = run(&sandbox, &folder, &APPLY);
        let calls: Vec<Call> = sandbox.calls().into_iter().filter(support::is_write).collect();

        for name in NAMES {
            let own = of_secret(&calls, name);
            for (first, then) in own.iter().zip(own.iter().skip(1)) {
                let (first, then) = ((first.1, place(first.1)), (then.1, place(then.1)));
                // A value that turns out to be live already is noted in a tag, right behind the put that told.
                let noted = first.0 == "PutSecretValue" && then.0 == "TagResource";
                prop_assert!(noted || first.1 <= then.1, "{name}: {} before {}\n{}", first.0, then.0, applied.out);
                prop_assert!(first.1.is_some() && then.1.is_some(), "{name}: what is {} or {}?", first.0, then.0);
            }
        }

        let removed = |name: &str| of_secret(&calls, name).iter().any(|(_, operation)| *operation == "DeleteSecret");
        let (removals, others): (Vec<&str>, Vec<&str>) = NAMES.into_iter().partition(|name| removed(name));
        let last_of_others = others.iter().filter_map(|name| Some(of_secret(&calls, name).last()?.0)).max();
        let first_removal = removals.iter().filter_map(|name| Some(of_secret(&calls, name).first()?.0)).min();
        if let (Some(last), Some(first)) = (last_of_others, first_removal) {
            prop_assert!(last < first, "removals come last\n{}", applied.out);
        }

        for desired in &desired_secrets {
            let own = of_secret(&calls, desired.name());
            for need in desired.needs.iter().map(|need| NAMES[*need]) {
                if let (Some((last, _)), Some((first, _))) = (of_secret(&calls, need).last(), own.first()) {
                    prop_assert!(last < first, "{need} before {}\n{}", desired.name(), applied.out);
                }
            }
        }
        let refused: Vec<&Call> = calls.iter().filter(|call| call.outcome != Outcome::Ok).collect();
        // Only the question whether a value is live already may be answered with a no.
        prop_assert!(refused.iter().all(|call| call.operation == "PutSecretValue"), "{refused:?}");
    }
}
