//! The recorder: the write trait again, with a record of each request that was sent and of what came back.
//!
//! Everything that is said of a run afterwards (the journal, JSON, counts, the summary) is made of these records. It
//! also finds out what became of calls whose answer was lost, since that is part of what came back. Reading, and
//! GetRandomPassword, which changes nothing, pass through without a record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::in_flight::PlannedCalls;
use super::record::{Answer, Answered, CallRecord, Sent, requests_of};
use super::recovery::{lost_change, lost_create, lost_delete};
use super::writer::{Created, NewSecret, NewSettings, PutVersion, Receipt, Rotating, WriteSecrets};
use crate::desired::{Deletion, Restriction, RotationSetup};
use crate::domain::{Arn, ArnParts, KmsKey, Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{LiveSecret, ReadThrough, ServiceError};
use crate::value::{GenerateOptions, SecretValue};

/// Where records go as soon as there is one.
pub trait KeepRecords: Sync {
    /// Keeps one.
    fn keep(&self, call: &CallRecord);

    /// Whether one could not be kept: nothing new should be begun then.
    fn is_broken(&self) -> bool;
}

/// Records that are wanted at the end alone.
impl KeepRecords for () {
    fn keep(&self, _: &CallRecord) {}

    fn is_broken(&self) -> bool {
        false
    }
}

/// A writer whose calls are recorded.
pub struct Recorder<'a, W> {
    writer: &'a W,
    records: &'a dyn KeepRecords,
    calls: Mutex<Vec<CallRecord>>,
}

/// The secret of a call.
struct Of<'a> {
    name: SecretName,
    arn: Option<&'a str>,
}

impl<'a> Of<'a> {
    fn arn(arn: &'a str) -> Self {
        Self { name: name_in(arn), arn: Some(arn) }
    }
}

/// What comes back of a call that was carried out.
trait Answers {
    fn request_id(&self) -> Option<&str>;
    /// The ARN, where the call made it known.
    fn arn(&self) -> Option<&str> {
        None
    }
}

impl Answers for Receipt {
    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl Answers for Rotating {
    fn request_id(&self) -> Option<&str> {
        self.receipt.request_id.as_deref()
    }
}

impl Answers for PutVersion {
    fn request_id(&self) -> Option<&str> {
        self.receipt.request_id.as_deref()
    }
}

impl Answers for Created {
    fn request_id(&self) -> Option<&str> {
        self.receipt.request_id.as_deref()
    }

    fn arn(&self) -> Option<&str> {
        Some(self.arn.as_str())
    }
}

impl<'a, W: WriteSecrets> Recorder<'a, W> {
    /// `records` is given each record at once, from whichever task made the call.
    pub fn new(writer: &'a W, records: &'a dyn KeepRecords) -> Self {
        Self { writer, records, calls: Mutex::default() }
    }

    /// The records so far, in the order in which answers came.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The operations that were carried out for one secret.
    pub(super) fn done_for(&self, secret: &SecretName) -> Vec<&'static str> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| call.secret == *secret && call.is_done()).map(|call| call.operation).collect()
    }

    /// Whether a record could not be kept.
    pub fn lost_a_record(&self) -> bool {
        self.records.is_broken()
    }

    /// Makes a call that the service recognises when it is repeated, or that may be repeated.
    ///
    /// Calls come boxed: the SDK's futures are large, and would be copied from frame to frame.
    async fn call<T: Answers>(
        &self,
        operation: &'static str,
        of: Of<'_>,
        call: BoxFuture<'_, Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        self.recovered(operation, of, call, async |_| None).await
    }

    /// Makes a call that the service refuses when it is repeated: `recover` finds out whether what was asked for is
    /// there all the same. It is asked only when an earlier request of the call was not answered well.
    async fn recovered<T: Answers>(
        &self,
        operation: &'static str,
        of: Of<'_>,
        call: BoxFuture<'_, Result<T, ServiceError>>,
        recover: impl AsyncFnOnce(&ServiceError) -> Option<T>,
    ) -> Result<T, ServiceError> {
        let (outcome, mut sent) = requests_of(call).await;
        sent.retain(|request| request.operation == operation);
        let repeated = sent.len() > 1;
        let (outcome, refused) = match outcome {
            Err(error) if repeated => match recover(&error).await {
                Some(answer) => (Ok(answer), Some(error)),
                None => (Err(error), None),
            },
            outcome => (outcome, None),
        };
        self.record(operation, &of, sent, &outcome, refused.as_ref());
        outcome
    }

