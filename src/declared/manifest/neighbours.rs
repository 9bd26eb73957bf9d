//! The other projects of a git work tree. A project's name is the owner that is written to its secrets, so two of one
//! name would take each other's secrets for orphans: `init` and `import` make names that no other project has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::diagnostic::Report;
use super::files::{MAX_MANIFEST_BYTES, PROJECT_FILES};
use super::parse::parse;
use crate::files::{EntryKind, ProjectFolder};

/// Folders that are looked into. A work tree with more is not searched to its end: the name is then checked against
/// what was found, and against what is live when a plan is made.
const MAX_FOLDERS: usize = 20_000;

/// The git work tree that holds a folder, which need not exist yet.
pub fn work_tree(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(Path::new(".").join(folder)).ok()?;
    // A link counts that leads nowhere, as where a container has the work tree and not the repository.
    folder.ancestors().find(|ancestor| ancestor.join(".git").symlink_metadata().is_ok()).map(Path::to_owned)
}

/// The names of the projects in a work tree, with their files, but for the project in `own`.
pub fn projects_beside(own: &Path) -> BTreeMap<String, PathBuf> {
    let mut projects = BTreeMap::new();
    let Some(tree) = work_tree(own).and_then(|root| ProjectFolder::open(&root).ok()) else { return projects };
    let own = std::fs::canonicalize(own).ok();
    let mut folders = vec![PathBuf::new()];
    let mut looked_into = 0;
    while let Some(folder) = folders.pop() {
        looked_into += 1;
        if looked_into > MAX_FOLDERS {
            break;
        }
        for (name, kind) in tree.entries(&folder).unwrap_or_default() {
            let path = folder.join(&name);
            let text = name.to_string_lossy();
            match kind {
                EntryKind::Folder if !text.starts_with('.') && text != "node_modules" && text != "target" => {
                    folders.push(path);
                }
                EntryKind::File if PROJECT_FILES.contains(&&*text) => {
                    let whole = tree.root().join(&path);
                    if whole.parent() != own.as_deref()
                        && let Some(project) = name_in(&tree, &path)
                    {
                        projects.insert(project, whole);
                    }
                }
                _ => {}
            }
        }
    }
    projects
}

/// `metadata.name` of a project file; none when it cannot be read.
fn name_in(tree: &ProjectFolder, path: &Path) -> Option<String> {
    let text = tree.open_file(path, MAX_MANIFEST_BYTES).ok()?.text().ok()?;
    let parsed = parse(0, &text, &mut Report::default());
    parsed.documents.iter().find_map(|document| document.get("metadata")?.get("name")?.as_str().map(str::to_owned))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn projects_of_the_work_tree_are_found_but_for_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        for (at, name) in [("a", "one"), ("b/c", "two"), ("node_modules/x", "three"), (".hidden", "four")] {
            std::fs::create_dir_all(root.join(at)).unwrap();
            let text = format!("kind: Project\nmetadata:\n  name: {name}\n");
            std::fs::write(root.join(at).join("keywright.yaml"), text).unwrap();
        }
        assert!(projects_beside(&root.join("a")).is_empty(), "no work tree, no neighbours");
        std::fs::create_dir(root.join(".git")).unwrap();
        let names = |own: &str| projects_beside(&root.join(own)).into_keys().collect::<Vec<_>>();
        assert_eq!(names("a"), ["two"]);
        assert_eq!(names("not/there/yet"), ["one", "two"]);
        std::fs::write(root.join("b/c/keywright.yaml"), "{").unwrap();
        assert!(names("a").is_empty());
    }
}
