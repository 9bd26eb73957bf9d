//! The sandbox: an embedded AWS Secrets Manager (API version 2017-10-17), with as much of STS as its clients need, and
//! CloudTrail's events of what happened in it.
//!
//! It answers HTTP requests as the real service does, down to error texts and state, so that the AWS SDK, the CLI or
//! boto3 cannot tell it from the service. Behind the SDK it sits in the same process, through a connector; for
//! everything else `server` puts it on a loopback address. What may not enter: the AWS SDK, and any type of keywright's
//! own pipeline but the policy documents and what `domain` holds for everybody, since the sandbox must not share a
//! misunderstanding with the code that it tests.
//!
//! ```text
//! server       the handle, the TCP listener and its control path; a request comes in, faults and hooks come first
//!   operations   one file for each group of operations, each with one durable transaction
//!     auth         who calls, and whether a policy that is enforced allows it
//!     faults       what goes wrong, or slowly, on purpose
//!     state        the database, the records in it, the log of calls
//!     wire         the forms of requests and answers, constraints, pages, and every error
//! home, clock  what every room knows: the account and region of a secret, and the time in the sandbox
//! ```
//!
//! Beside the service's own API there is what tests and rehearsals need: `Sandbox` has it as methods, and the
//! server's `control` path as requests. `server::fixtures` makes what exists before anything happens, through the
//! operations; `state::snapshot` writes what exists in another account, as it is there.
//!
//! Signatures are not verified, and resource policies are not evaluated. Whoever reaches the sandbox may do everything,
//! unless an identity-based policy is enforced: that binds all callers alike.

mod auth;
mod clock;
mod faults;
mod home;
mod operations;
mod server;
mod state;
mod wire;

#[cfg(test)]
mod tests;

pub use auth::PolicyError;
pub use clock::Clock;
pub use faults::{Fault, FaultKind};
pub use home::DEFAULT_ACCOUNT;
pub use server::NOW_HEADER;
pub use server::{FixtureError, Hook, Options, Sandbox, Server};
pub use state::{Call, LoadError, Outcome, SecretDump, StoreError};
pub use state::{
    CrossAccountPrimary as SnapshotOtherPrimary, CrossAccountReplica as SnapshotOtherReplica,
    CrossAccountStatus as SnapshotLinkStatus, Snapshot, SnapshotReplica, SnapshotRotation, SnapshotStatus,
    SnapshotVersion,
};
