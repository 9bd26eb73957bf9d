//! What is made of answers that were lost, and what is recorded of requests.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use jiff::Timestamp;

use super::record::requests_of;
use super::recovery::{lost_change, lost_create, lost_delete};
use super::{Answer, Answered, CallRecord, NewSecret, Receipt, request_answered, request_sent};
use crate::domain::{Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::in_memory::{InMemory, failed};
use crate::live::{LinkStatus, LinkedPrimary, LiveReplica, LiveSecret, ReplicaStatus, ServiceError, ServiceErrorKind};
use crate::value::SecretValue;

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
    let changes: [(&str, &dyn Fn(&mut LiveSecret)); 8] = [
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
    let asked = |secrets: Vec<LiveSecret>| block_on(lost_delete(&InMemory::new(secrets), &db(), &refused)).is_some();
    let leaving = LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..LiveSecret::bare("app/db") };
    assert!(asked(vec![leaving]));
    assert!(asked(Vec::new()));
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
