//! `keywright versions`: the versions of one secret.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::one_secret::{OneSecret, OneSecretArgs, failed_call, refuse};
use super::prepare::tell_calls;
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::apply::Values;
use crate::exit_code::ExitCode;
use crate::live::{ReadSecrets, VersionEntry};
use crate::render::{escape, versions};
use crate::value::{Identity, SopsFiles};

/// Show the versions of one secret, deprecated ones too.
///
/// Says for each its staging labels, its dates, its KMS keys, and which one holds the value that is committed in git.
/// No value is read, unless --read-values asks for a comparison.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright versions prod/payments/db --target prod\n  \
    keywright versions prod/payments/db --target prod --read-values   # which of them hold git's value?")]
pub(super) struct VersionsArgs {
    #[command(flatten)]
    secret: OneSecretArgs,
    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Read every version's value, and say which ones equal git's (GetSecretValue). No value is shown
    #[arg(long)]
    read_values: bool,
    #[command(flatten)]
    values: ValueArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(super) async fn versions(args: &VersionsArgs, verbose: u8, shell: &Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
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
    let compared = if args.read_values { compare(args, &found, &entries, shell).await? } else { BTreeMap::new() };
    shell.out.write(&match args.format {
        Format::Text => versions::text(shell.out.paint(), &found.secret, &entries, git.as_deref(), &compared),
        Format::Json => versions::json(&found.secret, &entries, git.as_deref(), &compared),
    });
    tell_calls(&found.aws, verbose, shell);
    Ok(())
}

/// Which versions hold the value that is committed in git, by their ids. What cannot be read is left out, and told.
async fn compare(
    args: &VersionsArgs,
    found: &OneSecret,
    entries: &[VersionEntry],
    shell: &Shell,
) -> Result<BTreeMap<String, bool>, ExitCode> {
    let name = &found.secret.name;
    let Some(value) = found.desired.secrets.get(name).and_then(|desired_secret| desired_secret.value.as_ref()) else {
        return Err(refuse(name, "has no value in git that could be compared", None, shell));
    };
    let sources = ValueSources::new(&args.values, &found.aws, &found.root, shell)?;
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let declared = values.render(&value.source, &|_| None).await.map_err(|error| {
        let hint = error.hint().map(|hint| escape::block(&hint).into_owned());
        refuse(name, &escape::line(&error.to_string()), hint.as_deref(), shell)
    })?;
    let mut compared = BTreeMap::new();
    for entry in entries {
        match found.connection.reader().value(name, &entry.id).await {
            Ok(Some(live)) => {
                compared.insert(entry.id.clone(), live == declared);
            }
            // A version that a rotation began has no value until its first step is done.
            Ok(None) => {}
            Err(error) => {
                return Err(failed_call(&found.desired, error, shell));
            }
        }
    }
    Ok(compared)
}

/// The version id that git's value stands for, when the manifest declares one whose id can be told from git alone.
pub(super) fn git_version(found: &OneSecret) -> Option<String> {
    let value = found.desired.secrets.get(&found.secret.name)?.value.as_ref()?;
    // ARNs of other secrets are not looked up here: such a value's id stays unknown.
    let identity = value.source.identity(&found.secret.name, &|_| None, &SopsFiles::new()).ok()?;
    match identity {
        Identity::Known(id) => Some(id.as_str().to_owned()),
        Identity::KnownAfterApply(_) | Identity::ByComparison(_) | Identity::MadeOnce(_) => None,
    }
}
