//! Single rules of planning, each by the two sides of its condition.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;
use jiff::Timestamp;

use super::{at, live, name, names, ours, planned, planned_of, region};
use crate::desired::{
    Declared, Deletion, Desired, DesiredSecret, DesiredValue, ForOthers, ListNames, OtherSecret, RenamedFrom, State,
    TagPatterns,
};
use crate::domain::{Arn, KmsKey, StagingLabel, TagKey, Template, VersionId};
use crate::live::{
    Counterpart, CounterpartState, LinkStatus, LinkedPrimary, Live, LivePolicy, LiveReplica, LiveSecret, ReplicaStatus,
};
use crate::plan::bare::bare_desired;
use crate::plan::{
    Action, CarriedVersion, Change, Finding, FindingKind, LinkFinding, Move, MoveObstacle, MovedFrom, ObservedField,
    Plan, Replacement, ReplicaKey, ReplicaReason, SecretPlan, Selection, Severity, Verb, conflicts, made_anew,
};
use crate::value::Source;

fn arn_in(account: &str, secret: &str) -> Arn {
    Arn::of_service(format!("arn:aws:secretsmanager:eu-west-1:{account}:secret:{secret}-AbCdEf"))
}

fn finding(kind: FindingKind) -> Finding {
    Finding { secret: name("app/db"), origin: None, kind }
}

#[test]
fn nothing_is_planned_for_a_manifest_that_cannot_be_and_a_link_in_the_making_goes_on() {
    let too_many = FindingKind::TooManyTags { live: 50, added: 1, live_only: Vec::new() };
    let refuses = FindingKind::CrossAccount(LinkFinding::NotAReplica { leaving: false });
    let ended = FindingKind::CrossAccount(LinkFinding::EndedByPrimary { primary: arn_in("222222222222", "app/db") });
    assert!(too_many.plans_nothing() && refuses.plans_nothing());
    assert!(!ended.plans_nothing() && !FindingKind::ValueUnknown.plans_nothing());
    let severity = |kind: FindingKind| finding(kind).severity();
    assert_eq!(severity(refuses), Severity::Error);
    assert_eq!(severity(ended), Severity::Warning);
    let goes_on = LinkFinding::InProgress { other: arn_in("222222222222", "app/db") };
    assert_eq!(severity(FindingKind::CrossAccount(goes_on)), Severity::Info);
}

#[test]
fn a_secret_is_pruned_where_no_manifest_names_it_and_it_goes() {
    let pruned = |verb: Verb, named: bool| {
        let origin = named.then(|| at(3));
        SecretPlan { origin, ..SecretPlan::bare("app/db", verb, Vec::new()) }.is_pruned()
    };
    assert!(pruned(Verb::Delete, false) && pruned(Verb::Release, false));
    assert!(!pruned(Verb::Delete, true) && !pruned(Verb::Change, false));
}

#[test]
fn a_removal_rests_on_everything_that_was_seen_and_a_change_on_what_it_changes() {
    let changed = |plan: SecretPlan, change: &dyn Fn(&mut LiveSecret)| {
        let seen = LiveSecret { policy: LivePolicy::None, ..LiveSecret::bare("app/db") };
        let mut fresh = seen.clone();
        change(&mut fresh);
        let plan = SecretPlan { observed: Some(seen), ..plan };
        conflicts(&plan, Some(&fresh), &TagPatterns::new(GlobSet::empty()))
    };
    let describe = |secret: &mut LiveSecret| secret.description = Some("another".to_owned());
    let policy = |secret: &mut LiveSecret| secret.policy = LivePolicy::Unparsable("{}".to_owned());
    let none = BTreeSet::new();
    let bare = |verb, actions| SecretPlan::bare("app/db", verb, actions);
    assert_eq!(changed(bare(Verb::Change, vec![Action::Restore]), &describe), none);
    let description = BTreeSet::from([ObservedField::Description]);
    assert_eq!(changed(bare(Verb::Delete, Vec::new()), &describe), description);
    let anew = vec![Action::Delete { deletion: Deletion::Force }];
    assert_eq!(changed(bare(Verb::Change, anew), &describe), description, "it is made anew");
    let rests = BTreeSet::from([ObservedField::Policy]);
    assert_eq!(changed(bare(Verb::Change, vec![Action::DeletePolicy]), &policy), rests);
    assert_eq!(changed(bare(Verb::Change, vec![Action::Restore]), &policy), none);
    // A policy that was not read when it was planned says nothing.
    let unread =
        SecretPlan { observed: Some(LiveSecret::bare("app/db")), ..bare(Verb::Change, vec![Action::DeletePolicy]) };
    let mut fresh = LiveSecret::bare("app/db");
    policy(&mut fresh);
    assert_eq!(conflicts(&unread, Some(&fresh), &TagPatterns::new(GlobSet::empty())), none);
}

