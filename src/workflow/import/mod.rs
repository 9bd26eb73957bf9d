//! An import: what there is to import, manifests for it, and their proof, before anything is written.

mod destination;
mod inventory;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};

use self::destination::{Destination, write_all};
pub use self::inventory::Unmanaged;
use self::source::{ImportSource, Importing, judge, read_state};
use super::counterparts::Asking;
use super::error::{Error, ErrorKind, FileProblem, Hint};
use super::event::{Event, Listener};
use super::failures::group_targets;
use super::prepare::TARGETS_AT_ONCE;
use super::sandbox::Reach;
use super::scaffold::{NewProject, PROJECT_FILE, check_name, is_project, surroundings, write_files};
use super::session::chosen_targets;
use super::stop::{Stop, unless_stopped};
use crate::aws::{Aws, ConnectError};
use crate::collect::CollectMap as _;
use crate::desired::Desired;
use crate::domain::{AccountId, SecretName, TagKey};
use crate::files::make_folder;
use crate::import::tfstate::{State, removed_blocks};
use crate::import::{
    ImportField, ImportTarget, Importable, ImportedFile, Layout, Proof, Reason, import as manifests_of, shared_tags,
};
use crate::manifest::{DefaultFields, Outline, TargetOutline, nearest, projects_beside};
use crate::plan::Selection;
use crate::reconcile::TargetError;

/// What is to be imported, and where to.
pub struct ImportRequest<'a> {
    /// The project's folder.
    pub folder: &'a Path,
    /// The targets to import from; all of the project's when there is none.
    pub targets: &'a [String],
    /// Which secrets.
    pub selection: &'a Selection,
    /// Of these, only those that an inventory calls unmanaged.
    pub unmanaged: Option<&'a Unmanaged>,
    /// Secrets of this project whose manifests are gone, too.
    pub orphans: bool,
    /// Where they are.
    pub from: ImportFrom<'a>,
    /// Whether each secret is written out: no lists, Defaults or policy files.
    pub expanded: bool,
    /// The fields that are written; all of them when there is no choice.
    pub fields: Option<&'a BTreeSet<ImportField>>,
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
    /// Terraform states.
    States {
        /// Their files.
        files: &'a [PathBuf],
        /// The files for the blocks by which Terraform lets go, in the same order; where there is none, one in the
        /// project.
        removed: &'a [PathBuf],
    },
}

/// What an import came to.
pub struct Imported {
    /// What was imported from each target, in the order of the project; empty when there was nothing to import.
    pub targets: Vec<ImportedTarget>,
    /// The targets that could not be read, each with why: nothing is said of what is there.
    pub unread: Vec<UnreadTarget>,
    /// How many manifests it became.
    pub manifests: usize,
    /// Whether they come from a state.
    pub from_state: bool,
    /// How many were asked for and left out, those that manifests name apart.
    pub missed: usize,
    /// What was asked for live secrets, for its number of calls.
    pub aws: Option<Aws>,
}

/// What was imported from one target.
pub struct ImportedTarget {
    /// Its name.
    pub name: String,
    /// How many secrets.
    pub secrets: usize,
    /// How many were left out, by reason.
    pub left_out: BTreeMap<Reason, usize>,
    /// What the new manifests would do there.
    pub proof: Proof,
}

/// A target that could not be read.
pub struct UnreadTarget {
    /// Its name.
    pub name: String,
    /// Why not.
    pub error: Arc<TargetError>,
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
    /// Terraform's `removed` blocks, a file for each state.
    removed: Vec<NewFile>,
    /// The tags that all secrets have.
    shared: BTreeMap<TagKey, String>,
}

