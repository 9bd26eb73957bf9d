//! From desired state and a snapshot to a plan, in named steps.

mod counts;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::action::Action;
use super::awaiting::AwaitingValue;
use super::change::Change;
use super::diff::{Differ, Difference, release};
use super::leaving::{Leaving, LeftItem, named_in_policies};
use super::managed;
use super::moves::{self, Moves, Moving};
use super::rename::{renames, seeded, without_value};
use super::report::{Finding, FindingKind, PlanReport, Severity};
use super::revived::report_other_values;
use super::selection::Selection;
use super::value_facts::ValueFacts;
use super::{Plan, SecretPlan, Verb};
use crate::collect::CollectSet as _;
use crate::desired::{Deletion, Desired, DesiredSecret, Prune, State};
use crate::domain::{Region, SecretName};
use crate::every_core::on_every_core;
use crate::live::{CrossAccount, Live, LiveSecret, Ownership, ReplicaStatus};
use crate::sort_few::SortFew as _;

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
    let old_names = desired.old_names();
    let (plans, report) = (BTreeMap::new(), PlanReport::default());
    let mut planner = Planner { desired, live, facts, rules, old_names, plans, report };
    planner.plan_desired();
    planner.hold_back_dependents();
    planner.plan_orphans();
    planner.report_owned_outside();
    planner.order_by_dependencies();
    planner.explain_removals();
    planner.notice_renames();
    report_other_values(desired, live, &mut planner.plans, &planner.report);
    planner.notice_awaiting();
    planner.count();

    let mut report = planner.report;
    report.findings.sort_few_by(|a, b| a.secret.cmp(&b.secret));
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
        secrets: vec![SecretPlan { leaving: Leaving { by_hand: true, ..Leaving::default() }, ..released(secret) }],
    })
}

struct Planner<'a> {
    desired: &'a Desired,
    live: &'a Live,
    facts: &'a ValueFacts,
    rules: &'a Rules,
    /// The names that secrets had before.
    old_names: BTreeSet<&'a SecretName>,
    plans: BTreeMap<SecretName, SecretPlan>,
    report: PlanReport,
}

/// What came of one secret.
struct Planned {
    findings: Vec<Finding>,
    /// Boxed, for most have none.
    plan: Option<Box<SecretPlan>>,
}

impl<'a> Planner<'a> {
    /// The secrets that this run looks at.
    fn desired_secrets(&self) -> impl Iterator<Item = &'a DesiredSecret> + use<'a> {
        let (desired, rules) = (self.desired, self.rules);
        desired.secrets.values().filter(|desired_secret| {
            desired.scope.contains(desired_secret.name.as_str()) && rules.selection.contains(&desired_secret.name)
        })
    }

    /// Plans every secret by itself, and takes what came of it in their order.
    fn plan_desired(&mut self) {
        let secrets: Vec<&DesiredSecret> = self.desired_secrets().collect();
        let planner = &*self;
        for Planned { findings, plan } in on_every_core(&secrets, |secret| planner.plan_one(secret)) {
            self.report.findings.extend(findings);
            if let Some(plan) = plan {
                self.plans.insert(plan.name.clone(), *plan);
            }
        }
    }

