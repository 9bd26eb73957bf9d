//! What stands beneath everything in keywright, the sandbox included. It knows of nothing above it.
//!
//! ```text
//! policy/      IAM documents: their canonical form, their grammar, what they let whom do
//!   domain/    names, ARNs, regions, versions, schedules: parsed once and carried as types
//! files/       one door in and one door out
//! serving.rs   taking connections one by one, for the servers of `sandbox` and of `watch`
//! ```

pub mod collect;
pub mod domain;
pub mod every_core;
pub mod files;
pub mod loopback;
pub mod policy;
pub mod serving;
pub mod sort_few;
