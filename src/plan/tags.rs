//! Whether a secret's tags fit into the quota, those that stay counted too.
//!
//! `tagMode: additive` leaves live tags alone, and so does `ignoreTags`, so that what git alone asks for may fit and
//! the sum not. A plan knows both.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::change::Change;
use super::diff::Difference;
use super::report::FindingKind;
use crate::collect::CollectSet as _;
use crate::desired::{DesiredTags, RESERVED_TAG_PREFIX, VALUE_TAG};
use crate::domain::{MAX_TAGS, TagKey, Template};
use crate::live::LiveSecret;

/// Whether the tags fit, AWS's own not counted.
#[derive(Clone)]
pub(super) struct TagFit<'a> {
    /// How many are live.
    live: usize,
    /// How many of these stay.
    kept: usize,
    added: usize,
    /// Those that git does not name, and that stay. keywright's own are none of them: they are written by it.
    live_only: Vec<&'a TagKey>,
}

impl<'a> TagFit<'a> {
    pub(super) fn of(
        observed: Option<&'a LiveSecret>,
        declared: Option<&DesiredTags>,
        set: &BTreeMap<TagKey, Template>,
        untag: &BTreeSet<TagKey>,
    ) -> Self {
        let live = observed.into_iter().flat_map(|secret| secret.tags.keys());
        let live: BTreeSet<&TagKey> = live.filter(|key| !key.is_system()).collect_set();
        let added = set.keys().filter(|key| !live.contains(key)).count();
        let kept = live.iter().filter(|key| !untag.contains(**key)).count();
        let is_named = |key: &TagKey| declared.is_some_and(|declared| declared.tags.contains_key(key));
        let live_only = live
            .iter()
            .copied()
            .filter(|key| !is_named(key) && !untag.contains(*key) && !key.as_str().starts_with(RESERVED_TAG_PREFIX));
        let live_only = live_only.collect();
        Self { live: live.len(), kept, added, live_only }
    }

    /// The same with the tags that these actions write for the value, and with the one that a put may find itself to
    /// need when the value is equal.
    pub(super) fn with_value(mut self, observed: Option<&LiveSecret>, actions: &[Action]) -> Self {
        let written = actions.iter().any(|action| match action {
            Action::NoteEqualValue { .. } => true,
            Action::Tag { tags } => tags.contains_key(VALUE_TAG),
            _ => false,
        });
        let there = observed.is_some_and(|secret| secret.tags.contains_key(VALUE_TAG));
        self.added += usize::from(written && !there);
        self
    }

    /// Gives up the tag `keywright:value` where there is no room for it and the plan can do without: the value is put
    /// under git's own id, without asking whether it is equal, and what was read and found equal is not written down.
    pub(super) fn without_note(
        self,
        observed: Option<&LiveSecret>,
        difference: &mut Difference,
        findings: &mut [FindingKind],
    ) -> Self {
        if self.too_many().is_some() || self.clone().with_value(observed, &difference.actions).too_many().is_none() {
            return self;
        }
        let puts = difference.actions.iter().any(|action| matches!(action, Action::PutValue(_)));
        let notes = difference.actions.iter().any(|action| matches!(action, Action::NoteEqualValue { .. }));
        if notes {
            difference.actions.retain(|action| !matches!(action, Action::NoteEqualValue { .. }));
            for action in &mut difference.actions {
                if let Action::PutValue(planned) = action {
                    planned.compare_with = None;
                }
            }
            for change in &mut difference.changes {
                if let Change::Value { noted, .. } = change {
                    *noted = false;
                }
            }
        } else if !puts {
            for action in &mut difference.actions {
                if let Action::Tag { tags } = action {
                    tags.retain(|key, _| *key != VALUE_TAG);
                }
            }
            difference.actions.retain(|action| !matches!(action, Action::Tag { tags } if tags.is_empty()));
            difference.changes.retain(|change| !matches!(change, Change::Tag { key, .. } if *key == VALUE_TAG));
            for finding in findings {
                if let FindingKind::ValueReEncrypted { noted } = finding {
                    *noted = false;
                }
            }
        }
        self
    }

    /// Whether they fit while the new ones are there and the old ones are still.
    pub(super) fn in_between(&self) -> bool {
        self.live + self.added <= MAX_TAGS
    }

