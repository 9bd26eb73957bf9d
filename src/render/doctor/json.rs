//! What `keywright doctor` found, as JSON. The types here are the format, and `schemas/doctor.schema.json` is made of
//! them.

use serde::Serialize;

use super::super::escape::{self, Escaped, Json};
use super::words::{Names, words};
use super::{BUILD, number, word};
use crate::workflow::{Check, Checkup, Verdict};

/// The version of the format of [`DoctorDocument`].
pub const FORMAT_VERSION: &str = "1";

/// What keywright found of its surroundings.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::render) struct DoctorDocument {
    /// The version of this format: `1`.
    pub format_version: &'static str,
    /// The version of keywright.
    pub version: &'static str,
    /// How it was built: `release` or `debug`.
    pub build: &'static str,
    /// The machine's architecture and system, such as `x86_64 linux`.
    pub platform: String,
    /// Whether names, accounts, paths and the service's own texts are left out.
    pub masked: bool,
    /// Whether the embedded sandbox took the place of AWS.
    pub sandbox: bool,
    /// How many checks ended in which way.
    pub summary: SummaryDocument,
    /// The checks: of the project and the machine first, then of each target.
    pub checks: Vec<CheckDocument>,
}

/// How many checks ended in which way.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::render) struct SummaryDocument {
    /// As they should.
    pub ok: usize,
    /// It works, and somebody should look.
    pub warning: usize,
    /// It does not work; then the process ends with 1.
    pub failed: usize,
    /// It cannot be told.
    pub unknown: usize,
}

/// One check.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::render) struct CheckDocument {
    /// What was looked at: `project`, `credentials`, `clock`, or an operation such as `ListSecrets`.
    pub check: &'static str,
    /// The target; absent for the project and the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The target's region; absent for the project and the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How it ended: `ok`, `warning`, `failed` or `unknown`.
    pub status: &'static str,
    /// What was found, for people.
    pub message: String,
    /// What can be done; absent where nothing is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_do: Option<String>,
}

/// The report as one JSON document, indented, with a line feed at the end.
pub fn json(checkup: &Checkup, show_names: bool) -> Escaped<Json> {
    let names = Names::new(show_names);
    let of = |check: &Check, place: Option<(&str, &str)>| {
        let told = words(check, &names);
        CheckDocument {
            check: told.subject,
            target: place.map(|(target, _)| names.of("target", target)),
            region: place.map(|(_, region)| region.to_owned()),
            status: word(check.verdict()),
            message: told.message,
            to_do: told.to_do,
        }
    };
    let mut checks: Vec<CheckDocument> = checkup.checks.iter().map(|check| of(check, None)).collect();
    for target in &checkup.targets {
        checks.extend(target.checks.iter().map(|check| of(check, Some((&target.name, &target.region)))));
    }
    escape::json(&DoctorDocument {
        format_version: FORMAT_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        build: BUILD,
        platform: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
        masked: !show_names,
        sandbox: checkup.embedded,
        summary: SummaryDocument {
            ok: number(checkup, Verdict::Good),
            warning: number(checkup, Verdict::Warning),
            failed: number(checkup, Verdict::Failed),
            unknown: number(checkup, Verdict::Unknown),
        },
        checks,
    })
}
