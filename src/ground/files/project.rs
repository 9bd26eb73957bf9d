//! A project's folder, held open: whatever is read on behalf of a project is read through it.
//!
//! A path is resolved inside the folder first, and then opened part by part from the handle, none of them a link. So a
//! link that is put in the way in between leads to an error, not out.

use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};

use super::bounded::{BoundedFile, FileFault};

/// Folders that are no source for anything: Git's own (its configuration can hold tokens) and keywright's.
const NEVER_READ: [&str; 2] = [".git", ".keywright"];

/// The largest file `.git` that names a folder, in bytes.
const MAX_GIT_FILE_BYTES: u64 = 16 << 10;

/// A project's folder. Clones share one handle.
#[derive(Clone)]
pub struct ProjectFolder {
    root: PathBuf,
    dir: Arc<Dir>,
}

/// What an entry of a folder is. Links are told as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// Anything else: a pipe, a device.
    Other,
}

impl EntryKind {
    fn of(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

/// Whether a name is one of those that are never read, in upper case too: not every file system tells them apart.
fn is_never_read(name: &OsStr) -> bool {
    NEVER_READ.iter().any(|never| name.eq_ignore_ascii_case(never))
}

impl ProjectFolder {
    /// Opens a folder. The operator named it, so links on the way to it are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = path.canonicalize()?;
        let dir = Arc::new(Dir::open_ambient_dir(&root, ambient_authority())?);
        Ok(Self { root, dir })
    }

    /// Its path, with links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is anything at a path, a link that leads nowhere included.
    pub fn has(&self, path: &Path) -> bool {
        self.dir.symlink_metadata(path).is_ok()
    }

    /// A path that somebody in `folder` names, resolved and relative to the project's folder.
    pub fn resolve(&self, folder: &Path, named: &str) -> Result<PathBuf, FileFault> {
        let named = Path::new(named);
        if named.components().any(|part| matches!(part, Component::RootDir | Component::Prefix(_))) {
            return Err(FileFault::Outside);
        }
        let path = normal(&folder.join(named)).ok_or(FileFault::Outside)?;
        self.canonical(&path)
    }

    /// The path without links, relative to the project's folder; empty for the folder itself.
    pub fn canonical(&self, path: &Path) -> Result<PathBuf, FileFault> {
        refuse_never_read(path)?;
        let there = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let found = match self.dir.canonicalize(there).map_err(|error| FileFault::of(&error)) {
            Err(FileFault::Outside) => self.by_absolute_link(path)?,
            found => found?,
        };
        let found = normal(&found).ok_or(FileFault::Outside)?;
        refuse_never_read(&found)?;
        Ok(found)
    }

    /// Where a path leads on which an absolute link stands, if that is inside. It need not be believed: what is found
    /// is opened from the handle, part by part.
    fn by_absolute_link(&self, path: &Path) -> Result<PathBuf, FileFault> {
        let found = self.root.join(path).canonicalize().map_err(|_| FileFault::Outside)?;
        found.strip_prefix(&self.root).map(Path::to_owned).map_err(|_| FileFault::Outside)
    }

    /// What lies at a path, links resolved.
    pub fn kind(&self, path: &Path) -> Result<EntryKind, FileFault> {
        let found = self.canonical(path)?;
        let (parent, Some(name)) = self.parent(&found)? else { return Ok(EntryKind::Folder) };
        let metadata = parent.symlink_metadata(name).map_err(|error| FileFault::of(&error))?;
        Ok(EntryKind::of(metadata.file_type()))
    }

    /// The names in a folder and what they are.
    pub fn entries(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, FileFault> {
        let found = self.canonical(folder)?;
        let fault = |error: io::Error| FileFault::of(&error);
        let (parent, name) = self.parent(&found)?;
        let listed = match name {
            Some(name) => parent.open_dir_nofollow(name).map_err(fault)?.entries(),
            None => parent.entries(),
        };
        let mut entries = Vec::new();
        for entry in listed.map_err(fault)? {
            let entry = entry.map_err(fault)?;
            entries.push((entry.file_name().into(), EntryKind::of(entry.file_type().map_err(fault)?)));
        }
        Ok(entries)
    }

    /// The folder in which git keeps what it knows of the work tree in `folder`: `.git`, or the one that a file of this
    /// name gives; none where there is no work tree. What may be read of it is not for manifests to choose.
    pub fn git_folder(&self, folder: &Path) -> Result<Option<Self>, FileFault> {
        let fault = |error: io::Error| FileFault::of(&error);
        let folder = self.root.join(folder);
        let path = folder.join(".git");
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        if path.metadata().map_err(fault)?.is_dir() {
            return Self::open(&path).map(Some).map_err(fault);
        }
        let named = super::open_operator_file(&path, MAX_GIT_FILE_BYTES)?.text()?;
        let named = named.strip_prefix("gitdir:").map(str::trim).ok_or(FileFault::NotRegular)?;
        Self::open(&folder.join(named)).map(Some).map_err(fault)
    }

    /// Opens a regular file. Reading gives at most `limit` bytes.
    pub fn open_file(&self, path: &Path, limit: u64) -> Result<BoundedFile, FileFault> {
        let found = self.canonical(path)?;
        let (parent, Some(name)) = self.parent(&found)? else { return Err(FileFault::NotRegular) };
        let fault = |error: io::Error| FileFault::of(&error);
        // Merely opening some devices does something, so they are not opened at all; `BoundedFile` looks again.
        if !parent.symlink_metadata(name).map_err(fault)?.is_file() {
            return Err(FileFault::NotRegular);
        }
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        BoundedFile::new(parent.open_with(name, &options).map_err(fault)?.into_std(), limit)
    }

    /// The folder of a path without links, opened part by part, and the last part; none for the project's folder.
    fn parent<'a>(&self, canonical: &'a Path) -> Result<(Arc<Dir>, Option<&'a OsStr>), FileFault> {
        let mut parts = canonical.iter();
        let name = parts.next_back();
        let mut at = Arc::clone(&self.dir);
        for part in parts {
            at = Arc::new(at.open_dir_nofollow(part).map_err(|error| FileFault::of(&error))?);
        }
        Ok((at, name))
    }
}

impl std::fmt::Debug for ProjectFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProjectFolder").field(&self.root).finish()
    }
}

