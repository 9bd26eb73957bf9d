//! From desired state and a snapshot to a plan, in named steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::action::Action;
use super::change::Change;
use super::diff::{Differ, Difference, release};
use super::leaving::{Leaving, named_by};
use super::managed;
use super::rename::{renames, without_value};
use super::report::{Counts, Finding, FindingKind, PlanReport};
use super::selection::Selection;
use super::value::ValueFacts;
use super::{Plan, SecretPlan, Verb};
use crate::desired::{Deletion, Desired, DesiredSecret, Prune, State};
use crate::domain::{Region, SecretName};
use crate::live::{Live, LiveSecret, Ownership, ReplicaStatus};

/// What one run of planning takes into account beside desired state and the snapshot.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The secrets to look at; orphans are narrowed by it too.
    pub selection: Selection,
    /// The time of the plan; without it, nothing is told of when a new schedule rotates first.
    pub as_of: Option<Timestamp>,
}

/// Plans one target.
///
/// Secrets outside the scope never get an action, whatever `desired` and `live` say.
pub fn plan(desired: &Desired, live: &Live, facts: &ValueFacts, rules: &Rules) -> (Plan, PlanReport) {
    let mut planner = Planner { desired, live, facts, rules, plans: BTreeMap::new(), report: PlanReport::default() };
    planner.plan_desired();
    planner.hold_back_dependents();
    planner.plan_orphans();
    planner.report_owned_outside();
    planner.order_by_dependencies();
    planner.explain_removals();
    planner.notice_renames();
    planner.count();

    let mut report = planner.report;
    report.findings.sort_by(|a, b| a.secret.cmp(&b.secret));
    let plan = Plan {
        project: desired.project.clone(),
        target: desired.target.name.clone(),
        account: live.account.clone().or_else(|| desired.target.account.clone()),
        region: live.region.clone(),
        endpoint: None,
        secrets: planner.plans.into_values().collect(),
    };
    (plan, report)
}

/// Plans to stop managing one secret and to keep it: the command `release`. `None` when it carries no tag of
/// keywright's.
pub fn plan_release(desired: &Desired, live: &Live, name: &SecretName) -> Option<Plan> {
    let secret = live.secrets.get(name)?;
    secret.named_owner()?;
    Some(Plan {
        project: desired.project.clone(),
        target: desired.target.name.clone(),
        account: live.account.clone().or_else(|| desired.target.account.clone()),
        region: live.region.clone(),
        endpoint: None,
        secrets: vec![released(secret)],
    })
}

struct Planner<'a> {
    desired: &'a Desired,
    live: &'a Live,
    facts: &'a ValueFacts,
    rules: &'a Rules,
    plans: BTreeMap<SecretName, SecretPlan>,
    report: PlanReport,
}

impl<'a> Planner<'a> {
    /// The secrets that this run looks at.
    fn desired_secrets(&self) -> impl Iterator<Item = &'a DesiredSecret> + use<'a> {
        let (desired, rules) = (self.desired, self.rules);
        desired.secrets.values().filter(|desired_secret| {
            desired.scope.contains(desired_secret.name.as_str()) && rules.selection.contains(&desired_secret.name)
        })
    }

    fn plan_desired(&mut self) {
        for desired_secret in self.desired_secrets() {
            let observed = self.live.secrets.get(&desired_secret.name);
            let obstacles = self.obstacles(desired_secret, observed);
            if !obstacles.is_empty() {
                self.report.findings.extend(obstacles);
                continue;
            }
            let planned = match desired_secret.state {
                State::Present => self.plan_present(desired_secret, observed),
                State::Absent => observed.and_then(|secret| plan_absent(desired_secret, secret)),
            };
            if let Some(planned) = planned {
                self.plans.insert(planned.name.clone(), planned);
            }
        }
    }

