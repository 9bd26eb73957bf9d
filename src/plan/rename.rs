//! Renamed manifests: a secret that is created while one that looks like it goes, or stays behind.
//!
//! AWS can't rename a secret. Somebody who renames one in git gets a new, empty secret beside the old one, and a plan
//! should say so before the old one is deleted with its value.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Finding, FindingKind, PlanReport};
use super::{Action, Change, Plan, SecretPlan, Selection, Verb};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, DesiredSecret, DesiredValue, Ownership, RESERVED_TAG_PREFIX, State};
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
/// it, or in an earlier one that made them. What a replica of another account gets is its primary's, of which nothing
/// is known here.
pub(super) fn without_value(desired: &Desired, live: &Live, selection: &Selection) -> BTreeSet<SecretName> {
    let of_git = |secret: &DesiredSecret| secret.value.as_ref().is_some_and(|value| !value.source.is_made_once());
    unvalued(desired, live, selection).filter(|secret| !of_git(secret)).map(|secret| secret.name.clone()).collect()
}

/// The secrets that manifests name and that have no value now.
fn unvalued<'a>(
    desired: &'a Desired,
    live: &'a Live,
    selection: &'a Selection,
) -> impl Iterator<Item = &'a DesiredSecret> {
    // Where names are given, nothing else was looked at.
    let all = selection.plain_names().is_none();
    let valued = |name: &SecretName| live.secrets.get(name).is_some_and(|secret| secret.current_version().is_some());
    desired.secrets.values().filter(move |secret| {
        secret.state == State::Present
            && desired.scope.contains(secret.name.as_str())
            && (all || selection.contains(&secret.name))
            && !valued(&secret.name)
    })
}

/// Whose the value of a secret is that comes with git's first one, and when another owner takes it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// Git's is declared to be a seed.
    Always,
    /// Nothing is declared: it is one where the secret is or was rotated; else git enforces it.
    IfRotated,
}

/// The secrets that manifests name, that have no value now and that get git's only as a seed: what is live under
/// another name is not git's then.
pub(super) fn seeded(desired: &Desired, live: &Live, selection: &Selection) -> BTreeMap<SecretName, Seeded> {
    let seeded = unvalued(desired, live, selection).filter_map(|secret| {
        let value = secret.value.as_ref().filter(|value| !value.source.is_made_once())?;
        Some((secret.name.clone(), seeded_by(value)?))
    });
    seeded.collect_map()
}

/// Whose git's value is where it comes as a first one; none where git enforces it.
pub(super) fn seeded_by(value: &DesiredValue) -> Option<Seeded> {
    match value.ownership {
        Some(Ownership::Enforce) => None,
        Some(Ownership::Seed) => Some(Seeded::Always),
        None => Some(Seeded::IfRotated),
    }
}

/// Whether git gives a secret a value that may stand for the one of another secret, which goes.
pub(crate) fn replaces_value(desired: &DesiredSecret, gone: &LiveSecret) -> bool {
    let of_git = desired.value.as_ref().filter(|value| !value.source.is_made_once());
    of_git.is_some_and(|value| !seeded_by(value).is_some_and(|seeded| replaces_another_owners(seeded, gone)))
}

/// Whether git's first value in the place of a secret is not what this one holds: people or rotation put that.
pub(super) fn replaces_another_owners(seeded: Seeded, gone: &LiveSecret) -> bool {
    // Of what is in part generated, git holds the rest alone.
    let of_git = gone.current_version().is_some_and(|current| current.is_ours() && !current.is_generated());
    !of_git && (seeded == Seeded::Always || gone.is_rotated())
}

/// Pairs of a secret that is, or would come, without a value (or with one of git's that is not the one in use) and one
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
        plan.secrets.iter().map(|secret| (&secret.name, secret)).collect_map();
    let created = |name: &SecretName| planned.get(name).copied().filter(|secret| secret.verb == Verb::Create);
    let gets_value = |name: &SecretName| planned.get(name).is_some_and(|secret| puts_value(secret));
    let without = report.without_value.iter().map(|new| (new, None));
    without
        .chain(report.seeded.iter().map(|(new, seeded)| (new, Some(*seeded))))
        .flat_map(|(new, seeded)| {
            let lost =
                gone.iter().filter(move |(old, _)| seeded.is_none_or(|seeded| replaces_another_owners(seeded, old)));
            lost.map(move |(old, here)| (new, *old, *here))
        })
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

pub(super) fn could_be_renamed(name: &SecretName, created: Option<&SecretPlan>, gone: &LiveSecret) -> bool {
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
    let described = description.is_some() || !tags.is_empty();
    described
        && description.unwrap_or_default() == gone.description.as_deref().unwrap_or_default()
        && tags == tags_of_people(gone)
}

