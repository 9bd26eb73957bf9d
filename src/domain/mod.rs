//! The ground floor: what AWS and keywright call things, parsed once at the edge and carried as types from there on.
//!
//! Every other room may import this one, the sandbox included, and it imports none of them. What may not enter: I/O,
//! the SDK, YAML, and sentences for people beyond what is wrong with a text that somebody wrote.

pub mod schedule;

pub use schedule::{Frequency, Schedule, ScheduleFault, WindowLength};
