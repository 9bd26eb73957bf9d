//! Renamed manifests: a secret that is created while one that looks like it goes, or stays behind.
//!
//! AWS can't rename a secret. Somebody who renames one in git gets a new, empty secret beside the old one, and a plan
//! should say so before the old one is deleted with its value.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Finding, FindingKind, PlanReport};
use super::{Action, Change, Plan, SecretPlan, Selection, Verb};
use crate::desired::{Desired, DesiredSecret, RESERVED_TAG_PREFIX, State};
use crate::domain::{SecretName, is_system_tag};
use crate::live::{Live, LiveSecret};

/// Pairs of a secret that is created and one whose manifest is gone and that has the same description and tags. No
/// secret is in two pairs. Names alone are no evidence: `api-key-2` beside `api-key` is often another secret.
pub(super) fn renames<'a>(
    desired: &Desired,
    live: &'a Live,
    plans: impl Iterator<Item = &'a SecretPlan>,
    findings: &'a [Finding],
) -> Vec<(SecretName, SecretName)> {
    let mut created: Vec<&SecretPlan> = Vec::new();
    let mut gone: BTreeSet<&SecretName> = BTreeSet::new();
    for plan in plans {
        match plan.verb {
            Verb::Create => created.push(plan),
            Verb::Delete if plan.origin.is_none() => {
                gone.insert(&plan.name);
            }
            Verb::Release if !desired.secrets.contains_key(&plan.name) => {
                gone.insert(&plan.name);
            }
            _ => {}
        }
    }
    let orphans = findings.iter().filter(|finding| matches!(finding.kind, FindingKind::Orphaned { .. }));
    gone.extend(orphans.map(|finding| &finding.secret));

    let mut pairs = Vec::new();
    for plan in created {
        let best = gone
            .iter()
            .filter_map(|name| live.secrets.get(*name))
            .filter(|secret| same_description_and_tags(plan, secret))
            .map(|secret| (likeness(&plan.name, secret), &secret.name))
            .max_by(|(a, a_name), (b, b_name)| a.total_cmp(b).then_with(|| b_name.cmp(a_name)));
        if let Some((_, name)) = best {
            pairs.push((plan.name.clone(), name.clone()));
            gone.remove(name);
        }
    }
    pairs
}

/// The secrets that manifests name, that have no value now and that get none of git's: in this run, in another part of
/// it, or in an earlier one that made them.
pub(super) fn without_value(desired: &Desired, live: &Live, selection: &Selection) -> BTreeSet<SecretName> {
    // Where names are given, nothing else was looked at.
    let all = selection.plain_names().is_none();
    let valued = |name: &SecretName| live.secrets.get(name).is_some_and(|secret| secret.current_version().is_some());
    let of_git = |secret: &DesiredSecret| secret.value.as_ref().is_some_and(|value| !value.source.is_made_once());
    let named = desired.secrets.values().filter(|secret| {
        secret.state == State::Present
            && desired.scope.contains(secret.name.as_str())
            && (all || selection.contains(&secret.name))
    });
    // A replica gets the value of its primary.
    let is_replica =
        |secret: &DesiredSecret| secret.cross_account_primary.as_ref().is_some_and(|declared| declared.value.is_some());
    named
        .filter(|secret| !valued(&secret.name) && !of_git(secret) && !is_replica(secret))
        .map(|secret| secret.name.clone())
        .collect()
}

/// Pairs of a secret that is, or would come, without a value and one that would go with its value, where the two names,
/// or what describes them, are in any way alike. Too many pairs cost a flag, one too few costs a value.
///
/// What another part of a sharded run would delete counts where this part gives the new secret a value made once: once
/// it is there, the part that deletes can no longer tell that the old value was never copied.
pub(crate) fn looks_renamed<'a>(
    plan: &'a Plan,
    report: &'a PlanReport,
    live: &'a Live,
) -> Vec<(&'a SecretName, &'a SecretName)> {
    let gone = plan.secrets.iter().filter(|secret| secret.is_removal()).filter_map(|secret| secret.observed.as_ref());
    let gone_in_other_shards = report.deleted_in_other_shards.iter().filter_map(|name| live.secrets.get(name));
    let valued = |secret: &&LiveSecret| secret.current_version().is_some();
    let gone: Vec<(&LiveSecret, bool)> = gone
        .map(|secret| (secret, true))
        .chain(gone_in_other_shards.map(|secret| (secret, false)))
        .filter(|(secret, _)| valued(secret))
        .collect();
    let planned: BTreeMap<&SecretName, &SecretPlan> =
        plan.secrets.iter().map(|secret| (&secret.name, secret)).collect();
    let created = |name: &SecretName| planned.get(name).copied().filter(|secret| secret.verb == Verb::Create);
    let gets_value = |name: &SecretName| planned.get(name).is_some_and(|secret| puts_value(secret));
    report
        .without_value
        .iter()
        .flat_map(|new| gone.iter().map(move |(old, here)| (new, *old, *here)))
        .filter(|(new, old, here)| (*here || gets_value(new)) && could_be_renamed(new, created(new), old))
        .map(|(new, old, _)| (new, &old.name))
        .collect()
}

fn puts_value(planned: &SecretPlan) -> bool {
    let puts = |action: &Action| {
        matches!(action, Action::PutValue(_) | Action::CarryVersion(_) | Action::Create { value: Some(_), .. })
    };
    planned.actions.iter().any(puts)
}

/// Names this alike, in any letter case, may be one name before and after a rename.
const SOMEWHAT_ALIKE: f64 = 0.4;

