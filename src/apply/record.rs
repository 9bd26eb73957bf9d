//! What was called: a record for each request that asked for a change, with what came back.
//!
//! A call is what the write trait is asked for; it may be sent more than once. Whoever carries requests says here
//! what it sent and what was answered ([`request_sent`], [`request_answered`]), so that a record is of a request and
//! not of an intention. What may not enter: values, and texts of the service beyond its error code.

use std::cell::RefCell;
use std::future::Future;

use jiff::Timestamp;

use crate::domain::SecretName;

/// A request that asked for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// When its answer came, or was given up on.
    pub at: Timestamp,
    /// The operation's name in the API.
    pub operation: &'static str,
    /// The secret.
    pub secret: SecretName,
    /// Its ARN, when it is known: a secret that could not be created has none.
    pub arn: Option<String>,
    /// What came back.
    pub answer: Answer,
    /// The request's id, by which CloudTrail finds it; always there when there was an answer of the service.
    pub request_id: Option<String>,
}

/// What came back of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was carried out.
    Done,
    /// It was refused with this code, since an earlier one whose answer was lost had been carried out: what was asked
    /// for is there.
    Recovered {
        /// The service's error code.
        code: Option<String>,
    },
    /// It was refused or failed with this code.
    Failed {
        /// The service's error code; none when the answer made no sense.
        code: Option<String>,
    },
    /// No answer came. It may or may not have been carried out.
    Lost,
}

impl Answer {
    /// What programs are told.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Recovered { .. } => "recovered",
            Self::Failed { .. } => "failed",
            Self::Lost => "lost",
        }
    }

    /// The service's error code.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Lost => None,
            Self::Recovered { code } | Self::Failed { code } => code.as_deref(),
        }
    }
}

impl CallRecord {
    /// Whether what it asked for is there because of this call.
    pub fn is_done(&self) -> bool {
        matches!(self.answer, Answer::Done | Answer::Recovered { .. })
    }
}

/// A request on its way, as whoever carries it tells.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) operation: String,
    /// None while there is no answer.
    pub(super) answered: Option<Answered>,
    pub(super) at: Timestamp,
}

/// What the service answered to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The error code, when it was refused or failed.
    pub code: Option<String>,
    /// Whether it was carried out.
    pub accepted: bool,
    /// The request's id.
    pub request_id: Option<String>,
}

tokio::task_local! {
    /// The requests of the call that this task waits for.
    static SENT: RefCell<Vec<Sent>>;
}

/// A request leaves. Outside of a recorded call this does nothing.
pub fn request_sent(operation: &str) {
    let sent = Sent { operation: operation.to_owned(), answered: None, at: Timestamp::now() };
    // An error says that nobody records.
    let _ = SENT.try_with(|all| all.borrow_mut().push(sent));
}

/// The request that left last was answered, or given up on.
pub fn request_answered(answered: Option<Answered>) {
    let note = |all: &RefCell<Vec<Sent>>| {
        if let Some(last) = all.borrow_mut().last_mut() {
            last.answered = answered;
            last.at = Timestamp::now();
        }
    };
    let _ = SENT.try_with(note);
}

/// Waits for a call, and says which requests it took.
pub(super) async fn requests_of<T>(call: impl Future<Output = T>) -> (T, Vec<Sent>) {
    let recorded = async {
        let outcome = call.await;
        (outcome, SENT.with(RefCell::take))
    };
    SENT.scope(RefCell::default(), recorded).await
}