fn refuse_never_read(path: &Path) -> Result<(), FileFault> {
    if path.iter().any(is_never_read) { Err(FileFault::NeverRead) } else { Ok(()) }
}

/// A relative path without `.` and `..`, by its text alone; `None` when it leaves its folder.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => normal.push(part),
            Component::ParentDir if normal.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

/// A file of a project: the folder's handle, and the path in it. Two are equal when both paths are.
#[derive(Clone)]
pub struct ProjectFile {
    folder: ProjectFolder,
    path: PathBuf,
}

impl ProjectFile {
    /// A file below the project's folder.
    pub fn new(folder: &ProjectFolder, path: PathBuf) -> Self {
        Self { folder: folder.clone(), path }
    }

    /// Its path below the project's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its whole path, for another program. What opens it by this path has left the door.
    pub fn absolute(&self) -> PathBuf {
        self.folder.root.join(&self.path)
    }

    /// Opens it. Reading gives at most `limit` bytes.
    pub fn open(&self, limit: u64) -> Result<BoundedFile, FileFault> {
        self.folder.open_file(&self.path, limit)
    }
}

impl PartialEq for ProjectFile {
    fn eq(&self, other: &Self) -> bool {
        (&self.folder.root, &self.path) == (&other.folder.root, &other.path)
    }
}

impl Eq for ProjectFile {}

impl Hash for ProjectFile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.folder.root, &self.path).hash(state);
    }
}