/// Imports: looks for secrets in all targets, makes manifests for them, checks them beside the others before anything
/// is written, writes everything, and plans what is there then.
pub async fn import(request: &ImportRequest<'_>) -> Result<Imported, Error> {
    let mut new_project = request.new_project.clone();
    new_project.as_ref().map_or(Ok(()), |project| check_new_project(request.folder, project))?;
    let (desired, outline) = load(request, &project_file(new_project.as_ref()))?;
    let destination = Destination::choose(request.folder, request.output, &outline)?;
    let Found { aws, read: mut found, unread, states } = find(request, &desired).await?;
    if let Some(error) = selects_nothing(request, &desired, &found, &states).filter(|_| unread.is_empty()) {
        return Err(error);
    }
    let desired = but_for(desired, &unread);
    if request.new_project.is_some() {
        desired.iter().zip(&found).try_for_each(|(desired, found)| found.check_new_name(&desired.project))?;
    }
    tell(request, &desired, &found, desired.len() + unread.len() > 1);
    let from_state = !states.is_empty();
    let missed = found.iter().map(|found| found.choice.missed()).sum();
    let importable: Vec<Vec<Importable>> = found.iter().map(Importing::importable).collect();
    let all: Vec<Importable> = importable.iter().flatten().cloned().collect();
    if all.is_empty() {
        return Ok(Imported { targets: Vec::new(), unread, manifests: 0, from_state, missed, aws });
    }
    let ignored = |desired: &[Desired]| desired.first().map(|desired| desired.ignore_tags.clone());
    // A project file that people wrote is never changed; one that is made here says at once what all have in common.
    let shared = ignored(&desired).map(|ignored| shared_tags(&all, &ignored)).unwrap_or_default();
    let (desired, outline) = match &mut new_project {
        None => (desired, outline),
        Some(project) => {
            project.tags.clone_from(&shared);
            load(request, &project_file(Some(project)))?
        }
    };
    let of_targets = OfTargets { importable: &importable, found: &found, desired: &desired, outline: &outline };
    let files = NewFiles {
        project: project_file(new_project.as_ref()),
        manifests: manifests(request, &destination, from_state, &of_targets),
        removed: removed(request, &states, &all),
        shared,
    };
    let written = finish(request, &destination, &files)?;
    let proofs = prove(request, written, aws.as_ref(), &mut found, &unread).await?;
    let targets = desired.iter().zip(found).zip(proofs);
    Ok(Imported {
        targets: targets.map(|((desired, found), proof)| found.into_target(&desired.target.name, proof)).collect(),
        unread,
        manifests: files.manifests.iter().map(|file| file.manifests).sum(),
        from_state,
        missed,
        aws,
    })
}

/// Names and patterns that were selected and stand for nothing, in git, in the inventory, in a state or live: probably
/// a slip.
fn selects_nothing(
    request: &ImportRequest<'_>,
    desired: &[Desired],
    found: &[Importing],
    states: &[(PathBuf, State)],
) -> Option<Error> {
    let mut known: BTreeSet<&SecretName> = BTreeSet::new();
    if let Some(unmanaged) = request.unmanaged {
        known.extend(unmanaged.names());
    } else {
        known.extend(desired.iter().flat_map(|desired| desired.secrets.keys()));
        known.extend(found.iter().flat_map(|found| found.live.secrets.keys().chain(found.live.unreadable.keys())));
        known.extend(states.iter().flat_map(|(_, state)| &state.secrets).map(|found| &found.secret.name));
    }
    let patterns = request.selection.unmatched(known.iter().copied());
    let near = nearest(patterns.first()?, known.iter().map(|name| name.as_str()));
    let in_inventory = request.unmanaged.is_some();
    Some(Error::from(ErrorKind::NotSelected { patterns, in_inventory }).did_you_mean(near))
}

/// The targets that were read.
fn but_for(mut desired: Vec<Desired>, unread: &[UnreadTarget]) -> Vec<Desired> {
    desired.retain(|desired| unread.iter().all(|unread| unread.name != desired.target.name));
    desired
}

/// What is known of each target, in the order of the project.
struct OfTargets<'a> {
    importable: &'a [Vec<Importable>],
    found: &'a [Importing],
    desired: &'a [Desired],
    outline: &'a Outline,
}

/// Tells what is left out, and which orphans may be what declared secrets are renamed from.
fn tell(request: &ImportRequest<'_>, desired: &[Desired], found: &[Importing], several: bool) {
    for (desired, found) in desired.iter().zip(found) {
        let target = several.then_some(desired.target.name.as_str());
        (request.listener)(Event::LeftOut { target, left_out: &found.choice.left_out });
        for (new, old) in found.renames(desired) {
            (request.listener)(Event::LooksRenamed { target, new: &new, old: &old });
        }
    }
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
    new_project.into_iter().map(|project| (PathBuf::from(PROJECT_FILE), project.file())).collect_map()
}

/// Loads the project, with files that are not written yet, for the targets that are asked for.
fn load(request: &ImportRequest<'_>, added: &BTreeMap<PathBuf, String>) -> Result<(Vec<Desired>, Outline), Error> {
    chosen_targets(request.folder, request.targets, added).map_err(|error| {
        let is_new = request.new_project.is_none() && !is_project(request.folder);
        if is_new && matches!(error.kind, ErrorKind::Manifests(_)) { error.hint(Hint::InitWithImport) } else { error }
    })
}

