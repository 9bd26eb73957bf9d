//! The time that waits go by. In unit tests of this crate it stands still, and every wait moves it on at once.

#[cfg(not(test))]
pub(super) use tokio::time::{Instant, sleep};

#[cfg(test)]
pub(super) use simulated::{Instant, sleep};

/// A clock for each thread: a test runs on its own.
#[cfg(test)]
mod simulated {
    use std::cell::Cell;
    use std::ops::Add;
    use std::time::Duration;

    thread_local! {
        static NOW: Cell<Duration> = const { Cell::new(Duration::from_hours(1)) };
    }

    /// A moment.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Instant(Duration);

    impl Instant {
        pub(crate) fn now() -> Self {
            Self(NOW.get())
        }

        pub(crate) fn elapsed(self) -> Duration {
            Self::now().saturating_duration_since(self)
        }

        pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
            self.0.saturating_sub(earlier.0)
        }

        pub(crate) fn checked_sub(self, duration: Duration) -> Option<Self> {
            self.0.checked_sub(duration).map(Self)
        }
    }

    impl Add<Duration> for Instant {
        type Output = Self;

        fn add(self, duration: Duration) -> Self {
            Self(self.0 + duration)
        }
    }

    /// Moves the clock on.
    pub(crate) async fn sleep(duration: Duration) {
        NOW.set(NOW.get() + duration);
        tokio::task::yield_now().await;
    }
}
