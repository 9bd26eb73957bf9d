//! What is there, for people, programs and auditors: one inventory, a format in each file.

mod csv;
pub mod documents;
mod html;
pub mod json;
mod junit;
mod sarif;
pub mod text;
mod words;

pub use csv::csv;
pub use html::html;
pub use junit::junit;
pub use sarif::sarif;

use crate::desired::AuditKind;
use crate::inventory::{Failing, Inventory};

/// An inventory with what some formats need beside it.
#[derive(Clone, Copy)]
pub struct InventoryView<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The project's folder as seen from the repository's root, with a `/` at its end, or empty when it is the root.
    pub folder: &'a str,
    /// What makes the run fail; without any, nothing does.
    pub fail_on: &'a [Failing],
    /// Whether text lists every secret and every finding.
    pub full: bool,
}

impl InventoryView<'_> {
    /// Whether a kind makes the run fail.
    fn fails(&self, kind: AuditKind) -> bool {
        self.fail_on.iter().any(|failing| failing.holds_for(kind))
    }
}