    fn record<T: Answers>(
        &self,
        operation: &'static str,
        of: &Of<'_>,
        mut sent: Vec<Sent>,
        outcome: &Result<T, ServiceError>,
        refused: Option<&ServiceError>,
    ) {
        let arn = of.arn.or_else(|| outcome.as_ref().ok().and_then(Answers::arn)).map(str::to_owned);
        let record = |at, answer, request_id| CallRecord {
            at,
            operation,
            secret: of.name.clone(),
            arn: arn.clone(),
            answer,
            request_id,
        };
        let last = sent.pop();
        for Sent { operation: _, answered, at } in sent {
            let (answer, request_id) = answer_of(answered);
            self.keep(record(at, answer, request_id));
        }
        let at = last.as_ref().map_or_else(Timestamp::now, |last| last.at);
        let (answer, request_id) = match (outcome, refused) {
            (Ok(_), Some(error)) => (Answer::Recovered { code: error.code.clone() }, error.request_id.clone()),
            (Ok(answer), None) => (Answer::Done, answer.request_id().map(str::to_owned)),
            (Err(error), _) => match last {
                Some(Sent { answered: None, .. }) => (Answer::Lost, error.request_id.clone()),
                // It never left: there is nothing to record.
                None if error.code.is_none() && error.request_id.is_none() => return,
                _ => (Answer::Failed { code: error.code.clone() }, error.request_id.clone()),
            },
        };
        self.keep(record(at, answer, request_id));
    }

    fn keep(&self, record: CallRecord) {
        self.records.keep(&record);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}

/// What came back of a request that was sent again.
fn answer_of(answered: Option<Answered>) -> (Answer, Option<String>) {
    match answered {
        None => (Answer::Lost, None),
        Some(Answered { accepted: true, request_id, .. }) => (Answer::Done, request_id),
        Some(Answered { accepted: false, code, request_id }) => (Answer::Failed { code }, request_id),
    }
}

/// An error without what the service says, where that quotes the value that it was given. AWS is not known to do so;
/// what stands in for it, or a partner whose type checks values, may.
fn unquoted(error: ServiceError, value: Option<&SecretValue>) -> ServiceError {
    if !value.is_some_and(|value| value.is_quoted_in(&error.message)) {
        return error;
    }
    ServiceError { message: "the service's message quotes the value, and is not shown".to_owned(), ..error }
}

/// The name in a secret's full ARN; text that is none stands for itself.
fn name_in(arn: &str) -> SecretName {
    SecretName::new(ArnParts::parse(arn).and_then(|parts| parts.secret_name()).unwrap_or(arn))
}

/// Reading is not recorded.
impl<W: WriteSecrets> ReadThrough for Recorder<'_, W> {
    type Reader = W;

    fn reader(&self) -> &W {
        self.writer
    }
}

