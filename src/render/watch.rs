//! What `keywright watch` tells: log lines for programs, the message that a webhook gets, and its own metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::apply_json::AppliedTarget;
use super::drift::difference;
use super::escape::{self, Escaped, Json, Prometheus, Slack};
use super::{escaped, finding_text, rows};
use crate::drift::{Difference, DriftReport};
use crate::manifest::Diagnostics;
use crate::plan::{PlanReport, Refusal, Severity};
use crate::watch::{Change, Finding, Findings, Rounds};
use crate::workflow::Looks;

/// Findings and mistakes that a message or a line lists; further ones are counted.
const LISTED: usize = 20;

/// Findings that a message holds for programs; further ones are counted.
const HELD: usize = 200;

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
    Appeared(&'a Finding, Option<&'a str>),
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
    },
    /// Nothing was applied, though something differs.
    NotApplied {
        /// Why.
        reasons: Vec<String>,
    },
    /// A change was not delivered; it is told again after the next round.
    NotNotified {
        /// Why, without the URL.
        reason: String,
    },
    /// The watch ended.
    Stopped,
}

/// One event as a line of JSON. The project is empty while its name is not known.
pub fn line(time: Timestamp, project: &str, event: &Event<'_>) -> Escaped<Json> {
    let (name, members) = match event {
        Event::Started { interval, applies } => {
            ("started", json!({ "intervalSeconds": interval.as_secs_f64(), "applies": applies }))
        }
        Event::Appeared(finding, None) => ("appeared", self::finding(finding)),
        Event::Appeared(finding, Some(reason)) => {
            ("appeared", json!({ "class": finding.class.word(), "target": finding.target, "reasons": [reason] }))
        }
        Event::Disappeared(finding) => ("disappeared", self::finding(finding)),
        Event::Round { number, report, full } => (
            "round",
            json!({
                "number": number,
                "complete": report.is_complete(),
                "full": full,
                "drifts": report.drifts().count(),
                "seconds": report.seconds,
                "calls": report.calls,
            }),
        ),
        Event::RoundFailed { reasons } => ("round-failed", listed(reasons)),
        Event::Applied { targets, exit_code } => ("applied", json!({ "exitCode": exit_code, "targets": targets })),
        Event::NotApplied { reasons } => ("not-applied", listed(reasons)),
        Event::NotNotified { reason } => ("not-notified", json!({ "reasons": [reason] })),
        Event::Stopped => ("stopped", json!({})),
    };
    let mut line = Map::new();
    line.insert("time".to_owned(), time.to_string().into());
    line.insert("event".to_owned(), name.into());
    if !project.is_empty() {
        line.insert("project".to_owned(), project.into());
    }
    if let Value::Object(members) = members {
        line.extend(members);
    }
    escape::json_line(&Value::Object(line))
}

fn finding(finding: &Finding) -> Value {
    let Finding { target, class, secret, what } = finding;
    json!({ "class": class.word(), "target": target, "secret": secret, "what": words_of(what.as_ref()) })
}

/// What differs; nothing for a target that could not be looked at.
fn words_of(what: Option<&Difference>) -> String {
    what.map(difference).unwrap_or_default()
}

fn listed(reasons: &[String]) -> Value {
    let listed: Vec<&String> = reasons.iter().take(LISTED).collect();
    json!({ "reasons": listed, "leftOut": reasons.len().saturating_sub(LISTED) })
}

/// The body that a webhook gets: `text` for Slack and what understands its messages, `keywright` for programs.
pub fn notification(project: &str, change: &Change, now: &Findings) -> Escaped<Json> {
    let Change { appeared, disappeared } = change;
    let counts = now.counts();
    let total: usize = counts.values().sum();
    let mut text: Escaped<Slack> = escaped!(
        "keywright drift of {}: {} new, {} gone, {} in all",
        escape::slack(project),
        appeared.len(),
        disappeared.len(),
        total
    );
    let lines = appeared.iter().map(|finding| ("+", finding)).chain(disappeared.iter().map(|finding| ("-", finding)));
    for (sign, Finding { target, class, secret, what }) in lines.clone().take(LISTED) {
        let what = words_of(what.as_ref());
        let words = Escaped::join([target, secret, &what].map(|word| escape::slack(word)), " ").trimmed();
        text.push(&escaped!("\n{} {}: {}", sign, class.word(), words));
    }
    let left_out = lines.count().saturating_sub(LISTED);
    if left_out > 0 {
        text.push(&escaped!("\n{} more; `keywright drift` shows all", left_out));
    }
    let held = |findings: &[Finding]| findings.iter().take(HELD).map(finding).collect::<Vec<_>>();
    let counts: Map<String, Value> =
        counts.into_iter().map(|(class, number)| (class.word().to_owned(), number.into())).collect();
    escape::json_line(&json!({
        "text": text.as_str(),
        "keywright": {
            "project": project,
            "appeared": held(appeared),
            "disappeared": held(disappeared),
            "leftOut": appeared.len().saturating_sub(HELD) + disappeared.len().saturating_sub(HELD),
            "counts": counts,
        },
    }))
}

