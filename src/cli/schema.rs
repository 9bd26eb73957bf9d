//! `keywright schema`: the JSON Schemas, made of the types that parse.

use clap::{Args, ValueEnum};

use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::manifest::schema::{defaults_schema, project_schema, rules_schema, secret_schema};
use crate::render::{apply_json, doctor, drift, escape, inventory, plan_json, watch};

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
    let schema = match args.kind {
        Kind::Project => project_schema(),
        Kind::Secret => secret_schema(),
        Kind::Defaults => defaults_schema(),
        Kind::Rules => rules_schema(),
        Kind::Plan => plan_json::schema(),
        Kind::Apply => apply_json::schema(),
        Kind::Drift => drift::json::schema(),
        Kind::Inventory => inventory::json::schema(),
        Kind::Doctor => doctor::schema(),
        Kind::Watch => watch::schema(),
    };
    shell.out.write(escape::json(&schema));
    ExitCode::Success
}
