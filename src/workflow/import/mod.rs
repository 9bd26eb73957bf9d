//! An import: what there is to import, manifests for it, and their proof, before anything is written.

mod destination;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::destination::{Destination, write_all};
use self::source::{ImportSource, Importing, judge, read_state};
use super::error::{Error, ErrorKind, FileProblem, Hint};
use super::event::{Event, Listener};
use super::sandbox::Reach;
use super::scaffold::{NewProject, PROJECT_FILE, check_name, is_project, surroundings, write_files};
use super::session::one_target;
use super::stop::{Stop, unless_stopped};
use crate::aws::Aws;
use crate::desired::Desired;
use crate::files::make_folder;
use crate::import::tfstate::removed_blocks;
use crate::import::{Importable, ImportedFile, Layout, Proof, import as manifests_of, shared_tags};
use crate::manifest::{Outline, TargetOutline, projects_beside};
use crate::plan::Selection;

/// What is to be imported, and where to.
pub struct ImportRequest<'a> {
    /// The project's folder.
    pub folder: &'a Path,
    /// The target to import from; may be left out when the project has one.
    pub target: Option<&'a str>,
    /// Which secrets.
    pub selection: &'a Selection,
    /// Secrets of this project whose manifests are gone, too.
    pub orphans: bool,
    /// Where they are.
    pub from: ImportFrom<'a>,
    /// The folder for the files, in the project.
    pub output: Option<&'a str>,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// The project, when it is to be made too.
    pub new_project: Option<NewProject>,
    /// Told of what is left out, of files and of warnings.
    pub listener: Listener<'a>,
}

/// Where secrets are imported from.
pub enum ImportFrom<'a> {
    /// What is live.
    Live {
        /// How it is reached.
        reach: Reach,
        /// Ends the reading.
        stop: Stop,
    },
    /// A Terraform state.
    State {
        /// Its file.
        file: &'a Path,
        /// The file for the blocks by which Terraform lets go; `removed.tf` in the project without one.
        removed: Option<&'a Path>,
    },
}

/// What an import came to.
pub struct Imported {
    /// What the new manifests would do; none when there was nothing to import.
    pub proof: Option<Proof>,
    /// Whether they come from a state.
    pub from_state: bool,
    /// How many were asked for and left out, those that manifests name apart.
    pub missed: usize,
    /// What was asked for live secrets, for its number of calls.
    pub aws: Option<Aws>,
}

/// A text for a file that is not there yet.
struct NewFile {
    path: PathBuf,
    text: String,
}

/// What an import would write.
struct NewFiles {
    /// The project file, when it is to be made; below the project's folder.
    project: BTreeMap<PathBuf, String>,
    /// Below the project's folder.
    manifests: Vec<ImportedFile>,
    /// Terraform's `removed` blocks.
    removed: Option<NewFile>,
}

/// Imports: looks for secrets, makes manifests for them, checks them beside the others before anything is written,
/// writes everything, and plans what is there then.
pub async fn import(request: &ImportRequest<'_>) -> Result<Imported, Error> {
    let mut new_project = request.new_project.clone();
    new_project.as_ref().map_or(Ok(()), |project| check_new_project(request.folder, project))?;
    let (desired, outline) = load(request, &project_file(new_project.as_ref()))?;
    let destination = Destination::choose(request.folder, request.output, &outline)?;
    let (aws, found) = find(request, &desired).await?;
    if request.new_project.is_some() {
        found.check_new_name(&desired.project)?;
    }
    (request.listener)(Event::LeftOut(&found.choice.left_out));
    let (from_state, missed) = (found.state.is_some(), found.choice.missed());
    if found.choice.imported.is_empty() {
        return Ok(Imported { proof: None, from_state, missed, aws });
    }
    let importable = found.importable();
    // A project file that people wrote is never changed; one that is made here says at once what all have in common.
    let shared = shared_tags(&importable, &desired.ignore_tags);
    let (desired, outline) = match &mut new_project {
        None => (desired, outline),
        Some(project) => {
            project.tags.clone_from(&shared);
            load(request, &project_file(Some(project)))?
        }
    };
    let target = target_outline(&outline, &desired);
    if shared.iter().any(|(key, value)| target.defaults.tags.get(key.as_str()) != Some(&Some(value.clone()))) {
        (request.listener)(Event::SharedTags(&shared));
    }
    let files = NewFiles {
        project: project_file(new_project.as_ref()),
        manifests: manifests(&importable, &found, &desired, &outline, &destination, request),
        removed: removed(request, &found, &importable),
    };
    let proof = finish(request, &destination, &files, &found)?;
    Ok(Imported { proof: Some(proof), from_state, missed, aws })
}

/// Refuses to make a project where there is one, or by the name of another one.
fn check_new_project(folder: &Path, project: &NewProject) -> Result<(), Error> {
    if is_project(folder) {
        return Err(Error::file(folder, FileProblem::ProjectAlready).hint(Hint::LeaveInitOut));
    }
    check_name(&project.name, &projects_beside(folder))
}

