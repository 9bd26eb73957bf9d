//! What the last rounds came to, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every target was read.
    Complete,
    /// Some target could not be read.
    Incomplete,
    /// The manifests are wrong; nothing was read.
    Failed,
}

/// How many rounds ended how, and how many notifications got lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Rounds that read every target.
    pub complete: u64,
    /// Rounds that did not.
    pub incomplete: u64,
    /// Rounds that read nothing, since the manifests were wrong.
    pub failed: u64,
    /// Notifications that could not be delivered.
    pub lost_notifications: u64,
}

impl Rounds {
    /// Counts a round.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Complete => self.complete += 1,
            Outcome::Incomplete => self.incomplete += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

/// Written by the rounds, read by the server. Clones are the same board.
#[derive(Clone, Debug)]
pub struct Board {
    posted: Arc<Mutex<Posted>>,
    patience: Duration,
}

#[derive(Debug, Default)]
struct Posted {
    metrics: String,
    last_complete: Option<Instant>,
}

impl Board {
    /// A board whose last complete round may be so old.
    pub fn new(patience: Duration) -> Self {
        Self { posted: Arc::default(), patience }
    }

    /// Takes the metrics of a round that ended just now.
    pub fn post(&self, metrics: String, outcome: Outcome) {
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.metrics = metrics;
        if outcome == Outcome::Complete {
            posted.last_complete = Some(Instant::now());
        }
    }

    /// The metrics of the last round; empty before it.
    pub fn metrics(&self) -> String {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).metrics.clone()
    }

    /// Whether a round read every target not too long ago.
    pub fn is_healthy(&self) -> bool {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.last_complete.is_some_and(|at| at.elapsed() <= self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_needs_a_complete_round_that_is_not_old() {
        let board = Board::new(Duration::from_mins(1));
        assert!(!board.is_healthy(), "nothing was read yet");
        board.post("first".to_owned(), Outcome::Incomplete);
        assert!(!board.is_healthy());
        board.post("second".to_owned(), Outcome::Complete);
        assert!(board.is_healthy());
        board.post("third".to_owned(), Outcome::Failed);
        assert!(board.is_healthy(), "one bad round is borne");
        assert_eq!(board.metrics(), "third");
        let strict = Board { patience: Duration::ZERO, ..board };
        std::thread::sleep(Duration::from_millis(2));
        assert!(!strict.is_healthy());
    }
}
