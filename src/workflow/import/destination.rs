//! Where the files go, and how they are written: all of them or none, and never over a file that is there.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::files::{self, EntryKind, FileFault, ProjectFolder};
use crate::import::ImportedFile;
use crate::manifest::{Outline, is_yaml};
use crate::workflow::error::{Error, ErrorKind, FileProblem, Hint};
use crate::workflow::event::{Event, FileOutcome, Listener};
use crate::workflow::problem::Problem;

/// The folder of a project that does not say where its manifests are.
const DEFAULT_FOLDER: &str = "secrets";

/// Where files are written.
pub(super) struct Destination {
    /// The project's folder.
    pub(super) root: PathBuf,
    /// The folder for manifests below it, with `/` between the parts.
    pub(super) folder: String,
}

impl Destination {
    /// The folder that was asked for, or else the first one in which the project looks for manifests.
    pub(super) fn choose(root: &Path, output: Option<&str>, outline: &Outline) -> Result<Self, Error> {
        let refuse = |problem: Problem, hint: Hint| Error::from(ErrorKind::WrongUsage(problem)).hint(hint);
        let listed = outline.manifests.clone().unwrap_or_else(|| vec![".".to_owned()]);
        // A folder that is not there yet is named with a slash.
        let is_folder = |named: &&String| root.join(named).is_dir() || named.ends_with('/');
        let folders: Vec<String> = listed.iter().filter(is_folder).filter_map(|named| normal(named)).collect();
        let folder = match output {
            Some(output) => {
                let folder = normal(output).ok_or_else(|| refuse(Problem::OutputOutside, Hint::OutputRelative))?;
                let within =
                    |outer: &String| outer.is_empty() || folder == *outer || folder.starts_with(&format!("{outer}/"));
                if !folders.iter().any(within) {
                    return Err(refuse(Problem::OutputNotListed, Hint::ListedFolders { folders }));
                }
                folder
            }
            None => {
                folders.first().cloned().ok_or_else(|| refuse(Problem::NoManifestFolder, Hint::AddManifestFolder))?
            }
        };
        let folder = if folder.is_empty() { DEFAULT_FOLDER.to_owned() } else { folder };
        Ok(Self { root: root.to_owned(), folder })
    }

    /// Whether there may be manifests in a folder of the project or below it: YAML files, links, or what cannot be
    /// seen.
    pub(super) fn is_settled(&self, folder: &str) -> bool {
        let Ok(project) = ProjectFolder::open(&self.root) else { return false };
        let mut folders = vec![PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            let entries = match project.entries(&folder) {
                Ok(entries) => entries,
                Err(FileFault::Missing) => continue,
                Err(_) => return true,
            };
            for (name, kind) in entries {
                match kind {
                    EntryKind::Folder => folders.push(folder.join(name)),
                    EntryKind::File if !is_yaml(&name.to_string_lossy()) => {}
                    EntryKind::File | EntryKind::Link | EntryKind::Other => return true,
                }
            }
        }
        false
    }
}

/// A relative path without `.` and `..`; none when it leaves its folder.
fn normal(named: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in Path::new(named).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// Writes all files, or, when one cannot be written, none.
pub(super) fn write_all<'t>(
    destination: &Destination,
    imported: &'t [ImportedFile],
    removed: impl Iterator<Item = (&'t Path, &'t str)>,
    listener: Listener<'_>,
) -> Result<(), Error> {
    let root = destination.root.as_path();
    let manifests = imported.iter().map(|file| {
        (root.join(&file.path), files::Destination::in_project(root, Path::new(&file.path)), file.text.as_str())
    });
    let all = manifests
        .chain(removed.map(|(path, text)| (path.to_owned(), files::Destination::named_with_folder(path), text)));
    let mut written: Vec<(PathBuf, files::Destination)> = Vec::new();
    for (path, place, text) in all {
        let made = place.and_then(|place| place.create(text.as_bytes()).map(|()| place));
        let error = match made {
            Ok(place) => {
                written.push((path, place));
                continue;
            }
            Err(error) => error,
        };
        for (_, place) in &written {
            // What was just made, and nobody else's.
            let _ = place.remove();
        }
        let taken = error.kind() == io::ErrorKind::AlreadyExists;
        let error = Error::file(path, FileProblem::NoFileWritten).because(error);
        return Err(if taken { error.hint(Hint::NothingIsOverwritten) } else { error });
    }
    for (path, _) in written {
        listener(Event::File { outcome: FileOutcome::Wrote, path: path.strip_prefix(".").unwrap_or(&path) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stay_inside() {
        assert_eq!(normal("./secrets/").as_deref(), Some("secrets"));
        assert_eq!(normal("a/../b").as_deref(), Some("b"));
        assert_eq!(normal(".").as_deref(), Some(""));
        assert_eq!(normal("../x"), None);
        assert_eq!(normal("/etc"), None);
    }
}
