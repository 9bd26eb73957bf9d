//! Files that manifests name: whether they exist, and the policies in them, each read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::check::policy::file_policy;
use super::codes::{self, Code};
use super::diagnostic::{Problem, Report};
use super::files::{FileFault, read_text, resolve};
use super::parse::parse;
use super::source::{Quoting, Sources, Span};
use crate::desired::PolicyTemplate;
use crate::origin::Origin;
use crate::value::SopsFiles;

/// Largest policy file, in bytes: a policy of the greatest size, generously indented.
const MAX_POLICY_FILE_BYTES: u64 = 8 * crate::policy::MAX_POLICY_BYTES as u64;

/// What is known of the files that manifests name.
pub(crate) struct Files {
    root: PathBuf,
    resolved: HashMap<(PathBuf, String), Result<PathBuf, FileFault>>,
    policies: HashMap<PathBuf, (Option<PolicyTemplate>, Vec<Problem>)>,
    encrypted: SopsFiles,
}

impl Files {
    /// No file is known yet. `root` is the canonical folder of the project.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, resolved: HashMap::new(), policies: HashMap::new(), encrypted: SopsFiles::new() }
    }

    /// The SOPS files that were read so far, each once.
    pub(crate) fn encrypted(&self) -> &SopsFiles {
        &self.encrypted
    }

    /// A file of `value`: it must exist, be regular and inside the project. Its path is masked in reports, since it
    /// stands beneath `value`. Gives the path, and the path relative to the project.
    pub(crate) fn of_value(
        &mut self,
        named: &str,
        span: Span,
        sources: &Sources,
        report: &mut Report,
    ) -> Option<(PathBuf, String)> {
        match self.resolve(named, span, sources) {
            Ok(path) => {
                let shown = Origin::new(path.strip_prefix(&self.root).unwrap_or(&path), 1, 1).file.to_string();
                Some((path, shown))
            }
            Err(fault) => {
                report.push(problem(&fault, span, "a file of `value`").masked(true));
                None
            }
        }
    }

    /// Reads a policy file.
    pub(crate) fn policy(
        &mut self,
        named: &str,
        span: Span,
        sources: &mut Sources,
        report: &mut Report,
    ) -> Option<PolicyTemplate> {
        let path = match self.resolve(named, span, sources) {
            Ok(path) => path,
            Err(fault) => {
                report.push(problem(&fault, span, &format!("the policy file `{named}`")));
                return None;
            }
        };
        if !self.policies.contains_key(&path) {
            let mut problems = Vec::new();
            let policy = match read_text(&path, MAX_POLICY_FILE_BYTES) {
                Ok(text) => {
                    let relative = path.strip_prefix(&self.root).unwrap_or(&path);
                    let file = sources.add(Origin::new(relative, 1, 1).file, "".into(), Quoting::Never);
                    let start = Span { file, line: 1, column: 1, ..Span::default() };
                    // JSON is YAML, so the reader of manifests knows where everything in it stands.
                    let tree = parse(file, &text, &mut Sources::default(), &mut Report::default());
                    file_policy(&text, tree.documents.first(), start, span, &mut problems)
                }
                Err(fault) => {
                    problems.push(problem(&fault, span, &format!("the policy file `{named}`")));
                    None
                }
            };
            self.policies.insert(path.clone(), (policy, problems));
        }
        let (policy, problems) = self.policies.get(&path)?;
        for problem in problems {
            report.push(problem.clone());
        }
        policy.clone()
    }

    fn resolve(&mut self, named: &str, span: Span, sources: &Sources) -> Result<PathBuf, FileFault> {
        let manifest = sources.name(span.file);
        let folder = self.root.join(Path::new(&*manifest).parent().unwrap_or(Path::new("")));
        let root = &self.root;
        self.resolved
            .entry((folder, named.to_owned()))
            .or_insert_with_key(|(folder, named)| {
                let path = resolve(root, folder, named)?;
                if path.is_file() { Ok(path) } else { Err(FileFault::NotRegular) }
            })
            .clone()
    }
}

/// What a fault of a named file means. `what` begins the sentence.
pub(crate) fn problem(fault: &FileFault, span: Span, what: &str) -> Problem {
    let (code, text, help): (&'static Code, String, Option<&str>) = match fault {
        FileFault::Missing => (
            &codes::FILE_MISSING,
            "does not exist".into(),
            Some("paths are relative to the folder of the file that they stand in"),
        ),
        FileFault::NotRegular => (&codes::FILE_MISSING, "is not a regular file".into(), None),
        FileFault::Outside => (
            &codes::FILE_OUTSIDE,
            "is outside the project".into(),
            Some("manifests may come from anybody, so they reach only files inside the project, by relative paths"),
        ),
        FileFault::TooLarge(limit) => (&codes::FILE_TOO_LARGE, format!("is larger than {limit} bytes"), None),
        FileFault::NotUtf8(at) => (&codes::FILE_NOT_UTF8, format!("is not UTF-8 (byte {})", at + 1), None),
        FileFault::Unreadable(error) => (&codes::FILE_UNREADABLE, format!("cannot be read: {error}"), None),
        FileFault::TooMany => {
            (&codes::TOO_MANY_FILES, format!("has more than {} manifests", super::files::MAX_FILES), None)
        }
    };
    Problem::new(code, span, format!("{what} {text}")).help_if(help.map(str::to_owned))
}