    fn plan_one(&self, desired_secret: &DesiredSecret) -> Planned {
        let observed = self.live.secrets.get(&desired_secret.name);
        let mut findings = self.obstacles(desired_secret, observed);
        if !findings.is_empty() {
            return Planned { findings, plan: None };
        }
        let moves = match moves::moving(self.desired, desired_secret, self.live, observed, self.facts) {
            Moving::No => None,
            Moving::Goes(moves) => Some(moves),
            Moving::Over => {
                let from = desired_secret.renamed_from.iter().map(|renamed| renamed.name.clone());
                findings.extend(found_of(desired_secret, from.map(|from| FindingKind::MoveOver { from })));
                None
            }
            Moving::Stopped(kind) => {
                findings.extend(self.unreadable_old(desired_secret));
                findings.extend(found_of(desired_secret, [kind]));
                return Planned { findings, plan: None };
            }
        };
        let plan = match desired_secret.state {
            State::Present => self.plan_present(desired_secret, observed, moves.as_ref(), &mut findings),
            State::Absent => observed.and_then(|secret| plan_absent(desired_secret, secret)),
        };
        Planned { findings, plan: plan.map(Box::new) }
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
                let whose = self.desired.other_owner(owner);
                kinds.push(FindingKind::Foreign { owner: owner.to_owned(), whose });
            }
        }
        for dependency in &desired_secret.depends_on {
            if let Some(kind) = self.dependency_obstacle(desired_secret, dependency) {
                kinds.push(kind);
            }
        }
        found_of(desired_secret, kinds).collect()
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

    /// Why the secret under an old name could not be read.
    fn unreadable_old(&self, desired_secret: &DesiredSecret) -> Option<Finding> {
        let renamed = desired_secret.renamed_from.as_ref()?;
        let error = self.live.unreadable.get(&renamed.name)?.clone();
        Some(Finding {
            secret: renamed.name.clone(),
            origin: Some(renamed.origin.clone()),
            kind: FindingKind::Unreadable { error },
        })
    }

    fn plan_present(
        &self,
        desired_secret: &DesiredSecret,
        observed: Option<&LiveSecret>,
        moves: Option<&Moves<'_>>,
        found: &mut Vec<Finding>,
    ) -> Option<SecretPlan> {
        let differ = Differ { desired: self.desired, live: self.live, facts: self.facts, as_of: self.rules.as_of };
        let managed = observed.filter(|_| desired_secret.managed_by.is_some());
        let (Difference { changes, actions }, findings) = match managed {
            Some(secret) => differ.managed(desired_secret, secret),
            None => differ.present(desired_secret, observed, moves),
        };
        let blocked = findings.iter().any(FindingKind::plans_nothing);
        // Where the new secret is neither there nor made yet, nothing takes the old one's place.
        let is_there = observed.is_some_and(|secret| !secret.is_scheduled_for_deletion());
        let moves = moves.filter(|_| !blocked && (is_there || !actions.is_empty()));
        found.extend(found_of(desired_secret, findings));
        found.extend(found_of(desired_secret, in_progress(desired_secret, observed)));
        if actions.is_empty() && moves.is_none() {
            return None;
        }
        let verb = match observed {
            _ if moves.is_some() => Verb::Move,
            None => Verb::Create,
            Some(secret) if secret.is_scheduled_for_deletion() => Verb::Restore,
            Some(_) if managed.is_some() => Verb::Change,
            Some(secret) if secret.is_adoptable_by(&self.desired.owner()) => Verb::Adopt,
            Some(_) => Verb::Change,
        };
        let takes_git =
            actions.iter().any(|action| matches!(action, Action::PutValue(_) | Action::Create { value: Some(_), .. }))
                || observed.is_some_and(|secret| secret.current_version().is_some());
        Some(SecretPlan {
            name: desired_secret.name.clone(),
            origin: Some(desired_secret.origin.clone()),
            verb,
            changes,
            actions,
            depends_on: BTreeSet::new(),
            observed: observed.cloned(),
            leaving: Leaving::default(),
            moved: moves.map(|moves| moves.moved_from(self.desired, desired_secret, observed, takes_git)),
            item: desired_secret.item.clone(),
        })
    }

    /// What needs a secret that is left alone for an error of its own waits for it, and so does what needs that.
    fn hold_back_dependents(&mut self) {
        let refused = self.report.findings.iter().filter(|finding| finding.refuses_secret_alone());
        let mut left_alone: BTreeSet<SecretName> = refused.map(|finding| finding.secret.clone()).collect();
        // What neither exists nor is made, as a move that waits, has no ARN for others.
        let missing = self.desired_secrets().filter(|secret| {
            secret.state == State::Present && !self.is_live(&secret.name) && !self.plans.contains_key(&secret.name)
        });
        left_alone.extend(missing.map(|secret| secret.name.clone()));
        if left_alone.is_empty() {
            return;
        }
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
            let moves = self.old_names.contains(name) && secret.is_owned_by(&owner);
            let named = moves || self.desired.secrets.contains_key(name);
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
                Ownership::Foreign { owner } => {
                    let whose = self.desired.other_owner(owner);
                    FindingKind::ForeignInScope { owner: owner.to_owned(), whose }
                }
                Ownership::Ours { prefix } if self.desired.scope.prefix_of(name.as_str()) != Some(prefix) => {
                    FindingKind::OtherScope { prefix: prefix.to_owned() }
                }
                Ownership::Ours { .. } => match self.desired.prune {
                    Prune::Report => FindingKind::Orphaned { last_changed, left: LeftItem::of(self.desired, name) },
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
            if replica || (owner != ours && self.desired.targets.contains_key(target)) {
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
        let goes = |plan: &SecretPlan| matches!(plan.verb, Verb::Delete | Verb::Release);
        if !self.plans.values().any(goes) {
            return;
        }
        let mut named = named_in_policies(self.desired);
        for plan in self.plans.values_mut().filter(|plan| goes(plan)) {
            plan.leaving.named_by = named.remove(plan.name.as_str()).unwrap_or_default();
            plan.leaving.other_targets = self.desired.of_other_targets.get(&plan.name).cloned();
            if plan.origin.is_none() {
                plan.leaving.left_list = LeftItem::of(self.desired, &plan.name);
            }
        }
    }

    fn notice_renames(&mut self) {
        self.report.without_value = without_value(self.desired, self.live, &self.rules.selection);
        let carries = |name: &SecretName| self.plans.get(name).is_some_and(|plan| plan.carried().next().is_some());
        self.report.without_value.retain(|name| !carries(name));
        self.report.seeded = seeded(self.desired, self.live, &self.rules.selection);
        self.report.seeded.retain(|name, _| !carries(name));
        self.report.deleted_in_other_shards = self.deleted_in_other_shards();
        self.report.same_of_git.clone_from(&self.facts.same_of_git);
        for (created, removed) in renames(self.desired, self.live, self.plans.values(), &self.report.findings) {
            let origin = self.plans.get(&created).and_then(|plan| plan.origin.clone());
            self.report.findings.push(Finding {
                secret: created,
                origin,
                kind: FindingKind::LooksRenamed { from: removed },
            });
        }
    }
}

impl Planner<'_> {
    /// Notes which secrets wait for a value. Of one that could not be read, or that is somebody else's, nothing is
    /// known.
    fn notice_awaiting(&mut self) {
        let errors = self.report.findings.iter().filter(|finding| finding.severity() == Severity::Error);
        let unknown: BTreeSet<&SecretName> = errors.map(|finding| &finding.secret).collect();
        let known = self.desired_secrets().filter(|secret| !unknown.contains(&secret.name));
        let of = |secret| AwaitingValue::of(self.desired, secret, self.live, self.plans.get(&secret.name));
        self.report.awaiting = known.filter_map(of).collect();
    }
}

