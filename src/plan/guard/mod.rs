//! What an apply refuses to do without being told.
//!
//! Guards are asked of finished plans, before the first write of any target. Each is overridden by
//! its own flag, never by one flag for all, and some by none.
//!
//! A guard is one file here and one line in [`table`]: its name, its flag, its check and its words. The command line,
//! the documents, the approved plan's fingerprint and the manual follow from the table. A check sees one target and,
//! where a limit holds for all of them together, the [`RunGuards`] of the whole run. What it finds stays data, a
//! [`Refusal`] with its facts, until `render` makes a sentence of it.
//!
//! What may not enter: I/O, the clock, and sentences beyond a guard's own template.

mod adopted_value;
mod cancel_rotation;
mod cloudformation;
mod cross_account;
mod empty_project;
mod foreign;
mod keeps_none;
mod lock_out;
mod max_changes;
mod max_deletes;
mod moved;
mod other_targets;
mod overrides;
mod overwritten_replica;
mod protected;
mod public_policy;
mod refusal;
mod removed_replicas;
mod rename_loses_value;
mod restored;
mod rotate_now;
mod rotated_value;
mod run;
mod scope_changed;
mod skipped_files;
mod table;
#[cfg(test)]
mod tests;
mod unnamed_account;
mod unowned;
mod valued_primary;

pub use max_changes::share_matters;
pub use overrides::{Flag, FlagArgument, GuardOverrides};
pub use refusal::{Fact, Guard, Refusal};
pub use run::{GuardedTarget, RunGuards};
pub use table::{flags, guards};

use refusal::{Check, Refused};
