//! The pace of requests: within the documented rate of each group of operations, and slower while the service throttles
//! the group.
//!
//! One account and region has one pace, which its targets share; nothing is shared between accounts. The latency of its
//! answers says how many requests must be on their way for the quotas to be made use of.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::quota::{Group, Operation};
use super::time::{Instant, sleep};
use crate::apply::PlannedCalls;

/// Requests of so long a time may be made at once after a pause. AWS counts by the second; a tenth is kept back, for
/// requests do not arrive as evenly as they leave, and one that comes too early is refused and made twice.
const BURST: Duration = Duration::from_millis(900);

/// Answers are looked at in stretches of this length.
const STRETCH: Duration = Duration::from_secs(1);

/// A group is slowed down when more than this share of a stretch was throttled. Single throttled answers are waited out
/// by their own calls: slowing everybody down for each would multiply what one of them costs.
const TOO_MANY: f64 = 0.2;

/// It is slowed down to this share of its rate for each such stretch, and becomes faster by as much after a good one.
const SLOWER: f64 = 0.7;

/// And never below this share of the documented rate.
const SLOWEST: f64 = 0.2;

/// What one answer counts in the latency: the last ten make up two thirds of it.
const SHARE_OF_ONE: f64 = 0.1;

/// So much more is kept in flight than quota and latency ask for: calls do not come evenly, and a secret waits for its
/// turn in several groups.
const SPARE: f64 = 2.0;

/// What DescribeSecret is read at, far below its quota.
const DESCRIBES_A_SECOND: f64 = 800.0;

const FEWEST_DESCRIBES: usize = 16;

const MOST_DESCRIBES: usize = 128;

