//! The log of calls, for tests that count them and rehearsals that show them. It never holds a value.

use std::collections::VecDeque;

/// The log keeps this many calls; older ones are dropped.
const CAPACITY: usize = 65_536;

/// One call to the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation's name as the client sent it, such as `CreateSecret`.
    pub operation: String,
    /// The account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The name of the secret that the request named, by name or by ARN.
    pub secret: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not run yet: only a hook sees this.
    Pending,
    /// It succeeded.
    Ok,
    /// It answered with this error code, such as `ResourceNotFoundException`.
    Error(String),
    /// The connection was dropped, by a fault, before or after it was carried out.
    Dropped,
}

/// The calls, the oldest first.
#[derive(Default)]
pub(crate) struct CallLog {
    calls: VecDeque<Call>,
}

impl CallLog {
    pub(crate) fn push(&mut self, call: Call) {
        if self.calls.len() == CAPACITY {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}
