//! ReplicateSecretToRegions, RemoveRegionsFromReplication and StopReplicationToReplica.

use serde::{Deserialize, Serialize};

use super::{Context, cross_account};
use crate::clock::Moment;
use crate::faults::{FaultProfile, ReplicationOutcome};
use crate::home::Home;
use crate::state::{Found, Replica, ReplicaStatus, SecretId, SecretRecord, Transaction, View, Writer, kms, replica};
use crate::wire::{Constraints, EpochSeconds, Reply, ServiceError, input, limits};

const REGION_PATTERN: &str = "^([a-z]+-)+\\d+$";

/// A region of a request; the model requires neither member.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegionInput {
    region: Option<String>,
    kms_key_id: Option<String>,
}

/// One region's state as answers show it, in the order of the API model.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StatusMembers {
    region: String,
    kms_key_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<EpochSeconds>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    replication_status: Vec<StatusMembers>,
}

/// What the model says of regions to replicate to.
pub(super) fn check(constraints: &mut Constraints, regions: &[RegionInput]) {
    constraints.at_least_one("addReplicaRegions", regions.len());
    for (index, RegionInput { region, kms_key_id }) in regions.iter().enumerate() {
        let member = |part: &str| format!("addReplicaRegions.{}.member.{part}", index + 1);
        check_region(constraints, &member("region"), region.as_deref());
        constraints.text(&member("kmsKeyId"), kms_key_id.as_deref(), limits::KMS_KEY_ID);
    }
}

fn check_region(constraints: &mut Constraints, member: &str, region: Option<&str>) {
    constraints.text(member, region, limits::REGION);
    if let Some(region) = region {
        constraints.pattern(member, region, is_region(region), REGION_PATTERN);
    }
}

