//! Ctrl-C: the first one asks to stop, the second one stops at once.

use tokio::sync::watch;

use crate::exit_code::ExitCode;
use crate::workflow::Stop;

/// Turns true at the first Ctrl-C (or SIGTERM, which is what CI runners and container engines send). At the second one
/// the process ends at once with 130.
///
/// The handlers are in place when this returns, so that no signal after it is missed.
pub(super) fn listen() -> Stop {
    let (sender, receiver) = watch::channel(false);
    let signals = Signals::new();
    tokio::spawn(async move {
        if let Some(mut signals) = signals {
            loop {
                signals.next().await;
                if *sender.borrow() {
                    std::process::exit(i32::from(ExitCode::Interrupted.code()));
                }
                sender.send_replace(true);
            }
        }
        // Signals can't be listened to here: keep the channel open, so that nobody waits on a closed one.
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
