//! What is said of a secret's plan as a whole: what it loses, what it costs, what it puts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{at, name, region};
use crate::desired::{Deletion, PROTECT_TAG, Restriction, RotationSetup, Rotator};
use crate::domain::{Arn, Frequency, StagingLabel, TagKey, Template, VersionId};
use crate::live::in_memory::failed;
use crate::live::{LiveSecret, ServiceErrorKind};
use crate::plan::{
    Action, Change, Finding, FindingKind, LinkFinding, LinkReason, Move, MovedFrom, OtherArn, Plan, PlanReport,
    PlannedLink, PlannedPolicy, PlannedValue, Replacement, ReplicaKey, ReplicaReason, SecretPlan, Severity, Token,
    Verb,
};
use crate::policy::PolicyDocument;
use crate::value::{GenerateOptions, Source};

/// A declared secret that these actions change.
fn changed(actions: Vec<Action>) -> SecretPlan {
    SecretPlan { origin: Some(at(3)), ..SecretPlan::bare("app/db", Verb::Change, actions) }
}

fn with_change(change: Change) -> SecretPlan {
    SecretPlan { changes: vec![change], ..changed(Vec::new()) }
}

fn replica(reason: ReplicaReason) -> Change {
    Change::Replica {
        region: region("us-east-1"),
        before: Some(ReplicaKey::Default),
        after: None,
        reason,
        origin: at(3),
    }
}

fn document(effects: &[&str]) -> PlannedPolicy {
    let statement = |effect: &&str| json!({ "Effect": effect, "Principal": "*", "Action": "*", "Resource": "*" });
    let statements: Vec<_> = effects.iter().map(statement).collect();
    let policy = PolicyDocument::from_checked(json!({ "Version": "2012-10-17", "Statement": statements }));
    PlannedPolicy::Document { policy, known: true }
}

fn policy(before: PlannedPolicy, after: PlannedPolicy) -> SecretPlan {
    with_change(Change::Policy { before: Box::new(before), after: Box::new(after), origin: at(3) })
}

fn value(source: Source) -> Box<PlannedValue> {
    Box::new(PlannedValue {
        source,
        token: Token::Random,
        compare_with: None,
        labels: Vec::new(),
        digest: None,
        keeps_generated_of: None,
    })
}

/// It takes the place of `app/old`.
fn moves() -> SecretPlan {
    let replacement = Replacement::bare("app/db");
    let moved =
        MovedFrom { secret: LiveSecret::bare("app/old"), deletion: Deletion::Window(7), origin: at(3), replacement };
    SecretPlan { moved: Some(Move::From(Box::new(moved))), ..changed(vec![Action::Restore, Action::Restore]) }
}

#[test]
fn each_loss_alone_is_destructive() {
    let force = Action::Delete { deletion: Deletion::Force };
    let regions = BTreeMap::from([(region("us-east-1"), None)]);
    let deleted = SecretPlan { origin: Some(at(3)), ..SecretPlan::bare("app/db", Verb::Delete, Vec::new()) };
    for (what, plan) in [
        ("it is deleted", deleted),
        ("it is made anew", changed(vec![force])),
        ("it stops being managed", SecretPlan::bare("app/db", Verb::Release, Vec::new())),
        ("a replica goes", with_change(replica(ReplicaReason::Removed))),
        ("a replica goes to be made anew", with_change(replica(ReplicaReason::KeyChanged))),
        ("a secret elsewhere is replaced", changed(vec![Action::Replicate { regions, overwrite: true }])),
        ("a Deny goes", policy(document(&["Deny"]), PlannedPolicy::None)),
        ("its rotation ends", changed(vec![Action::CancelRotation])),
    ] {
        assert!(plan.loses_something() && plan.is_destructive(), "{what}");
    }
    assert!(moves().is_destructive() && !moves().loses_something(), "the old one goes, and it loses nothing");
    let kept = Action::Replicate { regions: BTreeMap::new(), overwrite: false };
    let harmless = changed(vec![kept, Action::Restore]);
    assert!(!harmless.is_destructive());
    assert!(!with_change(replica(ReplicaReason::Added)).is_destructive());
    let failed = ReplicaReason::Failed { message: "no".to_owned() };
    assert!(!with_change(replica(failed)).is_destructive(), "there is none that could be lost");
}

#[test]
fn a_link_with_another_account_that_ends_is_a_lost_replica() {
    let primary = Change::CrossAccountPrimary { before: None, after: None, origin: at(3) };
    let reason = LinkReason::Removed;
    let replica = Change::CrossAccountReplica { before: None, after: None, reason, origin: at(3) };
    assert!(with_change(primary).loses_replicas());
    assert!(with_change(replica).loses_replicas());
}

#[test]
fn a_deny_is_lost_where_no_equal_one_is_in_the_new_policy() {
    assert!(policy(document(&["Allow", "Deny"]), document(&["Allow"])).loses_denies());
    assert!(!policy(document(&["Deny"]), document(&["Allow", "Deny"])).loses_denies());
    assert!(!policy(document(&["Allow"]), PlannedPolicy::None).loses_denies());
}

