//! The file of `--state`.

use std::path::{Path, PathBuf};

use crate::files::{FileFault, read_operator_file};
use crate::watch::{State, StateError};
use crate::workflow::files::{ours_or_nothing, write_whole};
use crate::workflow::{Error, FileProblem};

/// The largest state that is read, in bytes: some 100,000 findings.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where a watch remembers what it knows, if anywhere.
pub(super) struct StateFile {
    path: Option<PathBuf>,
    /// What the file held, until it is taken over.
    read: State,
    /// Why that was not taken over.
    fault: Option<String>,
    /// What was written last.
    written: Option<String>,
}

impl StateFile {
    /// Reads what a watch before this one knew. A file of another kind, of a later format or of another project than
    /// `project`, where that is known, is an error; one that cannot be read is begun anew, which [`StateFile::fault`]
    /// tells.
    pub(super) fn of(path: Option<&Path>, project: Option<&str>) -> Result<Self, Error> {
        let mut file = Self { path: path.map(Path::to_owned), read: State::default(), fault: None, written: None };
        let Some(path) = path else { return Ok(file) };
        ours_or_nothing(path, "the state of a watch", State::is_one)?;
        match read_operator_file(path, MAX_BYTES) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => match State::parse(&text) {
                // It may be the one in which the watch of that project remembers what it has told.
                Ok(state) if project.is_some_and(|project| !["", project].contains(&state.project.as_str())) => {
                    let other = format!("it is of project {}; name another file, or remove this one", state.project);
                    return Err(Error::file(path, FileProblem::StateOfOther).because(other));
                }
                Ok(state) => file.read = state,
                // What a newer keywright knows is not written over.
                Err(StateError::Version(other)) if !other.earlier => {
                    return Err(Error::file(path, FileProblem::StateOfNewer).because(other));
                }
                Err(error) => file.fault = Some(format!("{}: {error}; it is begun anew", path.display())),
            },
            Err(FileFault::Missing) => {}
            Err(fault) => file.fault = Some(format!("{}: it {fault}; it is begun anew", path.display())),
        }
        Ok(file)
    }

    /// What it held.
    pub(super) fn take(&mut self) -> State {
        std::mem::take(&mut self.read)
    }

    /// Why what it held was not taken over; once.
    pub(super) fn fault(&mut self) -> Option<String> {
        self.fault.take()
    }

    /// Writes what is known now, where that is not what was written last.
    pub(super) fn save(&mut self, state: &State) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = state.to_text();
        if self.written.as_ref() == Some(&text) {
            return Ok(());
        }
        write_whole(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
        self.written = Some(text);
        Ok(())
    }
}
