//! Progress on a terminal; lines in a log.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

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

/// An apply: a bar for each target with lines above them on a terminal, the lines alone otherwise.
pub(super) struct ApplyBars {
    /// None where nothing is drawn.
    bars: Option<MultiProgress>,
    of_targets: BTreeMap<String, ProgressBar>,
    err: Output,
    paint: Paint,
}

impl ApplyBars {
    pub(super) fn new(shell: &Shell) -> Self {
        let bars = shell.progress.then(|| MultiProgress::with_draw_target(target(shell)));
        Self { bars, of_targets: BTreeMap::new(), err: shell.err.clone(), paint: shell.err.paint() }
    }

    /// A target is about to be written.
    pub(super) fn begin(&mut self, target_name: &str, actions: usize) {
        let Some(bars) = &self.bars else { return };
        let bar = bars.add(ProgressBar::new(actions as u64));
        bar.set_style(style("{prefix} [{bar:30}] {pos}/{len} actions ({elapsed}, {eta} left)"));
        bar.set_prefix(escape::line(target_name).into_owned());
        bar.enable_steady_tick(TICK);
        self.of_targets.insert(target_name.to_owned(), bar);
    }

    /// `naming` the target in the line, where several are written.
    pub(super) fn print(&self, target_name: &str, naming: bool, event: &ApplyEvent<'_>) {
        if let (Some(bar), ApplyEvent::ActionDone { .. }) = (self.of_targets.get(target_name), event) {
            bar.inc(1);
        }
        if let Some(line) = apply_text::event(self.paint, naming.then_some(target_name), event) {
            self.suspend(|| self.err.line(line));
        }
    }

    /// A target was written.
    pub(super) fn end(&mut self, target_name: &str) {
        if let Some(bar) = self.of_targets.remove(target_name) {
            bar.finish_and_clear();
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
        self.of_targets.values().for_each(ProgressBar::finish_and_clear);
    }
}

fn target(shell: &Shell) -> ProgressDrawTarget {
    if shell.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

/// The templates are constants of this file; a wrong one would show as the library's default and nothing worse.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
