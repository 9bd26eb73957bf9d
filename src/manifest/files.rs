//! The project's files: finding manifests, and opening what they name.
//!
//! Whatever a manifest names is a regular file inside the project once symbolic links are resolved. Everything is
//! bounded: sizes, and the number of files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// Largest manifest, in bytes.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

/// Most manifest files in a project.
pub(crate) const MAX_FILES: usize = 100_000;

/// How deep folders are searched.
const MAX_FOLDER_DEPTH: usize = 64;

/// The names that a project file can have.
pub(crate) const PROJECT_FILES: [&str; 2] = ["keywright.yaml", "keywright.yml"];

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileFault {
    /// It isn't there.
    Missing,
    /// It is a folder, a device, or the like.
    NotRegular,
    /// It lies outside the project, or the path is absolute.
    Outside,
    /// It is larger than the limit, in bytes.
    TooLarge(u64),
    /// It is not UTF-8; the byte at which that shows.
    NotUtf8(usize),
    /// The operating system refuses.
    Unreadable(String),
    /// There are more than [`MAX_FILES`].
    TooMany,
}

/// Reads a text file of at most `limit` bytes, without its byte-order mark.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, FileFault> {
    let unreadable = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FileFault::Missing,
        kind => FileFault::Unreadable(kind.to_string()),
    };
    // A pipe would block here for ever, so the kind is looked at before the file is opened.
    if !fs::metadata(path).map_err(|error| unreadable(&error))?.is_file() {
        return Err(FileFault::NotRegular);
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > limit {
        return Err(FileFault::TooLarge(limit));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| FileFault::NotUtf8(error.utf8_error().valid_up_to()))
}

/// A path that a manifest in `folder` names, resolved. `root` is canonical.
pub(crate) fn resolve(root: &Path, folder: &Path, named: &str) -> Result<PathBuf, FileFault> {
    let named = Path::new(named);
    if named.components().any(|part| matches!(part, Component::RootDir | Component::Prefix(_))) {
        return Err(FileFault::Outside);
    }
    let joined = folder.join(named);
    if !normal(&joined).is_some_and(|path| path.starts_with(root)) {
        return Err(FileFault::Outside);
    }
    let resolved = fs::canonicalize(&joined).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => FileFault::Missing,
        kind => FileFault::Unreadable(kind.to_string()),
    })?;
    if resolved.starts_with(root) { Ok(resolved) } else { Err(FileFault::Outside) }
}

/// The path without `.` and `..`, by its text alone.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            part => normal.push(part),
        }
    }
    Some(normal)
}

/// What a search for manifests has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files, each once.
    pub(crate) files: BTreeSet<PathBuf>,
    /// The ones among them that were named one by one, not found in a folder.
    pub(crate) named: BTreeSet<PathBuf>,
    /// What could not be used, and why.
    pub(crate) faults: Vec<(PathBuf, FileFault)>,
}

impl Found {
    /// Adds a file or folder that the project names.
    pub(crate) fn add(&mut self, root: &Path, named: &str) -> Result<(), FileFault> {
        let path = resolve(root, root, named)?;
        if path.is_dir() {
            self.search(&path, root);
        } else if path.is_file() {
            self.named.insert(path.clone());
            self.files.insert(path);
        } else {
            return Err(FileFault::NotRegular);
        }
        Ok(())
    }

    /// Adds every YAML file below `folder`. A link to a file is followed inside the project; links to folders never
    /// are: they could form circles.
    pub(crate) fn search(&mut self, folder: &Path, root: &Path) {
        let mut folders = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let nested = folder != root && PROJECT_FILES.iter().any(|name| folder.join(name).exists());
            if nested || depth > MAX_FOLDER_DEPTH {
                continue;
            }
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.faults.push((folder, FileFault::Unreadable(error.kind().to_string())));
                    continue;
                }
            };
            for entry in entries.flatten() {
                let (Ok(kind), name) = (entry.file_type(), entry.file_name()) else { continue };
                let name = name.to_string_lossy();
                if name.starts_with('.') {
                    continue;
                }
                if kind.is_dir() && !matches!(&*name, "target" | "node_modules") {
                    folders.push((entry.path(), depth + 1));
                } else if kind.is_file() && is_yaml(&name) {
                    self.files.insert(entry.path());
                } else if kind.is_symlink() && is_yaml(&name) {
                    self.link(&entry.path(), root);
                }
                if self.files.len() > MAX_FILES {
                    self.faults.push((folder, FileFault::TooMany));
                    return;
                }
            }
        }
    }

    fn link(&mut self, path: &Path, root: &Path) {
        match fs::canonicalize(path) {
            Ok(target) if !target.starts_with(root) => self.faults.push((path.to_owned(), FileFault::Outside)),
            Ok(target) if target.is_file() => {
                self.files.insert(target);
            }
            Ok(_) => {}
            Err(_) => self.faults.push((path.to_owned(), FileFault::Missing)),
        }
    }
}

/// Whether a file's name says that it is YAML.
pub(crate) fn is_yaml(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    Path::new(&lower).extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Whether a file's name says that its content is encrypted: such files lie beside manifests and are none.
pub(crate) fn is_encrypted(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = Path::new(&lower).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    [".sops", ".enc", ".encrypted"].iter().any(|mark| stem.ends_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_files_are_known_by_their_name() {
        assert!(is_encrypted("db.sops.yaml") && is_encrypted("DB.enc.yml"));
        assert!(!is_encrypted("sops.yaml") && !is_encrypted("db.yaml"));
    }

    #[test]
    fn paths_cannot_climb_out() {
        let root = Path::new("/project");
        assert_eq!(resolve(root, root, "../etc/passwd"), Err(FileFault::Outside));
        assert_eq!(resolve(root, &root.join("a"), "../../x"), Err(FileFault::Outside));
        assert_eq!(resolve(root, root, "/etc/passwd"), Err(FileFault::Outside));
        assert_eq!(normal(Path::new("/a/./b/../c")), Some(PathBuf::from("/a/c")));
    }
}
