//! What is made of answers that were lost, and what is recorded of requests.

mod scripted;

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use jiff::Timestamp;

use super::record::requests_of;
use super::recovery::{lost_change, lost_create, lost_delete};
use super::schedule::Schedule;
use super::{Answer, Answered, CallRecord, NewSecret, Receipt, SkipReason, Stopped, request_answered, request_sent};
use crate::desired::Deletion;
use crate::domain::{Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::in_memory::{InMemory, failed};
use crate::live::{LinkStatus, LinkedPrimary, LiveReplica, LiveSecret, ReplicaStatus, ServiceError, ServiceErrorKind};
use crate::plan::{Plan, SecretPlan, Verb};
use crate::value::SecretValue;

/// What makes a secret another one than the one that was asked for.
type Change<'a> = &'a dyn Fn(&mut LiveSecret);

fn db() -> SecretName {
    SecretName::new("app/db")
}

fn error(kind: ServiceErrorKind) -> ServiceError {
    failed("CreateSecret", kind, Some("ResourceExistsException"))
}

fn primary() -> Arn {
    Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf")
}

/// A secret with all that CreateSecret can be given, as it is sent and as it is found then.
fn asked_for() -> (NewSecret, LiveSecret) {
    let region = Region::of_service("us-east-1");
    let tags = BTreeMap::from([(TagKey::of_service("team"), "till".to_owned())]);
    let new = NewSecret {
        description: Some("the database".to_owned()),
        kms_key_id: Some(KmsKey::of_service("alias/app")),
        tags: tags.clone(),
        secret_type: Some("Partner".to_owned()),
        value: None,
        replicas: BTreeMap::from([(region.clone(), None)]),
        cross_account_primary: Some(primary()),
    };
    let mut found = LiveSecret {
        description: new.description.clone(),
        kms_key_id: new.kms_key_id.clone(),
        tags,
        secret_type: new.secret_type.clone(),
        replicas: BTreeMap::from([(region, LiveReplica { kms_key_id: None, status: ReplicaStatus::InProgress })]),
        ..LiveSecret::bare("app/db")
    };
    found.cross_account.primary = Some(LinkedPrimary { arn: primary(), status: LinkStatus::Pending });
    (new, found)
}

#[test]
fn a_secret_whose_creation_was_not_answered_is_the_one_that_has_all_that_was_sent() {
    let (new, found) = asked_for();
    let recovered = |new: &NewSecret, found: &LiveSecret, kind| {
        block_on(lost_create(&InMemory::new([found.clone()]), &db(), new, &error(kind)))
    };
    let exists = ServiceErrorKind::AlreadyExists;
    let created = recovered(&new, &found, exists).expect("it is the one");
    assert_eq!((created.arn, created.version_id), (found.arn.clone(), None));
    assert_eq!(created.receipt.request_id.as_deref(), Some("request-1"));
    assert!(recovered(&new, &found, ServiceErrorKind::Rejected).is_none(), "another error says nothing of it");
    let changes: [(&str, Change); 8] = [
        ("its tags", &|found| found.tags.clear()),
        ("its description", &|found| found.description = None),
        ("its key", &|found| found.kms_key_id = None),
        ("its type", &|found| found.secret_type = None),
        ("its replicas", &|found| found.replicas.clear()),
        ("its primary", &|found| found.cross_account.primary = None),
        ("a value", &|found| drop(found.versions.insert(VersionId::of_service("v1"), BTreeSet::new()))),
        ("its deletion", &|found| found.deleted_at = Some(Timestamp::UNIX_EPOCH)),
    ];
    for (what, change) in changes {
        let mut other = found.clone();
        change(&mut other);
        assert!(recovered(&new, &other, exists).is_none(), "{what} tells it apart");
    }
    // With a value, the request token tells.
    let value = Some((SecretValue::text("text".to_owned()), None));
    assert!(recovered(&NewSecret { value, ..new }, &found, exists).is_none());
}

#[test]
fn a_change_whose_answer_was_lost_has_come_true_when_it_was_refused_and_is_there() {
    let mut secret = LiveSecret::bare("app/db");
    secret.versions.insert(VersionId::of_service("v1"), BTreeSet::from([StagingLabel::current()]));
    let reader = InMemory::new([secret]);
    let current = |live: &LiveSecret| live.current_version().is_some();
    let asked = |kind, holds: bool| {
        let came_true = move |live: &LiveSecret| current(live) == holds;
        block_on(lost_change(&reader, &db(), &error(kind), came_true))
    };
    let receipt = Some(Receipt { request_id: Some("request-1".to_owned()) });
    for refused in [ServiceErrorKind::Rejected, ServiceErrorKind::InvalidState, ServiceErrorKind::NotFound] {
        assert_eq!(asked(refused, true), receipt);
        assert_eq!(asked(refused, false), None);
    }
    assert_eq!(asked(ServiceErrorKind::Throttled, true), None, "it may not have been carried out");
    let gone = InMemory::new([]);
    assert_eq!(block_on(lost_change(&gone, &db(), &error(ServiceErrorKind::NotFound), |_| true)), None);
}

#[test]
fn a_deletion_whose_answer_was_lost_has_come_true_when_the_secret_goes_or_is_gone() {
    let refused = error(ServiceErrorKind::InvalidState);
    let asked_for = |deletion: Deletion, secrets: Vec<LiveSecret>| {
        block_on(lost_delete(&InMemory::new(secrets), &db(), deletion, &refused)).is_some()
    };
    let asked = |secrets: Vec<LiveSecret>| asked_for(Deletion::Window(30), secrets);
    let leaving = LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..LiveSecret::bare("app/db") };
    assert!(asked(vec![leaving.clone()]));
    assert!(!asked_for(Deletion::Force, vec![leaving]), "it may have been on its way before");
    assert!(asked(Vec::new()) && asked_for(Deletion::Force, Vec::new()));
    assert!(!asked(vec![LiveSecret::bare("app/db")]));
}

