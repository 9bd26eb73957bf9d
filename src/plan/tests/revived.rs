//! Which secrets come, or stay, with another value than one that goes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{at, live, ours};
use crate::desired::{Desired, DesiredTags, DesiredValue, Ownership, TagMode};
use crate::domain::{StagingLabel, TagKey, Template, VersionId};
use crate::live::LiveSecret;
use crate::plan::bare::bare_desired;
use crate::plan::{Revival, SameOfGit, has_value_of, revived};
use crate::value::{GenerateOptions, Source};

fn with_versions(mut secret: LiveSecret, versions: &[(&str, &str)]) -> LiveSecret {
    secret.versions = versions
        .iter()
        .map(|(id, label)| (VersionId::of_service(*id), BTreeSet::from([StagingLabel::of_service(*label)])))
        .collect();
    secret
}

fn scheduled(secret: LiveSecret) -> LiveSecret {
    LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..secret }
}

fn valued(source: &Source, ownership: Option<Ownership>) -> Desired {
    let mut desired = bare_desired("app/", &["app/db"]);
    for secret in desired.secrets.values_mut() {
        secret.value = Some(DesiredValue { source: source.clone(), shapes: Vec::new(), ownership, origin: at(3) });
    }
    desired
}

/// How `new` comes where `gone` goes and they have another value each.
fn how(desired: &Desired, new: &LiveSecret, gone: &LiveSecret) -> Option<Revival> {
    let live = live(vec![new.clone(), gone.clone()]);
    let found = revived(desired, &live, std::iter::once(&live.secrets[&gone.name]), &SameOfGit::new());
    found.first().map(|found| found.how)
}

