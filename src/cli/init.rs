//! `keywright init`: writes a project that plans cleanly.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::sandbox::PRIVATE_FOLDER;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::escape;

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

pub(super) fn project_name(name: &str) -> Result<String, String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = name.len() <= 63 && name.starts_with(letter) && name.chars().all(|c| letter(c) || c == '-');
    fits.then(|| name.to_owned()).ok_or_else(|| {
        "a project's name has 1 to 63 lower-case letters, digits and hyphens, and begins with a letter or digit"
            .to_owned()
    })
}

/// The name that a folder gives its project; none when nothing of it could stand in one.
fn name_of(folder: &Path) -> Option<String> {
    // An empty path is the current directory too, but not to the standard library.
    let folder = std::path::absolute(Path::new(".").join(folder)).ok()?;
    let name = folder.file_name()?.to_string_lossy().to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    project_name(name.trim_matches('-')).ok()
}

pub(super) fn init(args: &InitArgs, shell: &Shell) -> ExitCode {
    let root = args.folder.clone().or_else(|| args.name.as_ref().map(PathBuf::from)).unwrap_or_default();
    let Some(name) = args.name.clone().or_else(|| name_of(&root)) else {
        let hint =
            "give one: keywright init NAME makes the folder NAME, and keywright init NAME --project . takes this one";
        shell.error("the folder's name cannot be a project's", Some(hint));
        return ExitCode::Usage;
    };
    match write_project(&root, &name, args, shell) {
        Ok(()) => {
            let shown = root.display().to_string();
            let there = if shown.is_empty() { String::new() } else { format!(" --project {}", escape::line(&shown)) };
            shell.err.line(&format!(
                "\nNext:\n  keywright plan --sandbox{there}   # a rehearsal, no account needed\n  \
                 keywright explain Secret   # what a manifest can say\n  \
                 keywright plan{there}   # with your AWS credentials"
            ));
            ExitCode::Success
        }
        Err((path, error)) => {
            let shown = path.display().to_string();
            shell.error(
                &format!("{} cannot be written: {error}", escape::line(&shown)),
                Some("name a folder that you may write to with --project"),
            );
            ExitCode::Error
        }
    }
}

fn write_project(root: &Path, name: &str, args: &InitArgs, shell: &Shell) -> Result<(), (PathBuf, io::Error)> {
    let mut own = vec![("keywright.yaml", project_file(name, args))];
    // The example goes with the project file of this run: in a project that exists, it might lie outside the scope.
    if !root.join("keywright.yaml").exists() {
        own.push(("secrets/example.yaml", secret_file(name)));
    }
    write_files(root, own.into_iter().chain(surroundings()), shell)
}

/// What every project has beside its manifests.
pub(super) fn surroundings() -> [(&'static str, String); 3] {
    [
        (".keywright/.gitignore", "*\n".to_owned()),
        ("schemas/project.schema.json", format!("{:#}\n", crate::manifest::schema::project_schema())),
        ("schemas/secret.schema.json", format!("{:#}\n", crate::manifest::schema::secret_schema())),
    ]
}

/// Writes the files of a new project that are not there yet, and says which.
pub(super) fn write_files(
    root: &Path,
    files: impl IntoIterator<Item = (&'static str, String)>,
    shell: &Shell,
) -> Result<(), (PathBuf, io::Error)> {
    let tell = |word: &str, path: &Path| {
        shell.err.line(&format!("{word} {}", escape::line(&path.display().to_string())));
    };
    for (name, text) in files {
        let path = root.join(name);
        let written = write_new(&path, &text).map_err(|error| (path.clone(), error))?;
        tell(if written { "wrote" } else { "kept " }, &path);
    }
    let ignore = root.join(".gitignore");
    let added = ignore_private_folder(&ignore).map_err(|error| (ignore.clone(), error))?;
    tell(if added { "added to" } else { "kept " }, &ignore);
    Ok(())
}

/// Writes a file that does not exist yet; tells whether it did.
fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Adds `.keywright/` to the project's .gitignore, once; tells whether it did.
fn ignore_private_folder(path: &Path) -> io::Result<bool> {
    let line = format!("{PRIVATE_FOLDER}/");
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if before.lines().any(|existing| existing.trim() == line) {
        return Ok(false);
    }
    let separator = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(file, "{separator}{line}").map(|()| true)
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
