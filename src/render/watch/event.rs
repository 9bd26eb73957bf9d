//! What `keywright watch` tells programs: one line of JSON for each thing that happened.
//!
//! The types here are the format, and `schemas/watch.schema.json` is made of them. A new event and a new member are
//! compatible changes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::super::apply_json::AppliedTarget;
use super::super::escape::{self, Escaped, Json};
use super::super::who::{self, WhoDocument};
use crate::attribution::Answer;
use crate::drift::DriftReport;
use crate::watch::Finding;

/// Reasons that a line lists; further ones are counted.
const LISTED: usize = 20;

/// Something that happened.
pub enum Event<'a> {
    /// The watch began.
    Started {
        /// From the end of a round to the next.
        interval: Duration,
        /// Whether it applies.
        applies: bool,
    },
    /// Something differs that did not before; and why its target could not be looked at, when that is it.
    Appeared(&'a Finding, Option<&'a str>, Option<&'a Answer>),
    /// Something that differs was changed again.
    ChangedAgain(&'a Finding, Option<&'a Answer>),
    /// Something does not differ any more.
    Disappeared(&'a Finding),
    /// A round ended.
    Round {
        /// Its number, from 1.
        number: u64,
        /// What it found.
        report: &'a DriftReport,
        /// Whether everything was read of every target, and not what changed.
        full: bool,
        /// Secrets that are held back.
        held_back: usize,
    },
    /// A round could not begin.
    RoundFailed {
        /// Why.
        reasons: Vec<String>,
    },
    /// Drift was put right, or that was tried.
    Applied {
        /// What became of it.
        targets: Vec<AppliedTarget>,
        /// What `keywright apply` would have ended with.
        exit_code: u8,
        /// Secrets whose differences are held back after it.
        held_back: usize,
    },
    /// Something that differs was not applied.
    NotApplied {
        /// Why.
        reasons: Vec<String>,
    },
    /// A change was not delivered; it is told again after the next round.
    NotNotified {
        /// Why, without the URL.
        reason: String,
    },
    /// What is known could not be remembered, or what was remembered not be read.
    NotRemembered {
        /// Why.
        reason: String,
    },
    /// Somebody asked for a look at once (SIGHUP).
    Reloaded,
    /// The watch ended.
    Stopped,
}

/// The kinds of events.
#[derive(Clone, Copy, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EventName {
    /// The watch began: `intervalSeconds`, `applies`.
    #[default]
    Started,
    /// Something differs that did not before, or a target cannot be looked at (class `unreachable`): `class`, `target`,
    /// `secret`, `what`, `who`, `reasons`.
    Appeared,
    /// A secret that differs was changed again, and differs in the same way: the members of `appeared`.
    ChangedAgain,
    /// Something does not differ any more: the members of `appeared`.
    Disappeared,
    /// A round ended (with `-v`): `number`, `complete`, `full`, `drifts`, `heldBack`, `seconds`, `calls`.
    Round,
    /// The manifests are wrong, or nothing could be looked at: `reasons`, `leftOut`.
    RoundFailed,
    /// Drift was put right, or that was tried: `exitCode`, `heldBack`, `targets`.
    Applied,
    /// Something that differs was not applied (a guard, an error, a target that could not be read): `reasons`,
    /// `leftOut`.
    NotApplied,
    /// The webhook did not take a change, which is told again after the next round: `reasons`.
    NotNotified,
    /// The state of `--state` could not be written, or was not taken over: `reasons`.
    NotRemembered,
    /// SIGHUP: all targets are looked at, at once and in full.
    Reloaded,
    /// The watch ended.
    Stopped,
}

/// One line. Which members there are depends on the event.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventDocument {
    /// When it was told, as RFC 3339.
    pub time: String,
    /// What happened.
    pub event: EventName,
    /// The project's name; absent while it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The class of drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The secret; empty when a target could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What differs, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// With `--who`, who brought it about, as far as CloudTrail knew when it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<WhoDocument>,
    /// Why, in sentences; at most twenty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<String>>,
    /// How many reasons are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<usize>,
    /// From the end of a round to the next, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<f64>,
    /// Whether drift is put right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applies: Option<bool>,
    /// The round's number, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Whether every target was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// Whether everything was read, and not what changed since the last round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    /// How many findings there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drifts: Option<usize>,
    /// Secrets whose differences an apply would leave alone for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<usize>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Requests by operation, retries included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<BTreeMap<String, u64>>,
    /// What `keywright apply` would have ended with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// What was applied, as in `apply --format json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<AppliedTarget>>,
}

