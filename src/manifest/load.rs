//! From a project's folder to one desired state for each target: the steps of the room, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::check::dependencies::{Built, check_dependencies};
use super::check::parity::ValueKeys;
use super::check::project::{Project, check_api_version, check_project, key_span};
use super::check::renamed::check_renames;
use super::check::required;
use super::check::secret::Builder;
use super::check::target::TargetModel;
use super::codes;
use super::decode::decode;
use super::diagnostic::{Diagnostics, Problem, Report, listed, nearest};
use super::document::{DocumentKind, document_kind};
use super::entry::SecretEntry;
use super::field::Field;
use super::files::{FileFault, Found, MAX_MANIFEST_BYTES, PROJECT_FILES, is_encrypted};
use super::named::{self, Files};
use super::outline::Outline;
use super::parse::{Parsed, parse};
use super::schema::{API_VERSION, ProjectDocument, SPEC_FIELDS, SecretDocument};
use super::source::{Quoting, Sources, Span};
use super::tree::Node;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::files::{BoundedFile, ProjectFolder};
use crate::origin::Origin;

/// What to load of a project.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Names of the targets; empty for all of them.
    pub targets: Vec<String>,
    /// Files that are read as if they were there: path below the project's folder, and text. They tell what a project
    /// would be like before anything is written.
    pub added: BTreeMap<PathBuf, String>,
    /// Folders of manifests that are not there yet are empty, and no mistake: a command is about to fill them.
    pub folders_to_come: bool,
}

/// A project that was read.
#[derive(Debug)]
pub struct Loaded {
    /// The project's folder, with symbolic links resolved where it exists.
    pub root: PathBuf,
    /// The project's name, if it could be read.
    pub project: Option<String>,
    /// The desired state of each target that was asked for, in the order of the project file; empty when there are
    /// errors.
    pub desired: Vec<Desired>,
    /// What the project says about itself; none when there are errors.
    pub outline: Option<Outline>,
    /// How many Secret documents there are.
    pub secrets: usize,
    /// How many manifest files were read, the project file included.
    pub files: usize,
    /// Everything that is wrong.
    pub diagnostics: Diagnostics,
}

/// Reads the project in `project_dir`, checks everything that can be checked offline, and reports every mistake.
pub fn load(project_dir: &Path, options: &LoadOptions) -> Loaded {
    let folder = ProjectFolder::open(project_dir).ok();
    let mut loader = Loader {
        folders_to_come: options.folders_to_come,
        added: options.added.clone(),
        root: folder.as_ref().map_or(project_dir, ProjectFolder::root).to_owned(),
        folder,
        sources: Sources::default(),
        report: Report::default(),
        files: 0,
        secrets: Vec::new(),
        skipped: Vec::new(),
        incomplete: false,
    };
    let project = loader.project();
    let mut desired = Vec::new();
    let mut checked = 0;
    if let Some(project) = &project {
        loader.manifests(project);
        loader.check_secret_documents(project);
        let selected = loader.select(project, &options.targets);
        checked = selected.len();
        desired = loader.build(project, &selected);
    }
    let Loader { root, sources, report, files, secrets, .. } = loader;
    let mut outline = None;
    if report.has_errors() {
        desired.clear();
    } else {
        outline = project.as_ref().map(|project| Outline::of(project, &sources));
    }
    let names: Vec<String> =
        project.iter().flat_map(|project| &project.targets).map(|model| model.target.name.clone()).collect();
    Loaded {
        root,
        project: project.map(|project| project.name).filter(|name| !name.is_empty()),
        desired,
        outline,
        secrets: secrets.len(),
        files,
        diagnostics: report.finish(&sources, &names, checked),
    }
}

struct Loader {
    root: PathBuf,
    /// None when there is no such folder, or it cannot be opened.
    folder: Option<ProjectFolder>,
    /// Files that are read as if they were there.
    added: BTreeMap<PathBuf, String>,
    folders_to_come: bool,
    sources: Sources,
    report: Report,
    files: usize,
    secrets: Vec<SecretEntry>,
    /// What was passed over.
    skipped: Vec<String>,
    /// Something could not be read, so secrets may be declared that nobody knows of.
    incomplete: bool,
}