/// What was found, and where.
struct Found {
    aws: Option<Aws>,
    /// In each target that was read.
    read: Vec<Importing>,
    unread: Vec<UnreadTarget>,
    states: Vec<(PathBuf, State)>,
}

/// Looks for what can be imported: in states, or in what is live in the targets, side by side.
async fn find<'d>(request: &ImportRequest<'_>, desired: &'d [Desired]) -> Result<Found, Error> {
    let source = |desired: &'d Desired| ImportSource {
        desired,
        selection: match request.unmanaged {
            Some(unmanaged) => unmanaged.chosen(&desired.target.name, request.selection),
            None => request.selection.clone(),
        },
        orphans: request.orphans,
    };
    match &request.from {
        ImportFrom::States { files, removed: _ } => {
            let states = files.iter().map(|file| Ok((file.clone(), read_state(file)?)));
            let states: Vec<(PathBuf, State)> = states.collect::<Result<_, Error>>()?;
            let found = desired.iter().map(|target| source(target).among_states(&states, desired));
            let read = found.collect::<Result<_, Error>>()?;
            Ok(Found { aws: None, read, unread: Vec::new(), states })
        }
        ImportFrom::Live { reach, stop } => {
            // The sandbox's own file lies in the project, which this import may be about to make.
            if request.new_project.is_some() {
                make_folder(request.folder)
                    .map_err(|error| Error::file(request.folder, FileProblem::NotMade).because(error))?;
            }
            let aws = reach.open(request.folder)?;
            let reading = stream::iter(desired)
                .map(async |target| Box::pin(source(target).among_live(&aws, request.listener)).await)
                .buffered(TARGETS_AT_ONCE)
                .collect::<Vec<_>>();
            let (mut read, mut unread) = (Vec::new(), Vec::new());
            for (found, target) in unless_stopped(stop, reading).await?.into_iter().zip(desired) {
                match found {
                    Ok(found) => read.push(found),
                    // The run was not allowed to reach it: that is no target that is down.
                    Err(error) if matches!(*error, TargetError::Connect(ConnectError::OtherAccount { .. })) => {
                        return Err(group_targets([(target.target.name.as_str(), &error)]).remove(0));
                    }
                    Err(error) => unread.push(UnreadTarget { name: target.target.name.clone(), error }),
                }
            }
            report_unread_targets(request, &unread, read.is_empty())?;
            Ok(Found { aws: Some(aws), read, unread, states: Vec::new() })
        }
    }
}

/// Reports the targets that could not be read; an error when none could be.
fn report_unread_targets(
    request: &ImportRequest<'_>,
    unread: &[UnreadTarget],
    none_was_read: bool,
) -> Result<(), Error> {
    let mut errors = group_targets(unread.iter().map(|unread| (unread.name.as_str(), &unread.error)));
    let last = if none_was_read { errors.pop() } else { None };
    for error in &errors {
        (request.listener)(Event::Failed(error));
    }
    last.map_or(Ok(()), Err)
}

fn manifests(
    request: &ImportRequest<'_>,
    destination: &Destination,
    from_state: bool,
    OfTargets { importable, found, desired, outline }: &OfTargets<'_>,
) -> Vec<ImportedFile> {
    let taken = |path: &str| destination.root.join(path).exists();
    let settled = |folder: &str| destination.is_settled(folder);
    let accounts = accounts(outline, desired, found);
    let schema = request.new_project.is_some() || taken("schemas/secret.schema.json");
    let none = TargetOutline::default();
    let outline_of =
        |desired: &Desired| outline.targets.iter().find(|target| target.name == desired.target.name).unwrap_or(&none);
    let targets: Vec<ImportTarget<'_>> = importable
        .iter()
        .zip(*found)
        .zip(*desired)
        .map(|((secrets, found), desired)| ImportTarget {
            secrets,
            layout: Layout {
                folder: &destination.folder,
                schema,
                outline,
                target: outline_of(desired),
                fields: request.fields,
                ignore_tags: &desired.ignore_tags,
                from_state,
                account: found.live.account.as_ref(),
                region: &found.live.region,
                accounts: &accounts,
                expanded: request.expanded,
                taken: &taken,
                settled: &settled,
            },
        })
        .collect();
    manifests_of(&targets)
}

