//! Where something is written: a folder that is held open, and a name in it.
//!
//! A relative path stays below the current directory, and a path in a project below the project: a link that leads out
//! is refused, since a checkout can hold one. What exists and is no regular file is written into (pipes, terminals,
//! `/dev/stdout`) or refused, never replaced.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};

use super::new_file::NewFile;

/// The folder in a project for files that are nobody else's business.
pub const PRIVATE_FOLDER: &str = ".keywright";

/// A place for a file.
pub struct Destination {
    place: Place,
}

enum Place {
    Folder {
        dir: Dir,
        name: OsString,
    },
    /// An open stream of this process, such as `/dev/stdout`.
    Stream(PathBuf),
}

/// What has the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    File,
    /// A pipe or a terminal: what is written into it goes on.
    Stream,
}

/// Makes the folder of a project, where there is none yet.
pub fn make_folder(root: &Path) -> io::Result<()> {
    std::fs::create_dir_all(if root.as_os_str().is_empty() { Path::new(".") } else { root })
}

impl Destination {
    /// A file that an operator named, in a folder that is there.
    pub fn named(path: &Path) -> io::Result<Self> {
        Self::find(path, false)
    }

    /// A file that an operator named; its folder is made where it is missing.
    pub fn named_with_folder(path: &Path) -> io::Result<Self> {
        Self::find(path, true)
    }

    fn find(path: &Path, make: bool) -> io::Result<Self> {
        if is_stream(path) {
            return Ok(Self { place: Place::Stream(path.to_owned()) });
        }
        let name = path.file_name().ok_or_else(|| invalid("it names no file"))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let climbs = |part: Component<'_>| !matches!(part, Component::Normal(_) | Component::CurDir);
        if folder.components().any(climbs) {
            if make {
                std::fs::create_dir_all(folder)?;
            }
            return Self::followed(Dir::open_ambient_dir(folder, ambient_authority())?, name);
        }
        let here = Dir::open_ambient_dir(".", ambient_authority())?;
        Self::in_folder(here, folder, name, make)
    }

    /// A file below a project's folder, which is made with every folder on the way.
    pub fn in_project(root: &Path, path: &Path) -> io::Result<Self> {
        make_folder(root)?;
        let root = Dir::open_ambient_dir(
            if root.as_os_str().is_empty() { Path::new(".") } else { root },
            ambient_authority(),
        )?;
        let name = path.file_name().ok_or_else(|| invalid("it names no file"))?;
        Self::in_folder(root, path.parent().unwrap_or(Path::new("")), name, true)
    }