/// Why the manifests could not be read: file, line and message, and no line of a file.
pub fn mistakes(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .filter(|found| found.severity == crate::manifest::Severity::Error)
        .map(|found| format!("{}: {}", found.place.origin, found.message))
        .collect()
}

/// What keeps a target's plan from being applied.
pub fn obstacles(report: &PlanReport, refusals: &[Refusal]) -> Vec<String> {
    let errors = report.findings.iter().filter(|finding| finding.severity() == Severity::Error);
    let errors = errors.map(|finding| format!("{} {}", finding.secret, finding_text(finding)));
    errors.chain(refusals.iter().map(|refusal| format!("a guard refused: {}", rows::refusal(refusal).0))).collect()
}

/// The metrics of the watch itself, to stand behind those of its last report.
pub fn metrics(project: &str, rounds: &Rounds, looks: &BTreeMap<String, Looks>) -> Escaped<Prometheus> {
    let Rounds { complete, incomplete, failed, lost_notifications } = rounds;
    let project = escape::prometheus_label(project);
    let mut out: Escaped<Prometheus> = escaped!(
        "# HELP keywright_rounds_total Rounds of the watch, by how they ended.\n# TYPE keywright_rounds_total \
         counter\n",
    );
    for (result, number) in [("complete", complete), ("incomplete", incomplete), ("failed", failed)] {
        out.push(&escaped!("keywright_rounds_total{{project=\"{}\",result=\"{}\"}} {}\n", project, result, number));
    }
    out.push(&escaped!(
        "# HELP keywright_lost_notifications_total Changes that could not be delivered to the webhook at once.\n\
         # TYPE keywright_lost_notifications_total counter\n\
         keywright_lost_notifications_total{{project=\"{}\"}} {}\n",
        project,
        lost_notifications
    ));
    out.push(&looks_of(&project, looks));
    out
}

/// When each target was looked at.
fn looks_of(project: &Escaped<Prometheus>, looks: &BTreeMap<String, Looks>) -> Escaped<Prometheus> {
    let mut last: Escaped<Prometheus> = escaped!(
        "# HELP keywright_last_look_timestamp_seconds When the last look at a target began, at everything or at what \
         changed.\n# TYPE keywright_last_look_timestamp_seconds gauge\n"
    );
    let mut full = escaped!(
        "# HELP keywright_last_full_look_timestamp_seconds When the last look at a target began that read \
         everything.\n# TYPE keywright_last_full_look_timestamp_seconds gauge\n"
    );
    for (target, looks) in looks {
        let target = escape::prometheus_label(target);
        last.push(&escaped!(
            "keywright_last_look_timestamp_seconds{{project=\"{}\",target=\"{}\"}} {}\n",
            project,
            target,
            looks.last.as_second()
        ));
        full.push(&escaped!(
            "keywright_last_full_look_timestamp_seconds{{project=\"{}\",target=\"{}\"}} {}\n",
            project,
            target,
            looks.full.as_second()
        ));
    }
    last.push(&full);
    last
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]
mod tests {
    use super::*;
    use crate::drift::Class;

    fn finding(secret: &str, what: &str) -> Finding {
        let what = Some(Difference::ValueUnreadable { reason: what.to_owned() });
        Finding { target: "prod".to_owned(), class: Class::Unknown, secret: secret.to_owned(), what }
    }

    #[test]
    fn a_line_is_one_line_of_json() {
        let text =
            line(Timestamp::UNIX_EPOCH, "payments", &Event::Appeared(&finding("prod/db", "tag a\nb\u{202e}"), None));
        assert_eq!(
            text,
            "{\"time\":\"1970-01-01T00:00:00Z\",\"event\":\"appeared\",\"project\":\"payments\",\"class\":\"unknown\",\
             \"target\":\"prod\",\"secret\":\"prod/db\",\
             \"what\":\"its value could not be compared: tag a\\nb\\u202e\"}\n"
        );
    }

    #[test]
    fn a_message_cannot_call_a_channel_and_is_bounded() {
        let hostile = finding("prod/db", "<!channel> <@U1>\n&");
        let change = Change { appeared: vec![hostile; 300], disappeared: Vec::new() };
        let message: Value = serde_json::from_str(&notification("pay<b>", &change, &Findings::default())).unwrap();
        let text = message["text"].as_str().unwrap();
        assert!(text.starts_with(
            "keywright drift of pay&lt;b&gt;: 300 new, 0 gone, 0 in all\n\
             + unknown: prod prod/db its value could not be compared: &lt;!channel&gt;"
        ));
        assert!(!text.contains('<') && text.ends_with("\n280 more; `keywright drift` shows all"), "{text}");
        assert_eq!(text.lines().count(), LISTED + 2);
        assert_eq!(message["keywright"]["appeared"].as_array().unwrap().len(), HELD);
        assert_eq!(message["keywright"]["leftOut"], 100);
    }
}
