//! `import --init`: the project file that a first import writes along with the manifests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::args::project_name;
use crate::cli::scaffolded::told;
use crate::cli::shell::Shell;
use crate::import::scalar;
use crate::manifest::{escape_interpolation, projects_beside};
use crate::workflow::scaffold::{surroundings, write_files};
use crate::workflow::{Error, FileProblem, Hint};

const PROJECT_FILE: &str = "keywright.yaml";

/// The project, when there is none yet.
#[derive(Debug, Args)]
#[command(next_help_heading = "A new project")]
pub(super) struct NewProjectArgs {
    /// Write the project file too, for a project of this name; tags that all of the secrets share become its defaults
    #[arg(long, value_name = "NAME", value_parser = project_name, requires = "prefix")]
    init: Option<String>,
    /// What the names of the new project's secrets begin with; may be given several times
    #[arg(long, value_name = "PREFIX", requires = "init")]
    prefix: Vec<String>,
    /// The region of the new project's target
    #[arg(long, value_name = "REGION", requires = "init", default_value = "eu-west-1")]
    region: String,
    /// The account of the new project's target; credentials of any other are refused then
    #[arg(long, value_name = "TWELVE DIGITS", requires = "init")]
    account: Option<String>,
}

impl NewProjectArgs {
    pub(super) fn is_asked_for(&self) -> bool {
        self.init.is_some()
    }

    /// The files to load as if they were there; none when there is a project already.
    pub(super) fn files(
        &self,
        root: &Path,
        target: Option<&str>,
        shared_tags: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<PathBuf, String>, Error> {
        let Some(name) = &self.init else { return Ok(BTreeMap::new()) };
        if is_project(root) {
            return Err(Error::file(root, FileProblem::ProjectAlready).hint(Hint::LeaveInitOut));
        }
        if let Some(other) = projects_beside(root).remove(name) {
            return Err(Error::file(other, FileProblem::NameTaken).hint(Hint::NameProjectOtherwise));
        }
        let text = self.project_file(name, target.unwrap_or("main"), shared_tags);
        Ok(BTreeMap::from([(PathBuf::from(PROJECT_FILE), text)]))
    }

    fn project_file(&self, name: &str, target: &str, shared_tags: &BTreeMap<String, String>) -> String {
        let literal = |text: &str| scalar(&escape_interpolation(text));
        let account = self.account.as_ref().map_or_else(
            || {
                "      # account: \"111111111111\"   # name it, and credentials of any other account are refused\n"
                    .to_owned()
            },
            |account| format!("      account: {}\n", scalar(account)),
        );
        let mut defaults = String::new();
        if !shared_tags.is_empty() {
            defaults.push_str("  # Merged beneath every secret's spec: the tags that all imported secrets have.\n");
            defaults.push_str("  defaults:\n    tags:\n");
            for (key, value) in shared_tags {
                defaults.push_str(&format!("      {}: {}\n", scalar(key), literal(value)));
            }
        }
        let prefixes: String = self.prefix.iter().map(|prefix| format!("      - {}\n", literal(prefix))).collect();
        format!(
            "# yaml-language-server: $schema=schemas/project.schema.json
apiVersion: keywright/v1
kind: Project
metadata:
  name: {name}
spec:
  manifests: [secrets/]
  targets:
    - name: {target}
{account}      region: {region}
{defaults}  # Nothing outside these prefixes is ever touched.
  scope:
    namePrefixes:
{prefixes}  # Secrets of this project whose manifest is gone are reported, and stay. Or delete, or release.
  prune: report
",
            name = scalar(name),
            target = scalar(target),
            region = scalar(&self.region),
        )
    }
}

/// Whether there is a project file already.
pub(super) fn is_project(root: &Path) -> bool {
    [PROJECT_FILE, "keywright.yml"].iter().any(|file| root.join(file).exists())
}

/// Writes the project file and what lies around it; nothing when there is a project already.
pub(super) fn write_project(root: &Path, files: &BTreeMap<PathBuf, String>, shell: &Shell) -> Result<(), Error> {
    let Some(text) = files.get(Path::new(PROJECT_FILE)) else { return Ok(()) };
    let project = [(PROJECT_FILE, text.clone())];
    write_files(root, project.into_iter().chain(surroundings()), &|what, path| told(what, path, shell))
}
