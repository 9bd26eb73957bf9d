//! Rotation as one thing, whether it is desired or live: who rotates, and when.

use std::collections::BTreeMap;

use crate::domain::{Arn, Frequency, RotationDuration};

/// `spec.rotation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredRotation {
    /// Who rotates, and when.
    pub setup: RotationSetup,
    /// `RotateImmediately`. Never a difference by itself: it says what happens when something else is one.
    pub rotate_immediately: bool,
}

/// Who rotates a secret, and when (RotateSecret).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSetup {
    /// Who rotates.
    pub rotator: Rotator,
    /// How often.
    pub frequency: Frequency,
    /// `Duration`: the length of the window, such as `2h`. Where it is desired, none leaves it as it is.
    pub duration: Option<RotationDuration>,
}

/// Who rotates a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotator {
    /// A Lambda function of the account, by its ARN (`RotationLambdaARN`).
    Lambda(Arn),
    /// The AWS service that manages the secret: it has no function and no role, and only its schedule can be changed.
    OwningService,
    /// The partner that the secret's `Type` names (managed external secrets).
    External {
        /// The role that Secrets Manager assumes (`ExternalSecretRotationRoleArn`).
        role_arn: Option<Arn>,
        /// What the partner needs to know (`ExternalSecretRotationMetadata`).
        metadata: BTreeMap<String, String>,
    },
}

impl RotationSetup {
    /// Whether `live` is what is desired. A duration that is not declared is not compared.
    pub fn is_met_by(&self, live: &Self) -> bool {
        self.rotator == live.rotator
            && self.frequency == live.frequency
            && (self.duration.is_none() || self.duration == live.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_not_declared_is_not_compared() {
        let setup = |duration: Option<&str>| RotationSetup {
            rotator: Rotator::Lambda(Arn::of_service("arn")),
            frequency: Frequency::EveryDays(30),
            duration: duration.map(RotationDuration::of_service),
        };
        assert!(setup(None).is_met_by(&setup(Some("2h"))));
        assert!(!setup(Some("3h")).is_met_by(&setup(Some("2h"))));
        assert!(!setup(Some("3h")).is_met_by(&setup(None)));
    }
}
