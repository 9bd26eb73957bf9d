//! What goes wrong, or slowly, on purpose.
//!
//! `file` is the fault file as a whole. `rule` is a fault of certain calls, `profile` what may happen to all the
//! others, `quota` the service's request quotas, `injector` decides the outcome of each call by these three,
//! `rotation` is what the simulated rotation functions do, and `replication` how copies end. What may not enter: what
//! an operation does when nothing goes wrong.
//!
//! A new key in the fault file is a field of the struct in `file`, `rule` or `profile`. What a rule does is in `rule`;
//! what a key of the profile does is in `injector`, or where an operation asks the profile.

mod duration;
mod file;
mod injector;
mod profile;
mod quota;
mod replication;
mod rotation;
mod rule;

pub(crate) use duration::duration;
pub(crate) use file::{FaultFile, ReplicationFault, RotationFault};
pub(crate) use injector::{FaultInjector, InjectedOutcome};
pub(crate) use profile::FaultProfile;
pub(crate) use quota::QuotaGroup;
pub(crate) use replication::{ReplicationOutcome, Replications};
pub(crate) use rotation::{RotationFunctions, RotationOf, RotationOutcome, RotationStep};
pub use rule::{Fault, FaultKind};
