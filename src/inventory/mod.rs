//! Inventory: what is there, whose it is, how it is used, and what an auditor would say of it.
//!
//! Pure, like `drift`: a snapshot and the desired state in, values out; the time is an input. What may not enter: I/O,
//! output formats (those are `render`), and secret values.
//!
//! ```text
//! entry.rs     one secret with all that is known of it     exposure.rs  whom its policy lets in
//! owner.rs     who manages it                              findings.rs  what an auditor would say
//! billing.rs   what AWS bills for it                       totals.rs    counts and cost, by target, owner and tag
//! ```

mod billing;
mod entry;
mod exposure;
mod findings;
mod owner;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
pub(crate) mod tests;
mod totals;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use billing::{one_place_each, settle_billing};
pub use entry::{Entry, RotationState, Versions, take_stock};
pub use exposure::Exposure;
pub use findings::{AuditFinding, Failing, Found};
pub use owner::Owner;
pub use totals::{Group, GroupBy, NotAGrouping, Totals};

use crate::desired::AuditRules;
use crate::reconcile::TargetError;

/// What one run over all targets found.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The project's name.
    pub project: String,
    /// When the run began.
    pub started: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Requests by operation.
    pub calls: BTreeMap<String, u64>,
    /// How far was looked.
    pub depth: Depth,
    /// What the totals are grouped by, beside target and owner.
    pub group_by: Vec<GroupBy>,
    /// What findings are measured with; the same in all targets.
    pub rules: AuditRules,
    /// The targets, in the order of the project file.
    pub targets: Vec<TargetInventory>,
}

/// How far is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// At every secret of the account and region, in scope or not (`--all`).
    pub whole_account: bool,
    /// At policies, replicas, versions and links with other accounts too (`--audit`).
    pub audited: bool,
}

/// What was found in one target.
#[derive(Clone, Debug)]
pub struct TargetInventory {
    /// The target's name.
    pub name: String,
    /// The account, when it is known.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Where it was reached when that is not AWS itself: an endpoint, or `sandbox`.
    pub endpoint: Option<String>,
    /// What is there, or why the target could not be looked at.
    pub outcome: Result<Stock, Arc<TargetError>>,
}

/// What is there in one target.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// Its secrets, by name.
    pub entries: Vec<Entry>,
    /// Findings that are excused until a day.
    pub ignored: usize,
}

impl Inventory {
    /// Whether every target could be looked at.
    pub fn is_complete(&self) -> bool {
        self.targets.iter().all(|target| target.outcome.is_ok())
    }

    /// All secrets, with the target that each is in.
    pub fn entries(&self) -> impl Iterator<Item = (&TargetInventory, &Entry)> {
        self.targets
            .iter()
            .flat_map(|target| target.outcome.iter().flat_map(|stock| &stock.entries).map(move |entry| (target, entry)))
    }
}
