//! Carries a plan out: the write trait, the recorder around it, the engine, and the events that it emits.
//!
//! The engine decides nothing: each action carries what it needs, and what is known only after another action (an ARN)
//! is filled in. It never prints: it tells events, and `render` makes sentences of them. What may not enter: the AWS
//! SDK, planning, and output.
//!
//! What was done is what was called: whatever is told of a run comes from the [`CallRecord`]s of the [`Recorder`],
//! never from the plan's actions.

mod engine;
mod event;
mod in_flight;
mod made;
mod policies;
mod record;
mod recorder;
mod recovery;
mod schedule;
#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may panic")]
mod tests;
mod values;
mod writer;

pub use engine::{ApplyOptions, Work, apply};
pub use event::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome, SkipReason, Stopped};
pub use in_flight::PlannedCalls;
pub use made::MadeSecrets;
pub use policies::PolicyChecks;
pub use record::{Answer, Answered, CallRecord, request_answered, request_sent};
pub use recorder::{KeepRecords, Recorder};
pub use writer::{Created, NewSecret, NewSettings, PutVersion, Receipt, Rotating, WriteSecrets};
