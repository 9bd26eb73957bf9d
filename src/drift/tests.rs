//! What is told of each difference, and with which dates: every condition of [`classify`] decides one of these.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::class::Class;
use super::classify::classify;
use super::difference::{Clue, Difference, Field};
use super::{Drift, DriftReport, Found, TargetDrift};
use crate::attribution::Changed;
use crate::desired::{Declared, Deletion, Desired, OWNER_TAG, OtherOwner, REPLICATION_POLICY, VALUE_TAG, owner_tag};
use crate::domain::{Arn, Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{
    LinkStatus, LinkedPrimary, Live, LivePolicy, LiveReplica, LiveSecret, ReplicaStatus, ServiceError, ServiceErrorKind,
};
use crate::origin::Origin;
use crate::plan::bare::bare_desired;
use crate::plan::{
    AwaitingValue, Change, Finding, FindingKind, MadeBy, Move, MovedFrom, Plan, PlanReport, PlannedText, Replacement,
    ReplicaReason, SecretPlan, Selection, UndoneVersion, ValueReason, Verb,
};
use crate::policy::PolicyDocument;
use crate::value::Source;

const NOW: &str = "2026-03-01T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn before(hours: i64) -> Timestamp {
    time(NOW) - SignedDuration::from_hours(hours)
}

fn at(line: u32) -> Origin {
    Origin::new(Path::new("app.yaml"), line, 1)
}

fn region(name: &str) -> Region {
    Region::of_service(name)
}

/// A project whose manifests name `names`.
fn desired(names: &[&str]) -> Desired {
    bare_desired("app/", names)
}

fn live(secrets: Vec<LiveSecret>) -> Live {
    Live {
        region: region("eu-west-1"),
        secrets: secrets.into_iter().map(|secret| (secret.name.clone(), secret)).collect(),
        audited: true,
        ..Live::default()
    }
}

fn plan(secrets: Vec<SecretPlan>) -> Plan {
    Plan {
        project: "shop".to_owned(),
        target: "dev".to_owned(),
        account: None,
        region: region("eu-west-1"),
        endpoint: None,
        secrets,
    }
}

fn planned(name: &str, verb: Verb, changes: Vec<Change>, observed: Option<LiveSecret>) -> SecretPlan {
    SecretPlan {
        moved: None,
        name: SecretName::new(name),
        origin: Some(at(3)),
        verb,
        changes,
        actions: Vec::new(),
        depends_on: BTreeSet::new(),
        observed,
        leaving: crate::plan::Leaving::default(),
        item: None,
    }
}

fn all(desired: &Desired, live: &Live, plan: &Plan, report: &PlanReport) -> Vec<Drift> {
    classify(desired, live, plan, report, &Selection::default(), time(NOW))
}

/// What a plan says.
fn of_plan(secret: SecretPlan) -> Vec<Drift> {
    all(&desired(&[]), &live(Vec::new()), &plan(vec![secret]), &PlanReport::default())
}

/// What a finding says.
fn of_finding(kind: FindingKind) -> Drift {
    let finding = Finding { secret: SecretName::new("app/db"), origin: Some(at(4)), kind };
    let report = PlanReport { findings: vec![finding], ..PlanReport::default() };
    all(&desired(&[]), &live(Vec::new()), &plan(Vec::new()), &report).remove(0)
}

/// What the live state itself says of a secret that a manifest names.
fn of_live(secret: LiveSecret) -> Vec<Drift> {
    all(&desired(&["app/db"]), &live(vec![secret]), &plan(Vec::new()), &PlanReport::default())
}

fn changed_at(hours: i64) -> LiveSecret {
    LiveSecret { last_changed: Some(before(hours)), ..LiveSecret::bare("app/db") }
}

fn classes(drifts: &[Drift]) -> Vec<Class> {
    drifts.iter().map(|drift| drift.class).collect()
}

fn description() -> Change {
    Change::Description { before: None, after: None, origin: at(5) }
}

fn own_tag(key: &str) -> Change {
    let after = Some(PlannedText { text: "x".to_owned(), known: true });
    Change::Tag { key: TagKey::of_service(key), before: None, after, origin: None }
}

fn value(reason: ValueReason) -> Change {
    let source = Source::Env("NAME".to_owned());
    Change::Value { reason, source, generated_kept: false, noted: true, text: None, parts: None, origin: at(6) }
}

fn version(id: &str) -> VersionId {
    VersionId::of_service(id)
}