/// The pace of one account and region.
#[derive(Debug)]
pub(super) struct Pace {
    lanes: Vec<(Group, Mutex<Lane>)>,
    /// Seconds from a request to its answer, lately; none before the first.
    latency: Mutex<Option<f64>>,
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
        Self { lanes: Group::ALL.into_iter().filter_map(lane).collect(), latency: Mutex::default(), adapts }
    }

    /// None: for the embedded sandbox.
    pub(super) fn unlimited() -> Self {
        Self { lanes: Vec::new(), latency: Mutex::default(), adapts: false }
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

    /// How many secrets in flight keep the narrowest group busy that these calls need.
    ///
    /// By Little's law what is in flight is the rate times the time that one takes: the narrowest group lets so many
    /// secrets through a second, and each takes the latency of all its calls. Without limits of ours AWS's rates count:
    /// the service may keep them.
    pub(super) fn secrets_to_fill(&self, calls: &PlannedCalls) -> usize {
        let Some(latency) = *locked(&self.latency) else { return 0 };
        let mut by_group: Vec<(Group, f64)> = Vec::new();
        for (operation, count) in &calls.by_operation {
            let Some(group) = Group::of(operation) else { continue };
            match by_group.iter_mut().find(|(known, _)| *known == group) {
                Some((_, calls)) => *calls += number(*count),
                None => by_group.push((group, number(*count))),
            }
        }
        let seconds = by_group.iter().filter_map(|(group, calls)| Some(calls / self.rate(*group)?));
        let narrowest = seconds.fold(0.0, f64::max);
        if narrowest <= 0.0 {
            return 0;
        }
        // No more than there are secrets, so that it is a small number.
        let wanted = (number(calls.count()) * latency / narrowest * SPARE).ceil().min(number(calls.secrets));
        at_least(wanted, 0, calls.secrets)
    }

    /// How many DescribeSecret are to run at once, so that some eight hundred a second are answered whatever the
    /// latency: far more are allowed, but each that is on its way has a connection.
    pub(super) fn describes_at_once(&self) -> usize {
        let wanted = locked(&self.latency).map_or(0.0, |latency| latency * DESCRIBES_A_SECOND);
        at_least(wanted, FEWEST_DESCRIBES, MOST_DESCRIBES)
    }

    /// The rate of a group now, or as documented where none is kept.
    fn rate(&self, group: Group) -> Option<f64> {
        let documented = f64::from(group.per_second()?.get());
        let lane = self.lanes.iter().find(|(of, _)| *of == group);
        Some(lane.map_or(documented, |(_, lane)| locked(lane).rate))
    }

    /// Takes note of an answer, and of how long it took.
    pub(super) fn answered(&self, operation: Operation, throttled: bool, took: Duration) {
        // A refusal says nothing of how long work takes.
        if !throttled {
            let mut latency = locked(&self.latency);
            let took = took.as_secs_f64();
            *latency = Some(latency.map_or(took, |before| before + (took - before) * SHARE_OF_ONE));
        }
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

/// What is behind a lock here is whole even if another task died while it held the lock.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The least whole number from `fewest` to `most` that is no less than wanted; `most` where none is.
fn at_least(wanted: f64, fewest: usize, most: usize) -> usize {
    (fewest..most).find(|whole| number(*whole) >= wanted).unwrap_or(most)
}

/// Numbers of secrets and calls are far below what a float holds exactly.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many requests take, of which every `nth` is throttled.
    async fn seconds(pace: &Pace, requests: u32, nth: Option<u32>) -> f64 {
        let begun = Instant::now();
        for request in 1..=requests {
            pace.wait(Operation::PutSecretValue).await;
            pace.answered(Operation::PutSecretValue, nth.is_some_and(|nth| request % nth == 0), Duration::ZERO);
        }
        begun.elapsed().as_secs_f64()
    }

    #[tokio::test]
    async fn a_group_has_its_documented_rate_after_a_burst() {
        let pace = Pace::documented(true);
        assert!(seconds(&pace, 46, None).await < 0.01, "nearly as many as a second has, at once");
        assert!(seconds(&pace, 4, None).await < 0.1, "and the rest of them soon");
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

    /// A new secret with a value and a policy takes three calls, each in a group of 50 a second.
    fn creates(secrets: usize) -> PlannedCalls {
        let operations = ["CreateSecret", "PutResourcePolicy", "PutSecretValue"];
        PlannedCalls { by_operation: operations.map(|operation| (operation, secrets)).into(), secrets }
    }

    fn answer(pace: &Pace, times: usize, milliseconds: u64) {
        for _ in 0..times {
            pace.answered(Operation::CreateSecret, false, Duration::from_millis(milliseconds));
        }
    }

    #[test]
    fn secrets_in_flight_follow_the_latency_when_it_changes_too() {
        for pace in [Pace::documented(true), Pace::unlimited()] {
            assert_eq!(pace.secrets_to_fill(&creates(1000)), 0, "nothing was answered yet");
            answer(&pace, 1, 30);
            // 50 secrets a second, of 90 ms each, twice.
            assert_eq!(pace.secrets_to_fill(&creates(1000)), 9);
            answer(&pace, 100, 150);
            assert_eq!(pace.secrets_to_fill(&creates(1000)), 45);
            answer(&pace, 100, 30);
            assert_eq!(pace.secrets_to_fill(&creates(1000)), 10, "it falls again");
            assert_eq!(pace.secrets_to_fill(&creates(3)), 3, "no more than there are");
        }
    }

    #[test]
    fn the_narrowest_group_counts_at_the_rate_that_it_has_now() {
        let pace = Pace::documented(true);
        answer(&pace, 1, 100);
        let mut calls = creates(1000);
        // Two of four calls share a group: 25 secrets a second, of 400 ms each.
        calls.by_operation.insert("GetResourcePolicy", 1000);
        assert_eq!(pace.secrets_to_fill(&calls), 20);
        let describes = PlannedCalls { by_operation: [("DescribeSecret", 1000)].into(), secrets: 1000 };
        assert_eq!(pace.secrets_to_fill(&describes), 0, "no quota is to be filled");
        if let Some((_, lane)) = pace.lanes.iter().find(|(group, _)| *group == Group::ResourcePolicy) {
            locked(lane).rate = 10.0;
        }
        assert_eq!(pace.secrets_to_fill(&calls), 4, "of a group that is slowed down, fewer");
    }

    #[test]
    fn descriptions_at_once_follow_the_latency() {
        for (milliseconds, at_once) in [(1, 16), (30, 24), (150, 120), (400, 128)] {
            let pace = Pace::unlimited();
            assert_eq!(pace.describes_at_once(), 16, "nothing was answered yet");
            answer(&pace, 1, milliseconds);
            assert_eq!(pace.describes_at_once(), at_once, "{milliseconds} ms");
        }
    }

    #[test]
    fn refusals_say_nothing_of_the_latency() {
        let pace = Pace::documented(true);
        answer(&pace, 1, 150);
        for _ in 0..100 {
            pace.answered(Operation::CreateSecret, true, Duration::from_millis(1));
        }
        assert_eq!(pace.secrets_to_fill(&creates(1000)), 45);
    }
}
