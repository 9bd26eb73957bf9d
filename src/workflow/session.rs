//! What every run that reads targets begins with: the project, the way to its targets, and where values come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Error, ErrorKind, Hint};
use super::problem::Problem;
use super::sandbox::Reach;
use super::values::{NoPasswords, RunValues, TargetPasswords, ValueRules, ValueSources};
use crate::aws::{Aws, ConnectError, Kms, Writer};
use crate::desired::{Desired, DesiredSecret, OtherSecret};
use crate::manifest::{Diagnostics, LoadOptions, Loaded, Outline, load};
use crate::value::Decryptor;

/// Loads the manifests of a project for some of its targets, or all when none is named. Warnings are in what comes
/// back; with mistakes nothing does.
pub fn load_project(folder: &Path, targets: &[String]) -> Result<Loaded, Error> {
    let loaded = load(folder, &LoadOptions { targets: targets.to_vec(), ..LoadOptions::default() });
    if loaded.diagnostics.has_errors() { Err(mistakes(loaded)) } else { Ok(loaded) }
}

/// Loads what a command about one secret goes by. Such commands are for the moment when something is wrong, so that a
/// mistake in a manifest does not keep anybody from them: then the project file is all that is read, the targets and
/// their scopes, and the mistakes come back as well.
pub fn load_for_one_secret(folder: &Path, targets: &[String]) -> Result<(Loaded, Option<Diagnostics>), Error> {
    let loaded = load(folder, &LoadOptions { targets: targets.to_vec(), ..LoadOptions::default() });
    if !loaded.diagnostics.has_errors() {
        return Ok((loaded, None));
    }
    let options = LoadOptions { targets: targets.to_vec(), project_only: true, ..LoadOptions::default() };
    let project = load(folder, &options);
    if project.diagnostics.has_errors() { Err(mistakes(loaded)) } else { Ok((project, Some(loaded.diagnostics))) }
}

/// A project's name, where its project file has no mistake.
pub fn name_of_project(folder: &Path) -> Option<String> {
    load(folder, &LoadOptions { project_only: true, ..LoadOptions::default() }).project
}

/// The error of a project with mistakes; targets that it does not have are mistakes of the command line.
pub(super) fn mistakes(loaded: Loaded) -> Error {
    let found = Box::new(loaded.diagnostics);
    if loaded.misnamed { ErrorKind::NoSuchTarget(found).into() } else { ErrorKind::Manifests(found).into() }
}

/// The targets that these are linked with, and that are not among them, by what the manifests say.
pub fn load_linked(folder: &Path, desired: &[Desired]) -> Result<Vec<Desired>, Error> {
    let links = desired.iter().flat_map(|desired| desired.secrets.values()).flat_map(DesiredSecret::linked_with);
    let beside: BTreeSet<&str> = links
        .filter_map(|other| match other {
            OtherSecret::Named { target, name: _ } => Some(target.as_str()),
            OtherSecret::Arn(_) => None,
        })
        .filter(|linked| desired.iter().all(|desired| desired.target.name != *linked))
        .collect();
    if beside.is_empty() {
        return Ok(Vec::new());
    }
    let beside: Vec<String> = beside.into_iter().map(str::to_owned).collect();
    Ok(load_project(folder, &beside)?.desired)
}

/// Loads a project, with files that are not written yet, for the targets that manifests are imported from.
pub(super) fn chosen_targets(
    folder: &Path,
    targets: &[String],
    added: &BTreeMap<PathBuf, String>,
) -> Result<(Vec<Desired>, Outline), Error> {
    let options = LoadOptions {
        targets: targets.to_vec(),
        added: added.clone(),
        folders_to_come: true,
        defaults: true,
        ..LoadOptions::default()
    };
    let loaded = load(folder, &options);
    if loaded.diagnostics.has_errors() {
        return Err(mistakes(loaded));
    }
    let Loaded { desired, outline, .. } = loaded;
    let no_targets = || ErrorKind::Local(Problem::NoTargets).into();
    outline.filter(|_| !desired.is_empty()).map(|outline| (desired, outline)).ok_or_else(no_targets)
}

/// The one target of a command that works in one.
pub(super) fn only_one(mut desired: Vec<Desired>, importing: bool) -> Result<Desired, Error> {
    if desired.len() > 1 {
        let targets = desired.into_iter().map(|desired| desired.target.name).collect();
        return Err(Error::from(ErrorKind::SeveralTargets { importing }).hint(Hint::ChooseTarget { targets }));
    }
    desired.pop().ok_or_else(|| ErrorKind::Local(Problem::NoTargets).into())
}

/// A project and all it takes to read its targets.
pub struct Session {
    /// The project's name.
    pub project: String,
    /// Its folder, with symbolic links resolved.
    pub root: PathBuf,
    /// The desired state of each chosen target.
    pub desired: Vec<Desired>,
    /// What the project says about itself.
    pub outline: Option<Outline>,
    /// What the targets are reached through.
    pub aws: Arc<Aws>,
    sources: ValueSources,
}

impl Session {
    /// Opens what a loaded project needs. `identify` asks for the caller of every target, as approvals do.
    pub fn open(loaded: Loaded, reach: &Reach, values: &ValueRules, identify: bool) -> Result<Self, Error> {
        let aws = reach.open(&loaded.root)?;
        check_accounts(&aws, &loaded.desired)?;
        let aws = if identify { aws.identifying_callers() } else { aws };
        Ok(Self::through(Arc::new(aws), loaded, values))
    }

    /// The same, through what an earlier round opened.
    pub fn through(aws: Arc<Aws>, loaded: Loaded, values: &ValueRules) -> Self {
        let sources = ValueSources::open(values, &aws, &loaded.root);
        let Loaded { root, project, desired, outline, .. } = loaded;
        Self { project: project.unwrap_or_default(), root, desired, outline, aws, sources }
    }

    /// One run over the project. Files are decrypted once in it.
    pub fn run(&self) -> Run<'_> {
        Run { session: self, decryptor: self.sources.decryptor() }
    }
}

/// Refuses the whole run when a target says itself that it lies in another account than the run was allowed, before
/// anything is read of any. Targets that say nothing are refused one by one, when their credentials tell the account.
fn check_accounts(aws: &Aws, desired: &[Desired]) -> Result<(), Error> {
    let refused: Vec<_> = desired
        .iter()
        .filter_map(|desired| match aws.check_declared_account(&desired.target) {
            Err(ConnectError::OtherAccount { account }) => Some((desired.target.name.clone(), account)),
            _ => None,
        })
        .collect();
    let Some((_, account)) = refused.first().cloned() else { return Ok(()) };
    let targets = refused.into_iter().map(|(target, _)| target).collect();
    Err(ErrorKind::OtherAccount { targets, account }.into())
}

/// One run over a project: plans, and carries out what it planned.
pub struct Run<'s> {
    pub(super) session: &'s Session,
    decryptor: Decryptor<'s, Kms>,
}

impl Run<'_> {
    /// Values for reading and planning.
    pub fn values(&self) -> RunValues<'_, NoPasswords> {
        RunValues { sources: &self.session.sources, decryptor: &self.decryptor, passwords: NoPasswords }
    }

    /// Values for writing: passwords are made by the service.
    pub(super) fn values_to_write<'a>(&'a self, writer: &'a Writer) -> RunValues<'a, TargetPasswords<'a>> {
        RunValues { sources: &self.session.sources, decryptor: &self.decryptor, passwords: TargetPasswords(writer) }
    }
}
