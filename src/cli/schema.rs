//! `keywright schema`: the JSON Schemas.

use clap::{Args, ValueEnum};

use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::escape::{Escaped, Json};
use crate::schemas;

/// Print a JSON Schema.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright schema secret > schemas/secret.schema.json   # for an editor\n  \
    keywright schema plan > plan.schema.json   # for a program that reads plan --format json")]
pub(super) struct SchemaArgs {
    /// The document that the schema describes
    #[arg(value_name = "KIND")]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// keywright.yaml
    Project,
    /// A document of kind Secret
    Secret,
    /// A document of kind Defaults
    Defaults,
    /// A document of kind Rules, in a folder of `spec.include`
    Rules,
    /// The output of plan --format json
    Plan,
    /// The output of apply --format json
    Apply,
    /// The output of drift --format json
    Drift,
    /// The output of inventory --format json
    Inventory,
    /// The output of doctor --format json
    Doctor,
    /// A line of the output of watch
    Watch,
}

pub(super) fn schema(args: &SchemaArgs, shell: &Shell) -> ExitCode {
    let text = match args.kind {
        Kind::Project => schemas::PROJECT,
        Kind::Secret => schemas::SECRET,
        Kind::Defaults => schemas::DEFAULTS,
        Kind::Rules => schemas::RULES,
        Kind::Plan => schemas::PLAN,
        Kind::Apply => schemas::APPLY,
        Kind::Drift => schemas::DRIFT,
        Kind::Inventory => schemas::INVENTORY,
        Kind::Doctor => schemas::DOCTOR,
        Kind::Watch => schemas::WATCH,
    };
    shell.out.write(Escaped::<Json>::from(text));
    ExitCode::Success
}
