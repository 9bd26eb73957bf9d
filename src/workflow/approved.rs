//! Approved plans: what `plan --out` writes, and what `apply FILE` compares with.
//!
//! The file instructs nobody. An apply plans afresh, with its own flags and credentials, and goes on only when its plan
//! is the approved one, line for line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Error, FileProblem, Hint};
use super::files::{ours_or_nothing, write_whole};
use super::prepare::Prepared;
use crate::domain::{VersionId, check_format};
use crate::files::read_operator_file;
use crate::plan::{FINGERPRINT_VERSION, GuardOverrides, Selection, fingerprint, run_line, target_lines};
use crate::value::{Identity, MadeOnce};

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

/// What a run can be asked for otherwise than an approved plan was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the flag of its name")]
pub enum AskedOtherwise {
    Targets,
    Select,
    Shard,
    ReadValues,
    Overrides,
}

impl AskedOtherwise {
    /// Whether other secrets are looked at.
    pub const fn chooses(self) -> bool {
        matches!(self, Self::Targets | Self::Select | Self::Shard)
    }
}

/// What the lines of a plan say of the flags that it was made with.
struct Asked {
    /// The members of the run's line.
    run: serde_json::Value,
    /// The targets of the headings.
    targets: BTreeSet<String>,
}

impl Asked {
    fn of(lines: &[String]) -> Self {
        let parsed = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
        let run = lines.first().map(parsed).unwrap_or_default();
        // Of the lines of a target, its heading alone has its region.
        let target =
            |line: serde_json::Value| line.get("region").and_then(|_| line.get("target")?.as_str().map(str::to_owned));
        Self { run, targets: lines.iter().skip(1).map(parsed).filter_map(target).collect() }
    }
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

    /// Whether it is the plan of these lines, as `prepared` has them. Up to release 0.2.0 values with a generated part
    /// had other ids, which a file that it wrote has; they stand for the same values.
    pub fn is_of(&self, lines: &[String], prepared: &Prepared<'_>) -> bool {
        if self.lines == lines {
            return true;
        }
        let identities = prepared.planned().flat_map(|(_, planned)| planned.target.facts.identities.values());
        let earlier: BTreeMap<&str, &str> = identities
            .filter_map(|identity| match identity {
                Identity::MadeOnce(MadeOnce { id, earlier: Some(earlier), .. }) => {
                    Some((id.as_str(), earlier.as_str()))
                }
                _ => None,
            })
            .collect();
        self.lines.len() == lines.len()
            && self.lines.iter().zip(lines).all(|(approved, line)| *approved == with_earlier_ids(line, &earlier))
    }

    /// What a run was asked for otherwise than the approved plan, by its lines.
    pub fn asked_otherwise(&self, fresh: &[String]) -> Vec<AskedOtherwise> {
        let (approved, fresh) = (Asked::of(&self.lines), Asked::of(fresh));
        let flag =
            |flag: AskedOtherwise, member: &str| (approved.run.get(member) != fresh.run.get(member)).then_some(flag);
        let targets = (approved.targets != fresh.targets).then_some(AskedOtherwise::Targets);
        let flags = [
            flag(AskedOtherwise::Select, "select"),
            flag(AskedOtherwise::Shard, "shard"),
            flag(AskedOtherwise::ReadValues, "readValues"),
            flag(AskedOtherwise::Overrides, "guardOverrides"),
        ];
        targets.into_iter().chain(flags.into_iter().flatten()).collect()
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

/// A line with the ids that an earlier release would have given.
fn with_earlier_ids(line: &str, earlier: &BTreeMap<&str, &str>) -> String {
    // All ids of keywright's are of one length.
    let len = earlier.keys().next().map_or(0, |id| id.len());
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(VersionId::GENERATED_PREFIX) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let known = from.get(..len).and_then(|id| earlier.get(id));
        let id = known.copied().unwrap_or(VersionId::GENERATED_PREFIX);
        out.push_str(id);
        rest = from.get(id.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Whether bytes begin as an approved plan does.
fn is_of_kind(text: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(text.get(..200.min(text.len())).unwrap_or_default());
    beginning.trim_start().starts_with('{') && beginning.contains(KIND)
}
