//! Manifests that a sparse checkout leaves out: git has them, and their files are not in the work tree, so that they
//! look deleted, and Defaults and Rules among them do not hold.
//!
//! git's index says which they are. It is read here and git is not asked, which may be another one than made the
//! checkout, refuse work trees of other users, or not be there at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::codes;
use super::diagnostic::Problem;
use super::files::{Found, is_unsearched, is_yaml};
use super::git_index::{self, Entries, Index};
use super::load::Loader;
use super::neighbours::work_tree;
use crate::collect::CollectSet as _;
use crate::files::{BoundedFile, FileFault, ProjectFolder};
use crate::origin::Origin;

/// The largest index that is read, in bytes: that of some millions of files.
const MAX_INDEX_BYTES: u64 = 512 << 20;

/// What is left out of the folders of a search.
#[derive(Debug, Default)]
pub(super) struct NotThere {
    /// Files and folders, below the work tree.
    pub(super) entries: BTreeSet<(PathBuf, Is)>,
    /// Why that is not known, where it is not.
    pub(super) unknown: Option<String>,
}

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Is {
    /// A file with the ending of manifests.
    File,
    /// A folder with whatever is in it.
    Folder,
}

/// What the work tree, and those of submodules in it, leave out of what was searched. `base` is the folder below the
/// work tree in which the search was.
pub(super) fn left_out(tree: &ProjectFolder, base: &Path, found: &Found) -> NotThere {
    let roots: BTreeSet<PathBuf> = found.roots.iter().map(|root| base.join(root)).collect_set();
    let mut holders = BTreeSet::from([PathBuf::new()]);
    holders.extend(found.work_trees.iter().map(|holder| base.join(holder)));
    let around = roots.iter().flat_map(|root| root.ancestors());
    holders.extend(around.filter(|folder| tree.has(&folder.join(".git"))).map(Path::to_owned));
    let mut not_there = NotThere::default();
    for holder in holders {
        match index_of(tree, &holder) {
            Ok(indexes) => {
                let entries = indexes.iter().flat_map(|index| &index.left_out);
                let placed = entries.map(|entry| (holder.join(&entry.path), entry.is_folder));
                let missing = placed.filter(|(path, is_folder)| {
                    is_searched(&roots, path, *is_folder) && (*is_folder || !tree.has(path))
                });
                let kind = |is_folder| if is_folder { Is::Folder } else { Is::File };
                not_there.entries.extend(missing.map(|(path, is_folder)| (path, kind(is_folder))));
            }
            Err(why) => not_there.unknown = not_there.unknown.or(Some(why)),
        }
    }
    not_there
}

/// Whether a search in `roots` would read a file, or look into a folder.
fn is_searched(roots: &BTreeSet<PathBuf>, path: &Path, is_folder: bool) -> bool {
    let below =
        path.ancestors().find(|ancestor| roots.contains(*ancestor)).and_then(|root| path.strip_prefix(root).ok());
    let Some(below) = below else { return false };
    let hidden = below.iter().any(|part| is_unsearched(&part.to_string_lossy()));
    !hidden && (is_folder || path.file_name().is_some_and(|name| is_yaml(&name.to_string_lossy())))
}

/// The index of the work tree in a folder, with the one that it shares; none where there is no repository.
fn index_of(tree: &ProjectFolder, holder: &Path) -> Result<Vec<Index>, String> {
    let shown = holder.join(".git");
    let shown = shown.display();
    let git = match tree.git_folder(holder) {
        Ok(Some(git)) => git,
        Ok(None) => return Ok(Vec::new()),
        Err(fault) => return Err(format!("the folder of git that {shown} names {fault}")),
    };
    let read = |name: &str, entries: Entries| -> Result<Option<Index>, String> {
        match git.open_file(Path::new(name), MAX_INDEX_BYTES).and_then(BoundedFile::bytes) {
            // Nothing was checked out, or added.
            Err(FileFault::Missing) => Ok(None),
            Err(fault) => Err(format!("git's {name} {fault}")),
            Ok(bytes) => git_index::read(&bytes, entries)
                .map(Some)
                .ok_or_else(|| format!("git's {name} has a form that is not known")),
        }
    };
    let Some(index) = read("index", Entries::Marked)? else { return Ok(Vec::new()) };
    let Some(hash) = &index.shared else { return Ok(vec![index]) };
    let name = format!("sharedindex.{hash}");
    let which = if index.replaces { Entries::All } else { Entries::Marked };
    let shared = read(&name, which)?.ok_or_else(|| format!("git's {name} does not exist"))?;
    Ok(vec![index, shared])
}

