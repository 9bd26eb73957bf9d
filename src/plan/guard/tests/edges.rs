//! Where guards begin to refuse, and what they let pass.

use super::*;
use crate::desired::{DesiredSecret, DesiredValue, State};
use crate::domain::AccountId;
use crate::live::{LinkStatus, LinkedPrimary};
use crate::plan::bare::bare_desired;
use crate::plan::guard::{Fact, share_matters};

/// One target with these secrets and counts, and one declared secret, which is not planned.
fn target(secrets: Vec<SecretPlan>, counts: Counts) -> EverythingWrong {
    EverythingWrong {
        desired: Desired {
            guards: GuardLimits { max_deletes: 4, max_changes_percent: 30 },
            ..bare_desired("dev/", &["dev/a"])
        },
        live: Live::default(),
        plan: Plan::bare(secrets),
        report: PlanReport { counts, ..PlanReport::default() },
    }
}

fn counts(owned: usize) -> Counts {
    Counts { desired: 1, owned_live: owned, owned_by_all_shards: owned, whole_scope: true, ..Counts::default() }
}

/// What one guard refuses, each with its numbers.
fn refused(target: &EverythingWrong, guard: &str) -> Vec<BTreeMap<&'static str, usize>> {
    let refusals = target.refusals(&GuardOverrides::default());
    let numbers = |refusal: &Refusal| {
        let number = |(name, fact): &(&'static str, Fact)| match fact {
            Fact::Number(number) => Some((*name, *number)),
            Fact::Text(_) => None,
        };
        refusal.facts.iter().filter_map(number).collect()
    };
    refusals.iter().filter(|refusal| refusal.guard.name == guard).map(numbers).collect()
}

/// So many secrets with a value that are changed.
fn changed(count: usize) -> Vec<SecretPlan> {
    let changed = |n| SecretPlan {
        changes: vec![Change::Description { before: None, after: None, origin: origin() }],
        ..secret(&format!("dev/{n}"), Verb::Change, &[OWNER_TAG], Action::Restore)
    };
    (0..count).map(changed).collect()
}

/// So many secrets without a value that no manifest names and that are released.
fn released(count: usize) -> Vec<SecretPlan> {
    let released = |n| SecretPlan {
        observed: Some(LiveSecret::bare(&format!("dev/old-{n}"))),
        ..SecretPlan::bare(&format!("dev/old-{n}"), Verb::Release, vec![Action::Restore])
    };
    (0..count).map(released).collect()
}

#[test]
fn a_share_is_asked_for_where_three_go_or_more_than_a_share_of_ten_is_changed() {
    let matters = |secrets: Vec<SecretPlan>, allowed: u8| {
        let guards = GuardLimits { max_deletes: 0, max_changes_percent: allowed };
        let desired = Desired { guards, ..bare_desired("dev/", &[]) };
        share_matters(&desired, &GuardOverrides::default(), &Plan::bare(secrets))
    };
    assert!(matters(released(3), 30) && matters(released(3), 99) && matters(released(4), 30));
    assert!(!matters(released(2), 30) && !matters(released(3), 100));
    assert!(!matters(changed(3), 30), "three of ten are 30 %");
    assert!(matters(changed(4), 30));
}

#[test]
fn most_of_a_small_project_is_too_much_for_the_part_that_removes_some_of_it() {
    let shard = |removed: usize, in_other_shards: usize, owned: usize| {
        let counts = Counts { removals_in_other_shards: in_other_shards, ..counts(owned) };
        refused(&target(released(removed), counts), "max-changes-percent").len()
    };
    assert_eq!(shard(3, 0, 5), 1);
    assert_eq!(shard(3, 0, 6), 0, "half of it");
    assert_eq!(shard(2, 0, 2), 0, "two are no accident");
    assert_eq!(shard(1, 2, 5), 1, "with what other parts remove");
    assert_eq!(shard(0, 3, 5), 0, "this part removes nothing");
}