/// What was found about a secret that a manifest names.
fn found_of(
    desired_secret: &DesiredSecret,
    kinds: impl IntoIterator<Item = FindingKind>,
) -> impl Iterator<Item = Finding> {
    kinds.into_iter().map(|kind| Finding {
        secret: desired_secret.name.clone(),
        origin: Some(desired_secret.origin.clone()),
        kind,
    })
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

/// `state: absent`: nothing to do when the secret is gone, or on its way out. With `force` one that is scheduled for
/// deletion is not gone yet: DeleteSecret takes it (seen by LocalStack, 2024-10-11).
fn plan_absent(desired_secret: &DesiredSecret, secret: &LiveSecret) -> Option<SecretPlan> {
    let goes_already = secret.is_scheduled_for_deletion() && desired_secret.deletion != Deletion::Force;
    (!goes_already).then(|| SecretPlan {
        origin: Some(desired_secret.origin.clone()),
        item: desired_secret.item.clone(),
        ..deleted(secret, desired_secret.deletion)
    })
}

/// DeleteSecret refuses a secret that still has replicas, or is linked with one of another account: that goes first.
pub(super) fn deleted(secret: &LiveSecret, deletion: Deletion) -> SecretPlan {
    let regions: BTreeSet<Region> = secret.replicas.keys().cloned().collect_set();
    let CrossAccount { primary, replicas: linked } = &secret.cross_account;
    let changes = vec![Change::Deleted {
        deletion,
        replicas: regions.clone(),
        linked: linked.keys().chain(primary.iter().map(|primary| &primary.arn)).cloned().collect(),
        rotates: secret.rotation.enabled,
    }];
    let mut actions = Vec::new();
    actions.extend(primary.as_ref().map(|_| Action::StopReplication));
    if !regions.is_empty() {
        actions.push(Action::RemoveReplicas { regions });
    }
    actions.extend(linked.keys().map(|replica| Action::Disassociate { replica: replica.clone() }));
    actions.push(Action::Delete { deletion });
    SecretPlan {
        name: secret.name.clone(),
        origin: None,
        verb: Verb::Delete,
        changes,
        actions,
        depends_on: BTreeSet::new(),
        observed: Some(secret.clone()),
        leaving: Leaving::default(),
        moved: None,
        item: None,
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
        moved: None,
        item: None,
    }
}
