//! Whether CloudTrail is asked who made a change, for the verbs that show changes.

use clap::Args;

/// Who made what is shown.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WhoArgs {
    /// Ask CloudTrail who made the changes that are shown (LookupEvents, two calls a second). Events take up to 15
    /// minutes to appear and are kept 90 days. Nothing depends on the answers, and where CloudTrail cannot be asked
    /// that is said and no more
    #[arg(long)]
    who: bool,
    /// Calls that --who makes for each target at most; a call has fifty events
    #[arg(long, value_name = "CALLS", default_value_t = 20, requires = "who",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    who_budget: u32,
}

impl WhoArgs {
    /// How many calls may be made for each target; none where nobody asks.
    pub(super) fn budget(self) -> Option<u32> {
        self.who.then_some(self.who_budget)
    }
}