impl Loader {
    /// Finds and reads the project file.
    fn project(&mut self) -> Option<Project> {
        let there =
            |name: &Path| self.added.contains_key(name) || self.folder.as_ref().is_some_and(|folder| folder.has(name));
        let found: Vec<&str> = PROJECT_FILES.into_iter().filter(|name| there(Path::new(name))).collect();
        let [name, rest @ ..] = found.as_slice() else {
            let place = self.nowhere("keywright.yaml");
            let above = self
                .root
                .ancestors()
                .skip(1)
                .find(|folder| PROJECT_FILES.iter().any(|name| folder.join(name).is_file()));
            let help = above.map_or_else(
                || "`keywright init` writes a project to start from; -C names another folder".to_owned(),
                |folder| format!("there is one above: -C {}", folder.display()),
            );
            self.report.push(
                Problem::new(
                    &codes::PROJECT_MISSING,
                    place,
                    format!("there is no keywright.yaml in {}", self.root.display()),
                )
                .help(help),
            );
            return None;
        };
        if !rest.is_empty() {
            let place = self.nowhere("keywright.yml");
            self.report.push(
                Problem::new(&codes::PROJECT_TWICE, place, "there are both keywright.yaml and keywright.yml")
                    .help("remove one of the two"),
            );
        }
        let documents = self.read(Path::new(name))?;
        let mut projects = Vec::new();
        for tree in documents {
            match document_kind(&tree, name, &mut self.report, &mut self.incomplete) {
                Some(DocumentKind::Project) => projects.push(tree),
                Some(DocumentKind::Secret) => self.secret(tree),
                None => {}
            }
        }
        let mut projects = projects.into_iter();
        let Some(tree) = projects.next() else {
            if !self.report.has_errors() {
                let place = self.nowhere(name);
                self.report.push(
                    Problem::new(&codes::PROJECT_MISSING, place, format!("{name} has no Project document"))
                        .help(format!("it begins with apiVersion: {API_VERSION} and kind: Project")),
                );
            }
            return None;
        };
        for second in projects {
            let place = key_span(&second, &["kind"]);
            self.report.push(
                Problem::new(&codes::PROJECT_TWICE, place, "a second Project document")
                    .label("again here")
                    .related(key_span(&tree, &["kind"]), "first here"),
            );
        }
        let document: ProjectDocument = decode(&tree, true, &mut self.report)?;
        check_api_version(&document.api_version, key_span(&tree, &["kind"]), &mut self.report);
        check_project(&document, &tree, &self.sources, &mut self.report)
    }

    /// A place in a file of which nothing is shown.
    fn nowhere(&mut self, name: &str) -> Span {
        let file = self.sources.add(name.into(), "".into(), Quoting::Never);
        Span { file, line: 1, column: 1, ..Span::default() }
    }

    /// Reads every manifest.
    fn manifests(&mut self, project: &Project) {
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
        found.files.extend(self.added.keys().cloned());
        for (path, fault) in &found.faults {
            let name = Origin::new(path, 1, 1).file;
            let place = self.nowhere(&name);
            self.report.push(named::problem(fault, place, &format!("`{name}`")));
            self.incomplete = true;
        }
        for (path, why) in &found.skipped {
            self.pass_over(path, why);
        }
        for path in &found.files {
            if PROJECT_FILES.iter().any(|name| path == Path::new(name)) {
                continue;
            }
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // Encrypted files lie beside manifests. One that names our API is read all the same: nobody expects it to
            // be passed over.
            if is_encrypted(&name) && !found.named.contains(path) {
                match self.text(path) {
                    Ok(text) if text.contains("keywright/") => {}
                    Ok(text) if text.trim().is_empty() => {
                        self.pass_over(path, "it is empty");
                        continue;
                    }
                    Err(FileFault::Unreadable(_)) => {
                        self.pass_over(path, "it cannot be read");
                        continue;
                    }
                    _ => continue,
                }
            }
            let incomplete = std::mem::take(&mut self.incomplete);
            let documents = self.read(path);
            // Of a file with mistakes, nothing else is said.
            let whole = !self.incomplete;
            self.incomplete |= incomplete;
            if whole && documents.as_ref().is_some_and(Vec::is_empty) {
                self.pass_over(path, "it holds no document");
            }
            for tree in documents.unwrap_or_default() {
                match document_kind(&tree, &name, &mut self.report, &mut self.incomplete) {
                    Some(DocumentKind::Secret) => self.secret(tree),
                    Some(DocumentKind::Project) => self.report.push(
                        Problem::new(
                            &codes::PROJECT_TWICE,
                            key_span(&tree, &["kind"]),
                            "a Project document outside keywright.yaml",
                        )
                        .help(
                            "a project has one Project document; another project has a folder and a keywright.yaml \
                             of its own",
                        ),
                    ),
                    None => {}
                }
            }
        }
    }