#[test]
fn replicas_that_go_are_no_longer_billed() {
    let cost = |verb: Verb, changes: Vec<Change>| {
        Plan::bare(vec![SecretPlan { changes, ..SecretPlan::bare("app/db", verb, Vec::new()) }]).billed_change()
    };
    let deleted = Change::Deleted {
        deletion: Deletion::Window(7),
        replicas: BTreeSet::from([region("us-east-1"), region("us-west-2")]),
        linked: BTreeSet::new(),
        rotates: false,
    };
    assert_eq!(cost(Verb::Delete, vec![deleted]), -3);
    let replica = |reason: ReplicaReason| Change::Replica {
        region: region("us-east-1"),
        before: None,
        after: None,
        reason,
        origin: at(3),
    };
    assert_eq!(cost(Verb::Change, vec![replica(ReplicaReason::Added)]), 1);
    assert_eq!(cost(Verb::Change, vec![replica(ReplicaReason::Removed)]), -1);
    assert_eq!(cost(Verb::Create, vec![replica(ReplicaReason::Overwrites { replicas: BTreeSet::new() })]), 1);
    // One that could not be made was never billed.
    let failing = |status: ReplicaStatus, change: Change| {
        let mut live = LiveSecret::bare("app/db");
        live.replicas.insert(region("us-east-1"), LiveReplica { kms_key_id: None, status });
        let plan = SecretPlan { changes: vec![change], ..SecretPlan::bare("app/db", Verb::Change, Vec::new()) };
        Plan::bare(vec![SecretPlan { observed: Some(live), ..plan }]).billed_change()
    };
    let failed = || ReplicaStatus::Failed { message: String::new() };
    let all_gone = || Change::Deleted {
        deletion: Deletion::Window(7),
        replicas: BTreeSet::from([region("us-east-1")]),
        linked: BTreeSet::new(),
        rotates: false,
    };
    assert_eq!(failing(failed(), replica(ReplicaReason::Failed { message: String::new() })), 1);
    assert_eq!(failing(failed(), replica(ReplicaReason::KeyChanged)), 1);
    assert_eq!(failing(failed(), replica(ReplicaReason::Removed)), 0);
    assert_eq!(failing(failed(), all_gone()), 0);
    assert_eq!(failing(ReplicaStatus::InSync, replica(ReplicaReason::KeyChanged)), 0);
    assert_eq!(failing(ReplicaStatus::InSync, all_gone()), -1);
}

#[test]
fn a_replica_has_a_key_of_its_own_or_that_of_the_region() {
    let key = KmsKey::of_service("alias/app");
    assert_eq!(ReplicaKey::Named(key.clone()).named(), Some(&key));
    assert_eq!(ReplicaKey::Default.named(), None);
}

