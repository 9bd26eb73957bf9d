//! A rotation, followed until its version is current.

use std::time::Duration;

use super::error::{Error, ErrorKind, Hint, SecretProblem};
use super::problem::Problem;
use super::stop::{Stop, stopped};
use crate::aws::Writer;
use crate::domain::{SecretName, VersionId};
use crate::live::ReadSecrets;
use crate::reconcile::{PlanError, TargetError};

/// How often a rotation is looked at while it is waited for. Rotations take seconds to minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Looks until the new version is current, at most so long. What goes wrong is an error after a write: the rotation was
/// begun.
pub async fn follow_rotation(
    writer: &Writer,
    secret: &SecretName,
    version: &VersionId,
    timeout: Duration,
    stop: &Stop,
) -> Result<(), Error> {
    let waiting = async {
        loop {
            let seen = writer.describe(secret).await.map_err(|error| {
                let kind = ErrorKind::AfterWrite { secret: secret.clone(), problem: SecretProblem::NotFollowed };
                Error::from(kind).because(TargetError::Plan(PlanError::Service(error)))
            })?;
            if seen.is_some_and(|secret| secret.current_version() == Some(version)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        ended = waiting => ended,
        () = tokio::time::sleep(timeout) => {
            let kind =
                ErrorKind::AfterWrite { secret: secret.clone(), problem: SecretProblem::NotRotated(timeout) };
            Err(Error::from(kind).hint(Hint::LookAtFunctionLog))
        }
        () = stopped(stop) => Err(ErrorKind::Interrupted { what: Some(Problem::InterruptedRotation) }.into()),
    }
}
