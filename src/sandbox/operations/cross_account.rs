//! AssociateCrossAccountReplica and DisassociateCrossAccountReplica, and what other operations have of a replication
//! between accounts: the primary that CreateSecret names, what DescribeSecret shows, the end that
//! StopReplicationToReplica makes, the policy of a replica.
//!
//! No answer of the real service was seen. The API model and the user guide say what is refused and mostly not with
//! which code; no text is known. What they leave open is decided here so that a client that goes well with it goes well
//! with either answer: an association is in the way of a deletion and of another one until it is taken off, detached or
//! not. The sandbox has no KMS and no organizations: whether the keys allow a copy is up to the fault file, and all of
//! its accounts are one organization but for those that the fault profile takes out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Context;
use crate::clock::Moment;
use crate::faults::{FaultProfile, ReplicationOutcome};
use crate::home::{Home, partition};
use crate::state::{
    CrossAccountPrimary, CrossAccountReplica, CrossAccountStatus, Found, SecretId, SecretRecord, Writer, cross_account,
    kms,
};
use crate::wire::{Constraints, ErrorCode, Reply, ServiceError, input, limits};

/// What a replica shows of its primary.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PrimaryMembers<'r> {
    #[serde(rename = "PrimarySecretARN")]
    primary_secret_arn: &'r str,
    replication_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'r str>,
}

/// What a primary shows of its replica.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicaMembers<'r> {
    #[serde(rename = "ReplicaSecretARN")]
    replica_secret_arn: &'r str,
    #[serde(rename = "ReplicationRoleARN", skip_serializing_if = "Option::is_none")]
    replication_role_arn: Option<&'r str>,
    replication_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'r str>,
}

impl<'r> PrimaryMembers<'r> {
    pub(super) fn of(CrossAccountPrimary { arn, status }: &'r CrossAccountPrimary) -> Self {
        Self { primary_secret_arn: arn, replication_status: status.name(), status_message: status.message() }
    }
}

impl<'r> ReplicaMembers<'r> {
    pub(super) fn of(replica: &'r CrossAccountReplica) -> Self {
        let CrossAccountReplica { arn, role_arn, status, copies_at: _ } = replica;
        Self {
            replica_secret_arn: arn,
            replication_role_arn: role_arn.as_deref(),
            replication_status: status.name(),
            status_message: status.message(),
        }
    }
}

/// The managed policy of a replica; none of any other secret. The real text is not known. This one grants what the user
/// guide says that it grants: that the primary's account may associate the replica.
pub(super) fn managed_policy(record: &SecretRecord) -> Option<Value> {
    let primary = record.cross_account_primary.as_ref()?;
    let mut parts = primary.arn.split(':').skip(1);
    let (partition, account) = (parts.next()?, parts.nth(2)?);
    Some(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AcceptCrossAccountReplication",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:{partition}:iam::{account}:root")},
            "Action": "secretsmanager:AcceptCrossAccountReplication",
            "Resource": record.arn,
        }],
    }))
}

/// Where the secret on the other side is: in another account, in the same region and partition (documented).
fn other_side(member: &str, arn: &str, home: &Home) -> Result<Home, ServiceError> {
    let Ok(SecretId::Arn { home: there, .. }) = SecretId::parse(arn) else {
        return Err(ServiceError::invalid_parameter(format!("{member} is not the ARN of a secret: {arn}")));
    };
    let own_partition = format!("arn:{}:", partition(&home.region));
    if there.region != home.region || !arn.starts_with(&own_partition) {
        return Err(ServiceError::invalid_parameter(format!(
            "{member} must be the ARN of a secret in the same AWS Region and partition: {arn}"
        )));
    }
    if there.account == home.account {
        return Err(ServiceError::invalid_parameter(format!(
            "{member} must be the ARN of a secret in another AWS account: {arn}"
        )));
    }
    Ok(there)
}

/// What CreateSecret refuses beside CrossAccountPrimaryARN, and the key that it insists on. Whether there is such a
/// primary is not looked at: who makes a replica needs no permission on it.
pub(super) fn created(
    home: &Home,
    primary: &str,
    beside: &[(&str, bool)],
    kms_key_id: Option<&str>,
) -> Result<CrossAccountPrimary, ServiceError> {
    let given: Vec<&str> = beside.iter().filter(|(_, given)| *given).map(|(member, _)| *member).collect();
    if !given.is_empty() {
        let given = given.join(", ");
        return Err(ServiceError::invalid_parameter(format!("You can't include {given} with CrossAccountPrimaryARN.")));
    }
    refuse_default_key(kms_key_id)?;
    other_side("CrossAccountPrimaryARN", primary, home)?;
    Ok(CrossAccountPrimary { arn: primary.to_owned(), status: CrossAccountStatus::Pending })
}