#[test]
fn requests_are_noted_for_the_call_that_waits_for_them() {
    // Nobody records outside of a call.
    request_sent("DescribeSecret");
    let answer = Answered { code: None, accepted: true, request_id: Some("r-2".to_owned()) };
    let told = answer.clone();
    let (outcome, sent) = block_on(requests_of(async move {
        request_sent("PutSecretValue");
        request_answered(None);
        request_sent("PutSecretValue");
        request_answered(Some(told));
        "done"
    }));
    assert_eq!(outcome, "done");
    let noted: Vec<_> = sent.iter().map(|request| (request.operation.as_str(), request.answered.clone())).collect();
    assert_eq!(noted, [("PutSecretValue", None), ("PutSecretValue", Some(answer))]);
}

#[test]
fn what_was_refused_for_an_earlier_request_is_done_too() {
    let code = || Some("ResourceExistsException".to_owned());
    let record = |answer| CallRecord {
        at: Timestamp::UNIX_EPOCH,
        operation: "CreateSecret",
        secret: db(),
        arn: None,
        answer,
        request_id: None,
    };
    for (answer, word, done) in [
        (Answer::Done, "done", true),
        (Answer::Recovered { code: code() }, "recovered", true),
        (Answer::Failed { code: code() }, "failed", false),
        (Answer::Lost, "lost", false),
    ] {
        let has_code = matches!(answer, Answer::Recovered { .. } | Answer::Failed { .. });
        assert_eq!(answer.code().is_some(), has_code);
        let record = record(answer);
        assert_eq!((record.answer.word(), record.is_done()), (word, done));
    }
}

fn secret(name: &str, verb: Verb, needs: &[&str]) -> SecretPlan {
    let depends_on = needs.iter().map(|needed| SecretName::new(*needed)).collect();
    SecretPlan { depends_on, ..SecretPlan::bare(name, verb, Vec::new()) }
}

/// The names of the secrets that may begin now, all of which do.
fn begun<'a>(schedule: &mut Schedule<'a>) -> Vec<&'a SecretName> {
    std::iter::from_fn(|| schedule.begin()).map(|secret| &secret.name).collect()
}

fn skipped(skipped: Vec<(&SecretPlan, SkipReason)>) -> Vec<(String, SkipReason)> {
    skipped.into_iter().map(|(secret, reason)| (secret.name.as_str().to_owned(), reason)).collect()
}

