//! Says what is waited for, to whoever runs the command: seldom enough to be read.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::time::Instant;
use crate::live::Waiting;

/// The same kind of thing is said again after this long.
const PAUSE: Duration = Duration::from_secs(10);

/// What takes longer is said to be waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// Whoever is told. The clones tell together.
#[derive(Clone)]
pub struct Teller(Arc<Told>);

struct Told {
    tell: Box<dyn Fn(Waiting<'_>) + Send + Sync>,
    /// When each kind was told last.
    last: Mutex<[Option<Instant>; 4]>,
}

impl Default for Teller {
    /// Nobody is told.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

impl Teller {
    /// Tells by `tell`.
    pub fn new(tell: impl Fn(Waiting<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Told { tell: Box::new(tell), last: Mutex::default() }))
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
            () = patience => self.tell(waiting),
        }
        work.await
    }

    pub(super) fn tell(&self, waiting: Waiting<'_>) {
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
        (self.0.tell)(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::sleep;
    use super::*;

    fn teller() -> (Teller, Arc<Mutex<Vec<String>>>) {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&said);
        let tell =
            move |waiting: Waiting<'_>| heard.lock().unwrap_or_else(|_| unreachable!()).push(format!("{waiting:?}"));
        (Teller::new(tell), said)
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_said_to_be_waited_for() {
        let (teller, said) = teller();
        let waiting = Waiting::Slow { trying: "ListSecrets", place: "http://127.0.0.1:1" };
        let at_once = teller.watch_beyond(std::future::pending(), waiting, std::future::ready(1)).await;
        assert!(at_once == 1 && said.lock().is_ok_and(|said| said.is_empty()));
        let late = tokio::task::yield_now();
        teller.watch_beyond(std::future::ready(()), waiting, late).await;
        assert!(said.lock().is_ok_and(|said| said.len() == 1 && said[0].contains("127.0.0.1")));
    }

    #[tokio::test]
    async fn the_same_is_not_said_all_the_time() {
        let (teller, said) = teller();
        let count = || said.lock().map_or(0, |said| said.len());
        for _ in 0..100 {
            teller.tell(Waiting::Throttled { operation: "ListSecrets" });
        }
        assert_eq!(count(), 1);
        teller.tell(Waiting::Slow { trying: "ListSecrets", place: "x" });
        assert_eq!(count(), 2, "something else");
        sleep(PAUSE).await;
        teller.tell(Waiting::Throttled { operation: "PutSecretValue" });
        assert_eq!(count(), 3);
    }
}
