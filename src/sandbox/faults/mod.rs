//! What goes wrong, or slowly, on purpose.
//!
//! `rule` is a fault that strikes certain calls, `profile` what happens to all of them, `quota` the service's request
//! quotas, `rotation` what the simulated rotation functions do. What may not enter: what an operation does when nothing
//! goes wrong.

pub(crate) mod profile;
mod quota;
mod rotation;
mod rule;

pub(crate) use profile::Sky;
pub use profile::Weather;
pub(crate) use rotation::Functions;
pub use rotation::{RotationOf, RotationOutcome, RotationStep};
pub(crate) use rule::{Fate, Faults};
pub use rule::{Fault, FaultKind};
