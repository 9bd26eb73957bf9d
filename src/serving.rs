//! What the servers of this crate have in common: connections taken one by one, bounded in number and time, and
//! finished when the server stops. What is answered is their own business.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long requests that are under way have when a server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Takes connections, at most `most` at a time, and serves each until `shutdown` completes; those that are open then
/// are told, and have a few seconds to finish.
pub(crate) async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    most: usize,
    shutdown: impl Future<Output = ()> + Send,
    serve: impl Fn(TcpStream, watch::Receiver<bool>) -> F,
) {
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(most));
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (accepted, place) = accepted => match accepted {
                Ok((stream, _)) => {
                    let served = serve(stream, stopped.clone());
                    connections.spawn(async move {
                        let _place = place;
                        served.await;
                    });
                }
                Err(error) => {
                    // Such as too many open files: that passes, and trying again at once would only spin.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    // The receivers live as long as their connections; with none left there is nobody to tell.
    let _ = stop.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, finished).await.is_err() {
        connections.shutdown().await;
    }
}

/// Serves one connection of HTTP/1.1 until the client closes it or the server stops. A client that has not sent its
/// headers within `read_timeout` is cut off.
pub(crate) async fn connection<S>(
    stream: TcpStream,
    mut stopped: watch::Receiver<bool>,
    read_timeout: Duration,
    keep_alive: bool,
    service: S,
) where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read_timeout)
        .keep_alive(keep_alive)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Changes only once, when the server stops.
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
