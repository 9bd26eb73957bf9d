//! Reports what is waited for to whoever runs the command: seldom enough to be read.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::time::Instant;
use crate::live::Waiting;

/// The same kind of thing is said again after this long.
const PAUSE: Duration = Duration::from_secs(10);

/// What takes longer is said to be waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where it is reported. Clones report together, so that the same is not said twice.
#[derive(Clone)]
pub struct WaitReporter(Arc<Shared>);

struct Shared {
    report: Box<dyn Fn(Waiting<'_>) + Send + Sync>,
    /// When each kind was reported last.
    last: Mutex<[Option<Instant>; 4]>,
    /// Answers that a request came too soon, said or not.
    throttled: AtomicU64,
}

impl Default for WaitReporter {
    /// Nothing is reported.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for WaitReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitReporter")
    }
}

impl WaitReporter {
    /// Reports by `report`.
    pub fn new(report: impl Fn(Waiting<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { report: Box::new(report), last: Mutex::default(), throttled: AtomicU64::default() }))
    }

    /// Waits for `work`, and says so when it takes long.
    pub(super) async fn watch<T>(&self, trying: &'static str, place: &str, work: impl Future<Output = T>) -> T {
        self.watch_beyond(tokio::time::sleep(PATIENCE), Waiting::Slow { trying, place }, work).await
    }

    async fn watch_beyond<T>(
        &self,
        patience: impl Future<Output = ()>,
        waiting: Waiting<'_>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = patience => self.report(waiting),
        }
        work.await
    }

    /// Notes an answer that a request came too soon.
    pub(super) fn throttled(&self) {
        self.0.throttled.fetch_add(1, Ordering::Relaxed);
    }

    /// How many of these there were.
    pub(super) fn throttled_answers(&self) -> u64 {
        self.0.throttled.load(Ordering::Relaxed)
    }

    pub(super) fn report(&self, waiting: Waiting<'_>) {
        let kind = match waiting {
            Waiting::Throttled { .. } => 0,
            Waiting::Unreachable { .. } => 1,
            Waiting::Propagation { .. } => 2,
            Waiting::Slow { .. } => 3,
        };
        let now = Instant::now();
        {
            let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last[kind].is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
                return;
            }
            last[kind] = Some(now);
        }
        (self.0.report)(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::sleep;
    use super::*;

    fn wait_reporter() -> (WaitReporter, Arc<Mutex<Vec<String>>>) {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&said);
        let report =
            move |waiting: Waiting<'_>| heard.lock().unwrap_or_else(|_| unreachable!()).push(format!("{waiting:?}"));
        (WaitReporter::new(report), said)
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_said_to_be_waited_for() {
        let (wait_reporter, said) = wait_reporter();
        let waiting = Waiting::Slow { trying: "ListSecrets", place: "http://127.0.0.1:1" };
        let at_once = wait_reporter.watch_beyond(std::future::pending(), waiting, std::future::ready(1)).await;
        assert!(at_once == 1 && said.lock().is_ok_and(|said| said.is_empty()));
        let late = tokio::task::yield_now();
        wait_reporter.watch_beyond(std::future::ready(()), waiting, late).await;
        assert!(said.lock().is_ok_and(|said| said.len() == 1 && said[0].contains("127.0.0.1")));
    }

    #[tokio::test]
    async fn the_same_is_not_said_all_the_time() {
        let (wait_reporter, said) = wait_reporter();
        let count = || said.lock().map_or(0, |said| said.len());
        for _ in 0..100 {
            wait_reporter.report(Waiting::Throttled { operation: "ListSecrets" });
        }
        assert_eq!(count(), 1);
        wait_reporter.report(Waiting::Slow { trying: "ListSecrets", place: "x" });
        assert_eq!(count(), 2, "something else");
        sleep(PAUSE).await;
        wait_reporter.report(Waiting::Throttled { operation: "PutSecretValue" });
        assert_eq!(count(), 3);
    }
}
