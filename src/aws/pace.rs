//! The pace of requests: within the documented rate of each group of operations, and slower while the service throttles
//! the group.
//!
//! One account and region has one pace, which its targets share; nothing is shared between accounts.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::quota::{Group, Operation};
use super::time::{Instant, sleep};

/// Requests of so long a time may be made at once after a pause: AWS counts by the second.
const BURST: Duration = Duration::from_secs(1);

/// Answers are looked at in stretches of this length.
const STRETCH: Duration = Duration::from_secs(1);

/// A group is slowed down when more than this share of a stretch was throttled. Single throttled answers are waited out
/// by their own calls: slowing everybody down for each would multiply what one of them costs.
const TOO_MANY: f64 = 0.2;

/// It is slowed down to this share of its rate for each such stretch, and becomes faster by as much after a good one.
const SLOWER: f64 = 0.7;

/// And never below this share of the documented rate.
const SLOWEST: f64 = 0.2;

/// The pace of one account and region.
#[derive(Debug)]
pub(super) struct Pace {
    lanes: Vec<(Group, Mutex<Lane>)>,
    /// Whether it adapts to throttling.
    adapts: bool,
}

/// The pace of one group.
#[derive(Debug)]
struct Lane {
    /// Requests a second, as documented and now.
    full: f64,
    rate: f64,
    /// When the next request would be due if each came in its turn.
    due: Instant,
    stretch: Stretch,
}

/// What came back lately.
#[derive(Debug)]
struct Stretch {
    begun: Instant,
    answered: u32,
    throttled: u32,
}

impl Pace {
    /// As documented. `adapts` follows what the service says.
    pub(super) fn documented(adapts: bool) -> Self {
        let lane = |group: Group| Some((group, Mutex::new(Lane::new(f64::from(group.per_second()?.get())))));
        Self { lanes: Group::ALL.into_iter().filter_map(lane).collect(), adapts }
    }

    /// None: for the embedded sandbox.
    pub(super) fn unlimited() -> Self {
        Self { lanes: Vec::new(), adapts: false }
    }

    /// Waits until the operation's next request is due.
    pub(super) async fn wait(&self, operation: Operation) {
        let due = self.lane(operation).map(|lane| locked(lane).take(Instant::now()));
        if let Some(due) = due {
            let left = due.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                sleep(left).await;
            }
        }
    }

    /// Takes note of an answer.
    pub(super) fn answered(&self, operation: Operation, throttled: bool) {
        if let Some(lane) = self.lane(operation).filter(|_| self.adapts) {
            locked(lane).answered(Instant::now(), throttled);
        }
    }

    fn lane(&self, operation: Operation) -> Option<&Mutex<Lane>> {
        self.lanes.iter().find(|(group, _)| *group == operation.group()).map(|(_, lane)| lane)
    }
}

impl Lane {
    fn new(full: f64) -> Self {
        let now = Instant::now();
        Self { full, rate: full, due: now, stretch: Stretch { begun: now, answered: 0, throttled: 0 } }
    }

    /// Takes the next turn: when it is.
    fn take(&mut self, now: Instant) -> Instant {
        let turn = self.due.max(now);
        self.due = turn + Duration::from_secs_f64(self.rate.recip());
        // Within the burst it is now already.
        turn.checked_sub(BURST).map_or(now, |earliest| earliest.max(now))
    }

    fn answered(&mut self, now: Instant, throttled: bool) {
        self.stretch.answered += 1;
        self.stretch.throttled += u32::from(throttled);
        if now.saturating_duration_since(self.stretch.begun) < STRETCH {
            return;
        }
        let share = f64::from(self.stretch.throttled) / f64::from(self.stretch.answered);
        let wanted = if share > TOO_MANY { self.rate * SLOWER } else { self.rate / SLOWER };
        self.rate = wanted.clamp(self.full * SLOWEST, self.full);
        self.stretch = Stretch { begun: now, answered: 0, throttled: 0 };
    }
}

/// A lane is whole even if another task died while it held the lock.
fn locked(lane: &Mutex<Lane>) -> std::sync::MutexGuard<'_, Lane> {
    lane.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many requests take, of which every `nth` is throttled.
    async fn seconds(pace: &Pace, requests: u32, nth: Option<u32>) -> f64 {
        let begun = Instant::now();
        for request in 1..=requests {
            pace.wait(Operation::PutSecretValue).await;
            pace.answered(Operation::PutSecretValue, nth.is_some_and(|nth| request % nth == 0));
        }
        begun.elapsed().as_secs_f64()
    }

    #[tokio::test]
    async fn a_group_has_its_documented_rate_after_a_burst() {
        let pace = Pace::documented(true);
        assert!(seconds(&pace, 50, None).await < 0.1, "as many as a second has, at once");
        let more = seconds(&pace, 500, None).await;
        assert!((9.9..10.2).contains(&more), "{more}");
        sleep(Duration::from_mins(1)).await;
        assert!(seconds(&pace, 50, None).await < 0.1);
        assert!(seconds(&Pace::unlimited(), 10_000, None).await < 0.1);
    }

    #[tokio::test]
    async fn groups_do_not_wait_for_each_other() {
        let pace = Pace::documented(true);
        seconds(&pace, 100, None).await;
        let begun = Instant::now();
        pace.wait(Operation::TagResource).await;
        pace.wait(Operation::DescribeSecret).await;
        assert!(begun.elapsed().is_zero());
    }

    #[tokio::test]
    async fn single_throttled_answer_does_not_slow_the_group() {
        let pace = Pace::documented(true);
        seconds(&pace, 50, None).await;
        let took = seconds(&pace, 500, Some(10)).await;
        assert!(took < 10.5, "{took}");
    }

    #[tokio::test]
    async fn a_group_that_is_throttled_slows_down_and_recovers() {
        let pace = Pace::documented(true);
        seconds(&pace, 50, None).await;
        let throttled = seconds(&pace, 500, Some(2)).await;
        assert!((25.0..50.0).contains(&throttled), "down to a fifth of the rate: {throttled}");
        let recovering = seconds(&pace, 500, None).await;
        assert!((10.0..20.0).contains(&recovering), "{recovering}");
        let recovered = seconds(&pace, 500, None).await;
        assert!(recovered < 10.5, "{recovered}");
    }

    #[tokio::test]
    async fn in_standard_mode_no_group_is_slowed_down() {
        let pace = Pace::documented(false);
        let took = seconds(&pace, 550, Some(2)).await;
        assert!(took < 10.5, "{took}");
    }
}