    /// What stands in the way of planning anything for this secret.
    fn obstacles(&self, desired_secret: &DesiredSecret, observed: Option<&LiveSecret>) -> Vec<Finding> {
        let mut kinds: Vec<FindingKind> = Vec::new();
        if let Some(error) = self.live.unreadable.get(&desired_secret.name) {
            kinds.push(FindingKind::Unreadable { error: error.clone() });
        } else if let Some(kind) = managed::obstacle(desired_secret, observed) {
            kinds.push(kind);
        } else if let Some(secret) = observed {
            if secret.is_replica_in(&self.live.region) {
                kinds.push(FindingKind::Replica { primary_region: secret.primary_region.clone().unwrap_or_default() });
            } else if let Ownership::Foreign { owner } = secret.ownership(&self.desired.owner()) {
                kinds.push(FindingKind::Foreign { owner: owner.to_owned() });
            }
        }
        for dependency in &desired_secret.depends_on {
            if let Some(kind) = self.dependency_obstacle(desired_secret, dependency) {
                kinds.push(kind);
            }
        }
        kinds
            .into_iter()
            .map(|kind| Finding {
                secret: desired_secret.name.clone(),
                origin: Some(desired_secret.origin.clone()),
                kind,
            })
            .collect()
    }

    fn dependency_obstacle(&self, desired_secret: &DesiredSecret, dependency: &SecretName) -> Option<FindingKind> {
        if desired_secret.state == State::Absent {
            return None;
        }
        let absent = self.desired.secrets.get(dependency).is_some_and(|other| other.state == State::Absent);
        if absent {
            return Some(FindingKind::DependencyAbsent { dependency: dependency.clone() });
        }
        if self.live.unreadable.contains_key(dependency) && !self.live.secrets.contains_key(dependency) {
            return Some(FindingKind::DependencyUnreadable { dependency: dependency.clone() });
        }
        (!self.is_live(dependency) && !self.rules.selection.contains(dependency))
            .then(|| FindingKind::DependencyNotSelected { dependency: dependency.clone() })
    }

    fn plan_present(&mut self, desired_secret: &DesiredSecret, observed: Option<&LiveSecret>) -> Option<SecretPlan> {
        let differ = Differ { desired: self.desired, live: self.live, facts: self.facts, as_of: self.rules.as_of };
        let managed = observed.filter(|_| desired_secret.managed_by.is_some());
        let (Difference { changes, actions }, findings) = match managed {
            Some(secret) => differ.managed(desired_secret, secret),
            None => differ.present(desired_secret, observed),
        };
        self.report.findings.extend(findings.into_iter().map(|kind| Finding {
            secret: desired_secret.name.clone(),
            origin: Some(desired_secret.origin.clone()),
            kind,
        }));
        if let Some(kind) = in_progress(desired_secret, observed) {
            self.report.findings.push(Finding {
                secret: desired_secret.name.clone(),
                origin: Some(desired_secret.origin.clone()),
                kind,
            });
        }
        let verb = match observed {
            None => Verb::Create,
            Some(secret) if secret.is_scheduled_for_deletion() => Verb::Restore,
            Some(_) if managed.is_some() => Verb::Change,
            Some(secret) if secret.is_adoptable_by(&self.desired.owner()) => Verb::Adopt,
            Some(_) => Verb::Change,
        };
        (!actions.is_empty()).then(|| SecretPlan {
            name: desired_secret.name.clone(),
            origin: Some(desired_secret.origin.clone()),
            verb,
            changes,
            actions,
            depends_on: BTreeSet::new(),
            observed: observed.cloned(),
            leaving: Leaving::default(),
        })
    }

    /// What needs a secret that is left alone for an error of its own waits for it, and so does what needs that.
    fn hold_back_dependents(&mut self) {
        let refused = self.report.findings.iter().filter(|finding| finding.refuses_secret_alone());
        let mut left_alone: BTreeSet<SecretName> = refused.map(|finding| finding.secret.clone()).collect();
        while let Some((waiting, dependency)) = self.dependent_of(&left_alone) {
            self.plans.remove(&waiting.name);
            left_alone.insert(waiting.name.clone());
            self.report.findings.push(Finding {
                secret: waiting.name.clone(),
                origin: Some(waiting.origin.clone()),
                kind: FindingKind::DependencyRefused { dependency },
            });
        }
    }

