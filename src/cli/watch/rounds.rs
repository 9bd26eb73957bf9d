//! Rounds, one after the other, and what others are told of them.

use std::sync::Arc;

use tokio::sync::watch::Receiver;

use super::WatchArgs;
use super::log::Log;
use super::notifier::{Delivered, Notifier};
use super::state_file::StateFile;
use crate::exit_code::ExitCode;
use crate::render::drift::prometheus;
use crate::render::watch::{Counted, Event, metrics};
use crate::watch::{Board, Findings, Outcome, Pace, Rounds, State};
use crate::workflow::{Round, Watch, WatchEvent, unless_stopped};

/// Rounds, one after the other.
pub(super) struct Loop<'a> {
    pub(super) args: &'a WatchArgs,
    pub(super) watch: Watch<'a>,
    pub(super) log: Log,
    pub(super) board: Board,
    pub(super) notifier: Option<Notifier>,
    pub(super) memory: StateFile,
    /// Counts requests to look at once.
    pub(super) hangups: Receiver<u64>,
    pub(super) rounds: Rounds,
}

impl Loop<'_> {
    /// Runs rounds until it is stopped, or their number is reached.
    pub(super) async fn run(&mut self, pace: Pace) -> ExitCode {
        let started = Event::Started { interval: pace.interval, applies: self.args.apply };
        self.log.write(&self.watch.project, started);
        if let Some(reason) = self.memory.fault() {
            self.log.write(&self.watch.project, Event::NotRemembered { reason });
        }
        let mut number = 0_u64;
        loop {
            number += 1;
            self.board.beat();
            let log = &self.log;
            let listener = |project: &str, event: WatchEvent<'_>| log.round(project, number, &event);
            // An error is the interruption: what fails in a round is told, and the next one comes.
            let Ok(round) = Box::pin(self.watch.round(&listener)).await else { return ExitCode::Success };
            self.ended(round.outcome);
            if self.args.rounds == Some(number) {
                return self.exit_code(&round);
            }
            let pause = pace.wait(0, rand::random());
            self.board.rests(pause);
            let rest = async {
                tokio::select! {
                    () = tokio::time::sleep(pause) => false,
                    hung_up = self.hangups.changed() => match hung_up {
                        Ok(()) => true,
                        // Nobody listens to signals: there is only the time.
                        Err(_) => std::future::pending().await,
                    },
                }
            };
            match unless_stopped(&self.watch.stop, rest).await {
                Err(_) => return ExitCode::Success,
                Ok(false) => {}
                Ok(true) => {
                    self.log.write(&self.watch.project, Event::Reloaded);
                    self.watch.memories.forget();
                    self.watch.backoff.forget();
                }
            }
        }
    }

    fn exit_code(&self, round: &Round) -> ExitCode {
        match (&round.failure, &self.watch.report) {
            (Some(error), _) => ExitCode::of(&error.kind),
            (None, Some(report)) => self.args.look.exit_code(report),
            (None, None) => ExitCode::Success,
        }
    }

    /// Tells others of a round that ended.
    fn ended(&mut self, outcome: Outcome) {
        self.rounds.count(outcome);
        let watch = &self.watch;
        if let Some(report) = &watch.report {
            let targets = report.targets.iter();
            let failed = outcome == Outcome::Failed;
            self.board.looked(targets.map(|target| (target.name.as_str(), target.outcome.is_ok() && !failed)));
        }
        if let Some(inventory) = &watch.inventory {
            self.board.post_inventory(Arc::clone(inventory));
        }
        if let Some(notifier) = &self.notifier {
            notifier.take(&watch.project, &watch.known, &watch.who);
        }
        let Delivered { notified, lost } = self.notifier.as_ref().map(Notifier::delivered).unwrap_or_default();
        self.post(outcome, lost);
        self.remember(notified);
    }

    fn post(&self, outcome: Outcome, lost_notifications: u64) {
        let told = self.log.told();
        let watch = &self.watch;
        let counted = Counted {
            rounds: self.rounds,
            applies_done: told.applies_done,
            applies_failed: told.applies_failed,
            not_applied: told.not_applied,
            lost_notifications,
            throttled: watch.aws.throttled_answers(),
        };
        let of_report = |report| prometheus(report, watch.last_success, &watch.found);
        let mut text = watch.report.as_ref().map(of_report).unwrap_or_default();
        let valid = outcome != Outcome::Failed;
        text.push(&metrics(&watch.project, &counted, valid, &watch.standing, &watch.memories.looks()));
        self.board.post(text.into_owned());
    }

    fn remember(&mut self, notified: Findings) {
        let state = State { project: self.watch.project.clone(), known: self.watch.known.clone(), notified };
        if let Err(reason) = self.memory.save(&state) {
            self.log.write(&self.watch.project, Event::NotRemembered { reason });
        }
    }

    /// Tells what is left to be told.
    pub(super) async fn end(&mut self) {
        if let Some(notifier) = self.notifier.take() {
            let notified = notifier.end().await.notified;
            self.remember(notified);
        }
        self.log.write(&self.watch.project, Event::Stopped);
    }
}
