//! The files of a new project.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Error, ErrorKind, FileProblem, Hint};
use super::event::{Event, FileOutcome, Listener};
use super::problem::Problem;
use crate::domain::TagKey;
use crate::files::{Destination, PRIVATE_FOLDER};
use crate::import::scalar;
use crate::manifest::{PROJECT_FILES, escape_interpolation, is_plain_name, projects_beside, work_tree};
use crate::schemas;

/// The project file of a new project.
pub(super) const PROJECT_FILE: &str = "keywright.yaml";

/// The largest .gitignore that a line is added to, in bytes.
const MAX_GITIGNORE: u64 = 1024 * 1024;

/// A project that is to be made.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// The name of its target.
    pub target: String,
    /// The target's account; without one, credentials of any are taken.
    pub account: Option<String>,
    /// The target's region.
    pub region: String,
    /// The target's variables.
    pub vars: BTreeMap<String, String>,
    /// Tags of all secrets.
    pub tags: BTreeMap<TagKey, String>,
    /// What the names of its secrets begin with: variables in them are filled in.
    pub prefixes: Vec<String>,
}

/// The lines of a map in YAML.
fn entries<K: AsRef<str>>(map: &BTreeMap<K, String>, indent: &str) -> String {
    map.iter()
        .map(|(key, value)| format!("{indent}{}: {}\n", scalar(key.as_ref()), scalar(&escape_interpolation(value))))
        .collect()
}

impl NewProject {
    /// A prefix of names in which nothing is filled in.
    pub fn literal_prefix(prefix: &str) -> String {
        escape_interpolation(prefix)
    }

    /// The project file's text.
    pub(super) fn file(&self) -> String {
        let account = self.account.as_ref().map_or_else(
            || "# account: \"111111111111\"   # name it, and credentials of any other account are refused".to_owned(),
            |account| format!("account: {}", scalar(account)),
        );
        let vars = match entries(&self.vars, "        ") {
            none if none.is_empty() => none,
            vars => format!("      vars:\n{vars}"),
        };
        let defaults = match entries(&self.tags, "      ") {
            none if none.is_empty() => none,
            tags => format!("  # Merged beneath every secret's spec.\n  defaults:\n    tags:\n{tags}"),
        };
        let prefixes: String = self.prefixes.iter().map(|prefix| format!("      - {}\n", scalar(prefix))).collect();
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
      {account}
      region: {region}
{vars}{defaults}  # Nothing outside these prefixes is ever touched.
  scope:
    namePrefixes:
{prefixes}  # Secrets of this project whose manifest is gone are reported, and stay. Or delete, or release.
  prune: report
",
            name = scalar(&self.name),
            target = scalar(&self.target),
            region = scalar(&self.region),
        )
    }

    /// A first manifest, in the first of its prefixes.
    fn example(&self) -> String {
        let prefix = self.prefixes.first().map_or("", String::as_str);
        format!(
            "# yaml-language-server: $schema=../schemas/secret.schema.json
apiVersion: keywright/v1
kind: Secret
metadata:
  name: {}
spec:
  description: Replace this with the first secret to manage
  tags: {{ data-class: internal }}
",
            scalar(&format!("{prefix}example"))
        )
    }
}

/// Reads a project's name.
pub fn project_name(name: &str) -> Result<String, String> {
    is_plain_name(name).then(|| name.to_owned()).ok_or_else(|| {
        "a project's name has 1 to 63 lower-case letters, digits and hyphens, and begins with a letter or digit"
            .to_owned()
    })
}

/// The name of a new project: as given, or else the one that its folder gives. No other project of the work tree has
/// it.
pub fn choose_name(root: &Path, given: Option<&str>) -> Result<String, Error> {
    let taken = projects_beside(root);
    let name = given.map(str::to_owned).or_else(|| name_of(root, &taken));
    let name =
        name.ok_or_else(|| Error::from(ErrorKind::WrongUsage(Problem::NoProjectName)).hint(Hint::NameProject))?;
    check_name(&name, &taken)?;
    Ok(name)
}

/// Refuses a name that another project has.
pub(super) fn check_name(name: &str, taken: &BTreeMap<String, PathBuf>) -> Result<(), Error> {
    match taken.get(name) {
        Some(other) => Err(Error::file(other, FileProblem::NameTaken).hint(Hint::NameProjectOtherwise)),
        None => Ok(()),
    }
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
    let name = project_name(name.trim_matches('-')).ok()?;
    let numbered = (2..100).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains_key(name))
}

/// Writes a new project with a first manifest. Files that are there stay as they are.
pub fn init(root: &Path, project: &NewProject, listener: Listener<'_>) -> Result<(), Error> {
    // The project file that is there has the name that it was given. The example goes with the project file of this
    // run: in a project that exists, it might lie outside the scope.
    let own = match existing_project_file(root) {
        Some(existing) => vec![(existing, project.file())],
        None => vec![(PROJECT_FILE, project.file()), ("secrets/example.yaml", project.example())],
    };
    write_files(root, own.into_iter().chain(surroundings()), listener)
}

/// Whether there is a project file already.
pub(super) fn is_project(root: &Path) -> bool {
    existing_project_file(root).is_some()
}

fn existing_project_file(root: &Path) -> Option<&'static str> {
    PROJECT_FILES.into_iter().find(|file| root.join(file).exists())
}

/// What every project has beside its manifests.
pub(super) fn surroundings() -> [(&'static str, String); 3] {
    [
        (".keywright/.gitignore", "*\n".to_owned()),
        ("schemas/project.schema.json", schemas::PROJECT.to_owned()),
        ("schemas/secret.schema.json", schemas::SECRET.to_owned()),
    ]
}

/// Writes the files of a new project that are not there yet, and tells of each.
pub(super) fn write_files(
    root: &Path,
    files: impl IntoIterator<Item = (&'static str, String)>,
    listener: Listener<'_>,
) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = PathBuf::from(path);
        move |error: io::Error| Error::file(path, FileProblem::Unwritable).because(error)
    };
    for (name, text) in files {
        let path = root.join(name);
        let written = write_new(root, Path::new(name), &text).map_err(failed(&path))?;
        let outcome = if written { FileOutcome::Wrote } else { FileOutcome::Kept };
        listener(Event::File { outcome, path: &path });
    }
    let path = root.join(".gitignore");
    let added = ignore_private_folder(root).map_err(failed(&path))?;
    let outcome = if added { FileOutcome::AddedTo } else { FileOutcome::Kept };
    listener(Event::File { outcome, path: &path });
    Ok(())
}

/// Writes a file that does not exist yet; says whether it did.
fn write_new(root: &Path, name: &Path, text: &str) -> io::Result<bool> {
    match Destination::in_project(root, name)?.create(text.as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Adds `.keywright/` to the project's .gitignore, once; says whether it did.
fn ignore_private_folder(root: &Path) -> io::Result<bool> {
    let line = format!("{PRIVATE_FOLDER}/");
    let place = Destination::in_project(root, Path::new(".gitignore"))?;
    let mut text = place.beginning(MAX_GITIGNORE + 1)?.unwrap_or_default();
    if text.len() as u64 > MAX_GITIGNORE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    if text.split(|byte| *byte == b'\n').any(|existing| existing.trim_ascii() == line.as_bytes()) {
        return Ok(false);
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend_from_slice(format!("{line}\n").as_bytes());
    place.replace(&text).map(|()| true)
}