#[test]
fn only_the_old_secret_is_left_of_a_move_where_every_version_has_come_along() {
    let left = |moves: bool, carried: &[&str], others: Vec<Action>| {
        let carried = carried.iter().map(|id| {
            Action::CarryVersion(Box::new(CarriedVersion {
                from: name("app/old"),
                version: VersionId::of_service(*id),
                to: VersionId::of_service(*id),
                current: true,
                labels: BTreeSet::new(),
            }))
        });
        let mut observed = LiveSecret::bare("app/db");
        observed.versions.insert(VersionId::of_service("there"), BTreeSet::from([StagingLabel::current()]));
        let secret = LiveSecret::bare("app/old");
        let from = MovedFrom {
            secret,
            deletion: Deletion::Window(7),
            origin: at(9),
            replacement: Replacement::bare("app/db"),
        };
        let plan = SecretPlan {
            observed: Some(observed),
            moved: moves.then(|| Move::From(Box::new(from))),
            ..SecretPlan::bare("app/db", Verb::Move, carried.chain(others).collect())
        };
        (plan.only_old_is_left(), plan.removal_of_old().and_then(|removal| removal.origin))
    };
    assert_eq!(left(true, &["there"], Vec::new()), (true, Some(at(9))), "the old one goes where the move is declared");
    assert!(!left(true, &["there", "missing"], Vec::new()).0);
    assert!(!left(true, &["there"], vec![Action::Restore]).0);
    assert_eq!(left(false, &["there"], Vec::new()), (false, None));
    let goes = SecretPlan {
        moved: Some(Move::To(Replacement::bare("app/db"))),
        ..SecretPlan::bare("app/old", Verb::Delete, Vec::new())
    };
    assert_eq!(goes.moved_to().map(|replacement| replacement.name.clone()), Some(name("app/db")));
}

/// `app/db`, which was `app/old`.
fn renamed() -> Desired {
    let mut desired = bare_desired("app/", &["app/db"]);
    for secret in desired.secrets.values_mut() {
        secret.renamed_from = Some(RenamedFrom { name: name("app/old"), origin: at(9) });
    }
    desired
}

fn obstacles(desired: &Desired, secrets: Vec<LiveSecret>) -> Vec<MoveObstacle> {
    let (_, report) = planned(desired, secrets);
    let refused = report.findings.into_iter().filter_map(|finding| match finding.kind {
        FindingKind::MoveRefused { obstacle, .. } => Some(obstacle),
        _ => None,
    });
    refused.collect()
}

#[test]
fn a_secret_that_a_service_owns_or_that_is_a_replica_does_not_move() {
    let desired = renamed();
    let moves = |change: &dyn Fn(&mut LiveSecret)| {
        let mut old = ours(&desired, "app/old");
        change(&mut old);
        obstacles(&desired, vec![old])
    };
    assert_eq!(moves(&|_| {}), []);
    assert_eq!(moves(&|old| old.owning_service = Some("rds".to_owned())), [MoveObstacle::NotDeletable]);
    assert_eq!(moves(&|old| old.primary_region = Some(region("us-east-1"))), [MoveObstacle::NotDeletable]);
}

#[test]
fn a_new_name_that_has_another_value_by_now_is_not_given_the_old_one() {
    let desired = renamed();
    let new = |id: &str| {
        let mut new = ours(&desired, "app/db");
        new.versions = BTreeMap::from([(VersionId::of_service(id), BTreeSet::from([StagingLabel::current()]))]);
        new
    };
    let current = VersionId::of_service("other");
    assert_eq!(
        obstacles(&desired, vec![ours(&desired, "app/old"), new("other")]),
        [MoveObstacle::Diverged { current }]
    );
    assert_eq!(obstacles(&desired, vec![ours(&desired, "app/old"), new("v1")]), [], "it was carried over");
}

