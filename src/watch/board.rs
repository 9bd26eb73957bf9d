//! What the last rounds came to, and whether the rounds go on, for whoever asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::collect::CollectMap as _;
use crate::inventory::Inventory;

/// So long a round may be without a sign of life. Whatever it waits for is bounded far below.
const QUIET: Duration = Duration::from_mins(15);

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

/// How many rounds ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Rounds that read every target.
    pub complete: u64,
    /// Rounds that did not.
    pub incomplete: u64,
    /// Rounds that read nothing, since the manifests were wrong.
    pub failed: u64,
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
pub struct Board(Arc<Mutex<Posted>>);

#[derive(Debug)]
struct Posted {
    metrics: String,
    /// What is there, when a page of it is served.
    inventory: Option<Arc<Published>>,
    /// When each target was last read; none for one that was not yet.
    targets: BTreeMap<String, Option<Instant>>,
    /// Without another sign of life until then, the rounds hang.
    alive_until: Instant,
}

/// What is there, and what is served of it: each is made once a round, when somebody asks for it first.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) inventory: Arc<Inventory>,
    pub(super) page: OnceLock<Bytes>,
    pub(super) document: OnceLock<Bytes>,
}

/// How long ago a target was read.
pub(super) type Age = Option<Duration>;

impl Default for Board {
    fn default() -> Self {
        let posted = Posted {
            metrics: String::new(),
            inventory: None,
            targets: BTreeMap::new(),
            alive_until: Instant::now() + QUIET,
        };
        Self(Arc::new(Mutex::new(posted)))
    }
}

impl Board {
    /// Notes that a round goes on.
    pub fn beat(&self) {
        self.posted().alive_until = Instant::now() + QUIET;
    }

    /// Notes that nothing happens for so long.
    pub fn rests(&self, pause: Duration) {
        let until = Instant::now().checked_add(pause).and_then(|until| until.checked_add(QUIET));
        if let Some(until) = until {
            self.posted().alive_until = until;
        }
    }

    /// Takes the metrics of a round that ended just now.
    pub fn post(&self, metrics: String) {
        self.posted().metrics = metrics;
    }

    /// Takes what is there, for the page.
    pub fn post_inventory(&self, inventory: Arc<Inventory>) {
        let published = Published { inventory, page: OnceLock::new(), document: OnceLock::new() };
        self.posted().inventory = Some(Arc::new(published));
    }

    /// Takes which targets there are, and which of them were read just now.
    pub fn looked<'t>(&self, targets: impl Iterator<Item = (&'t str, bool)>) {
        let mut posted = self.posted();
        let before = std::mem::take(&mut posted.targets);
        posted.targets = targets
            .map(|(name, read)| {
                let at = if read { Some(Instant::now()) } else { before.get(name).copied().flatten() };
                (name.to_owned(), at)
            })
            .collect_map();
    }

    /// The metrics of the last round; empty before it.
    pub fn metrics(&self) -> String {
        self.posted().metrics.clone()
    }

    /// What is there, after the first round that tells it.
    pub(super) fn inventory(&self) -> Option<Arc<Published>> {
        self.posted().inventory.clone()
    }

    /// Whether the rounds go on.
    pub fn is_alive(&self) -> bool {
        Instant::now() <= self.posted().alive_until
    }

    /// How long ago each target was read.
    pub fn ages(&self) -> BTreeMap<String, Age> {
        let posted = self.posted();
        posted.targets.iter().map(|(name, at)| (name.clone(), at.map(|at| at.elapsed()))).collect_map()
    }

    fn posted(&self) -> MutexGuard<'_, Posted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_alive_while_rounds_go_on_or_rest() {
        let board = Board::default();
        assert!(board.is_alive(), "it has just begun");
        board.posted().alive_until = Instant::now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(!board.is_alive());
        board.beat();
        assert!(board.is_alive());
        board.rests(Duration::from_hours(1));
        assert!(board.posted().alive_until > Instant::now() + Duration::from_hours(1));
        board.rests(Duration::MAX);
        assert!(board.is_alive());
    }

    #[test]
    fn a_target_that_was_read_once_keeps_its_age() {
        let board = Board::default();
        assert!(board.ages().is_empty());
        board.looked([("eu", true), ("us", false)].into_iter());
        let ages = board.ages();
        assert!(ages["eu"].is_some() && ages["us"].is_none());
        board.looked([("eu", false), ("us", true)].into_iter());
        assert!(board.ages().values().all(Option::is_some));
        board.looked([("us", true)].into_iter());
        assert!(!board.ages().contains_key("eu"), "it is there no more");
    }
}
