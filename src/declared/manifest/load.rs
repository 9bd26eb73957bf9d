//! From a project's folder to one desired state for each target: the steps of the room, in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check::project::{Project, check_api_version, check_project, key_span};
use super::codes;
use super::decode::decode;
use super::diagnostic::{Diagnostics, Problem, Report};
use super::document::{DocumentKind, document_kind};
use super::effective::{Expand, ExpandedSecret};
use super::entry::SecretEntry;
use super::files::PROJECT_FILES;
use super::folder_defaults::FolderDefaults;
use super::outline::Outline;
use super::schema::{API_VERSION, ProjectDocument};
use super::shared::SharedFolders;
use super::source::Sources;
use crate::desired::{Desired, LeftOut};
use crate::files::ProjectFolder;

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
    /// Whether the outline says what lies beneath the secrets of each folder: in a large project that is much.
    pub defaults: bool,
    /// Reads nothing but the project file: what comes back has targets and scopes, and declares no secret.
    pub project_only: bool,
    /// Gives the secrets as they are once everything is expanded, to be shown.
    pub expand: Option<Expand>,
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
    /// The secrets as they are once everything is expanded, target by target, where `expand` asked for them; empty when
    /// there are errors.
    pub expanded: Vec<ExpandedSecret>,
    /// How many secrets are declared, each counted once for all targets.
    pub secrets: usize,
    /// How many manifest files were read, the project file included.
    pub files: usize,
    /// Everything that is wrong.
    pub diagnostics: Diagnostics,
    /// Whether nothing is wrong but that targets were asked for that the project does not have.
    pub misnamed: bool,
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
        defaults: FolderDefaults::default(),
        shared: SharedFolders::default(),
        unnamed: Vec::new(),
        skipped: Vec::new(),
        left_out: LeftOut::default(),
        incomplete: false,
        expand: options.expand.clone(),
        expanded: Vec::new(),
        made_by_lists: 0,
        items_looked_at: 0,
        misnamed: 0,
    };
    let mut project = loader.project();
    if let Some(project) = project.as_mut().filter(|_| !options.project_only) {
        loader.read_shared(project);
    }
    let mut desired = Vec::new();
    let mut checked = 0;
    if let Some(project) = &project {
        if options.project_only {
            loader.secrets.clear();
        } else {
            loader.manifests(project);
            loader.defaults.check(project, &mut loader.report);
            loader.check_secret_documents(project);
        }
        let selected = loader.select(project, &options.targets);
        checked = selected.len();
        desired = loader.build(project, &selected);
    }
    let Loader { root, sources, report, files, secrets, defaults, mut expanded, misnamed, .. } = loader;
    let mut outline = None;
    if report.has_errors() {
        desired.clear();
        expanded.clear();
    } else {
        outline = project.as_ref().map(|project| Outline::of(project, options.defaults.then_some(&defaults), &sources));
    }
    let names: Vec<String> =
        project.iter().flat_map(|project| &project.targets).map(|model| model.target.name.clone()).collect();
    let diagnostics = report.finish(&sources, &names, checked);
    Loaded {
        root,
        project: project.map(|project| project.name).filter(|name| !name.is_empty()),
        desired,
        outline,
        expanded,
        secrets: secrets.iter().map(SecretEntry::count).sum(),
        files,
        misnamed: misnamed > 0 && diagnostics.error_count() == misnamed,
        diagnostics,
    }
}

/// A project while it is read.
pub(super) struct Loader {
    pub(super) root: PathBuf,
    /// None when there is no such folder, or it cannot be opened.
    pub(super) folder: Option<ProjectFolder>,
    /// Files that are read as if they were there.
    pub(super) added: BTreeMap<PathBuf, String>,
    pub(super) folders_to_come: bool,
    pub(super) sources: Sources,
    pub(super) report: Report,
    pub(super) files: usize,
    /// How many of the targets that were asked for the project does not have.
    pub(super) misnamed: usize,
    pub(super) secrets: Vec<SecretEntry>,
    pub(super) defaults: FolderDefaults,
    /// The folders that the project shares with others.
    pub(super) shared: SharedFolders,
    /// Files that are no manifests, and no mistakes either when a manifest names them.
    pub(super) unnamed: Vec<(PathBuf, Problem)>,
    /// What was passed over.
    pub(super) skipped: Vec<String>,
    /// What git has of the manifests and a sparse checkout leaves out.
    pub(super) left_out: LeftOut,
    /// Something could not be read, so secrets may be declared that nobody knows of.
    pub(super) incomplete: bool,
    pub(super) expand: Option<Expand>,
    pub(super) expanded: Vec<ExpandedSecret>,
    /// How many secrets the lists of `forEach` made so far, over all targets.
    pub(super) made_by_lists: usize,
    /// How many items of them were looked at.
    pub(super) items_looked_at: usize,
}

/// The nearest folder above one that has a project file.
pub fn project_above(folder: &Path) -> Option<&Path> {
    folder.ancestors().skip(1).find(|folder| PROJECT_FILES.iter().any(|name| folder.join(name).is_file()))
}

/// A folder as it is written, where it is the current one too.
fn or_current(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

impl Loader {
    /// Finds and reads the project file.
    fn project(&mut self) -> Option<Project> {
        let there =
            |name: &Path| self.added.contains_key(name) || self.folder.as_ref().is_some_and(|folder| folder.has(name));
        let found: Vec<&str> = PROJECT_FILES.into_iter().filter(|name| there(Path::new(name))).collect();
        let [name, rest @ ..] = found.as_slice() else {
            let place = self.nowhere("keywright.yaml");
            let help = project_above(&self.root).map_or_else(
                || "`keywright init` writes a project to start from; -C names another folder".to_owned(),
                // The folder above `nope` is the current one, and its path is empty.
                |folder| format!("there is one above: -C {}", or_current(folder).display()),
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
                Some(DocumentKind::Secret) => self.secrets.push(SecretEntry::of(tree)),
                Some(DocumentKind::Defaults) => self.defaults.add(Path::new(""), tree, &mut self.report),
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
}