#[test]
fn what_is_missing_has_no_date_and_what_is_scheduled_has_that_of_its_deletion() {
    let missing = of_plan(planned("app/db", Verb::Create, vec![description()], Some(changed_at(5)))).remove(0);
    assert_eq!((missing.class, missing.since, missing.origin), (Class::Missing, None, Some(at(3))));
    let secret = LiveSecret { deleted_at: Some(before(2)), ..changed_at(5) };
    let scheduled = of_plan(planned("app/db", Verb::Restore, Vec::new(), Some(secret))).remove(0);
    assert_eq!((scheduled.class, scheduled.since), (Class::ScheduledForDeletion, Some(before(2))));
}

#[test]
fn a_removal_is_asked_for_by_a_manifest_or_an_orphans() {
    let asked = of_plan(planned("app/db", Verb::Delete, Vec::new(), Some(changed_at(5)))).remove(0);
    assert_eq!((asked.class, asked.what), (Class::Changed, Difference::DeclaredAbsent));
    assert_eq!(asked.since, Some(before(5)));
    let orphan = SecretPlan { origin: None, ..planned("app/db", Verb::Delete, Vec::new(), Some(changed_at(5))) };
    let orphan = of_plan(orphan).remove(0);
    assert_eq!((orphan.class, orphan.what), (Class::Orphaned, Difference::Orphaned { pruned: true, item: None }));
}

#[test]
fn of_an_adoption_the_owner_tag_is_no_difference_of_its_own() {
    let changes = vec![own_tag(OWNER_TAG), description()];
    let drifts = of_plan(planned("app/db", Verb::Adopt, changes, Some(changed_at(5))));
    assert_eq!(classes(&drifts), [Class::Changed, Class::Unmanaged]);
    assert_eq!(drifts[0].what, Difference::Fields(vec![Field::Description]));
    // Of a secret that is ours already, it is one.
    let drifts = of_plan(planned("app/db", Verb::Change, vec![own_tag(OWNER_TAG)], Some(changed_at(5))));
    assert_eq!(drifts[0].what, Difference::Fields(vec![Field::Tag(TagKey::of_service(OWNER_TAG))]));
}

#[test]
fn changed_fields_have_the_date_of_the_last_change_and_their_manifest() {
    let drift = of_plan(planned("app/db", Verb::Change, vec![description()], Some(changed_at(5)))).remove(0);
    assert_eq!((drift.class, drift.since), (Class::Changed, Some(before(5))));
    assert_eq!(drift.hints, [Clue::LastChanged(before(5))]);
    assert_eq!(drift.origin, Some(at(3)));
    assert_eq!(of_plan(planned("app/db", Verb::Change, Vec::new(), None)), []);
}

#[test]
fn the_note_that_a_value_is_equal_is_one_of_a_change_alone() {
    let drift = of_plan(planned("app/db", Verb::Change, vec![own_tag(VALUE_TAG)], Some(changed_at(5)))).remove(0);
    assert_eq!((drift.class, drift.what), (Class::ReEncrypted, Difference::EqualReEncrypted));
    let adopted = of_plan(planned("app/db", Verb::Adopt, vec![own_tag(VALUE_TAG)], Some(changed_at(5))));
    assert_eq!(classes(&adopted), [Class::Unmanaged]);
}

#[test]
fn a_value_has_a_date_when_it_was_changed_and_none_when_git_encrypted_it_afresh() {
    let mut secret = changed_at(5);
    secret.rotation.last = Some(before(9));
    let of = |reason| of_plan(planned("app/db", Verb::Change, vec![value(reason)], Some(secret.clone()))).remove(0);
    let differs = of(ValueReason::Differs { current: version("v1") });
    assert_eq!((differs.class, differs.since), (Class::ValueChanged, Some(before(5))));
    assert!(matches!(&differs.hints[0], Clue::CurrentVersion { version, differs: true, .. } if version == "v1"));
    assert_eq!(differs.hints[1..], [Clue::LastRotated(before(9)), Clue::LastChanged(before(5))]);
    let afresh = of(ValueReason::ReEncryptedOrChanged { current: version("v1") });
    assert_eq!((afresh.class, afresh.since), (Class::ReEncrypted, None));
    assert!(matches!(&afresh.hints[0], Clue::CurrentVersion { differs: false, .. }));
    assert_eq!(of(ValueReason::First).hints, []);
}

#[test]
fn a_replica_that_failed_is_told_apart_from_the_fields() {
    let replica =
        |reason| Change::Replica { region: region("us-east-1"), before: None, after: None, reason, origin: at(8) };
    let failed = replica(ReplicaReason::Failed { message: "no".to_owned() });
    let drifts = of_plan(planned("app/db", Verb::Change, vec![failed, replica(ReplicaReason::Added)], None));
    assert_eq!(classes(&drifts), [Class::Changed, Class::ReplicaFailed]);
    assert_eq!(drifts[0].what, Difference::Fields(vec![Field::Replica(region("us-east-1"))]));
}

