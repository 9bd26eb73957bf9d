//! Approved plans: what `plan --out` writes, and what `apply FILE` compares with.
//!
//! The file instructs nobody. An apply plans afresh, with its own flags and credentials, and goes on only when its plan
//! is the approved one, line for line.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Error, FileProblem, Hint};
use super::files::{ours_or_nothing, write_whole};
use super::prepare::Prepared;
use crate::domain::check_format;
use crate::files::read_operator_file;
use crate::plan::{FINGERPRINT_VERSION, GuardOverrides, Selection, fingerprint, run_line, target_lines};

/// Largest file that is read, in bytes: some 100,000 actions.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What the file is, for whoever finds one.
const KIND: &str = "keywright approved plan";

/// The file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovedPlan {
    kind: String,
    format_version: String,
    /// SHA-256 over the lines.
    fingerprint: String,
    lines: Vec<String>,
}

/// What a run stands for, beside its plan.
pub struct RunFlags<'a> {
    /// Which secrets.
    pub selection: &'a Selection,
    /// Guards that are overridden.
    pub overrides: &'a GuardOverrides,
    /// Whether live values were compared.
    pub read_values: bool,
}

/// The lines of what was planned just now.
pub fn lines(prepared: &Prepared<'_>, flags: &RunFlags<'_>) -> Vec<String> {
    let mut lines = vec![run_line(prepared.project, flags.selection, flags.overrides, flags.read_values)];
    for (desired, planned) in prepared.planned() {
        lines.extend(target_lines(&planned.target.plan, &planned.target.live, &desired.ignore_tags));
    }
    lines
}

impl ApprovedPlan {
    /// The plan that is to be approved.
    pub fn new(lines: Vec<String>) -> Self {
        Self {
            kind: KIND.to_owned(),
            format_version: FINGERPRINT_VERSION.to_owned(),
            fingerprint: fingerprint(&lines),
            lines,
        }
    }

    /// SHA-256 over the lines.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What was approved, line for line.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Refuses to write over what is no approved plan.
    pub fn check_place(path: &Path) -> Result<(), Error> {
        ours_or_nothing(path, "an approved plan", is_of_kind)
    }

    /// Writes it, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        write_whole(path, format!("{text}\n").as_bytes())
            .map_err(|error| Error::file(path, FileProblem::PlanNotWritten).because(error))
    }

    /// Reads one, and checks that it is whole.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |problem: FileProblem| Error::file(path, problem);
        let text = read_operator_file(path, MAX_BYTES).map_err(|fault| {
            wrong(FileProblem::ApprovedUnreadable).because(format!("it {fault}")).hint(Hint::ApprovedBySandboxMixUp)
        })?;
        // A later format may have members that are unknown here, and is none the less an approved plan.
        if is_of_kind(&text) {
            check_format(&text, FINGERPRINT_VERSION)
                .map_err(|other| wrong(FileProblem::ApprovedOfOtherVersion).because(other).hint(Hint::ApproveAgain))?;
        }
        let plan: Self = serde_json::from_slice(&text)
            .map_err(|error| wrong(FileProblem::NotApproved).because(error).hint(Hint::ApprovedByPlanOut))?;
        if plan.kind != KIND {
            return Err(wrong(FileProblem::NotApproved).hint(Hint::ApprovedByPlanOut));
        }
        if plan.fingerprint != fingerprint(&plan.lines) {
            return Err(wrong(FileProblem::ApprovedEdited).hint(Hint::ApproveAgain));
        }
        Ok(plan)
    }
}

/// Whether bytes begin as an approved plan does.
fn is_of_kind(text: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(text.get(..200.min(text.len())).unwrap_or_default());
    beginning.trim_start().starts_with('{') && beginning.contains(KIND)
}