    /// Warns of something that is not read: what it declares would look like orphans.
    fn pass_over(&mut self, path: &Path, why: &str) {
        let name = Origin::new(path, 1, 1).file;
        let place = self.nowhere(&name);
        let help = "while it is passed over, no secret without a manifest is removed";
        let problem = Problem::new(&codes::PASSED_OVER, place, format!("`{name}` is passed over: {why}")).help(help);
        self.report.push(problem);
        self.skipped.push(name.to_string());
    }

    /// The documents of a file; `None` when it cannot be read at all.
    fn read(&mut self, path: &Path) -> Option<Vec<Node>> {
        self.files += 1;
        let name = Origin::new(path, 1, 1).file;
        let added = self.added.get(path).cloned();
        match added.map_or_else(|| self.text(path), Ok) {
            Ok(text) => {
                let file = self.sources.add(name, text.as_str().into(), Quoting::Lines);
                let Parsed { documents, incomplete, .. } = parse(file, &text, &mut self.report);
                self.incomplete |= incomplete;
                Some(documents)
            }
            Err(fault) => {
                self.incomplete = true;
                let place = self.nowhere(&name);
                self.report.push(named::problem(&fault, place, "this file"));
                None
            }
        }
    }

    fn text(&self, path: &Path) -> Result<String, FileFault> {
        let folder = self.folder.as_ref().ok_or(FileFault::Missing)?;
        folder.open_file(path, MAX_MANIFEST_BYTES).and_then(BoundedFile::text)
    }

    fn secret(&mut self, tree: Node) {
        self.secrets.push(SecretEntry { tree, targets: None });
    }

    /// Reads every Secret document once as it is written: what is wrong with its structure is wrong for every target.
    fn check_secret_documents(&mut self, project: &Project) {
        let mut entries = std::mem::take(&mut self.secrets);
        for entry in &mut entries {
            let tree = &entry.tree;
            let Some(document) = decode::<SecretDocument>(tree, true, &mut self.report) else { continue };
            let SecretDocument { api_version, kind: _, metadata, spec } = &document;
            check_api_version(api_version, key_span(tree, &["kind"]), &mut self.report);
            let metadata = required(metadata, "Secret.metadata", key_span(tree, &["kind"]), &mut self.report);
            if let Some(targets) = metadata.and_then(|metadata| metadata.value.targets.value()) {
                let mut named = BTreeSet::new();
                for target in targets.iter().filter_map(Field::get) {
                    match project.members(&target.value, target.span) {
                        Ok(members) => named.extend(members.iter().cloned()),
                        Err(problem) => self.report.push(*problem),
                    }
                }
                entry.targets = Some(named);
                if targets.is_empty() {
                    let place = key_span(tree, &["metadata", "targets"]);
                    self.skipped.push(self.sources.origin(place).to_string());
                    self.report.push(
                        Problem::new(&codes::PASSED_OVER, place, "this secret is passed over: it names no target")
                            .label("an empty list")
                            .help("leave `targets` out for all targets; `state: absent` deletes the secret"),
                    );
                }
            }
            for (target, over) in
                spec.value().and_then(|spec| spec.overrides.value()).map_or(&[][..], |overrides| &overrides.0)
            {
                if let Err(problem) = project.members(&target.value, target.span) {
                    self.report.push(*problem);
                }
                for field in over
                    .value()
                    .and_then(|over| over.unset.value())
                    .map_or(&[][..], Vec::as_slice)
                    .iter()
                    .filter_map(Field::get)
                {
                    check_unset(&field.value, field.span, &mut self.report);
                }
            }
        }
        self.secrets = entries;
    }

    /// The indexes of the targets that are asked for.
    fn select(&mut self, project: &Project, wanted: &[String]) -> Vec<usize> {
        let mut selected = BTreeSet::new();
        for name in wanted {
            match project.members(name, project.targets_span) {
                Ok(members) => selected.extend(
                    project
                        .targets
                        .iter()
                        .enumerate()
                        .filter(|(_, model)| members.contains(&model.target.name))
                        .map(|(at, _)| at),
                ),
                Err(problem) => {
                    let message = match problem.message.strip_prefix("unknown target ") {
                        Some(name) => format!("--target names the unknown target {name}"),
                        None => format!("--target: {}", problem.message),
                    };
                    self.report.push(Problem { message, ..*problem });
                }
            }
        }
        if wanted.is_empty() { (0..project.targets.len()).collect() } else { selected.into_iter().collect() }
    }

