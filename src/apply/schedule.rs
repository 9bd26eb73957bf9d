//! Which secret may begin now.
//!
//! The rules read as sentences: a secret begins when everything that it depends on is done; removals begin when nothing
//! else is left to be done; a secret whose dependency was not done is skipped; removals are skipped when anything
//! before them was not done, since what replaces the removed secret may be missing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::event::{SkipReason, Stopped};
use crate::domain::SecretName;
use crate::plan::{Plan, SecretPlan};

/// The order in which the secrets of one plan may begin.
pub(super) struct Schedule<'a> {
    /// Secrets not begun yet, with what they still wait for.
    waiting: BTreeMap<&'a SecretName, (&'a SecretPlan, BTreeSet<&'a SecretName>)>,
    /// Secrets that may begin, in the order in which they became ready.
    ready: VecDeque<&'a SecretPlan>,
    /// Secrets begun and not finished.
    running: usize,
    /// Removals, held back until everything else is over.
    removals: Vec<&'a SecretPlan>,
    /// Whether anything was not done so far.
    failed: bool,
    /// Secrets that an earlier part of the run did not do.
    undone: &'a BTreeSet<SecretName>,
}

/// A secret that will not be begun.
pub(super) type Skipped<'a> = (&'a SecretPlan, SkipReason);

impl<'a> Schedule<'a> {
    /// `undone` are secrets that an earlier part of the run was to do and did not: what depends on them is skipped.
    pub(super) fn new(plan: &'a Plan, undone: &'a BTreeSet<SecretName>) -> Self {
        let (removals, others): (Vec<_>, Vec<_>) = plan.secrets.iter().partition(|secret| secret.is_removal());
        let mut schedule =
            Self { waiting: BTreeMap::new(), ready: VecDeque::new(), running: 0, removals, failed: false, undone };
        schedule.admit(others);
        schedule
    }

    /// The next secret that may begin.
    pub(super) fn begin(&mut self) -> Option<&'a SecretPlan> {
        let next = self.ready.pop_front();
        self.running += usize::from(next.is_some());
        next
    }

    /// A begun secret is over. Returns the ones that will not begin for that reason.
    pub(super) fn finish(&mut self, secret: &'a SecretName, done: bool) -> Vec<Skipped<'a>> {
        self.running -= 1;
        let mut skipped = Vec::new();
        if done {
            self.release_dependents(secret);
        } else {
            self.failed = true;
            self.skip_dependents(secret, &mut skipped);
        }
        if self.running == 0 && self.ready.is_empty() {
            self.turn_to_removals(&mut skipped);
        }
        skipped
    }

    /// Nothing more begins. Returns everything that was not begun.
    pub(super) fn stop(&mut self, why: Stopped) -> Vec<Skipped<'a>> {
        let waiting = std::mem::take(&mut self.waiting).into_values().map(|(plan, _)| plan);
        let removals = std::mem::take(&mut self.removals);
        self.ready.drain(..).chain(waiting).chain(removals).map(|plan| (plan, SkipReason::Stopped(why))).collect()
    }

    /// Returns the secrets that will not begin. When no secret but removals was planned, they are next at once.
    pub(super) fn start(&mut self) -> Vec<Skipped<'a>> {
        let mut skipped = Vec::new();
        self.undone.iter().for_each(|undone| self.skip_dependents(undone, &mut skipped));
        self.failed = !skipped.is_empty();
        if self.ready.is_empty() {
            self.turn_to_removals(&mut skipped);
        }
        skipped
    }

    fn admit(&mut self, plans: Vec<&'a SecretPlan>) {
        let admitted: BTreeSet<&SecretName> = plans.iter().map(|plan| &plan.name).collect();
        for plan in plans {
            let waits_for = |name: &&SecretName| admitted.contains(*name) || self.undone.contains(*name);
            let before: BTreeSet<&SecretName> = plan.depends_on.iter().filter(waits_for).collect();
            if before.is_empty() {
                self.ready.push_back(plan);
            } else {
                self.waiting.insert(&plan.name, (plan, before));
            }
        }
    }

    fn release_dependents(&mut self, done: &SecretName) {
        let mut ready = Vec::new();
        for (name, (_, before)) in &mut self.waiting {
            if before.remove(done) && before.is_empty() {
                ready.push(*name);
            }
        }
        self.ready.extend(ready.into_iter().filter_map(|name| self.waiting.remove(name)).map(|(plan, _)| plan));
    }

    fn skip_dependents(&mut self, failed: &'a SecretName, skipped: &mut Vec<Skipped<'a>>) {
        let mut causes = vec![failed];
        while let Some(cause) = causes.pop() {
            let dependents: Vec<_> =
                self.waiting.iter().filter(|(_, (_, before))| before.contains(cause)).map(|(name, _)| *name).collect();
            for name in dependents {
                if let Some((plan, _)) = self.waiting.remove(name) {
                    skipped.push((plan, SkipReason::Dependency(cause.clone())));
                    causes.push(name);
                }
            }
        }
    }

    fn turn_to_removals(&mut self, skipped: &mut Vec<Skipped<'a>>) {
        let removals = std::mem::take(&mut self.removals);
        if self.failed {
            skipped.extend(removals.into_iter().map(|plan| (plan, SkipReason::EarlierFailure)));
        } else {
            self.admit(removals);
        }
    }
}
