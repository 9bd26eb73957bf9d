//! The sandbox's database: one redb file, or the same in memory.
//!
//! An acknowledged write is on the disk: every change is one transaction, durable before the answer is sent
//! (`commit`). The file belongs to one process at a time and, on Unix, to its owner alone (mode 0600). Values are
//! encrypted with a key in a file beside it; a deleted value's bytes may remain in freed pages, encrypted as they are.
//!
//! Opening, transactions and errors are here; what is in the tables and how it is read and written is in `tables`.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase as _, StorageError};

use super::cipher::{self, Cipher, KeyFile};
use super::commit::SharedCommits;
use super::events::{Event, Waiting};
use super::tables::{self, Format, Reader, Writer};
use super::transaction::SharedTransaction;
use crate::clock::Moment;
use crate::home::Home;
use crate::wire::ServiceError;
use keywright_ground::files::Destination;

/// Memory for pages of the file; redb's own default is a gibibyte.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// How often a file is looked for that other processes make and take away.
const MOST_LOOKS: usize = 5;

/// Why a sandbox file could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another sandbox of this one, has the file open.
    #[error("the sandbox file {path} is in use: another keywright process has it open")]
    Locked {
        /// The sandbox file.
        path: PathBuf,
    },
    /// The file exists and is something else. It was left as it is.
    #[error("{path} is not a sandbox file; it was left as it is")]
    NotASandbox {
        /// The sandbox file.
        path: PathBuf,
    },
    /// The file was written by a version of keywright that keeps another format.
    #[error(
        "the sandbox file {path} has format {found}, and this version of keywright reads format {supported}: \
         use the version that wrote it, or delete the file"
    )]
    OtherFormat {
        /// The sandbox file.
        path: PathBuf,
        /// The format that it has.
        found: String,
        /// The format that this version reads and writes.
        supported: &'static str,
    },
    /// The file is a sandbox file, or was one, and cannot be read any more.
    #[error("the sandbox file {path} is damaged; delete it to start over")]
    Damaged {
        /// The sandbox file.
        path: PathBuf,
        /// What came before it.
        #[source]
        source: StoreError,
    },
    /// The file that holds the key of the values is missing: they cannot be read any more.
    #[error(
        "the key of the sandbox file {path} is missing: it was in {key}; put it back, or delete the sandbox file to \
         start over"
    )]
    KeyMissing {
        /// The sandbox file.
        path: PathBuf,
        /// Where its key should be.
        key: PathBuf,
    },
    /// The key beside the file is another file's.
    #[error("{key} is not the key of the sandbox file {path}: put the right one there, or delete both to start over")]
    WrongKey {
        /// The sandbox file.
        path: PathBuf,
        /// The key beside it.
        key: PathBuf,
    },
    /// The file or its folder could not be read or made.
    #[error("cannot open the sandbox file {path}")]
    Io {
        /// The sandbox file.
        path: PathBuf,
        /// What came before it.
        #[source]
        source: io::Error,
    },
}

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed, or its file did.
    #[error("the database failed")]
    Database(#[source] Box<redb::Error>),
    /// The database failed while it brought changes of several to the disk, this one among them.
    #[error("the database failed while it wrote several changes together")]
    Shared,
    /// A record is not what this version writes.
    #[error("a record is damaged")]
    Record(#[source] serde_json::Error),
    /// A stored value is not what this version writes, or was encrypted with another key.
    #[error("a stored value is damaged")]
    Value,
}

/// Turns redb's errors, one type for each of its steps, into ours.
macro_rules! store_error_from {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        })+
    };
}
store_error_from!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(error)
    }
}

impl From<StoreError> for ServiceError {
    /// A broken store is a server fault. The cause goes to the log; it names tables and I/O errors, never a value.
    fn from(error: StoreError) -> Self {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(cause, detail = ?cause.source(), "the sandbox's store failed");
        Self::internal(format!("The sandbox's store failed: {error}"))
    }
}

/// The open database.
pub(crate) struct Store {
    database: Database,
    cipher: Cipher,
    commits: SharedCommits,
    /// Whether changes are remembered, for lists that lag.
    remembering: AtomicBool,
    /// Events that are not written yet.
    events: Waiting,
}

impl Drop for Store {
    /// Writes the events that waited. Whoever ends the process is not told when that fails: they are no state.
    fn drop(&mut self) {
        drop(self.write_events());
    }
}