    /// A secret that would be changed, and one of `left_alone` that it needs.
    fn dependent_of(&self, left_alone: &BTreeSet<SecretName>) -> Option<(&'a DesiredSecret, SecretName)> {
        self.desired_secrets().filter(|secret| secret.state == State::Present).find_map(|secret| {
            let needed = secret.depends_on.iter().find(|needed| left_alone.contains(*needed))?;
            self.plans.contains_key(&secret.name).then(|| (secret, needed.clone()))
        })
    }

    /// Whether nobody removes it: what a service owns, replicas, and what is on its way out already.
    fn is_settled(&self, secret: &LiveSecret) -> bool {
        secret.owning_service.is_some() || secret.is_replica_in(&self.live.region) || secret.is_scheduled_for_deletion()
    }

    /// Secrets that are live and in scope, and that no manifest names.
    fn plan_orphans(&mut self) {
        let owner = self.desired.owner();
        for (name, secret) in &self.live.secrets {
            let named = self.desired.secrets.contains_key(name);
            let in_reach = self.desired.scope.contains(name.as_str()) && self.rules.selection.contains(name);
            if named || !in_reach || self.is_settled(secret) {
                continue;
            }
            if let Some(error) = self.live.unreadable.get(name) {
                let kind = FindingKind::Unreadable { error: error.clone() };
                self.report.findings.push(Finding { secret: name.clone(), origin: None, kind });
                continue;
            }
            let last_changed = secret.last_changed;
            let kind = match secret.ownership(&owner) {
                Ownership::Unowned => FindingKind::Unmanaged { last_changed },
                Ownership::Copied { owner } => FindingKind::CopiedTag { owner: owner.to_owned(), last_changed },
                Ownership::Foreign { owner } => FindingKind::ForeignInScope { owner: owner.to_owned() },
                Ownership::Ours { prefix } if self.desired.scope.prefix_of(name.as_str()) != Some(prefix) => {
                    FindingKind::OtherScope { prefix: prefix.to_owned() }
                }
                Ownership::Ours { .. } => match self.desired.prune {
                    Prune::Report => FindingKind::Orphaned { last_changed },
                    Prune::Delete => {
                        let deletion = Deletion::Window(self.desired.prune_window_days);
                        self.plans.insert(name.clone(), deleted(secret, deletion));
                        continue;
                    }
                    Prune::Release => {
                        self.plans.insert(name.clone(), released(secret));
                        continue;
                    }
                },
            };
            self.report.findings.push(Finding { secret: name.clone(), origin: None, kind });
        }
    }

    /// What a narrowed scope, a changed variable in a prefix or a removed target left behind. It is reported, never
    /// touched.
    fn report_owned_outside(&mut self) {
        let ours = self.desired.owner();
        for secret in self.live.owned_outside.iter().filter(|secret| !secret.is_scheduled_for_deletion()) {
            let owner = match secret.ownership(&ours) {
                Ownership::Ours { .. } => ours.as_str(),
                Ownership::Foreign { owner } => owner,
                Ownership::Unowned | Ownership::Copied { .. } => continue,
            };
            let target = owner.split_once('/').map_or("", |(_, target)| target);
            let replica = secret.is_replica_in(&self.live.region);
            // Another target of the project reports its own, wherever that target looks.
            if replica || (owner != ours && self.desired.targets.contains(target)) {
                continue;
            }
            self.report.findings.push(Finding {
                secret: secret.name.clone(),
                origin: None,
                kind: FindingKind::OwnedOutsideScope { owner: owner.to_owned() },
            });
        }
    }

    /// A secret waits for the ones that it depends on; where both go away, the one that is needed goes last.
    fn order_by_dependencies(&mut self) {
        let mut edges: Vec<(SecretName, SecretName)> = Vec::new();
        for desired_secret in self.desired_secrets() {
            for dependency in &desired_secret.depends_on {
                let (Some(dependent), Some(needed)) =
                    (self.plans.get(&desired_secret.name), self.plans.get(dependency))
                else {
                    continue;
                };
                match (dependent.is_removal(), needed.is_removal()) {
                    (false, false) => edges.push((desired_secret.name.clone(), dependency.clone())),
                    (true, true) => edges.push((dependency.clone(), desired_secret.name.clone())),
                    // Removals come after everything else anyway.
                    (true, false) | (false, true) => {}
                }
            }
        }
        for (waiting, first) in edges {
            if let Some(plan) = self.plans.get_mut(&waiting) {
                plan.depends_on.insert(first);
            }
        }
    }

