//! Being stopped: a run looks at it, a front end decides what stops it.

use std::future::Future;

use tokio::sync::watch;

use super::error::{Error, ErrorKind};

/// Turns true when the run is to be stopped.
pub type Stop = watch::Receiver<bool>;

/// Waits until the run is to be stopped.
pub async fn stopped(stop: &Stop) {
    let mut stop = stop.clone();
    // A closed channel means that nobody can stop it any more.
    if stop.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Does work that may be left off at any point, since it writes nothing.
pub async fn unless_stopped<T>(stop: &Stop, work: impl Future<Output = T>) -> Result<T, Error> {
    tokio::select! {
        done = work => Ok(done),
        () = stopped(stop) => Err(ErrorKind::Interrupted { what: None }.into()),
    }
}
