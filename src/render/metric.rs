//! All metrics, each with its labels and its meaning, and the text format of Prometheus.

use super::escape::{self, Escaped, Fragment, Prometheus};
use super::escaped;

/// A metric. Every series has the label `project` too.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// `gauge` or `counter`.
    pub kind: &'static str,
    /// Its labels beside `project`.
    pub labels: &'static [&'static str],
    /// What it tells, in a sentence.
    pub help: &'static str,
    /// Whether only `watch` has it.
    pub of_watch: bool,
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: "gauge", labels, help, of_watch: false }
}

const fn of_watch(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { of_watch: true, ..gauge(name, labels, help) }
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { kind: "counter", ..of_watch(name, labels, help) }
}

pub(super) const DRIFT: Metric = gauge(
    "keywright_drift",
    &["target", "class"],
    "What differs between git and Secrets Manager, by target and class; re-encrypted and awaiting-value are told, and \
     count as no drift. While a target cannot be read, watch keeps what it knew of it.",
);
pub(super) const TARGET_UP: Metric =
    gauge("keywright_target_up", &["target"], "Whether the target could be read: 1 or 0.");
pub(super) const CHECKED: Metric =
    gauge("keywright_checked_secrets", &["target"], "Secrets that manifests name and that were compared.");
pub(super) const UNREAD: Metric = gauge(
    "keywright_unread_values",
    &["target"],
    "Of the secrets that were compared, those whose value may or may not be the declared one: no id tells, and it was \
     not read (--read-values).",
);
pub(super) const IGNORED: Metric = gauge("keywright_ignored_drifts", &["target"], "Differences that --ignore excuses.");
pub(super) const LAST_SUCCESS: Metric = gauge(
    "keywright_last_success_timestamp_seconds",
    &[],
    "When the last run began that read every target, in seconds since 1970.",
);
pub(super) const LAST_RUN: Metric =
    gauge("keywright_last_run_timestamp_seconds", &[], "When the last run began, in seconds since 1970.");
pub(super) const DURATION: Metric = gauge("keywright_run_duration_seconds", &[], "How long the last run took.");
pub(super) const CALLS: Metric =
    gauge("keywright_api_calls", &["operation"], "Requests to AWS in the last run, by operation, retries included.");
pub(super) const LAST_LOOK: Metric = of_watch(
    "keywright_last_look_timestamp_seconds",
    &["target"],
    "When the last look at a target began that could read it, at everything or at what changed.",
);
pub(super) const LAST_FULL_LOOK: Metric = of_watch(
    "keywright_last_full_look_timestamp_seconds",
    &["target"],
    "When the last look at a target began that read everything.",
);
pub(super) const HELD_BACK: Metric = of_watch(
    "keywright_held_back_secrets",
    &["target"],
    "Secrets that are not as declared and that an apply would leave alone for now.",
);
pub(super) const GUARD_REFUSALS: Metric = of_watch(
    "keywright_guard_refusals",
    &["target", "guard"],
    "Whether a guard would refuse an apply of the target: 1 or 0.",
);
pub(super) const MANIFESTS_VALID: Metric =
    of_watch("keywright_manifests_valid", &[], "Whether the manifests could be read in the last round: 1 or 0.");
pub(super) const ROUNDS: Metric =
    counter("keywright_rounds_total", &["result"], "Rounds of the watch, by how they ended.");
pub(super) const APPLIES: Metric = counter(
    "keywright_applies_total",
    &["result"],
    "Applies of watch --apply: done, failed, or kept from being made (not-applied).",
);
pub(super) const LOST_NOTIFICATIONS: Metric =
    counter("keywright_lost_notifications_total", &[], "Changes that could not be delivered to the webhook at once.");
pub(super) const THROTTLED: Metric =
    counter("keywright_throttled_calls_total", &[], "Answers of AWS that a request came too soon.");

/// All of them, in the order in which they are written.
pub const METRICS: [Metric; 18] = [
    DRIFT,
    TARGET_UP,
    CHECKED,
    UNREAD,
    IGNORED,
    LAST_SUCCESS,
    LAST_RUN,
    DURATION,
    CALLS,
    HELD_BACK,
    GUARD_REFUSALS,
    MANIFESTS_VALID,
    ROUNDS,
    APPLIES,
    LOST_NOTIFICATIONS,
    THROTTLED,
    LAST_LOOK,
    LAST_FULL_LOOK,
];

/// Metrics of one project in the making.
pub(super) struct Metrics {
    pub(super) out: Escaped<Prometheus>,
    project: Escaped<Prometheus>,
}

impl Metrics {
    pub(super) fn of(project: &str) -> Self {
        Self { out: Escaped::default(), project: escape::prometheus_label(project) }
    }

    /// Begins a metric: its series follow.
    pub(super) fn begin(&mut self, metric: &Metric) {
        let Metric { name, kind, help, .. } = *metric;
        self.out.push(&escaped!("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind));
    }

    /// One series; `labels` are the values of the metric's own.
    pub(super) fn sample(&mut self, metric: &Metric, labels: &[&str], value: impl Fragment<Prometheus>) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        let labels = metric.labels.iter().zip(labels).map(|(label, value)| -> Escaped<Prometheus> {
            escaped!(",{}=\"{}\"", *label, escape::prometheus_label(value))
        });
        let labels: Escaped<Prometheus> = labels.collect();
        self.out.push(&escaped!("{}{{project=\"{}\"{}}} {}\n", metric.name, self.project, labels, value));
    }

    /// A metric of one series without labels of its own.
    pub(super) fn only(&mut self, metric: &Metric, value: impl Fragment<Prometheus>) {
        self.begin(metric);
        self.sample(metric, &[], value);
    }
}
