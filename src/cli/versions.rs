//! `keywright versions`: the versions of one secret.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::begin::{find, find_despite_mistakes};
use super::one_secret::OneSecretArgs;
use super::report::{print_calls, warn};
use super::shell::Shell;
use super::values::ValueArgs;
use super::who::WhoArgs;
use crate::exit_code::ExitCode;
use crate::render::{Artifact, versions};
use crate::workflow::{Error, ask_of_versions, compare_versions, git_version, versions_of};

/// Show the versions of one secret, deprecated ones too.
///
/// Says for each its staging labels, its dates, its KMS keys, and which one holds the value that is committed in git.
/// No value is read, unless --read-values asks for a comparison.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright versions prod/payments/db --target prod\n  \
    keywright versions prod/payments/db --target prod --read-values   # which hold git's value?")]
pub(super) struct VersionsArgs {
    #[command(flatten)]
    secret: OneSecretArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Read every version's value, and say which ones equal git's (GetSecretValue). No value is shown
    #[arg(long)]
    read_values: bool,
    #[command(flatten)]
    who: WhoArgs,
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

pub(super) async fn versions(args: &VersionsArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let values = args.values.rules()?;
    // What is compared is what a manifest declares.
    let found = if args.read_values {
        find(&args.secret, shell).await?
    } else {
        find_despite_mistakes(&args.secret, shell).await?
    };
    let entries = versions_of(&found).await?;
    let git = git_version(&found);
    let compared = if args.read_values { compare_versions(&found, &entries, &values).await? } else { BTreeMap::new() };
    let mut who = BTreeMap::new();
    if let Some(budget) = args.who.budget() {
        let (answers, failed) = Box::pin(ask_of_versions(&found, &entries, budget)).await;
        who = answers;
        if let Some(note) = failed {
            warn(&note, shell);
        }
    }
    let known = versions::Known { git: git.as_ref(), compared: &compared, who: &who };
    shell.out.write(match args.format {
        Format::Text => Artifact::from(versions::text(shell.out.paint(), &found.secret, &entries, known)),
        Format::Json => versions::json(&found.secret, &entries, known).into(),
    });
    print_calls(&found.aws, verbose, shell);
    Ok(ExitCode::Success)
}
