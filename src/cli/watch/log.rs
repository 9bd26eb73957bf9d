//! The lines for programs.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::shell::Output;
use crate::exit_code::ExitCode;
use crate::render::apply_json;
use crate::render::error::{obstacle, reasons, target_line};
use crate::render::watch::{Event, line};
use crate::workflow::{Obstacle, WatchEvent};

/// Where they are written. Clones write to the same place.
#[derive(Clone)]
pub(super) struct Log {
    out: Output,
    verbose: u8,
    told: Arc<Mutex<Told>>,
}

/// What rounds have come to.
#[derive(Clone, Default)]
pub(super) struct Told {
    /// What kept drift from being put right in the last round; it is told when it changes.
    obstacles: Vec<String>,
    /// Applies that did all they were for.
    pub(super) applies_done: u64,
    /// Applies that did not.
    pub(super) applies_failed: u64,
    /// Rounds in which something was kept from being applied.
    pub(super) not_applied: u64,
}

impl Log {
    pub(super) fn new(out: Output, verbose: u8) -> Self {
        Self { out, verbose, told: Arc::default() }
    }

    /// What was told so far, in numbers.
    pub(super) fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn write(&self, project: &str, event: Event<'_>) {
        self.out.write(line(Timestamp::now(), project, event));
    }

    /// What a round tells, as lines.
    pub(super) fn round(&self, project: &str, number: u64, event: &WatchEvent<'_>) {
        match event {
            WatchEvent::Appeared(finding, reason, who) => {
                let reason = reason.map(target_line);
                self.write(project, Event::Appeared(finding, reason.as_deref(), *who));
            }
            WatchEvent::ChangedAgain(finding, who) => self.write(project, Event::ChangedAgain(finding, *who)),
            WatchEvent::Disappeared(finding) => self.write(project, Event::Disappeared(finding)),
            WatchEvent::Looked { report, full, held_back } if self.verbose > 0 => {
                self.write(project, Event::Round { number, report, full: *full, held_back: *held_back });
            }
            WatchEvent::Looked { .. } => {}
            WatchEvent::Failed(error) => self.write(project, Event::RoundFailed { reasons: reasons(error) }),
            WatchEvent::Applied { run: applied, held_back } => {
                let targets = applied.targets.iter().map(apply_json::target).collect();
                let outcome = ExitCode::from(applied.outcome());
                {
                    let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                    let counter =
                        if outcome == ExitCode::Success { &mut told.applies_done } else { &mut told.applies_failed };
                    *counter += 1;
                }
                self.write(project, Event::Applied { targets, exit_code: outcome.code(), held_back: *held_back });
            }
            WatchEvent::NotApplied(obstacles) => self.obstacles(project, obstacles),
        }
    }

    fn obstacles(&self, project: &str, obstacles: &[Obstacle<'_>]) {
        let reasons: Vec<String> = obstacles.iter().map(obstacle).collect();
        let is_new = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.not_applied += u64::from(!reasons.is_empty());
            let is_new = reasons != told.obstacles;
            told.obstacles.clone_from(&reasons);
            is_new
        };
        if is_new && !reasons.is_empty() {
            self.write(project, Event::NotApplied { reasons });
        }
    }
}
