//! From what a plan was made from to what a sandbox is loaded with.
//!
//! Everything is taken apart field by field, so that a new field does not compile until somebody decides whether a copy
//! needs it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::placeholders::{Stock, of_version};
use crate::collect::CollectMap as _;
use crate::desired::Desired;
use crate::domain::{Arn, KmsKey, Region, SecretName, StagingLabel, VersionId};
use crate::live::{CrossAccount, LinkStatus, Live, LivePolicy, LiveReplica, LiveRotation, LiveSecret, ReplicaStatus};
use crate::plan::{CarriedVersion, Comparison, ValueFacts};
use crate::reconcile::TargetPlan;
use crate::sandbox::{
    Snapshot, SnapshotLinkStatus, SnapshotOtherPrimary, SnapshotOtherReplica, SnapshotReplica, SnapshotRotation,
    SnapshotStatus, SnapshotVersion,
};
use crate::value::Identity;

/// What the target holds.
pub(super) fn own(desired: &Desired, planned: &TargetPlan, stock: &Stock<'_>, now: Timestamp) -> Vec<Snapshot> {
    let (copier, live) = (Copier::new(desired, planned, stock, now), &planned.live);
    live.secrets.values().map(|secret| copier.secret(secret, &live.region, true)).collect()
}

/// What was seen in other regions, and what other targets hold. Of two that stand in one place, the first counts: what
/// was read for a plan goes before what was read for another.
pub(super) fn around(
    desired: &Desired,
    planned: &TargetPlan,
    beside: &[&Live],
    stock: &Stock<'_>,
    now: Timestamp,
) -> Vec<Snapshot> {
    let copier = Copier::new(desired, planned, stock, now);
    let other_regions = planned
        .live
        .other_regions
        .iter()
        .filter_map(|((region, _), secret)| secret.as_ref().map(|secret| copier.secret(secret, region, false)));
    let of_others = beside
        .iter()
        .flat_map(|other| other.secrets.values().map(|secret| copier.secret(secret, &other.region, false)));
    other_regions.chain(of_others).collect()
}

fn link_status(status: &LinkStatus) -> SnapshotLinkStatus {
    match status {
        LinkStatus::Pending => SnapshotLinkStatus::Pending,
        LinkStatus::InProgress => SnapshotLinkStatus::InProgress,
        LinkStatus::InSync => SnapshotLinkStatus::InSync,
        LinkStatus::Failed { message } => SnapshotLinkStatus::Failed { message: message.clone() },
        LinkStatus::Detached => SnapshotLinkStatus::Detached,
    }
}

struct Copier<'a> {
    desired: &'a Desired,
    facts: &'a ValueFacts,
    live: &'a Live,
    stock: &'a Stock<'a>,
    /// Versions that come along from an old name: one that is there already holds what the old one holds.
    carried: BTreeMap<(&'a SecretName, &'a str), &'a CarriedVersion>,
    now: Timestamp,
}

impl<'a> Copier<'a> {
    fn new(desired: &'a Desired, planned: &'a TargetPlan, stock: &'a Stock<'a>, now: Timestamp) -> Self {
        let TargetPlan { live, facts, plan, report: _ } = planned;
        let carried =
            plan.secrets.iter().flat_map(|secret| secret.carried().map(move |version| (&secret.name, version)));
        let carried = carried.map(|(name, version)| ((name, version.to.as_str()), version)).collect_map();
        Self { desired, facts, live, stock, carried, now }
    }

    /// `own` tells secrets of this target from those that only stand in some region.
    fn secret(&self, secret: &LiveSecret, region: &Region, own: bool) -> Snapshot {
        let LiveSecret {
            name,
            arn,
            description,
            kms_key_id,
            tags,
            deleted_at,
            owning_service,
            primary_region,
            versions,
            secret_type,
            rotation,
            replicas,
            cross_account: CrossAccount { primary, replicas: linked },
            last_changed,
            policy,
            // AWS makes these.
            other_policies: _,
            // Which call showed it.
            last_accessed: _,
            replicas_accessed: _,
            created: _,
            seen: _,
        } = secret;
        let replica_of = primary_region.as_ref().filter(|primary| *primary != region).map(Region::to_string);
        let replicas = replicas
            .iter()
            .map(|(region, replica)| (region.to_string(), self.replica(name, region, replica)))
            .collect_map();
        Snapshot {
            name: name.as_str().to_owned(),
            arn: arn.to_string(),
            description: description.clone(),
            kms_key_id: kms_key_id.as_ref().map(KmsKey::to_string),
            secret_type: secret_type.clone(),
            tags: tags.iter().map(|(key, value)| (key.to_string(), value.clone())).collect_map(),
            policy: match policy {
                LivePolicy::Document(document) => Some(document.to_wire()),
                LivePolicy::Unparsable(text) => Some(text.clone()),
                LivePolicy::None | LivePolicy::NotRead | LivePolicy::Unreadable => None,
            },
            versions: self.versions(name, versions, own),
            deletion_requested: *deleted_at,
            owning_service: owning_service.clone(),
            replica_of,
            replicas,
            rotation: self.rotation(rotation),
            changed: *last_changed,
            cross_account_replica: linked.iter().next().map(|(arn, link)| {
                let role = link.role.as_ref().map(Arn::to_string);
                SnapshotOtherReplica::new(arn.to_string(), role, link_status(&link.status))
            }),
            cross_account_primary: primary.as_ref().map(|primary| SnapshotOtherPrimary {
                arn: primary.arn.to_string(),
                status: link_status(&primary.status),
            }),
        }
    }

