//! One plan, many outputs.
//!
//! Everything here is a pure function from values to text; nothing prints. Sentences are made here and nowhere else, and
//! everything live or written by people passes through [`escape`] on its way. What may not enter: I/O, decisions, and
//! secret values.

pub mod apply_text;
pub mod diagnostics;
pub mod escape;
mod finding;
mod paint;
pub mod plan_json;
pub mod plan_text;
mod policy_diff;
mod words;

pub use finding::{finding_help, finding_text};
pub use paint::Paint;
