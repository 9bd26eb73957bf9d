//! The project's files: finding manifests. How they are opened is in `crate::files`.
//!
//! Paths are relative to the project's folder. Everything is bounded: sizes, depth, and the number of files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::unread::{holds_manifest, is_manifest};
pub(crate) use crate::files::FileFault;
use crate::files::{EntryKind, ProjectFolder};

/// Largest manifest, in bytes.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

/// Most manifest files in a project.
pub(crate) const MAX_FILES: usize = 100_000;

/// So many files with other endings are looked into: whoever keeps more of them beside manifests names a folder.
const MAX_OTHER_FILES: usize = 10_000;

/// How deep folders are searched.
const MAX_FOLDER_DEPTH: usize = 64;

/// The names that a project file can have.
pub const PROJECT_FILES: [&str; 2] = ["keywright.yaml", "keywright.yml"];

/// What a search for manifests has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files, each once.
    pub(crate) files: BTreeSet<PathBuf>,
    /// The ones among them that were named one by one, not found in a folder.
    pub(crate) named: BTreeSet<PathBuf>,
    /// What was passed over, and why: secrets may be declared in it that nobody reads.
    pub(crate) skipped: Vec<(PathBuf, &'static str)>,
    /// Folders that nothing is in: a submodule of git may belong there.
    pub(crate) empty: Vec<PathBuf>,
    /// Where it was searched: folders, and files that were named.
    pub(crate) roots: BTreeSet<PathBuf>,
    /// Folders in which git has a work tree of their own, as submodules are.
    pub(crate) work_trees: BTreeSet<PathBuf>,
    /// What could not be used, and why.
    pub(crate) faults: Vec<(PathBuf, FileFault)>,
}

impl Found {
    /// Adds a file or folder that the project names.
    pub(crate) fn add(&mut self, project: &ProjectFolder, named: &str) -> Result<(), FileFault> {
        let path = project.resolve(Path::new(""), named)?;
        match project.kind(&path)? {
            EntryKind::Folder => self.search(project, &path),
            EntryKind::File => {
                self.roots.insert(path.clone());
                self.named.insert(path.clone());
                self.files.insert(path);
            }
            EntryKind::Link | EntryKind::Other => return Err(FileFault::NotRegular),
        }
        Ok(())
    }

    /// Adds every YAML file below `folder`. A link to a file is followed inside the project; links to folders never
    /// are: they could form circles.
    pub(crate) fn search(&mut self, project: &ProjectFolder, folder: &Path) {
        self.roots.insert(folder.to_owned());
        let mut folders = vec![(folder.to_owned(), 0)];
        let (mut others, mut unsearched) = (0, Vec::new());
        while let Some((folder, depth)) = folders.pop() {
            if depth > MAX_FOLDER_DEPTH {
                self.skipped.push((folder, "it lies more than 64 folders deep"));
                continue;
            }
            let entries = match project.entries(&folder) {
                Ok(entries) => entries,
                Err(fault) => {
                    self.faults.push((folder, fault));
                    continue;
                }
            };
            if entries.is_empty() {
                self.empty.push(folder);
                continue;
            }
            let is_project =
                |(name, _): &(PathBuf, EntryKind)| PROJECT_FILES.iter().any(|file| name == Path::new(file));
            if !folder.as_os_str().is_empty() && entries.iter().any(is_project) {
                self.skipped.push((folder, "it holds a project of its own"));
                continue;
            }
            for (name, kind) in entries {
                let path = folder.join(&name);
                let name = name.to_string_lossy();
                match kind {
                    _ if name == ".git" => _ = self.work_trees.insert(folder.clone()),
                    EntryKind::Folder if name == ".keywright" => {}
                    EntryKind::Folder if is_unsearched(&name) => unsearched.push(path),
                    EntryKind::File if name.starts_with('.') && is_manifest(project, &path) => {
                        self.skipped.push((path, "hidden files are not read"));
                    }
                    _ if name.starts_with('.') => {}
                    EntryKind::Folder => folders.push((path, depth + 1)),
                    EntryKind::File if was_yaml(&name) => {
                        self.skipped.push((path, "its name does not end in .yaml or .yml"));
                    }
                    EntryKind::File if is_yaml(&name) => {
                        self.files.insert(path);
                    }
                    EntryKind::File if others < MAX_OTHER_FILES => {
                        others += 1;
                        if is_manifest(project, &path) {
                            self.skipped.push((path, "its name does not end in .yaml or .yml"));
                        }
                    }
                    EntryKind::Other if is_yaml(&name) => self.skipped.push((path, "it is no regular file")),
                    EntryKind::Link if is_yaml(&name) => self.link(project, path),
                    EntryKind::Link if leads_to_a_folder(project, &path) => {
                        self.skipped.push((path, "links to folders are not followed"));
                    }
                    _ => {}
                }
                if self.files.len() > MAX_FILES {
                    self.faults.push((folder, FileFault::TooMany));
                    return;
                }
            }
        }
        // What is read by a link into such a folder is read.
        for path in unsearched {
            let build = !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if build && holds_yaml(project, &path) || holds_manifest(project, &path, &self.files) {
                self.skipped.push((path, "folders of this name are not searched"));
            }
        }
    }

    fn link(&mut self, project: &ProjectFolder, path: PathBuf) {
        let target = project.canonical(&path).and_then(|target| Ok((project.kind(&target)?, target)));
        match target {
            Ok((EntryKind::File, target)) => {
                self.files.insert(target);
            }
            Ok((EntryKind::Other, _)) => self.skipped.push((path, "it leads to what is no regular file")),
            Ok(_) => self.skipped.push((path, "links to folders are not followed")),
            Err(fault) => self.faults.push((path, fault)),
        }
    }
}

/// Folders in which builds and packages leave YAML that is nobody's manifest, and hidden ones.
pub(super) fn is_unsearched(name: &str) -> bool {
    matches!(name, "target" | "node_modules") || name.starts_with('.')
}

/// Whether a folder holds YAML at its top: a build's output seldom does.
fn holds_yaml(project: &ProjectFolder, folder: &Path) -> bool {
    let entries = project.entries(folder).unwrap_or_default();
    entries.iter().any(|(name, _)| is_yaml(&name.to_string_lossy()))
}

fn leads_to_a_folder(project: &ProjectFolder, path: &Path) -> bool {
    project.canonical(path).and_then(|target| project.kind(&target)).is_ok_and(|kind| kind == EntryKind::Folder)
}

/// Whether a file's name says that it was a manifest: `db.yaml.bak`, `db.yml~`.
fn was_yaml(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !is_yaml(name) && [".yaml.", ".yml.", ".yaml~", ".yml~"].iter().any(|mark| lower.contains(mark))
}

/// Whether a file's name says that it is YAML.
pub fn is_yaml(name: &str) -> bool {
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
}