#[test]
fn a_secret_begins_when_what_it_needs_is_done_and_removals_begin_last() {
    let plan = Plan::bare(vec![
        secret("app/a", Verb::Create, &[]),
        secret("app/b", Verb::Create, &["app/a"]),
        secret("app/c", Verb::Create, &["app/a", "app/b", "app/elsewhere"]),
        secret("app/old", Verb::Delete, &["app/older"]),
        secret("app/older", Verb::Delete, &[]),
    ]);
    let undone = BTreeSet::new();
    let mut schedule = Schedule::new(&plan, &undone);
    assert_eq!(skipped(schedule.start()), []);
    let mut order = Vec::new();
    loop {
        let names = begun(&mut schedule);
        if names.is_empty() {
            break;
        }
        for name in &names {
            assert_eq!(skipped(schedule.finish(name, true)), []);
        }
        order.push(names.into_iter().map(SecretName::as_str).collect::<Vec<_>>());
    }
    assert_eq!(order, [["app/a"], ["app/b"], ["app/c"], ["app/older"], ["app/old"]]);
}

#[test]
fn what_needs_a_secret_that_was_not_done_is_skipped_and_so_are_removals() {
    let plan = Plan::bare(vec![
        secret("app/a", Verb::Create, &[]),
        secret("app/b", Verb::Create, &["app/a"]),
        secret("app/c", Verb::Create, &["app/b"]),
        secret("app/d", Verb::Create, &[]),
        secret("app/old", Verb::Delete, &[]),
    ]);
    let undone = BTreeSet::new();
    let mut schedule = Schedule::new(&plan, &undone);
    assert_eq!(skipped(schedule.start()), []);
    let names = begun(&mut schedule);
    assert_eq!(names.len(), 2, "nothing waits for a secret that has nothing to do with it");
    let needs = |name: &str| SkipReason::Dependency(SecretName::new(name));
    let after_a = skipped(schedule.finish(names[0], false));
    assert_eq!(after_a, [("app/b".to_owned(), needs("app/a")), ("app/c".to_owned(), needs("app/b"))]);
    let after_d = skipped(schedule.finish(names[1], true));
    assert_eq!(after_d, [("app/old".to_owned(), SkipReason::EarlierFailure)]);
    assert_eq!(begun(&mut schedule), Vec::<&SecretName>::new());
}

#[test]
fn what_an_earlier_part_of_the_run_did_not_do_skips_what_needs_it_and_removals() {
    let plan = Plan::bare(vec![secret("app/b", Verb::Create, &["app/a"]), secret("app/old", Verb::Delete, &[])]);
    let undone = BTreeSet::from([SecretName::new("app/a")]);
    let mut schedule = Schedule::new(&plan, &undone);
    let needs = SkipReason::Dependency(SecretName::new("app/a"));
    let expected = [("app/b".to_owned(), needs), ("app/old".to_owned(), SkipReason::EarlierFailure)];
    assert_eq!(skipped(schedule.start()), expected);
    let removals = Plan::bare(vec![secret("app/old", Verb::Delete, &[])]);
    let none = BTreeSet::new();
    let mut schedule = Schedule::new(&removals, &none);
    assert_eq!(skipped(schedule.start()), []);
    assert_eq!(begun(&mut schedule), [&SecretName::new("app/old")], "there is nothing that they would wait for");
}

#[test]
fn a_run_that_is_stopped_begins_nothing_more() {
    let plan = Plan::bare(vec![
        secret("app/a", Verb::Create, &[]),
        secret("app/b", Verb::Create, &["app/a"]),
        secret("app/old", Verb::Delete, &[]),
    ]);
    let undone = BTreeSet::new();
    let mut schedule = Schedule::new(&plan, &undone);
    assert_eq!(skipped(schedule.start()), []);
    let stopped = skipped(schedule.stop(Stopped::Interrupted)).into_iter().map(|(name, _)| name);
    assert_eq!(stopped.collect::<Vec<_>>(), ["app/a", "app/b", "app/old"]);
    assert_eq!(begun(&mut schedule), Vec::<&SecretName>::new());
}