#[test]
fn what_an_item_has_left_is_told_of_a_secret_that_no_list_names_any_more() {
    let mut desired = Desired { prune: crate::desired::Prune::Delete, ..bare_desired("app/", &[]) };
    desired.lists = vec![ListNames::new(["app/", "/db"], at(12))];
    let left = |desired: &Desired| {
        let (plan, _) = planned(desired, vec![ours(desired, "app/shop/db")]);
        plan.secrets[0].leaving.left_list.clone().map(|left| (left.item, left.list))
    };
    assert_eq!(left(&desired), Some(("shop".to_owned(), at(12))));
    desired.of_other_targets.insert(name("app/shop/db"), ForOthers { origin: at(13), item: None });
    assert_eq!(left(&desired), None, "it is in its list still, for other targets");
}

#[test]
fn a_service_may_have_made_what_it_manages_and_may_be_taking_it_away() {
    let mut desired = bare_desired("app/", &["app/db"]);
    desired.secrets.values_mut().for_each(|secret| secret.managed_by = Some("rds".to_owned()));
    let found = |owner: Option<&str>, leaves: bool| {
        let mut secret = LiveSecret { owning_service: owner.map(str::to_owned), ..LiveSecret::bare("app/db") };
        secret.deleted_at = leaves.then_some(Timestamp::UNIX_EPOCH);
        let (plan, report) = planned(&desired, vec![secret]);
        let missing = |finding: &Finding| matches!(finding.kind, FindingKind::ManagedMissing { .. });
        (names(&plan).len(), report.findings.iter().filter(|finding| missing(finding)).count())
    };
    assert_eq!(found(Some("rds"), false), (0, 0));
    assert_eq!(found(Some("rds"), true), (0, 1), "only the service takes that back");
}

#[test]
fn what_is_scheduled_for_deletion_is_restored_and_replicas_in_the_making_are_told() {
    let desired = {
        let mut desired = bare_desired("app/", &["app/db"]);
        for secret in desired.secrets.values_mut() {
            let replica = crate::desired::DesiredReplica { kms_key_id: None, overwrite: false, origin: at(8) };
            let value = Some(BTreeMap::from([(region("us-east-1"), replica)]));
            secret.replicas = Some(Declared { value, origin: at(8) });
        }
        desired
    };
    let secret = |status: ReplicaStatus, deleted: bool| {
        let mut secret = ours(&desired, "app/db");
        secret.replicas.insert(region("us-east-1"), LiveReplica { kms_key_id: None, status });
        secret.deleted_at = deleted.then_some(Timestamp::UNIX_EPOCH);
        secret
    };
    let in_progress = |secret: LiveSecret| {
        let (_, report) = planned(&desired, vec![secret]);
        let told = |finding: &Finding| matches!(finding.kind, FindingKind::ReplicaInProgress { .. });
        report.findings.iter().filter(|finding| told(finding)).count()
    };
    assert_eq!(in_progress(secret(ReplicaStatus::InProgress, false)), 1);
    assert_eq!(in_progress(secret(ReplicaStatus::InSync, false)), 0);
    let (plan, _) = planned(&desired, vec![secret(ReplicaStatus::InSync, true)]);
    assert_eq!(plan.secrets[0].verb, Verb::Restore);
}

#[test]
fn a_secret_that_a_manifest_says_is_absent_goes_with_the_item_that_it_is_of() {
    let mut desired = bare_desired("app/", &["app/db"]);
    for secret in desired.secrets.values_mut() {
        (secret.state, secret.item) = (State::Absent, Some(at(21)));
    }
    let (plan, _) = planned(&desired, vec![ours(&desired, "app/db")]);
    assert_eq!((plan.secrets[0].verb, plan.secrets[0].item.clone()), (Verb::Delete, Some(at(21))));
}

/// `app/db` is to be a replica of another target's secret of this name.
fn replica() -> Desired {
    let mut desired = bare_desired("app/", &["app/db", "app/other"]);
    let other = OtherSecret::Named { target: "there".to_owned(), name: name("app/db") };
    if let Some(secret) = desired.secrets.get_mut(&name("app/db")) {
        secret.cross_account_primary = Some(Declared { value: Some(other), origin: at(7) });
    }
    desired
}

