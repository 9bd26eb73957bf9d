//! Carries a plan out: the write trait, the engine, and the events that it emits.
//!
//! The engine decides nothing: each action carries what it needs, and what is known only after another action (an ARN)
//! is filled in. It never prints: it tells events, and `render` makes sentences of them. What may not enter: the AWS
//! SDK, planning, and output.

mod engine;
mod event;
mod schedule;
mod values;
mod writer;

pub use engine::{ApplyOptions, Work, apply};
pub use event::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome, SkipReason};
pub use values::{Arns, Values};
pub use writer::{Created, NewSecret, NewSettings, PutVersion, Receipt, Rotating, WriteSecrets};
