//! Ctrl-C: the first one asks to stop, the second one stops at once.

use tokio::sync::watch;

use crate::exit_code::ExitCode;

/// Turns true at the first Ctrl-C (or SIGTERM, which is what CI runners and container engines send). At the second one
/// the process ends at once with 130.
pub(super) fn listen() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        while signal().await {
            if *sender.borrow() {
                std::process::exit(i32::from(ExitCode::Interrupted.code()));
            }
            sender.send_replace(true);
        }
        // Signals can't be listened to here: keep the channel open, so that nobody waits on a closed one.
        sender.closed().await;
    });
    receiver
}

/// Waits for a signal; false when there is no way to.
async fn signal() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return false;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        true
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
}

/// Waits until the run is to be stopped.
pub(super) async fn stopped(stop: &watch::Receiver<bool>) {
    let mut stop = stop.clone();
    // A closed channel means that nobody can stop it any more.
    if stop.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}
