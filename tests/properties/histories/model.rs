//! What must hold of a run, said without the planner: from the commit, from what was live before and after, and from
//! the log of calls.

use std::collections::BTreeSet;

use serde_json::Value;

use super::git::{Entry, Git, MAX_CHANGES_PERCENT, MAX_DELETES, Source, TARGETS};
use super::world::{Done, OWNER, Seen, Snapshot, World};
use crate::desired::policy;

/// The flags of a run that override guards.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flags {
    None,
    All,
    /// One of [`FLAGS`].
    One(usize),
}

pub(super) const FLAGS: [&str; 11] = [
    "--allow-protected",
    "--allow-delete-unowned",
    "--allow-remove-all",
    "--allow-empty",
    "--allow-lose-value",
    "--allow-restore-unowned",
    "--allow-replace-values",
    "--allow-undo-rotation",
    "--allow-cancel-rotation",
    "--max-deletes",
    "--max-changes-percent",
];

impl Flags {
    /// Whether a flag is given.
    pub(super) fn has(self, flag: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::One(at) => FLAGS[at] == flag,
        }
    }

    pub(super) fn args(self) -> Vec<&'static str> {
        let given = FLAGS.into_iter().filter(|flag| self.has(flag));
        given
            .flat_map(|flag| match flag {
                "--max-deletes" => vec![flag, "99"],
                "--max-changes-percent" => vec![flag, "100"],
                _ => vec![flag],
            })
            .collect()
    }
}

/// What a run was allowed to touch.
pub(super) struct Run<'a> {
    pub(super) world: &'a World,
    pub(super) git: &'a Git,
    pub(super) flags: Flags,
    /// Whether all targets are looked at: a run of one target says nothing of the others.
    pub(super) all_targets: bool,
    /// Whether somebody gave the names: then nothing else is looked at.
    pub(super) by_name: bool,
    /// What `plan` printed before it.
    pub(super) plan: &'a str,
}

/// Whether a secret was there before and is the same one now.
fn same<'a>(done: &'a Done, place: &(&'static str, String)) -> Option<(&'a Seen, &'a Seen)> {
    let (before, after) = (done.before.get(place)?, done.after.get(place)?);
    (before.arn == after.arn).then_some((before, after))
}

