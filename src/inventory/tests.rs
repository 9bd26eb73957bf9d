//! What is found of a secret, and what it costs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::entry::{Entry, RotationState};
use super::findings::{self, AuditFinding, Failing};
use super::*;
use crate::desired::AuditKind;
use crate::domain::{Arn, Frequency, KmsKey, Region, StagingLabel, TagKey, VersionId};
use crate::live::{
    CrossAccount, LinkStatus, LinkedPrimary, LivePolicy, LiveReplica, LiveSecret, ReplicaStatus, Seen, VersionEntry,
};

const NOW: &str = "2026-06-30T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn days_ago(days: i64) -> Timestamp {
    now().checked_sub(SignedDuration::from_hours(24 * days)).unwrap()
}

/// A secret of which an auditor has nothing to say: young, read, rotated, tagged, with a key of its own.
fn quiet(name: &str) -> LiveSecret {
    let mut secret = LiveSecret {
        created: Some(days_ago(400)),
        last_changed: Some(days_ago(10)),
        last_accessed: Some(days_ago(1)),
        kms_key_id: Some(KmsKey::of_service("alias/own")),
        versions: BTreeMap::from([(VersionId::of_service(format!("v-{name}")), [StagingLabel::current()].into())]),
        ..LiveSecret::bare(name)
    };
    secret.tags.insert(TagKey::of_service("owner"), "dba".to_owned());
    secret.rotation.enabled = true;
    secret.rotation.lambda_arn = Some(Arn::of_service("arn:aws:lambda:eu-west-1:111111111111:function:rotate"));
    secret.rotation.every_days = Some(30);
    secret.rotation.last = Some(days_ago(10));
    secret
}

fn entry(secret: LiveSecret) -> Entry {
    let replica_of = secret.primary_region.as_ref().filter(|region| region.as_str() != "eu-west-1");
    Entry {
        in_scope: true,
        owner: Owner::Project("payments/prod".to_owned()),
        team: None,
        versions: None,
        exposure: Exposure::of(&secret, None),
        replica_of: replica_of.map(ToString::to_string),
        manifest: None,
        error: None,
        billed: 0,
        drifts: Vec::new(),
        findings: Vec::new(),
        secret,
    }
}

fn kinds_of(entry: &Entry) -> Vec<&'static str> {
    let rules = AuditRules::default();
    let found = findings::of(entry, &rules, &BTreeMap::new(), true, Depth::default(), now());
    found.iter().map(|finding| finding.kind().word()).collect()
}

fn kinds(secret: LiveSecret) -> Vec<&'static str> {
    kinds_of(&entry(secret))
}

#[test]
fn of_a_secret_in_order_nothing_is_said() {
    assert_eq!(kinds(quiet("db")), [""; 0]);
}

#[test]
fn a_secret_is_unused_on_the_day_after_the_last() {
    let read = |days| kinds(LiveSecret { last_accessed: Some(days_ago(days)), ..quiet("db") });
    assert_eq!((read(90), read(91)), (vec![], vec!["unused"]));
    let never = |days| {
        let young = LiveSecret { created: Some(days_ago(days)), last_accessed: None, ..quiet("db") };
        kinds(young)
    };
    assert_eq!((never(90), never(91)), (vec![], vec!["never-read"]));
    // Where nothing tells its age, nothing is claimed.
    assert_eq!(kinds(LiveSecret { created: None, last_accessed: None, ..quiet("db") }), [""; 0]);
}

#[test]
fn a_secret_whose_replica_is_read_is_not_unused() {
    let old = LiveSecret { last_accessed: Some(days_ago(200)), ..quiet("db") };
    let read = |days| kinds(LiveSecret { replicas_accessed: Some(days_ago(days)), ..old.clone() });
    assert_eq!((read(1), read(100)), (vec![], vec!["unused"]));
    // Where replicas are not known, nobody knows.
    let listed = LiveSecret { primary_region: Some(Region::of_service("eu-west-1")), ..old };
    assert_eq!(kinds(listed.clone()), [""; 0]);
    assert_eq!(kinds(LiveSecret { seen: Seen::Described, ..listed }), ["unused"]);
}

