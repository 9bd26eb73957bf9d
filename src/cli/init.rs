//! `keywright init`: writes a project that plans cleanly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::project_name;
use super::scaffolded::told;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::manifest::{projects_beside, work_tree};
use crate::render::{escape, escaped};
use crate::workflow::scaffold::{surroundings, write_files};
use crate::workflow::{Error, ErrorKind, FileProblem, Hint, Problem};

/// Write a project that plans cleanly.
///
/// Makes keywright.yaml, a first secret, the JSON Schemas for the editor, and a line in .gitignore. Nothing that exists
/// is overwritten. Without a name the current directory becomes the project, and gives it its name.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright init   # here\n  keywright init payments --region eu-west-1 --account 111111111111\n  \
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
    #[arg(long, value_name = "REGION", default_value = "eu-west-1")]
    region: String,
    /// The account of the first target; credentials of any other are refused then
    #[arg(long, value_name = "TWELVE DIGITS")]
    account: Option<String>,
}

/// The name that a folder gives its project; none when nothing of it could stand in one.
///
/// In a git work tree it begins with the name of the repository, so that the folder `keywright` of two repositories
/// makes two names; what another project of the work tree has already gets a number.
fn name_of(folder: &Path, taken: &BTreeMap<String, PathBuf>) -> Option<String> {
    // An empty path is the current directory too, but not to the standard library.
    let folder = std::path::absolute(Path::new(".").join(folder)).ok()?;
    let base = work_tree(&folder).and_then(|root| root.parent().map(Path::to_owned));
    let within = base.and_then(|base| folder.strip_prefix(base).map(Path::to_owned).ok());
    let named = within.or_else(|| folder.file_name().map(PathBuf::from))?;
    let lower = named.to_string_lossy().to_lowercase();
    let name: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let numbered = (2..100).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find_map(|name| project_name(name.trim_matches('-')).ok().filter(|name| !taken.contains_key(name)))
}

pub(super) fn init(args: &InitArgs, shell: &Shell) -> Result<ExitCode, Error> {
    let root = args.folder.clone().or_else(|| args.name.as_ref().map(PathBuf::from)).unwrap_or_default();
    let taken = projects_beside(&root);
    let name = args.name.clone().or_else(|| name_of(&root, &taken));
    let name =
        name.ok_or_else(|| Error::from(ErrorKind::WrongUsage(Problem::NoProjectName)).hint(Hint::NameProject))?;
    if let Some(other) = taken.get(&name) {
        return Err(Error::file(other, FileProblem::NameTaken).hint(Hint::NameProjectOtherwise));
    }
    write_project(&root, &name, args, shell).map_err(|error| error.hint(Hint::NameAnotherFolder))?;
    let shown = root.display().to_string();
    let there = (!shown.is_empty()).then(|| escaped!(" --project {}", escape::line(&shown)));
    shell.err.line(escaped!(
        "\nNext:\n  keywright plan --sandbox{}   # a rehearsal, no account needed\n  \
         keywright explain Secret   # what a manifest can say\n  \
         keywright plan{}   # with your AWS credentials",
        there,
        there,
    ));
    Ok(ExitCode::Success)
}

fn write_project(root: &Path, name: &str, args: &InitArgs, shell: &Shell) -> Result<(), Error> {
    let mut own = vec![("keywright.yaml", project_file(name, args))];
    // The example goes with the project file of this run: in a project that exists, it might lie outside the scope.
    if !root.join("keywright.yaml").exists() {
        own.push(("secrets/example.yaml", secret_file(name)));
    }
    write_files(root, own.into_iter().chain(surroundings()), &|what, path| told(what, path, shell))
}

fn project_file(name: &str, args: &InitArgs) -> String {
    let account = args.account.as_ref().map_or_else(
        || {
            "      # account: \"111111111111\"   # name it, and credentials of any other account are refused\n"
                .to_owned()
        },
        |account| format!("      account: \"{account}\"\n"),
    );
    format!(
        "# yaml-language-server: $schema=schemas/project.schema.json
apiVersion: keywright/v1
kind: Project
metadata:
  name: {name}
spec:
  manifests: [secrets/]
  targets:
    - name: dev
{account}      region: {region}
      vars: {{ env: dev }}
  # Merged beneath every secret's spec.
  defaults:
    tags: {{ managed-by: keywright }}
  # Nothing outside these prefixes is ever touched.
  scope:
    namePrefixes: [\"${{env}}/{name}/\"]
  # Secrets of this project whose manifest is gone are reported, and stay. Or delete, or release.
  prune: report
",
        region = args.region,
    )
}

fn secret_file(project: &str) -> String {
    format!(
        "# yaml-language-server: $schema=../schemas/secret.schema.json
apiVersion: keywright/v1
kind: Secret
metadata:
  name: ${{env}}/{project}/example
spec:
  description: Replace this with the first secret to manage
  tags: {{ data-class: internal }}
"
    )
}
