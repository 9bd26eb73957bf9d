//! Drift as metrics in Prometheus' text format, for node_exporter's textfile collector and for `keywright watch`.
//!
//! Everything is a gauge of the last run. A class without drift is there with 0, so that alerts resolve; a target that
//! could not be read has no numbers but `unreachable`: 0 would say that all is well.

use jiff::Timestamp;

use super::super::escape::{self, Escaped, Fragment, Prometheus};
use super::super::escaped;
use super::counts;
use crate::drift::{Class, DriftReport};

const LAST_SUCCESS: &str = "keywright_last_success_timestamp_seconds";

/// The metrics of a run. `last_success` is when the last run before this one began that read every target; it stays in
/// the metrics while runs fail, so that `time() - keywright_last_success_timestamp_seconds` tells how long that has
/// been so.
pub fn prometheus(report: &DriftReport, last_success: Option<Timestamp>) -> Escaped<Prometheus> {
    let mut metrics = Metrics { out: Escaped::default(), project: escape::prometheus_label(&report.project) };
    metrics.head("keywright_drift", "Differences between git and Secrets Manager, by target and class.");
    for target in &report.targets {
        let name = [("target", target.name.as_str())];
        match &target.outcome {
            Ok(found) => {
                let counts = counts(found);
                for class in Class::ALL {
                    let number = counts.get(&class).copied().unwrap_or_default();
                    metrics.sample("keywright_drift", &[name[0], ("class", class.word())], number);
                }
            }
            Err(_) => metrics.sample("keywright_drift", &[name[0], ("class", Class::Unreachable.word())], 1),
        }
    }
    metrics.head("keywright_target_up", "Whether the target could be read: 1 or 0.");
    for target in &report.targets {
        metrics.sample("keywright_target_up", &[("target", &target.name)], u8::from(target.outcome.is_ok()));
    }
    let read = || report.targets.iter().filter_map(|target| target.outcome.as_ref().ok().map(|found| (target, found)));
    metrics.head("keywright_checked_secrets", "Secrets that manifests name and that were compared.");
    for (target, found) in read() {
        metrics.sample("keywright_checked_secrets", &[("target", &target.name)], found.checked);
    }
    metrics.head("keywright_ignored_drifts", "Differences that --ignore excuses.");
    for (target, found) in read() {
        metrics.sample("keywright_ignored_drifts", &[("target", &target.name)], found.ignored);
    }
    if let Some(success) = if report.is_complete() { Some(report.started) } else { last_success } {
        metrics.head(LAST_SUCCESS, "When the last run began that read every target, in seconds since 1970.");
        metrics.sample(LAST_SUCCESS, &[], success.as_second());
    }
    metrics.head("keywright_last_run_timestamp_seconds", "When the last run began, in seconds since 1970.");
    metrics.sample("keywright_last_run_timestamp_seconds", &[], report.started.as_second());
    metrics.head("keywright_run_duration_seconds", "How long the last run took.");
    metrics.sample("keywright_run_duration_seconds", &[], report.seconds);
    metrics.head("keywright_api_calls", "Requests to AWS in the last run, by operation, retries included.");
    for (operation, number) in &report.calls {
        metrics.sample("keywright_api_calls", &[("operation", operation)], number);
    }
    metrics.out
}

/// When the last complete run of `project` began, as metrics that were written before say.
pub fn last_success(metrics: &str, project: &str) -> Option<Timestamp> {
    let series = format!("{LAST_SUCCESS}{{project=\"{}\"}} ", escape::prometheus_label(project));
    let value = metrics.lines().find_map(|line| line.strip_prefix(&series))?;
    Timestamp::from_second(value.trim().parse().ok()?).ok()
}

struct Metrics {
    out: Escaped<Prometheus>,
    project: Escaped<Prometheus>,
}

impl Metrics {
    fn head(&mut self, name: &'static str, help: &'static str) {
        self.out.push(&escaped!("# HELP {} {}\n# TYPE {} gauge\n", name, help, name));
    }

    fn sample(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: impl Fragment<Prometheus>) {
        let labels = labels.iter().map(|(label, value)| -> Escaped<Prometheus> {
            escaped!(",{}=\"{}\"", *label, escape::prometheus_label(value))
        });
        let labels: Escaped<Prometheus> = labels.collect();
        self.out.push(&escaped!("{}{{project=\"{}\"{}}} {}\n", name, self.project, labels, value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hostile, report};
    use super::*;

    #[test]
    fn every_class_of_a_target_that_was_read_has_a_number() {
        let text = prometheus(&report(), None);
        for class in Class::ALL {
            let series = format!("keywright_drift{{project=\"payments\",target=\"prod\",class=\"{class}\"}} ");
            assert_eq!(text.matches(&series).count(), 1, "{class}");
        }
        assert!(text.contains("target=\"prod\",class=\"changed\"} 1\n"), "{text}");
        assert!(text.contains("target=\"prod\",class=\"replica-failed\"} 0\n"), "{text}");
    }

    #[test]
    fn a_target_that_could_not_be_read_claims_nothing() {
        let text = prometheus(&report(), None);
        assert!(text.contains("keywright_target_up{project=\"payments\",target=\"west\"} 0\n"), "{text}");
        let drift: Vec<&str> = text.lines().filter(|line| line.contains("target=\"west\",class=")).collect();
        assert_eq!(drift, ["keywright_drift{project=\"payments\",target=\"west\",class=\"unreachable\"} 1"]);
    }

    #[test]
    fn the_last_success_survives_a_run_that_failed() {
        let before = "2026-01-01T00:00:00Z".parse().ok();
        assert!(!prometheus(&report(), None).contains(LAST_SUCCESS));
        let text = prometheus(&report(), before);
        assert_eq!(last_success(&text, "payments"), before);
        assert_eq!(last_success(&text, "ledger"), None);
        let mut complete = report();
        complete.targets.pop();
        assert_eq!(last_success(&prometheus(&complete, before), "payments"), Some(complete.started));
    }

    #[test]
    fn labels_cannot_be_ended() {
        let text = prometheus(&hostile(), None);
        assert!(text.contains(r#"target="a\"} 1\\nup 1 \\""#), "{text}");
        assert!(text.lines().all(|line| line.starts_with('#') || line.starts_with("keywright_")), "{text}");
        assert_eq!(
            last_success(&prometheus(&hostile(), Timestamp::from_second(7).ok()), &hostile().project)
                .map(Timestamp::as_second),
            Some(7)
        );
    }
}
