//! What is counted over a target, and what other parts of a sharded run would do.

use std::collections::BTreeSet;

use super::Planner;
use crate::desired::{Prune, State};
use crate::domain::SecretName;
use crate::live::{LiveSecret, Ownership};
use crate::plan::counts::Counts;
use crate::plan::report::{Finding, FindingKind, Severity};

impl<'a> Planner<'a> {
    pub(super) fn count(&mut self) {
        let owner = self.desired.owner();
        let desired: Vec<&SecretName> = self.desired_secrets().map(|desired_secret| &desired_secret.name).collect();
        let blocked: BTreeSet<&SecretName> = self
            .report
            .findings
            .iter()
            .filter(|finding| finding.severity() == Severity::Error && !finding.is_failure())
            .map(|finding| &finding.secret)
            .collect();
        let named = |test: &dyn Fn(&Finding) -> bool| -> BTreeSet<&SecretName> {
            let found = self.report.findings.iter().filter(|finding| test(finding));
            found.map(|finding| &finding.secret).filter(|name| !blocked.contains(name)).collect()
        };
        let held_back = named(&Finding::holds_back);
        let unreadable = named(&Finding::is_failure);
        let unread = named(&|finding| finding.kind == FindingKind::ValueUnknown).len();
        let awaiting: BTreeSet<&SecretName> = self.report.awaiting.iter().map(|one| &one.secret).collect();
        let as_declared = |name: &SecretName| {
            let kept = [&blocked, &held_back, &unreadable, &awaiting].iter().any(|names| names.contains(name));
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
        let kept = |name: &SecretName| present(name) || self.old_names.contains(name);
        let owned_kept = of_ours.iter().filter(|secret| kept(&secret.name)).count();
        let (blocked, held_back, unreadable) = (blocked.len(), held_back.len(), unreadable.len());
        let all_owned = || of_ours.iter().filter(|secret| !secret.is_scheduled_for_deletion());
        // A part is measured against itself: six parts must not change what one run may not.
        let of_shard = || all_owned().filter(|secret| self.rules.selection.is_in_shard(&secret.name));
        let owned_live = of_shard().count();
        let billed = of_shard().map(|secret| 1 + secret.replicas.values().filter(|one| one.is_billed()).count()).sum();
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
                && desired.secrets.get(*name).map_or_else(
                    || {
                        let goes = desired.prune != Prune::Report || self.old_names.contains(name);
                        goes && self.is_ours_here(secret, &ours)
                    },
                    |desired_secret| desired_secret.state == State::Absent,
                )
        };
        live.secrets.iter().filter(removed).map(|(name, _)| name)
    }

    /// What they would delete: what is released keeps its value.
    pub(super) fn deleted_in_other_shards(&self) -> BTreeSet<SecretName> {
        // The value of one whose place another one takes comes along.
        let deleted = |name: &&SecretName| {
            !self.old_names.contains(name)
                && (self.desired.prune == Prune::Delete || self.desired.secrets.contains_key(*name))
        };
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
    pub(super) fn is_live(&self, name: &SecretName) -> bool {
        self.live.secrets.get(name).is_some_and(|secret| !secret.is_scheduled_for_deletion())
    }

    /// Whether another part of a sharded run looks after a secret.
    fn is_of_others(&self, name: &SecretName) -> bool {
        let selection = &self.rules.selection;
        !selection.is_in_shard(name) && self.desired.scope.contains(name.as_str()) && selection.names(name)
    }
}