    /// Says what counts on the secrets that go, and whether a manifest names them for other targets.
    fn explain_removals(&mut self) {
        for plan in self.plans.values_mut().filter(|plan| matches!(plan.verb, Verb::Delete | Verb::Release)) {
            plan.leaving.named_by = named_by(self.desired, &plan.name);
            plan.leaving.other_targets = self.desired.of_other_targets.get(&plan.name).cloned();
        }
    }

    fn notice_renames(&mut self) {
        self.report.without_value = without_value(self.desired, self.live, &self.rules.selection);
        self.report.deleted_in_other_shards = self.deleted_in_other_shards();
        for (created, removed) in renames(self.desired, self.live, self.plans.values(), &self.report.findings) {
            let origin = self.plans.get(&created).and_then(|plan| plan.origin.clone());
            self.report.findings.push(Finding {
                secret: created,
                origin,
                kind: FindingKind::LooksRenamed { from: removed },
            });
        }
    }

    fn count(&mut self) {
        let owner = self.desired.owner();
        let desired: BTreeSet<&SecretName> =
            self.desired_secrets().map(|desired_secret| &desired_secret.name).collect();
        let blocked: BTreeSet<&SecretName> = self
            .report
            .findings
            .iter()
            .filter(|finding| finding.severity() == super::Severity::Error && !finding.is_failure())
            .map(|finding| &finding.secret)
            .collect();
        let named = |test: &dyn Fn(&Finding) -> bool| -> BTreeSet<&SecretName> {
            let found = self.report.findings.iter().filter(|finding| test(finding));
            found.map(|finding| &finding.secret).filter(|name| !blocked.contains(name)).collect()
        };
        let held_back = named(&Finding::holds_back);
        let unreadable = named(&Finding::is_failure);
        let unread = named(&|finding| finding.kind == FindingKind::ValueUnknown).len();
        let as_declared = |name: &SecretName| {
            let kept = [&blocked, &held_back, &unreadable].iter().any(|names| names.contains(name));
            !kept && !self.plans.contains_key(name)
        };
        let unchanged = desired.iter().filter(|name| as_declared(name)).count();
        // A limit holds over all parts.
        let removals_in_other_shards = self.removed_in_other_shards().count();
        let missing_in_other_shards = self.missing_in_other_shards();
        let present = |name: &SecretName| {
            self.desired.secrets.get(name).is_some_and(|desired_secret| desired_secret.state == State::Present)
        };
        // Whose a secret is takes some hashing, so it is asked once.
        let of_ours: Vec<&LiveSecret> =
            self.live.secrets.values().filter(|secret| secret.is_owned_by(&owner)).collect();
        let owned_kept = of_ours.iter().filter(|secret| present(&secret.name)).count();
        let (blocked, held_back, unreadable) = (blocked.len(), held_back.len(), unreadable.len());
        let all_owned = || of_ours.iter().filter(|secret| !secret.is_scheduled_for_deletion());
        // A part is measured against itself: six parts must not change what one run may not.
        let of_shard = || all_owned().filter(|secret| self.rules.selection.is_in_shard(&secret.name));
        let owned_live = of_shard().count();
        let billed = of_shard().map(|secret| 1 + secret.replicas.len()).sum();
        let owned_by_all_shards = all_owned().count();
        self.report.counts = Counts {
            desired: desired.len(),
            unchanged,
            blocked,
            held_back,
            unreadable,
            unread,
            owned_live,
            billed,
            owned_kept,
            owned_by_all_shards,
            whole_scope: self.rules.selection.plain_names().is_none() && self.rules.selection.patterns().is_empty(),
            removals_in_other_shards,
            missing_in_other_shards,
        };
    }

    /// Whether a secret is this target's, under the scope prefix that it is in today: another prefix's is never
    /// removed.
    fn is_ours_here(&self, secret: &LiveSecret, ours: &str) -> bool {
        let here = self.desired.scope.prefix_of(secret.name.as_str());
        matches!(secret.ownership(ours), Ownership::Ours { prefix } if here == Some(prefix))
    }