#[test]
fn a_finding_keeps_its_manifest_and_its_date() {
    let orphan = of_finding(FindingKind::Orphaned { last_changed: Some(before(5)), left: None });
    assert_eq!((orphan.class, orphan.since, orphan.origin), (Class::Orphaned, Some(before(5)), Some(at(4))));
    let foreign = of_finding(FindingKind::Foreign { owner: "till/dev".to_owned(), whose: OtherOwner::Another });
    assert_eq!((foreign.class, foreign.since), (Class::Foreign, None));
    let error = ServiceError {
        operation: "DescribeSecret",
        kind: ServiceErrorKind::Rejected,
        code: None,
        message: "no".to_owned(),
        request_id: Some("moves-with-each-call".to_owned()),
    };
    let Difference::Unreadable { reason } = of_finding(FindingKind::Unreadable { error }).what else {
        unreachable!("it could not be read")
    };
    assert!(!reason.contains("moves"), "{reason}");
    let pending = FindingKind::RotationPending { version: version("v2"), held_back: None };
    assert_eq!(of_finding(pending).what, Difference::RotationHeldBack { version: version("v2") });
}

#[test]
fn only_what_is_ours_live_here_and_reached_is_looked_at() {
    let mut secret = changed_at(5);
    secret.policy = LivePolicy::Unparsable("text".to_owned());
    let looked_at = |desired: &Desired, secret: &LiveSecret, selection: &Selection| {
        let live = live(vec![secret.clone()]);
        classes(&classify(desired, &live, &plan(Vec::new()), &PlanReport::default(), selection, time(NOW)))
    };
    let everything = Selection::default();
    assert_eq!(looked_at(&desired(&["app/db"]), &secret, &everything), [Class::PolicyUndeclared]);
    assert_eq!(looked_at(&desired(&[]), &secret, &everything), [], "no manifest, no owner");
    let mut owned = secret.clone();
    owned.tags.insert(TagKey::of_service(OWNER_TAG), owner_tag::bind("shop/dev", "app/db", "app/"));
    assert_eq!(looked_at(&desired(&[]), &owned, &everything), [Class::PolicyUndeclared], "an orphan of ours");
    let scheduled = LiveSecret { deleted_at: Some(before(1)), ..secret.clone() };
    assert_eq!(looked_at(&desired(&["app/db"]), &scheduled, &everything), []);
    let replica = LiveSecret { primary_region: Some(region("us-east-1")), ..secret.clone() };
    assert_eq!(looked_at(&desired(&["app/db"]), &replica, &everything), []);
    let outside = LiveSecret { name: SecretName::new("other/db"), ..secret.clone() };
    assert_eq!(looked_at(&desired(&["other/db"]), &outside, &everything), []);
    let others = Selection::exactly(&BTreeSet::from([SecretName::new("app/else")]));
    assert_eq!(looked_at(&desired(&["app/db"]), &secret, &others), []);
}

#[test]
fn what_the_live_state_says_has_the_place_of_its_manifest() {
    let mut secret = changed_at(5);
    secret.policy = LivePolicy::Unparsable("text".to_owned());
    let drift = of_live(secret).remove(0);
    assert_eq!((drift.origin, drift.since), (Some(at(7)), Some(before(5))));
}

fn rotating(next: Option<Timestamp>, last: Option<Timestamp>) -> LiveSecret {
    let mut secret = changed_at(50);
    secret.rotation.enabled = true;
    secret.rotation.lambda_arn = Some(Arn::of_service("arn:aws:lambda:eu-west-1:111111111111:function:f"));
    secret.rotation.every_days = Some(10);
    (secret.rotation.next, secret.rotation.last) = (next, last);
    secret
}

#[test]
fn a_rotation_is_overdue_an_hour_behind_its_window() {
    assert_eq!(of_live(rotating(Some(before(1)), None)), []);
    assert_eq!(of_live(rotating(Some(before(-1)), None)), []);
    let overdue = of_live(rotating(Some(before(2)), Some(before(200)))).remove(0);
    assert_eq!((overdue.class, overdue.since), (Class::RotationOverdue, Some(before(2))));
    assert_eq!(overdue.what, Difference::RotationOverdue { due: before(2) });
    assert_eq!(overdue.hints, [Clue::LastRotated(before(200))]);
    // The service moves the next window on when a rotation fails: ten days and a window behind the last one count too.
    let failed = of_live(rotating(Some(before(-24)), Some(before(10 * 24 + 24 + 2)))).remove(0);
    assert_eq!(failed.what, Difference::RotationOverdue { due: before(2) });
    assert_eq!(of_live(rotating(Some(before(-24)), Some(before(10 * 24)))), []);
}