fn could_be_renamed(name: &SecretName, created: Option<&SecretPlan>, gone: &LiveSecret) -> bool {
    if likeness(name, gone) >= 1.0 || created.is_some_and(|created| same_description_and_tags(created, gone)) {
        return true;
    }
    let (new, old) = without_common_folders(name.as_str(), gone.name.as_str());
    let (new, old) = (new.to_lowercase(), old.to_lowercase());
    let (short, long) = if new.len() < old.len() { (&new, &old) } else { (&old, &new) };
    // `db` becomes `database` or `db-v2`.
    let mut letters = long.chars();
    let shortened = long.starts_with(short.chars().next().unwrap_or_default())
        && short.chars().all(|letter| letters.any(|other| other == letter));
    shortened || strsim::normalized_levenshtein(&new, &old) >= SOMEWHAT_ALIKE
}

/// How alike the names are, from 0 to 1; more than 1 when their last parts are the same.
fn likeness(created: &SecretName, gone: &LiveSecret) -> f64 {
    let (created, gone) = without_common_folders(created.as_str(), gone.name.as_str());
    let moved = created.rsplit('/').next() == gone.rsplit('/').next();
    let names = strsim::normalized_levenshtein(created, gone);
    if moved { 1.0 + names } else { names }
}

/// Whether both are described by the same text and the same tags of their own, and by something at all.
fn same_description_and_tags(created: &SecretPlan, gone: &LiveSecret) -> bool {
    let mut description = None;
    let mut tags: BTreeMap<&str, &str> = BTreeMap::new();
    for change in &created.changes {
        match change {
            Change::Description { after: Some(text), .. } => description = Some(text.text.as_str()),
            Change::Tag { key, after: Some(text), origin: Some(_), .. } => {
                tags.insert(key.as_str(), text.text.as_str());
            }
            _ => {}
        }
    }
    let of_people = |key: &str| !is_system_tag(key) && !key.starts_with(RESERVED_TAG_PREFIX);
    let gone_tags =
        gone.tags.iter().filter(|(key, _)| of_people(key.as_str())).map(|(key, value)| (key.as_str(), value.as_str()));
    let described = description.is_some() || !tags.is_empty();
    described
        && description.unwrap_or_default() == gone.description.as_deref().unwrap_or_default()
        && tags == gone_tags.collect::<BTreeMap<_, _>>()
}

/// The two names without the folders that both begin with: what all names of a project share says nothing.
fn without_common_folders<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let folders = a.as_bytes()[..shared].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    // A slash is one byte, so both cuts are at the beginning of a character.
    (&a[folders..], &b[folders..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Deletion;
    use crate::domain::{StagingLabel, Template, VersionId};
    use crate::plan::{PlannedValue, Token};
    use crate::value::Source;

    fn created(value: Option<Box<PlannedValue>>) -> SecretPlan {
        let create = Action::Create {
            description: None,
            kms_key_id: None,
            tags: BTreeMap::new(),
            secret_type: None,
            value,
            replicas: BTreeMap::new(),
            cross_account_primary: None,
        };
        SecretPlan::bare("app/key-v2", Verb::Create, vec![create])
    }

    /// What is found in one part that does `secrets`, while `app/key` has a value and `app/key-v2` has none.
    fn found_in_part(secrets: Vec<SecretPlan>, deleted_in_other_shards: &[&str]) -> usize {
        let mut old = LiveSecret::bare("app/key");
        old.versions.insert(VersionId::of_service("v1"), BTreeSet::from([StagingLabel::current()]));
        let empty = LiveSecret::bare("app/key-v3");
        let of_name = |secret: LiveSecret| (secret.name.clone(), secret);
        let live = Live { secrets: [old, empty].map(of_name).into(), ..Live::default() };
        let report = PlanReport {
            without_value: BTreeSet::from([SecretName::new("app/key-v2")]),
            deleted_in_other_shards: deleted_in_other_shards.iter().map(|name| SecretName::new(*name)).collect(),
            ..PlanReport::default()
        };
        let with_live = |secret: SecretPlan| SecretPlan { observed: live.secrets.get(&secret.name).cloned(), ..secret };
        let plan = Plan::bare(secrets.into_iter().map(with_live).collect());
        looks_renamed(&plan, &report, &live).len()
    }

    #[test]
    fn a_rename_over_two_parts_is_found_by_the_part_that_would_hide_it() {
        let generated = || {
            Some(Box::new(PlannedValue {
                source: Source::Text(Template::text("made once")),
                token: Token::Random,
                compare_with: None,
                labels: Vec::new(),
                digest: None,
                keeps_generated_of: None,
            }))
        };
        let deletes =
            || SecretPlan::bare("app/key", Verb::Delete, vec![Action::Delete { deletion: Deletion::Window(30) }]);
        assert_eq!(found_in_part(vec![deletes(), created(generated())], &[]), 1, "one run");
        assert_eq!(found_in_part(vec![created(generated())], &["app/key"]), 1, "the part that creates");
        assert_eq!(found_in_part(vec![deletes()], &[]), 1, "the part that deletes, before");
        assert_eq!(found_in_part(vec![created(None)], &["app/key"]), 0, "the part that deletes still sees it empty");
        assert_eq!(found_in_part(vec![created(generated())], &["app/key-v3"]), 0, "nothing is lost with an empty one");
        assert_eq!(found_in_part(vec![created(generated())], &[]), 0, "nothing goes");
    }

    #[test]
    fn what_both_names_begin_with_does_not_count() {
        assert_eq!(without_common_folders("prod/payments/app", "prod/payments/old"), ("app", "old"));
        assert_eq!(without_common_folders("a/b", "c/b"), ("a/b", "c/b"));
        assert_eq!(without_common_folders("a/größe", "a/grün"), ("größe", "grün"));
    }
}
