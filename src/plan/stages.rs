//! Plans in stages. Secrets that are linked over accounts wait for what is done in other targets: each stage is over in
//! every target before the next one begins.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::change::Change;
use super::cross_account::{OtherArn, PlannedLink};
use super::leaving::Leaving;
use super::{Plan, SecretPlan, Verb};
use crate::collect::CollectMap as _;
use crate::domain::{Arn, SecretName};

/// The plans of a run, which hold no removals, in the order in which they are carried out: each stage has a part of
/// every plan, in their order. In the first is all that waits for no other target, then come replicas of what was made
/// before, with what depends on them and their own replicas, and last the links with replicas that the run makes. There
/// is a first one, and no other that is empty.
pub fn stages(plans: &[Plan]) -> Vec<Vec<Plan>> {
    let levels = levels(plans);
    let last = levels.iter().flat_map(BTreeMap::values).copied().max().unwrap_or_default();
    let parts = plans.iter().zip(&levels).map(|(plan, levels)| {
        let mut stages: Vec<Vec<SecretPlan>> = vec![Vec::new(); last + 2];
        for mut secret in plan.secrets.iter().cloned() {
            let link = secret.split_link();
            if let Some(links) = stages.last_mut() {
                links.extend(link);
            }
            let level = levels.get(&secret.name).copied().unwrap_or_default();
            if (!secret.actions.is_empty() || secret.moved.is_some())
                && let Some(stage) = stages.get_mut(level)
            {
                stage.push(secret);
            }
        }
        stages.into_iter().map(|secrets| plan.with(secrets)).collect::<Vec<_>>()
    });
    let parts: Vec<Vec<Plan>> = parts.collect();
    let stage = |number: usize| parts.iter().filter_map(|parts| parts.get(number).cloned()).collect::<Vec<_>>();
    let mut stages: Vec<Vec<Plan>> = (0..last + 2).map(stage).collect();
    let mut number = 0;
    stages.retain(|stage| {
        number += 1;
        number == 1 || stage.iter().any(|plan| !plan.is_empty())
    });
    stages
}

/// What a secret waits for: the plan and the name of another one, and whether that is over in an earlier stage.
struct Wait<'a> {
    plan: usize,
    name: &'a SecretName,
    earlier: bool,
}

/// The stage of each secret of each plan.
fn levels(plans: &[Plan]) -> Vec<BTreeMap<&SecretName, usize>> {
    let targets: BTreeMap<&str, usize> =
        plans.iter().enumerate().map(|(at, plan)| (plan.target.as_str(), at)).collect_map();
    let ended = ended(plans);
    let mut waits: Vec<(usize, &SecretName, Wait<'_>)> = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        for secret in &plan.secrets {
            let own = secret.depends_on.iter().map(|name| Wait { plan: at, name, earlier: false });
            let primary = secret
                .primary_to_come()
                .and_then(|(target, name)| targets.get(target).map(|there| Wait { plan: *there, name, earlier: true }));
            // A value that is put goes to every replica that is linked then.
            let of_primary = ended.iter().filter(|(primary, _)| is_secret(primary, plan, &secret.name));
            let ended = of_primary.map(|(_, (there, name))| Wait { plan: *there, name, earlier: true });
            waits.extend(own.chain(primary).chain(ended).map(|wait| (at, &secret.name, wait)));
        }
    }
    // There is no more to wait for; secrets that wait for one another in a circle have their say when they are begun.
    let most = waits.iter().filter(|(.., wait)| wait.earlier).count();
    let mut levels: Vec<BTreeMap<&SecretName, usize>> =
        plans.iter().map(|plan| plan.secrets.iter().map(|secret| (&secret.name, 0)).collect_map()).collect();
    let mut changed = most > 0;
    while changed {
        changed = false;
        for (at, name, Wait { plan, name: needed, earlier }) in &waits {
            let Some(before) = levels.get(*plan).and_then(|levels| levels.get(needed)) else { continue };
            let least = (before + usize::from(*earlier)).min(most);
            if let Some(level) = levels.get_mut(*at).and_then(|levels| levels.get_mut(name))
                && *level < least
            {
                *level = least;
                changed = true;
            }
        }
    }
    levels
}

/// The primaries of replicas that become secrets of their own, each with the replica's plan and name.
fn ended(plans: &[Plan]) -> Vec<(&Arn, (usize, &SecretName))> {
    let secrets = plans.iter().enumerate().flat_map(|(at, plan)| plan.secrets.iter().map(move |secret| (at, secret)));
    let ended = secrets.flat_map(|(at, secret)| {
        secret.changes.iter().filter_map(move |change| match change {
            Change::CrossAccountPrimary { before: Some(primary), after: None, .. } => {
                Some((primary, (at, &secret.name)))
            }
            _ => None,
        })
    });
    ended.collect()
}

/// Whether this is the ARN of a secret of this plan, by all that is known.
fn is_secret(arn: &Arn, plan: &Plan, name: &SecretName) -> bool {
    arn.parts().is_some_and(|parts| {
        parts.secret_name() == Some(name.as_str())
            && plan.region == parts.region
            && plan.account.as_ref().is_none_or(|account| *account == parts.account)
    })
}

