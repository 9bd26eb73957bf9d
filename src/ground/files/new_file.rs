//! A file in the making: it gets its name when it is whole.
//!
//! On Linux it has no name at all until then, so that not even a process that is killed leaves anything behind. Where
//! that is not possible it has a random name in the same folder, made exclusively and removed when it is given up.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

use cap_std::fs::{Dir, OpenOptions};

/// How often a random name is tried; two of 128 bits are never the same by chance.
const ATTEMPTS: usize = 8;

/// A file that is not in its place yet.
pub(super) struct NewFile<'a> {
    folder: &'a Dir,
    file: File,
    /// Its name for the time being; none where it needs none.
    temporary: Option<OsString>,
}

impl<'a> NewFile<'a> {
    /// Begins a file in `folder`, to be read and written. `private` is for its owner alone.
    pub(super) fn begin(folder: &'a Dir, private: bool) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless(folder, private) {
            return Ok(Self { folder, file, temporary: None });
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        if private {
            use cap_std::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        #[cfg(not(unix))]
        let _ = private;
        let mut tried = 0;
        loop {
            let name = random_name();
            match folder.open_with(&name, &options) {
                Ok(file) => return Ok(Self { folder, file: file.into_std(), temporary: Some(name) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < ATTEMPTS => tried += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives it a name that nothing has yet (`AlreadyExists`).
    pub(super) fn place_new(mut self, name: &OsStr) -> io::Result<()> {
        self.file.sync_all()?;
        match &self.temporary {
            None => self.link(name)?,
            Some(temporary) => {
                self.folder.hard_link(temporary, self.folder, name)?;
                self.remove();
            }
        }
        self.sync_folder()
    }

    /// Puts it in the place of whatever has the name.
    pub(super) fn place_over(mut self, name: &OsStr) -> io::Result<()> {
        self.file.sync_all()?;
        let temporary = if let Some(temporary) = self.temporary.take() {
            temporary
        } else {
            let temporary = random_name();
            self.link(&temporary)?;
            temporary
        };
        // From here on it has a name, which `Drop` removes should the next step fail.
        let renamed = self.folder.rename(&temporary, self.folder, name);
        if renamed.is_err() {
            self.temporary = Some(temporary);
        }
        renamed?;
        self.sync_folder()
    }

    /// Gives a nameless file a name.
    #[cfg(target_os = "linux")]
    fn link(&self, name: &OsStr) -> io::Result<()> {
        use rustix::fs::{AtFlags, CWD, linkat};
        use std::os::fd::AsRawFd as _;
        let open = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(linkat(CWD, open, self.folder, name, AtFlags::SYMLINK_FOLLOW)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn link(&self, _: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            // Nobody can do more about it.
            let _ = self.folder.remove_file(temporary);
        }
    }

    /// The name is on the disk too, where a folder can be asked for that.
    fn sync_folder(&self) -> io::Result<()> {
        let Ok(folder) = self.folder.open(".") else { return Ok(()) };
        match folder.sync_all() {
            Err(error) if error.kind() != io::ErrorKind::InvalidInput && cfg!(unix) => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A file without a name (`O_TMPFILE`), where the file system has that and `/proc` is there to name it by.
#[cfg(target_os = "linux")]
fn nameless(folder: &Dir, private: bool) -> Option<File> {
    use rustix::fs::{Mode, OFlags, openat};
    if !std::path::Path::new("/proc/self/fd").is_dir() {
        return None;
    }
    let mode = Mode::from_raw_mode(if private { 0o600 } else { 0o666 });
    openat(folder, ".", OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode).ok().map(File::from)
}

fn random_name() -> OsString {
    format!(".keywright-{:032x}", rand::random::<u128>()).into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use cap_std::ambient_authority;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// With a name for the time being, as on systems that have no nameless files.
    fn named(folder: &Dir) -> NewFile<'_> {
        let name = random_name();
        let file = folder.open_with(&name, OpenOptions::new().write(true).create_new(true)).unwrap().into_std();
        NewFile { folder, file, temporary: Some(name) }
    }

    fn begun(folder: &Dir) -> NewFile<'_> {
        NewFile::begin(folder, false).unwrap()
    }

    const MAKERS: [fn(&Dir) -> NewFile<'_>; 2] = [begun, named];

    #[test]
    fn nothing_is_left_when_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        for make in MAKERS {
            let new = make(&dir);
            new.file().write_all(b"half").unwrap();
            drop(new);
            assert_eq!(names(folder.path()), [""; 0]);
        }
    }

    #[test]
    fn a_name_is_taken_once_and_replaced_whole() {
        for make in MAKERS {
            let folder = tempfile::tempdir().unwrap();
            let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
            let path = folder.path().join("a");
            let filled = |text: &str| {
                let new = make(&dir);
                new.file().write_all(text.as_bytes()).unwrap();
                new
            };
            filled("one").place_new(OsStr::new("a")).unwrap();
            let error = filled("two").place_new(OsStr::new("a")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
            filled("three").place_over(OsStr::new("a")).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "three");
            std::fs::create_dir(folder.path().join("b")).unwrap();
            assert!(filled("four").place_over(OsStr::new("b")).is_err());
            assert_eq!(names(folder.path()), ["a", "b"], "nothing is left under a temporary name");
        }
    }
}
