//! Which removals of a run begin, once everything else is over.
//!
//! A secret takes its replicas along, at once and for good. While those of what takes its place are being made, they
//! may be the only copies that readers there have, so it stays until these are in sync, and a later apply goes on. The
//! other way round, a replica that failed since its place is held by a replica that this run removes keeps no removal
//! waiting.

use std::collections::BTreeSet;

use super::outcome::AppliedTarget;
use super::prepare::{Planned, Prepared};
use crate::domain::{AccountId, Arn, Region, SecretName};
use crate::plan::{Action, Change, Finding, FindingKind, LinkFinding, Plan, ReplicaReason, SecretPlan};

/// A secret of a target, by the target's name.
type Secret = (String, SecretName);

/// What of a run is over, and its removals.
pub(super) struct Removals<'a, 'p> {
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) targets: &'a [AppliedTarget<'p>],
    /// The removals of these targets, in their order.
    pub(super) plans: &'a [Plan],
    /// Whether replicas were waited for.
    pub(super) waited: bool,
}

impl Removals<'_, '_> {
    /// Whether everything before them was done, but for what waits for them.
    pub(super) fn may_begin(&self) -> bool {
        self.targets.iter().all(|target| {
            let waits = |left: &SecretPlan| self.waits_for_removals(target.plan.account.as_ref(), left);
            target.is_complete() || target.left().is_some_and(|left| left.iter().all(waits))
        })
    }

    /// Whether nothing is left of a secret but replicas whose place is held by one that goes.
    fn waits_for_removals(&self, account: Option<&AccountId>, left: &SecretPlan) -> bool {
        left.moved_from().is_none()
            && left.changes.iter().all(|change| match change {
                Change::Replica { region, after: Some(_), reason: ReplicaReason::Failed { .. }, .. } => {
                    self.frees(account, region, &left.name)
                }
                _ => false,
            })
    }

    /// Whether a removal takes a replica of this name away from a region.
    fn frees(&self, account: Option<&AccountId>, region: &Region, name: &SecretName) -> bool {
        let of_account = self.plans.iter().filter(|plan| account.is_some() && plan.account.as_ref() == account);
        let removed = of_account.flat_map(|plan| &plan.secrets).filter(|secret| secret.name == *name);
        removed.flat_map(|secret| &secret.actions).any(|action| match action {
            Action::RemoveReplicas { regions } => regions.contains(region),
            _ => false,
        })
    }

    /// The removals that are held back.
    pub(super) fn held_back(&self) -> BTreeSet<Secret> {
        let copying = self.copying();
        let takes = |secret: &SecretPlan, copies: fn(&Action) -> bool| secret.actions.iter().any(copies);
        let of_regions = |action: &Action| matches!(action, Action::RemoveReplicas { .. });
        let of_any = |action: &Action| matches!(action, Action::RemoveReplicas { .. } | Action::StopReplication);
        let is_kept = |target: &String, secret: &SecretPlan| {
            if let Some(new) = secret.moved_to() {
                return takes(secret, of_any) && copying.contains(&(target.clone(), new.name.clone()));
            }
            // What another target has under the name may take its place; that of a linked replica may be its primary.
            let is_other = |(other, name): &Secret| other != target && *name == secret.name;
            takes(secret, of_regions) && copying.iter().any(is_other)
        };
        let secrets = self.plans.iter().flat_map(|plan| plan.secrets.iter().map(move |secret| (&plan.target, secret)));
        let kept = secrets.filter(|(target, secret)| is_kept(target, secret));
        kept.map(|(target, secret)| (target.clone(), secret.name.clone())).collect()
    }