    /// What the other parts of a sharded run would remove. Told from the list alone.
    fn removed_in_other_shards(&self) -> impl Iterator<Item = &'a SecretName> {
        let ours = self.desired.owner();
        let (desired, live) = (self.desired, self.live);
        let removed = move |(name, secret): &(&SecretName, &LiveSecret)| {
            self.is_of_others(name)
                && !self.is_settled(secret)
                && match desired.secrets.get(*name) {
                    Some(desired_secret) => desired_secret.state == State::Absent,
                    None => desired.prune != Prune::Report && self.is_ours_here(secret, &ours),
                }
        };
        live.secrets.iter().filter(removed).map(|(name, _)| name)
    }

    /// What they would delete: what is released keeps its value.
    fn deleted_in_other_shards(&self) -> BTreeSet<SecretName> {
        let deleted =
            |name: &&SecretName| self.desired.prune == Prune::Delete || self.desired.secrets.contains_key(*name);
        self.removed_in_other_shards().filter(deleted).cloned().collect()
    }

    /// What other parts of a sharded run have still to create: removals wait for it. Told from the list alone, which is
    /// not read where names are given.
    fn missing_in_other_shards(&self) -> usize {
        if self.rules.selection.plain_names().is_some() {
            return 0;
        }
        let present = self.desired.secrets.values().filter(|desired_secret| desired_secret.state == State::Present);
        present.filter(|secret| self.is_of_others(&secret.name) && !self.is_live(&secret.name)).count()
    }

    /// Whether a secret exists, and is not on its way out.
    fn is_live(&self, name: &SecretName) -> bool {
        self.live.secrets.get(name).is_some_and(|secret| !secret.is_scheduled_for_deletion())
    }

    /// Whether another part of a sharded run looks after a secret.
    fn is_of_others(&self, name: &SecretName) -> bool {
        let selection = &self.rules.selection;
        self.desired.scope.contains(name.as_str()) && selection.names(name) && !selection.is_in_shard(name)
    }
}

/// Replicas that are declared and are being made.
fn in_progress(desired_secret: &DesiredSecret, observed: Option<&LiveSecret>) -> Option<FindingKind> {
    let declared = desired_secret.replicas.as_ref()?.value.as_ref()?;
    let live = observed?.replicas.iter().filter(|(region, _)| declared.contains_key(*region));
    let regions: Vec<Region> = live
        .filter(|(_, replica)| replica.status == ReplicaStatus::InProgress)
        .map(|(region, _)| region.clone())
        .collect();
    (!regions.is_empty()).then_some(FindingKind::ReplicaInProgress { regions })
}

/// `state: absent`: nothing to do when the secret is gone, or on its way out.
fn plan_absent(desired_secret: &DesiredSecret, secret: &LiveSecret) -> Option<SecretPlan> {
    (!secret.is_scheduled_for_deletion())
        .then(|| SecretPlan { origin: Some(desired_secret.origin.clone()), ..deleted(secret, desired_secret.deletion) })
}

/// DeleteSecret refuses a secret that still has replicas, so they go first.
fn deleted(secret: &LiveSecret, deletion: Deletion) -> SecretPlan {
    let regions: BTreeSet<Region> = secret.replicas.keys().cloned().collect();
    let changes = vec![Change::Deleted { deletion, replicas: regions.clone(), rotates: secret.rotation.enabled }];
    let mut actions = vec![Action::Delete { deletion }];
    if !regions.is_empty() {
        actions.insert(0, Action::RemoveReplicas { regions });
    }
    SecretPlan {
        name: secret.name.clone(),
        origin: None,
        verb: Verb::Delete,
        changes,
        actions,
        depends_on: BTreeSet::new(),
        observed: Some(secret.clone()),
        leaving: Leaving::default(),
    }
}

fn released(secret: &LiveSecret) -> SecretPlan {
    let Difference { changes, actions } = release(secret);
    SecretPlan {
        name: secret.name.clone(),
        origin: None,
        verb: Verb::Release,
        changes,
        actions,
        depends_on: BTreeSet::new(),
        observed: Some(secret.clone()),
        leaving: Leaving::default(),
    }
}