#[test]
fn rotation_is_late_after_two_days_and_stuck_after_an_hour() {
    let due = |hours| {
        let mut secret = quiet("db");
        secret.rotation.next = now().checked_sub(SignedDuration::from_hours(hours)).ok();
        (kinds(secret.clone()), entry(secret).rotation(now()).word())
    };
    assert_eq!(due(48), (vec![], "on"));
    assert_eq!(due(49), (vec!["rotation-overdue"], "overdue"));
    let pending = |minutes| {
        let mut secret = quiet("db");
        secret.versions.insert(VersionId::of_service("next"), [StagingLabel::of_service("AWSPENDING")].into());
        secret.last_changed = now().checked_sub(SignedDuration::from_mins(minutes)).ok();
        kinds(secret)
    };
    assert_eq!((pending(59), pending(60)), (vec![], vec!["rotation-stuck"]));
}

#[test]
fn a_schedule_is_held_to_its_longest_interval() {
    let every = |days| {
        let mut secret = quiet("db");
        secret.rotation.every_days = Some(days);
        kinds(secret)
    };
    assert_eq!((every(90), every(91)), (vec![], vec!["rotation-rare"]));
    let mut secret = quiet("db");
    secret.rotation.expression = Some("cron(0 8 1 1/6 ? *)".to_owned());
    assert_eq!(kinds(secret), ["rotation-rare"]);
    assert!(Frequency::of_service("cron(0 8 1 1/6 ? *)".to_owned()).schedule().is_some());
}

#[test]
fn what_was_rotated_once_is_held_to_its_last_rotation() {
    let mut secret = quiet("db");
    secret.rotation.last = Some(days_ago(91));
    secret.rotation.every_days = Some(89);
    assert_eq!(kinds(secret.clone()), ["rotation-old"]);
    secret.rotation.last = None;
    assert_eq!(kinds(secret.clone()), ["never-rotated"]);
    secret.rotation = crate::live::LiveRotation::default();
    assert_eq!(kinds(secret), ["rotation-off", "never-rotated"]);
}

#[test]
fn a_value_is_as_old_as_its_version_or_at_least_as_what_was_changed_last() {
    let changed = |days| kinds(LiveSecret { last_changed: Some(days_ago(days)), ..quiet("db") });
    assert_eq!((changed(365), changed(366)), (vec![], vec!["value-old"]));
    // A secret whose tags were changed yesterday may have an old value all the same: its version tells.
    let mut dated = entry(quiet("db"));
    dated.versions = Some(vec![VersionEntry {
        id: VersionId::of_service("v-db"),
        labels: [StagingLabel::current()].into(),
        created: Some(days_ago(366)),
        last_accessed: None,
        kms_key_ids: Vec::new(),
    }]);
    assert_eq!(kinds_of(&dated), ["value-old"]);
    assert_eq!(kinds(LiveSecret { versions: BTreeMap::new(), ..quiet("db") }), ["no-value"]);
}

#[test]
fn one_version_id_in_several_secrets_is_told_of_each_and_not_of_replicas() {
    let with = |name: &str, id: &str| {
        let versions = BTreeMap::from([(VersionId::of_service(id), [StagingLabel::current()].into())]);
        LiveSecret { versions, ..quiet(name) }
    };
    let mut replica = with("c", "same");
    replica.primary_region = Some(Region::of_service("us-east-1"));
    let mut linked = with("d", "same");
    let primary = LinkedPrimary {
        arn: Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:d-AbCdEf"),
        status: LinkStatus::InSync,
    };
    linked.cross_account = CrossAccount { primary: Some(primary), ..CrossAccount::default() };
    let entries: Vec<Entry> =
        [with("a", "same"), with("b", "same"), replica, linked, with("e", "other")].into_iter().map(entry).collect();
    let duplicates = findings::duplicates(&entries);
    let told: Vec<bool> = entries
        .iter()
        .map(|entry| {
            let found = findings::of(entry, &AuditRules::default(), &duplicates, true, Depth::default(), now());
            found.iter().any(|finding| finding.kind() == AuditKind::DuplicateVersion)
        })
        .collect();
    assert_eq!(told, [true, true, false, false, false]);
}

#[test]
fn replicas_that_failed_are_told_with_awss_words() {
    let mut secret = quiet("db");
    let failed =
        |message: &str| LiveReplica { kms_key_id: None, status: ReplicaStatus::Failed { message: message.to_owned() } };
    secret.replicas.insert(Region::of_service("us-east-1"), failed("no key"));
    let primary = LinkedPrimary {
        arn: Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:db-AbCdEf"),
        status: LinkStatus::Failed { message: "no role".to_owned() },
    };
    secret.cross_account.primary = Some(primary);
    assert_eq!(kinds(secret), ["replica-failed", "replica-failed"]);
}

