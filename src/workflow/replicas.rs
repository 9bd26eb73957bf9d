//! Replicas, followed until they are made. A replication takes seconds to minutes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::apply::ApplyRequest;
use super::error::{Error, ErrorKind, Hint};
use super::event::{Event, Place};
use super::outcome::Missing;
use super::stop::stopped;
use crate::apply::ApplyReport;
use crate::domain::SecretName;
use crate::live::{LinkStatus, LinkedReplica, ReplicaStatus, ServiceError, describe_all};
use crate::reconcile::{PlanError, TargetError};

/// How often replicas that are being made are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl ApplyRequest<'_> {
    /// Looks at the secrets that were done until none of their replicas is InProgress; tells what was not made.
    pub(super) async fn follow_replicas(
        &self,
        place: &Place<'_>,
        report: &ApplyReport,
        later: &BTreeSet<SecretName>,
        timeout: Duration,
    ) -> Missing {
        let declared = |name: &&SecretName| {
            place.desired.secrets.get(*name).is_some_and(|desired_secret| {
                let declared = desired_secret.replicas.as_ref().and_then(|declared| declared.value.as_ref());
                desired_secret.other_replica().is_some() || declared.is_some_and(|map| !map.is_empty())
            })
        };
        // A link that is made later in the run is followed then.
        let now = |name: &&SecretName| !later.contains(*name);
        let names: Vec<SecretName> = report.touched().filter(now).filter(declared).cloned().collect();
        if names.is_empty() {
            return Missing::default();
        }
        (self.listener)(Event::WaitingForReplicas { secrets: None });
        let ended = tokio::select! {
            ended = self.until_made(place, names.clone()) => ended.map_err(|error| {
                let cause = TargetError::Plan(PlanError::Service(error));
                Error::from(ErrorKind::ReplicasNotFollowed).because(cause)
            }),
            () = tokio::time::sleep(timeout) => {
                Err(Error::from(ErrorKind::ReplicasLate(timeout)).hint(Hint::ReplicasGoOn))
            }
            () = stopped(self.stop) => Err(ErrorKind::Interrupted { what: None }.into()),
        };
        (self.listener)(Event::WaitedForReplicas);
        match ended {
            Ok(missing) => {
                if missing.is_empty() {
                    (self.listener)(Event::ReplicasInSync { secrets: names.len() });
                }
                missing
            }
            Err(error) => {
                (self.listener)(Event::Failed(&error));
                Missing { others: true, ..Missing::default() }
            }
        }
    }

    /// Which replicas failed, when none is InProgress any more.
    async fn until_made(&self, place: &Place<'_>, mut waiting: Vec<SecretName>) -> Result<Missing, ServiceError> {
        let mut missing = Missing::default();
        loop {
            let seen = describe_all(place.writer, waiting.drain(..), &|_| {}).await?;
            for (secret, live) in seen {
                let mut in_progress = false;
                let live = live?;
                for (region, replica) in live.iter().flat_map(|live| &live.replicas) {
                    match &replica.status {
                        ReplicaStatus::InSync => {}
                        ReplicaStatus::InProgress => in_progress = true,
                        ReplicaStatus::Failed { message } => {
                            missing.failed.insert((secret.clone(), region.clone()));
                            let kind = ErrorKind::ReplicaFailed {
                                secret: secret.clone(),
                                place: region.to_string(),
                                message: message.clone(),
                            };
                            (self.listener)(Event::Failed(&kind.into()));
                        }
                    }
                }
                for (replica, LinkedReplica { status, .. }) in live.iter().flat_map(|live| &live.cross_account.replicas)
                {
                    match status {
                        LinkStatus::InProgress | LinkStatus::Pending => in_progress = true,
                        LinkStatus::InSync => {}
                        LinkStatus::Detached => missing.others = true,
                        LinkStatus::Failed { message } => {
                            missing.others = true;
                            let kind = ErrorKind::ReplicaFailed {
                                secret: secret.clone(),
                                place: replica.to_string(),
                                message: message.clone(),
                            };
                            (self.listener)(Event::Failed(&kind.into()));
                        }
                    }
                }
                if in_progress {
                    waiting.push(secret);
                }
            }
            if waiting.is_empty() {
                return Ok(missing);
            }
            (self.listener)(Event::WaitingForReplicas { secrets: Some(waiting.len()) });
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
