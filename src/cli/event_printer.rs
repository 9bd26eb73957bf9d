//! What happens in a run, as lines and bars.

use std::sync::{Mutex, PoisonError};

use super::progress::{ApplyBars, ReadingLine, Spinner};
use super::report::{report, warn};
use super::shell::{Output, Shell};
use crate::render::{apply_text, count, escape, escaped, import_text, value_edges};
use crate::workflow::Event;

/// Whoever listens to a run for people.
pub(super) struct EventPrinter<'a> {
    shell: &'a Shell,
    /// Where summaries go.
    talk: Output,
    shown: Mutex<Shown>,
}

/// What is drawn on the terminal now.
#[derive(Default)]
struct Shown {
    reading: Option<ReadingLine>,
    applying: Option<ApplyBars>,
    waiting: Option<Spinner>,
}

impl Shown {
    fn bars(&mut self, shell: &Shell) -> &mut ApplyBars {
        self.applying.get_or_insert_with(|| ApplyBars::new(shell))
    }

    /// Prints what stays on the terminal while bars are drawn below.
    fn above_bars(&self, print: impl FnOnce()) {
        match &self.applying {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

impl<'a> EventPrinter<'a> {
    pub(super) fn new(shell: &'a Shell, talk: Output) -> Self {
        Self { shell, talk, shown: Mutex::default() }
    }

    /// For runs that only read.
    pub(super) fn reading(shell: &'a Shell) -> Self {
        Self::new(shell, shell.out.clone())
    }

    /// Takes everything off the terminal that was drawn there.
    pub(super) fn clear(&self) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Shown::default();
    }

    pub(super) fn print(&self, event: Event<'_>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let shell = self.shell;
        match event {
            Event::Reading(step) => shown.reading.get_or_insert_with(|| ReadingLine::new(shell)).advance(step),
            Event::Warning(warning) => warn(warning, shell),
            Event::Failed(error) => shown.above_bars(|| {
                report(error, shell);
            }),
            Event::ValueEdges { secret, edges } => {
                shell.err.line(escaped!("note: {} {}", escape::line(secret.as_str()), value_edges(edges)));
            }
            Event::Applying { target, secrets, actions, quota_seconds } => {
                let line = || shell.err.line(escaped!("\nApplying to {}", escape::line(target)));
                shown.above_bars(line);
                shown.bars(shell).begin(target, secrets, actions, quota_seconds);
            }
            Event::Applied { target, among_others, event } => shown.bars(shell).print(target, among_others, &event),
            Event::Written { target } => shown.applying.iter_mut().for_each(|bars| bars.end(target)),
            Event::Stopping => shown.above_bars(|| {
                shell.err.line("Interrupted: what is in flight is finished first. Again to stop at once.");
            }),
            Event::Carried { plan, report, counted } => shown.above_bars(|| {
                self.talk.line(escaped!("\n{}", apply_text::summary_of_part(self.talk.paint(), plan, report, counted)));
            }),
            Event::Verified { verified, done, shown: findings } => shown.above_bars(|| {
                self.talk.line(apply_text::verified(self.talk.paint(), verified, done, findings));
            }),
            Event::NotVerified { done } => shown.above_bars(|| self.talk.line(apply_text::not_verified(done))),
            Event::LeftOut { target, left_out } => {
                shown.reading = None;
                shell.err.write(import_text::left_out(target, left_out));
            }
            Event::LooksRenamed { target, new, old } => {
                shell.err.write(import_text::looks_renamed(target, new.as_str(), old.as_str()));
            }
            Event::SharedTags(tags) => shell.err.line(import_text::shared_tags(tags)),
            Event::FileText { path, text } => {
                shell.out.line(escaped!("==> {}\n{}", escape::path(path), escape::block(text)));
            }
            Event::File { outcome, path } => {
                shell.err.line(escaped!("{} {}", import_text::file_outcome(outcome), escape::path(path)));
            }
            Event::WaitingForReplicas { secrets: None } => {
                shown.waiting = Some(Spinner::new(shell, "waiting for replicas".into()));
            }
            Event::WaitingForReplicas { secrets: Some(secrets) } => {
                let text = || escaped!("waiting for the replicas of {}", count(secrets, "secret"));
                shown.waiting.iter().for_each(|spinner| spinner.update(text()));
            }
            Event::WaitedForReplicas => shown.waiting = None,
            Event::ReplicasInSync { secrets } => {
                self.talk.line(escaped!("  replicas of {} in sync", count(secrets, "secret")));
            }
        }
    }
}