impl Loader {
    /// Notes what is left out of the folders in which manifests were looked for, and warns of it.
    pub(super) fn manifests_left_out(&mut self, found: &Found) {
        let Some(root) = work_tree(&self.root) else { return };
        let Ok(tree) = ProjectFolder::open(&root) else {
            self.left_out.unknown = Some("the folder of the git work tree cannot be opened".to_owned());
            return;
        };
        let Ok(base) = self.root.strip_prefix(tree.root()).map(Path::to_owned) else { return };
        let NotThere { entries, unknown } = left_out(&tree, &base, found);
        let mut first = None;
        for (path, is) in &entries {
            let Ok(path) = path.strip_prefix(&base) else { continue };
            let file = shown(path);
            if *is == Is::File {
                let folder = path.parent().map(shown).unwrap_or_default();
                self.left_out.folders.entry(folder).or_insert_with(|| file.clone());
            }
            first.get_or_insert(file);
        }
        self.left_out.unknown = self.left_out.unknown.take().or(unknown);
        if let Some(first) = &first {
            self.warn_of_left_out(first, entries.len(), "no secret without a manifest is removed");
        }
        self.left_out.manifest = first;
    }

    /// The same of the folders that are shared with other projects, whose paths from the project begin with `..`.
    pub(super) fn shared_left_out(&mut self, tree: &ProjectFolder, found: &Found) {
        let NotThere { entries, unknown } = left_out(tree, Path::new(""), found);
        self.left_out.unknown = self.left_out.unknown.take().or(unknown);
        let Some((first, _)) = entries.first() else { return };
        let first = shown(&self.shared.path_from_project(first));
        self.warn_of_left_out(&first, entries.len(), "Defaults and Rules in it do not hold, and no secret is changed");
        self.left_out.shared = Some(first);
    }

    fn warn_of_left_out(&mut self, first: &str, all: usize, meanwhile: &str) {
        let (more, are) = match all {
            1 => (String::new(), "is"),
            all => (format!(" and {} more", all - 1), "are"),
        };
        let (has, leaves) = if all == 1 { ("git has it", "leaves it") } else { ("git has them", "leaves them") };
        let message = format!("`{first}`{more} {are} passed over: {has}, and this sparse checkout {leaves} out");
        let place = self.nowhere(first);
        let help = format!("`git sparse-checkout add` the folder, or `disable`; until then {meanwhile}");
        self.report.push(Problem::new(&codes::PASSED_OVER, place, message).help(help));
    }
}

/// A path as places are shown.
fn shown(path: &Path) -> String {
    Origin::new(path, 1, 1).file.to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::git_index::tests::index;
    use super::*;

    #[test]
    fn work_trees_of_submodules_are_looked_at_and_what_cannot_be_read_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let tree = ProjectFolder::open(folder.path()).unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let told = |named: &[&str]| {
            let mut found = Found::default();
            for named in named {
                found.add(&tree, named).unwrap();
            }
            let NotThere { entries, unknown } = left_out(&tree, Path::new(""), &found);
            let paths = entries.iter().map(|(path, _)| path.to_string_lossy().into_owned());
            (paths.collect::<Vec<_>>(), unknown)
        };
        write("secrets/a.yaml", b"x");
        write("secrets/team/deep/x.yaml", b"x");
        assert_eq!(told(&["secrets"]), (Vec::new(), None), "there is no repository");
        let left_out = ["secrets/a.yaml", "secrets/b.yaml", "secrets/c.txt", "secrets/.d/e.yaml", "other/f.yaml"];
        let entries = left_out.map(|path| (0o100_644, true, path));
        write(".git/index", &index(3, 20, &entries, b""));
        assert_eq!(told(&["secrets"]), (vec!["secrets/b.yaml".to_owned()], None), "what is there is not left out");
        // A submodule below the folder, or around it.
        write("modules/team/index", &index(3, 20, &[(0o100_644, true, "deep/y.yaml")], b""));
        write("secrets/team/.git", b"gitdir: ../../modules/team\n");
        let both = ["secrets/b.yaml", "secrets/team/deep/y.yaml"].map(str::to_owned);
        assert_eq!(told(&["secrets"]), (both.to_vec(), None));
        assert_eq!(told(&["secrets/team/deep"]), (vec![both[1].clone()], None));
        for (git, why) in [("gitdir: nowhere\n", "does not exist"), ("a word", "is not a regular file")] {
            write("secrets/team/.git", git.as_bytes());
            let why = format!("the folder of git that secrets/team/.git names {why}");
            assert_eq!(told(&["secrets"]), (vec![both[0].clone()], Some(why)));
        }
        #[cfg(unix)]
        {
            std::fs::remove_file(folder.path().join("secrets/team/.git")).unwrap();
            std::os::unix::fs::symlink("nowhere", folder.path().join("secrets/team/.git")).unwrap();
            let why = "the folder of git that secrets/team/.git names does not exist".to_owned();
            assert_eq!(told(&["secrets"]), (vec![both[0].clone()], Some(why)));
            std::fs::remove_file(folder.path().join("secrets/team/.git")).unwrap();
        }
        write("secrets/team/.git", b"gitdir: ../../modules/team");
        write("modules/team/index", b"DIRC");
        let why = "git's index has a form that is not known".to_owned();
        assert_eq!(told(&["secrets"]), (vec![both[0].clone()], Some(why)));
    }
}
