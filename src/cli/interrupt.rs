//! Ctrl-C: the first one asks to stop, the second one stops at once.
//!
//! One request to stop often comes as several signals: `timeout` signals the process and its group, a terminal the
//! whole foreground. So a second one counts only when it comes a while after the first.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::exit_code::ExitCode;
use crate::workflow::Stop;

/// Signals that come within this time are one.
const TOGETHER: Duration = Duration::from_millis(500);

/// The signals so far.
#[derive(Default)]
struct Requests {
    first: Option<Instant>,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requested {
    Stop,
    /// Nothing that was not asked for already.
    Again,
    StopAtOnce,
}

impl Requests {
    fn signal(&mut self, now: Instant) -> Requested {
        match self.first {
            None => {
                self.first = Some(now);
                Requested::Stop
            }
            Some(first) if now.duration_since(first) < TOGETHER => Requested::Again,
            Some(_) => Requested::StopAtOnce,
        }
    }
}

/// Turns true at the first Ctrl-C (or SIGTERM, which is what CI runners and container engines send). At a second one,
/// half a second later or more, the process ends at once with 130.
///
/// The handlers are in place when this returns, so that no signal after it is missed.
pub(super) fn listen() -> Stop {
    let (sender, receiver) = watch::channel(false);
    let signals = Signals::new();
    tokio::spawn(async move {
        if let Some(mut signals) = signals {
            let mut requests = Requests::default();
            loop {
                signals.next().await;
                match requests.signal(Instant::now()) {
                    Requested::Stop => {
                        sender.send_replace(true);
                    }
                    Requested::Again => {}
                    Requested::StopAtOnce => std::process::exit(i32::from(ExitCode::Interrupted.code())),
                }
            }
        }
        // Signals can't be listened to here: keep the channel open, so that no task waits on a closed one.
        sender.closed().await;
    });
    receiver
}

/// The signals that ask to stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// None when there is no way to listen.
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask to stop.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_signal_counts_only_half_a_second_later() {
        let mut requests = Requests::default();
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        assert_eq!(requests.signal(at(0)), Requested::Stop);
        assert_eq!(requests.signal(at(0)), Requested::Again);
        assert_eq!(requests.signal(at(499)), Requested::Again);
        assert_eq!(requests.signal(at(500)), Requested::StopAtOnce);
    }
}