/// Words of lower-case letters, each with a hyphen behind it, then a number.
fn is_region(text: &str) -> bool {
    let mut words = text.split('-').rev();
    let ends_in_number =
        words.next().is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    let words: Vec<&str> = words.collect();
    ends_in_number
        && !words.is_empty()
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The replicas that a request adds.
#[derive(Clone)]
pub(super) struct RequestedReplicas {
    regions: Vec<(String, Option<String>)>,
    overwrite: bool,
}

impl RequestedReplicas {
    /// Refuses the secret's own region, a region given twice or not at all (for these two the text is not known), and
    /// keys of a wrong form.
    pub(super) fn read(home: &Home, regions: Vec<RegionInput>, overwrite: Option<bool>) -> Result<Self, ServiceError> {
        let mut accepted: Vec<(String, Option<String>)> = Vec::with_capacity(regions.len());
        for RegionInput { region, kms_key_id } in regions {
            let region = region.ok_or_else(ServiceError::invalid_replica_region)?;
            if region == home.region || accepted.iter().any(|(other, _)| *other == region) {
                return Err(ServiceError::invalid_replica_region());
            }
            let kms_key_id = kms_key_id.filter(|key| !key.is_empty());
            kms_key_id.as_deref().map_or(Ok(()), kms::check)?;
            accepted.push((region, kms_key_id));
        }
        Ok(Self { regions: accepted, overwrite: overwrite.unwrap_or(false) })
    }

    /// The replicas as they begin: the copies are made later.
    pub(super) fn begin(self, now: Moment, profile: &FaultProfile) -> Vec<Replica> {
        let until = now.plus(profile.replication_delay);
        let status = ReplicaStatus::InProgress { until, overwrite: self.overwrite };
        let begin = |(region, kms_key_id)| Replica { region, kms_key_id, status: status.clone() };
        self.regions.into_iter().map(begin).collect()
    }
}

/// The state of every region of a secret.
pub(super) fn statuses<T: Transaction>(
    view: &View<'_, T>,
    home: &Home,
    record: &SecretRecord,
) -> Result<Vec<StatusMembers>, ServiceError> {
    let status = |replica: &Replica| {
        let copy = replica::copy_of(view, home, record, replica)?;
        let (status, status_message) = match &replica.status {
            ReplicaStatus::InProgress { .. } => ("InProgress", None),
            ReplicaStatus::InSync => ("InSync", Some("Replication succeeded".to_owned())),
            ReplicaStatus::Failed { message } => ("Failed", Some(message.clone())),
        };
        Ok(StatusMembers {
            region: replica.region.clone(),
            kms_key_id: replica::shown_key(replica).to_owned(),
            status,
            status_message,
            last_accessed_date: copy.and_then(|copy| copy.accessed).map(EpochSeconds),
        })
    };
    record.replicas.iter().map(status).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReplicateInput {
    secret_id: Option<String>,
    add_replica_regions: Option<Vec<RegionInput>>,
    force_overwrite_replica_secret: Option<bool>,
}

/// A region that has a replica already begins again: that is how a failed one is tried again, and how its key changes
/// (what the real service does with one that is in sync is not known).
pub(super) fn replicate_secret_to_regions(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: ReplicateInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let missing = input.add_replica_regions.is_none();
    let regions = constraints.required("addReplicaRegions", input.add_replica_regions);
    if !missing {
        check(&mut constraints, &regions);
    }
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find_origin(writer, &id)?;
        let requested = RequestedReplicas::read(&found.home, regions, input.force_overwrite_replica_secret)?;
        for replica in requested.begin(writer.now(), context.profile) {
            match found.record.replicas.iter_mut().find(|other| other.region == replica.region) {
                Some(other) => *other = replica,
                None => found.record.replicas.push(replica),
            }
        }
        found.save_changed(writer)?;
        answer(writer, &found)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveInput {
    secret_id: Option<String>,
    remove_replica_regions: Option<Vec<String>>,
}

/// Removes the copies at once. The real service may take a while. A region without a replica is passed over.
pub(super) fn remove_regions_from_replication(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: RemoveInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let missing = input.remove_replica_regions.is_none();
    let regions = constraints.required("removeReplicaRegions", input.remove_replica_regions);
    if !missing {
        constraints.at_least_one("removeReplicaRegions", regions.len());
    }
    for (index, region) in regions.iter().enumerate() {
        check_region(&mut constraints, &format!("removeReplicaRegions.{}.member", index + 1), Some(region));
    }
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find_origin(writer, &id)?;
        for replica in found.record.replicas.iter().filter(|replica| regions.contains(&replica.region)) {
            replica::remove_copy(writer, &found.home, &found.record, replica)?;
        }
        found.record.replicas.retain(|replica| !regions.contains(&replica.region));
        found.save_changed(writer)?;
        answer(writer, &found)
    })
}

fn answer(writer: &Writer<'_>, found: &Found) -> Result<Reply, ServiceError> {
    let replication_status = statuses(writer, &found.home, &found.record)?;
    Reply::json(&Output { arn: &found.record.arn, replication_status })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StopInput {
    secret_id: Option<String>,
}

#[derive(Serialize)]
struct StopOutput<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
}

/// Makes a copy a secret of its own, in the region where the call is made; its primary knows nothing of it any more.
/// One of another account's secret is made one too; its primary shows it as detached. The error for a secret that is no
/// copy is not known from the real service.
pub(super) fn stop_replication_to_replica(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: StopInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find_live(writer, &id)?;
        if found.record.cross_account_primary.is_some() {
            cross_account::promote(context, writer, &mut found)?;
            return Reply::json(&StopOutput { arn: &found.record.arn });
        }
        let Some(primary) = found.record.replica_of.take() else {
            return Err(ServiceError::invalid_request(
                "Operation not permitted on a secret that is not a replica. Call must be made in the replica's region.",
            ));
        };
        let primary = Home::new(&found.home.account, &primary);
        if let Some(mut record) = writer.secret(&primary, &found.record.name)? {
            record.replicas.retain(|replica| replica.region != found.home.region);
            Found { home: primary, record }.save_changed(writer)?;
        }
        found.save_changed(writer)?;
        Reply::json(&StopOutput { arn: &found.record.arn })
    })
}

/// Ends the replications of a secret that are due: makes the copies, or notes why they cannot be made.
pub(super) fn finish(context: &Context<'_>, writer: &Writer<'_>, found: &mut Found) -> Result<(), ServiceError> {
    let mut replicas = found.record.replicas.clone();
    for replica in &mut replicas {
        match replica.status {
            ReplicaStatus::InProgress { until, overwrite } if until <= writer.now() => {
                replica.status = match context.replications.outcome(&found.record.name) {
                    ReplicationOutcome::Fail(message) => ReplicaStatus::Failed { message },
                    ReplicationOutcome::Succeed => {
                        replica::make_copy(writer, &found.home, &found.record, replica, overwrite)?
                    }
                };
            }
            _ => {}
        }
    }
    found.record.replicas = replicas;
    Ok(writer.save(&found.home, &found.record)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_the_models_form() {
        for good in ["eu-west-1", "us-gov-east-1", "a-1", "us-west-12"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "1", "eu", "eu-west", "eu--1", "-1", "EU-west-1", "eu-west-1a", "eu-west-", "eu_west-1"] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
