//! Which secrets a plan has, which wait for others, and what is counted.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{at, live, name, names, ours, planned, planned_of, region};
use crate::desired::{Desired, ForOthers, OWNER_TAG, OtherOwner, Place, Prune, State, owner_tag};
use crate::domain::{AccountId, SecretName, TagKey};
use crate::live::{LiveReplica, LiveSecret, ReplicaStatus};
use crate::plan::bare::bare_desired;
use crate::plan::{
    Action, Change, Counts, FindingKind, GuardOverrides, GuardedTarget, Plan, PlanReport, RunGuards, SecretPlan,
    Selection, Verb,
};

/// `app/web` needs `app/api`, which needs `app/db`.
fn chain() -> Desired {
    let mut desired = bare_desired("app/", &["app/api", "app/db", "app/web"]);
    for (waits, needed) in [("app/api", "app/db"), ("app/web", "app/api")] {
        let secret = desired.secrets.get_mut(&name(waits)).expect("it is one of them");
        secret.depends_on = BTreeSet::from([name(needed)]);
    }
    desired
}

fn foreign(name: &str) -> LiveSecret {
    let mut secret = LiveSecret::bare(name);
    secret.tags.insert(TagKey::of_service(OWNER_TAG), "till/dev".to_owned());
    secret
}

