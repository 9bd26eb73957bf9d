//! What goes wrong on the way while a command runs: calls that are throttled, fail, lose their answers or are dropped,
//! and a secret that may not be read or written.

use proptest::prelude::*;
use serde_json::json;

use super::git::{Git, NAMES};

/// The troubles of one run.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    None,
    /// So many of a hundred calls are throttled, fail, are dropped, and lose their answers.
    Weak {
        seed: u64,
        throttled: u32,
        failing: u32,
        dropped: u32,
        lost: u32,
    },
    /// One operation is denied on one secret.
    Denied {
        operation: usize,
        name: usize,
    },
}

/// The operations that are denied: of reading, then of writing.
const DENIED: [&str; 8] = [
    "DescribeSecret",
    "GetResourcePolicy",
    "ListSecretVersionIds",
    "TagResource",
    "PutSecretValue",
    "PutResourcePolicy",
    "UpdateSecret",
    "DeleteSecret",
];

pub(super) fn troubles() -> impl Strategy<Value = Trouble> {
    let weak = (any::<u64>(), 0_u32..10, 0_u32..6, 0_u32..4, 0_u32..10).prop_map(
        |(seed, throttled, failing, dropped, lost)| Trouble::Weak { seed, throttled, failing, dropped, lost },
    );
    let denied = (0..DENIED.len(), 0..NAMES.len()).prop_map(|(operation, name)| Trouble::Denied { operation, name });
    prop_oneof![6 => Just(Trouble::None), 2 => weak, 2 => denied]
}

impl Trouble {
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The fault file that brings it about.
    pub(super) fn fault_file(&self, git: &Git) -> String {
        let share = |percent: u32| f64::from(percent) / 100.0;
        match self {
            Self::None => json!({}),
            Self::Weak { seed, throttled, failing, dropped, lost } => json!({ "profile": {
                "seed": seed,
                "throttled": share(*throttled),
                "failing": share(*failing),
                "dropped": share(*dropped),
                "answerLost": share(*lost),
            } }),
            Self::Denied { operation, name } => json!({ "rules": [{
                "operation": DENIED[*operation],
                "secret": git.prefix() + NAMES[*name],
                "kind": "accessDenied",
            }] }),
        }
        .to_string()
    }
}
