//! Writes whose requests are answered as a test says: what the recorder makes of them, and what the engine does then.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use zeroize::Zeroizing;

use super::super::in_flight::{PlannedCalls, in_flight};
use super::super::values::{carry, put};
use super::super::{
    ApplyError, ApplyOptions, ApplyReport, Created, KeepRecords, MadeSecrets, NewSettings, PolicyChecks, PutVersion,
    Recorder, Rotating, SecretOutcome, Work, WriteSecrets, apply,
};
use super::*;
use crate::desired::{Deletion, OWNER_TAG, Restriction, RotationSetup, TagPatterns};
use crate::domain::Template;
use crate::live::{LinkedReplica, Live, ReadThrough};
use crate::plan::{Action, CarriedVersion, ObservedField, PlannedValue, Token};
use crate::value::{Arns, GenerateOptions, Identity, Source, ValueError, Values};

/// A writer that sends what a test says, and changes nothing.
#[derive(Default)]
struct Scripted {
    reader: InMemory,
    /// How each request of a call is answered; none for no answer.
    requests: Vec<Option<Answered>>,
    /// What a call comes to; that of each put, in their order, goes before it.
    error: Option<ServiceError>,
    puts: Mutex<Vec<Result<(), ServiceError>>>,
    /// What was put under which version id, with which labels.
    put: Mutex<Vec<(Option<VersionId>, Vec<StagingLabel>)>>,
    /// How many secrets fill the quotas.
    fill: usize,
    /// Deletions under way, and the most at once.
    under_way: AtomicUsize,
    most: AtomicUsize,
}

impl Scripted {
    fn call(&self, operation: &str) -> Result<Receipt, ServiceError> {
        for answered in &self.requests {
            request_sent(operation);
            request_answered(answered.clone());
        }
        self.error.clone().map_or_else(|| Ok(Receipt { request_id: Some("request-9".to_owned()) }), Err)
    }
}

impl ReadThrough for Scripted {
    type Reader = InMemory;

    fn reader(&self) -> &InMemory {
        &self.reader
    }
}

impl WriteSecrets for Scripted {
    fn secrets_to_fill(&self, _: &PlannedCalls) -> usize {
        self.fill
    }

    async fn create(&self, name: &SecretName, _: &NewSecret) -> Result<Created, ServiceError> {
        let arn = LiveSecret::bare(name.as_str()).arn;
        self.call("CreateSecret").map(|receipt| Created { arn, version_id: None, receipt })
    }

    async fn put_value(
        &self,
        _: &Arn,
        _: &SecretValue,
        version_id: Option<&VersionId>,
        labels: &[StagingLabel],
    ) -> Result<PutVersion, ServiceError> {
        self.put.lock().expect("no holder panicked").push((version_id.cloned(), labels.to_vec()));
        let mut puts = self.puts.lock().expect("no holder panicked");
        if !puts.is_empty() {
            puts.remove(0)?;
        }
        let version_id = version_id.cloned().unwrap_or_else(|| VersionId::of_service("minted"));
        self.call("PutSecretValue").map(|receipt| PutVersion { version_id, labels: Vec::new(), receipt })
    }

    async fn remove_label(&self, _: &Arn, _: &StagingLabel, _: &VersionId) -> Result<Receipt, ServiceError> {
        self.call("UpdateSecretVersionStage")
    }

    async fn move_label(
        &self,
        _: &Arn,
        _: &StagingLabel,
        _: &VersionId,
        _: Option<&VersionId>,
    ) -> Result<Receipt, ServiceError> {
        self.call("UpdateSecretVersionStage")
    }

    async fn random_password(&self, _: &GenerateOptions) -> Result<Zeroizing<String>, ServiceError> {
        Ok(Zeroizing::new("a password".to_owned()))
    }

    async fn restore(&self, _: &Arn) -> Result<Receipt, ServiceError> {
        self.call("RestoreSecret")
    }