#[test]
fn what_goes_without_a_value_is_not_said_to_have_one() {
    let words = |removed: Vec<SecretPlan>, in_other_shards: usize| {
        let counts = Counts { removals_in_other_shards: in_other_shards, ..counts(5) };
        let refusals = target(removed, counts).refusals(&GuardOverrides::default());
        let found = refusals.iter().find(|refusal| refusal.guard.name == "max-changes-percent");
        found.map(|refusal| (refusal.words.contains("with a value"), refusal.facts.clone()))
    };
    let number = |name, number| (name, Fact::Number(number));
    let removed = |number_of| vec![number("removed", number_of), number("owned", 5), number("allowed", 30)];
    assert_eq!(words(released(3), 0), Some((false, removed(3))));
    // What other parts of the run remove may have values or not.
    assert_eq!(words(released(1), 3), Some((false, removed(4))));
    let with_value = |n| secret(&format!("dev/{n}"), Verb::Delete, &[OWNER_TAG], Action::Restore);
    assert_eq!(words((0..3).map(with_value).collect(), 0).map(|(with_value, _)| with_value), Some(true));
}

#[test]
fn what_is_made_or_adopted_is_none_of_what_would_be_changed() {
    let mut secrets = changed(4);
    secrets.push(secret("dev/new", Verb::Create, &[], Action::Restore));
    secrets.push(secret("dev/adopted", Verb::Adopt, &[], Action::Restore));
    let refused_of = |secrets, owned| refused(&target(secrets, counts(owned)), "max-changes-percent");
    let numbers = BTreeMap::from([("seen", 4), ("planned", 4), ("owned", 10), ("allowed", 30)]);
    assert_eq!(refused_of(secrets, 10), [numbers]);
    assert_eq!(refused_of(changed(3), 10), [], "30 %");
    assert_eq!(refused_of(changed(9), 9), [], "too few");
}

#[test]
fn what_other_parts_of_the_run_remove_counts_as_deleted() {
    let deleted = |in_other_shards: usize| {
        let counts = Counts { removals_in_other_shards: in_other_shards, ..counts(100) };
        refused(&target(released(2), counts), "max-deletes")
    };
    assert_eq!(deleted(2), []);
    assert_eq!(deleted(3), [BTreeMap::from([("planned", 5), ("allowed", 4)])]);
}

#[test]
fn a_run_that_keeps_nothing_is_one_of_all_that_is_in_scope_and_of_manifests() {
    let keeps_none = |desired: &[&str], counts: Counts| {
        let mut target = target(released(1), counts);
        target.desired = bare_desired("dev/", desired);
        refused(&target, "keeps-none").len()
    };
    assert_eq!(keeps_none(&["dev/a"], counts(1)), 1);
    assert_eq!(keeps_none(&["dev/a"], Counts { desired: 0, ..counts(1) }), 1, "manifests outside of the part");
    assert_eq!(keeps_none(&[], counts(1)), 1, "of this part");
    assert_eq!(keeps_none(&[], Counts { desired: 0, ..counts(1) }), 0, "an empty project");
    assert_eq!(keeps_none(&["dev/a"], Counts { whole_scope: false, ..counts(1) }), 0, "names were given");
    assert_eq!(keeps_none(&["dev/a"], Counts { owned_kept: 1, ..counts(2) }), 0);
}

#[test]
fn an_empty_project_is_refused_where_something_is_owned() {
    let empty = |owned: usize| {
        let mut target = target(released(1), Counts { desired: 0, ..counts(owned) });
        target.desired = bare_desired("dev/", &[]);
        refused(&target, "empty-project").len()
    };
    assert_eq!((empty(1), empty(0)), (1, 0));
}

#[test]
fn what_is_removed_needs_an_account_that_the_project_or_the_command_names() {
    let account = || Some(AccountId::of_service("111111111111"));
    let unnamed = |secrets: Vec<SecretPlan>, by_project: bool, by_command: bool| {
        let mut target = target(secrets, counts(10));
        target.desired.target.account = account().filter(|_| by_project);
        target.live.account = account().filter(|_| by_command);
        refused(&target, "unnamed-account").len()
    };
    let deleted = || vec![secret("dev/old", Verb::Delete, &[OWNER_TAG], Action::Restore)];
    assert_eq!(unnamed(deleted(), false, false), 1);
    assert_eq!(unnamed(vec![moved()], false, false), 1, "the old secret goes");
    assert_eq!(unnamed(deleted(), true, false), 0);
    assert_eq!(unnamed(deleted(), false, true), 0);
    assert_eq!(unnamed(changed(1), false, false), 0);
}

