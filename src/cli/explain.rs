//! `keywright explain`: the documentation of a manifest field.

use clap::Args;

use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::manifest::explain::explain as explain_field;
use crate::render::escape;

/// Show the documentation of a manifest field.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright explain Secret\n  keywright explain Secret.spec.policy\n  keywright explain Project.spec.scope"
)]
pub(super) struct ExplainArgs {
    /// The field's path, beginning with Project or Secret
    #[arg(value_name = "PATH", default_value = "Secret")]
    path: String,
}

pub(super) fn explain(args: &ExplainArgs, shell: &Shell) -> ExitCode {
    match explain_field(&args.path) {
        Ok(text) => {
            shell.out.line(text.trim_end());
            ExitCode::Success
        }
        Err(error) => {
            shell.error(&escape::line(&error.to_string()), Some(&escape::line(&error.help())));
            ExitCode::Error
        }
    }
}
