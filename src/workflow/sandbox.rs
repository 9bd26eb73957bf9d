//! What targets are reached through: AWS, an endpoint in its place, or the embedded sandbox in a file of the project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::{Error, FileProblem, Hint};
use crate::aws::Aws;
use crate::files::{Destination, read_operator_text};
use crate::sandbox::{Options, Sandbox};

pub use crate::files::PRIVATE_FOLDER;

/// The project's own sandbox.
const FILE: &str = "sandbox.redb";

/// The largest file of faults or of a policy, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The largest file of fixtures, in bytes: the secrets of a test of scale.
const MAX_FIXTURES: u64 = 256 * 1024 * 1024;

/// Where Secrets Manager is.
#[derive(Clone, Debug)]
pub enum Reach {
    /// AWS, or an endpoint in its place.
    Aws {
        /// The endpoint, which then overrides what targets say.
        endpoint: Option<String>,
    },
    /// The embedded sandbox.
    Sandbox(SandboxPlace),
    /// The same, for targets in these accounts alone.
    OnlyAccounts(BTreeSet<String>, Box<Reach>),
}

/// Which sandbox, and how it behaves.
#[derive(Clone, Debug, Default)]
pub struct SandboxPlace {
    /// One that is open already.
    pub open: Option<Sandbox>,
    /// Its file; none for the project's own.
    pub file: Option<PathBuf>,
    /// Faults, latency and quotas, as a JSON file.
    pub faults: Option<PathBuf>,
    /// An identity policy to enforce.
    pub policy: Option<PathBuf>,
}

impl Reach {
    /// Opens it for the project in `root`.
    pub fn open(&self, root: &Path) -> Result<Aws, Error> {
        let place = match self {
            Self::Aws { endpoint } => return Ok(Aws::new(endpoint.clone())),
            Self::OnlyAccounts(accounts, reach) => return Ok(reach.open(root)?.only_accounts(accounts.clone())),
            Self::Sandbox(place) => place,
        };
        let sandbox = match &place.open {
            Some(sandbox) => sandbox.clone(),
            None => open_sandbox(place.file.as_deref(), root)?,
        };
        if let Some(faults) = &place.faults {
            inject_faults(&sandbox, faults)?;
        }
        if let Some(policy) = &place.policy {
            enforce(&sandbox, policy)?;
        }
        Ok(Aws::embedded(sandbox))
    }
}

/// Opens the sandbox of a project, or in a given file.
pub fn open_sandbox(file: Option<&Path>, root: &Path) -> Result<Sandbox, Error> {
    let path = file.map_or_else(|| root.join(PRIVATE_FOLDER).join(FILE), Path::to_path_buf);
    if file.is_none() {
        keep_out_of_git(root)?;
    }
    let opened = Sandbox::open(&path, Options::default());
    opened.map_err(|error| Error::file(path, FileProblem::SandboxNotOpened).because(with_its_causes(&error)))
}

/// An error with what caused it, down to what the system says of the file.
fn with_its_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// Injects the faults of a file.
pub fn inject_faults(sandbox: &Sandbox, file: &Path) -> Result<(), Error> {
    sandbox
        .apply_fault_file(&read(file, MAX_FILE)?)
        .map_err(|error| Error::file(file, FileProblem::Wrong).because(error))
}

/// Makes a sandbox enforce the policy of a file.
pub fn enforce(sandbox: &Sandbox, file: &Path) -> Result<(), Error> {
    sandbox.enforce_policy(&read(file, MAX_FILE)?).map_err(|error| Error::file(file, FileProblem::Wrong).because(error))
}

/// Makes the secrets of a file; returns how many were new.
pub fn make_fixtures(sandbox: &Sandbox, file: &Path) -> Result<usize, Error> {
    sandbox
        .make_fixtures(&read(file, MAX_FIXTURES)?)
        .map_err(|error| Error::file(file, FileProblem::Wrong).because(error))
}

fn read(file: &Path, limit: u64) -> Result<String, Error> {
    read_operator_text(file, limit)
        .map_err(|fault| Error::file(file, FileProblem::Unreadable).because(format!("it {fault}")))
}

/// Makes the private folder with a .gitignore of its own, so that a sandbox is not committed by accident.
fn keep_out_of_git(root: &Path) -> Result<(), Error> {
    Destination::in_private_folder(root, FILE).map(drop).map_err(|error| {
        Error::file(root.join(PRIVATE_FOLDER), FileProblem::NotMade).because(error).hint(Hint::SandboxFile)
    })
}
