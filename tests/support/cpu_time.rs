//! How much a call costs this thread: time on a processor, which a busy machine does not make longer.

use std::time::Duration;

/// What one answer to hostile bytes may cost: a second, and a few where the code under test is not optimised.
pub(crate) const MOST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });

/// What `work` gives, and the processor's time that this thread spent on it.
#[cfg(unix)]
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    use rustix::time::{ClockId, clock_gettime};
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
    };
    let begun = now();
    let done = work();
    (done, now().saturating_sub(begun))
}

/// The same by the clock on the wall, where there is no other.
#[cfg(not(unix))]
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = std::time::Instant::now();
    let done = work();
    (done, begun.elapsed())
}
