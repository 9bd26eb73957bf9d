//! What a secret that takes another one's place must have, and what of the old one it will not have.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{at, name, ours, planned, region};
use crate::desired::{Declared, Desired, DesiredTags, DesiredValue, OWNER_TAG, PROTECT_TAG, RenamedFrom, TagMode};
use crate::domain::{KmsKey, StagingLabel, TagKey, Template, VersionId};
use crate::live::{LivePolicy, LiveReplica, LiveSecret, ReplicaStatus};
use crate::plan::bare::bare_desired;
use crate::plan::{Change, LeftBehind, Replacement};
use crate::value::Source;

fn version(id: &str) -> VersionId {
    VersionId::of_service(id)
}

fn key(text: &str) -> TagKey {
    TagKey::of_service(text)
}

fn labels(names: &[&str]) -> BTreeSet<StagingLabel> {
    names.iter().map(|label| StagingLabel::of_service(*label)).collect()
}

#[test]
fn a_replacement_is_there_when_all_of_it_is() {
    let needed = Replacement {
        name: name("app/new"),
        owner_tag: "shop/dev:1".to_owned(),
        valued: true,
        versions: BTreeMap::from([(version("v1"), labels(&["blue"]))]),
        outdated: BTreeSet::from([version("v0")]),
    };
    let mut there = LiveSecret::bare("app/new");
    there.tags.insert(key(OWNER_TAG), "shop/dev:1".to_owned());
    there.versions = BTreeMap::from([(version("v1"), labels(&["AWSCURRENT", "blue"]))]);
    assert!(needed.is_there(Some(&there)));
    assert!(!needed.is_there(None));
    let but = |change: &dyn Fn(&mut LiveSecret)| {
        let mut secret = there.clone();
        change(&mut secret);
        needed.is_there(Some(&secret))
    };
    assert!(!but(&|secret| secret.deleted_at = Some(Timestamp::UNIX_EPOCH)));
    assert!(!but(&|secret| secret.tags.clear()));
    assert!(!but(&|secret| drop(secret.versions.insert(version("v1"), labels(&["blue"])))), "no current version");
    assert!(!but(&|secret| {
        secret.versions.insert(version("v1"), labels(&["blue"]));
        secret.versions.insert(version("v0"), labels(&["AWSCURRENT"]));
    }));
    assert!(!but(&|secret| secret.versions = BTreeMap::from([(version("v2"), labels(&["AWSCURRENT", "blue"]))])));
    assert!(!but(&|secret| drop(secret.versions.insert(version("v1"), labels(&["AWSCURRENT"])))), "no label");
    // Another version may have got the label since.
    assert!(but(&|secret| {
        secret.versions.insert(version("v1"), labels(&["AWSCURRENT"]));
        secret.versions.insert(version("v2"), labels(&["blue"]));
    }));
    let without_value = Replacement { valued: false, versions: BTreeMap::new(), ..needed.clone() };
    there.versions.clear();
    assert!(without_value.is_there(Some(&there)), "the old one had no value either");
}

/// What of the old secret the new one will not have.
fn left_behind(desired: &Desired, old: &LiveSecret) -> Vec<LeftBehind> {
    let (plan, _) = planned(desired, vec![old.clone()]);
    let changes = plan.secrets.into_iter().flat_map(|secret| secret.changes);
    let left = changes.filter_map(|change| match change {
        Change::Moved { left_behind, .. } => Some(left_behind),
        _ => None,
    });
    left.flatten().collect()
}

fn renamed() -> Desired {
    let mut desired = bare_desired("app/", &["app/new"]);
    for secret in desired.secrets.values_mut() {
        secret.renamed_from = Some(RenamedFrom { name: name("app/old"), origin: at(2) });
    }
    desired
}

fn old_with_all() -> LiveSecret {
    let mut old = ours(&renamed(), "app/old");
    old.description = Some("the database".to_owned());
    old.kms_key_id = Some(KmsKey::of_service("alias/app"));
    for (tag, text) in [("team", "till"), ("stage", "dev"), ("aws:cloudformation:stack-id", "x"), (PROTECT_TAG, "true")]
    {
        old.tags.insert(key(tag), text.to_owned());
    }
    old.policy = LivePolicy::Unparsable("text".to_owned());
    old.rotation.enabled = true;
    old.replicas.insert(region("us-east-1"), LiveReplica { kms_key_id: None, status: ReplicaStatus::InSync });
    old
}