    /// That they do not fit, even when all is done.
    pub(super) fn too_many(&self) -> Option<FindingKind> {
        (self.kept + self.added > MAX_TAGS).then(|| FindingKind::TooManyTags {
            live: self.kept,
            added: self.added,
            live_only: self.live_only.iter().map(|key| (*key).clone()).collect(),
        })
    }
}

/// UntagResource before TagResource, where the quota holds no room for both sets at once.
pub(super) fn untag_first(actions: &mut [Action]) {
    let at = |wanted: fn(&Action) -> bool| actions.iter().position(wanted);
    let tag = at(|action| matches!(action, Action::Tag { .. } | Action::NoteEqualValue { .. }));
    let untag = at(|action| matches!(action, Action::Untag { .. }));
    if let (Some(tag), Some(untag)) = (tag, untag)
        && tag < untag
    {
        actions[tag..=untag].rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VersionId;

    fn keys(prefix: &str, count: usize) -> BTreeSet<TagKey> {
        (0..count).map(|index| TagKey::of_service(format!("{prefix}{index}"))).collect()
    }

    fn fit(live: &BTreeSet<TagKey>, set: &BTreeSet<TagKey>, untag: &BTreeSet<TagKey>) -> (bool, Option<FindingKind>) {
        let mut secret = LiveSecret::bare("app/db");
        secret.tags = live.iter().map(|key| (key.clone(), String::new())).collect();
        let set = set.iter().map(|key| (key.clone(), Template::text(""))).collect();
        let fit = TagFit::of(Some(&secret), None, &set, untag);
        (fit.in_between(), fit.too_many())
    }

    #[test]
    fn live_tags_that_stay_and_new_ones_are_fifty_at_most() {
        let none = BTreeSet::new();
        assert_eq!(fit(&keys("live", 30), &keys("git", 20), &none), (true, None));
        let (_, too_many) = fit(&keys("live", 30), &keys("git", 21), &none);
        let live_only = keys("live", 30).into_iter().collect();
        assert_eq!(too_many, Some(FindingKind::TooManyTags { live: 30, added: 21, live_only }));
    }

    #[test]
    fn a_key_that_gets_another_value_is_not_one_more() {
        assert_eq!(fit(&keys("live", 50), &keys("live", 50), &BTreeSet::new()), (true, None));
    }

    #[test]
    fn the_tag_that_a_put_may_write_counts_unless_it_is_there() {
        let mut secret = LiveSecret::bare("app/db");
        secret.tags = keys("live", 50).into_iter().map(|key| (key, String::new())).collect();
        let fit = |secret: &LiveSecret, action: Action| {
            let none = (BTreeMap::new(), BTreeSet::new());
            let fit = TagFit::of(Some(secret), None, &none.0, &none.1).with_value(Some(secret), &[action]);
            fit.too_many().is_none() && fit.in_between()
        };
        let note = || Action::NoteEqualValue { live: VersionId::of_service("v1") };
        let claim = BTreeMap::from([(TagKey::of_service(VALUE_TAG), Template::text("a=b"))]);
        assert!(
            fit(&secret, Action::DeletePolicy) && !fit(&secret, note()) && !fit(&secret, Action::Tag { tags: claim })
        );
        secret.tags.pop_first();
        assert!(fit(&secret, note()));
        secret.tags.insert(TagKey::of_service(VALUE_TAG), String::new());
        assert!(fit(&secret, note()), "it gets another value");
    }

    #[test]
    fn the_tags_of_aws_do_not_count() {
        assert_eq!(fit(&keys("aws:", 30), &keys("git", 50), &BTreeSet::new()), (true, None));
    }

    #[test]
    fn tags_that_go_make_room_and_go_first_where_there_is_none_before() {
        assert_eq!(fit(&keys("live", 45), &keys("git", 10), &keys("live", 5)), (false, None));
        let mut actions = vec![
            Action::Restore,
            Action::Tag { tags: BTreeMap::new() },
            Action::DeletePolicy,
            Action::Untag { keys: BTreeSet::new() },
        ];
        untag_first(&mut actions);
        let operations: Vec<&str> = actions.iter().map(Action::operation).collect();
        assert_eq!(operations, ["RestoreSecret", "UntagResource", "TagResource", "DeleteResourcePolicy"]);
        let note = Action::NoteEqualValue { live: VersionId::of_service("v1") };
        let mut actions = vec![Action::Restore, note.clone(), Action::Untag { keys: BTreeSet::new() }];
        untag_first(&mut actions);
        assert_eq!(actions.last(), Some(&note));
    }
}
