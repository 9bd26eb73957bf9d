//! The files of a new project.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{Error, FileProblem};
use crate::files::{Destination, PRIVATE_FOLDER};

/// The largest .gitignore that a line is added to, in bytes.
const MAX_GITIGNORE: u64 = 1024 * 1024;

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
        let written = write_new(root, Path::new(name), &text).map_err(failed(&path))?;
        tell(if written { Scaffolded::Wrote } else { Scaffolded::Kept }, &path);
    }
    let ignore = root.join(".gitignore");
    let added = ignore_private_folder(root).map_err(failed(&ignore))?;
    tell(if added { Scaffolded::AddedTo } else { Scaffolded::Kept }, &ignore);
    Ok(())
}

/// Writes a file that does not exist yet; tells whether it did.
fn write_new(root: &Path, name: &Path, text: &str) -> io::Result<bool> {
    match Destination::in_project(root, name)?.create(text.as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Adds `.keywright/` to the project's .gitignore, once; tells whether it did.
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
