//! One plan, many outputs.
//!
//! Everything here is a pure function from values to text; nothing prints. Sentences are made here and nowhere else,
//! and everything live or written by people passes through [`escape`] on its way. What may not enter: I/O, decisions,
//! and secret values.

pub mod apply_json;
pub mod apply_text;
pub mod approved_text;
pub mod diagnostics;
pub mod drift;
pub mod error;
pub mod escape;
mod finding;
pub mod graph;
pub mod import_text;
#[cfg(test)]
mod markup_check;
mod page;
mod paint;
pub mod plan_html;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
mod plan_view;
mod policy_diff;
pub mod prepared;
pub mod question;
pub mod rehearsal;
mod rows;
#[cfg(test)]
mod sample_plans;
mod sarif;
pub mod versions;
pub mod watch;

mod words;

pub use finding::{finding_help, finding_text};
pub use paint::Paint;
pub use plan_view::{PlanView, PlannedView, TargetView};
pub use words::{count, rotation};

/// A document as JSON text with a final line feed. JSON escapes control characters by itself; the characters that
/// reorder text are escaped here as well.
fn json_text(document: &impl serde::Serialize) -> String {
    // Strings, numbers, lists and maps with text keys: this cannot fail.
    visible(&serde_json::to_string_pretty(document).unwrap_or_default())
}

/// A document as JSON on one line, as [`json_text`] escapes it.
fn json_line(document: &serde_json::Value) -> String {
    visible(&document.to_string())
}

fn visible(json: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if escape::is_deceptive(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