    /// A file in the project's private folder, which is made with a .gitignore of its own, so that nothing in it is
    /// committed by accident. A repository can hold links: nobody chose to write where one leads.
    pub fn in_private_folder(root: &Path, name: &str) -> io::Result<Self> {
        let root = Dir::open_ambient_dir(root, ambient_authority())?;
        match root.create_dir(PRIVATE_FOLDER) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let linked = |what: &str| invalid(&format!("{what} is a link or no folder, and nothing is written through it"));
        let dir = root.open_dir_nofollow(PRIVATE_FOLDER).map_err(|_| linked(PRIVATE_FOLDER))?;
        for name in [".gitignore", name] {
            if kind(&dir, OsStr::new(name))?.is_some_and(|kind| kind.is_symlink()) {
                return Err(linked(&format!("{PRIVATE_FOLDER}/{name}")));
            }
        }
        let ignore = Self { place: Place::Folder { dir: dir.try_clone()?, name: ".gitignore".into() } };
        match ignore.create(b"*\n") {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self { place: Place::Folder { dir, name: name.into() } }),
        }
    }

    /// A name in a folder below `top`, out of which no link leads.
    fn in_folder(top: Dir, folder: &Path, name: &OsStr, make: bool) -> io::Result<Self> {
        let parts: PathBuf = folder.components().filter(|part| !matches!(part, Component::CurDir)).collect();
        if parts.as_os_str().is_empty() {
            return Self::followed(top, name);
        }
        if make {
            top.create_dir_all(&parts).map_err(leads_out)?;
        }
        Self::followed(top.open_dir(&parts).map_err(leads_out)?, name)
    }

    /// The same place, or where a link leads that has the name: to a pipe anywhere, else to a file below the folder.
    fn followed(dir: Dir, name: &OsStr) -> io::Result<Self> {
        let here = |dir, name: &OsStr| Self { place: Place::Folder { dir, name: name.to_owned() } };
        if !kind(&dir, name)?.is_some_and(|kind| kind.is_symlink()) {
            return Ok(here(dir, name));
        }
        let found = dir.canonicalize(name).map_err(leads_out)?;
        let name = found.file_name().ok_or_else(|| invalid("it names no file"))?;
        match found.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => Ok(here(dir.open_dir(folder)?, name)),
            None => Ok(here(dir, name)),
        }
    }

    /// A place in the same folder, its name followed by `ending`.
    pub fn beside(&self, ending: &str) -> io::Result<Self> {
        let Place::Folder { dir, name } = &self.place else { return Err(invalid("it is no file")) };
        let mut name = name.clone();
        name.push(ending);
        Ok(Self { place: Place::Folder { dir: dir.try_clone()?, name } })
    }

    /// What has the name. Folders, disks and sockets are refused.
    fn there(&self) -> io::Result<There> {
        let Place::Folder { dir, name } = &self.place else { return Ok(There::Stream) };
        let Some(kind) = kind(dir, name)? else { return Ok(There::Nothing) };
        if kind.is_file() {
            return Ok(There::File);
        }
        if is_pipe_or_terminal(kind) {
            return Ok(There::Stream);
        }
        Err(invalid(if kind.is_dir() { "it is a folder" } else { "it is neither a file nor a pipe" }))
    }

    /// Writes all of it: into what is a pipe or a terminal, else as a new file that takes the place of the old one and
    /// keeps its permissions.
    pub fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let there = self.there()?;
        let (Place::Folder { dir, name }, There::Nothing | There::File) = (&self.place, there) else {
            return self.stream()?.write_all(bytes);
        };
        let new = NewFile::begin(dir, false)?;
        new.file().write_all(bytes)?;
        if there == There::File {
            keep_permissions(dir, name, new.file())?;
        }
        new.place_over(name)
    }

    /// Writes a file that is not there yet (`AlreadyExists`).
    pub fn create(&self, bytes: &[u8]) -> io::Result<()> {
        self.make(false, |mut file| file.write_all(bytes))
    }

    /// The same for its owner alone.
    pub fn create_private(&self, bytes: &[u8]) -> io::Result<()> {
        self.make(true, |mut file| file.write_all(bytes))
    }

    /// Makes a file that is not there yet (`AlreadyExists`): it gets its name when `fill` is done with it.
    pub fn make<T, E: From<io::Error>>(&self, private: bool, fill: impl FnOnce(&File) -> Result<T, E>) -> Result<T, E> {
        let exists = || io::Error::from(io::ErrorKind::AlreadyExists);
        let Place::Folder { dir, name } = &self.place else { return Err(exists().into()) };
        if kind(dir, name)?.is_some() {
            return Err(exists().into());
        }
        let new = NewFile::begin(dir, private)?;
        let filled = fill(new.file())?;
        new.place_new(name)?;
        Ok(filled)
    }

    /// Opens what is there to write at its end; makes the file where there is none.
    pub fn append(&self) -> io::Result<File> {
        match (&self.place, self.there()?) {
            (Place::Folder { dir, name }, There::Nothing | There::File) => {
                let mut options = OpenOptions::new();
                options.append(true).create(true).follow(FollowSymlinks::No).nonblock(true);
                let file = dir.open_with(name, &options)?.into_std();
                if file.metadata()?.is_file() { Ok(file) } else { Err(invalid("it is no regular file")) }
            }
            _ => self.stream(),
        }
    }

    /// Opens a regular file to read and write it; none where there is none.
    pub fn open(&self) -> io::Result<Option<File>> {
        let Place::Folder { dir, name } = &self.place else { return Err(invalid("it is no file")) };
        match self.there()? {
            There::Nothing => return Ok(None),
            There::Stream => return Err(invalid("it is no regular file")),
            There::File => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).follow(FollowSymlinks::No).nonblock(true);
        let file = dir.open_with(name, &options)?.into_std();
        if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(invalid("it is no regular file")) }
    }

    /// Whether `file`, opened before, is still what has the name.
    #[cfg(unix)]
    pub fn is_still(&self, file: &File) -> io::Result<bool> {
        use cap_std::fs::MetadataExt as _;
        let Place::Folder { dir, name } = &self.place else { return Ok(false) };
        let opened = cap_std::fs::Metadata::from_file(file)?;
        let found = match dir.symlink_metadata(name) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino()))
    }

    /// Whether `file`, opened before, is still what has the name. There an open file keeps its name.
    #[cfg(not(unix))]
    pub fn is_still(&self, _: &File) -> io::Result<bool> {
        Ok(true)
    }

    /// Removes the file.
    pub fn remove(&self) -> io::Result<()> {
        let Place::Folder { dir, name } = &self.place else { return Ok(()) };
        dir.remove_file(name)
    }

    /// The first bytes of the regular file that is there; none where there is none.
    pub fn beginning(&self, bytes: u64) -> io::Result<Option<Vec<u8>>> {
        let (Place::Folder { dir, name }, There::File) = (&self.place, self.there()?) else { return Ok(None) };
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let mut beginning = Vec::new();
        dir.open_with(name, &options)?.into_std().take(bytes).read_to_end(&mut beginning)?;
        Ok(Some(beginning))
    }

    /// Opens a pipe or a terminal for writing. A pipe that nobody reads is an error, and not waited for.
    fn stream(&self) -> io::Result<File> {
        let (dir, name) = match &self.place {
            Place::Stream(path) => return std::fs::OpenOptions::new().append(true).open(path),
            Place::Folder { dir, name } => (dir, name),
        };
        let mut options = OpenOptions::new();
        options.write(true).follow(FollowSymlinks::No).nonblock(true);
        let file = dir.open_with(name, &options).map_err(nobody_reads)?.into_std();
        if file.metadata()?.is_file() {
            return Err(invalid("it was a pipe a moment ago"));
        }
        // From here on a slow reader is waited for.
        #[cfg(unix)]
        rustix::fs::fcntl_setfl(&file, rustix::fs::OFlags::empty())?;
        Ok(file)
    }
}

