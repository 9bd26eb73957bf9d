//! Defaults documents: one for a folder, for all secrets in it and below it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::check::project::{Project, check_api_version, key_span};
use super::check::required;
use super::codes;
use super::decode::decode;
use super::diagnostic::{Problem, Report};
use super::schema::DefaultsDocument;
use super::secrets::{check_override_targets, check_unsets};
use super::source::Span;
use super::tree::Node;

/// The Defaults documents of a project, by the folders of their files.
#[derive(Default)]
pub(super) struct FolderDefaults {
    trees: Vec<Node>,
    at: HashMap<PathBuf, usize>,
}

impl FolderDefaults {
    /// Takes the Defaults document of a folder in.
    pub(super) fn add(&mut self, folder: &Path, tree: Node, report: &mut Report) {
        let Some(first) = self.at.get(folder).and_then(|at| self.trees.get(*at)) else {
            self.at.insert(folder.to_owned(), self.trees.len());
            self.trees.push(tree);
            return;
        };
        let top = folder.as_os_str().is_empty();
        let name = if top { "the project's folder".to_owned() } else { folder.display().to_string() };
        report.push(defaults_twice(&name, key_span(&tree, &["kind"]), key_span(first, &["kind"])));
    }

    /// Reads every document once as it is written.
    pub(super) fn check(&self, project: &Project, report: &mut Report) {
        for tree in &self.trees {
            if let Some(document) = check_defaults(tree, report) {
                check_override_targets(&document.spec, project, report);
            }
        }
    }

    /// Those for a manifest, the outermost first.
    pub(super) fn around(&self, manifest: impl AsRef<Path>) -> Vec<&Node> {
        let folders = manifest.as_ref().ancestors().skip(1);
        let mut found: Vec<&Node> = folders.filter_map(|folder| self.trees.get(*self.at.get(folder)?)).collect();
        found.reverse();
        found
    }

    /// The folders that have one, and the project's own.
    pub(super) fn folders(&self) -> BTreeSet<&Path> {
        self.at.keys().map(PathBuf::as_path).chain([Path::new("")]).collect()
    }
}

/// Reads a Defaults document as it is written, and reports what is wrong with it in every project.
pub(super) fn check_defaults(tree: &Node, report: &mut Report) -> Option<DefaultsDocument> {
    let document = decode::<DefaultsDocument>(tree, true, report)?;
    let DefaultsDocument { api_version, kind: _, spec } = &document;
    check_api_version(api_version, key_span(tree, &["kind"]), report);
    required(spec, "Defaults.spec", key_span(tree, &["kind"]), report);
    check_unsets(spec, report);
    Some(document)
}

/// What is wrong with a second Defaults document in a folder.
pub(super) fn defaults_twice(folder: &str, again: Span, first: Span) -> Problem {
    Problem::new(&codes::DEFAULTS_TWICE, again, format!("there are two Defaults documents in {folder}"))
        .label("again here")
        .related(first, "first here")
        .help("which of them is nearer to a secret could not be told: join them")
}