    /// Secrets whose copies are being made, as they were read again, or as they were planned where nothing was.
    fn copying(&self) -> BTreeSet<Secret> {
        let mut copying = BTreeSet::new();
        for (desired, planned) in self.prepared.planned() {
            let target = &planned.target.plan.target;
            let run = self.targets.iter().find(|run| run.plan.target == *target);
            // What was followed to its end is made.
            let is_followed = |name: &SecretName| {
                let declares = desired.secrets.get(name).is_some_and(|secret| {
                    let replicas = secret.replicas.as_ref().and_then(|declared| declared.value.as_ref());
                    secret.other_replica().is_some() || replicas.is_some_and(|replicas| !replicas.is_empty())
                });
                let run = run.filter(|run| self.waited && run.is_complete());
                declares && run.is_some_and(|run| run.report.touched().any(|touched| touched == name))
            };
            let read_again = |name: &SecretName| run.is_some_and(|run| run.read_again.names.contains(name));
            let before = planned.target.report.findings.iter().filter(|finding| !read_again(&finding.secret));
            let after = run.into_iter().flat_map(|run| &run.read_again.held_back);
            let findings = before.chain(after).filter(|finding| is_copying(finding) && !is_followed(&finding.secret));
            for finding in findings {
                copying.insert((target.clone(), finding.secret.clone()));
                copying.extend(other_side(finding).and_then(|arn| self.named(arn)));
            }
            let unread = planned.target.plan.secrets.iter().filter(|secret| !read_again(&secret.name));
            let made = unread.filter(|secret| makes_copies(secret) && !is_followed(&secret.name));
            copying.extend(made.map(|secret| (target.clone(), secret.name.clone())));
        }
        copying
    }

    /// The secret of a target of this run that has the ARN.
    fn named(&self, arn: &Arn) -> Option<Secret> {
        let parts = arn.parts()?;
        let name = SecretName::new(parts.secret_name()?);
        let is_there = |planned: &&Planned| {
            let plan = &planned.target.plan;
            plan.region == parts.region && plan.account.as_ref().is_some_and(|account| *account == parts.account)
        };
        let planned = self.prepared.planned().map(|(_, planned)| planned).find(is_there)?;
        Some((planned.target.plan.target.clone(), name))
    }
}

/// The removals in two: those that are held back, and those that begin.
pub(super) fn parted(removals: Vec<Plan>, held_back: &BTreeSet<Secret>) -> (Vec<Plan>, Vec<Plan>) {
    let parted = removals.into_iter().map(|plan| {
        let (mut kept, mut begun) = (plan.clone(), plan);
        let is_kept = |target: &String, name: &SecretName| held_back.contains(&(target.clone(), name.clone()));
        let target = kept.target.clone();
        kept.secrets.retain(|secret| is_kept(&target, &secret.name));
        begun.secrets.retain(|secret| !is_kept(&target, &secret.name));
        (kept, begun)
    });
    parted.unzip()
}

/// Whether copies are being made in a target that nothing is planned for.
pub(super) fn is_copying_beside(prepared: &Prepared<'_>) -> bool {
    let idle = prepared.planned().filter(|(_, planned)| planned.target.plan.is_empty());
    idle.flat_map(|(_, planned)| &planned.target.report.findings).any(is_copying)
}

/// Whether a copy is being made, or is asked for and not there.
fn is_copying(finding: &Finding) -> bool {
    match &finding.kind {
        FindingKind::ReplicaInProgress { .. } => true,
        FindingKind::CrossAccount(finding) => {
            matches!(finding, LinkFinding::Pending { .. } | LinkFinding::InProgress { .. } | LinkFinding::Failed { .. })
        }
        _ => false,
    }
}

/// The secret on the other side of a link that is not in sync.
fn other_side(finding: &Finding) -> Option<&Arn> {
    match &finding.kind {
        FindingKind::CrossAccount(LinkFinding::InProgress { other } | LinkFinding::Failed { other, .. }) => Some(other),
        _ => None,
    }
}

/// Whether copies are asked for, which come to be later.
fn makes_copies(secret: &SecretPlan) -> bool {
    secret.actions.iter().any(|action| match action {
        Action::Replicate { .. } | Action::Associate(_) => true,
        Action::Create { replicas, cross_account_primary, .. } => {
            !replicas.is_empty() || cross_account_primary.is_some()
        }
        _ => false,
    })
}