/// The project file to load as if it were there; none when there is a project already.
fn project_file(new_project: Option<&NewProject>) -> BTreeMap<PathBuf, String> {
    new_project.into_iter().map(|project| (PathBuf::from(PROJECT_FILE), project.file())).collect()
}

/// Loads the project, with files that are not written yet, for the one target that is asked for.
fn load(request: &ImportRequest<'_>, added: &BTreeMap<PathBuf, String>) -> Result<(Desired, Outline), Error> {
    one_target(request.folder, request.target, added).map_err(|error| {
        let is_new = request.new_project.is_none() && !is_project(request.folder);
        if is_new && matches!(error.kind, ErrorKind::Manifests(_)) { error.hint(Hint::InitWithImport) } else { error }
    })
}

/// Looks for what can be imported: in a state, or in what is live.
async fn find(request: &ImportRequest<'_>, desired: &Desired) -> Result<(Option<Aws>, Importing), Error> {
    let source = ImportSource { desired, selection: request.selection, orphans: request.orphans };
    match &request.from {
        ImportFrom::State { file, removed: _ } => Ok((None, source.among_state(read_state(file)?)?)),
        ImportFrom::Live { reach, stop } => {
            // The sandbox's own file lies in the project, which this import may be about to make.
            if request.new_project.is_some() {
                make_folder(request.folder)
                    .map_err(|error| Error::file(request.folder, FileProblem::NotMade).because(error))?;
            }
            let aws = reach.open(request.folder)?;
            let found = unless_stopped(stop, Box::pin(source.among_live(&aws, request.listener))).await??;
            Ok((Some(aws), found))
        }
    }
}

fn target_outline(outline: &Outline, desired: &Desired) -> TargetOutline {
    outline.targets.iter().find(|target| target.name == desired.target.name).cloned().unwrap_or_default()
}

fn manifests(
    importable: &[Importable],
    found: &Importing,
    desired: &Desired,
    outline: &Outline,
    destination: &Destination,
    request: &ImportRequest<'_>,
) -> Vec<ImportedFile> {
    let taken = |path: &str| destination.root.join(path).exists();
    let layout = Layout {
        folder: &destination.folder,
        schema: request.new_project.is_some() || taken("schemas/secret.schema.json"),
        target: &target_outline(outline, desired),
        name_target: outline.targets.len() > 1,
        ignore_tags: &desired.ignore_tags,
        from_state: found.state.is_some(),
        account: found.live.account.as_ref(),
        region: &found.live.region,
        taken: &taken,
    };
    manifests_of(importable, &layout)
}

/// The blocks by which Terraform lets go of what is imported from its state.
fn removed(request: &ImportRequest<'_>, found: &Importing, importable: &[Importable]) -> Option<NewFile> {
    let state = found.state.as_ref()?;
    let named = match &request.from {
        ImportFrom::State { removed, .. } => *removed,
        ImportFrom::Live { .. } => None,
    };
    let path = named.map_or_else(|| request.folder.join("removed.tf"), Path::to_owned);
    let theirs = importable.iter().map(|importable| importable.secret.arn.as_str()).collect();
    Some(NewFile { path, text: removed_blocks(state, &theirs) })
}

/// Checks the new manifests beside the others before anything is written, writes everything, and plans what is there
/// then.
fn finish(
    request: &ImportRequest<'_>,
    destination: &Destination,
    files: &NewFiles,
    found: &Importing,
) -> Result<Proof, Error> {
    let names: BTreeSet<_> = found.choice.imported.iter().cloned().collect();
    if request.dry_run {
        show(files, request.listener);
    }
    let mut added = files.project.clone();
    added.extend(files.manifests.iter().map(|file| (PathBuf::from(&file.path), file.text.clone())));
    // What the project's own rules refuse must not get into it.
    let (rehearsed, _) = load(request, &added).map_err(|error| {
        let hints = [Some(Hint::NothingWritten), (!request.dry_run).then_some(Hint::DryRunShows)];
        hints.into_iter().flatten().fold(error, Error::hint)
    })?;
    if request.dry_run {
        return Ok(judge(&rehearsed, &found.live, &names));
    }
    let removed = files.removed.as_ref().map(|file| (file.path.as_path(), file.text.as_str()));
    write_all(destination, &files.manifests, removed, request.listener)?;
    if let Some(text) = files.project.get(Path::new(PROJECT_FILE)) {
        let project = [(PROJECT_FILE, text.clone())];
        write_files(request.folder, project.into_iter().chain(surroundings()), request.listener)?;
    }
    let (written, _) = load(request, &BTreeMap::new())?;
    Ok(judge(&written, &found.live, &names))
}

/// The files instead of writing them.
fn show(files: &NewFiles, listener: Listener<'_>) {
    for (path, text) in &files.project {
        listener(Event::FileText { path, text });
    }
    for file in &files.manifests {
        listener(Event::FileText { path: Path::new(&file.path), text: &file.text });
    }
    if let Some(NewFile { path, text }) = &files.removed {
        listener(Event::FileText { path, text });
    }
}
