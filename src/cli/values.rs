//! What values of a run may come from, as flags.

use clap::Args;

use crate::workflow::{Error, ValueRules};

/// What values may come from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Values")]
pub(super) struct ValueArgs {
    /// Environment variables that manifests may read, as a pattern; may be given several times. AWS_* and SOPS_* never
    /// are
    #[arg(long, value_name = "PATTERN")]
    allow_env: Vec<String>,
    /// Call the program sops for files that keywright does not decrypt itself
    #[arg(long)]
    allow_sops_program: bool,
}

impl ValueArgs {
    /// The flags as rules, or what is wrong with them.
    pub(super) fn rules(&self) -> Result<ValueRules, Error> {
        ValueRules::new(&self.allow_env, self.allow_sops_program)
    }
}
