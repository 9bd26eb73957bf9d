//! What targets are reached through: AWS, an endpoint in its place, or the embedded sandbox in a file of the project.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::error::{Error, ErrorKind, FileProblem, Hint};
use super::failures::with_causes;
use super::problem::Problem;
use crate::aws::{Aws, WaitReporter};
use crate::files::{Destination, read_operator_text};
use crate::sandbox::{Options, Sandbox, Server};

use crate::files::PRIVATE_FOLDER;

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
    /// The same, saying what is waited for.
    Telling(WaitReporter, Box<Reach>),
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
            Self::Telling(wait_reporter, reach) => return Ok(reach.open(root)?.reporting_waits(wait_reporter.clone())),
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

    /// Whether it is the embedded sandbox.
    pub fn is_sandbox(&self) -> bool {
        match self {
            Self::Aws { .. } => false,
            Self::Sandbox(_) => true,
            Self::OnlyAccounts(_, reach) | Self::Telling(_, reach) => reach.is_sandbox(),
        }
    }
}

/// Opens the sandbox of a project, or in a given file.
pub fn open_sandbox(file: Option<&Path>, root: &Path) -> Result<Sandbox, Error> {
    let path = file.map_or_else(|| root.join(PRIVATE_FOLDER).join(FILE), Path::to_path_buf);
    if file.is_none() {
        keep_out_of_git(root)?;
    }
    let opened = Sandbox::open(&path, Options::default());
    opened.map_err(|error| Error::file(path, FileProblem::SandboxNotOpened).because(with_causes(&error)))
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

/// Moves the sandbox's clock on.
pub fn advance_sandbox(sandbox: &Sandbox, by: jiff::Span) -> Result<(), Error> {
    let failed = || Error::from(ErrorKind::Local(Problem::SandboxClock));
    // Days are of 24 hours: the sandbox's clock knows no time zone.
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let seconds = by.total((jiff::Unit::Second, days)).map_err(|error| failed().because(error))?;
    if seconds < 0.0 {
        return Err(ErrorKind::WrongUsage(Problem::ClockBackwards).into());
    }
    let by = std::time::Duration::try_from_secs_f64(seconds).map_err(|error| failed().because(error))?;
    sandbox.advance(by).map_err(|error| failed().because(error))
}

/// Empties the sandbox.
pub fn empty_sandbox(sandbox: &Sandbox) -> Result<(), Error> {
    sandbox.reset().map_err(|error| Error::from(ErrorKind::Local(Problem::SandboxReset)).because(error))
}

/// Opens the sandbox's port; one that other machines can reach only where that was asked for.
pub async fn bind_sandbox(sandbox: Sandbox, address: SocketAddr, beyond_loopback: bool) -> Result<Server, Error> {
    if !address.ip().is_loopback() && !beyond_loopback {
        let problem = Problem::BeyondLoopback(address);
        return Err(Error::from(ErrorKind::WrongUsage(problem)).hint(Hint::BeyondLoopback));
    }
    let bound = if beyond_loopback {
        Server::bind_beyond_loopback(sandbox, address).await
    } else {
        Server::bind(sandbox, address).await
    };
    bound.map_err(|error| Error::from(ErrorKind::Listen(address)).because(error).hint(Hint::OtherPort))
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
