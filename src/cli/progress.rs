//! Progress on a terminal; lines in a log.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shell::{Output, Shell};
use crate::apply::ApplyEvent;
use crate::live::ReadProgress;
use crate::render::{Escaped, Paint, Terminal, apply_text, escape, escaped};

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
}

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
            ReadProgress::PolicyRead => counts.policies += 1,
        }
        self.bar.set_message(counts.text().into_owned());
    }
}

impl Counts {
    fn text(&self) -> Escaped<Terminal> {
        let Self { listed, described, policies, policies_expected, policies_begun } = self;
        let mut text = escaped!("{} listed, {} described", listed, described);
        if *policies_expected > 0 {
            text.push(&escaped!(", {} of {} policies", policies, policies_expected));
        }
        // Policies are the slow part: the list itself does not say how long it is.
        let left = policies_expected.saturating_sub(*policies);
        if let (Some(begun), true) = (policies_begun, *policies > 0 && left > 0) {
            let each = begun.elapsed().as_secs_f64() / f64::from(u32::try_from(*policies).unwrap_or(u32::MAX));
            let seconds = each * f64::from(u32::try_from(left).unwrap_or(u32::MAX));
            text.push(&escaped!(", about {} s left", escape::decimal(seconds, 0)));
        }
        text
    }
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

/// An apply: a bar with lines above it on a terminal, the lines alone otherwise.
pub(super) struct ApplyLines {
    bar: Option<ProgressBar>,
    err: Output,
    paint: Paint,
}

impl ApplyLines {
    pub(super) fn new(shell: &Shell, target_name: &str, actions: usize) -> Self {
        let bar = shell.progress.then(|| {
            let bar = ProgressBar::with_draw_target(Some(actions as u64), target(shell));
            bar.set_style(style("{prefix} [{bar:30}] {pos}/{len} actions ({elapsed}, {eta} left)"));
            bar.set_prefix(escape::line(target_name).into_owned());
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, err: shell.err.clone(), paint: shell.err.paint() }
    }

    pub(super) fn print(&self, event: &ApplyEvent<'_>) {
        if let (Some(bar), ApplyEvent::ActionDone { .. }) = (&self.bar, event) {
            bar.inc(1);
        }
        if let Some(line) = apply_text::event(self.paint, event) {
            match &self.bar {
                Some(bar) => bar.println(line),
                None => self.err.line(line),
            }
        }
    }
}

impl Drop for ApplyLines {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn target(shell: &Shell) -> ProgressDrawTarget {
    if shell.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

/// The templates are constants of this file; a wrong one would show as the library's default and nothing worse.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
