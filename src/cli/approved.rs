//! Approved plans: what `plan --out` writes, and what `apply FILE` compares with.
//!
//! The file instructs nobody. An apply plans afresh, with its own flags and credentials, and goes on only when its plan
//! is the approved one, line for line.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::prepare::{Prepared, PreparedTarget};
use super::shell::Shell;
use crate::aws::Aws;
use crate::exit_code::ExitCode;
use crate::plan::{FINGERPRINT_VERSION, GuardOverrides, Selection, fingerprint, run_line, target_lines};
use crate::render::{approved_text, escape};

/// Largest file that is read, in bytes: some 100,000 actions.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What the file is, for whoever finds one.
const KIND: &str = "keywright approved plan";

/// The file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApprovedPlan {
    kind: String,
    format_version: String,
    /// SHA-256 over the lines.
    fingerprint: String,
    lines: Vec<String>,
}

/// What a run stands for, beside its plan.
pub(super) struct RunFlags<'a> {
    pub(super) selection: &'a Selection,
    pub(super) overrides: &'a GuardOverrides,
    pub(super) read_values: bool,
}

/// The lines of what was planned just now.
pub(super) fn lines(prepared: &Prepared, flags: &RunFlags<'_>, aws: &Aws) -> Vec<String> {
    let mut lines = vec![run_line(&prepared.project, flags.selection, flags.overrides, flags.read_values)];
    for PreparedTarget { desired, planned } in &prepared.targets {
        let Ok(planned) = planned else { continue };
        let endpoint = aws.endpoint(&desired.target);
        lines.extend(target_lines(
            &planned.target.plan,
            &planned.target.live,
            endpoint.as_deref(),
            &desired.ignore_tags,
        ));
    }
    lines
}

/// Writes the plan that is to be approved, whole or not at all.
pub(super) fn save(path: &Path, lines: Vec<String>, shell: &Shell) -> Result<(), ExitCode> {
    let fingerprint = fingerprint(&lines);
    let plan = ApprovedPlan {
        kind: KIND.to_owned(),
        format_version: FINGERPRINT_VERSION.to_owned(),
        fingerprint: fingerprint.clone(),
        lines,
    };
    let shown = escape::line(&path.display().to_string()).into_owned();
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    super::files::write_whole(path, format!("{text}\n").as_bytes()).map_err(|error| {
        shell.error(&format!("the plan could not be written to {shown}: {error}"), None);
        ExitCode::Error
    })?;
    shell.err.line(&format!(
        "The plan is in {shown}: {fingerprint}\nkeywright apply {shown}, with the same flags, carries out this plan \
         and no other."
    ));
    Ok(())
}

/// Reads an approved plan.
pub(super) fn read(path: &Path, shell: &Shell) -> Result<Vec<String>, ExitCode> {
    let shown = escape::line(&path.display().to_string()).into_owned();
    let wrong = |message: &str, hint: Option<&str>| {
        shell.error(&format!("{shown}: {message}"), hint);
        ExitCode::Error
    };
    let long = std::fs::metadata(path).map(|file| file.len() > MAX_BYTES);
    let text = match long {
        Ok(true) => return Err(wrong("the file is too large to be an approved plan", None)),
        Ok(false) => std::fs::read(path),
        Err(error) => Err(error),
    };
    let text = text.map_err(|error| {
        let hint = "keywright plan --out FILE writes one; the sandbox's own file is named with --sandbox=FILE";
        wrong(&format!("the approved plan cannot be read: {error}"), Some(hint))
    })?;
    let plan: ApprovedPlan = serde_json::from_slice(&text).map_err(|error| {
        // serde_json's messages quote member names of the file, which anybody may have written.
        let message = format!("this is no approved plan: {}", escape::line(&error.to_string()));
        wrong(&message, Some("keywright plan --out FILE writes one"))
    })?;
    if plan.kind != KIND || plan.format_version != FINGERPRINT_VERSION {
        return Err(wrong("the approved plan is of another version of keywright", Some("plan and approve again")));
    }
    if plan.fingerprint != fingerprint(&plan.lines) {
        return Err(wrong(
            "the approved plan was edited: its fingerprint is another one",
            Some("plan and approve again"),
        ));
    }
    Ok(plan.lines)
}

/// Whether what was planned just now is what was approved. When nothing is left to do, that is no difference that
/// matters: nothing would be written.
pub(super) fn check(approved: &[String], fresh: &[String], nothing_to_do: bool, shell: &Shell) -> Result<(), ExitCode> {
    if approved == fresh {
        return Ok(());
    }
    if nothing_to_do {
        shell.err.line("Nothing is left of the approved plan: everything is as the manifests say already.");
        return Ok(());
    }
    shell.out.write(&approved_text::difference(shell.out.paint(), approved, fresh));
    shell.error(
        "the plan is stale: what would be done now is not what was approved, and nothing was applied",
        Some(
            "plan again and have it approved; --select and the flags that override guards must be those of the \
            approved plan",
        ),
    );
    Err(ExitCode::Stale)
}