#[test]
fn what_needs_a_secret_that_is_left_alone_waits_and_so_does_what_needs_that() {
    let mut desired = chain();
    // A service is to make it, and has not.
    desired.secrets.get_mut(&name("app/db")).expect("it is one of them").managed_by = Some("rds".to_owned());
    let (plan, report) = planned(&desired, Vec::new());
    assert_eq!(names(&plan), Vec::<&str>::new());
    let waiting: Vec<_> = report
        .findings
        .iter()
        .filter_map(|finding| match &finding.kind {
            FindingKind::DependencyRefused { dependency } => Some((finding.secret.as_str(), dependency.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(waiting, [("app/api", "app/db"), ("app/web", "app/api")]);
}

#[test]
fn nobody_waits_for_a_secret_that_is_there_and_does_not_change() {
    let desired = chain();
    let (plan, _) = planned(&desired, vec![ours(&desired, "app/db")]);
    assert_eq!(names(&plan), ["app/api", "app/web"]);
    let (plan, _) = planned(&desired, Vec::new());
    assert_eq!(names(&plan), ["app/api", "app/db", "app/web"], "what is made is waited for in the run itself");
}

#[test]
fn what_is_counted_as_owned_is_ours_and_stays() {
    let desired = bare_desired("app/", &["app/a", "app/new"]);
    let mut replicated = ours(&desired, "app/a");
    replicated.replicas.insert(region("us-east-1"), LiveReplica { kms_key_id: None, status: ReplicaStatus::InSync });
    let leaving = LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..ours(&desired, "app/leaving") };
    let secrets = vec![replicated, ours(&desired, "app/orphan"), leaving, foreign("app/theirs")];
    let (_, report) = planned(&desired, secrets);
    let expected = Counts {
        desired: 2,
        unchanged: 1,
        owned_live: 2,
        billed: 3,
        owned_kept: 1,
        owned_by_all_shards: 2,
        whole_scope: true,
        ..Counts::default()
    };
    assert_eq!(report.counts, expected);
}

fn fleet() -> Vec<String> {
    (0..20).map(|number| format!("app/{number}")).collect()
}

fn first_half() -> Selection {
    Selection::default().with_shard("1/2".parse().expect("a part"))
}

#[test]
fn what_one_part_of_a_run_removes_and_what_the_others_do_is_all() {
    let mut desired = bare_desired("app/", &[]);
    let secrets = || fleet().iter().map(|name| ours(&bare_desired("app/", &[]), name)).collect::<Vec<_>>();
    let (plan, report) = planned_of(&desired, secrets(), first_half());
    assert_eq!((plan.secrets.len(), report.counts.removals_in_other_shards), (0, 0), "orphans are only reported");
    desired.prune = Prune::Delete;
    let (plan, report) = planned_of(&desired, secrets(), first_half());
    let here = plan.secrets.len();
    assert!(here > 0 && here < 20, "{here}");
    assert_eq!(report.counts.removals_in_other_shards, 20 - here);
    assert_eq!(report.deleted_in_other_shards.len(), 20 - here);
    assert!(report.deleted_in_other_shards.iter().all(|name| !names(&plan).contains(&name.as_str())));
    assert_eq!((report.counts.owned_live, report.counts.owned_by_all_shards), (here, 20));
    // What is released keeps its value.
    desired.prune = Prune::Release;
    let (_, report) = planned_of(&desired, secrets(), first_half());
    assert_eq!((report.counts.removals_in_other_shards, report.deleted_in_other_shards.len()), (20 - here, 0));
    // Nobody removes what is on its way out, and nobody but its owner what is another's.
    desired.prune = Prune::Delete;
    let leaving = |secret| LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..secret };
    let (_, report) = planned_of(&desired, secrets().into_iter().map(leaving).collect(), first_half());
    assert_eq!((report.counts.removals_in_other_shards, report.counts.owned_by_all_shards), (0, 0));
    let theirs = fleet().iter().map(|name| foreign(name)).collect();
    assert_eq!(planned_of(&desired, theirs, first_half()).1.counts.removals_in_other_shards, 0);
}

#[test]
fn what_manifests_want_gone_counts_for_the_other_parts_and_what_they_keep_does_not() {
    let all = fleet();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut desired = bare_desired("app/", &all);
    let secrets: Vec<LiveSecret> = all.iter().map(|name| ours(&desired, name)).collect();
    let (_, report) = planned_of(&desired, secrets.clone(), first_half());
    assert_eq!((report.counts.removals_in_other_shards, report.counts.missing_in_other_shards), (0, 0));
    let (plan, report) = planned_of(&desired, Vec::new(), first_half());
    assert_eq!(report.counts.missing_in_other_shards, 20 - plan.secrets.len(), "they have still to be made");
    for secret in desired.secrets.values_mut() {
        secret.state = State::Absent;
    }
    let (plan, report) = planned_of(&desired, secrets, first_half());
    assert_eq!(report.counts.removals_in_other_shards, 20 - plan.secrets.len());
    assert_eq!(report.deleted_in_other_shards.len(), 20 - plan.secrets.len());
    let (_, report) = planned_of(&desired, Vec::new(), first_half());
    assert_eq!(report.counts.missing_in_other_shards, 0, "nobody makes what is to be absent");
}

#[test]
fn where_names_are_given_nothing_is_said_of_the_whole_scope() {
    let desired = bare_desired("app/", &["app/a", "app/b"]);
    let only = Selection::exactly([&name("app/a")]);
    let (plan, report) = planned_of(&desired, Vec::new(), only);
    assert_eq!((names(&plan), report.counts.whole_scope), (vec!["app/a"], false));
    assert_eq!(report.counts.missing_in_other_shards, 0);
    let pattern = Selection::matching(&["app/a*".to_owned()]).expect("a pattern");
    assert!(!planned_of(&desired, Vec::new(), pattern).1.counts.whole_scope);
}

/// What each secret of a plan waits for.
fn waits(desired: &Desired, secrets: Vec<LiveSecret>) -> Vec<(String, Vec<String>)> {
    let text = |name: &SecretName| name.as_str().to_owned();
    let plan = planned(desired, secrets).0;
    let waits = |secret: SecretPlan| (text(&secret.name), secret.depends_on.iter().map(text).collect());
    plan.secrets.into_iter().map(waits).collect()
}

#[test]
fn what_is_made_waits_for_what_it_needs_and_what_goes_for_what_needs_it() {
    let (api, db, web) = ("app/api".to_owned(), "app/db".to_owned(), "app/web".to_owned());
    let mut desired = chain();
    let made = [(api.clone(), vec![db.clone()]), (db.clone(), Vec::new()), (web.clone(), vec![api.clone()])];
    assert_eq!(waits(&desired, Vec::new()), made);
    let all: Vec<LiveSecret> = [&api, &db, &web].map(|name| ours(&desired, name)).into();
    assert_eq!(waits(&desired, all.clone()), [], "nothing changes");
    for secret in desired.secrets.values_mut() {
        secret.state = State::Absent;
    }
    assert_eq!(waits(&desired, all), [(api.clone(), vec![web.clone()]), (db, vec![api]), (web, Vec::new())]);
}

/// What is found of one secret that is live and that no manifest names.
fn found(secret: LiveSecret) -> Vec<FindingKind> {
    let (plan, report) = planned(&bare_desired("app/", &[]), vec![secret]);
    assert_eq!(names(&plan), Vec::<&str>::new());
    report.findings.into_iter().map(|finding| finding.kind).collect()
}

#[test]
fn what_nobody_removes_is_not_spoken_of() {
    let bare = || LiveSecret::bare("app/db");
    assert_eq!(found(bare()), [FindingKind::Unmanaged { last_changed: None }]);
    assert_eq!(found(LiveSecret { owning_service: Some("rds".to_owned()), ..bare() }), []);
    assert_eq!(found(LiveSecret { primary_region: Some(region("us-east-1")), ..bare() }), []);
    assert_eq!(found(LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..bare() }), []);
}

#[test]
fn what_was_applied_under_another_prefix_is_no_orphan_of_any_part() {
    let mut desired = bare_desired("app/", &[]);
    desired.prune = Prune::Delete;
    let elsewhere = |name: &String| {
        let mut secret = LiveSecret::bare(name);
        secret.tags.insert(TagKey::of_service(OWNER_TAG), owner_tag::bind("shop/dev", name, "ap"));
        secret
    };
    let (plan, report) = planned_of(&desired, fleet().iter().map(elsewhere).collect(), first_half());
    assert_eq!((names(&plan), report.counts.removals_in_other_shards), (Vec::new(), 0));
    let other = |finding: &crate::plan::Finding| matches!(finding.kind, FindingKind::OtherScope { .. });
    assert!(!report.findings.is_empty() && report.findings.iter().all(other));
}

/// Whether so many changes, and so many deletions of orphans, of so many owned secrets are refused for their share.
fn is_refused(owned: usize, changed: usize, pruned: usize, percent: u8) -> bool {
    let mut desired = bare_desired("app/", &[]);
    desired.guards.max_changes_percent = percent;
    let secret = |number: usize, verb| SecretPlan {
        origin: (verb == Verb::Change).then(|| at(3)),
        changes: vec![Change::Description { before: None, after: None, origin: at(3) }],
        observed: Some(ours(&desired, &format!("app/{number}"))),
        ..SecretPlan::bare(&format!("app/{number}"), verb, vec![Action::CancelRotation])
    };
    let kept = (0..changed).map(|number| secret(number, Verb::Change));
    let gone = (changed..changed + pruned).map(|number| secret(number, Verb::Delete));
    let plan = Plan::bare(kept.chain(gone).collect());
    let counts = Counts { owned_live: owned, owned_by_all_shards: owned, ..Counts::default() };
    let report = PlanReport { counts, ..PlanReport::default() };
    let live = live(Vec::new());
    let targets = vec![GuardedTarget { desired: &desired, live: &live, plan: &plan, report: &report }];
    let refusals = RunGuards { targets, beside: Vec::new(), unread: &[], overrides: &GuardOverrides::default() }
        .refusals()
        .remove(0);
    refusals.iter().any(|refusal| refusal.guard.name == "max-changes-percent")
}

#[test]
fn a_share_is_refused_above_the_limit_and_not_at_it() {
    assert!(!is_refused(10, 3, 0, 30));
    assert!(is_refused(10, 4, 0, 30));
    assert!(!is_refused(9, 9, 0, 30), "of so few, a share says nothing");
    assert!(!is_refused(10, 10, 0, 100));
    assert!(is_refused(10, 10, 0, 99));
}

#[test]
fn more_than_half_of_what_is_owned_is_not_removed_however_little_that_is() {
    assert!(is_refused(5, 0, 3, 30));
    assert!(!is_refused(6, 0, 3, 30), "half is not more than half");
    assert!(!is_refused(2, 0, 2, 30), "two are few");
    assert!(!is_refused(5, 0, 3, 100));
    assert!(!is_refused(5, 3, 0, 30), "what is changed is not removed");
}

#[test]
fn what_needs_a_secret_that_is_to_be_absent_or_that_is_not_chosen_is_refused() {
    let api = |desired: &Desired, secrets: Vec<LiveSecret>, selection: Selection| {
        let (plan, report) = planned_of(desired, secrets, selection);
        let kinds = report.findings.into_iter().filter(|finding| finding.secret == name("app/api"));
        (names(&plan).contains(&"app/api"), kinds.map(|finding| finding.kind).collect::<Vec<_>>())
    };
    let mut desired = chain();
    let only = || Selection::exactly([&name("app/api")]);
    assert_eq!(api(&desired, vec![ours(&desired, "app/db")], only()), (true, Vec::new()), "it is there");
    let not_selected = FindingKind::DependencyNotSelected { dependency: name("app/db") };
    assert_eq!(api(&desired, Vec::new(), only()), (false, vec![not_selected]));
    desired.secrets.get_mut(&name("app/db")).expect("it is one of them").state = State::Absent;
    let absent = FindingKind::DependencyAbsent { dependency: name("app/db") };
    assert_eq!(api(&desired, Vec::new(), Selection::default()), (false, vec![absent]));
    // What is itself to be absent needs nothing.
    for secret in desired.secrets.values_mut() {
        secret.state = State::Absent;
    }
    assert_eq!(api(&desired, vec![ours(&desired, "app/api")], Selection::default()), (true, Vec::new()));
}

#[test]
fn of_what_goes_it_is_said_whether_a_manifest_names_it_for_another_target() {
    let mut desired = bare_desired("app/", &[]);
    desired.prune = Prune::Delete;
    let named = ForOthers { origin: at(9), item: None };
    desired.of_other_targets.insert(name("app/a"), named.clone());
    let (plan, _) = planned(&desired, vec![ours(&desired, "app/a"), ours(&desired, "app/b")]);
    let others: Vec<_> = plan.secrets.iter().map(|secret| secret.leaving.other_targets.clone()).collect();
    assert_eq!(others, [Some(named), None]);
}

#[test]
fn what_another_target_in_another_region_owns_was_a_replica_once() {
    let whose = |owner: &str, account: Option<&str>, manifest: &[&str]| {
        let mut desired = bare_desired("app/", manifest);
        desired.target.account = AccountId::parse("111111111111");
        let place = |at_region: &str| Place { account: account.and_then(AccountId::parse), region: region(at_region) };
        desired.targets.insert("near".to_owned(), place("eu-west-1"));
        desired.targets.insert("far".to_owned(), place("us-east-1"));
        let mut secret = LiveSecret::bare("app/db");
        secret.tags.insert(TagKey::of_service(OWNER_TAG), owner_tag::bind(owner, "app/db", "app/"));
        let (_, report) = planned(&desired, vec![secret]);
        report.findings.iter().find_map(|finding| match &finding.kind {
            FindingKind::Foreign { whose, .. } => Some(("named", *whose)),
            FindingKind::ForeignInScope { whose, .. } => Some(("in scope", *whose)),
            _ => None,
        })
    };
    for (manifest, how) in [(&["app/db"][..], "named"), (&[], "in scope")] {
        let same = Some("111111111111");
        assert_eq!(whose("shop/far", same, manifest), Some((how, OtherOwner::OnceReplica)));
        assert_eq!(
            whose("shop/far", None, manifest),
            Some((how, OtherOwner::OnceReplica)),
            "no other account is known"
        );
        assert_eq!(whose("shop/far", Some("222222222222"), manifest), Some((how, OtherOwner::Another)));
        assert_eq!(
            whose("shop/near", same, manifest),
            Some((how, OtherOwner::Another)),
            "a replica is in another region"
        );
        assert_eq!(whose("shop/gone", same, manifest), Some((how, OtherOwner::FormerTarget)));
        assert_eq!(whose("till/far", same, manifest), Some((how, OtherOwner::Another)), "another project's");
    }
}
