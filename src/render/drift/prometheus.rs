//! Drift as metrics in Prometheus' text format, for node_exporter's textfile collector and for `keywright watch`.
//!
//! Everything is a gauge of the last run. A class without drift is there with 0, so that alerts resolve; a target that
//! could not be read has `unreachable`, and the numbers that are still known of it: 0 would say that all is well.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::escape::{self, Escaped, Prometheus};
use super::super::metric::{
    CALLS, CHECKED, DRIFT, DURATION, IGNORED, LAST_RUN, LAST_SUCCESS, Metrics, TARGET_UP, UNREAD,
};
use super::counts;
use crate::drift::{Class, DriftReport, Found, TargetDrift};

/// The metrics of a run. `last_success` is when the last run before this one began that read every target; it stays in
/// the metrics while runs fail, so that `time() - keywright_last_success_timestamp_seconds` tells how long that has
/// been so. `known` is what was found the last time in targets that could not be read now.
pub fn prometheus(
    report: &DriftReport,
    last_success: Option<Timestamp>,
    known: &BTreeMap<String, Found>,
) -> Escaped<Prometheus> {
    let mut metrics = Metrics::of(&report.project);
    metrics.begin(&DRIFT);
    for target in &report.targets {
        let unreachable = target.outcome.is_err();
        let counts = known_of(target, known).map(counts);
        for class in Class::ALL {
            let number = if class == Class::Unreachable {
                (unreachable || counts.is_some()).then(|| usize::from(unreachable))
            } else {
                counts.as_ref().map(|counts| counts.get(&class).copied().unwrap_or_default())
            };
            if let Some(number) = number {
                metrics.sample(&DRIFT, &[&target.name, class.word()], number);
            }
        }
    }
    metrics.begin(&TARGET_UP);
    for target in &report.targets {
        metrics.sample(&TARGET_UP, &[&target.name], u8::from(target.outcome.is_ok()));
    }
    let read = || report.targets.iter().filter_map(|target| Some((target, known_of(target, known)?)));
    metrics.begin(&CHECKED);
    for (target, found) in read() {
        metrics.sample(&CHECKED, &[&target.name], found.checked);
    }
    metrics.begin(&UNREAD);
    for (target, found) in read() {
        metrics.sample(&UNREAD, &[&target.name], found.unread);
    }
    metrics.begin(&IGNORED);
    for (target, found) in read() {
        metrics.sample(&IGNORED, &[&target.name], found.ignored);
    }
    if let Some(success) = if report.is_complete() { Some(report.started) } else { last_success } {
        metrics.only(&LAST_SUCCESS, success.as_second());
    }
    metrics.only(&LAST_RUN, report.started.as_second());
    metrics.only(&DURATION, report.seconds);
    metrics.begin(&CALLS);
    for (operation, number) in &report.calls {
        metrics.sample(&CALLS, &[operation], number);
    }
    metrics.out
}

/// What a look found in a target, or the one before it where that target could not be read.
fn known_of<'r>(target: &'r TargetDrift, known: &'r BTreeMap<String, Found>) -> Option<&'r Found> {
    target.outcome.as_ref().ok().or_else(|| known.get(&target.name))
}

/// When the last complete run of `project` began, as metrics that were written before say.
pub fn last_success(metrics: &str, project: &str) -> Option<Timestamp> {
    let series = format!("{}{{project=\"{}\"}} ", LAST_SUCCESS.name, escape::prometheus_label(project));
    let value = metrics.lines().find_map(|line| line.strip_prefix(&series))?;
    Timestamp::from_second(value.trim().parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hostile, report};
    use super::*;

    #[test]
    fn every_class_of_a_target_that_was_read_has_a_number() {
        let text = prometheus(&report(), None, &BTreeMap::new());
        for class in Class::ALL {
            let series = format!("keywright_drift{{project=\"payments\",target=\"prod\",class=\"{class}\"}} ");
            assert_eq!(text.matches(&series).count(), 1, "{class}");
        }
        assert!(text.contains("target=\"prod\",class=\"changed\"} 1\n"), "{text}");
        assert!(text.contains("target=\"prod\",class=\"replica-failed\"} 0\n"), "{text}");
    }

    #[test]
    fn a_target_that_could_not_be_read_claims_nothing() {
        let text = prometheus(&report(), None, &BTreeMap::new());
        assert!(text.contains("keywright_target_up{project=\"payments\",target=\"west\"} 0\n"), "{text}");
        let drift: Vec<&str> = text.lines().filter(|line| line.contains("target=\"west\",class=")).collect();
        assert_eq!(drift, ["keywright_drift{project=\"payments\",target=\"west\",class=\"unreachable\"} 1"]);
    }

    #[test]
    fn what_was_known_of_it_stays() {
        let found = Found { checked: 7, ..Found::default() };
        let text = prometheus(&report(), None, &BTreeMap::from([("west".to_owned(), found)]));
        for series in ["changed\"} 0", "unreachable\"} 1"] {
            assert!(
                text.contains(&format!("keywright_drift{{project=\"payments\",target=\"west\",class=\"{series}\n"))
            );
        }
        assert!(text.contains("keywright_checked_secrets{project=\"payments\",target=\"west\"} 7\n"), "{text}");
    }

    #[test]
    fn the_last_success_survives_a_run_that_failed() {
        let before = "2026-01-01T00:00:00Z".parse().ok();
        assert!(!prometheus(&report(), None, &BTreeMap::new()).contains(LAST_SUCCESS.name));
        let text = prometheus(&report(), before, &BTreeMap::new());
        assert_eq!(last_success(&text, "payments"), before);
        assert_eq!(last_success(&text, "ledger"), None);
        let mut complete = report();
        complete.targets.pop();
        assert_eq!(last_success(&prometheus(&complete, before, &BTreeMap::new()), "payments"), Some(complete.started));
    }

    #[test]
    fn labels_cannot_be_ended() {
        let text = prometheus(&hostile(), None, &BTreeMap::new());
        assert!(text.contains(r#"target="a\"} 1\\nup 1 \\""#), "{text}");
        assert!(text.lines().all(|line| line.starts_with('#') || line.starts_with("keywright_")), "{text}");
        assert_eq!(
            last_success(&prometheus(&hostile(), Timestamp::from_second(7).ok(), &BTreeMap::new()), &hostile().project)
                .map(Timestamp::as_second),
            Some(7)
        );
    }
}
