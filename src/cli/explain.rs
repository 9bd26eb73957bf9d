//! `keywright explain`: what a code means and what mends it, the documentation of a manifest field, the dates of a
//! rotation schedule, and the targets of a project.

use clap::Args;

use super::args::ProjectArgs;
use super::begin::load;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::manifest::explain::{ExplainError, explain as explain_field, explain_schedule};
use crate::render::{escape, expanded, explained, targets};
use crate::workflow::{Error, ErrorKind, Hint, Problem, effective};

/// Show what a code means and what mends it, the documentation of a manifest field, the next dates of a rotation
/// schedule, or the project's targets.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright explain unknown-field   # a code of validate, drift or inventory\n  \
        keywright explain --codes\n  keywright explain Secret\n  keywright explain Secret.spec.policy\n  keywright \
        explain Project.spec.scope\n  keywright explain 'cron(0 16 1,15 * ? *)'   # its next dates\n  \
        keywright explain targets   # what the project's matrices and variables come to\n  \
        keywright explain --effective prod/payments/db   # which line gave which field"
)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// A code, such as unknown-field; or a field's path, beginning with Project or Secret; or a schedule: rate(...) or
    /// cron(...); or `targets`
    #[arg(value_name = "PATH", default_value = "Secret")]
    path: String,
    /// Show one secret of the project instead, by its name: each field, its value in each target, and the line that
    /// gave it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["path", "after"])]
    effective: Option<String>,
    /// List all codes of validate, drift and inventory
    #[arg(long, conflicts_with_all = ["path", "after", "effective"])]
    codes: bool,
    /// Show the dates of a schedule after this time [default: now]
    #[arg(long, value_name = "TIME")]
    after: Option<jiff::Timestamp>,
}

pub(super) fn explain(args: &ExplainArgs, shell: &Shell) -> Result<ExitCode, Error> {
    let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::from(ErrorKind::Local(Problem::NothingToExplain)).because(error)
    };
    if let Some(name) = &args.effective {
        let secrets = effective(&args.project.folder, name)?;
        shell.out.write(expanded::effective(shell.out.paint(), &secrets));
        return Ok(ExitCode::Success);
    }
    if args.codes {
        shell.out.write(explained::list(shell.out.paint()));
        return Ok(ExitCode::Success);
    }
    // As diagnostics print it: `error[unknown-field]`.
    let code = args.path.split_once('[').and_then(|(_, code)| code.strip_suffix(']')).unwrap_or(&args.path);
    if let Some(page) = explained::page(code) {
        shell.out.write(explained::text(shell.out.paint(), page));
        return Ok(ExitCode::Success);
    }
    if args.path == "targets" {
        let loaded = load(&args.project, &[], shell)?;
        let targets = loaded.outline.map(|outline| outline.targets).unwrap_or_default();
        shell.out.write(targets::text(shell.out.paint(), &targets));
        return Ok(ExitCode::Success);
    }
    let after = args.after.unwrap_or_else(jiff::Timestamp::now);
    if let Some(explained) = explain_schedule(&args.path, after) {
        let page = explained.map_err(|fault| wrong(fault.clone().into()).hint(Hint::Schedule(fault)))?;
        shell.out.write(escape::block(&page));
        return Ok(ExitCode::Success);
    }
    let text = explain_field(&args.path).map_err(|error| {
        let near = explained::near(&args.path).filter(|_| matches!(error, ExplainError::UnknownKind { .. }));
        let hint = near.map_or(Hint::Explained(error.clone()), |code| Hint::DidYouMean { name: code.to_owned() });
        wrong(error.into()).hint(hint)
    })?;
    shell.out.line(escape::block(text.trim_end()));
    Ok(ExitCode::Success)
}