    fn build(&mut self, project: &Project, selected: &[usize]) -> Vec<Desired> {
        if self.secrets.is_empty() && !self.report.has_errors() {
            let place = self.nowhere("keywright.yaml");
            self.report.push(Problem::new(&codes::NO_SECRETS, place, "this project declares no secrets").help(
                "`spec.manifests` says where manifests are looked for; by default that is the project's whole folder",
            ));
        }
        let mut files = Files::new(self.folder.clone());
        project.rules.read_schemas(&mut files, &self.sources, &mut self.report);
        let mut desired = Vec::new();
        let mut keys = ValueKeys::default();
        for &index in selected {
            let Some(model) = project.targets.get(index) else { continue };
            self.report.in_target(Some(index));
            let (secrets, unbuilt) = self.target_secrets(project, model, &mut files);
            check_dependencies(&secrets, unbuilt.as_ref(), &self.sources, &mut self.report);
            check_renames(&secrets, &mut self.report);
            keys.add(&model.target.name, &secrets);
            desired.push(Desired {
                project: project.name.clone(),
                target: model.target.clone(),
                targets: project.targets.iter().map(|model| model.target.name.clone()).collect(),
                scope: model.scope.clone(),
                prune: project.prune,
                prune_window_days: project.prune_window_days,
                ignore_tags: project.ignore_tags.clone(),
                guards: project.guards,
                skipped: self.skipped.clone(),
                of_other_targets: self.of_other_targets(model),
                secrets: secrets.into_iter().map(|(name, built)| (name, built.secret)).collect(),
            });
        }
        self.report.in_target(None);
        keys.compare(&mut self.report);
        desired
    }

    /// What manifests of other targets would be named in this one, where that can be told.
    fn of_other_targets(&self, model: &TargetModel) -> BTreeMap<SecretName, Origin> {
        let others = self.secrets.iter().filter(|entry| !entry.is_of(model));
        others.filter_map(|entry| entry.name_in(model, &self.sources)).collect()
    }

    /// The secrets of a target, and the names of the ones that are declared and wrong; `None` where not even those are
    /// all known.
    fn target_secrets(
        &mut self,
        project: &Project,
        model: &TargetModel,
        files: &mut Files,
    ) -> (BTreeMap<SecretName, Built>, Option<BTreeSet<SecretName>>) {
        let mut unbuilt = BTreeSet::new();
        let mut unknown = self.incomplete;
        let mut builder = Builder { project, sources: &mut self.sources, files, report: &mut self.report };
        let mut secrets: BTreeMap<SecretName, Built> = BTreeMap::new();
        for entry in &self.secrets {
            if !entry.is_of(model) {
                continue;
            }
            let built = match builder.build(&entry.tree, model) {
                Ok(built) => built,
                Err(name) => {
                    unknown |= name.is_none();
                    unbuilt.extend(name);
                    continue;
                }
            };
            if let Some(first) = secrets.get(&built.secret.name) {
                builder.report.push(
                    Problem::new(
                        &codes::SECRET_DUPLICATE,
                        built.name_span,
                        format!(
                            "secret `{}` is declared \
                        twice",
                            built.secret.name
                        ),
                    )
                    .label("again here")
                    .related(first.name_span, "first here")
                    .help(
                        "one secret has one manifest for each target; `metadata.targets` says which targets a \
                            manifest is for",
                    ),
                );
                continue;
            }
            secrets.insert(built.secret.name.clone(), built);
        }
        (secrets, (!unknown).then_some(unbuilt))
    }
}

/// A name in `unset`.
fn check_unset(field: &str, span: Span, report: &mut Report) {
    let known = SPEC_FIELDS;
    if field.strip_prefix("tags.").is_some_and(|tag| !tag.is_empty()) || known.contains(&field) {
        return;
    }
    report.push(
        Problem::new(&codes::UNSET, span, format!("`unset` names no field of `spec`: `{field}`"))
            .label(
                nearest(field, known.iter().copied())
                    .map_or_else(|| "unknown field".to_owned(), |near| format!("did you mean `{near}`?")),
            )
            .help(format!("it names {}, or `tags.KEY`", listed(known.iter().copied()))),
    );
}