#[test]
fn protection_ends_with_its_tag_alone() {
    let untag = |key: &str| changed(vec![Action::Untag { keys: BTreeSet::from([TagKey::of_service(key)]) }]);
    assert!(untag(PROTECT_TAG).takes_protection_off());
    assert!(!untag("team").takes_protection_off());
}

#[test]
fn the_end_of_a_move_counts_among_the_actions() {
    let plan = Plan::bare(vec![moves(), changed(vec![Action::CancelRotation])]);
    assert_eq!(plan.action_count(), 4, "two, the removal of the old one, and one");
}

#[test]
fn what_is_generated_is_no_value_of_git() {
    let public = || value(Source::Text(Template::text("public")));
    let generated = value(Source::Generate(GenerateOptions::default()));
    let create = Action::bare_create(Some(public()), None);
    assert!(changed(vec![create]).gets_value_of_git());
    assert!(changed(vec![Action::PutValue(public())]).gets_value_of_git());
    assert!(!changed(vec![Action::PutValue(generated)]).gets_value_of_git());
    assert!(!changed(vec![Action::Restore]).gets_value_of_git());
}

#[test]
fn what_could_not_be_read_counts_where_a_manifest_names_it() {
    let error = failed("DescribeSecret", ServiceErrorKind::AccessDenied, None);
    let finding = |origin, kind| Finding { secret: name("app/db"), origin, kind };
    let unreadable = |origin| finding(origin, FindingKind::Unreadable { error: error.clone() });
    let unmanaged = finding(Some(at(3)), FindingKind::Unmanaged { last_changed: None });
    let report =
        PlanReport { findings: vec![unreadable(None), unreadable(Some(at(3))), unmanaged], ..Default::default() };
    assert_eq!(report.declared_unreadable(), 1);
    assert_eq!(PlanReport::default().declared_unreadable(), 0);
}

#[test]
fn a_finding_of_a_secret_alone_leaves_the_others_to_go_on() {
    let finding = |origin, kind| Finding { secret: name("app/db"), origin, kind };
    let link = |found| FindingKind::CrossAccount(found);
    let refuses = [
        FindingKind::TooManyTags { live: 50, added: 1, live_only: Vec::new() },
        FindingKind::ManagedMissing { service: "rds".to_owned() },
        link(LinkFinding::NotAReplica { leaving: false }),
    ];
    for kind in refuses {
        let report = PlanReport { findings: vec![finding(Some(at(3)), kind.clone())], ..Default::default() };
        assert!(report.findings[0].refuses_secret_alone() && !report.has_blockers(), "{kind:?}");
        assert_eq!((report.findings[0].severity(), report.declared_refused()), (Severity::Error, 1), "{kind:?}");
        let report = PlanReport { findings: vec![finding(None, kind)], ..Default::default() };
        assert_eq!(report.declared_refused(), 0, "no manifest names it");
    }
    let foreign = finding(Some(at(3)), FindingKind::Replica { primary_region: region("us-east-1") });
    let report = PlanReport { findings: vec![foreign], ..Default::default() };
    assert!(!report.findings[0].refuses_secret_alone() && report.has_blockers());
    assert_eq!(report.declared_refused(), 0);
}

#[test]
fn actions_of_one_secret_are_called_in_the_order_in_which_each_is_safe() {
    let version = || VersionId::of_service("v1");
    let label = || StagingLabel::of_service("blue");
    let replica = || Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf");
    let link = PlannedLink { replica: OtherArn::Known(replica()), restriction: Restriction::SameOrg, role: None };
    let regions = BTreeSet::from([region("us-east-1")]);
    let setup = RotationSetup { rotator: Rotator::OwningService, frequency: Frequency::EveryDays(30), duration: None };
    let remove = Action::RemoveReplicas { regions };
    let ordered = [
        Action::Restore,
        Action::CancelRotation,
        Action::Update { description: None, kms_key_id: None, secret_type: None },
        Action::Tag { tags: BTreeMap::new() },
        Action::DeletePolicy,
        Action::PutValue(value(Source::Env("NAME".to_owned()))),
        Action::NoteEqualValue { live: version() },
        Action::RemoveLabel { label: label(), from: version() },
        remove.clone(),
        Action::Associate(link),
        Action::Rotate { setup, immediately: false },
        Action::Untag { keys: BTreeSet::new() },
        Action::Delete { deletion: Deletion::Force },
    ];
    assert!(ordered.iter().map(Action::rank).is_sorted_by(|a, b| a < b));
    // Replicas come and go in the order that they were planned in.
    let replicate = Action::Replicate { regions: BTreeMap::new(), overwrite: false };
    assert_eq!(remove.rank(), replicate.rank());
    assert_eq!(Action::CancelRotation.rank(), Action::Disassociate { replica: replica() }.rank());
    assert_eq!(Action::CancelRotation.rank(), Action::StopReplication.rank());
}