impl Store {
    /// Opens a file, or makes it, with its folder, where there is none. A file that is made gets its name when all is
    /// in it: a process that is killed before leaves nothing that could not be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io { path: path.to_owned(), source };
        let place = Destination::named_with_folder(path).map_err(io_error)?;
        // Another process may make the file, or take an empty one away, at the same time.
        for _ in 0..MOST_LOOKS {
            let Some(file) = place.open().map_err(io_error)? else {
                match Self::make(path, &place) {
                    Err(Failed::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                    Err(Failed::Io(error)) => return Err(io_error(error)),
                    Err(Failed::Open(error)) => return Err(error),
                    Ok(store) => return Ok(store),
                }
            };
            if file.metadata().map_err(io_error)?.len() > 0 {
                return Self::open_file(path, &place, file);
            }
            // Made by hand, or left by an older version that was killed. The lock is held while it is taken away.
            let locked = FileBackend::new(file.try_clone().map_err(io_error)?);
            let _locked = locked.map_err(|error| opening(path, error, true))?;
            if place.is_still(&file).map_err(io_error)? {
                place.remove().map_err(io_error)?;
            }
        }
        Err(OpenError::Locked { path: path.to_owned() })
    }

    /// Makes the file. The key is on the disk before anything is encrypted with it.
    fn make(path: &Path, place: &Destination) -> Result<Self, Failed> {
        let key = key_of(path, place)?;
        place.make(true, |file| {
            let database = database(path, file.try_clone()?, true)?;
            let damaged = |source| OpenError::Damaged { path: path.to_owned(), source };
            change(&database, |transaction| tables::make(transaction, &key)).map_err(damaged)?;
            Ok(Self::over(database, key))
        })
    }

    /// Opens a file that holds something.
    fn open_file(path: &Path, place: &Destination, file: fs::File) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io { path: path.to_owned(), source };
        // redb would say "corrupted" of a file that is no database at all.
        let ours = looks_like_a_database(&file).map_err(io_error)?;
        let database = database(path, file, ours)?;
        let damaged = |source| OpenError::Damaged { path: path.to_owned(), source };
        let format = change(&database, tables::recognise).map_err(damaged)?;
        let key_path = cipher::key_file(path);
        let key_error = |source| OpenError::Io { path: key_path.clone(), source };
        let wrong_key = || OpenError::WrongKey { path: path.to_owned(), key: key_path.clone() };
        let read = || place.beside(cipher::KEY_ENDING).and_then(|key| cipher::read(&key)).map_err(key_error);
        match format {
            Format::Empty => {
                let cipher = key_of(path, place).map_err(|failed| match failed {
                    Failed::Io(source) => key_error(source),
                    Failed::Open(error) => error,
                })?;
                change(&database, |transaction| tables::make(transaction, &cipher)).map_err(damaged)?;
                Ok(Self::over(database, cipher))
            }
            Format::Ours { key_check, older } => match read()? {
                KeyFile::Key(cipher) if tables::is_key(&cipher, &key_check) => {
                    if older {
                        change(&database, tables::upgrade).map_err(damaged)?;
                    }
                    Ok(Self::over(database, cipher))
                }
                KeyFile::Missing => Err(OpenError::KeyMissing { path: path.to_owned(), key: key_path }),
                KeyFile::Key(_) | KeyFile::Cut | KeyFile::Foreign => Err(wrong_key()),
            },
            Format::NotASandbox => Err(OpenError::NotASandbox { path: path.to_owned() }),
            Format::Other(found) => {
                Err(OpenError::OtherFormat { path: path.to_owned(), found, supported: tables::FORMAT })
            }
        }
    }

    /// An empty database in memory, under a key that is nowhere else.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(InMemoryBackend::new())
            .map_err(|error| StoreError::Database(Box::new(error.into())))?;
        let cipher = Cipher::ephemeral();
        change(&database, |transaction| tables::make(transaction, &cipher))?;
        Ok(Self::over(database, cipher))
    }

    fn over(database: Database, cipher: Cipher) -> Self {
        Self {
            database,
            cipher,
            commits: SharedCommits::default(),
            remembering: AtomicBool::new(false),
            events: Waiting::default(),
        }
    }

    /// How far the clock was moved, in milliseconds.
    pub(crate) fn clock_offset(&self) -> Result<u64, StoreError> {
        self.read(Moment(0), |reader| {
            let offset = reader.clock_offset()?;
            Ok(offset)
        })
    }

    /// Remembers changes from now on, or no longer.
    pub(crate) fn remember(&self, remembering: bool) {
        self.remembering.store(remembering, Ordering::Relaxed);
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) -> Result<(), StoreError> {
        self.events.clear();
        change(&self.database, |transaction| tables::clear(transaction, &self.cipher))
    }

    /// Reads from one consistent state. Secrets whose recovery window has ended are not there.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        now: Moment,
        read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction: ReadTransaction = self.database.begin_read().map_err(StoreError::from)?;
        read(&Reader::new(&transaction, &self.cipher, now, false))
    }

    /// Makes one change, wholly and durably, or none if `apply` fails.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        now: Moment,
        apply: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let remembering = self.remembering.load(Ordering::Relaxed);
        self.commits.write(&self.database, |transaction| {
            let writer = Writer::new(transaction, &self.cipher, now, remembering);
            let waiting = self.events.take();
            let noted = waiting.iter().try_for_each(|(home, time, event)| writer.note_event_of(home, *time, event));
            let applied = noted.map_err(E::from).and_then(|()| apply(&writer));
            if applied.is_err() {
                // They are undone with the change.
                self.events.put_back(waiting);
            }
            applied
        })
    }

    /// Takes note of an event that comes with no change: it is written with the next one.
    pub(crate) fn note_event(&self, home: &Home, time: Moment, event: Event) -> Result<(), StoreError> {
        if self.events.push(home, time, event) { self.write_events() } else { Ok(()) }
    }

    /// Writes the events that wait, for somebody who looks.
    pub(crate) fn write_events(&self) -> Result<(), StoreError> {
        if self.events.is_empty() { Ok(()) } else { self.write(Moment(i64::MIN), |_| Ok(())) }
    }
}

