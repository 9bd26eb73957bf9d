//! A plan in stages. Secrets that are linked over accounts wait for ARNs of other targets: each stage is over in every
//! target before the next one begins.

use std::collections::BTreeSet;

use super::action::Action;
use super::change::Change;
use super::cross_account::{OtherArn, PlannedLink};
use super::leaving::Leaving;
use super::{Plan, SecretPlan, Verb};
use crate::domain::SecretName;

/// A plan in the order in which a run over several targets carries it out. ARNs that a stage needs are known when the
/// one before it is over in every target.
#[derive(Clone, Debug)]
pub struct Stages {
    /// Everything that waits for no other account.
    pub first: Plan,
    /// Replicas of secrets that the first stage makes, and what depends on them.
    pub replicas: Plan,
    /// The links with replicas that the second stage makes.
    pub links: Plan,
}

impl Plan {
    /// The plan, which holds no removals, in stages.
    pub fn stages(self) -> Stages {
        let mut late: BTreeSet<SecretName> =
            self.secrets.iter().filter(|secret| secret.waits_for_primary()).map(|secret| secret.name.clone()).collect();
        loop {
            let waits = |secret: &&SecretPlan| {
                !late.contains(&secret.name) && secret.depends_on.iter().any(|needed| late.contains(needed))
            };
            let Some(name) = self.secrets.iter().find(waits).map(|secret| secret.name.clone()) else { break };
            late.insert(name);
        }
        let (mut first, mut replicas, mut links) = (Vec::new(), Vec::new(), Vec::new());
        for mut secret in self.secrets.iter().cloned() {
            links.extend(secret.split_link());
            if secret.actions.is_empty() && secret.moved.is_none() {
                continue;
            }
            if late.contains(&secret.name) { &mut replicas } else { &mut first }.push(secret);
        }
        Stages { first: self.with(first), replicas: self.with(replicas), links: self.with(links) }
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

    /// Whether it is made a replica of a secret that does not exist yet.
    fn waits_for_primary(&self) -> bool {
        let later = |action: &Action| {
            matches!(action, Action::Create { cross_account_primary: Some(OtherArn::Later { .. }), .. })
        };
        self.actions.iter().any(later)
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