/// One event as a line of JSON. The project is empty while its name is not known.
pub fn line(time: Timestamp, project: &str, event: Event<'_>) -> Escaped<Json> {
    let document = EventDocument {
        time: time.to_string(),
        project: (!project.is_empty()).then(|| project.to_owned()),
        ..document(event)
    };
    escape::json_line(&document)
}

fn document(event: Event<'_>) -> EventDocument {
    let named = |event| EventDocument { event, ..EventDocument::default() };
    match event {
        Event::Started { interval, applies } => EventDocument {
            interval_seconds: Some(interval.as_secs_f64()),
            applies: Some(applies),
            ..named(EventName::Started)
        },
        Event::Appeared(finding, reason, who) => {
            let who = who.map(who::document);
            EventDocument { event: EventName::Appeared, who, ..of_finding(finding, reason) }
        }
        Event::ChangedAgain(finding, who) => {
            let who = who.map(who::document);
            EventDocument { event: EventName::ChangedAgain, who, ..of_finding(finding, None) }
        }
        Event::Disappeared(finding) => EventDocument { event: EventName::Disappeared, ..of_finding(finding, None) },
        Event::Round { number, report, full, held_back } => EventDocument {
            number: Some(number),
            complete: Some(report.is_complete()),
            full: Some(full),
            drifts: Some(report.differences().count()),
            held_back: Some(held_back),
            seconds: Some(report.seconds),
            calls: Some(report.calls.clone()),
            ..named(EventName::Round)
        },
        Event::RoundFailed { reasons } => listed(EventName::RoundFailed, reasons),
        Event::Applied { targets, exit_code, held_back } => EventDocument {
            exit_code: Some(exit_code),
            targets: Some(targets),
            held_back: Some(held_back),
            ..named(EventName::Applied)
        },
        Event::NotApplied { reasons } => listed(EventName::NotApplied, reasons),
        Event::NotNotified { reason } => EventDocument { reasons: Some(vec![reason]), ..named(EventName::NotNotified) },
        Event::NotRemembered { reason } => {
            EventDocument { reasons: Some(vec![reason]), ..named(EventName::NotRemembered) }
        }
        Event::Reloaded => named(EventName::Reloaded),
        Event::Stopped => named(EventName::Stopped),
    }
}

fn of_finding(finding: &Finding, reason: Option<&str>) -> EventDocument {
    let Finding { target, class, secret, what } = finding;
    EventDocument {
        class: Some(class.word().to_owned()),
        target: Some(target.clone()),
        secret: Some(secret.clone()),
        what: Some(what.clone()),
        reasons: Some(reason.into_iter().map(str::to_owned).collect()),
        ..EventDocument::default()
    }
}

fn listed(event: EventName, mut reasons: Vec<String>) -> EventDocument {
    let left_out = reasons.len().saturating_sub(LISTED);
    reasons.truncate(LISTED);
    EventDocument { event, reasons: Some(reasons), left_out: Some(left_out), ..EventDocument::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::Class;

    #[test]
    fn a_line_is_one_line_of_json() {
        let finding = Finding {
            target: "prod".to_owned(),
            class: Class::Unknown,
            secret: "prod/db".to_owned(),
            what: "its value could not be compared: tag a\nb\u{202e}".to_owned(),
        };
        assert_eq!(
            line(Timestamp::UNIX_EPOCH, "payments", Event::Appeared(&finding, None, None)),
            "{\"time\":\"1970-01-01T00:00:00Z\",\"event\":\"appeared\",\"project\":\"payments\",\"class\":\"unknown\",\
             \"target\":\"prod\",\"secret\":\"prod/db\",\
             \"what\":\"its value could not be compared: tag a\\nb\\u202e\",\"reasons\":[]}\n"
        );
    }
}
