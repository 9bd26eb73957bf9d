//! What is waited for, for whoever watches: an answer, or the next attempt of a call.

use std::time::Duration;

/// Why a call is going to be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting<'a> {
    /// The service says that requests come too fast.
    Throttled {
        /// The operation's name in the API.
        operation: &'static str,
    },
    /// There was no answer.
    Unreachable {
        /// The operation's name in the API.
        operation: &'static str,
        /// Where it was sent: an endpoint, or a service and its region.
        place: &'a str,
        /// What the connection said.
        message: &'a str,
    },
    /// There is no answer yet.
    Slow {
        /// What is tried: an operation's name, or what comes before the first.
        trying: &'static str,
        /// Where it was sent.
        place: &'a str,
    },
    /// Something that was made moments ago is not known everywhere yet.
    Propagation {
        /// The operation's name in the API.
        operation: &'static str,
        /// What is not known yet.
        of: Propagating,
        /// How long it is waited for at most.
        limit: Duration,
    },
}

/// What AWS may need some seconds to know everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagating {
    /// A role or user that a policy names.
    Principal,
    /// The permission to invoke a rotation function.
    Invocation,
    /// That a secret is gone for good.
    Name,
    /// A grant of a KMS key.
    Grant,
}
