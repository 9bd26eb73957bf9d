//! `keywright explain`: the documentation of a manifest field, and the dates of a rotation schedule.

use clap::Args;

use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::manifest::explain::{explain as explain_field, explain_schedule};
use crate::render::escape;

/// Show the documentation of a manifest field, or the next dates of a rotation schedule.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright explain Secret\n  keywright explain Secret.spec.policy\n  keywright \
        explain Project.spec.scope\n  keywright explain 'cron(0 16 1,15 * ? *)'"
)]
pub(super) struct ExplainArgs {
    /// The field's path, beginning with Project or Secret; or a schedule: rate(...) or cron(...)
    #[arg(value_name = "PATH", default_value = "Secret")]
    path: String,
    /// Show the dates of a schedule after this time [default: now]
    #[arg(long, value_name = "TIME")]
    after: Option<jiff::Timestamp>,
}

pub(super) fn explain(args: &ExplainArgs, shell: &Shell) -> ExitCode {
    let after = args.after.unwrap_or_else(jiff::Timestamp::now);
    if let Some(explained) = explain_schedule(&args.path, after) {
        return match explained {
            Ok(page) => {
                shell.out.write(&escape::block(&page));
                ExitCode::Success
            }
            Err(error) => {
                let help = error.help.as_deref().map(|help| escape::line(help).into_owned());
                shell.error(&escape::line(&error.to_string()), help.as_deref());
                ExitCode::Error
            }
        };
    }
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
