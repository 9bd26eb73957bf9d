//! The journal: one JSON line for each request that asked for a change, without values.
//!
//! It is opened before the first write, so that one that cannot be written keeps a run from beginning. When a line
//! cannot be written on the way, nothing new is begun, and the lines that are missing are told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::error::{Error, ErrorKind, FileProblem, Hint};
use super::files::ours_or_nothing;
use crate::apply::{CallRecord, KeepRecords};
use crate::domain::SecretName;
use crate::files::{Destination, PRIVATE_FOLDER};
use crate::plan::Plan;

/// The project's own journal.
const FILE: &str = "journal.jsonl";

/// A journal that can be appended to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    command: &'static str,
    /// The flags that override guards in this run, as they were given.
    guard_overrides: Vec<String>,
    file: Mutex<File>,
    broken: AtomicBool,
    missing: Mutex<Missing>,
}

/// What is not in the journal.
#[derive(Debug, Default)]
struct Missing {
    /// What went wrong first.
    error: Option<io::Error>,
    /// The lines that should be there.
    lines: Vec<String>,
}

/// Whose calls are noted, and where they are made.
#[derive(Clone, Debug, Serialize)]
pub struct Caller {
    /// The caller's ARN, when it is known.
    #[serde(rename = "caller")]
    pub arn: Option<String>,
    /// The project.
    pub project: String,
    /// The target's name.
    pub target: String,
    /// The account, when it is known.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Where calls go when that is not AWS itself: an endpoint, or `sandbox`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// One line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    /// When the answer came.
    time: String,
    /// The command.
    command: &'static str,
    /// The flags that override guards in this run; left out where there is none.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    guard_overrides: &'a [String],
    #[serde(flatten)]
    caller: &'a Caller,
    /// The secret's name.
    secret: &'a str,
    /// The old name of a secret that takes another one's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<&'a str>,
    /// The name of the secret that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to: Option<&'a str>,
    /// Its ARN, when it is known.
    arn: Option<&'a str>,
    /// The operation's name in the API.
    operation: &'static str,
    /// `done`, `failed`, `lost` or `recovered`.
    result: &'static str,
    /// The service's error code.
    code: Option<&'a str>,
    /// The request's id, by which CloudTrail finds it.
    request_id: Option<&'a str>,
}

impl Journal {
    /// Opens the file of the user's choice, or the project's own when there is none.
    pub fn open_or_default(path: Option<&Path>, root: &Path, command: &'static str) -> Result<Self, Error> {
        if let Some(path) = path {
            return Self::open(path, command);
        }
        let path = root.join(PRIVATE_FOLDER).join(FILE);
        Self::append_to(Destination::in_private_folder(root, FILE), &path, command)
    }

    /// Opens a file to append to, and makes it where there is none.
    pub fn open(path: &Path, command: &'static str) -> Result<Self, Error> {
        Self::check(path)?;
        Self::append_to(Destination::named_with_folder(path), path, command)
    }

    /// Refuses a file that is no journal: lines would be appended to somebody's manifest.
    pub fn check(path: &Path) -> Result<(), Error> {
        let is_one = |beginning: &[u8]| {
            let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
            serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|line| line.get("time").is_some())
        };
        ours_or_nothing(path, "a journal", is_one)
    }

    /// The same, for a run in which these guards are overridden: every line says so.
    #[must_use]
    pub fn with_guard_overrides(self, guard_overrides: Vec<String>) -> Self {
        Self { guard_overrides, ..self }
    }

    fn append_to(place: io::Result<Destination>, path: &Path, command: &'static str) -> Result<Self, Error> {
        let file = place.and_then(|place| place.append()).map_err(|error| {
            Error::file(path, FileProblem::JournalNotWritten).because(error).hint(Hint::NameJournal)
        })?;
        Ok(Self {
            path: path.to_owned(),
            command,
            guard_overrides: Vec::new(),
            file: Mutex::new(file),
            broken: AtomicBool::new(false),
            missing: Mutex::default(),
        })
    }

    /// The lines that are missing since this was asked last, as an error; none when all are there.
    pub fn failure(&self) -> Option<Error> {
        let Missing { error, lines } = std::mem::take(&mut *locked(&self.missing));
        if lines.is_empty() {
            return None;
        }
        let lost = Error::from(ErrorKind::JournalLost { path: self.path.clone() });
        let lost = lost.hint(Hint::NotInJournal { lines });
        Some(match error {
            Some(error) => lost.because(error),
            None => lost,
        })
    }

    fn append(&self, caller: &Caller, moves: &Moves, call: &CallRecord) {
        let CallRecord { at, operation, secret, arn, answer, request_id } = call;
        let line = Line {
            time: at.to_string(),
            command: self.command,
            guard_overrides: &self.guard_overrides,
            caller,
            secret: secret.as_str(),
            moved_from: moves.from.get(secret).map(SecretName::as_str),
            moved_to: moves.to.get(secret).map(SecretName::as_str),
            arn: arn.as_deref(),
            operation,
            result: answer.word(),
            code: answer.code(),
            request_id: request_id.as_deref(),
        };
        let written = serde_json::to_string(&line).map_err(io::Error::from).and_then(|line| {
            let written = append_whole(&mut locked(&self.file), format!("{line}\n").as_bytes());
            written.inspect_err(|_| locked(&self.missing).lines.push(line))
        });
        if let Err(error) = written {
            self.broken.store(true, Ordering::Relaxed);
            locked(&self.missing).error.get_or_insert(error);
        }
    }
}

/// Appends all of it, or as good as nothing: a disk that fills up half-way through a line must not leave half a line.
fn append_whole(file: &mut File, line: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while written < line.len() {
        let error = match file.write(&line[written..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(more) => {
                written += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        take_back(file, written);
        return Err(error);
    }
    Ok(())
}

/// Takes back what was written of a line. Pipes keep it, and so does a file that somebody else has appended to.
fn take_back(file: &mut File, written: usize) {
    let here = file.stream_position().ok();
    let end = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    if let (Some(here), Some(end)) = (here, end)
        && here == end
        && written > 0
    {
        // Nobody can do more about it: the run stops, and tells which lines are missing.
        let _ = file.set_len(end.saturating_sub(written as u64));
    }
}

/// A journal's file and a list of lines are whole even if another task died while it held the lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which secrets take the place of which.
#[derive(Debug, Default)]
pub struct Moves {
    from: BTreeMap<SecretName, SecretName>,
    to: BTreeMap<SecretName, SecretName>,
}

impl Moves {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let from =
            plan.secrets.iter().filter_map(|new| Some((new.name.clone(), new.moved_from()?.secret.name.clone())));
        let to = plan.secrets.iter().filter_map(|old| Some((old.name.clone(), old.moved_to()?.name.clone())));
        Self { from: from.collect(), to: to.collect() }
    }
}

/// The records of one target's calls, on their way into the journal; without one they go nowhere.
pub struct Entries<'a> {
    /// The journal.
    pub journal: Option<&'a Journal>,
    /// Who calls, and where.
    pub caller: Caller,
    /// What the calls belong to.
    pub moves: Moves,
}

impl KeepRecords for Entries<'_> {
    fn keep(&self, call: &CallRecord) {
        if let Some(journal) = self.journal {
            journal.append(&self.caller, &self.moves, call);
        }
    }

    fn is_broken(&self) -> bool {
        self.journal.is_some_and(|journal| journal.broken.load(Ordering::Relaxed))
    }
}
