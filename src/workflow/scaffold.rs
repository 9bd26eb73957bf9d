//! The files of a new project.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{Error, FileProblem};
use super::sandbox::PRIVATE_FOLDER;

/// What became of a file of a new project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaffolded {
    /// It was written.
    Wrote,
    /// It was there, and stays as it is.
    Kept,
    /// A line was added to it.
    AddedTo,
}

/// What every project has beside its manifests.
pub fn surroundings() -> [(&'static str, String); 3] {
    [
        (".keywright/.gitignore", "*\n".to_owned()),
        ("schemas/project.schema.json", format!("{:#}\n", crate::manifest::schema::project_schema())),
        ("schemas/secret.schema.json", format!("{:#}\n", crate::manifest::schema::secret_schema())),
    ]
}

/// Writes the files of a new project that are not there yet, and tells of each.
pub fn write_files(
    root: &Path,
    files: impl IntoIterator<Item = (&'static str, String)>,
    tell: &dyn Fn(Scaffolded, &Path),
) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = PathBuf::from(path);
        move |error: io::Error| Error::file(path, FileProblem::Unwritable).because(error)
    };
    for (name, text) in files {
        let path = root.join(name);
        let written = write_new(&path, &text).map_err(failed(&path))?;
        tell(if written { Scaffolded::Wrote } else { Scaffolded::Kept }, &path);
    }
    let ignore = root.join(".gitignore");
    let added = ignore_private_folder(&ignore).map_err(failed(&ignore))?;
    tell(if added { Scaffolded::AddedTo } else { Scaffolded::Kept }, &ignore);
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
