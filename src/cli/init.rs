//! `keywright init`: writes a project that plans cleanly.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::args::{account, region};
use super::event_printer::EventPrinter;
use super::shell::{Shell, quoted};
use crate::domain::TagKey;
use crate::exit_code::ExitCode;
use crate::render::{escape, escaped};
use crate::workflow::{self, Error, Hint, NewProject, choose_name, project_name};

/// Write a project that plans cleanly.
///
/// Makes keywright.yaml, a first secret, the JSON Schemas for the editor, and a line in .gitignore. Nothing that exists
/// is overwritten. Without a name the current directory becomes the project, and gives it its name.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright init   # here\n  keywright init payments --region eu-west-1 --account \
        111111111111\n  \
    keywright plan --sandbox --project payments"
)]
pub(super) struct InitArgs {
    /// The project's name, and the folder to make [default: the current directory]
    #[arg(value_name = "NAME", value_parser = project_name)]
    name: Option<String>,
    /// The folder, when it is not named as the project
    #[arg(short = 'C', long = "project", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The region of the first target
    #[arg(long, value_name = "REGION", default_value = "eu-west-1", value_parser = region)]
    region: String,
    /// The account of the first target; credentials of any other are refused then
    #[arg(long, value_name = "TWELVE DIGITS", value_parser = account)]
    account: Option<String>,
}

pub(super) fn init(args: &InitArgs, shell: &Shell) -> Result<ExitCode, Error> {
    let root = args.folder.clone().or_else(|| args.name.as_ref().map(PathBuf::from)).unwrap_or_default();
    let name = choose_name(&root, args.name.as_deref())?;
    let printer = EventPrinter::reading(shell);
    let project = NewProject {
        target: "dev".to_owned(),
        account: args.account.clone(),
        region: args.region.clone(),
        vars: BTreeMap::from([("env".to_owned(), "dev".to_owned())]),
        tags: BTreeMap::from([(TagKey::of_service("managed-by"), "keywright".to_owned())]),
        prefixes: vec![format!("${{env}}/{name}/")],
        name,
    };
    workflow::init(&root, &project, &|event| printer.print(event))
        .map_err(|error| error.hint(Hint::NameAnotherFolder))?;
    let is_here = root.as_os_str().is_empty();
    let there = (!is_here).then(|| escaped!(" --project {}", escape::line(&quoted(&root))));
    shell.err.line(escaped!(
        "\nNext:\n  keywright plan --sandbox{}   # a rehearsal, no account needed\n  \
         keywright explain Secret   # what a manifest can say\n  \
         keywright plan{}   # with your AWS credentials",
        there,
        there,
    ));
    Ok(ExitCode::Success)
}