#[test]
fn a_rotation_is_stuck_an_hour_after_the_last_change() {
    let stuck = |hours| {
        let mut secret = changed_at(hours);
        let labels = |label: &str| BTreeSet::from([StagingLabel::of_service(label)]);
        secret.versions =
            BTreeMap::from([(version("v1"), labels("AWSCURRENT")), (version("v2"), labels("AWSPENDING"))]);
        of_live(secret)
    };
    assert_eq!(stuck(0), []);
    for hours in [1, 2] {
        let drift = stuck(hours).remove(0);
        assert_eq!((drift.class, drift.since), (Class::RotationStuck, Some(before(hours))));
        assert_eq!(drift.what, Difference::RotationStuck { version: version("v2"), primary: None });
    }
}

#[test]
fn replicas_that_git_says_nothing_of_are_told_by_an_audit() {
    let mut secret = changed_at(5);
    let replica = LiveReplica { kms_key_id: None, status: ReplicaStatus::InSync };
    secret.replicas.insert(region("us-east-1"), replica);
    let of = |desired: &Desired, audited: bool| {
        let live = Live { audited, ..live(vec![secret.clone()]) };
        classes(&all(desired, &live, &plan(Vec::new()), &PlanReport::default()))
    };
    let mut declared = desired(&["app/db"]);
    for secret in declared.secrets.values_mut() {
        secret.replicas = Some(Declared { value: None, origin: at(9) });
    }
    assert_eq!(of(&desired(&["app/db"]), true), [Class::ReplicasUndeclared]);
    assert_eq!(of(&desired(&["app/db"]), false), []);
    assert_eq!(of(&declared, true), []);
    assert_eq!(of_live(changed_at(5)), [], "it has none");
}

#[test]
fn a_policy_that_git_says_nothing_of_is_told_and_so_is_a_principal_that_is_gone() {
    let mut secret = changed_at(5);
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["AROADBQP57FF2AEXAMPLE",
        "arn:aws:iam::111111111111:group/x"]},"Action":"secretsmanager:GetSecretValues","Resource":"*"}]}"#;
    let document = PolicyDocument::parse_lenient(text, &region("eu-west-1").partition()).expect("a policy");
    secret.policy = LivePolicy::Document(document);
    let mut declared = desired(&["app/db"]);
    for secret in declared.secrets.values_mut() {
        secret.policy = Some(Declared { value: None, origin: at(9) });
    }
    let of = |desired: &Desired| all(desired, &live(vec![secret.clone()]), &plan(Vec::new()), &PlanReport::default());
    let drifts = of(&desired(&["app/db"]));
    assert_eq!(classes(&drifts), [Class::PolicyUndeclared, Class::DanglingPrincipal]);
    assert!(drifts.iter().all(|drift| drift.since == Some(before(5))));
    let gone =
        |what: &Difference| matches!(what, Difference::DeletedPrincipal { problem } if problem.contains("AROADB"));
    assert!(gone(&drifts[1].what), "{drifts:?}");
    assert_eq!(classes(&of(&declared)), [Class::DanglingPrincipal], "other lints are no drift");
    assert_eq!(of_live(LiveSecret { policy: LivePolicy::None, ..changed_at(5) }), []);
}

#[test]
fn a_report_is_complete_when_every_target_was_looked_at_and_tells_its_findings_without_dates() {
    let drift = of_plan(planned("app/db", Verb::Create, Vec::new(), None)).remove(0);
    let target = |name: &str, drifts: Vec<Drift>| TargetDrift {
        name: name.to_owned(),
        account: None,
        region: "eu-west-1".to_owned(),
        endpoint: None,
        outcome: Ok(Found { checked: 1, unread: 0, drifts, ignored: 0 }),
    };
    let error = ServiceError {
        operation: "ListSecrets",
        kind: ServiceErrorKind::Rejected,
        code: None,
        message: "no".to_owned(),
        request_id: None,
    };
    let failed = TargetDrift {
        outcome: Err(std::sync::Arc::new(crate::reconcile::PlanError::Service(error).into())),
        ..target("prod", Vec::new())
    };
    let mut report = DriftReport {
        project: "shop".to_owned(),
        started: time(NOW),
        seconds: 1.0,
        calls: BTreeMap::new(),
        targets: vec![target("dev", vec![drift])],
    };
    assert!(report.is_complete());
    assert_eq!(report.drifts().count(), 1);
    report.targets.insert(0, failed);
    assert!(!report.is_complete());
    let known = ("dev".to_owned(), Class::Missing, "app/db".to_owned(), Some(Difference::Missing));
    let unreached = ("prod".to_owned(), Class::Unreachable, String::new(), None);
    assert_eq!(report.identity(), [known, unreached]);
}

