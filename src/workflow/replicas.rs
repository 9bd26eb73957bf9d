//! Replicas, followed until they are made. A replication takes seconds to minutes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::apply::ApplyRequest;
use super::error::{Error, ErrorKind, Hint};
use super::event::{Event, Place};
use super::stop::stopped;
use crate::apply::ApplyReport;
use crate::domain::SecretName;
use crate::live::{LinkStatus, LinkedReplica, ReplicaStatus, ServiceError, describe_all};
use crate::reconcile::{PlanError, TargetError};

/// How often replicas that are being made are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl ApplyRequest<'_> {
    /// Looks at the secrets that were done until none of their replicas is InProgress; tells whether all were made.
    pub(super) async fn follow_replicas(
        &self,
        place: &Place<'_>,
        report: &ApplyReport,
        later: &BTreeSet<SecretName>,
        timeout: Duration,
    ) -> bool {
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
            return true;
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
            Ok(0) => {
                (self.listener)(Event::ReplicasInSync { secrets: names.len() });
                true
            }
            Ok(_) => false,
            Err(error) => {
                (self.listener)(Event::Failed(&error));
                false
            }
        }
    }

    /// How many replicas failed, when none is InProgress any more.
    async fn until_made(&self, place: &Place<'_>, mut waiting: Vec<SecretName>) -> Result<usize, ServiceError> {
        let mut failed = 0_usize;
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
                            failed += 1;
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
                        LinkStatus::Detached => failed += 1,
                        LinkStatus::Failed { message } => {
                            failed += 1;
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
                return Ok(failed);
            }
            (self.listener)(Event::WaitingForReplicas { secrets: Some(waiting.len()) });
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