#[test]
fn what_a_manifest_says_nothing_of_stays_behind() {
    let left = left_behind(&renamed(), &old_with_all());
    assert_eq!(
        left,
        [
            LeftBehind::Description,
            LeftBehind::KmsKey(KmsKey::of_service("alias/app")),
            LeftBehind::Tags(vec![key("stage"), key("team")]),
            LeftBehind::Policy,
            LeftBehind::Rotation,
            LeftBehind::Replicas(vec![region("us-east-1")]),
            LeftBehind::Protection,
        ]
    );
    assert_eq!(left_behind(&renamed(), &ours(&renamed(), "app/old")), [], "it has nothing more than its value");
    let empty = LiveSecret { description: Some(String::new()), ..ours(&renamed(), "app/old") };
    assert_eq!(left_behind(&renamed(), &empty), []);
}

#[test]
fn what_a_manifest_declares_does_not_stay_behind() {
    let mut desired = renamed();
    for secret in desired.secrets.values_mut() {
        secret.description = Some(Declared { value: Some(Template::text("the database")), origin: at(3) });
        secret.kms_key_id = Some(Declared { value: None, origin: at(3) });
        secret.policy = Some(Declared { value: None, origin: at(3) });
        secret.rotation = Some(Declared { value: None, origin: at(3) });
        secret.replicas = Some(Declared { value: None, origin: at(3) });
        secret.protect = Some(false);
        let tags = BTreeMap::from([(key("team"), (Template::text("till"), at(4)))]);
        secret.tags = Some(DesiredTags { mode: TagMode::Exact, tags, origin: at(4) });
    }
    assert_eq!(left_behind(&desired, &old_with_all()), []);
    // With tags that are only added, what is not named is not spoken of.
    for secret in desired.secrets.values_mut() {
        secret.tags = secret.tags.take().map(|tags| DesiredTags { mode: TagMode::Additive, ..tags });
    }
    assert_eq!(left_behind(&desired, &old_with_all()), [LeftBehind::Tags(vec![key("stage")])]);
}

#[test]
fn older_versions_stay_behind_and_are_counted() {
    let mut old = ours(&renamed(), "app/old");
    old.versions.insert(version("v0"), labels(&["AWSPREVIOUS"]));
    assert_eq!(left_behind(&renamed(), &old), [LeftBehind::OlderVersions(1)]);
}

#[test]
fn a_new_name_that_is_restored_with_another_value_gets_the_one_in_use() {
    let desired = renamed();
    let current = |secret: &mut LiveSecret, id: &str| {
        secret.versions.values_mut().for_each(BTreeSet::clear);
        secret.versions.insert(version(id), labels(&["AWSCURRENT"]));
    };
    let mut new = ours(&desired, "app/new");
    current(&mut new, "v2");
    let needed = |new: &LiveSecret| {
        let (plan, _) = planned(&desired, vec![ours(&desired, "app/old"), new.clone()]);
        let stays = plan.secrets[0].changes.iter().find_map(|change| match change {
            Change::Carried { stays, .. } => stays.clone(),
            _ => None,
        });
        (plan.secrets[0].moved_from().map(|from| from.replacement.clone()).expect("a move"), stays)
    };
    let (replacement, stays) = needed(&new);
    assert!(replacement.is_there(Some(&new)), "a newer value, put while the rename was half done");
    assert_eq!(stays, Some(version("v2")));
    let restored = LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..new.clone() };
    let (replacement, stays) = needed(&restored);
    assert!(!replacement.is_there(Some(&new)), "its current version is still the one that it had");
    assert_eq!(stays, None);
    current(&mut new, "v3");
    assert!(replacement.is_there(Some(&new)), "a newer one");
    // Also where it does not have what is carried.
    let other = LiveSecret { versions: BTreeMap::from([(version("v7"), labels(&["AWSCURRENT"]))]), ..restored };
    assert_eq!(needed(&other).1, None);
}

#[test]
fn a_generated_current_version_and_what_people_labelled_are_named_where_git_has_a_value() {
    let mut desired = renamed();
    for secret in desired.secrets.values_mut() {
        let source = Source::Text(Template::text("public"));
        secret.value = Some(DesiredValue { source, shapes: Vec::new(), ownership: None, origin: at(3) });
    }
    let hash = "0".repeat(64);
    let of = |current: VersionId| {
        let mut old = ours(&desired, "app/old");
        old.versions = BTreeMap::from([
            (current, labels(&["AWSCURRENT"])),
            (version("blue"), labels(&["BLUE"])),
            (version("v0"), labels(&["AWSPREVIOUS"])),
        ]);
        left_behind(&desired, &old)
    };
    let labelled = LeftBehind::Labelled(version("blue"), labels(&["BLUE"]));
    let generated = VersionId::generated(&hash);
    let rest = [labelled, LeftBehind::OlderVersions(1)];
    assert_eq!(of(generated.clone())[0], LeftBehind::CurrentValue(generated));
    assert_eq!(of(version("v1"))[0], LeftBehind::CurrentValue(version("v1")));
    assert_eq!(of(version("v1"))[1..], rest);
    assert_eq!(of(VersionId::derived(&hash)), rest, "git has it");
}