fn put(labels: &[&str]) -> PlannedValue {
    PlannedValue {
        source: Source::Text(Template::text("public")),
        token: Token::Random,
        compare_with: None,
        labels: labels.iter().map(|label| StagingLabel::of_service(*label)).collect(),
        digest: None,
        keeps_generated_of: None,
    }
}

#[test]
fn a_rotation_is_undone_where_git_replaces_the_current_value_that_a_rotation_made() {
    let undone = |secret: SecretPlan| refused(&target(vec![secret], counts(10)), "undo-rotation").len();
    assert_eq!(undone(undone_rotation(put(&[]))), 1);
    assert_eq!(undone(undone_rotation(put(&["OURS"]))), 0, "the current value stays");
    let mut never = undone_rotation(put(&[]));
    let mut ours = undone_rotation(put(&[]));
    if let (Some(never), Some(ours)) = (&mut never.observed, &mut ours.observed) {
        never.rotation.last = None;
        let current = BTreeSet::from([StagingLabel::current()]);
        ours.versions = BTreeMap::from([(VersionId::of_service(format!("kw1-{}", "0a".repeat(30))), current)]);
    }
    assert_eq!(undone(never), 0, "it was not rotated");
    assert_eq!(undone(ours), 0, "the value is git's");
}

#[test]
fn a_value_is_replaced_where_somebody_elses_secret_has_one() {
    let replaced = |tags: &[&str], labels: &[&str], valued: bool| {
        let mut adopted = secret("dev/adopted", Verb::Adopt, tags, Action::PutValue(Box::new(put(labels))));
        if let Some(observed) = adopted.observed.as_mut().filter(|_| !valued) {
            observed.versions.clear();
        }
        refused(&target(vec![adopted], counts(10)), "replace-value").len()
    };
    assert_eq!(replaced(&[], &[], true), 1);
    assert_eq!(replaced(&[OWNER_TAG], &[], true), 0, "ours");
    assert_eq!(replaced(&[], &[], false), 0, "without a value");
    assert_eq!(replaced(&[], &["OURS"], true), 0, "the current value stays");
}

#[test]
fn a_rotation_is_cancelled_in_flight_where_a_version_is_pending() {
    let mut idle = secret("dev/idle", Verb::Change, &[OWNER_TAG], Action::CancelRotation);
    if let Some(observed) = &mut idle.observed {
        observed.versions.remove(&VersionId::of_service("v2"));
    }
    let mut other = secret("dev/pending", Verb::Change, &[OWNER_TAG], Action::CancelRotation);
    other.actions = vec![Action::Restore];
    let pending = secret("dev/pending", Verb::Change, &[OWNER_TAG], Action::CancelRotation);
    let cancels = |secret: SecretPlan| refused(&target(vec![secret], counts(10)), "cancel-rotation").len();
    assert_eq!((cancels(pending), cancels(idle), cancels(other)), (1, 0, 0));
}

#[test]
fn a_secret_is_deleted_in_flight_where_a_version_is_pending_that_is_its_own() {
    let deletes = |secret: SecretPlan| refused(&target(vec![secret], counts(10)), "delete-rotating").len();
    let changed = |change: &dyn Fn(&mut LiveSecret)| {
        let mut secret = deleted_in_flight();
        secret.observed.iter_mut().for_each(change);
        secret
    };
    let idle = changed(&|live| drop(live.versions.remove(&VersionId::of_service("v2"))));
    let over = changed(&|live| {
        let labels = BTreeSet::from([StagingLabel::current(), StagingLabel::pending()]);
        live.versions = BTreeMap::from([(VersionId::of_service("v2"), labels)]);
    });
    let copied = changed(&|live| {
        let arn = Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:dev/deleted-AbCdEf");
        live.cross_account.primary = Some(LinkedPrimary { arn, status: LinkStatus::InSync });
    });
    assert_eq!([deleted_in_flight(), idle, over, copied].map(deletes), [1, 0, 0, 0]);
    let released = SecretPlan { verb: Verb::Release, actions: vec![Action::Restore], ..deleted_in_flight() };
    assert_eq!(deletes(released), 0);
}

