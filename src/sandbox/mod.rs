//! The sandbox: an embedded AWS Secrets Manager (API version 2017-10-17), with as much of STS as its clients need.
//!
//! It answers HTTP requests as the real service does, down to error texts and state, so that the AWS SDK, the CLI or
//! boto3 cannot tell. Behind the SDK it sits in the same process, through a connector; for everything else `server`
//! puts it on a loopback address. What may not enter: the AWS SDK, and any type of keywright's own pipeline but the
//! policy documents, since the sandbox must not share a misunderstanding with the code that it tests.
//!
//! ```text
//! Sandbox::answer    a request comes in                             service
//!   protocol           who asks, where, for which operation         identity, clock
//!   answering          it is logged; hooks, fault rules and the weather come first
//!                                                                   calls, faults, weather, quota
//!   operations         what has fallen due is settled; the policy is asked, where one is enforced; then one file for
//!                      each group of operations                     authorization, questions, constraint, lookup, filter, page, label, kms,
//!                                                                   replication, rotation, schedule, lock_out
//!     store, tables      one durable transaction                    changes, record, cipher
//!   sts                GetCallerIdentity and AssumeRole
//! protocol::respond  the answer, or an error of the service         error
//! ```
//!
//! Beside the service's own API there is what tests and rehearsals ask for: `Sandbox` has it as methods, and the
//! server's `control` path as requests. `seed` makes what exists before anything happens, through the operations; `snapshot`
//! writes what exists somewhere else, as it is there.
//!
//! Signatures are not verified, and resource policies are not evaluated. Whoever reaches the sandbox may do everything,
//! unless it was told to enforce an identity-based policy: that binds all callers alike.

mod answering;
mod authorization;
mod calls;
mod changes;
mod cipher;
mod clock;
mod constraint;
mod control;
mod dump;
mod error;
mod faults;
mod filter;
mod identity;
mod kms;
mod label;
mod lock_out;
mod lookup;
mod operations;
mod page;
mod policy_text;
mod protocol;
mod questions;
mod quota;
mod record;
mod replication;
mod rotation;
mod schedule;
mod seed;
pub mod server;
mod service;
mod snapshot;
mod store;
mod sts;
mod tables;
mod weather;

#[cfg(test)]
mod tests;

pub use answering::Dropped;
pub use authorization::PolicyError;
pub use calls::{Call, Outcome};
pub use clock::{Clock, ManualClock};
pub use dump::SecretDump;
pub use faults::{Fault, FaultKind};
pub use identity::DEFAULT_ACCOUNT;
pub use rotation::{RotationOf, RotationOutcome, RotationStep};
pub use seed::SeedError;
pub use server::Server;
pub use service::{Hook, Options, Sandbox};
pub use snapshot::{LoadError, Snapshot, SnapshotReplica, SnapshotRotation, SnapshotStatus, SnapshotVersion};
pub use store::{OpenError, StoreError};
pub use weather::Weather;
