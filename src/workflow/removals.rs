//! Which removals of a run begin, once everything else is over.
//!
//! A secret takes its replicas along, at once and for good. While those of what takes its place are being made, they
//! may be the only copies that readers there have, so it stays until these are in sync, and a later apply goes on. The
//! other way round, a replica whose place is held by a replica that this run removes keeps no removal waiting, whether
//! it failed or is being made still: it cannot come to be before.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::AppliedTarget;
use super::prepare::{Planned, Prepared};
use crate::collect::CollectSet as _;
use crate::domain::{AccountId, Arn, Region, SecretName};
use crate::plan::{Action, Finding, FindingKind, LinkFinding, OtherCopies, Plan, SecretPlan};

/// A secret of a target, by the target's name.
type Secret = (String, SecretName);

/// Copies of a secret that are being made.
#[derive(Default)]
struct Copies {
    /// Replicas, by their regions.
    regions: BTreeSet<Region>,
    /// Whether the secret is linked with one of another account, and its value is on the way there.
    linked: bool,
}

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
        self.targets.iter().all(|target| self.is_over(target))
    }

    /// Whether everything of a target was done, but for what waits for removals.
    fn is_over(&self, target: &AppliedTarget<'_>) -> bool {
        let account = target.plan.account.as_ref();
        let is_move = |name: &SecretName| {
            target.plan.secrets.iter().any(|secret| secret.name == *name && secret.moved_from().is_some())
        };
        let may_fail = |(name, region): &(SecretName, Region)| !is_move(name) && self.frees(account, region, name);
        target.is_complete()
            || target.left().is_some_and(|(left, failed)| {
                left.iter().all(|left| self.waits_for_removals(account, left)) && failed.iter().all(may_fail)
            })
    }

    /// Whether nothing is left of a secret but replicas whose place is held by one that goes.
    fn waits_for_removals(&self, account: Option<&AccountId>, left: &SecretPlan) -> bool {
        left.moved_from().is_none() && left.waits_only_for_places(|region| self.frees(account, region, &left.name))
    }

    /// Whether a removal takes a replica of this name away from a region.
    fn frees(&self, account: Option<&AccountId>, region: &Region, name: &SecretName) -> bool {
        let of_account = self.plans.iter().filter(|plan| account.is_some() && plan.account.as_ref() == account);
        let mut removed = of_account.flat_map(|plan| &plan.secrets).filter(|secret| secret.name == *name);
        removed.any(|secret| secret.regions_removed().contains(region))
    }

    /// The removals that are held back.
    pub(super) fn held_back(&self) -> BTreeSet<Secret> {
        let copying = self.copying();
        let takes = |secret: &SecretPlan, copies: fn(&Action) -> bool| secret.actions.iter().any(copies);
        let of_any = |action: &Action| matches!(action, Action::RemoveReplicas { .. } | Action::StopReplication);
        let is_kept = |plan: &Plan, secret: &SecretPlan| {
            if let Some(new) = secret.moved_to() {
                return takes(secret, of_any) && copying.contains_key(&(plan.target.clone(), new.name.clone()));
            }
            copying.iter().any(|((other, name), copies)| {
                *other != plan.target && *name == secret.name && self.takes_place(plan, secret, other, copies)
            })
        };
        let secrets = self.plans.iter().flat_map(|plan| plan.secrets.iter().map(move |secret| (plan, secret)));
        let kept = secrets.filter(|(plan, secret)| is_kept(plan, secret));
        kept.map(|(plan, secret)| (plan.target.clone(), secret.name.clone())).collect()
    }

    /// Whether copies of what another target has under the name of a secret that goes are to take the place of its
    /// replicas.
    fn takes_place(&self, plan: &Plan, gone: &SecretPlan, other: &str, copies: &Copies) -> bool {
        let Some((_, there)) = self.prepared.planned().find(|(_, planned)| planned.target.plan.target == other) else {
            return false;
        };
        let account = there.target.plan.account.as_ref();
        let copies = OtherCopies {
            same_account: plan.account.is_some() && plan.account.as_ref() == account,
            regions: copies.regions.iter().collect_set(),
            linked: copies.linked,
            before: there.target.live.secrets.get(&gone.name),
        };
        gone.waits_for_copies(&copies, |region| self.frees(account, region, &gone.name))
    }

    /// Secrets whose copies are being made, as they were read again, or as they were planned where nothing was.
    fn copying(&self) -> BTreeMap<Secret, Copies> {
        let mut copying: BTreeMap<Secret, Copies> = BTreeMap::new();
        for (desired, planned) in self.prepared.planned() {
            let target = &planned.target.plan.target;
            let run = self.targets.iter().find(|run| run.plan.target == *target);
            // What was followed to its end is made.
            let is_followed = |name: &SecretName| {
                let declares = desired.secrets.get(name).is_some_and(|secret| {
                    let replicas = secret.replicas.as_ref().and_then(|declared| declared.value.as_ref());
                    secret.other_replica().is_some() || replicas.is_some_and(|replicas| !replicas.is_empty())
                });
                let run = run.filter(|run| self.waited && self.is_over(run));
                declares && run.is_some_and(|run| run.report.touched().any(|touched| touched == name))
            };
            let read_again = |name: &SecretName| run.is_some_and(|run| run.read_again.names.contains(name));
            let before = planned.target.report.findings.iter().filter(|finding| !read_again(&finding.secret));
            let after = run.into_iter().flat_map(|run| &run.read_again.held_back);
            let findings = before.chain(after).filter(|finding| is_copying(finding) && !is_followed(&finding.secret));
            for finding in findings {
                let copies = copying.entry((target.clone(), finding.secret.clone())).or_default();
                match &finding.kind {
                    FindingKind::ReplicaInProgress { regions } => copies.regions.extend(regions.iter().cloned()),
                    _ => copies.linked = true,
                }
                if let Some(other) = other_side(finding).and_then(|arn| self.named(arn)) {
                    copying.entry(other).or_default().linked = true;
                }
            }
            let unread = planned.target.plan.secrets.iter().filter(|secret| !read_again(&secret.name));
            for secret in unread.filter(|secret| !is_followed(&secret.name)) {
                let Some(asked) = copies_asked_for(secret) else { continue };
                let copies = copying.entry((target.clone(), secret.name.clone())).or_default();
                copies.regions.extend(asked.regions);
                copies.linked |= asked.linked;
            }
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
pub(super) fn parted(removals: &[Plan], held_back: &BTreeSet<Secret>) -> (Vec<Plan>, Vec<Plan>) {
    let parted = |plan: &Plan| plan.parted(|secret| held_back.contains(&(plan.target.clone(), secret.name.clone())));
    removals.iter().map(parted).unzip()
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

/// The copies that are asked for, which come to be later.
fn copies_asked_for(secret: &SecretPlan) -> Option<Copies> {
    let mut copies = Copies::default();
    for action in &secret.actions {
        match action {
            Action::Replicate { regions, .. } => copies.regions.extend(regions.keys().cloned()),
            Action::Associate(_) => copies.linked = true,
            Action::Create { replicas, cross_account_primary, .. } => {
                copies.regions.extend(replicas.keys().cloned());
                copies.linked |= cross_account_primary.is_some();
            }
            _ => {}
        }
    }
    (copies.linked || !copies.regions.is_empty()).then_some(copies)
}