#[test]
fn every_class_says_what_it_means_in_a_sentence() {
    let meanings: BTreeSet<&str> = Class::ALL.into_iter().map(Class::meaning).collect();
    assert_eq!(meanings.len(), Class::ALL.len());
    assert!(meanings.iter().all(|meaning| meaning.ends_with('.')));
    assert_eq!(Class::ReEncrypted.to_string(), "re-encrypted");
}

fn primary() -> Arn {
    Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf")
}

fn replica_of_another_account() -> LiveSecret {
    let mut secret = LiveSecret::bare("app/db");
    secret.cross_account.primary = Some(LinkedPrimary { arn: primary(), status: LinkStatus::InSync });
    secret
}

#[test]
fn links_that_no_manifest_declares_are_told_where_everything_was_looked_at() {
    let drift = of_live(replica_of_another_account()).remove(0);
    assert_eq!(drift.class, Class::ReplicasUndeclared);
    assert_eq!(drift.what, Difference::LinksUndeclared { others: vec![primary()], ended: false });
    let mut declared = desired(&["app/db"]);
    for secret in declared.secrets.values_mut() {
        secret.cross_account_primary = Some(Declared { value: None, origin: at(4) });
    }
    let told = |desired: &Desired, audited: bool| {
        let live = Live { audited, ..live(vec![replica_of_another_account()]) };
        all(desired, &live, &plan(Vec::new()), &PlanReport::default()).len()
    };
    assert_eq!(
        (told(&desired(&["app/db"]), true), told(&desired(&["app/db"]), false), told(&declared, true)),
        (1, 0, 0)
    );
}

#[test]
fn the_policy_of_a_replication_is_undeclared_only_where_nothing_is_replicated() {
    let others = |mut secret: LiveSecret, names: &[&str]| {
        secret.other_policies = names.iter().map(|name| (*name).to_owned()).collect();
        let told = of_live(secret).into_iter().filter_map(|drift| match drift.what {
            Difference::OtherPolicies { names } => Some(names),
            _ => None,
        });
        told.flatten().collect::<Vec<_>>()
    };
    assert_eq!(others(replica_of_another_account(), &[REPLICATION_POLICY, "mine"]), ["mine"]);
    assert_eq!(others(LiveSecret::bare("app/db"), &[REPLICATION_POLICY]), [REPLICATION_POLICY]);
}

#[test]
fn a_move_has_no_date_and_what_waits_for_a_value_the_place_that_says_so() {
    let replacement = Replacement::bare("app/db");
    let secret = LiveSecret::bare("app/old");
    let moved = MovedFrom { secret, deletion: Deletion::Window(7), origin: at(3), replacement };
    let takes_its_place = SecretPlan {
        moved: Some(Move::From(Box::new(moved))),
        ..planned("app/db", Verb::Move, Vec::new(), Some(changed_at(5)))
    };
    let drift = of_plan(takes_its_place).remove(0);
    assert_eq!((drift.class, drift.since), (Class::Changed, None));
    assert_eq!(drift.what, Difference::Moves { from: SecretName::new("app/old") });
    let waits = AwaitingValue { secret: SecretName::new("app/db"), origin: at(9), owner: None, exists: true };
    let report = PlanReport { awaiting: vec![waits], ..PlanReport::default() };
    let drift = all(&desired(&["app/db"]), &live(Vec::new()), &plan(Vec::new()), &report).remove(0);
    assert_eq!((drift.class, drift.origin), (Class::AwaitingValue, Some(at(9))));
}

#[test]
fn who_put_a_value_is_looked_for_by_the_version_that_is_current() {
    let observed = ours_with_value(version("v1"));
    let undone = UndoneVersion { id: version("v1"), made_by: MadeBy::Rotation, made: None };
    let change = value(ValueReason::NotFromGit { undone, moved_back: false, compared: false });
    let drift = of_plan(planned("app/db", Verb::Change, vec![change], Some(observed))).remove(0);
    assert_eq!(drift.changed(), BTreeSet::from([Changed::Value { version: Some("v1".to_owned()) }]));
}

/// A secret with this current version.
fn ours_with_value(id: VersionId) -> LiveSecret {
    let mut secret = LiveSecret::bare("app/db");
    secret.versions.insert(id, BTreeSet::from([StagingLabel::current()]));
    secret
}
