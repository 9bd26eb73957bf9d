//! `keywright versions`: the versions of one secret.

use clap::{Args, ValueEnum};

use super::one_secret::{OneSecret, OneSecretArgs, failed_call};
use super::prepare::tell_calls;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::live::ReadSecrets;
use crate::render::versions;
use crate::value::{Identity, SopsFiles};

/// Show the versions of one secret, deprecated ones too.
///
/// Says for each its staging labels, its dates, its KMS keys, and which one holds the value that is committed in git. No
/// value is read.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  keywright versions prod/payments/db --target prod")]
pub(super) struct VersionsArgs {
    #[command(flatten)]
    secret: OneSecretArgs,
    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(super) async fn versions(args: &VersionsArgs, verbose: u8, shell: &Shell) -> ExitCode {
    match run(args, verbose, shell).await {
        Ok(()) => ExitCode::Success,
        Err(code) => code,
    }
}

async fn run(args: &VersionsArgs, verbose: u8, shell: &Shell) -> Result<(), ExitCode> {
    let found = OneSecret::find(&args.secret, shell).await?;
    let read = found.connection.reader().versions(&found.secret.name).await;
    let mut entries = read.map_err(|error| failed_call(&found.desired, error, shell))?.unwrap_or_default();
    entries.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    let git = git_version(&found);
    shell.out.write(&match args.format {
        Format::Text => versions::text(shell.out.paint(), &found.secret, &entries, git.as_deref()),
        Format::Json => versions::json(&found.secret, &entries, git.as_deref()),
    });
    tell_calls(&found.aws, verbose, shell);
    Ok(())
}

/// The version id that git's value stands for, when the manifest declares one whose id can be told from git alone.
pub(super) fn git_version(found: &OneSecret) -> Option<String> {
    let value = found.desired.secrets.get(&found.secret.name)?.value.as_ref()?;
    // ARNs of other secrets are not looked up here: such a value's id stays unknown.
    let identity = value.source.identity(&found.secret.name, &|_| None, &SopsFiles::new()).ok()?;
    match identity {
        Identity::Known(id) => Some(id.as_str().to_owned()),
        Identity::KnownAfterApply | Identity::ByComparison | Identity::MadeOnce => None,
    }
}