/// The blocks by which Terraform lets go of what is imported from its states.
fn removed(request: &ImportRequest<'_>, states: &[(PathBuf, State)], importable: &[Importable]) -> Vec<NewFile> {
    let named = match &request.from {
        ImportFrom::States { removed, .. } => *removed,
        ImportFrom::Live { .. } => &[],
    };
    let theirs = importable.iter().map(|importable| importable.secret.arn.as_str()).collect();
    let mut files: Vec<NewFile> = Vec::new();
    for (at, (file, state)) in states.iter().enumerate() {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let own = if states.len() > 1 { format!("removed-{stem}.tf") } else { "removed.tf".to_owned() };
        let mut path = named.get(at).cloned().unwrap_or_else(|| request.folder.join(own));
        if files.iter().any(|other| other.path == path) {
            path.set_file_name(format!("removed-{stem}-{}.tf", at + 1));
        }
        files.push(NewFile { path, text: removed_blocks(state, &theirs) });
    }
    files
}

/// The accounts of the project's targets: as the project names them, or as they were met.
fn accounts(outline: &Outline, desired: &[Desired], found: &[Importing]) -> BTreeMap<String, AccountId> {
    let met = desired.iter().zip(found);
    let met = met.filter_map(|(desired, found)| Some((desired.target.name.clone(), found.live.account.clone()?)));
    let named = outline.targets.iter().filter_map(|target| {
        let account = target.account.as_deref().map(AccountId::of_service)?;
        Some((target.name.clone(), account))
    });
    met.chain(named).collect_map()
}

/// Checks the new manifests beside the others before anything is written, and writes everything. What the project comes
/// to with them comes back.
fn finish(request: &ImportRequest<'_>, destination: &Destination, files: &NewFiles) -> Result<Vec<Desired>, Error> {
    if request.dry_run {
        show(files, request.listener);
    }
    let mut added = files.project.clone();
    added.extend(files.manifests.iter().map(|file| (PathBuf::from(&file.path), file.text.clone())));
    // What the project's own rules refuse must not get into it.
    let (rehearsed, outline) = load(request, &added).map_err(|error| {
        let hints = [Some(Hint::NothingWritten), (!request.dry_run).then_some(Hint::DryRunShows)];
        hints.into_iter().flatten().fold(error, Error::hint)
    })?;
    if !files.is_said_beneath(&outline) {
        (request.listener)(Event::SharedTags(&files.shared));
    }
    if request.dry_run {
        return Ok(rehearsed);
    }
    let removed = files.removed.iter().map(|file| (file.path.as_path(), file.text.as_str()));
    write_all(destination, &files.manifests, removed, request.listener)?;
    if let Some(text) = files.project.get(Path::new(PROJECT_FILE)) {
        let project = [(PROJECT_FILE, text.clone())];
        write_files(request.folder, project.into_iter().chain(surroundings()), request.listener)?;
    }
    load(request, &BTreeMap::new()).map(|(written, _)| written)
}

/// Plans the new manifests in each target that was read. Secrets of other targets that they refer to are asked for, as
/// any plan does.
async fn prove(
    request: &ImportRequest<'_>,
    desired: Vec<Desired>,
    aws: Option<&Aws>,
    found: &mut [Importing],
    unread: &[UnreadTarget],
) -> Result<Vec<Proof>, Error> {
    if let (Some(aws), ImportFrom::Live { stop, .. }) = (aws, &request.from) {
        let imported = Selection::exactly(found.iter().flat_map(|found| &found.choice.imported));
        let asking = Asking { aws, desired: &desired };
        let counterparts = unless_stopped(stop, asking.counterparts(&imported)).await?.counterparts;
        for found in found.iter_mut() {
            found.live.counterparts.clone_from(&counterparts);
        }
    }
    Ok(but_for(desired, unread).iter().zip(found).map(|(desired, found)| judge(desired, found)).collect())
}

impl NewFiles {
    /// Whether Defaults that lie beneath all new manifests say what tags all secrets have.
    fn is_said_beneath(&self, outline: &Outline) -> bool {
        let beneath = |file: &ImportedFile| {
            let mut targets = outline.targets.iter();
            targets.all(|target| {
                let (_, DefaultFields { tags, .. }) = target.beneath(Path::new(&file.path));
                let mut shared = self.shared.iter();
                shared.all(|(key, value)| tags.get(key.as_str()).and_then(Option::as_ref) == Some(value))
            })
        };
        self.manifests.iter().filter(|file| file.manifests > 0).all(beneath)
    }
}

/// The files instead of writing them.
fn show(files: &NewFiles, listener: Listener<'_>) {
    for (path, text) in &files.project {
        listener(Event::FileText { path, text });
    }
    for file in &files.manifests {
        listener(Event::FileText { path: Path::new(&file.path), text: &file.text });
    }
    for NewFile { path, text } in &files.removed {
        listener(Event::FileText { path, text });
    }
}
