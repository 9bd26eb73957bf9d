//! Attribution: who made the change that is shown, as far as CloudTrail's event history knows.
//!
//! Pure: events come in as text, questions as data, answers go out; what to ask next is decided here, and asked in
//! `workflow/who.rs`. `change` says which operations can have made a change, `event` and `principal` read what
//! CloudTrail says, `search` decides what is asked and which events answer a question.
//!
//! It is for people. Nothing is decided by it: no class of drift, no plan, no exit code, and it is in no fingerprint.
//! An answer is never a guess: it lists the events that can have made the change, the newest first, and says when there
//! may be others. What may not enter: I/O, sentences for people, and types of plans or drift.

mod change;
mod event;
mod principal;
mod search;
#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "a test may panic, and takes JSON as written")]
mod tests;

pub use change::Changed;
pub use event::{FoundEvent, TrailEvent};
pub use principal::{Principal, Who};
pub use search::{Answer, Ask, Attributed, Question, Search};
