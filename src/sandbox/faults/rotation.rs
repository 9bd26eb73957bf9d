//! What the rotation functions do, which in the sandbox are simulated: each succeeds, unless a fault file or a test
//! says otherwise.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

/// The steps of a rotation, in their order. Secrets Manager calls the function once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RotationStep {
    /// `createSecret`: the new version gets its value, under AWSPENDING.
    Create,
    /// `setSecret`: the database or service gets the new value.
    Set,
    /// `testSecret`: the new value is tried.
    Test,
    /// `finishSecret`: AWSCURRENT moves to the new version.
    Finish,
}

/// How a rotation ends. What a failed step leaves behind stays: AWSPENDING on the version that was begun, which has no
/// value if the first step failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RotationOutcome {
    /// Every step succeeds.
    #[default]
    Succeed,
    /// A step fails. The rotation is tried again when the next one is requested or due.
    FailAt(RotationStep),
    /// A step never ends, so that the rotation is neither done nor tried again.
    StickAt(RotationStep),
    /// There is no such function, or Secrets Manager may not invoke it: RotateSecret answers AccessDeniedException.
    NotInvocable,
}

/// Which rotations an outcome is for. Of several that fit, the first in this order decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RotationOf {
    /// Those of a secret, by its name, in every account and region.
    Secret(String),
    /// Those that call a function, by its ARN.
    Lambda(String),
    /// All others.
    Any,
}

/// How the rotations end that were set to end otherwise than well.
#[derive(Default)]
pub(crate) struct RotationFunctions {
    outcomes: Mutex<HashMap<RotationOf, RotationOutcome>>,
}

impl RotationFunctions {
    pub(crate) fn set(&self, rotations: RotationOf, outcome: RotationOutcome) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(rotations, outcome);
    }

    pub(crate) fn clear(&self) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How a rotation of a secret ends.
    pub(crate) fn outcome(&self, secret: &str, lambda_arn: Option<&str>) -> RotationOutcome {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = RotationOf::Secret(secret.to_owned());
        let lambda = lambda_arn.map(|arn| RotationOf::Lambda(arn.to_owned()));
        let fitting = [Some(secret), lambda, Some(RotationOf::Any)];
        fitting.iter().flatten().find_map(|rotations| outcomes.get(rotations).copied()).unwrap_or_default()
    }
}
