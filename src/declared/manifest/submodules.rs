//! Submodules of git that are not checked out: their folders are there and empty, so their manifests look deleted.
//!
//! Which folders are submodules stands in `.gitmodules`, in the work tree's folder and in those of the submodules that
//! are checked out. It is read only where a folder among the manifests is empty. git itself is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::files::{FileFault, MAX_MANIFEST_BYTES};
use super::neighbours::work_tree;
use crate::files::{BoundedFile, ProjectFolder};

/// The file that names a work tree's submodules.
const FILE: &str = ".gitmodules";

const NOT_CHECKED_OUT: &str =
    "it is a git submodule that is not checked out: run `git submodule update --init --recursive`";

const UNKNOWN: &str = "it is empty, and `.gitmodules`, which says whether it is a git submodule, cannot be read";

/// The folders among `empty` that submodules belong in, with why they are passed over. They are below a project's
/// folder.
pub(super) fn not_checked_out_below(project: &Path, empty: &[PathBuf]) -> Vec<(PathBuf, &'static str)> {
    if empty.is_empty() {
        return Vec::new();
    }
    let tree = work_tree(project).and_then(|root| ProjectFolder::open(&root).ok());
    let base = tree.as_ref().and_then(|tree| project.strip_prefix(tree.root()).ok());
    tree.as_ref().zip(base).map(|(tree, base)| not_checked_out(tree, base, empty)).unwrap_or_default()
}

/// The same in a work tree that is open. The folders are below `base`.
pub(super) fn not_checked_out(tree: &ProjectFolder, base: &Path, empty: &[PathBuf]) -> Vec<(PathBuf, &'static str)> {
    let mut known: BTreeMap<PathBuf, Result<BTreeSet<PathBuf>, FileFault>> = BTreeMap::new();
    let mut found = Vec::new();
    for folder in empty {
        let place = base.join(folder);
        let holders = place.ancestors().skip(1).filter(|at| at.as_os_str().is_empty() || tree.has(&at.join(".git")));
        let why = holders.into_iter().find_map(|holder| {
            let submodules = known.entry(holder.to_owned()).or_insert_with(|| submodules_of(tree, holder));
            match submodules {
                Err(_) => Some(UNKNOWN),
                Ok(paths) => {
                    place.strip_prefix(holder).is_ok_and(|path| paths.contains(path)).then_some(NOT_CHECKED_OUT)
                }
            }
        });
        found.extend(why.map(|why| (folder.clone(), why)));
    }
    found
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
            let empty: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
            not_checked_out_below(&root.join("shop"), &empty)
        };
        let of = |names: &[&str], why| names.iter().map(|name| (PathBuf::from(name), why)).collect::<Vec<_>>();
        file(".gitmodules", &module("shop/secrets/team"));
        assert_eq!(told(&["secrets/team"]), [], "it is no work tree");
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