impl Plan {
    /// The plan without what waits for secrets of other targets than these, and the secrets of which something does.
    pub fn without_waiting(&self, targets: &BTreeSet<&str>) -> (Self, BTreeSet<SecretName>) {
        let mut late: BTreeSet<SecretName> = BTreeSet::new();
        let waits = |secret: &SecretPlan, late: &BTreeSet<SecretName>| {
            secret.primary_to_come().is_some_and(|(target, _)| !targets.contains(target))
                || secret.depends_on.iter().any(|needed| late.contains(needed))
        };
        while let Some(secret) = self.secrets.iter().find(|secret| !late.contains(&secret.name) && waits(secret, &late))
        {
            late.insert(secret.name.clone());
        }
        let mut first: Vec<SecretPlan> =
            self.secrets.iter().filter(|secret| !late.contains(&secret.name)).cloned().collect();
        let elsewhere = |secret: &SecretPlan| {
            secret.link().and_then(|link| link.replica.named()).is_some_and(|(target, _)| !targets.contains(target))
        };
        for secret in first.iter_mut().filter(|secret| elsewhere(secret)) {
            if secret.split_link().is_some() {
                late.insert(secret.name.clone());
            }
        }
        first.retain(|secret| !secret.actions.is_empty() || secret.moved.is_some());
        (self.with(first), late)
    }
}

impl SecretPlan {
    /// The secrets of other accounts whose ARNs its actions need.
    pub fn waits_for(&self) -> impl Iterator<Item = &OtherArn> {
        self.actions.iter().filter_map(|action| match action {
            Action::Create { cross_account_primary, .. } => cross_account_primary.as_ref(),
            Action::Associate(link) => Some(&link.replica),
            _ => None,
        })
    }

    /// The target and the name of the primary that it is made a replica of, where that does not exist yet.
    fn primary_to_come(&self) -> Option<(&str, &SecretName)> {
        self.actions.iter().find_map(|action| match action {
            Action::Create { cross_account_primary: Some(other), .. } => other.named(),
            _ => None,
        })
    }

    /// Takes the link with a replica that does not exist yet out of the plan, as a plan of its own.
    fn split_link(&mut self) -> Option<Self> {
        let later = |action: &Action| matches!(action, Action::Associate(link) if link.waits());
        let (links, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.actions).into_iter().partition(later);
        self.actions = others;
        if links.is_empty() {
            return None;
        }
        let of_link = |change: &Change| matches!(change, Change::CrossAccountReplica { after: Some(_), .. });
        let (changes, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes).into_iter().partition(of_link);
        self.changes = others;
        // What the first part changes is no change that somebody else made.
        let observed = self.observed.clone().filter(|_| self.actions.is_empty());
        Some(Self {
            verb: Verb::Change,
            observed,
            changes,
            actions: links,
            depends_on: BTreeSet::new(),
            leaving: Leaving::default(),
            moved: None,
            ..self.clone()
        })
    }
}

impl PlannedLink {
    /// Whether the replica is to be made first.
    pub fn waits(&self) -> bool {
        matches!(self.replica, OtherArn::Later { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A secret of a target that is made a replica of another target's, and depends on secrets of its own.
    fn secret(name: &str, primary: Option<(&str, &str)>, depends_on: &[&str]) -> SecretPlan {
        let other = primary.map(|(target, name)| OtherArn::Later {
            target: target.to_owned(),
            name: SecretName::new(name),
            account: None,
        });
        let create = Action::bare_create(None, other);
        let depends_on = depends_on.iter().map(|name| SecretName::new(*name)).collect();
        SecretPlan { depends_on, ..SecretPlan::bare(name, Verb::Create, vec![create]) }
    }

    fn plan(target: &str, secrets: Vec<SecretPlan>) -> Plan {
        Plan { target: target.to_owned(), ..Plan::bare(secrets) }
    }

    /// Each stage as the names of its secrets, target by target.
    fn names(plans: &[Plan]) -> Vec<Vec<String>> {
        let of_plan = |plan: &Plan| {
            plan.secrets.iter().map(|secret| secret.name.as_str().to_owned()).collect::<Vec<_>>().join(" ")
        };
        stages(plans).iter().map(|stage| stage.iter().map(of_plan).collect()).collect()
    }

    #[test]
    fn a_plan_that_waits_for_nobody_is_one_stage() {
        let alone = plan("dev", vec![secret("a", None, &[]), secret("b", None, &["a"])]);
        assert_eq!(names(&[alone]), [["a b"]]);
        assert_eq!(names(&[plan("dev", Vec::new())]), [[""]]);
    }

    #[test]
    fn a_chain_over_targets_has_a_stage_for_each_crossing() {
        let here = plan("here", vec![secret("a", None, &[]), secret("c", Some(("there", "b")), &[])]);
        let dependent = secret("d", None, &["b"]);
        let there = plan("there", vec![secret("b", Some(("here", "a")), &[]), dependent, secret("e", None, &[])]);
        assert_eq!(names(&[here, there]), [["a", "e"], ["", "b d"], ["c", ""]]);
    }

    #[test]
    fn a_circle_has_an_end_and_loses_nothing() {
        let here = plan("here", vec![secret("a", Some(("there", "b")), &[]), secret("x", None, &[])]);
        let there = plan("there", vec![secret("b", Some(("here", "a")), &[])]);
        let staged = names(&[here, there]);
        assert_eq!(staged.first(), Some(&vec!["x".to_owned(), String::new()]));
        let all: Vec<&str> = staged.iter().flatten().flat_map(|names| names.split_whitespace()).collect();
        assert_eq!(all.len(), 3, "{staged:?}");
    }
}