    /// The versions, those without a label too where the plan asked for them, each with a value of its own.
    fn versions(
        &self,
        name: &SecretName,
        versions: &BTreeMap<VersionId, BTreeSet<StagingLabel>>,
        own: bool,
    ) -> BTreeMap<String, SnapshotVersion> {
        let declared =
            self.desired.secrets.get(name).and_then(|desired_secret| desired_secret.value.as_ref()).filter(|_| own);
        let gits = match self.facts.identities.get(name) {
            Some(Identity::Known(id)) if own => Some(id.as_str()),
            _ => None,
        };
        let unlabelled = self.facts.unlabelled.get(name).filter(|_| own).into_iter().flatten();
        let none = BTreeSet::new();
        let labelled = versions.iter().map(|(id, labels)| (id.as_str(), labels));
        let ids: BTreeMap<&str, &BTreeSet<StagingLabel>> =
            unlabelled.map(|id| (id.as_str(), &none)).chain(labelled).collect_map();
        // A value that was compared with git's own, and found equal. One that could not be compared counts as equal:
        // the plan leaves it alone too.
        let compared = self.facts.compared.get(name).filter(|_| own);
        let equal = matches!(compared, Some(Comparison::Equal | Comparison::Unreadable(_)));
        let differs = matches!(compared, Some(Comparison::Differs { .. }));
        ids.into_iter()
            .map(|(id, labels)| {
                let current = labels.contains(StagingLabel::CURRENT);
                let is_gits = gits == Some(id) && !(current && differs);
                let carried = self.carried.get(&(name, id)).filter(|_| own);
                let value = match (declared, carried) {
                    (_, Some(CarriedVersion { from, version, .. })) => of_version(from, version.as_str()),
                    (Some(value), None) if is_gits || (current && equal) => self.stock.of(&value.source),
                    (_, None) => of_version(name, id),
                };
                (id.to_owned(), SnapshotVersion { labels: labels.iter().map(ToString::to_string).collect(), value })
            })
            .collect_map()
    }

    fn replica(&self, name: &SecretName, region: &Region, replica: &LiveReplica) -> SnapshotReplica {
        let LiveReplica { kms_key_id, status } = replica;
        let nothing_there = matches!(self.live.other_regions.get(&(region.clone(), name.clone())), Some(None));
        SnapshotReplica {
            kms_key_id: kms_key_id.as_ref().map(KmsKey::to_string),
            status: match status {
                ReplicaStatus::InSync => SnapshotStatus::InSync,
                ReplicaStatus::InProgress => SnapshotStatus::InProgress,
                // What was last seen is that it fails.
                ReplicaStatus::Failed { message } => {
                    SnapshotStatus::Failed { message: message.clone(), in_the_way: !nothing_there }
                }
            },
        }
    }

    fn rotation(&self, rotation: &LiveRotation) -> Option<SnapshotRotation> {
        if *rotation == LiveRotation::default() {
            return None;
        }
        let LiveRotation {
            enabled,
            lambda_arn,
            every_days,
            expression,
            duration,
            external_role_arn,
            external_metadata,
            last,
            next,
        } = rotation;
        Some(SnapshotRotation {
            enabled: *enabled,
            lambda_arn: lambda_arn.as_ref().map(Arn::to_string),
            // The days beside an expression are computed from it.
            every_days: every_days.filter(|_| expression.is_none()),
            expression: expression.clone(),
            duration: duration.as_ref().map(|duration| duration.as_str().to_owned()),
            external_role_arn: external_role_arn.as_ref().map(Arn::to_string),
            external_metadata: external_metadata.clone(),
            last: *last,
            // A rotation that is overdue is nothing that the plan does.
            next: next.filter(|next| *next > self.now),
        })
    }
}
