//! What GitHub shows of a step's annotations, for every report that is written as workflow commands.

use super::escape::{self, Escaped, Workflow};
use super::escaped;

/// Annotations of one kind that GitHub shows for a step.
pub(super) const SHOWN: usize = 10;

/// The notice that says how many annotations GitHub hides, of so many `found` in all: `14 findings`.
pub(super) fn hidden_notice(title: &str, found: &str, hidden: usize) -> Escaped<Workflow> {
    let text = format!(
        "{found} in all: GitHub shows {SHOWN} errors, {SHOWN} warnings and {SHOWN} notices of a step, and hides \
         {hidden} of them; the log of this step has every one"
    );
    let message = escape::workflow_message(&[text]);
    escaped!("::notice title={}::{}\n", escape::workflow_property(title), message)
}