/// The tags that neither AWS nor keywright put.
pub(super) fn tags_of_people(secret: &LiveSecret) -> BTreeMap<&str, &str> {
    let of_people = |key: &str| !is_system_tag(key) && !key.starts_with(RESERVED_TAG_PREFIX);
    let tags = secret.tags.iter().filter(|(key, _)| of_people(key.as_str()));
    tags.map(|(key, value)| (key.as_str(), value.as_str())).collect_map()
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
    use std::path::Path;

    use super::*;
    use crate::desired::{Declared, Deletion, OtherSecret};
    use crate::domain::{StagingLabel, TagKey, Template, VersionId};
    use crate::origin::Origin;
    use crate::plan::bare::{bare_desired, bare_secret};
    use crate::plan::{PlannedValue, Token};
    use crate::value::{GenerateOptions, Source};

    fn created(value: Option<Box<PlannedValue>>) -> SecretPlan {
        SecretPlan::bare("app/key-v2", Verb::Create, vec![Action::bare_create(value, None)])
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

    fn with_value(name: &str) -> LiveSecret {
        let mut secret = LiveSecret::bare(name);
        secret.versions.insert(VersionId::of_service("v1"), BTreeSet::from([StagingLabel::current()]));
        secret
    }

    fn live_with(secrets: impl IntoIterator<Item = LiveSecret>) -> Live {
        let secrets = secrets.into_iter().map(|secret| (secret.name.clone(), secret)).collect();
        Live { secrets, ..Live::default() }
    }

    fn value(source: Source) -> DesiredValue {
        let origin = Origin::new(Path::new("app.yaml"), 8, 1);
        DesiredValue { source, shapes: Vec::new(), ownership: None, origin }
    }

    #[test]
    fn a_secret_is_without_value_where_nobody_has_given_or_gives_it_one() {
        let found = |selection: &Selection, change: &dyn Fn(&mut DesiredSecret)| {
            let mut desired = bare_desired("app/", &["app/db", "app/valued"]);
            desired.secrets.values_mut().for_each(change);
            let found = without_value(&desired, &live_with([with_value("app/valued")]), selection);
            found.iter().any(|name| name.as_str() == "app/db")
        };
        let all = Selection::all();
        assert!(found(&all, &|_| {}));
        let desired = bare_desired("app/", &["app/db", "app/valued"]);
        assert_eq!(without_value(&desired, &live_with([with_value("app/valued")]), &all).len(), 1, "one has a value");
        assert!(!found(&all, &|secret| secret.state = State::Absent));
        assert!(
            !found(&all, &|secret| secret.value = Some(value(Source::Text(Template::text("public"))))),
            "git gives it"
        );
        let generated = || Source::Generate(GenerateOptions::default());
        assert!(found(&all, &|secret| secret.value = Some(value(generated()))), "what is made once is none of git's");
        let primary =
            |value: Option<OtherSecret>| Some(Declared { value, origin: Origin::new(Path::new("app.yaml"), 9, 1) });
        let other = OtherSecret::Named { target: "there".to_owned(), name: SecretName::new("app/db") };
        assert!(
            found(&all, &|secret| secret.cross_account_primary = primary(Some(other.clone()))),
            "its primary may have none"
        );
        assert!(found(&all, &|secret| secret.cross_account_primary = primary(None)), "it has no primary");
    }

    #[test]
    fn where_names_are_given_no_other_secret_was_looked_at() {
        let mut desired = bare_desired("app/", &["app/a", "app/b"]);
        let outside = bare_secret("web/c");
        desired.secrets.insert(outside.name.clone(), outside);
        let names = |selection: &Selection| {
            let found = without_value(&desired, &Live::default(), selection);
            found.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&Selection::all()), ["app/a", "app/b"], "what is out of scope is refused elsewhere");
        assert_eq!(names(&Selection::exactly([&SecretName::new("app/b"), &SecretName::new("web/c")])), ["app/b"]);
        let patterns = Selection::matching(&["app/a*".to_owned()]).unwrap_or_default();
        assert_eq!(names(&patterns), ["app/a", "app/b"], "patterns were held against all that is there");
    }

    /// A secret that is made with this description, and with a tag where there is one.
    fn described(name: &str, description: &str, tag: Option<&str>) -> SecretPlan {
        let origin = || Origin::new(Path::new("app.yaml"), 8, 1);
        let text = |text: &str| crate::plan::PlannedText { text: text.to_owned(), known: true };
        let description = Change::Description { before: None, after: Some(text(description)), origin: origin() };
        let tag = tag.map(|tag| Change::Tag {
            key: TagKey::of_service("team"),
            before: None,
            after: Some(text(tag)),
            origin: Some(origin()),
        });
        let changes = [description].into_iter().chain(tag).collect();
        SecretPlan { changes, origin: Some(origin()), ..SecretPlan::bare(name, Verb::Create, Vec::new()) }
    }

    fn gone(name: &str, verb: Verb) -> SecretPlan {
        SecretPlan::bare(name, verb, Vec::new())
    }

    fn old(name: &str, description: &str, tag: Option<&str>) -> LiveSecret {
        let tags = tag.map(|tag| (TagKey::of_service("team"), tag.to_owned())).into_iter().collect();
        LiveSecret { description: Some(description.to_owned()), tags, ..LiveSecret::bare(name) }
    }

    /// The old names that new ones are paired with.
    fn pairs(plans: &[SecretPlan], desired: &[&str], live: Vec<LiveSecret>) -> Vec<String> {
        let (desired, live) = (bare_desired("app/", desired), live_with(live));
        let pairs = renames(&desired, &live, plans.iter(), &[]);
        pairs.into_iter().map(|(new, old)| format!("{old} to {new}")).collect()
    }

    #[test]
    fn what_is_made_was_renamed_where_what_no_manifest_names_any_more_is_described_alike() {
        let new = || described("app/new", "the database", Some("till"));
        let was = || vec![old("app/old", "the database", Some("till"))];
        let renamed = ["app/old to app/new".to_owned()];
        assert_eq!(pairs(&[new(), gone("app/old", Verb::Delete)], &["app/new"], was()), renamed);
        assert_eq!(pairs(&[new(), gone("app/old", Verb::Release)], &["app/new"], was()), renamed);
        let none: [String; 0] = [];
        let declared = ["app/new", "app/old"];
        assert_eq!(pairs(&[new(), gone("app/old", Verb::Release)], &declared, was()), none, "a manifest names it");
        let absent = SecretPlan { origin: new().origin, ..gone("app/old", Verb::Delete) };
        assert_eq!(pairs(&[new(), absent], &["app/new"], was()), none, "a manifest says that it goes");
        assert_eq!(pairs(&[new(), gone("app/old", Verb::Change)], &["app/new"], was()), none, "it stays");
        for other in [
            old("app/old", "another", Some("till")),
            old("app/old", "the database", Some("web")),
            old("app/old", "the database", None),
        ] {
            assert_eq!(
                pairs(&[new(), gone("app/old", Verb::Delete)], &["app/new"], vec![other.clone()]),
                none,
                "{other:?}"
            );
        }
        let untagged = described("app/new", "the database", None);
        let ours = {
            let mut secret = old("app/old", "the database", None);
            secret.tags.insert(TagKey::of_service("aws:cloudformation:stack-name"), "stack".to_owned());
            secret.tags.insert(TagKey::of_service(crate::desired::OWNER_TAG), "shop/dev".to_owned());
            secret
        };
        assert_eq!(
            pairs(&[untagged, gone("app/old", Verb::Delete)], &["app/new"], vec![ours]),
            renamed,
            "tags of people"
        );
    }

    #[test]
    fn of_two_that_are_described_alike_the_one_whose_name_is_more_alike_was_renamed() {
        let new = described("app/payments/db-main", "the database", None);
        let gone = |name| gone(name, Verb::Delete);
        let one = |name| old(name, "the database", None);
        let plans = [new, gone("app/payments/db-man"), gone("app/payments/other")];
        let live = vec![one("app/payments/db-man"), one("app/payments/other")];
        assert_eq!(pairs(&plans, &[], live), ["app/payments/db-man to app/payments/db-main"]);
        // A folder that was renamed leaves the last part.
        let new = described("app/payments/db-main", "the database", None);
        let plans = [new, gone("app/payments/db-man"), gone("app/pay/db-main")];
        let live = vec![one("app/payments/db-man"), one("app/pay/db-main")];
        assert_eq!(pairs(&plans, &[], live), ["app/pay/db-main to app/payments/db-main"]);
    }

    #[test]
    fn names_are_alike_from_0_to_1_and_more_where_their_last_parts_are_the_same() {
        let like = |a: &str, b: &str| likeness(&SecretName::new(a), &LiveSecret::bare(b));
        let same = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(same(like("app/abcd", "app/abxx"), 0.5));
        assert!(same(like("app/abc", "app/xyz"), 0.0));
        assert!(same(like("app/ab/db", "app/xy/db"), 1.6), "{}", like("app/ab/db", "app/xy/db"));
        assert!(same(like("app/db", "app/db"), 2.0));
    }

    #[test]
    fn a_name_could_be_another_ones_where_it_shortens_it_or_is_somewhat_alike() {
        let could = |new: &str, old: &str| could_be_renamed(&SecretName::new(new), None, &LiveSecret::bare(old));
        for (new, old) in [
            ("app/db", "app/database"),
            ("app/database", "app/db"),
            ("app/DB", "app/database"),
            ("app/db-v2", "app/db"),
            ("app/web/key", "app/shop/key"),
            ("app/abcde", "app/abxyz"),
        ] {
            assert!(could(new, old), "{new} {old}");
        }
        for (new, old) in [
            ("app/bd", "app/database"),
            ("app/abcdefgh", "app/xyzuvwst"),
            ("app/dx", "app/database"),
            ("app/base", "app/database-of-all-that-is-sold-in-the-shop"),
        ] {
            assert!(!could(new, old), "{new} {old}");
        }
        let described = described("app/x", "the database", None);
        let gone = old("app/quite-another", "the database", None);
        assert!(could_be_renamed(&described.name, Some(&described), &gone));
        assert!(!could_be_renamed(&described.name, None, &gone));
    }
}