/// Makes a change in a transaction of its own.
fn change<T, E: From<StoreError>>(
    database: &Database,
    apply: impl FnOnce(&SharedTransaction) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = SharedTransaction::begin(database)?;
    // On an error the transaction is dropped, which undoes it.
    let outcome = apply(&transaction)?;
    transaction.commit()?;
    Ok(outcome)
}

/// Why a file was not made.
enum Failed {
    Io(io::Error),
    Open(OpenError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<OpenError> for Failed {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// The key of a database that holds nothing yet: the one that is there, or a new one.
fn key_of(path: &Path, place: &Destination) -> Result<Cipher, Failed> {
    let key = place.beside(cipher::KEY_ENDING)?;
    for _ in 0..MOST_LOOKS {
        match cipher::read(&key)? {
            KeyFile::Key(cipher) => return Ok(cipher),
            KeyFile::Foreign => {
                let key = cipher::key_file(path);
                return Err(Failed::Open(OpenError::WrongKey { path: path.to_owned(), key }));
            }
            KeyFile::Cut => key.remove()?,
            KeyFile::Missing => match cipher::create(&key) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return Ok(made?),
            },
        }
    }
    Err(Failed::Io(io::ErrorKind::AlreadyExists.into()))
}

/// Opens the database in a file, or makes one in an empty file.
fn database(path: &Path, file: fs::File, ours: bool) -> Result<Database, OpenError> {
    let backend = FileBackend::new(file).map_err(|error| opening(path, error, ours))?;
    Builder::new()
        .set_cache_size(CACHE_BYTES)
        // Costs about a millisecond for a thousand secrets (fifteen without optimisation); without it an altered file
        // could make redb panic later.
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
        .map_err(|error| opening(path, error, ours))
}

/// Whether a file is empty or begins as redb's files do.
fn looks_like_a_database(mut file: &fs::File) -> io::Result<bool> {
    use std::io::Seek as _;
    let mut start = [0; 4];
    let mut filled = 0;
    while filled < start.len() {
        match file.read(&mut start[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    file.rewind()?;
    Ok(filled == 0 || start == *b"redb")
}

fn opening(path: &Path, error: DatabaseError, ours: bool) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::Locked { path },
        _ if !ours => OpenError::NotASandbox { path },
        DatabaseError::UpgradeRequired(version) => {
            OpenError::OtherFormat { path, found: format!("redb {version}"), supported: tables::FORMAT }
        }
        DatabaseError::Storage(StorageError::Io(source)) if source.kind() != io::ErrorKind::InvalidData => {
            OpenError::Io { path, source }
        }
        other => OpenError::Damaged { path, source: StoreError::Database(Box::new(other.into())) },
    }
}
