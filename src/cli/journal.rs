//! The journal: one JSON line for each call that wrote, without values.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::report::report;
use super::shell::Shell;
use crate::workflow::{Error, FileProblem, Hint, PRIVATE_FOLDER};

/// Where the journal is.
#[derive(Debug, Args)]
pub(super) struct JournalArgs {
    /// Append a line about what was done to this file [default: .keywright/journal.jsonl in the project]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// One line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    /// The command.
    pub(super) command: &'static str,
    /// The caller's ARN, when it is known.
    pub(super) caller: Option<&'a str>,
    /// The project.
    pub(super) project: &'a str,
    /// The target's name.
    pub(super) target: &'a str,
    /// The account, when it is known.
    pub(super) account: Option<&'a str>,
    /// The region.
    pub(super) region: &'a str,
    /// The secret's ARN.
    pub(super) secret: &'a str,
    /// What was done, in words; no value.
    pub(super) action: String,
    /// The request's id, by which CloudTrail finds it.
    pub(super) request_id: Option<&'a str>,
    /// `done` or `failed`.
    pub(super) result: &'static str,
}

impl JournalArgs {
    /// Appends a line to the file of the user's choice, or to the project's own.
    pub(super) fn append_or_default(&self, root: &Path, entry: &Entry<'_>, shell: &Shell) {
        if let Some(path) = &self.journal {
            return append(path, entry, shell);
        }
        let folder = root.join(PRIVATE_FOLDER);
        let path = folder.join("journal.jsonl");
        // A repository can hold links: nobody chose to write where one leads.
        let linked = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink());
        if linked(&folder) || linked(&path) {
            report(&Error::file(path, FileProblem::JournalIsLink).hint(Hint::NameJournal), shell);
            return;
        }
        append(&path, entry, shell);
    }
}

/// Appends a line. A journal that cannot be written is reported; what was done is done.
pub(super) fn append(path: &Path, entry: &Entry<'_>, shell: &Shell) {
    let mut line = serde_json::json!({ "time": jiff::Timestamp::now().to_string() });
    if let (Some(line), Ok(serde_json::Value::Object(entry))) = (line.as_object_mut(), serde_json::to_value(entry)) {
        line.extend(entry);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = folder.map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(format!("{line}\n").as_bytes())
    });
    if let Err(error) = written {
        report(&Error::file(path, FileProblem::JournalNotWritten).because(error), shell);
    }
}