#[test]
fn overrides_are_written_as_they_are_given_and_accept_risks_of_policies() {
    let given = |name: &str, number: Option<u32>| {
        let Some(flag) = flags().find(|flag| flag.name == name) else { unreachable!("there is such a flag: {name}") };
        GuardOverrides::default().with(flag, number)
    };
    assert_eq!(given("max-deletes", Some(7)).flags(), ["--max-deletes 7"]);
    assert_eq!(given("allow-empty", None).flags(), ["--allow-empty"]);
    let risks = |name: &str| {
        let accepted = given(name, None).accepted_risks();
        (accepted.broad_access, accepted.lock_out)
    };
    assert_eq!(risks(super::super::public_policy::FLAG.name), (true, false));
    assert_eq!(risks(super::super::lock_out::FLAG.name), (false, true));
    assert_eq!(risks("allow-empty"), (false, false));
}

/// What of three secrets goes from `dev` is refused, while the target `far` wants them: by each guard, which secrets.
fn refused_of_moved(far_has: &[&str], change: &dyn Fn(&mut DesiredSecret), in_run: bool) -> BTreeSet<String> {
    let gone = |name| secret(name, Verb::Delete, &[OWNER_TAG], Action::Delete { deletion: Deletion::Window(30) });
    let (desired, live) = (bare_desired("dev/", &[]), Live::default());
    let (plan, report) = (Plan::bare(vec![gone("dev/db"), gone("dev/gone")]), PlanReport::default());
    let mut far = bare_desired("dev/", &["dev/db"]);
    far.target.name = "far".to_owned();
    far.secrets.values_mut().for_each(change);
    let there = far_has.iter().filter_map(|name| secret(name, Verb::Change, &[OWNER_TAG], Action::Restore).observed);
    let far_live = Live { secrets: there.map(|secret| (secret.name.clone(), secret)).collect(), ..Live::default() };
    let (far_plan, far_report) = (Plan { target: "far".to_owned(), ..Plan::bare(Vec::new()) }, PlanReport::default());
    let mut targets = vec![GuardedTarget { desired: &desired, live: &live, plan: &plan, report: &report }];
    if in_run {
        targets.push(GuardedTarget { desired: &far, live: &far_live, plan: &far_plan, report: &far_report });
    }
    let beside = if in_run { Vec::new() } else { vec![&far] };
    let overrides = GuardOverrides::default();
    let refused = RunGuards { targets, beside, unread: &[], overrides: &overrides }.refusals().remove(0);
    let of_moved = refused.into_iter().filter(|refusal| refusal.guard.name.starts_with("target-"));
    of_moved
        .flat_map(|refusal| refusal.secrets.into_iter().map(|name| format!("{} {name}", refusal.guard.name)))
        .collect()
}

#[test]
fn what_another_target_declares_goes_where_that_has_it_with_a_value_or_gets_gits() {
    let lost = BTreeSet::from(["target-change-loses-value dev/db".to_owned()]);
    let unknown = BTreeSet::from(["target-not-in-run dev/db".to_owned()]);
    let none = BTreeSet::new();
    let as_is = |_: &mut DesiredSecret| {};
    let text = |ownership: Option<crate::desired::Ownership>| {
        move |secret: &mut DesiredSecret| {
            let source = Source::Text(Template::text("of git"));
            secret.value = Some(DesiredValue { source, shapes: Vec::new(), ownership, origin: origin() });
        }
    };
    assert_eq!(refused_of_moved(&[], &as_is, true), lost);
    assert_eq!(refused_of_moved(&["dev/db"], &as_is, true), none, "it has a value there");
    assert_eq!(refused_of_moved(&[], &as_is, false), unknown);
    assert_eq!(refused_of_moved(&["dev/db"], &as_is, false), unknown, "what is there is not known");
    for in_run in [true, false] {
        assert_eq!(refused_of_moved(&[], &text(None), in_run), none, "git has its value");
        let absent = |secret: &mut DesiredSecret| secret.state = State::Absent;
        assert_eq!(refused_of_moved(&[], &absent, in_run), none, "it is not wanted there");
        let seed = refused_of_moved(&[], &text(Some(crate::desired::Ownership::Seed)), in_run);
        assert_eq!(seed, if in_run { lost.clone() } else { unknown.clone() }, "people put another than git's");
        assert_eq!(refused_of_moved(&[], &text(Some(crate::desired::Ownership::Enforce)), in_run), none);
    }
}
