//! Files that manifests name: whether they exist, and the policies in them, each read once.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::check::policy::file_policy;
use super::check::policy_template::{self, Template};
use super::codes::{self, Code};
use super::diagnostic::{Problem, Report};
use super::files::FileFault;
use super::items::Item;
use super::list::{self, ReadList};
use super::parse::parse;
use super::shared::SharedFolders;
use super::source::{Quoting, Sources, Span};
use crate::desired::PolicyTemplate;
use crate::files::{EntryKind, ProjectFile, ProjectFolder};
use crate::origin::Origin;
use crate::value::{Shape, SopsFiles, WrongSchema};

/// Largest policy file, in bytes.
const MAX_POLICY_FILE_BYTES: u64 = crate::policy::MAX_POLICY_TEXT as u64;

/// Largest schema of values, in bytes.
const MAX_SCHEMA_BYTES: u64 = 256 * 1024;
/// Largest file with a list, in bytes.
const MAX_LIST_BYTES: u64 = 8 * 1024 * 1024;

/// Longest extension by which a text is taken for a file's name, in bytes.
const MAX_EXTENSION: usize = 8;

/// What is known of the files that manifests name.
pub(crate) struct Files {
    /// None when there is no such folder yet.
    project: Option<ProjectFolder>,
    /// Files that are read as if they were there.
    added: BTreeMap<PathBuf, String>,
    resolved: HashMap<(PathBuf, String), Result<PathBuf, FileFault>>,
    policies: HashMap<PathBuf, (Option<PolicyTemplate>, Vec<Problem>)>,
    templates: HashMap<PathBuf, (Option<Rc<Template>>, Vec<Problem>)>,
    /// The folders that the project shares with others.
    shared: SharedFolders,
    lists: HashMap<PathBuf, ReadList>,
    encrypted: SopsFiles,
}

impl Files {
    /// No file is known yet.
    pub(crate) fn new(project: Option<ProjectFolder>, shared: SharedFolders, added: BTreeMap<PathBuf, String>) -> Self {
        Self {
            project,
            added,
            resolved: HashMap::new(),
            policies: HashMap::new(),
            templates: HashMap::new(),
            shared,
            lists: HashMap::new(),
            encrypted: SopsFiles::new(),
        }
    }

    /// The SOPS files that were read so far, each once.
    pub(crate) fn encrypted(&self) -> &SopsFiles {
        &self.encrypted
    }

