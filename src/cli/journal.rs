//! Where the journal of a day-2 command is.

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::file_to_write;

use crate::workflow::{Error, Journal};

/// Where the journal is.
#[derive(Debug, Args)]
pub(super) struct JournalArgs {
    /// Append a JSON line for each writing call to this file; no values [default: .keywright/journal.jsonl in the
    /// project]
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    journal: Option<PathBuf>,
}

impl JournalArgs {
    /// Refuses a file that is no journal, before anything is asked or read.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.journal.as_deref().map_or(Ok(()), Journal::check)
    }

    /// Opens it, before anything is written anywhere.
    pub(super) fn open(&self, root: &Path, command: &'static str) -> Result<Journal, Error> {
        Journal::open_or_default(self.journal.as_deref(), root, command)
    }
}
