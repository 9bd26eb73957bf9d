//! Progress on a terminal; lines in a log.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shell::{Output, Shell};
use crate::apply::{ApplyEvent, SecretOutcome};
use crate::aws::POLICY_CALLS_PER_SECOND;
use crate::live::ReadProgress;
use crate::render::{Escaped, Paint, Terminal, apply_text, count, escape, escaped};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// What is being read, over all targets.
pub(super) struct ReadingLine {
    bar: ProgressBar,
    counts: Mutex<Counts>,
}

/// What was read so far, and how many policies are still to come.
#[derive(Default)]
struct Counts {
    listed: usize,
    described: usize,
    policies: usize,
    policies_expected: usize,
    /// When the first policy was asked for.
    policies_begun: Option<Instant>,
    /// When their rate began to be counted, and how many there were then: the first second's come at once.
    counted_from: Option<(Instant, usize)>,
}

/// What is read in the first moments says nothing of what follows: a second's quota may come at once.
const BURST: Duration = Duration::from_secs(1);

/// So long a rate is counted before it is believed.
const COUNTED: Duration = Duration::from_secs(2);

/// A rate that is so near to the quota is held by it.
const NEAR_THE_QUOTA: f64 = 0.7;

impl ReadingLine {
    pub(super) fn new(shell: &Shell) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(shell));
        bar.set_style(style("{spinner} reading live secrets: {msg} ({elapsed})"));
        bar.enable_steady_tick(TICK);
        Self { bar, counts: Mutex::default() }
    }

    pub(super) fn advance(&self, progress: ReadProgress) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            ReadProgress::Listed(secrets) => counts.listed += secrets,
            ReadProgress::Described => counts.described += 1,
            ReadProgress::PoliciesExpected(policies) => {
                counts.policies_expected += policies;
                counts.policies_begun.get_or_insert_with(Instant::now);
            }
            ReadProgress::PolicyRead => counts.policy_read(Instant::now()),
        }
        self.bar.set_message(counts.text(Instant::now()).into_owned());
    }
}

impl Counts {
    fn policy_read(&mut self, now: Instant) {
        self.policies += 1;
        let is_past_burst = self.policies_begun.is_some_and(|begun| now.duration_since(begun) >= BURST);
        if is_past_burst && self.counted_from.is_none() {
            self.counted_from = Some((now, self.policies));
        }
    }

    fn text(&self, now: Instant) -> Escaped<Terminal> {
        let Self { listed, described, policies, policies_expected, policies_begun: _, counted_from: _ } = self;
        let mut text = escaped!("{} listed, {} described", listed, described);
        if *policies_expected > 0 {
            text.push(&escaped!(", {} of {} policies", policies, policies_expected));
        }
        // Policies are the slow part: the list itself does not say how long it is.
        let left = number(policies_expected.saturating_sub(*policies));
        let quota = f64::from(POLICY_CALLS_PER_SECOND);
        let rate = self.rate(now);
        let seconds = left / rate.unwrap_or(quota);
        if seconds < 1.0 {
            return text;
        }
        if let Some(rate) = rate {
            text.push(&escaped!(", {} a second", escape::decimal(rate, 0)));
        }
        if rate.is_none_or(|rate| rate >= quota * NEAR_THE_QUOTA) {
            text.push(&escaped!(" (AWS allows {} in each account and region)", POLICY_CALLS_PER_SECOND));
        }
        text.push(&escaped!(", about {} s left", escape::decimal(seconds, 0)));
        text
    }

