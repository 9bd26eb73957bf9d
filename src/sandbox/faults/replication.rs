//! How the copies of secrets end, in other regions and accounts: each succeeds, unless a fault file or a test says
//! otherwise.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

/// How a copy ends. One that is made already is not looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReplicationOutcome {
    /// It is made.
    #[default]
    Succeed,
    /// It is not, and this is the `StatusMessage`.
    Fail(String),
}

/// Which replications an outcome is for. Of several that fit, the first in this order decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReplicationOf {
    /// Those of a primary, by its name, in every account and region.
    Secret(String),
    /// All others.
    Any,
}

/// How the replications end that were set to end otherwise than well.
#[derive(Default)]
pub(crate) struct Replications {
    outcomes: Mutex<HashMap<ReplicationOf, ReplicationOutcome>>,
}

impl Replications {
    pub(crate) fn set(&self, of: ReplicationOf, outcome: ReplicationOutcome) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(of, outcome);
    }

    pub(crate) fn clear(&self) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How the next copy of a secret ends.
    pub(crate) fn outcome(&self, secret: &str) -> ReplicationOutcome {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = [ReplicationOf::Secret(secret.to_owned()), ReplicationOf::Any];
        fitting.iter().find_map(|of| outcomes.get(of).cloned()).unwrap_or_default()
    }
}