    async fn update(&self, _: &Arn, _: &NewSettings<'_>) -> Result<Receipt, ServiceError> {
        self.call("UpdateSecret")
    }

    async fn rotate(&self, _: &Arn, _: Option<&RotationSetup>, _: bool) -> Result<Rotating, ServiceError> {
        self.call("RotateSecret").map(|receipt| Rotating { version_id: None, receipt })
    }

    async fn cancel_rotation(&self, _: &Arn) -> Result<Receipt, ServiceError> {
        self.call("CancelRotateSecret")
    }

    async fn replicate(&self, _: &Arn, _: &BTreeMap<Region, Option<KmsKey>>, _: bool) -> Result<Receipt, ServiceError> {
        self.call("ReplicateSecretToRegions")
    }

    async fn remove_replicas(&self, _: &Arn, _: &BTreeSet<Region>) -> Result<Receipt, ServiceError> {
        self.call("RemoveRegionsFromReplication")
    }

    async fn associate(&self, _: &Arn, _: &Arn, _: Restriction, _: Option<&Arn>) -> Result<Receipt, ServiceError> {
        self.call("AssociateCrossAccountReplica")
    }

    async fn disassociate(&self, _: &Arn, _: &Arn) -> Result<Receipt, ServiceError> {
        self.call("DisassociateCrossAccountReplica")
    }

    async fn stop_replication(&self, _: &SecretName) -> Result<Receipt, ServiceError> {
        self.call("StopReplicationToReplica")
    }

    async fn tag(&self, _: &Arn, _: &BTreeMap<TagKey, String>) -> Result<Receipt, ServiceError> {
        self.call("TagResource")
    }

    async fn untag(&self, _: &Arn, _: &BTreeSet<TagKey>) -> Result<Receipt, ServiceError> {
        self.call("UntagResource")
    }

    async fn put_policy(&self, _: &Arn, _: &str, _: bool) -> Result<Receipt, ServiceError> {
        self.call("PutResourcePolicy")
    }

    async fn delete_policy(&self, _: &Arn) -> Result<Receipt, ServiceError> {
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.call("DeleteResourcePolicy")
    }

    async fn delete(&self, _: &Arn, _: Deletion) -> Result<Receipt, ServiceError> {
        self.call("DeleteSecret")
    }
}

/// Every value is the same text.
struct SameText;

impl Values for SameText {
    async fn render(&self, _: &Source, _: Option<&SecretValue>, _: &Arns<'_>) -> Result<SecretValue, ValueError> {
        Ok(SecretValue::text("text".to_owned()))
    }

    fn identity(&self, _: &SecretName, _: &Source, _: &Arns<'_>) -> Result<Identity, ValueError> {
        unreachable!("the version ids of these plans are known")
    }
}

fn arn() -> Arn {
    LiveSecret::bare("app/db").arn
}

fn version(text: &str) -> VersionId {
    VersionId::of_service(text)
}

fn refused() -> Answered {
    Answered { code: Some("Refused".to_owned()), accepted: false, request_id: Some("request-1".to_owned()) }
}