impl std::fmt::Debug for ProjectFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProjectFile").field(&self.path).finish()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, ProjectFolder) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/x"), "inside").unwrap();
        let opened = ProjectFolder::open(folder.path()).unwrap();
        (folder, opened)
    }

    fn read(project: &ProjectFolder, path: &str) -> Result<String, FileFault> {
        project.open_file(Path::new(path), 100)?.text()
    }

    #[test]
    fn paths_cannot_climb_out() {
        let (_folder, project) = project();
        let top = Path::new("");
        assert_eq!(project.resolve(top, "../etc/passwd"), Err(FileFault::Outside));
        assert_eq!(project.resolve(Path::new("a"), "../../x"), Err(FileFault::Outside));
        assert_eq!(project.resolve(top, "/etc/passwd"), Err(FileFault::Outside));
        assert_eq!(project.resolve(Path::new("a/b"), "./../x"), Ok(PathBuf::from("a/x")));
        assert_eq!(project.resolve(top, "./"), Ok(PathBuf::new()));
        assert_eq!(read(&project, "a/x"), Ok("inside".to_owned()));
        assert_eq!(read(&project, "a"), Err(FileFault::NotRegular));
        assert_eq!(read(&project, ""), Err(FileFault::NotRegular));
        assert_eq!(read(&project, "a/x/y"), Err(FileFault::Missing));
    }

    #[test]
    fn folders_of_git_and_keywright_are_never_read() {
        let (folder, project) = project();
        for path in [".git/config", ".keywright/sandbox.redb", "a/.GIT/config", ".Git"] {
            assert_eq!(read(&project, path), Err(FileFault::NeverRead), "{path}");
            assert_eq!(project.resolve(Path::new("a"), &format!("../{path}")), Err(FileFault::NeverRead), "{path}");
        }
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join(".git/config"), "token").unwrap();
        std::fs::write(folder.path().join(".gitignore"), "fine").unwrap();
        assert_eq!(read(&project, ".gitignore"), Ok("fine".to_owned()));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../.git", folder.path().join("a/harmless")).unwrap();
            assert_eq!(read(&project, "a/harmless/config"), Err(FileFault::NeverRead));
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_and_never_out() {
        use std::os::unix::fs::symlink;
        let (folder, project) = project();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x"), "outside").unwrap();
        let link = |target: &Path, name: &str| symlink(target, folder.path().join(name)).unwrap();
        link(Path::new("a"), "within");
        link(Path::new("../a/x"), "a/again");
        assert_eq!(read(&project, "within/x"), Ok("inside".to_owned()));
        assert_eq!(read(&project, "a/again"), Ok("inside".to_owned()));
        assert_eq!(project.resolve(Path::new("within"), "x"), Ok(PathBuf::from("a/x")));
        let up = PathBuf::from("..").join(outside.path().file_name().unwrap());
        link(&folder.path().join("a/x"), "whole");
        assert_eq!(read(&project, "whole"), Ok("inside".to_owned()));
        link(outside.path(), "absolute");
        link(&up, "relative");
        link(Path::new("/proc/self/environ"), "magic");
        link(Path::new("round"), "round");
        for path in ["absolute/x", "relative/x", "magic"] {
            assert_eq!(read(&project, path), Err(FileFault::Outside), "{path}");
        }
        assert!(matches!(read(&project, "round"), Err(FileFault::Unreadable(_))));
        link(Path::new("nowhere"), "dangling");
        assert_eq!(read(&project, "dangling"), Err(FileFault::Missing));
        assert!(project.has(Path::new("dangling")));
    }

    #[cfg(unix)]
    #[test]
    fn pipes_are_refused_without_waiting() {
        let (folder, project) = project();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
        assert!(made.success());
        assert_eq!(read(&project, "pipe"), Err(FileFault::NotRegular));
        assert_eq!(project.kind(Path::new("pipe")), Ok(EntryKind::Other));
    }

    /// A link that swaps its target between inside and outside, and a reader that must never see the outside.
    #[cfg(unix)]
    #[test]
    fn swapped_links_never_lead_out() {
        use std::os::unix::fs::symlink;
        use std::sync::atomic::{AtomicBool, Ordering};
        let (folder, project) = project();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x"), "outside").unwrap();
        let (inside, out) = (folder.path().join("a"), outside.path().to_owned());
        let (place, other) = (folder.path().join("swap"), folder.path().join("other"));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for target in [Path::new("a"), &out, &inside] {
                        let _ = symlink(target, &other).and_then(|()| std::fs::rename(&other, &place));
                    }
                }
            });
            for _ in 0..2_000 {
                assert_ne!(read(&project, "swap/x"), Ok("outside".to_owned()));
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