/// The key of a replica is its owner's: the one of AWS cannot be used from another account (documented).
pub(super) fn refuse_default_key(kms_key_id: Option<&str>) -> Result<(), ServiceError> {
    if kms_key_id.is_none_or(kms::is_default) {
        return Err(ServiceError::invalid_parameter(
            "You must specify a customer managed KMS key for a cross-account replica.",
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssociateInput {
    secret_id: Option<String>,
    #[serde(rename = "CrossAccountReplicaARN")]
    cross_account_replica_arn: Option<String>,
    replica_restriction: Option<String>,
    #[serde(rename = "ReplicationRoleARN")]
    replication_role_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    #[serde(rename = "CrossAccountReplicaARN")]
    cross_account_replica_arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_status: Option<&'static str>,
}

/// Associates a replica, or repairs a replication that failed or was detached from this side. A replica that is in sync
/// is left as it is, but for the role, which is the request's each time.
///
/// Checked in this order: the form of the request, the primary, the other side's place, the role and the organization,
/// the replica, and whether another one is associated (which the model lists LimitExceededException for, it seems).
pub(super) fn associate_cross_account_replica(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: AssociateInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let arn = constraints.required_text("crossAccountReplicaARN", input.cross_account_replica_arn, limits::SECRET_ARN);
    let restrictions = ["SameOrg", "NoRestriction"];
    constraints.one_of("replicaRestriction", input.replica_restriction.as_deref(), &restrictions);
    constraints.text("replicationRoleARN", input.replication_role_arn.as_deref(), limits::ROLE_ARN);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let any_organization = input.replica_restriction.as_deref() == Some("NoRestriction");
    context.write(|writer| {
        let mut found = context.find_own(writer, &id)?;
        refuse_foreign_caller(context, &found, "primary")?;
        found.refuse_cross_account_replica()?;
        let there = other_side("CrossAccountReplicaARN", &arn, &found.home)?;
        check_role(input.replication_role_arn.as_deref(), &found.home)?;
        if !any_organization {
            refuse_other_organization(context.profile, &found.home, &there)?;
        }
        let mut replica = accepted(writer, &found, &arn)?;
        refuse_second(&found, &replica)?;
        begin(context, &mut found, &mut replica, input.replication_role_arn);
        writer.save(&replica.home, &replica.record)?;
        found.save_changed(writer)?;
        let status = found.record.cross_account_replica.as_ref().map(|link| link.status.name());
        Reply::json(&Output {
            arn: &found.record.arn,
            cross_account_replica_arn: &replica.record.arn,
            replication_status: status,
        })
    })
}

/// Both operations are called from the account that has the secret (documented).
pub(super) fn refuse_foreign_caller(context: &Context<'_>, found: &Found, side: &str) -> Result<(), ServiceError> {
    if found.home.account == context.caller.account {
        return Ok(());
    }
    Err(ServiceError::invalid_request(format!("You must call this operation from the account that owns the {side}.")))
}

/// The role must be one of the primary's account (documented).
fn check_role(role: Option<&str>, home: &Home) -> Result<(), ServiceError> {
    let Some(role) = role else { return Ok(()) };
    let own = format!("arn:{}:iam::{}:role/", partition(&home.region), home.account);
    if role.strip_prefix(&own).is_some_and(|name| !name.is_empty()) {
        return Ok(());
    }
    Err(ServiceError::invalid_parameter(format!(
        "ReplicationRoleARN must be the ARN of a role in the account of the primary: {role}"
    )))
}

/// SameOrg, which holds where the request does not say otherwise.
fn refuse_other_organization(profile: &FaultProfile, home: &Home, there: &Home) -> Result<(), ServiceError> {
    let outside = |account: &str| profile.outside_organization.iter().any(|it| it == account);
    if !outside(&home.account) && !outside(&there.account) {
        return Ok(());
    }
    Err(ServiceError::invalid_request(format!(
        "The account {} of the replica is not in the organization of the account {}. Set ReplicaRestriction to \
         NoRestriction to replicate outside of it.",
        there.account, home.account
    )))
}

/// The replica, which its owner made for this primary (documented).
fn accepted(writer: &Writer<'_>, primary: &Found, replica: &str) -> Result<Found, ServiceError> {
    let found = cross_account::secret_of(writer, replica)?.ok_or_else(|| {
        ServiceError::new(ErrorCode::ResourceNotFound, "Secrets Manager can't find the specified replica secret.")
    })?;
    found.refuse_scheduled()?;
    let of = found.record.cross_account_primary.as_ref();
    if of.is_some_and(|of| of.arn == primary.record.arn) {
        return Ok(found);
    }
    Err(ServiceError::invalid_request(format!(
        "The secret {} was not created as a cross-account replica of {}.",
        found.record.arn, primary.record.arn
    )))
}

/// A primary has one replica at most (documented).
fn refuse_second(primary: &Found, replica: &Found) -> Result<(), ServiceError> {
    match &primary.record.cross_account_replica {
        Some(other) if other.arn != replica.record.arn => Err(ServiceError::new(
            ErrorCode::LimitExceeded,
            format!(
                "A primary secret can have at most one cross-account replica. {} is associated with {}.",
                primary.record.arn, other.arn
            ),
        )),
        _ => Ok(()),
    }
}

fn begin(context: &Context<'_>, primary: &mut Found, replica: &mut Found, role_arn: Option<String>) {
    let in_sync = |link: &CrossAccountReplica| link.status == CrossAccountStatus::InSync;
    if let Some(link) = primary.record.cross_account_replica.as_mut().filter(|link| in_sync(link)) {
        link.role_arn = role_arn;
        return;
    }
    let Found { record, .. } = replica;
    primary.record.cross_account_replica = Some(CrossAccountReplica {
        arn: record.arn.clone(),
        role_arn,
        status: CrossAccountStatus::InProgress,
        copies_at: Some(context.now.plus(context.profile.replication_delay)),
    });
    set_status(replica, CrossAccountStatus::InProgress);
}

/// Sets what a replica shows of the replication.
fn set_status(replica: &mut Found, status: CrossAccountStatus) {
    if let Some(primary) = &mut replica.record.cross_account_primary {
        primary.status = status;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DisassociateInput {
    secret_id: Option<String>,
    #[serde(rename = "CrossAccountReplicaARN")]
    cross_account_replica_arn: Option<String>,
}

/// Takes the association off; the replica stays one, detached. The error where it is not associated is not known.
pub(super) fn disassociate_cross_account_replica(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: DisassociateInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let arn = constraints.required_text("crossAccountReplicaARN", input.cross_account_replica_arn, limits::SECRET_ARN);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find_own(writer, &id)?;
        refuse_foreign_caller(context, &found, "primary")?;
        other_side("CrossAccountReplicaARN", &arn, &found.home)?;
        if found.record.cross_account_replica.as_ref().is_none_or(|link| link.arn != arn) {
            return Err(ServiceError::invalid_request(format!(
                "The secret {} is not associated with the cross-account replica {arn}.",
                found.record.arn
            )));
        }
        if let Some(mut replica) = cross_account::replica_of(writer, &found.record)? {
            set_status(&mut replica, CrossAccountStatus::Detached);
            writer.save(&replica.home, &replica.record)?;
        }
        found.record.cross_account_replica = None;
        found.save_changed(writer)?;
        let output = Output { arn: &found.record.arn, cross_account_replica_arn: &arn, replication_status: None };
        Reply::json(&output)
    })
}

/// Makes a replica a secret of its own: its primary shows it as detached, and its managed policy is gone.
pub(super) fn promote(context: &Context<'_>, writer: &Writer<'_>, replica: &mut Found) -> Result<(), ServiceError> {
    refuse_foreign_caller(context, replica, "replica")?;
    if let Some(mut primary) = cross_account::primary_of(writer, &replica.record)? {
        if let Some(link) = &mut primary.record.cross_account_replica {
            link.status = CrossAccountStatus::Detached;
            link.copies_at = None;
        }
        writer.save(&primary.home, &primary.record)?;
    }
    replica.record.cross_account_primary = None;
    replica.save_changed(writer)
}

/// Copies the values of a secret to its replica in another account when that is due, or notes why they cannot be
/// copied.
pub(super) fn finish(context: &Context<'_>, writer: &Writer<'_>, found: &mut Found) -> Result<(), ServiceError> {
    let now: Moment = writer.now();
    let due = |link: &CrossAccountReplica| link.copies_at.is_some_and(|at| at <= now);
    if !found.record.cross_account_replica.as_ref().is_some_and(due) {
        return Ok(());
    }
    let replica = cross_account::replica_of(writer, &found.record)?;
    let status = match context.replications.outcome(&found.record.name) {
        ReplicationOutcome::Fail(message) => CrossAccountStatus::Failed { message },
        // Also where a snapshot left the replica out: nothing else keeps a replica from being there.
        ReplicationOutcome::Succeed => CrossAccountStatus::InSync,
    };
    if let Some(mut replica) = replica {
        if status == CrossAccountStatus::InSync {
            cross_account::copy_values(writer, (&found.home, &found.record), &mut replica)?;
        }
        set_status(&mut replica, status.clone());
        writer.save(&replica.home, &replica.record)?;
    }
    if let Some(link) = &mut found.record.cross_account_replica {
        link.status = status;
        link.copies_at = None;
    }
    Ok(writer.save(&found.home, &found.record)?)
}