/// A replica of this primary, while the other target has its secret in account 222222222222.
fn replica_of(desired: &Desired, primary: Option<Arn>) -> Live {
    let mut secret = ours(desired, "app/db");
    secret.cross_account.primary = primary.map(|arn| LinkedPrimary { arn, status: LinkStatus::InSync });
    let there = CounterpartState::There { arn: arn_in("222222222222", "app/db"), primary: None, leaving: false };
    let mut live = live(vec![secret, ours(desired, "app/other")]);
    live.counterparts.insert(("there".to_owned(), name("app/db")), Counterpart { account: None, state: there });
    live
}

#[test]
fn a_replica_of_another_primary_is_made_anew_where_it_is_chosen_and_to_exist() {
    let anew = |desired: &Desired, primary: &str, selection: Selection| {
        let live = replica_of(desired, Some(arn_in(primary, "app/db")));
        made_anew(desired, &live, &selection).into_iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    let desired = replica();
    assert_eq!(anew(&desired, "333333333333", Selection::all()), ["app/db"]);
    assert_eq!(anew(&desired, "222222222222", Selection::all()), Vec::<String>::new(), "it is as declared");
    assert_eq!(anew(&desired, "333333333333", Selection::exactly([&name("app/other")])), Vec::<String>::new());
    let mut absent = replica();
    absent.secrets.values_mut().for_each(|secret| secret.state = State::Absent);
    assert_eq!(anew(&absent, "333333333333", Selection::all()), Vec::<String>::new());
}

#[test]
fn a_replica_that_no_manifest_calls_one_may_declare_nothing_of_what_its_primary_gives_it() {
    let undeclared = |change: &dyn Fn(&mut DesiredSecret)| {
        let mut desired = bare_desired("app/", &["app/db"]);
        desired.secrets.values_mut().for_each(change);
        let live = replica_of(&desired, Some(arn_in("222222222222", "app/db")));
        let (_, report) = planned_of(&desired, live.secrets.into_values().collect(), Selection::all());
        let told =
            |finding: &Finding| matches!(finding.kind, FindingKind::CrossAccount(LinkFinding::Undeclared { .. }));
        report.findings.iter().filter(|finding| told(finding)).count()
    };
    let text = |text: &str| Some(Declared { value: Some(Template::text(text)), origin: at(8) });
    assert_eq!(undeclared(&|_| {}), 0);
    assert_eq!(undeclared(&|secret| secret.description = text("the database")), 1);
    assert_eq!(
        undeclared(&|secret| secret.secret_type = Some(Declared { value: Some("Partner".to_owned()), origin: at(8) })),
        1
    );
    let source = || Source::Text(Template::text("public"));
    let value = || DesiredValue { source: source(), shapes: Vec::new(), ownership: None, origin: at(8) };
    assert_eq!(undeclared(&|secret| secret.value = Some(value())), 1);
    let replicas = |some: bool| Some(Declared { value: some.then(BTreeMap::new), origin: at(8) });
    assert_eq!(undeclared(&|secret| secret.replicas = replicas(true)), 1);
    assert_eq!(undeclared(&|secret| secret.replicas = replicas(false)), 0, "there must be none");
}

#[test]
fn a_tag_that_only_lives_is_none_of_a_managed_secrets_differences() {
    let mut desired = bare_desired("app/", &["app/db"]);
    desired.secrets.values_mut().for_each(|secret| secret.managed_by = Some("rds".to_owned()));
    let mut secret = LiveSecret { owning_service: Some("rds".to_owned()), ..LiveSecret::bare("app/db") };
    secret.tags.insert(TagKey::of_service("team"), "till".to_owned());
    let (plan, _) = planned(&desired, vec![secret]);
    assert_eq!(names(&plan), Vec::<&str>::new());
}
