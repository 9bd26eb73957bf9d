//! One plan, many outputs.
//!
//! Everything here is a pure function from values to text; nothing prints. Sentences are made here and nowhere else,
//! and everything live or written by people passes through [`escape`] on its way: every function gives
//! [`Escaped`] text of its format, and nothing else can be written. What may not enter: I/O, decisions, and
//! secret values.

mod annotations;
pub mod apply_json;
pub mod apply_text;
pub mod approved_text;
pub mod awaiting;
mod cross_account;
pub mod day_two;
pub mod diagnostics;
mod diff;
pub mod doctor;
pub mod drift;
mod entry;
pub mod error;
pub mod escape;
pub mod expanded;
pub mod explained;
mod finding;
pub mod graph;
mod hint;
pub mod import_text;
pub mod inventory;
mod junit;
mod leaving;
mod line_diff;
mod look_alike;
#[cfg(test)]
mod markup_check;
pub mod metric;
mod move_words;
pub mod next;
mod order;
mod page;
mod paint;
pub mod plan_html;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
mod plan_view;
mod policy_diff;
mod policy_words;
pub mod prepared;
pub mod question;
pub mod rehearsal;
mod rows;
#[cfg(test)]
mod sample_plans;
mod sarif;
#[cfg(test)]
pub(crate) mod schema;
pub mod targets;
mod text_diff;
pub mod versions;
pub mod waiting;
pub mod watch;
pub mod who;
mod words;

pub(crate) use escape::escaped;
pub use escape::{Artifact, Escaped, Terminal};
pub use finding::{finding_help, finding_text, value_edges};
pub use paint::Paint;
pub use plan_view::{PlanView, PlannedView, TargetView};
pub use words::{count, rotation};
