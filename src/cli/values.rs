//! What values of a run may come from, as flags.

use clap::Args;

use crate::value::SopsTrust;
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
    /// Environment variables that the program sops is given beside SOPS_* and AWS_*, as a pattern such as `VAULT_*`;
    /// may be given several times
    #[arg(long, value_name = "PATTERN", requires = "allow_sops_program")]
    sops_env: Vec<String>,
    /// A profile of the AWS configuration that SOPS files may ask for (aws_profile); may be given several times
    #[arg(long, value_name = "NAME")]
    sops_aws_profile: Vec<String>,
    /// A role that SOPS files may have assumed for their keys; may be given several times
    #[arg(long, value_name = "ARN")]
    sops_role: Vec<String>,
}

impl ValueArgs {
    /// The flags as rules, or what is wrong with them.
    pub(super) fn rules(&self) -> Result<ValueRules, Error> {
        let trust = SopsTrust { profiles: self.sops_aws_profile.clone(), roles: self.sops_role.clone() };
        ValueRules::new(&self.allow_env, self.allow_sops_program, &self.sops_env, trust)
    }
}