impl Run<'_> {
    fn declared(&self, region: &str, name: &str) -> Option<Entry> {
        let target = TARGETS.iter().position(|(_, of)| *of == region)?;
        self.git.of_target(target).remove(name)
    }

    /// What is wrong with the calls of a run.
    pub(super) fn wrong(&self, done: &Done) -> Vec<String> {
        let mut wrong = self.wrong_calls(done);
        wrong.extend(self.undeclared_changed(done));
        wrong.extend(self.undone_without_a_word(done));
        wrong
    }

    /// Every writing call is for what git declares, or for what keywright owned and git no longer declares.
    fn wrong_calls(&self, done: &Done) -> Vec<String> {
        let mut wrong = Vec::new();
        for call in &done.writes {
            let name = call.secret.clone().unwrap_or_default();
            let Some((_, region)) = TARGETS.iter().find(|(_, region)| *region == call.region) else {
                wrong.push(format!("{call:?} is in no target's region"));
                continue;
            };
            let before = done.before.get(&(*region, name.clone()));
            let ours = before.is_some_and(|before| self.world.owns(before));
            let entry = self.declared(region, &name);
            let present = entry.as_ref().is_some_and(|entry| !entry.absent);
            let has =
                |source: fn(&Source) -> bool| present && entry.as_ref().is_some_and(|entry| source(&entry.source));
            let may = name.starts_with(&self.git.prefix())
                && match call.operation.as_str() {
                    "DeleteSecret" => before.is_some_and(|before| self.may_delete(before, entry.as_ref(), ours)),
                    "PutSecretValue" | "UpdateSecretVersionStage" => has(|source| *source != Source::People),
                    "PutResourcePolicy" | "DeleteResourcePolicy" => {
                        present && entry.as_ref().is_some_and(|entry| entry.policy.is_some())
                    }
                    "CreateSecret" | "UpdateSecret" | "TagResource" => present,
                    "RestoreSecret" => present && (ours || self.flags.has("--allow-restore-unowned")),
                    "UntagResource" => present || (ours && self.git.prune == "release"),
                    _ => false,
                };
            if !may {
                wrong.push(format!("{} {name} in {region}, with {:?}: {before:?}", call.operation, self.flags));
            }
        }
        wrong
    }

    fn may_delete(&self, before: &Seen, entry: Option<&Entry>, ours: bool) -> bool {
        let asked = match entry {
            Some(entry) => entry.absent && (ours || self.flags.has("--allow-delete-unowned")),
            None => ours && self.git.prune == "delete",
        };
        let rotates = before.pending.is_some() && before.pending != before.current;
        asked
            && (!before.is_protected() || self.flags.has("--allow-protected"))
            && (!rotates || self.flags.has("--allow-cancel-rotation"))
    }

    /// What git does not declare and keywright does not own is as it was.
    fn undeclared_changed(&self, done: &Done) -> Vec<String> {
        let untouchable = done
            .before
            .iter()
            .filter(|((region, name), before)| self.declared(region, name).is_none() && !self.world.owns(before));
        untouchable
            .filter(|(place, before)| done.after.get(*place) != Some(before))
            .map(|(place, before)| format!("{place:?} was nobody's, and is no longer {before:?}"))
            .collect()
    }

    /// A value that git did not make and that is no longer current was named in the plan.
    fn undone_without_a_word(&self, done: &Done) -> Vec<String> {
        let mut wrong = Vec::new();
        for place in done.before.keys() {
            let Some((before, after)) = same(done, place) else { continue };
            if let Some(id) = before.not_of_git()
                && after.current != before.current
                && !self.plan.contains(id)
            {
                wrong.push(format!("{place:?}: {id} was undone, and the plan did not name it"));
            }
        }
        wrong
    }

    /// Secrets that a run deleted or released.
    pub(super) fn removed(done: &Done) -> BTreeSet<(&'static str, String)> {
        let gone = |(place, before): &(&(&'static str, String), &Seen)| {
            let after = done.after.get(*place);
            let released =
                before.tags.contains_key(OWNER) && after.is_some_and(|after| !after.tags.contains_key(OWNER));
            (!before.scheduled && after.is_none_or(|after| after.scheduled)) || released
        };
        done.before.iter().filter(gone).map(|(place, _)| place.clone()).collect()
    }

    /// What is wrong with a run as a whole: `before` and `after` it, over all its parts.
    pub(super) fn wrong_over_all(&self, parts: &[Done]) -> Vec<String> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Vec::new() };
        let mut wrong = Vec::new();
        let removed: BTreeSet<_> = parts.iter().flat_map(Self::removed).collect();
        if removed.len() > MAX_DELETES && !self.flags.has("--max-deletes") {
            wrong.push(format!("{} were removed, and {MAX_DELETES} may be: {removed:?}", removed.len()));
        }
        for (_, region) in TARGETS {
            wrong.extend(self.wrong_share(region, first, parts));
            let kept_none = |part: &Done| self.kept_none(region, &part.before, &Self::removed(part));
            wrong.extend(parts.iter().filter(|_| !self.by_name).filter_map(kept_none));
        }
        if !self.by_name {
            wrong.extend(self.lost_by_a_rename(&removed, &first.before, &last.after));
        }
        if self.all_targets {
            wrong.extend(self.moved_into_nothing(&removed, &last.after));
        }
        wrong
    }

    /// The share of changed secrets with a value.
    fn wrong_share(&self, region: &str, first: &Done, parts: &[Done]) -> Option<String> {
        let owned = first.before.iter().filter(|((of, name), secret)| {
            *of == region && name.starts_with(&self.git.prefix()) && !secret.scheduled && self.world.owns(secret)
        });
        let owned: BTreeSet<&String> = owned.map(|((_, name), _)| name).collect();
        let in_use = |name: &String| {
            first.before.iter().any(|((of, other), secret)| *of == region && other == name && secret.current.is_some())
        };
        let written = parts.iter().flat_map(|part| &part.writes).filter(|call| call.region == region);
        let changed: BTreeSet<&String> = written
            .filter_map(|call| call.secret.as_ref())
            .filter(|name| owned.contains(name) && in_use(name))
            .collect();
        let too_many = owned.len() >= 10 && changed.len() * 100 > owned.len() * MAX_CHANGES_PERCENT;
        (too_many && !self.flags.has("--max-changes-percent"))
            .then(|| format!("{region}: {} of {} were changed", changed.len(), owned.len()))
    }

    /// A run that keeps nothing of what is owned says so by a flag.
    fn kept_none(
        &self,
        region: &'static str,
        before: &Snapshot,
        removed: &BTreeSet<(&'static str, String)>,
    ) -> Option<String> {
        let removed_here = removed.iter().filter(|(of, name)| *of == region && self.declared(region, name).is_none());
        let kept = before.iter().any(|((of, name), secret)| {
            *of == region && self.world.owns(secret) && self.declared(region, name).is_some_and(|entry| !entry.absent)
        });
        let target = TARGETS.iter().position(|(_, of)| *of == region)?;
        let flag = if self.git.of_target(target).is_empty() { "--allow-empty" } else { "--allow-remove-all" };
        let removed_here = removed_here.count();
        (removed_here > 0 && !kept && !self.flags.has(flag))
            .then(|| format!("{region}: nothing of what was owned was kept, without {flag}"))
    }

    /// The name beside one that went is declared, has no value, and gets none of git's.
    fn lost_by_a_rename(
        &self,
        removed: &BTreeSet<(&'static str, String)>,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let is_gone = |place: &(&'static str, String)| after.get(place).is_none_or(|secret| secret.scheduled);
        for (region, name) in removed.iter().filter(|place| is_gone(place)) {
            let beside = name.strip_suffix("-v2").map_or_else(|| format!("{name}-v2"), str::to_owned);
            let had = before.get(&(*region, name.clone())).is_some_and(|secret| secret.current.is_some());
            let without = |snapshot: &Snapshot| {
                snapshot.get(&(*region, beside.clone())).is_none_or(|secret| secret.current.is_none())
            };
            let declared = self
                .declared(region, &beside)
                .is_some_and(|entry| !entry.absent && !matches!(entry.source, Source::Text { .. }));
            let lost = had && declared && (without(before) || without(after));
            if lost && !self.flags.has("--allow-lose-value") {
                wrong.push(format!("{region}: {name} went with its value, and {beside} has none of its own"));
            }
        }
        wrong
    }

    /// What went in one target and is declared in another is there.
    fn moved_into_nothing(&self, removed: &BTreeSet<(&'static str, String)>, after: &Snapshot) -> Vec<String> {
        let mut wrong = Vec::new();
        let is_gone = |place: &(&'static str, String)| after.get(place).is_none_or(|secret| secret.scheduled);
        let gone = removed.iter().filter(|place| is_gone(place) && self.declared(place.0, &place.1).is_none());
        for (region, name) in gone {
            for (_, other) in TARGETS.iter().filter(|(_, other)| other != region) {
                let declared = self.declared(other, name).is_some_and(|entry| !entry.absent);
                let there = after.get(&(*other, name.clone())).is_some_and(|secret| !secret.scheduled);
                if declared && !there {
                    wrong.push(format!("{name} went from {region}, and is not in {other}"));
                }
            }
        }
        wrong
    }

    /// Names of which something differs from the commit.
    pub(super) fn differing(&self, live: &Snapshot) -> Vec<String> {
        let mut names = Vec::new();
        for (target, (_, region)) in TARGETS.iter().enumerate() {
            for (name, entry) in self.git.of_target(target) {
                let secret = live.get(&(*region, name.clone()));
                if !self.equal(&entry, secret) {
                    names.push(name);
                }
            }
        }
        names
    }

    fn equal(&self, entry: &Entry, secret: Option<&Seen>) -> bool {
        let Some(secret) = secret else { return entry.absent };
        if entry.absent || secret.scheduled {
            return entry.absent && secret.scheduled;
        }
        let value = match &entry.source {
            Source::People => true,
            // Rotation owns it.
            Source::Text { seed: false, text } if !secret.rotating => secret.value.as_deref() == Some(text),
            Source::Text { .. } | Source::Generate => secret.current.is_some(),
        };
        let as_role = |role: &&str| secret.policy.as_ref().is_some_and(|live| same_policy(live, role));
        value
            && self.world.owns(secret)
            && secret.description == format!("Text {}", entry.description)
            && entry.protect.is_none_or(|protect| protect == secret.is_protected())
            && entry.policy.as_ref().is_none_or(as_role)
    }

    /// Names that git does not declare, and of which people must be told: what is left of ours, and copied tags.
    pub(super) fn left_over(&self, live: &Snapshot) -> Vec<String> {
        let undeclared = live.iter().filter(|((region, name), secret)| {
            !secret.scheduled
                && self.declared(region, name).is_none()
                && secret.tags.get(OWNER).is_some_and(|tag| tag.starts_with("shop/"))
                // A copy outside the scope is nobody's business.
                && (self.world.owns(secret) || name.starts_with(&self.git.prefix()))
        });
        undeclared.map(|((_, name), _)| name.clone()).collect()
    }
}

/// Whether a live policy is the one of a role: what the service adds or changes in form is none of these.
fn same_policy(live: &Value, role: &str) -> bool {
    *live == policy(role)
}
