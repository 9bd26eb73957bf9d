//! Reading a project's files: which ones there are, and what documents are in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::project::{Project, key_span};
use super::codes;
use super::diagnostic::{Problem, Report};
use super::document::{DocumentKind, document_kind, may_be_named};
use super::entry::SecretEntry;
use super::files::{FileFault, Found, MAX_MANIFEST_BYTES, PROJECT_FILES, is_encrypted, is_yaml};
use super::load::Loader;
use super::named;
use super::parse::{Parsed, parse};
use super::source::{Quoting, Span};
use super::submodules::not_checked_out_below;
use super::tree::Node;
use crate::every_core::on_every_core;
use crate::files::BoundedFile;
use crate::origin::Origin;

impl Loader {
    /// A place in a file of which nothing is shown.
    pub(super) fn nowhere(&mut self, name: &str) -> Span {
        let file = self.sources.add(name.into(), "".into(), Quoting::Never);
        Span { file, line: 1, column: 1, ..Span::default() }
    }

    /// Reads every manifest.
    pub(super) fn manifests(&mut self, project: &Project) {
        let mut found = Found::default();
        match (&project.manifests, &self.folder) {
            (None, Some(folder)) => found.search(folder, Path::new("")),
            (None, None) => {}
            (Some(listed), folder) => {
                for (named, span) in listed {
                    let to_come = self.folders_to_come && named.ends_with('/');
                    let added = folder.as_ref().map_or(Err(FileFault::Missing), |folder| found.add(folder, named));
                    if let Err(fault) = added
                        && !(to_come && fault == FileFault::Missing)
                    {
                        self.report.push(named::problem(&fault, *span, &format!("`{named}`")));
                        self.incomplete = true;
                    }
                }
            }
        }
        let is_manifest = |path: &&PathBuf| is_yaml(&file_name(path));
        found.files.extend(self.added.keys().filter(is_manifest).cloned());
        for (path, fault) in &found.faults {
            let name = Origin::new(path, 1, 1).file;
            let place = self.nowhere(&name);
            self.report.push(named::problem(fault, place, &format!("`{name}`")));
            self.incomplete = true;
        }
        for (path, why) in not_checked_out_below(&self.root, &found) {
            self.pass_over(&path, why);
            // A guard names the first of these, so it says what to do.
            if let Some(last) = self.skipped.last_mut() {
                *last = format!("{last} ({why})");
            }
        }
        self.manifests_left_out(&found);
        for (path, why) in &found.skipped {
            self.pass_over(path, why);
        }
        let mut opened = Vec::new();
        for path in found.files {
            if PROJECT_FILES.iter().any(|name| path == Path::new(name)) {
                continue;
            }
            let name = file_name(&path);
            // Encrypted files lie beside manifests. One that names our API is read all the same: nobody expects it to
            // be passed over.
            if is_encrypted(&name) && !found.named.contains(&path) {
                match self.text(&path) {
                    Ok(text) if text.contains("keywright/") => {}
                    Ok(text) if text.trim().is_empty() => {
                        self.pass_over(&path, "it is empty");
                        continue;
                    }
                    Err(FileFault::Unreadable(_)) => {
                        self.pass_over(&path, "it cannot be read");
                        continue;
                    }
                    _ => continue,
                }
            }
            opened.extend(self.open(&path).map(|text| (path, text)));
        }
        // What is said of them is in the order of their names, however they are shared out.
        let parsed = on_every_core(&opened, |(_, (file, text))| {
            let mut report = Report::default();
            (parse(*file, text, &mut report), report)
        });
        for ((path, _), (parsed, report)) in opened.iter().zip(parsed) {
            self.report.take_in(report);
            self.take_in(path, parsed);
        }
    }

    /// Takes in what the documents of a manifest declare.
    fn take_in(&mut self, path: &Path, parsed: Parsed) {
        let Parsed { documents, incomplete, .. } = parsed;
        // Of a file with mistakes, nothing else is said.
        if !incomplete && documents.is_empty() {
            self.pass_over(path, "it holds no document");
        }
        self.incomplete |= incomplete;
        let name = file_name(path);
        for tree in documents {
            if let Some(problem) = may_be_named(&tree, &name) {
                self.unnamed.push((path.to_owned(), problem));
                continue;
            }
            match document_kind(&tree, &name, &mut self.report, &mut self.incomplete) {
                Some(DocumentKind::Secret) => self.secrets.push(SecretEntry::of(tree)),
                Some(DocumentKind::Defaults) => {
                    let folder = path.parent().unwrap_or(Path::new(""));
                    self.defaults.add(folder, tree, &mut self.report);
                }
                Some(DocumentKind::Project) => self.report.push(
                    Problem::new(
                        &codes::PROJECT_TWICE,
                        key_span(&tree, &["kind"]),
                        "a Project document outside keywright.yaml",
                    )
                    .help(
                        "a project has one Project document; another project has a folder and a keywright.yaml of its \
                         own",
                    ),
                ),
                None => {}
            }
        }
    }

    /// Warns of something that is not read: what it declares would look like orphans.
    pub(super) fn pass_over(&mut self, path: &Path, why: &str) {
        let name = Origin::new(path, 1, 1).file;
        let place = self.nowhere(&name);
        let help = "while it is passed over, no secret without a manifest is removed";
        let problem = Problem::new(&codes::PASSED_OVER, place, format!("`{name}` is passed over: {why}")).help(help);
        self.report.push(problem);
        self.skipped.push(name.to_string());
    }

    /// The documents of a file; `None` when it cannot be read at all.
    pub(super) fn read(&mut self, path: &Path) -> Option<Vec<Node>> {
        let (file, text) = self.open(path)?;
        let Parsed { documents, incomplete, .. } = parse(file, &text, &mut self.report);
        self.incomplete |= incomplete;
        Some(documents)
    }

    /// The text of a file, and its index; `None` when it cannot be read.
    fn open(&mut self, path: &Path) -> Option<(u32, Arc<str>)> {
        self.files += 1;
        let name = Origin::new(path, 1, 1).file;
        let added = self.added.get(path).cloned();
        match added.map_or_else(|| self.text(path), Ok) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                Some((self.sources.add(name, Arc::clone(&text), Quoting::Lines), text))
            }
            Err(fault) => {
                self.incomplete = true;
                let place = self.nowhere(&name);
                self.report.push(named::problem(&fault, place, "this file"));
                None
            }
        }
    }

    pub(super) fn text(&self, path: &Path) -> Result<String, FileFault> {
        let folder = self.folder.as_ref().ok_or(FileFault::Missing)?;
        folder.open_file(path, MAX_MANIFEST_BYTES).and_then(BoundedFile::text)
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