/// What has a name in a folder; links are told as such.
fn kind(dir: &Dir, name: &OsStr) -> io::Result<Option<FileType>> {
    match dir.symlink_metadata(name) {
        Ok(found) => Ok(Some(found.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_pipe_or_terminal(kind: FileType) -> bool {
    use cap_fs_ext::FileTypeExt as _;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_pipe_or_terminal(_: FileType) -> bool {
    false
}

/// The names that systems give to a process's own open files. They are links to what must be written into.
fn is_stream(path: &Path) -> bool {
    let is_number = |name: &OsStr| name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    path == Path::new("/dev/stdout")
        || path == Path::new("/dev/stderr")
        || path.file_name().is_some_and(is_number)
            && path
                .parent()
                .is_some_and(|folder| folder == Path::new("/dev/fd") || folder == Path::new("/proc/self/fd"))
}

/// The new file gets the permissions and, as far as that is allowed, the owner of the one that it replaces.
#[cfg(unix)]
fn keep_permissions(dir: &Dir, name: &OsStr, file: &File) -> io::Result<()> {
    use cap_std::fs::{Metadata, MetadataExt as _};
    use rustix::fs::{Gid, Mode, Uid, fchmod, fchown};
    let (old, new) = (dir.symlink_metadata(name)?, Metadata::from_file(file)?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        // Only root may give files away; anybody else's become their own, as every editor's do.
        let _ = fchown(file, Some(Uid::from_raw(old.uid())), Some(Gid::from_raw(old.gid())));
    }
    // Without set-user-id and the like: they were given to other contents.
    Ok(fchmod(file, Mode::from_raw_mode(old.mode() & 0o777))?)
}

#[cfg(not(unix))]
fn keep_permissions(dir: &Dir, name: &OsStr, file: &File) -> io::Result<()> {
    let old = dir.symlink_metadata(name)?.permissions();
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(old.readonly());
    file.set_permissions(permissions)
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.to_owned())
}

/// cap-std's answer to a link that leads out has no number, unlike the operating system's refusals.
fn leads_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
        return invalid("a link leads out of the folder: name the place that it leads to");
    }
    error
}

#[cfg(unix)]
fn nobody_reads(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) {
        return invalid("nobody reads from this pipe");
    }
    error
}

#[cfg(not(unix))]
fn nobody_reads(error: io::Error) -> io::Error {
    error
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn replace(path: &Path, text: &str) -> io::Result<()> {
        Destination::named(path)?.replace(text.as_bytes())
    }

    #[test]
    fn a_file_is_made_once_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        Destination::named(&path).unwrap().create(b"one").unwrap();
        let again = Destination::named(&path).unwrap().create(b"two");
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        replace(&path, "three").unwrap();
        Destination::named(&path).unwrap().append().unwrap().write_all(b" four").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three four");
        assert!(replace(folder.path(), "x").is_err());
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_new_file_that_cannot_be_filled_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = Destination::named(&folder.path().join("a")).unwrap();
        let full = |_: &File| Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(place.make(false, full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        Destination::named(&folder.path().join("key")).unwrap().create_private(b"k").unwrap();
        assert_eq!(std::fs::metadata(folder.path().join("key")).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_are_written_into_and_never_replaced() {
        use std::os::unix::fs::FileTypeExt as _;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink("pipe", folder.path().join("link")).unwrap();
        assert!(replace(&pipe, "x").unwrap_err().to_string().contains("nobody reads"));
        for path in [pipe.clone(), folder.path().join("link")] {
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || std::fs::read_to_string(pipe).unwrap()
            });
            let text = "text ".repeat(100_000);
            while let Err(error) = replace(&path, &text) {
                assert!(error.to_string().contains("nobody reads"), "{error}");
                std::thread::yield_now();
            }
            assert_eq!(reader.join().unwrap(), text);
        }
        assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(names(folder.path()), ["link", "pipe"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out() {
        use std::os::unix::fs::symlink;
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path();
        std::fs::write(outside.path().join("theirs"), "theirs").unwrap();
        std::fs::write(root.join("a"), "old").unwrap();
        symlink(outside.path(), root.join("out")).unwrap();
        symlink(outside.path().join("theirs"), root.join("file")).unwrap();
        symlink(outside.path().join("new"), root.join("dangling")).unwrap();
        symlink("a", root.join("within")).unwrap();
        for path in ["out/x", "file", "dangling"] {
            let in_project = Destination::in_project(root, Path::new(path)).and_then(|place| place.replace(b"x"));
            assert!(in_project.is_err(), "{path}");
        }
        assert!(replace(&root.join("file"), "x").is_err());
        assert!(replace(&root.join("dangling"), "x").is_err());
        replace(&root.join("within"), "new").unwrap();
        assert_eq!(std::fs::read_to_string(root.join("a")).unwrap(), "new");
        assert!(std::fs::symlink_metadata(root.join("within")).unwrap().is_symlink());
        assert_eq!(names(outside.path()), ["theirs"]);
        assert_eq!(std::fs::read_to_string(outside.path().join("theirs")).unwrap(), "theirs");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_folder_that_is_a_link_is_refused() {
        use std::os::unix::fs::symlink;
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path();
        let private = root.join(PRIVATE_FOLDER);
        symlink(outside.path(), &private).unwrap();
        assert!(Destination::in_private_folder(root, "journal.jsonl").is_err());
        std::fs::remove_file(&private).unwrap();
        std::fs::create_dir(&private).unwrap();
        for name in [".gitignore", "journal.jsonl"] {
            symlink(outside.path().join("x"), private.join(name)).unwrap();
            assert!(Destination::in_private_folder(root, "journal.jsonl").is_err(), "{name}");
            std::fs::remove_file(private.join(name)).unwrap();
        }
        assert_eq!(names(outside.path()), [""; 0]);
        Destination::in_private_folder(root, "journal.jsonl").unwrap().append().unwrap();
        assert_eq!(names(&private), [".gitignore", "journal.jsonl"]);
    }

    #[test]
    fn streams_of_the_process_are_known() {
        assert!(is_stream(Path::new("/dev/stdout")) && is_stream(Path::new("/dev/fd/63")));
        assert!(!is_stream(Path::new("/dev/fd/x")) && !is_stream(Path::new("dev/stdout")));
    }
}