/// What a call comes to whose first request was not answered and whose second was refused; or which was sent once.
fn repeated<T>(
    secret: LiveSecret,
    requests: usize,
    call: impl AsyncFnOnce(&Recorder<'_, Scripted>) -> Result<T, ServiceError>,
) -> (bool, Vec<&'static str>) {
    let writer = Scripted {
        reader: InMemory::new([secret]),
        requests: [None, Some(refused())].into_iter().skip(2 - requests).collect(),
        error: Some(failed("Call", ServiceErrorKind::InvalidState, Some("Refused"))),
        ..Scripted::default()
    };
    let recorder = Recorder::new(&writer, &());
    let done = block_on(call(&recorder)).is_ok();
    (done, recorder.calls().iter().map(|call| call.answer.word()).collect())
}

#[test]
fn what_was_asked_for_in_vain_twice_and_is_there_was_done_by_the_first_request() {
    let with_label = |at: &str| {
        let mut secret = LiveSecret::bare("app/db");
        secret.versions.insert(version(at), BTreeSet::from([StagingLabel::of_service("OURS")]));
        secret
    };
    let other = || Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf");
    let linked = || {
        let mut secret = LiveSecret::bare("app/db");
        secret.cross_account.replicas.insert(other(), LinkedReplica { role: None, status: LinkStatus::InSync });
        secret.cross_account.primary = Some(LinkedPrimary { arn: other(), status: LinkStatus::InSync });
        secret
    };
    let (label, from) = (StagingLabel::of_service("OURS"), version("v1"));
    let remove = async |writer: &Recorder<'_, Scripted>| writer.remove_label(&arn(), &label, &from).await;
    let end = async |writer: &Recorder<'_, Scripted>| writer.disassociate(&arn(), &other()).await;
    let stop = async |writer: &Recorder<'_, Scripted>| writer.stop_replication(&db()).await;
    let came_true = (true, vec!["lost", "recovered"]);
    let did_not = (false, vec!["lost", "failed"]);
    let once = (false, vec!["failed"]);
    assert_eq!(repeated(with_label("v2"), 2, remove), came_true);
    assert_eq!(repeated(with_label("v1"), 2, remove), did_not);
    assert_eq!(repeated(with_label("v2"), 1, remove), once, "a call that was sent once was simply refused");
    assert_eq!(repeated(LiveSecret::bare("app/db"), 2, end), came_true);
    assert_eq!(repeated(linked(), 2, end), did_not);
    assert_eq!(repeated(LiveSecret::bare("app/db"), 1, end), once);
    assert_eq!(repeated(LiveSecret::bare("app/db"), 2, stop), came_true);
    assert_eq!(repeated(linked(), 2, stop), did_not);
}

#[test]
fn a_request_that_never_left_is_not_recorded_and_one_without_an_answer_is_lost() {
    let recorded = |requests: &[Option<Answered>], code: Option<&str>, request_id: Option<&str>| {
        let (code, request_id) = (code.map(str::to_owned), request_id.map(str::to_owned));
        let error = ServiceError { code, request_id, ..failed("UntagResource", ServiceErrorKind::Unreachable, None) };
        let writer = Scripted { requests: requests.to_vec(), error: Some(error), ..Scripted::default() };
        let recorder = Recorder::new(&writer, &());
        assert!(block_on(recorder.untag(&arn(), &BTreeSet::new())).is_err());
        recorder.calls().iter().map(|call| call.answer.word()).collect::<Vec<_>>()
    };
    assert_eq!(recorded(&[], None, None), Vec::<&str>::new());
    assert_eq!(recorded(&[], Some("Refused"), None), ["failed"], "the service has answered it");
    assert_eq!(recorded(&[], None, Some("request-1")), ["failed"], "the service has answered it");
    assert_eq!(recorded(&[None], None, None), ["lost"]);
    assert_eq!(recorded(&[Some(refused())], None, None), ["failed"]);
}

/// Keeps no record.
struct FullDisk;

impl KeepRecords for FullDisk {
    fn keep(&self, _: &CallRecord) {}

    fn is_broken(&self) -> bool {
        true
    }
}

#[test]
fn a_recorder_passes_on_what_it_does_not_record_and_knows_whether_a_record_was_lost() {
    let writer = Scripted { fill: 100, ..Scripted::default() };
    let recorder = Recorder::new(&writer, &());
    assert_eq!(recorder.secrets_to_fill(&PlannedCalls::default()), 100);
    let password = block_on(recorder.random_password(&GenerateOptions::default()));
    assert_eq!(password.map(|text| text.as_str().to_owned()), Ok("a password".to_owned()));
    assert_eq!(recorder.calls(), []);
    assert!(!recorder.lost_a_record() && Recorder::new(&writer, &FullDisk).lost_a_record());
}

#[test]
fn each_call_that_changes_something_is_recorded_with_the_id_of_its_request() {
    let writer = Scripted { requests: vec![Some(refused())], ..Scripted::default() };
    let recorder = Recorder::new(&writer, &());
    let receipt = Ok(Receipt { request_id: Some("request-9".to_owned()) });
    assert_eq!(block_on(recorder.untag(&arn(), &BTreeSet::new())), receipt);
    assert_eq!(block_on(recorder.stop_replication(&db())), receipt);
    let calls = recorder.calls();
    let noted: Vec<_> = calls.iter().map(|call| (call.operation, call.request_id.as_deref())).collect();
    assert_eq!(noted, [("UntagResource", Some("request-9")), ("StopReplicationToReplica", Some("request-9"))]);
}

#[test]
fn so_many_secrets_are_in_flight_as_fill_the_quota_within_bounds() {
    let with = |fill, most| in_flight(&Scripted { fill, ..Scripted::default() }, &PlannedCalls::default(), most);
    assert_eq!([with(100, 256), with(0, 256), with(1_000, 1_000), with(100, 3), with(100, 0)], [100, 8, 256, 3, 1]);
}

fn planned(compare_with: Option<&str>) -> PlannedValue {
    PlannedValue {
        source: Source::Env("TEXT".to_owned()),
        token: Token::Id(version("git")),
        compare_with: compare_with.map(version),
        labels: Vec::new(),
        digest: None,
        keeps_generated_of: None,
    }
}

fn exists() -> ServiceError {
    failed("PutSecretValue", ServiceErrorKind::AlreadyExists, Some("ResourceExistsException"))
}

fn denied() -> ServiceError {
    failed("PutSecretValue", ServiceErrorKind::AccessDenied, Some("AccessDeniedException"))
}

#[test]
fn a_value_is_compared_with_the_live_one_and_put_under_its_own_id_when_it_is_another() {
    let put_with = |answers: Vec<Result<(), ServiceError>>| {
        let writer = Scripted { puts: Mutex::new(answers), ..Scripted::default() };
        let value = SecretValue::text("text".to_owned());
        let id = version("git");
        let outcome = block_on(put(&writer, &arn(), &planned(Some("live")), &value, Some(&id)));
        let under = writer.put.into_inner().expect("no holder panicked").into_iter().filter_map(|(id, _)| id);
        (outcome.map(|put| put.version_id), under.collect::<Vec<_>>())
    };
    assert_eq!(put_with(vec![Ok(())]), (Ok(version("live")), vec![version("live")]), "the same value");
    let both = vec![version("live"), version("git")];
    assert_eq!(put_with(vec![Err(exists()), Ok(())]), (Ok(version("git")), both.clone()), "another value");
    let stopped = put_with(vec![Err(denied()), Ok(())]);
    assert_eq!(stopped, (Err(ApplyError::Service(denied())), vec![version("live")]));
    let planted = ApplyError::PlantedValue { version: version("git") };
    assert_eq!(put_with(vec![Err(exists()), Err(exists())]), (Err(planted), both.clone()));
    assert_eq!(put_with(vec![Err(exists()), Err(denied())]), (Err(ApplyError::Service(denied())), both));
}

#[test]
fn a_version_that_comes_along_is_current_beside_its_labels_and_may_not_meet_another_value() {
    let mut old = LiveSecret::bare("app/old");
    old.versions.insert(version("v1"), BTreeSet::new());
    let carried = |current: bool, labels: &[&str], answer: Result<(), ServiceError>| {
        let reader = InMemory::new([old.clone()]);
        let writer = Scripted { reader, puts: Mutex::new(vec![answer]), ..Scripted::default() };
        let carried = CarriedVersion {
            from: SecretName::new("app/old"),
            version: version("v1"),
            to: version("git"),
            current,
            labels: labels.iter().map(|label| StagingLabel::of_service(*label)).collect(),
        };
        let outcome = block_on(carry(&writer, &arn(), &carried)).map(|put| put.version_id);
        let mut put = writer.put.into_inner().expect("no holder panicked");
        (outcome, put.remove(0).1)
    };
    let ours = || StagingLabel::of_service("OURS");
    assert_eq!(carried(true, &[], Ok(())), (Ok(version("git")), vec![]), "AWSCURRENT by itself");
    assert_eq!(carried(true, &["OURS"], Ok(())).1, [ours(), StagingLabel::current()]);
    assert_eq!(carried(false, &["OURS"], Ok(())).1, [ours()]);
    let other = ApplyError::OtherValueThere { version: version("git") };
    assert_eq!(carried(true, &[], Err(exists())).0, Err(other));
    assert_eq!(carried(true, &[], Err(denied())).0, Err(ApplyError::Service(denied())));
}

/// Carries out a plan over what is live, stopped before it begins or not.
fn carried_out(writer: &Scripted, secrets: Vec<SecretPlan>, stopped: bool, records: &dyn KeepRecords) -> ApplyReport {
    let live = secrets.iter().filter(|secret| secret.verb != Verb::Create);
    let live = live.map(|secret| (secret.name.clone(), LiveSecret::bare(secret.name.as_str()))).collect();
    let (plan, live) = (Plan::bare(secrets), Live { secrets: live, ..Live::default() });
    let work = Work {
        plan: &plan,
        live: &live,
        ignored: &TagPatterns::new(globset::GlobSet::empty()),
        made: &MadeSecrets::default(),
        undone: &BTreeSet::new(),
        policies: &PolicyChecks::default(),
    };
    let (_keep, stop) = watch::channel(stopped);
    let recorder = Recorder::new(writer, records);
    block_on(apply(&recorder, &SameText, work, ApplyOptions::default(), stop, &|_| {}))
}

fn without_policy(count: usize) -> Vec<SecretPlan> {
    let change = |n| SecretPlan::bare(&format!("app/{n:02}"), Verb::Change, vec![Action::DeletePolicy]);
    (0..count).map(change).collect()
}

#[test]
fn no_more_secrets_are_under_way_than_may_be() {
    let writer = Scripted { fill: 9, ..Scripted::default() };
    let report = carried_out(&writer, without_policy(30), false, &());
    assert_eq!((report.outcomes.len(), writer.most.into_inner()), (30, 9));
}

#[test]
fn a_run_was_stopped_only_when_something_was_not_begun_for_it() {
    let stopped = |secrets: usize, stop: bool, records: &dyn KeepRecords| {
        carried_out(&Scripted::default(), without_policy(secrets), stop, records).stopped
    };
    assert_eq!(stopped(1, true, &()), Some(Stopped::Interrupted));
    assert_eq!(stopped(1, false, &FullDisk), Some(Stopped::RecordLost));
    assert_eq!(stopped(0, true, &()), None, "there was nothing to begin");
    assert_eq!(stopped(1, false, &()), None);
}

#[test]
fn a_secret_that_is_no_longer_as_it_was_planned_is_left_alone() {
    let of = |there: Option<LiveSecret>| {
        let writer = Scripted { reader: InMemory::new(there), requests: vec![Some(refused())], ..Scripted::default() };
        let planned = SecretPlan {
            observed: Some(LiveSecret::bare("app/db")),
            ..SecretPlan::bare("app/db", Verb::Change, vec![Action::DeletePolicy])
        };
        let mut report = carried_out(&writer, vec![planned], false, &());
        (report.outcomes.remove(&db()), report.calls.len())
    };
    assert_eq!(of(Some(LiveSecret::bare("app/db"))), (Some(SecretOutcome::Done), 1));
    let changed = BTreeSet::from([ObservedField::Existence]);
    assert_eq!(of(None), (Some(SecretOutcome::Conflict { changed }), 0));
}

#[test]
fn a_value_whose_generated_parts_are_to_be_kept_is_not_put_without_them() {
    let of = |there: bool| {
        let mut secret = LiveSecret::bare("app/db");
        if there {
            secret.versions.insert(version("v1"), BTreeSet::new());
        }
        let writer = Scripted { reader: InMemory::new([secret]), ..Scripted::default() };
        let value = PlannedValue { keeps_generated_of: Some(version("v1")), ..planned(None) };
        let planned = SecretPlan::bare("app/db", Verb::Change, vec![Action::PutValue(Box::new(value))]);
        carried_out(&writer, vec![planned], false, &()).outcomes.remove(&db())
    };
    assert_eq!(of(true), Some(SecretOutcome::Done));
    let gone = ApplyError::GeneratedPartsGone { version: version("v1") };
    assert!(matches!(of(false), Some(SecretOutcome::Failed { error, .. }) if error == gone));
}

#[test]
fn a_secret_of_another_owner_that_was_made_with_the_same_request_is_not_written_to() {
    let of = |owner: &str| {
        let mut there = LiveSecret::bare("app/db");
        there.tags.insert(TagKey::of_service(OWNER_TAG), owner.to_owned());
        let writer = Scripted { reader: InMemory::new([there]), ..Scripted::default() };
        let create = Action::Create {
            description: None,
            kms_key_id: None,
            tags: BTreeMap::from([(TagKey::of_service(OWNER_TAG), Template::text("shop/dev"))]),
            secret_type: None,
            value: Some(Box::new(planned(None))),
            replicas: BTreeMap::new(),
            cross_account_primary: None,
        };
        let planned = SecretPlan::bare("app/db", Verb::Create, vec![create, Action::DeletePolicy]);
        carried_out(&writer, vec![planned], false, &()).outcomes.remove(&db())
    };
    assert_eq!(of("shop/dev"), Some(SecretOutcome::Done));
    let outcome = of("other/dev");
    assert!(matches!(outcome, Some(SecretOutcome::Failed { error: ApplyError::NameTaken, .. })), "{outcome:?}");
}

#[test]
fn removals_wait_for_what_is_ready_and_for_what_is_under_way() {
    let plan = Plan::bare(vec![
        secret("app/a", Verb::Create, &[]),
        secret("app/b", Verb::Create, &[]),
        secret("app/old", Verb::Delete, &[]),
    ]);
    let undone = BTreeSet::new();
    let names = ["app/a", "app/b"].map(SecretName::new);
    let mut one_by_one = Schedule::new(&plan, &undone);
    assert_eq!(one_by_one.begin().map(|secret| &secret.name), Some(&names[0]));
    assert_eq!(skipped(one_by_one.finish(&names[0], true)), []);
    assert_eq!(begun(&mut one_by_one), [&names[1]], "the other one is ready");
    let mut both = Schedule::new(&plan, &undone);
    assert_eq!(begun(&mut both), [&names[0], &names[1]]);
    assert_eq!(skipped(both.finish(&names[0], true)), []);
    assert_eq!(begun(&mut both), Vec::<&SecretName>::new(), "the other one is under way");
}

#[test]
fn a_secret_waits_for_everything_that_it_needs() {
    let plan = Plan::bare(vec![
        secret("app/a", Verb::Create, &[]),
        secret("app/b", Verb::Create, &[]),
        secret("app/c", Verb::Create, &["app/a", "app/b"]),
    ]);
    let undone = BTreeSet::new();
    let names = ["app/a", "app/b", "app/c"].map(SecretName::new);
    let mut schedule = Schedule::new(&plan, &undone);
    assert_eq!(begun(&mut schedule), [&names[0], &names[1]]);
    assert_eq!(skipped(schedule.finish(&names[0], true)), []);
    assert_eq!(begun(&mut schedule), Vec::<&SecretName>::new());
    assert_eq!(skipped(schedule.finish(&names[1], true)), []);
    assert_eq!(begun(&mut schedule), [&names[2]]);
}
