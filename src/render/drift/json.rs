//! Drift as JSON. The types here are the format, and `schemas/drift.schema.json` is made of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Json};
use super::super::plan_json::OriginDocument;
use super::super::who::{self, WhoDocument};
use super::{counts, help, hints, sentence};
use crate::collect::CollectMap as _;
use crate::drift::{Drift, DriftReport, TargetDrift};

/// The version of the format of [`DriftDocument`].
pub const FORMAT_VERSION: &str = "1";

/// What differs from git, over all chosen targets.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DriftDocument {
    /// The version of this format: `1`.
    pub format_version: &'static str,
    /// The project's name.
    pub project: String,
    /// When the run began, as RFC 3339 in UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Requests to AWS, by operation.
    pub calls: BTreeMap<String, u64>,
    /// Whether anything differs from git in any target, secrets that wait for a value apart; null when nothing is known
    /// to, and some target could not be looked at.
    pub has_drift: Option<bool>,
    /// The targets, in the order of the project file.
    pub targets: Vec<TargetDocument>,
}

/// One target.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(rename = "DriftedTargetDocument"))]
pub struct TargetDocument {
    /// The target's name.
    pub name: String,
    /// The twelve-digit account, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Where it was reached when that is not AWS itself: an endpoint, or `sandbox`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Why the target could not be looked at; the other members are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Secrets that manifests name, after selection.
    pub checked: usize,
    /// Of these, the ones whose live value may or may not be the declared one: it was not read, and no id tells.
    pub unread: usize,
    /// Drifts that are known noise (`--ignore`) and are not listed.
    pub ignored: usize,
    /// How many drifts there are of each class that has one.
    pub counts: BTreeMap<&'static str, usize>,
    /// What differs, by secret.
    pub drifts: Vec<DriftedDocument>,
    /// Secrets that wait for a value from people. That is no drift, and none of the counts has it.
    pub awaiting_value: Vec<DriftedDocument>,
}

/// One difference.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DriftedDocument {
    /// Its kind, as a stable word: the ones that `keywright drift --help` lists.
    pub class: &'static str,
    /// The secret.
    pub secret: String,
    /// What differs, in words without the secret's name.
    pub message: String,
    /// What is known of who did it.
    pub hints: Vec<String>,
    /// What can be done about it.
    pub help: &'static str,
    /// Since when, as far as that is known, as RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where the secret's manifest names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginDocument>,
    /// Who did it, as far as CloudTrail knows; absent without `--who`, where git alone brought it about, and where
    /// CloudTrail could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<WhoDocument>,
}

/// The report as JSON text with a final line feed.
pub fn json(report: &DriftReport) -> Escaped<Json> {
    escape::json(&document(report))
}

fn document(report: &DriftReport) -> DriftDocument {
    let differs = report.differences().next().is_some();
    DriftDocument {
        format_version: FORMAT_VERSION,
        project: report.project.clone(),
        started: report.started.to_string(),
        seconds: report.seconds,
        calls: report.calls.clone(),
        has_drift: (differs || report.is_complete()).then_some(differs),
        targets: report.targets.iter().map(target).collect(),
    }
}

fn target(target: &TargetDrift) -> TargetDocument {
    let TargetDrift { name, account, region, endpoint, outcome } = target;
    let empty = TargetDocument {
        name: name.clone(),
        account: account.clone(),
        region: region.clone(),
        endpoint: endpoint.clone(),
        error: None,
        checked: 0,
        unread: 0,
        ignored: 0,
        counts: BTreeMap::new(),
        drifts: Vec::new(),
        awaiting_value: Vec::new(),
    };
    let differences = |found| counts(found).into_iter().filter(|(class, _)| class.is_difference());
    let drifts = outcome.iter().flat_map(|found| &found.drifts);
    let of = |differs| drifts.clone().filter(|drift| drift.class.is_difference() == differs).map(drifted).collect();
    match outcome {
        Err(error) => TargetDocument { error: Some(target_line(error).into_owned()), ..empty },
        Ok(found) => TargetDocument {
            checked: found.checked,
            unread: found.unread,
            ignored: found.ignored,
            counts: differences(found).map(|(class, number)| (class.word(), number)).collect_map(),
            drifts: of(true),
            awaiting_value: of(false),
            ..empty
        },
    }
}

pub(in crate::render) fn drifted(drift: &Drift) -> DriftedDocument {
    DriftedDocument {
        class: drift.class.word(),
        secret: drift.secret.as_str().to_owned(),
        message: sentence(drift),
        hints: hints(drift).collect(),
        help: help(drift),
        since: drift.since.map(|since| since.to_string()),
        origin: drift.origin.as_ref().map(super::super::plan_json::place),
        who: drift.who.as_ref().map(who::document),
    }
}
