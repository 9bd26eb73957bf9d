//! Submodules of git that are not checked out: their folders are there and empty, so their manifests look deleted.
//!
//! Which folders are submodules stands in `.gitmodules`, in the work tree's folder and in those of the submodules that
//! are checked out. An archive of a work tree has it too. git itself is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::files::{FileFault, Found, MAX_MANIFEST_BYTES};
use super::neighbours::work_tree;
use crate::files::{BoundedFile, ProjectFolder};

/// The file that names a work tree's submodules.
const FILE: &str = ".gitmodules";

const NOT_CHECKED_OUT: &str =
    "it is a git submodule that is not checked out: run `git submodule update --init --recursive`";

const NOT_COPIED: &str =
    "a git submodule belongs there, which this copy of the repository lacks: check it out where the copy is made";

const UNKNOWN: &str = "it is empty, and `.gitmodules`, which says whether it is a git submodule, cannot be read";

/// The folders that submodules belong in, of those that a search found empty or that are missing where it would look,
/// with why they are passed over. They are below a project's folder.
pub(super) fn not_checked_out_below(project: &Path, found: &Found) -> Vec<(PathBuf, &'static str)> {
    let Some(root) = work_tree(project) else { return not_copied(project, found) };
    let tree = ProjectFolder::open(&root).ok();
    let base = tree.as_ref().and_then(|tree| project.strip_prefix(tree.root()).ok());
    tree.as_ref().zip(base).map(|(tree, base)| not_checked_out(tree, base, found)).unwrap_or_default()
}

/// The same in a work tree that is open. The folders are below `base`.
pub(super) fn not_checked_out(tree: &ProjectFolder, base: &Path, found: &Found) -> Vec<(PathBuf, &'static str)> {
    let mut known: BTreeMap<PathBuf, Result<BTreeSet<PathBuf>, FileFault>> = BTreeMap::new();
    let mut told = Vec::new();
    for folder in &found.empty {
        let place = base.join(folder);
        let holders = place.ancestors().skip(1).filter(|at| at.as_os_str().is_empty() || tree.has(&at.join(".git")));
        let why = holders.into_iter().find_map(|holder| {
            let submodules = known.entry(holder.to_owned()).or_insert_with(|| submodules_of(tree, holder));
            why_passed_over(submodules, place.strip_prefix(holder).ok()?, NOT_CHECKED_OUT)
        });
        told.extend(why.map(|why| (folder.clone(), why)));
    }
    told
}

fn why_passed_over(
    submodules: &Result<BTreeSet<PathBuf>, FileFault>,
    folder: &Path,
    why: &'static str,
) -> Option<&'static str> {
    match submodules {
        Err(_) => Some(UNKNOWN),
        Ok(paths) => paths.contains(folder).then_some(why),
    }
}

/// The folders of submodules that are not even there, as in archives that hold no empty folders, where they would be
/// searched.
fn missing(tree: &ProjectFolder, base: &Path, found: &Found) -> Vec<PathBuf> {
    let submodules = submodules_of(tree, Path::new("")).unwrap_or_default();
    let of_search = submodules.iter().filter_map(|path| path.strip_prefix(base).ok());
    let searched = of_search.filter(|path| path.ancestors().any(|folder| found.roots.contains(folder)));
    searched.filter(|path| !tree.has(&base.join(path))).map(Path::to_owned).collect()
}

/// In what is no work tree, as an archive of one: `.gitmodules` came along, and may be in any folder around.
fn not_copied(project: &Path, found: &Found) -> Vec<(PathBuf, &'static str)> {
    let mut told = BTreeMap::new();
    for around in project.ancestors().filter(|folder| folder.join(FILE).is_file()) {
        let Ok(tree) = ProjectFolder::open(around) else { continue };
        let Ok(base) = project.strip_prefix(tree.root()) else { continue };
        let submodules = submodules_of(&tree, Path::new(""));
        let empty = found
            .empty
            .iter()
            .filter_map(|folder| Some((folder.clone(), why_passed_over(&submodules, &base.join(folder), NOT_COPIED)?)));
        told.extend(empty);
        told.extend(missing(&tree, base, found).into_iter().map(|folder| (folder, NOT_COPIED)));
    }
    told.into_iter().collect()
}

/// The folders of the submodules of a work tree in `folder`, below it.
fn submodules_of(tree: &ProjectFolder, folder: &Path) -> Result<BTreeSet<PathBuf>, FileFault> {
    match tree.open_file(&folder.join(FILE), MAX_MANIFEST_BYTES).and_then(BoundedFile::text) {
        Ok(text) => Ok(paths(&text)),
        Err(FileFault::Missing) => Ok(BTreeSet::new()),
        Err(fault) => Err(fault),
    }
}

