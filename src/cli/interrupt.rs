//! Signals: the first one that asks to stop is obeyed after what is in flight, the second one at once.
//!
//! Every signal that would end the process and can be caught asks to stop: Ctrl-C, SIGTERM, a terminal that is closed
//! (SIGHUP, unless it was ignored when the process began, as `nohup` does), SIGQUIT, SIGALRM, SIGUSR1 and SIGUSR2. So a
//! journal holds every call that was sent. For `watch`, SIGHUP means to look at once instead.
//!
//! One request to stop often comes as several signals: `timeout` signals the process and its group, a terminal the
//! whole foreground. So a second one counts only when it comes a while after the first.

#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::exit_code::ExitCode;
#[cfg(unix)]
use crate::files::read_operator_text;
use crate::workflow::Stop;

/// Signals that come within this time are one.
const TOGETHER: Duration = Duration::from_millis(500);

/// Far more than what Linux tells of a process, in bytes.
#[cfg(unix)]
const MOST_OF_A_STATUS: u64 = 64 * 1024;

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

/// Turns true at the first signal that asks to stop. At a second one, half a second later or more, the process ends at
/// once with 130.
///
/// The handlers are in place when this returns, so that no signal after it is missed.
pub(super) fn listen() -> Stop {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(obey(Signals::new(true), sender, None));
    receiver
}

/// The same where a terminal that is closed does not stop anything: the second channel counts these signals.
pub(super) fn listen_for_hangups() -> (Stop, watch::Receiver<u64>) {
    let (sender, receiver) = watch::channel(false);
    let (hangups, counted) = watch::channel(0);
    tokio::spawn(obey(Signals::new(false), sender, Some(hangups)));
    (receiver, counted)
}

async fn obey(signals: Option<Signals>, sender: watch::Sender<bool>, hangups: Option<watch::Sender<u64>>) {
    if let Some(mut signals) = signals {
        let mut requests = Requests::default();
        loop {
            match (signals.next().await, &hangups) {
                (Signal::HangUp, Some(hangups)) => {
                    hangups.send_modify(|count| *count += 1);
                    continue;
                }
                (Signal::HangUp | Signal::Stop, _) => {}
            }
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
}

/// What a signal is about.
enum Signal {
    /// The terminal is gone, or somebody says so.
    HangUp,
    /// Everything else that ends a process.
    Stop,
}

/// The signals that are listened to.
#[cfg(unix)]
struct Signals {
    hang_up: Option<tokio::signal::unix::Signal>,
    others: Vec<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// None when there is no way to listen. With `may_be_ignored`, SIGHUP stays ignored where it is.
    fn new(may_be_ignored: bool) -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::quit(),
            SignalKind::alarm(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ];
        let others = kinds.into_iter().map(|kind| signal(kind).ok()).collect::<Option<Vec<_>>>()?;
        let ignored = may_be_ignored && hang_up_is_ignored();
        let hang_up = if ignored { None } else { Some(signal(SignalKind::hangup()).ok()?) };
        Some(Self { hang_up, others })
    }

    async fn next(&mut self) -> Signal {
        let Self { hang_up, others } = self;
        std::future::poll_fn(|context| {
            if let Some(hang_up) = hang_up
                && hang_up.poll_recv(context).is_ready()
            {
                return Poll::Ready(Signal::HangUp);
            }
            let stop = others.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if stop { Poll::Ready(Signal::Stop) } else { Poll::Pending }
        })
        .await
    }
}

/// Whether SIGHUP was ignored when the process began, as far as Linux tells (`SigIgn` in /proc/self/status, of which
/// the first bit is SIGHUP's).
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let Ok(status) = read_operator_text(Path::new("/proc/self/status"), MOST_OF_A_STATUS) else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// The signals that are listened to.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new(_: bool) -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
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
