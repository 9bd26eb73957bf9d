//! The events of CloudTrail that calls leave behind, in the shapes of recorded ones.
//!
//! What is unknown of the service: what else than an ARN a change answers in its event (only those of CreateSecret,
//! PutSecretValue and DeleteSecret are recorded), which events deletions make for how many versions, and what a denied
//! call looks like. Here every change that answers with an ARN logs it, a deletion makes one event for the secret, and
//! a denied call has no parameters, as of other services.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Context;
use crate::auth::Caller;
use crate::clock::Moment;
use crate::home::Home;
use crate::state::{Event, SecretRecord, Store, Writer};
use crate::wire::{Envelope, ErrorCode, Reply, ServiceError, parameters};

/// The longest text of a request that an event keeps beside its parameters, in bytes.
const LONGEST: usize = 1_024;

/// How the service names itself in events of its own.
const SERVICE: &str = "secretsmanager.amazonaws.com";

/// One call, to be noted once.
pub(crate) struct Recording<'a> {
    envelope: &'a Envelope<'a>,
    caller: &'a Caller,
    noted: Cell<bool>,
}

/// What the event of a change says of its answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(rename = "ARN")]
    arn: Option<String>,
    name: Option<String>,
    deletion_date: Option<f64>,
}

/// Something that a change may answer with, and an event may tell of.
pub(super) trait Outcome {
    /// What the caller is answered; none where this is no answer.
    fn answer(&self) -> Option<Result<&Reply, &ServiceError>>;
}

impl Outcome for () {
    fn answer(&self) -> Option<Result<&Reply, &ServiceError>> {
        None
    }
}

impl Outcome for Reply {
    fn answer(&self) -> Option<Result<&Reply, &ServiceError>> {
        Some(Ok(self))
    }
}

impl Outcome for Result<Reply, ServiceError> {
    fn answer(&self) -> Option<Result<&Reply, &ServiceError>> {
        Some(self.as_ref())
    }
}

impl<'a> Recording<'a> {
    /// The recording of a call; none of an operation that the service does not have.
    pub(crate) fn of(envelope: &'a Envelope<'a>, caller: &'a Caller) -> Option<Self> {
        super::find(&envelope.operation)?;
        Some(Self { envelope, caller, noted: Cell::new(false) })
    }

    /// Notes what a change came to, in the change itself.
    pub(super) fn note_change(&self, writer: &Writer<'_>, outcome: &impl Outcome) -> Result<(), ServiceError> {
        let Some(answer) = outcome.answer() else { return Ok(()) };
        self.noted.set(true);
        Ok(writer.note_event(&self.caller.home, &self.event(answer))?)
    }

    /// Notes what a call came to, unless a change noted it.
    pub(crate) fn note(
        &self,
        store: &Store,
        now: Moment,
        answer: Result<&Reply, &ServiceError>,
    ) -> Result<(), ServiceError> {
        if self.noted.replace(true) {
            return Ok(());
        }
        Ok(store.note_event(&self.caller.home, now, self.event(answer))?)
    }

    fn event(&self, answer: Result<&Reply, &ServiceError>) -> Event {
        let Envelope { operation, body, user_agent, peer, .. } = self.envelope;
        let denied = matches!(answer, Err(error) if error.code == ErrorCode::AccessDenied);
        let parameters = if denied { Value::Null } else { parameters::logged(operation, body) };
        let resource = ["secretId", "name"].iter().find_map(|member| parameters.get(member)?.as_str());
        let read_only = is_read_only(operation);
        Event {
            name: operation.clone(),
            read_only,
            of_service: false,
            identity: self.caller.event_identity(),
            username: Some(self.caller.username().to_owned()),
            access_key_id: Some(self.caller.access_key_id.clone()),
            source_ip: peer.map_or_else(|| "127.0.0.1".to_owned(), |peer| peer.to_string()),
            user_agent: user_agent.map(cut),
            error_code: answer.err().map(error_code),
            error_message: answer.err().map(|error| cut(&error.message)),
            resource: resource.map(str::to_owned),
            parameters,
            response: match answer {
                Ok(reply) if !read_only => response(operation, reply),
                _ => Value::Null,
            },
            additional: None,
        }
    }
}

/// The code of an error in an event. CloudTrail leaves the ending off that a denial has on the wire.
fn error_code(error: &ServiceError) -> String {
    match error.code {
        ErrorCode::AccessDenied => "AccessDenied".to_owned(),
        _ => error.code.name().to_owned(),
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

/// Whether an operation can change nothing. Recorded for five of these; of the others it follows from what they do.
fn is_read_only(operation: &str) -> bool {
    let reads = ["Get", "BatchGet", "Describe", "List", "Validate"];
    reads.iter().any(|beginning| operation.starts_with(beginning))
}

/// `responseElements` of a change.
fn response(operation: &str, reply: &Reply) -> Value {
    let Reply::Json(body) = reply else { return Value::Null };
    let Ok(Answer { arn: Some(arn), name, deletion_date }) = serde_json::from_slice(body) else { return Value::Null };
    if operation != "DeleteSecret" {
        return json!({ "arn": arn });
    }
    // In milliseconds of any year that a clock can show.
    #[expect(clippy::cast_possible_truncation, reason = "a date of the sandbox's own")]
    let date = deletion_date.and_then(|date| jiff::Timestamp::from_second(date as i64).ok());
    json!({ "aRN": arn, "name": name, "deletionDate": date.map(|date| date.to_string()) })
}

/// Notes what the service does by itself with a secret: an event of the service, as of the writer's moment. What
/// fixtures make has no events: it was there before anything happened.
fn note_of_service(
    context: &Context<'_>,
    writer: &Writer<'_>,
    home: &Home,
    name: &str,
    additional: Value,
    error: Option<&str>,
) -> Result<(), ServiceError> {
    if context.within.is_some() {
        return Ok(());
    }
    let event = Event {
        name: name.to_owned(),
        read_only: false,
        of_service: true,
        identity: json!({ "accountId": home.account, "invokedBy": SERVICE }),
        username: None,
        access_key_id: None,
        source_ip: SERVICE.to_owned(),
        user_agent: Some(SERVICE.to_owned()),
        error_code: None,
        error_message: error.map(str::to_owned),
        parameters: Value::Null,
        response: Value::Null,
        additional: Some(additional),
        resource: None,
    };
    Ok(writer.note_event(home, &event)?)
}

/// Notes a step of a deletion: its beginning, its end, or that it was cancelled.
pub(super) fn note_deletion(
    context: &Context<'_>,
    writer: &Writer<'_>,
    home: &Home,
    step: &str,
    record: &SecretRecord,
) -> Result<(), ServiceError> {
    let additional = json!({ "ARN": record.arn, "Name": record.name });
    note_of_service(context, writer, home, &format!("{step}SecretVersionDelete"), additional, None)
}

/// Notes what became of a rotation.
pub(super) fn note_rotation(
    context: &Context<'_>,
    writer: &Writer<'_>,
    home: &Home,
    end: &str,
    record: &SecretRecord,
    error: Option<&str>,
) -> Result<(), ServiceError> {
    note_of_service(context, writer, home, &format!("Rotation{end}"), json!({ "SecretId": record.arn }), error)
}