/// Every `path` of a section `submodule`, by the syntax of git's configuration files (git-config(1)).
fn paths(text: &str) -> BTreeSet<PathBuf> {
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    let mut paths = BTreeSet::new();
    let mut of_submodule = false;
    for line in joined.lines() {
        let mut line = line.trim_start();
        if let Some(header) = line.strip_prefix('[') {
            let name = header.split([' ', '\t', '"', '.', ']']).next().unwrap_or_default();
            of_submodule = name.eq_ignore_ascii_case("submodule");
            line = behind_header(header).trim_start();
        }
        if let Some((key, value)) = line.split_once('=')
            && of_submodule
            && key.trim().eq_ignore_ascii_case("path")
        {
            paths.extend(folder(&text_of(value)));
        }
    }
    paths
}

/// What stands behind the bracket that closes a section's header; its name may hold brackets between quotes.
fn behind_header(header: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return header.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// The text that a value stands for: quotes and escapes undone, a comment and the blanks around it left out.
fn text_of(value: &str) -> String {
    let (mut text, mut blanks, mut quoted) = (String::new(), String::new(), false);
    let mut letters = value.trim_start().chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '"' => {
                quoted = !quoted;
                continue;
            }
            '#' | ';' if !quoted => break,
            letter if letter.is_whitespace() && !quoted => {
                blanks.push(letter);
                continue;
            }
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                Some(other) => other,
                None => break,
            },
            letter => letter,
        };
        text.push_str(&blanks);
        blanks.clear();
        text.push(letter);
    }
    text
}

/// A folder below the work tree's: git takes no other.
fn folder(path: &str) -> Option<PathBuf> {
    let parts: Option<PathBuf> = Path::new(path)
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(part) => Some(part),
            _ => None,
        })
        .collect();
    parts.filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_git_reads_its_configuration() {
        let text = concat!(
            "# path = no\n[core]\n\tpath = no\n[submodule \"team\"]\n\tpath = secrets/team\n\turl = ../path = x\n",
            "[SubModule \"odd ] \\\" name\"] Path = \"a # b/c\" ; said\n",
            "[submodule.old]\n  path=./old/ # said\n\tpath = two  words\n",
            "[submodule \"up\"]\n\tpath = ../up\n\tpath = /root\n\tpath =\n",
            "[submodule \"long\"]\n\tpath = lo\\\nng\n[other \"submodule\"]\n\tpath = no\n",
        );
        let expected = ["a # b/c", "long", "old", "secrets/team", "two  words"];
        assert_eq!(paths(text), expected.into_iter().map(PathBuf::from).collect());
    }

    #[test]
    fn an_empty_folder_is_a_submodules_where_the_work_tree_that_holds_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let file = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let module = |path: &str| format!("[submodule \"x\"]\n\tpath = {path}\n");
        let told = |names: &[&str]| {
            let empty = names.iter().map(PathBuf::from).collect();
            not_checked_out_below(&root.join("shop"), &Found { empty, ..Found::default() })
        };
        let of = |names: &[&str], why| names.iter().map(|name| (PathBuf::from(name), why)).collect::<Vec<_>>();
        file(".gitmodules", &module("shop/secrets/team"));
        assert_eq!(told(&["secrets/team", "secrets/other"]), of(&["secrets/team"], NOT_COPIED), "an archive");
        let searched = |root: &str| Found { roots: BTreeSet::from([PathBuf::from(root)]), ..Found::default() };
        let missing = |found: &Found| not_checked_out_below(&root.join("shop"), found);
        assert_eq!(missing(&searched("secrets")), of(&["secrets/team"], NOT_COPIED), "and without empty folders");
        assert_eq!(missing(&searched("secrets/shop")), [], "it is not looked for there");
        file(".git", "gitdir: elsewhere");
        assert_eq!(told(&["secrets/team", "secrets/other"]), of(&["secrets/team"], NOT_CHECKED_OUT));
        // Of a submodule that is checked out, those within it; a file of this name in any other folder says nothing.
        file("shop/inner/.git", "gitdir: elsewhere");
        file("shop/inner/.gitmodules", &module("a/b"));
        file("shop/plain/.gitmodules", &module("a"));
        assert_eq!(told(&["inner/a/b", "plain/a", "a/b"]), of(&["inner/a/b"], NOT_CHECKED_OUT));
        std::fs::remove_file(root.join(".gitmodules")).unwrap();
        assert_eq!(told(&["secrets/team"]), []);
        std::fs::create_dir(root.join(".gitmodules")).unwrap();
        assert_eq!(told(&["secrets/team"]), of(&["secrets/team"], UNKNOWN));
    }
}
