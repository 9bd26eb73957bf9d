//! Whose a replica is, and what is to be done after it was made a secret of its own.

use std::collections::BTreeSet;

use super::error::{Error, ErrorKind, Hint, SecretProblem};
use super::one_secret::OneSecret;
use crate::apply::{Recorder, WriteSecrets};
use crate::desired::OWNER_TAG;
use crate::domain::{Region, SecretName, TagKey};
use crate::live::{ReadSecrets, ServiceError};
use crate::reconcile::{PlanError, TargetError};

/// A replica and its primary.
pub(super) struct Primary {
    /// The primary's region.
    pub(super) region: Region,
    /// The replica's region.
    pub(super) replica: Region,
    /// Why the primary could not be asked who owns the secret, when it could not.
    pub(super) not_asked: Option<Error>,
}

/// The primary's region and the replica's. A replica may show no tags, so who owns it is asked at its primary; when
/// that cannot be reached, which may be why somebody promotes, that is told.
pub(super) async fn primary_and_region(found: &OneSecret, region: Option<&str>) -> Result<Primary, Error> {
    let OneSecret { desired, connection, secret, .. } = found;
    let here = &desired.target.region;
    if !secret.is_replica_in(here) {
        found.check_owner()?;
        let hint = Hint::ReplicasIn { regions: secret.replicas.keys().map(Region::to_string).collect() };
        return match region {
            Some(region) if secret.replicas.contains_key(region) => {
                Ok(Primary { region: here.clone(), replica: Region::of_service(region), not_asked: None })
            }
            Some(region) => Err(found.refuse(SecretProblem::NoReplicaIn { region: region.to_owned() }).hint(hint)),
            None if secret.replicas.is_empty() => Err(found.refuse(SecretProblem::NoReplicas)),
            None => Err(found.refuse(SecretProblem::IsPrimary).hint(hint)),
        };
    }
    replica_is_here(found, region)?;
    let region = secret.primary_region.clone().unwrap_or_default();
    let not_asked = match connection.reader().describe_in_region(&region, &secret.name).await {
        Ok(Some(primary)) => {
            // The owner is `project/target`, and the primary's target is another one of this project.
            let ours = primary.named_owner().and_then(|owner| owner.split_once('/')).map(|(project, _)| project);
            if ours != Some(desired.project.as_str()) {
                let owner = primary.named_owner().unwrap_or("nobody").to_owned();
                return Err(found.refuse(SecretProblem::PrimaryBelongsTo { region: region.to_string(), owner }));
            }
            None
        }
        Ok(None) => None,
        Err(error) => Some(found.call_failed(error)),
    };
    Ok(Primary { region, replica: here.clone(), not_asked })
}

/// Of a secret that is the replica itself, no other region can be meant.
pub(super) fn replica_is_here(found: &OneSecret, region: Option<&str>) -> Result<(), Error> {
    let here = &found.desired.target.region;
    if region.is_none_or(|region| *here == region) {
        return Ok(());
    }
    Err(found.refuse(SecretProblem::ReplicaHere { region: here.to_string() }).hint(Hint::LeaveRegionOut))
}

/// The copy of the primary's owner tag would name a target that does not hold the secret, and no project could ever
/// take it over: it goes, unless the journal can hold no call any more. Says whether there was one.
pub(super) async fn disown<W: WriteSecrets>(writer: &Recorder<'_, W>, secret: &SecretName) -> Result<bool, Error> {
    let stays = || {
        let kind = ErrorKind::AfterWrite { secret: secret.clone(), problem: SecretProblem::OwnerTagStays };
        Error::from(kind).hint(Hint::TakeOwnerTagOff)
    };
    let failed = |error: ServiceError| stays().because(TargetError::Plan(PlanError::Service(error)));
    let promoted = writer.describe(secret).await.map_err(failed)?;
    let Some(promoted) = promoted.filter(|secret| secret.named_owner().is_some()) else { return Ok(false) };
    if writer.lost_a_record() {
        return Err(stays());
    }
    writer.untag(&promoted.arn, &BTreeSet::from([TagKey::of_service(OWNER_TAG)])).await.map_err(failed)?;
    Ok(true)
}