    /// A file that the field `field` of `value` names: it must exist, be regular and inside the project. Its line is
    /// masked in reports, since it stands beneath `value`; so is a path that may be a pasted value. Gives the file, and
    /// its path for messages.
    pub(crate) fn of_value(
        &mut self,
        (named, field): (&str, &str),
        span: Span,
        sources: &Sources,
        report: &mut Report,
    ) -> Option<(ProjectFile, String)> {
        let resolved = self.resolve(named, span, sources);
        let project = self.project.as_ref().ok_or(FileFault::Missing);
        match resolved.and_then(|path| Ok(ProjectFile::new(project?, path))) {
            Ok(file) => {
                let shown = Origin::new(file.path(), 1, 1).file.to_string();
                Some((file, shown))
            }
            Err(fault) => {
                report.push(missing(&fault, span, (named, field), sources).masked(true));
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
                report.push(missing(&fault, span, (named, "policy.file"), sources));
                return None;
            }
        };
        if !self.policies.contains_key(&path) {
            let mut problems = Vec::new();
            let text = self.shared_text(&path, MAX_POLICY_FILE_BYTES);
            let policy = match text {
                Ok(text) => {
                    let file = sources.add(Origin::new(&path, 1, 1).file, "".into(), Quoting::Never);
                    let start = Span { file, line: 1, column: 1, ..Span::default() };
                    // JSON is YAML, so the reader of manifests knows where everything in it stands.
                    let tree = parse(file, &text, &mut Report::default());
                    file_policy(&text, tree.documents.first(), start, span, &mut problems)
                }
                Err(fault) => {
                    problems.push(missing(&fault, span, (named, "policy.file"), sources));
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

    /// Reads a JSON Schema that a rule names.
    pub(crate) fn value_schema(
        &mut self,
        named: &str,
        span: Span,
        sources: &Sources,
        report: &mut Report,
    ) -> Option<Shape> {
        let resolved = self.resolve(named, span, sources);
        let project = self.project.as_ref().ok_or(FileFault::Missing);
        let text = resolved.and_then(|path| project?.open_file(&path, MAX_SCHEMA_BYTES)?.text());
        let text = match text {
            Ok(text) => text,
            Err(fault) => {
                report.push(missing(&fault, span, (named, "value.schema"), sources));
                return None;
            }
        };
        Shape::parse(&text)
            .map_err(|WrongSchema(problems)| {
                for wrong in problems {
                    let problem = Problem::new(&codes::RULE, span, format!("the schema cannot be used: {wrong}"));
                    let help = "it is a part of JSON Schema of which every keyword is checked; see `keywright explain \
                                Project.spec.rules.value.schema`";
                    report.push(problem.help(help).about(wrong.to_string()));
                }
            })
            .ok()
    }

    /// Reads the template of a policy.
    pub(crate) fn template(
        &mut self,
        named: &str,
        span: Span,
        sources: &mut Sources,
        report: &mut Report,
    ) -> Option<Rc<Template>> {
        let path = match self.resolve_shared(named, span, sources) {
            Ok(path) => path,
            Err(fault) => {
                report.push(missing(&fault, span, (named, "policy.template"), sources));
                return None;
            }
        };
        if !self.templates.contains_key(&path) {
            let mut problems = Vec::new();
            let template = match self.shared_text(&path, MAX_POLICY_FILE_BYTES) {
                Ok(text) => {
                    let file = sources.add(Origin::new(&path, 1, 1).file, "".into(), Quoting::Never);
                    let start = Span { file, line: 1, column: 1, ..Span::default() };
                    let mut syntax = Report::default();
                    let tree = parse(file, &text, &mut syntax);
                    match syntax.first_error() {
                        Some((place, code)) => {
                            let message = format!("this template cannot be read ({code})");
                            let place = place.begin();
                            problems.push(Problem::new(&codes::POLICY_TEMPLATE, place, message));
                            None
                        }
                        None => policy_template::read(tree.documents.first(), start, &mut problems).map(Rc::new),
                    }
                }
                Err(fault) => {
                    problems.push(missing(&fault, span, (named, "policy.template"), sources));
                    None
                }
            };
            let told = problems.into_iter().map(|problem| problem.related(span, "the file is named here"));
            self.templates.insert(path.clone(), (template, told.collect()));
        }
        let (template, problems) = self.templates.get(&path)?;
        for problem in problems {
            report.push(problem.clone());
        }
        template.clone()
    }

    /// A file of the project, or of a folder that it shares with others.
    fn resolve_shared(&mut self, named: &str, span: Span, sources: &Sources) -> Result<PathBuf, FileFault> {
        match self.resolve(named, span, sources) {
            Err(FileFault::Outside) => self.shared.resolve(&folder_of(span, sources), named),
            found => found,
        }
    }

    fn shared_text(&self, path: &Path, limit: u64) -> Result<String, FileFault> {
        if let Some(text) = self.added.get(path) {
            return Ok(text.clone());
        }
        if path.starts_with("..") {
            return self.shared.open(path, limit)?.text();
        }
        self.project.as_ref().ok_or(FileFault::Missing)?.open_file(path, limit)?.text()
    }

    /// Reads a list of `forEach`.
    pub(crate) fn list(
        &mut self,
        (named, span): (&str, Span),
        sources: &mut Sources,
        report: &mut Report,
    ) -> Option<Rc<Vec<Item>>> {
        let path = match self.resolve(named, span, sources) {
            Ok(path) => path,
            Err(fault) => {
                report.push(missing(&fault, span, (named, "forEach.file"), sources));
                return None;
            }
        };
        if !self.lists.contains_key(&path) {
            let project = self.project.as_ref().ok_or(FileFault::Missing);
            let text = project.and_then(|project| project.open_file(&path, MAX_LIST_BYTES)?.text());
            let read = match text {
                Ok(text) => list::read(&path, &text, span, sources),
                Err(fault) => (None, vec![missing(&fault, span, (named, "forEach.file"), sources)]),
            };
            self.lists.insert(path.clone(), read);
        }
        let (items, problems) = self.lists.get(&path)?;
        for problem in problems {
            report.push(problem.clone());
        }
        items.clone()
    }

    /// Whether a manifest named this file as a list or as the template of a policy.
    pub(crate) fn names(&self, path: &Path) -> bool {
        self.lists.contains_key(path) || self.templates.contains_key(path)
    }

    fn resolve(&mut self, named: &str, span: Span, sources: &Sources) -> Result<PathBuf, FileFault> {
        let folder = folder_of(span, sources);
        if !self.added.is_empty()
            && let Some(added) = lexical(&folder.join(named)).filter(|path| self.added.contains_key(path))
        {
            return Ok(added);
        }
        let project = self.project.as_ref();
        self.resolved
            .entry((folder, named.to_owned()))
            .or_insert_with_key(|(folder, named)| {
                let project = project.ok_or(FileFault::Missing)?;
                let path = project.resolve(folder, named)?;
                if project.kind(&path)? == EntryKind::File { Ok(path) } else { Err(FileFault::NotRegular) }
            })
            .clone()
    }
}

/// The folder of the file that a place is in, below the project's.
fn folder_of(span: Span, sources: &Sources) -> PathBuf {
    Path::new(&*sources.name(span.file)).parent().unwrap_or(Path::new("")).to_owned()
}

/// What is wrong with a file that a field names, by the path that was looked at. In each target it may be another one.
fn missing(fault: &FileFault, span: Span, (named, field): (&str, &str), sources: &Sources) -> Problem {
    let folder = folder_of(span, sources);
    let path = folder.join(named);
    let shown = lexical(&path).map_or_else(|| named.to_owned(), |path| Origin::new(&path, 1, 1).file.to_string());
    let is_no_value = !field_of_value(field) || *fault == FileFault::NotRegular || ends_like_a_file(named);
    let what = if is_no_value {
        format!("`{shown}`, which `{field}` names,")
    } else {
        let folder = if folder.as_os_str().is_empty() { Path::new("the project's folder") } else { &folder };
        format!("what `{field}` names in {}", folder.display())
    };
    problem(fault, span, &what).about(shown).naming_targets()
}

/// Whether a field stands beneath `value`, so that its text may be a pasted value.
fn field_of_value(field: &str) -> bool {
    !matches!(field, "policy.file" | "policy.template" | "forEach.file" | "value.schema")
}

/// Whether a text is a file's name and hardly a value that somebody wrote in the wrong place: plain words and an
/// extension. A pasted password, AWS secret key or Base64 has other characters or no extension, and the last part of a
/// JWT or another token with dots is longer than one.
fn ends_like_a_file(named: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    named.chars().all(is_plain)
        && named.rsplit('/').next().and_then(|name| name.rsplit_once('.')).is_some_and(|(_, extension)| {
            (1..=MAX_EXTENSION).contains(&extension.len()) && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        })
}

/// The path without `.` and `..`; none where it leads out of the project.
fn lexical(path: &Path) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part),
            Component::ParentDir => {
                if !parts.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

/// What a fault of a named file means. `what` begins the sentence.
pub(crate) fn problem(fault: &FileFault, span: Span, what: &str) -> Problem {
    let (code, help): (&'static Code, Option<&str>) = match fault {
        FileFault::Missing => {
            (&codes::FILE_MISSING, Some("paths are relative to the folder of the file that they stand in"))
        }
        FileFault::NotRegular => (&codes::FILE_MISSING, None),
        FileFault::Outside => (
            &codes::FILE_OUTSIDE,
            Some("manifests may come from anybody, so they reach only files inside the project, by relative paths"),
        ),
        FileFault::NeverRead => {
            (&codes::FILE_OUTSIDE, Some("Git's own files can hold tokens, and keywright's hold what was live"))
        }
        FileFault::TooLarge(_) => (&codes::FILE_TOO_LARGE, None),
        FileFault::NotUtf8(_) => (&codes::FILE_NOT_UTF8, None),
        FileFault::Utf16 => {
            (&codes::FILE_NOT_UTF8, Some("save it as UTF-8 (in PowerShell: Out-File -Encoding utf8NoBOM)"))
        }
        FileFault::LfsPointer => (&codes::LFS_POINTER, Some("`git lfs pull` fetches the content")),
        FileFault::Unreadable(_) => (&codes::FILE_UNREADABLE, None),
        FileFault::TooMany => (&codes::TOO_MANY_FILES, None),
    };
    let text = match fault {
        FileFault::TooMany => format!("has more than {} manifests", super::files::MAX_FILES),
        fault => fault.to_string(),
    };
    Problem::new(code, span, format!("{what} {text}")).help_if(help.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ends_like_a_file_is_quoted() {
        for file in ["missing.json", "../../etc/x.conf", "./certs/tls.crt", "a.p12", "db.sops.yaml", ".env", "c/.env"] {
            assert!(ends_like_a_file(file), "{file}");
        }
        let values = [
            "",
            "hunter2",
            "c2VjcmV0/dGhpcyBpcw+x==",
            "c2VjcmV0/dGhpcyBpcwx",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            "Summer.2026",
            "p@ss.word",
            "postgres://app:hunter2@db.example.com",
            "correct horse.battery",
            "a.b/c",
        ];
        for value in values {
            assert!(!ends_like_a_file(value), "{value}");
        }
    }
}
