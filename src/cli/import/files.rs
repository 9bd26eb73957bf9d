//! Where the files go, and how they are written: all of them or none, and never over a file that is there.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::cli::shell::Shell;
use crate::import::ImportedFile;
use crate::manifest::Outline;
use crate::render::escape;
use crate::workflow::files::write_whole;
use crate::workflow::{Error, ErrorKind, FileProblem, Hint, Problem};

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
pub(super) fn write_all(
    destination: &Destination,
    files: &[ImportedFile],
    removed: Option<(&Path, &str)>,
    shell: &Shell,
) -> Result<(), Error> {
    let root = destination.root.as_path();
    let manifests = files.iter().map(|file| (root.join(&file.path), file.text.as_str(), Some(root)));
    let all = manifests.chain(removed.map(|(path, text)| (path.to_owned(), text, None)));
    let mut written: Vec<PathBuf> = Vec::new();
    for (path, text, within) in all {
        if let Err(error) = write_new(&path, text, within) {
            for path in &written {
                // What was just made, and nobody else's.
                let _ = fs::remove_file(path);
            }
            let taken = error.kind() == io::ErrorKind::AlreadyExists;
            let error = Error::file(path, FileProblem::NoFileWritten).because(error);
            return Err(if taken { error.hint(Hint::NothingIsOverwritten) } else { error });
        }
        written.push(path);
    }
    for path in written {
        let shown = path.strip_prefix(".").unwrap_or(&path).display().to_string();
        shell.err.line(&format!("wrote {}", escape::line(&shown)));
    }
    Ok(())
}

/// Writes a file that is either not there or whole, and inside the folder `within`, links resolved. The name is taken
/// first, so that no other file can be lost.
fn write_new(path: &Path, text: &str, within: Option<&Path>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    if let Some(within) = within
        && !folder.canonicalize()?.starts_with(within.canonicalize()?)
    {
        return Err(io::Error::other("a link leads out of the project"));
    }
    OpenOptions::new().write(true).create_new(true).open(path)?;
    let filled = write_whole(path, text.as_bytes());
    if filled.is_err() {
        let _ = fs::remove_file(path);
    }
    filled
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
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

    #[test]
    fn a_file_that_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.yaml");
        let root = Some(folder.path());
        write_new(&path, "one", root).unwrap();
        assert_eq!(write_new(&path, "two", root).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_the_project() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), folder.path().join("secrets")).unwrap();
        assert!(write_new(&folder.path().join("secrets/a.yaml"), "x", Some(folder.path())).is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