    /// Policies a second, once that can be told.
    fn rate(&self, now: Instant) -> Option<f64> {
        let (from, before) = self.counted_from?;
        let elapsed = now.duration_since(from);
        let read = number(self.policies.saturating_sub(before));
        (elapsed >= COUNTED && read > 0.0).then(|| read / elapsed.as_secs_f64())
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Drop for ReadingLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Something that is waited for.
pub(super) struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    pub(super) fn new(shell: &Shell, what: Escaped<Terminal>) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(shell));
        bar.set_style(style("{spinner} {msg} ({elapsed})"));
        bar.set_message(what.into_owned());
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// Says how far it has come.
    pub(super) fn update(&self, what: Escaped<Terminal>) {
        self.bar.set_message(what.into_owned());
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// From this many secrets on, a terminal shows no line for each that was done: the bar says how many, and what went
/// wrong is not pushed away.
const MANY_SECRETS: usize = 20;

/// From so many seconds on, it is said that the quotas are what an apply waits for.
const NOTED_QUOTA: f64 = 5.0;

/// One target's bar.
struct TargetBar {
    bar: ProgressBar,
    /// Whether what went well is only counted.
    quiet: bool,
    /// Secrets that are worked on.
    in_flight: AtomicUsize,
    /// How long AWS's quotas alone make it take.
    quota_seconds: f64,
}

impl TargetBar {
    fn advance(&self, event: &ApplyEvent<'_>) {
        let in_flight = match event {
            ApplyEvent::ActionDone { .. } => return self.bar.inc(1),
            ApplyEvent::Started { .. } => self.in_flight.fetch_add(1, Ordering::Relaxed) + 1,
            // Secrets that were never begun finish too.
            ApplyEvent::Finished { outcome: SecretOutcome::Done | SecretOutcome::Failed { .. }, .. } => {
                let less = |number: usize| Some(number.saturating_sub(1));
                let before = self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
                before.unwrap_or_default().saturating_sub(1)
            }
            _ => return,
        };
        let mut text: Escaped<Terminal> = escaped!(", {} in flight", count(in_flight, "secret"));
        if self.quota_seconds >= NOTED_QUOTA {
            let seconds = escape::decimal(self.quota_seconds, 0);
            text.push(&escaped!(", at least {} s in all by AWS's quotas (50 writes of a kind a second)", seconds));
        }
        self.bar.set_message(text.into_owned());
    }
}

/// An apply: a bar for each target with lines above them on a terminal, the lines alone otherwise.
pub(super) struct ApplyBars {
    /// None where nothing is drawn.
    bars: Option<MultiProgress>,
    of_targets: BTreeMap<String, TargetBar>,
    err: Output,
    paint: Paint,
}

impl ApplyBars {
    pub(super) fn new(shell: &Shell) -> Self {
        let bars = shell.progress.then(|| MultiProgress::with_draw_target(target(shell)));
        Self { bars, of_targets: BTreeMap::new(), err: shell.err.clone(), paint: shell.err.paint() }
    }

    /// A target is about to be written.
    pub(super) fn begin(&mut self, target_name: &str, secrets: usize, actions: usize, quota_seconds: f64) {
        let Some(bars) = &self.bars else { return };
        let bar = bars.add(ProgressBar::new(actions as u64));
        bar.set_style(style("{prefix} [{bar:30}] {pos}/{len} actions{msg} ({elapsed}, {eta} left)"));
        bar.set_prefix(escape::line(target_name).into_owned());
        bar.enable_steady_tick(TICK);
        let quiet = secrets >= MANY_SECRETS;
        let in_flight = AtomicUsize::new(0);
        self.of_targets.insert(target_name.to_owned(), TargetBar { bar, quiet, in_flight, quota_seconds });
    }

    /// `naming` the target in the line, where several are written.
    pub(super) fn print(&self, target_name: &str, naming: bool, event: &ApplyEvent<'_>) {
        if let Some(drawn) = self.of_targets.get(target_name) {
            drawn.advance(event);
            let done = matches!(event, ApplyEvent::Finished { outcome: SecretOutcome::Done, .. });
            if done && drawn.quiet {
                return;
            }
        }
        if let Some(line) = apply_text::event(self.paint, naming.then_some(target_name), event) {
            self.suspend(|| self.err.line(line));
        }
    }

    /// A target was written.
    pub(super) fn end(&mut self, target_name: &str) {
        if let Some(drawn) = self.of_targets.remove(target_name) {
            drawn.bar.finish_and_clear();
        }
    }

    /// Takes the bars away while something is printed.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

impl Drop for ApplyBars {
    fn drop(&mut self) {
        self.of_targets.values().for_each(|drawn| drawn.bar.finish_and_clear());
    }
}

fn target(shell: &Shell) -> ProgressDrawTarget {
    if shell.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

/// The templates are constants of this file; a wrong one would show as the library's default and nothing worse.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_is_named_where_it_is_what_is_waited_for() {
        let begun = Instant::now();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        let mut counts =
            Counts { listed: 1_000, policies_expected: 1_000, policies_begun: Some(begun), ..Counts::default() };
        (0..50).for_each(|_| counts.policy_read(begun));
        assert_eq!(
            counts.text(begun).into_owned(),
            "1000 listed, 0 described, 50 of 1000 policies (AWS allows 50 in each account and region), about 19 s left",
            "what came at once says nothing of the rest"
        );
        (1..=10).for_each(|second| (0..50).for_each(|_| counts.policy_read(after(second))));
        let shown = counts.text(after(11)).into_owned();
        assert!(shown.ends_with(", 50 a second (AWS allows 50 in each account and region), about 9 s left"), "{shown}");
        let slow = counts.text(after(101)).into_owned();
        assert!(slow.ends_with(", 5 a second, about 90 s left"), "another thing is waited for: {slow}");
        counts.policies = 1_000;
        assert!(counts.text(after(20)).into_owned().ends_with("1000 of 1000 policies"));
    }
}
