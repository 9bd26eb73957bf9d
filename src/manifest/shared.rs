//! `spec.include`: folders of the same git work tree that several projects share, for templates, rules and Defaults.
//!
//! They are read through a handle of the work tree, so that nothing outside it is reached by any link; of the work tree
//! nothing is read but the folders that the project names. They are never written to.

use std::path::{Component, Path, PathBuf};

use super::check::project::{Project, key_span};
use super::check::rule::check_rules;
use super::codes;
use super::decode::decode;
use super::diagnostic::{Problem, Report};
use super::files::{FileFault, MAX_MANIFEST_BYTES, is_yaml};
use super::load::Loader;
use super::named;
use super::neighbours::work_tree;
use super::parse::parse;
use super::schema::{DefaultsDocument, RulesDocument};
use super::source::Quoting;
use super::tree::{Kind, Node};
use crate::files::{BoundedFile, EntryKind, ProjectFolder};
use crate::origin::Origin;

/// Most files of shared folders that are looked into, and how deep.
const MAX_FILES: usize = 1_000;
const MAX_DEPTH: usize = 16;

/// The folders that a project shares with others.
#[derive(Clone, Default)]
pub(crate) struct SharedFolders {
    tree: Option<ProjectFolder>,
    /// The project's folder below the work tree.
    base: PathBuf,
    /// The shared folders below the work tree, without links.
    folders: Vec<PathBuf>,
}

impl SharedFolders {
    /// A file that somebody in a folder of the project names, as a path from the project: it begins with `..`.
    pub(crate) fn resolve(&self, folder: &Path, named: &str) -> Result<PathBuf, FileFault> {
        let tree = self.tree.as_ref().ok_or(FileFault::Outside)?;
        let found = tree.resolve(&self.base.join(folder), named)?;
        if !self.folders.iter().any(|shared| found.starts_with(shared)) {
            return Err(FileFault::Outside);
        }
        if tree.kind(&found)? != EntryKind::File {
            return Err(FileFault::NotRegular);
        }
        Ok(self.path_from_project(&found))
    }

    /// Opens a file by its path from the project.
    pub(crate) fn open(&self, path: &Path, limit: u64) -> Result<BoundedFile, FileFault> {
        let up = self.base.iter().count();
        let found: PathBuf = path.components().skip(up).collect();
        self.tree.as_ref().ok_or(FileFault::Outside)?.open_file(&found, limit)
    }

    /// A path below the work tree as one from the project.
    fn path_from_project(&self, found: &Path) -> PathBuf {
        let up = self.base.iter().map(|_| Component::ParentDir.as_os_str());
        up.chain(found.iter()).collect()
    }
}

impl Loader {
    /// Reads what the project shares with others: Defaults lie beneath its own, and rules hold beside its own.
    pub(super) fn read_shared(&mut self, project: &mut Project) {
        let include = std::mem::take(&mut project.include);
        let Some((_, first)) = include.first() else { return };
        let tree = work_tree(&self.root).and_then(|root| ProjectFolder::open(&root).ok());
        let base = tree.as_ref().and_then(|tree| self.root.strip_prefix(tree.root()).ok().map(Path::to_owned));
        let (Some(tree), Some(base)) = (tree, base) else {
            let message = "the project lies in no git work tree, so it shares no folder with others";
            self.report.push(Problem::new(&codes::INCLUDE, *first, message));
            return;
        };
        for (named, span) in &include {
            let place = match tree.resolve(&base, named).and_then(|found| Ok((tree.kind(&found)?, found))) {
                Ok((EntryKind::Folder, found)) if base.starts_with(&found) || found.starts_with(&base) => {
                    let message = format!("`{named}` is a folder of the project itself, or lies around it");
                    self.report.push(Problem::new(&codes::INCLUDE, *span, message).label("not shared"));
                    continue;
                }
                Ok((EntryKind::Folder, found)) => found,
                Ok(_) => {
                    self.report.push(Problem::new(&codes::INCLUDE, *span, format!("`{named}` is no folder")));
                    continue;
                }
                Err(FileFault::Outside) => {
                    let message = format!("`{named}` is outside the git work tree");
                    self.report.push(Problem::new(&codes::INCLUDE, *span, message).label("leads out of it"));
                    continue;
                }
                Err(fault) => {
                    self.report.push(named::problem(&fault, *span, &format!("`{named}`")));
                    continue;
                }
            };
            self.shared.folders.push(place);
        }
        (self.shared.tree, self.shared.base) = (Some(tree), base);
        let folders = self.shared.folders.clone();
        let mut left = MAX_FILES;
        for folder in folders {
            self.shared_folder(&folder, 0, &mut left, project);
        }
        project.include = include;
    }

    fn shared_folder(&mut self, folder: &Path, depth: usize, left: &mut usize, project: &mut Project) {
        let entries = self.shared.tree.as_ref().and_then(|tree| tree.entries(folder).ok());
        let mut entries = entries.unwrap_or_default();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, kind) in entries {
            let (path, name) = (folder.join(&name), name.to_string_lossy().into_owned());
            match kind {
                EntryKind::Folder if depth < MAX_DEPTH && !name.starts_with('.') => {
                    self.shared_folder(&path, depth + 1, left, project);
                }
                EntryKind::File if is_yaml(&name) && *left > 0 => {
                    *left -= 1;
                    self.shared_file(&path, project);
                }
                _ => {}
            }
        }
    }

    fn shared_file(&mut self, path: &Path, project: &mut Project) {
        let Some(tree) = &self.shared.tree else { return };
        let text = tree.open_file(path, MAX_MANIFEST_BYTES).and_then(BoundedFile::text);
        let shown = Origin::new(&self.shared.path_from_project(path), 1, 1).file;
        let text = match text {
            Ok(text) => text,
            Err(fault) => {
                let place = self.nowhere(&shown);
                self.report.push(named::problem(&fault, place, "this file"));
                return;
            }
        };
        // What is not ours may lie there too.
        if !text.contains("keywright/") {
            return;
        }
        let file = self.sources.add(shown, text.as_str().into(), Quoting::Lines);
        self.files += 1;
        for tree in parse(file, &text, &mut self.report).documents {
            match tree.get("kind").and_then(Node::as_str) {
                Some("Defaults") => {
                    decode::<DefaultsDocument>(&tree, true, &mut self.report);
                    project.shared.push(tree);
                }
                Some("Rules") => add_rules(&tree, project, &mut self.report),
                _ if !matches!(tree.kind, Kind::Map(_)) || tree.get("apiVersion").is_none() => {}
                _ => {
                    let message = "a shared folder holds Defaults, Rules and templates, and no secrets";
                    let place = key_span(&tree, &["kind"]);
                    self.report.push(Problem::new(&codes::INCLUDE, place, message).label("not shared"));
                }
            }
        }
    }
}

/// Adds the rules of a Rules document.
fn add_rules(tree: &Node, project: &mut Project, report: &mut Report) {
    let Some(document) = decode::<RulesDocument>(tree, true, report) else { return };
    let Some(spec) = document.spec.value() else { return };
    let rules = check_rules(&spec.rules, project, report);
    project.rules.extend(rules);
}
