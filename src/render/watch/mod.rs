//! What `keywright watch` tells: log lines for programs, the message that a webhook gets, and its own metrics.

mod event;
mod metrics;
mod notification;

pub use event::{Event, EventDocument, EventName, line};
pub use metrics::{Counted, metrics};
pub use notification::notification;

use crate::manifest::Diagnostics;

/// Why the manifests could not be read: file, line and message, and no line of a file.
pub fn mistakes(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .filter(|found| found.severity == crate::manifest::Severity::Error)
        .map(|found| format!("{}: {}", found.place.origin, found.message))
        .collect()
}