#[test]
fn what_is_restored_or_adopted_has_the_value_where_the_current_versions_have_one_id() {
    let desired = bare_desired("app/", &["app/db"]);
    let gone = with_versions(ours(&desired, "app/database"), &[("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    let of = |id| with_versions(ours(&desired, "app/db"), &[(id, "AWSCURRENT")]);
    let unowned = |id| with_versions(LiveSecret::bare("app/db"), &[(id, "AWSCURRENT")]);
    assert_eq!(how(&desired, &scheduled(of("v1")), &gone), Some(Revival::Restored));
    assert_eq!(how(&desired, &scheduled(of("v2")), &gone), None);
    assert_eq!(how(&desired, &unowned("v7"), &gone), Some(Revival::Adopted));
    assert_eq!(how(&desired, &unowned("v2"), &gone), None);
    assert_eq!(how(&desired, &scheduled(LiveSecret::bare("app/db")), &gone), None, "it has none, which others tell");
    let empty = with_versions(gone.clone(), &[]);
    assert_eq!(how(&desired, &scheduled(of("v1")), &empty), None, "nothing is lost");
}

#[test]
fn names_that_are_in_no_way_alike_are_a_pair_where_they_have_versions_in_common() {
    let desired = bare_desired("app/", &["app/db"]);
    let old = |versions: &[(&str, &str)]| with_versions(ours(&desired, "app/quite-another"), versions);
    let new = scheduled(with_versions(ours(&desired, "app/db"), &[("v1", "AWSCURRENT")]));
    assert_eq!(how(&desired, &new, &old(&[("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")])), Some(Revival::Restored));
    assert_eq!(how(&desired, &new, &old(&[("v2", "AWSCURRENT")])), None);
    let described = |secret: LiveSecret| LiveSecret { description: Some("the database".to_owned()), ..secret };
    let gone = described(old(&[("v2", "AWSCURRENT")]));
    assert_eq!(how(&desired, &described(new.clone()), &gone), Some(Revival::Restored));
    assert_eq!(how(&desired, &new, &gone), None, "it is described otherwise");
}

#[test]
fn what_is_adopted_looks_like_another_one_by_tags_of_its_own() {
    let found = |places: [u32; 2], description: Option<&str>| {
        let mut desired = bare_desired("app/", &["app/stripe", "app/web"]);
        let key = TagKey::of_service("team");
        for (secret, place) in desired.secrets.values_mut().zip(places) {
            let tags = BTreeMap::from([(key.clone(), (Template::text("shop"), at(place)))]);
            secret.tags = Some(DesiredTags { mode: TagMode::Exact, tags, origin: at(place) });
        }
        let described = |mut secret: LiveSecret| {
            secret.tags.insert(key.clone(), "shop".to_owned());
            LiveSecret { description: description.map(str::to_owned), ..secret }
        };
        let gone = described(with_versions(ours(&desired, "app/legacy-mailer"), &[("v2", "AWSCURRENT")]));
        let new = described(with_versions(LiveSecret::bare("app/stripe"), &[("v1", "AWSCURRENT")]));
        let of_ours = described(scheduled(with_versions(ours(&desired, "app/stripe"), &[("v1", "AWSCURRENT")])));
        (how(&desired, &new, &gone).is_some(), how(&desired, &of_ours, &gone).is_some())
    };
    assert_eq!(found([2, 2], None), (false, true), "the tag is written for both");
    assert_eq!(found([2, 9], None), (true, true));
    assert_eq!(found([2, 2], Some("pays")), (true, true));
}

#[test]
fn what_stays_counts_where_the_one_that_goes_was_made_of_it_and_is_newer() {
    let desired = bare_desired("app/", &["app/db"]);
    let kept = |versions: &[(&str, &str)]| with_versions(ours(&desired, "app/db"), versions);
    let gone = |versions: &[(&str, &str)]| with_versions(ours(&desired, "app/database"), versions);
    let newer = gone(&[("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    assert_eq!(how(&desired, &kept(&[("v1", "AWSCURRENT")]), &newer), Some(Revival::Kept));
    assert_eq!(how(&desired, &kept(&[("v2", "AWSPREVIOUS"), ("v3", "AWSCURRENT")]), &newer), None, "an older one goes");
    assert_eq!(how(&desired, &kept(&[("v7", "AWSCURRENT")]), &newer), None, "two secrets");
}

#[test]
fn what_git_enforces_is_put_back_whatever_is_restored() {
    let text = || Source::Text(Template::text("public"));
    let restored = |desired: &Desired| scheduled(with_versions(ours(desired, "app/db"), &[("v1", "AWSCURRENT")]));
    let found = |desired: &Desired, current: &VersionId| {
        let gone = with_versions(ours(desired, "app/database"), &[(current.as_str(), "AWSCURRENT")]);
        how(desired, &restored(desired), &gone).is_some()
    };
    let by_hand = VersionId::of_service("v2");
    let hash = "0".repeat(64);
    let (of_git, generated) = (VersionId::derived(&hash), VersionId::generated(&hash));
    assert!(!found(&valued(&text(), None), &by_hand));
    assert!(!found(&valued(&text(), Some(Ownership::Enforce)), &by_hand));
    let seed = valued(&text(), Some(Ownership::Seed));
    assert!(found(&seed, &by_hand));
    assert!(found(&seed, &generated), "git holds it in part");
    assert!(!found(&seed, &of_git));
    assert!(found(&valued(&Source::Generate(GenerateOptions::default()), None), &by_hand));
}

#[test]
fn a_secret_of_another_target_has_the_value_where_it_is_live_or_a_copy() {
    let desired = bare_desired("app/", &["app/db"]);
    let owner = desired.owner();
    let gone = with_versions(LiveSecret::bare("app/db"), &[("v2", "AWSCURRENT")]);
    let home = |id| with_versions(ours(&desired, "app/db"), &[(id, "AWSCURRENT")]);
    assert!(has_value_of(&home("v1"), &owner, &gone), "people put it there");
    assert!(!has_value_of(&scheduled(home("v1")), &owner, &gone));
    assert!(has_value_of(&scheduled(home("v2")), &owner, &gone));
    assert!(!has_value_of(&with_versions(LiveSecret::bare("app/db"), &[("v1", "AWSCURRENT")]), &owner, &gone));
    assert!(has_value_of(&gone, &owner, &gone), "a promoted replica");
    let newer = with_versions(gone.clone(), &[("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    assert!(!has_value_of(&home("v1"), &owner, &newer), "an older version");
    assert!(has_value_of(&home("v7"), &owner, &newer), "people put it there");
    let went_back = with_versions(home("v1"), &[("v2", "AWSPREVIOUS"), ("v1", "AWSCURRENT")]);
    assert!(has_value_of(&went_back, &owner, &newer), "it is there, and is not in use");
    assert!(!has_value_of(&with_versions(home("v1"), &[]), &owner, &gone));
}

#[test]
fn the_id_of_a_generated_value_says_nothing_of_another_target() {
    let desired = bare_desired("app/", &["app/db"]);
    let owner = desired.owner();
    let id = VersionId::generated(&"0".repeat(64));
    let made = |versions: &[(&str, &str)]| with_versions(ours(&desired, "app/db"), versions);
    let gone = made(&[(id.as_str(), "AWSCURRENT")]);
    assert!(!has_value_of(&scheduled(gone.clone()), &owner, &gone), "generated there, and restored");
    let unowned = with_versions(LiveSecret::bare("app/db"), &[(id.as_str(), "AWSCURRENT")]);
    assert!(!has_value_of(&unowned, &owner, &gone), "generated there, and adopted");
    assert!(has_value_of(&gone, &owner, &gone), "both are there: each has its own for a while");
    let went_on = made(&[(id.as_str(), "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    let older = made(&[("v1", "AWSCURRENT"), (id.as_str(), "AWSPREVIOUS")]);
    assert!(!has_value_of(&older, &owner, &went_on), "the newest is another value under that id");
}