impl<W: WriteSecrets> WriteSecrets for Recorder<'_, W> {
    fn secrets_to_fill(&self, calls: &PlannedCalls) -> usize {
        self.writer.secrets_to_fill(calls)
    }

    async fn create(&self, name: &SecretName, secret: &NewSecret) -> Result<Created, ServiceError> {
        let recover = async |error: &ServiceError| lost_create(self.writer, name, secret, error).await;
        let of = Of { name: name.clone(), arn: None };
        let created = self.recovered("CreateSecret", of, self.writer.create(name, secret).boxed(), recover).await;
        created.map_err(|error| unquoted(error, secret.value.as_ref().map(|(value, _)| value)))
    }

    async fn put_value(
        &self,
        arn: &Arn,
        value: &SecretValue,
        version_id: Option<&VersionId>,
        labels: &[StagingLabel],
    ) -> Result<PutVersion, ServiceError> {
        let call = self.writer.put_value(arn, value, version_id, labels).boxed();
        let put = self.call("PutSecretValue", Of::arn(arn.as_str()), call).await;
        put.map_err(|error| unquoted(error, Some(value)))
    }

    async fn remove_label(&self, arn: &Arn, label: &StagingLabel, from: &VersionId) -> Result<Receipt, ServiceError> {
        let recover = async |error: &ServiceError| {
            let gone = |live: &LiveSecret| live.holder(label.as_str()) != Some(from);
            lost_change(self.writer, &name_in(arn.as_str()), error, gone).await
        };
        let call = self.writer.remove_label(arn, label, from).boxed();
        self.recovered("UpdateSecretVersionStage", Of::arn(arn.as_str()), call, recover).await
    }

    async fn move_label(
        &self,
        arn: &Arn,
        label: &StagingLabel,
        to: &VersionId,
        from: Option<&VersionId>,
    ) -> Result<Receipt, ServiceError> {
        let recover = async |error: &ServiceError| {
            let moved = |live: &LiveSecret| live.holder(label.as_str()) == Some(to);
            lost_change(self.writer, &name_in(arn.as_str()), error, moved).await
        };
        let call = self.writer.move_label(arn, label, to, from).boxed();
        self.recovered("UpdateSecretVersionStage", Of::arn(arn.as_str()), call, recover).await
    }

    async fn random_password(&self, options: &GenerateOptions) -> Result<Zeroizing<String>, ServiceError> {
        self.writer.random_password(options).await
    }

    async fn restore(&self, arn: &Arn) -> Result<Receipt, ServiceError> {
        self.call("RestoreSecret", Of::arn(arn.as_str()), self.writer.restore(arn).boxed()).await
    }

    async fn update(&self, arn: &Arn, settings: &NewSettings<'_>) -> Result<Receipt, ServiceError> {
        self.call("UpdateSecret", Of::arn(arn.as_str()), self.writer.update(arn, settings).boxed()).await
    }

    async fn rotate(
        &self,
        arn: &Arn,
        setup: Option<&RotationSetup>,
        immediately: bool,
    ) -> Result<Rotating, ServiceError> {
        self.call("RotateSecret", Of::arn(arn.as_str()), self.writer.rotate(arn, setup, immediately).boxed()).await
    }

    async fn cancel_rotation(&self, arn: &Arn) -> Result<Receipt, ServiceError> {
        self.call("CancelRotateSecret", Of::arn(arn.as_str()), self.writer.cancel_rotation(arn).boxed()).await
    }

    async fn replicate(
        &self,
        arn: &Arn,
        regions: &BTreeMap<Region, Option<KmsKey>>,
        overwrite: bool,
    ) -> Result<Receipt, ServiceError> {
        let call = self.writer.replicate(arn, regions, overwrite).boxed();
        self.call("ReplicateSecretToRegions", Of::arn(arn.as_str()), call).await
    }

    async fn remove_replicas(&self, arn: &Arn, regions: &BTreeSet<Region>) -> Result<Receipt, ServiceError> {
        let call = self.writer.remove_replicas(arn, regions).boxed();
        self.call("RemoveRegionsFromReplication", Of::arn(arn.as_str()), call).await
    }

    async fn stop_replication(&self, name: &SecretName) -> Result<Receipt, ServiceError> {
        let recover = async |error: &ServiceError| {
            lost_change(self.writer, name, error, |live| live.cross_account.primary.is_none()).await
        };
        let of = Of { name: name.clone(), arn: None };
        self.recovered("StopReplicationToReplica", of, self.writer.stop_replication(name).boxed(), recover).await
    }

    async fn associate(
        &self,
        arn: &Arn,
        replica: &Arn,
        restriction: Restriction,
        role: Option<&Arn>,
    ) -> Result<Receipt, ServiceError> {
        let call = self.writer.associate(arn, replica, restriction, role).boxed();
        self.call("AssociateCrossAccountReplica", Of::arn(arn.as_str()), call).await
    }

    async fn disassociate(&self, arn: &Arn, replica: &Arn) -> Result<Receipt, ServiceError> {
        let recover = async |error: &ServiceError| {
            let ended = |live: &LiveSecret| !live.cross_account.replicas.contains_key(replica);
            lost_change(self.writer, &name_in(arn.as_str()), error, ended).await
        };
        let call = self.writer.disassociate(arn, replica).boxed();
        self.recovered("DisassociateCrossAccountReplica", Of::arn(arn.as_str()), call, recover).await
    }

    async fn tag(&self, arn: &Arn, tags: &BTreeMap<TagKey, String>) -> Result<Receipt, ServiceError> {
        self.call("TagResource", Of::arn(arn.as_str()), self.writer.tag(arn, tags).boxed()).await
    }

    async fn untag(&self, arn: &Arn, keys: &BTreeSet<TagKey>) -> Result<Receipt, ServiceError> {
        self.call("UntagResource", Of::arn(arn.as_str()), self.writer.untag(arn, keys).boxed()).await
    }

    async fn put_policy(&self, arn: &Arn, policy: &str, block_public_policy: bool) -> Result<Receipt, ServiceError> {
        let call = self.writer.put_policy(arn, policy, block_public_policy).boxed();
        self.call("PutResourcePolicy", Of::arn(arn.as_str()), call).await
    }

    async fn delete_policy(&self, arn: &Arn) -> Result<Receipt, ServiceError> {
        self.call("DeleteResourcePolicy", Of::arn(arn.as_str()), self.writer.delete_policy(arn).boxed()).await
    }

    async fn delete(&self, arn: &Arn, deletion: Deletion) -> Result<Receipt, ServiceError> {
        let recover =
            async |error: &ServiceError| lost_delete(self.writer, &name_in(arn.as_str()), deletion, error).await;
        self.recovered("DeleteSecret", Of::arn(arn.as_str()), self.writer.delete(arn, deletion).boxed(), recover).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_secret_is_what_its_arn_holds_without_the_ending() {
        let arn = |rest: &str| format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:{rest}");
        assert_eq!(name_in(&arn("prod/db-AbCdEf")).as_str(), "prod/db");
        assert_eq!(name_in(&arn("prod/db-123456-AbCdEf")).as_str(), "prod/db-123456");
        assert_eq!(name_in(&arn("a/b=c@d+e.f_g-AbCdEf")).as_str(), "a/b=c@d+e.f_g");
    }
    #[test]
    fn each_answer_tells_the_id_of_its_request_and_that_of_a_creation_the_arn() {
        let receipt = || Receipt { request_id: Some("r-1".to_owned()) };
        let version = || VersionId::of_service("v1");
        let arn = Arn::of_service("arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf");
        let rotating = Rotating { version_id: None, receipt: receipt() };
        let put = PutVersion { version_id: version(), labels: Vec::new(), receipt: receipt() };
        let created = Created { arn: arn.clone(), version_id: None, receipt: receipt() };
        let received = receipt();
        let answers = [received.request_id(), rotating.request_id(), put.request_id(), created.request_id()];
        assert_eq!(answers, [Some("r-1"); 4]);
        assert_eq!((Answers::arn(&receipt()), Answers::arn(&put)), (None, None));
        assert_eq!(Answers::arn(&created), Some(arn.as_str()));
    }

    #[test]
    fn a_request_that_was_sent_again_has_the_answer_that_it_got() {
        let answered = |accepted, code: Option<&str>| {
            answer_of(Some(Answered { code: code.map(str::to_owned), accepted, request_id: Some("r-1".to_owned()) }))
        };
        let id = Some("r-1".to_owned());
        assert_eq!(answered(true, None), (Answer::Done, id.clone()));
        let code = Some("ThrottlingException");
        assert_eq!(answered(false, code), (Answer::Failed { code: code.map(str::to_owned) }, id));
        assert_eq!(answer_of(None), (Answer::Lost, None));
    }
}