#[test]
fn the_default_key_has_several_spellings_and_tags_of_aws_do_not_count() {
    for key in [
        None,
        Some(""),
        Some("alias/aws/secretsmanager"),
        Some("arn:aws:kms:eu-west-1:111111111111:alias/aws/secretsmanager"),
    ] {
        let secret = LiveSecret { kms_key_id: key.map(KmsKey::of_service), ..quiet("db") };
        assert_eq!(kinds(secret), ["default-key"], "{key:?}");
    }
    let mut secret = quiet("db");
    secret.tags = BTreeMap::from([(TagKey::of_service("aws:cloudformation:stack-name"), "stack".to_owned())]);
    assert_eq!(kinds(secret), ["untagged"]);
}

#[test]
fn what_is_going_and_what_is_a_replica_are_left_alone() {
    let bad = LiveSecret { kms_key_id: None, last_accessed: None, versions: BTreeMap::new(), ..LiveSecret::bare("db") };
    assert_eq!(kinds(LiveSecret { deleted_at: Some(days_ago(1)), ..bad.clone() }), [""; 0]);
    let replica = LiveSecret { primary_region: Some(Region::of_service("us-east-1")), ..bad };
    // AWS shows no tags of a replica.
    let found = Entry { owner: Owner::Nobody, ..entry(replica) };
    assert_eq!(kinds_of(&found), ["default-key"]);
}

#[test]
fn whose_it_is_says_whether_it_is_managed() {
    let of = |owner: Owner, declared: bool| {
        let entry = Entry { owner, ..entry(quiet("db")) };
        let rules = AuditRules::default();
        let found = findings::of(&entry, &rules, &BTreeMap::new(), declared, Depth::default(), now());
        found.iter().map(|finding| finding.kind().word()).collect::<Vec<_>>()
    };
    assert_eq!(of(Owner::Nobody, false), ["unmanaged"]);
    assert_eq!(of(Owner::Tag("dba".to_owned()), false), ["unmanaged"]);
    assert_eq!(of(Owner::Stack("stack".to_owned()), false), [""; 0]);
    assert_eq!(of(Owner::Service("rds".to_owned()), false), [""; 0]);
    assert_eq!(of(Owner::OtherProject("billing/prod".to_owned()), false), [""; 0]);
    assert_eq!(of(Owner::Project("payments/prod".to_owned()), false), ["orphaned"]);
    let stack = TagKey::of_service("aws:cloudformation:stack-name");
    let mut secret = quiet("db");
    assert_eq!(Owner::of(&secret, "payments/prod", Some("dba"), None), Owner::Tag("dba".to_owned()));
    secret.tags.insert(stack, "net".to_owned());
    assert_eq!(Owner::of(&secret, "payments/prod", Some("dba"), None), Owner::Stack("net".to_owned()));
    secret.tags.clear();
    assert_eq!(Owner::of(&secret, "payments/prod", None, Some("us-east-1")), Owner::Primary("us-east-1".to_owned()));
    secret.owning_service = Some("rds".to_owned());
    assert_eq!(Owner::of(&secret, "payments/prod", Some("dba"), None), Owner::Service("rds".to_owned()));
}

#[test]
fn a_severity_fails_for_what_is_worse_too() {
    let fails = |text: &str, kind| text.parse::<Failing>().unwrap().holds_for(kind);
    assert!(fails("medium", AuditKind::OpenPolicy) && fails("medium", AuditKind::Unused));
    assert!(!fails("medium", AuditKind::DefaultKey) && fails("info", AuditKind::NotRestricted));
    assert!(fails("default-key", AuditKind::DefaultKey) && !fails("default-key", AuditKind::OpenPolicy));
}

fn target(name: &str, region: &str, secrets: Vec<LiveSecret>) -> TargetInventory {
    let there = |secret: LiveSecret| {
        let arn = secret.arn.as_str().replace("eu-west-1", region);
        entry(LiveSecret { arn: Arn::of_service(arn), ..secret })
    };
    let entries = secrets.into_iter().map(there).collect();
    TargetInventory {
        name: name.to_owned(),
        account: Some("111111111111".to_owned()),
        region: region.to_owned(),
        endpoint: None,
        outcome: Ok(Stock { entries, ignored: 0 }),
    }
}

fn billed(targets: &[TargetInventory]) -> Vec<u64> {
    targets.iter().flat_map(|target| &target.outcome.as_ref().unwrap().entries).map(|entry| entry.billed).collect()
}

