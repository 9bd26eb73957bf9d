//! `keywright doctor`: looks at the project, credentials, accounts, network, clock, permissions and keys.

use clap::{Args, ValueEnum};

use super::args::{AwsArgs, ProjectArgs};
use super::report::print_calls;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::{Artifact, doctor as report};
use crate::workflow::{Error, examine};

/// Look for what keeps keywright from working: project, credentials, account, network, clock, permissions, keys.
///
/// Makes only calls that read metadata, decrypts nothing, and runs no program but a profile's `credential_process`. The
/// report, which is what goes to stdout, has no secrets in it, and leaves names, accounts and paths out, so that it can
/// be pasted into an issue. Ends with 1 where something does not work.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright doctor\n  keywright doctor --target prod --show-names   # not for a \
        public issue\n  keywright doctor --sandbox   # without an account"
)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// Only this target, or those that a glob (prod-*) or a label selector (stage=prod) fits; may be given several
    /// times [default: all]
    #[arg(short, long = "target", value_name = "TARGETS")]
    targets: Vec<String>,
    #[command(flatten)]
    aws: AwsArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Show names, accounts, paths and the service's own texts
    #[arg(long)]
    show_names: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(super) async fn doctor(args: &DoctorArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let found = Box::pin(examine(&args.project.folder, &args.targets, &args.aws.reach(shell))).await?;
    let text: Artifact = match args.format {
        Format::Text => report::text(shell.out.paint(), &found, args.show_names).into(),
        Format::Json => report::json(&found, args.show_names).into(),
    };
    shell.out.write(text);
    if let Some(aws) = &found.aws {
        print_calls(aws, verbose, shell);
    }
    Ok(if found.has_failed() { ExitCode::Error } else { ExitCode::Success })
}
