//! The sandbox: an embedded AWS Secrets Manager (API version 2017-10-17), with as much of STS as its clients need.
//!
//! It answers HTTP requests as the real service does, down to error texts and state, so that the AWS SDK, the CLI or
//! boto3 cannot tell. Behind the SDK it sits in the same process, through a connector; for everything else `server`
//! puts it on a loopback address. What may not enter: the AWS SDK, and any type of keywright's own pipeline but the
//! policy documents, since the sandbox must not share a misunderstanding with the code that it tests.
//!
//! ```text
//! Sandbox::respond   a request comes in
//!   protocol           who asks, where, for which operation         identity, clock
//!   calls, faults      it is logged; hooks and fault rules come first
//!   operations         one file for each group of operations        constraint, lookup, filter, page, label, kms
//!     store, tables      one durable transaction                    record
//!   sts                GetCallerIdentity and AssumeRole
//! protocol::respond  the answer, or an error of the service         error
//! ```
//!
//! Signatures are not verified and no IAM or resource policy is evaluated: whoever reaches the sandbox may do
//! everything.

mod calls;
mod clock;
mod constraint;
mod dump;
mod error;
mod faults;
mod filter;
mod identity;
mod kms;
mod label;
mod lookup;
mod operations;
mod page;
mod policy_text;
mod protocol;
mod record;
pub mod server;
mod service;
mod store;
mod sts;
mod tables;

#[cfg(test)]
mod tests;

pub use calls::{Call, Outcome};
pub use clock::{Clock, ManualClock};
pub use dump::SecretDump;
pub use faults::{Fault, FaultKind};
pub use identity::DEFAULT_ACCOUNT;
pub use server::Server;
pub use service::{Hook, Options, Sandbox};
pub use store::{OpenError, StoreError};