#[test]
fn a_replica_is_billed_once_and_what_is_going_not_at_all() {
    let mut primary = quiet("db");
    let in_sync = LiveReplica { kms_key_id: None, status: ReplicaStatus::InSync };
    let failed = LiveReplica { status: ReplicaStatus::Failed { message: String::new() }, ..in_sync.clone() };
    primary.replicas.insert(Region::of_service("us-east-1"), in_sync.clone());
    primary.replicas.insert(Region::of_service("us-east-2"), in_sync);
    primary.replicas.insert(Region::of_service("us-west-1"), failed);
    let going = LiveSecret { deleted_at: Some(days_ago(1)), ..quiet("going") };
    let mut targets = vec![
        target("prod", "eu-west-1", vec![primary.clone(), going]),
        target("standby", "us-east-1", vec![quiet("db")]),
    ];
    settle_billing(&mut targets);
    assert_eq!(billed(&targets), [2, 0, 1]);
    let inventory = inventory(targets);
    assert_eq!((inventory.totals().billed, inventory.totals().monthly_cents()), (3, 120));
}

#[test]
fn what_several_targets_list_stays_where_it_is_in_scope() {
    let mut targets = vec![
        target("app", "eu-west-1", vec![quiet("app/db"), quiet("web/db"), quiet("other")]),
        target("web", "eu-west-1", vec![quiet("app/db"), quiet("web/db"), quiet("other")]),
        target("far", "us-east-1", vec![quiet("other")]),
    ];
    for (target, prefix) in targets.iter_mut().zip(["app/", "web/", "far/"]) {
        for entry in &mut target.outcome.as_mut().unwrap().entries {
            entry.in_scope = entry.secret.name.as_str().starts_with(prefix);
        }
    }
    one_place_each(&mut targets);
    let names = |target: &TargetInventory| -> Vec<String> {
        target.outcome.as_ref().unwrap().entries.iter().map(|entry| entry.secret.name.to_string()).collect()
    };
    assert_eq!(names(&targets[0]), ["app/db", "other"]);
    assert_eq!(names(&targets[1]), ["web/db"]);
    assert_eq!(names(&targets[2]), ["other"]);
}

/// An inventory of nothing.
pub(crate) fn empty() -> Inventory {
    inventory(Vec::new())
}

fn inventory(targets: Vec<TargetInventory>) -> Inventory {
    Inventory {
        project: "payments".to_owned(),
        started: now(),
        seconds: 0.0,
        calls: BTreeMap::new(),
        depth: Depth::default(),
        group_by: Vec::new(),
        rules: AuditRules::default(),
        targets,
    }
}

#[test]
fn totals_are_grouped_by_target_owner_and_tag() {
    let mut untagged = quiet("b");
    untagged.tags.clear();
    let mut targets =
        vec![target("prod", "eu-west-1", vec![quiet("a"), untagged]), target("dev", "eu-west-1", vec![quiet("c")])];
    settle_billing(&mut targets);
    targets[1].outcome.as_mut().unwrap().entries[0].findings =
        vec![AuditFinding { what: Found::Unused { last: days_ago(100) }, who: None }];
    let inventory = inventory(targets);
    let groups = |by: &str| -> Vec<(Option<String>, usize)> {
        let groups = inventory.groups(&by.parse().unwrap());
        groups.into_iter().map(|group| (group.name, group.totals.secrets)).collect()
    };
    assert_eq!(groups("target"), [(Some("prod".to_owned()), 2), (Some("dev".to_owned()), 1)]);
    assert_eq!(groups("tag:owner"), [(Some("dba".to_owned()), 2), (None, 1)]);
    assert_eq!(groups("owner"), [(Some("project payments/prod".to_owned()), 3)]);
    assert_eq!((inventory.totals().unused, inventory.totals().unused_yearly_cents()), (1, 480));
    assert!(["tag:", "team", ""].iter().all(|text| text.parse::<GroupBy>().is_err()));
}

#[test]
fn a_list_that_shows_a_primary_does_not_show_its_replicas() {
    let mut primary = entry(LiveSecret { primary_region: Some(Region::of_service("eu-west-1")), ..quiet("db") });
    assert!(primary.has_unread_replicas());
    primary.secret.seen = Seen::Described;
    assert!(!primary.has_unread_replicas());
    assert!(!entry(quiet("db")).has_unread_replicas());
    assert_eq!(entry(LiveSecret { policy: LivePolicy::None, ..quiet("db") }).rotation(now()), RotationState::On);
}
