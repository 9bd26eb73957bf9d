//! `spec.include`: folders of the same git work tree that several projects share, for templates, rules and Defaults.
//!
//! They are read through a handle of the work tree, so that nothing outside it is reached by any link; of the work tree
//! nothing is read but the folders that the project names. They are never written to.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::check::project::{Project, check_api_version, key_span};
use super::check::required;
use super::codes;
use super::decode::decode;
use super::diagnostic::{Problem, Report};
use super::files::{FileFault, Found, MAX_MANIFEST_BYTES, PROJECT_FILES};
use super::folder_defaults::{check_defaults, defaults_twice};
use super::load::Loader;
use super::named;
use super::neighbours::work_tree;
use super::parse::{Parsed, parse};
use super::schema::RulesDocument;
use super::source::{Quoting, Span};
use super::submodules::not_checked_out;
use super::tree::{Kind, Node};
use crate::files::{BoundedFile, EntryKind, ProjectFolder};
use crate::origin::Origin;

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
    pub(super) fn path_from_project(&self, found: &Path) -> PathBuf {
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
            match shared_folder(&tree, &base, named) {
                Ok(found) => self.shared.folders.push(found),
                Err(NotShared::Fault(fault)) => {
                    self.report.push(named::problem(&fault, *span, &format!("`{named}`")));
                }
                Err(NotShared::Because(why, label)) => {
                    let problem = Problem::new(&codes::INCLUDE, *span, format!("`{named}` {why}"));
                    self.report.push(problem.label(label));
                }
            }
        }
        let mut found = Found::default();
        for folder in &self.shared.folders {
            found.search(&tree, folder);
        }
        found.skipped.extend(not_checked_out(&tree, Path::new(""), &found));
        self.shared.base = base;
        self.shared_left_out(&tree, &found);
        self.shared.tree = Some(tree);
        project.include = include;
        self.shared_files(&found, project);
    }

    /// Reads the files of shared folders, and tells what is not read of them.
    fn shared_files(&mut self, found: &Found, project: &mut Project) {
        for (path, fault) in &found.faults {
            self.shared_fault(path, fault);
        }
        for (path, why) in &found.skipped {
            self.pass_over_shared(path, why);
        }
        let mut defaults = HashMap::new();
        for path in &found.files {
            // A link may lead to any file of the work tree.
            if self.shared.folders.iter().any(|folder| path.starts_with(folder)) {
                self.shared_file(path, &mut defaults, project);
            } else {
                self.shared_fault(path, &FileFault::Outside);
            }
        }
    }

    fn shared_fault(&mut self, path: &Path, fault: &FileFault) {
        let name = Origin::new(&self.shared.path_from_project(path), 1, 1).file;
        let place = self.nowhere(&name);
        self.report.push(named::problem(fault, place, &format!("`{name}`")));
    }

    /// Warns of something in a shared folder that is not read.
    fn pass_over_shared(&mut self, path: &Path, why: &str) {
        let name = Origin::new(&self.shared.path_from_project(path), 1, 1).file;
        let place = self.nowhere(&name);
        let problem = Problem::new(&codes::PASSED_OVER, place, format!("`{name}` is passed over: {why}"));
        self.report.push(problem.help("Defaults and Rules in it do not hold"));
    }

    fn shared_file(&mut self, path: &Path, defaults: &mut HashMap<PathBuf, Span>, project: &mut Project) {
        let Some(tree) = &self.shared.tree else { return };
        let text = match tree.open_file(path, MAX_MANIFEST_BYTES).and_then(BoundedFile::text) {
            Ok(text) => text,
            Err(fault) => return self.shared_fault(path, &fault),
        };
        // What is not ours may lie there too.
        if !text.contains("keywright/") {
            return;
        }
        let shown = Origin::new(&self.shared.path_from_project(path), 1, 1).file;
        let file = self.sources.add(shown, text.as_str().into(), Quoting::Lines);
        self.files += 1;
        let Parsed { documents, incomplete, .. } = parse(file, &text, &mut self.report);
        if documents.is_empty() && !incomplete {
            self.pass_over_shared(path, "it holds no document");
        }
        for tree in documents {
            match tree.get("kind").and_then(Node::as_str) {
                Some("Defaults") => {
                    check_defaults(&tree, &mut self.report);
                    let kind = key_span(&tree, &["kind"]);
                    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                    match defaults.get(&folder) {
                        Some(first) => {
                            let name = self.shared.path_from_project(&folder);
                            self.report.push(defaults_twice(&name.display().to_string(), kind, *first));
                        }
                        None => _ = defaults.insert(folder, kind),
                    }
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

/// Why a folder is not shared.
enum NotShared {
    Fault(FileFault),
    /// In words that follow its name, and in some beneath the line.
    Because(&'static str, &'static str),
}

/// The folder that a project in `base` names, below the work tree.
fn shared_folder(tree: &ProjectFolder, base: &Path, named: &str) -> Result<PathBuf, NotShared> {
    let found = tree.resolve(base, named).map_err(|fault| match fault {
        FileFault::Outside => NotShared::Because("is outside the git work tree", "leads out of it"),
        fault => NotShared::Fault(fault),
    })?;
    match tree.kind(&found).map_err(NotShared::Fault)? {
        EntryKind::Folder if base.starts_with(&found) || found.starts_with(base) => {
            Err(NotShared::Because("is a folder of the project itself, or lies around it", "not shared"))
        }
        EntryKind::Folder if PROJECT_FILES.iter().any(|file| tree.has(&found.join(file))) => {
            Err(NotShared::Because("holds a project of its own", "name a folder below it that several share"))
        }
        EntryKind::Folder => Ok(found),
        _ => Err(NotShared::Because("is no folder", "")),
    }
}

/// Adds the rules of a Rules document.
fn add_rules(tree: &Node, project: &mut Project, report: &mut Report) {
    let Some(document) = decode::<RulesDocument>(tree, true, report) else { return };
    let RulesDocument { api_version, kind: _, spec } = &document;
    let kind = key_span(tree, &["kind"]);
    check_api_version(api_version, kind, report);
    let Some(spec) = required(spec, "Rules.spec", kind, report) else { return };
    let spec_key = key_span(tree, &["spec"]);
    let Some(_) = required(&spec.value.rules, "Rules.spec.rules", spec_key, report) else { return };
    let mut rules = std::mem::take(&mut project.rules);
    rules.add(&spec.value.rules, project, report);
    project.rules = rules;
}
