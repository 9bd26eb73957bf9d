//! What the servers of this crate have in common: connections taken one by one, bounded in number and time, and
//! finished when the server stops. What is answered is their own business.

use std::collections::VecDeque;
use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

/// How long requests that are under way have when a server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How often a server that answers as many requests as it may looks for room.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a connection knows of the server that it belongs to.
#[derive(Clone)]
pub struct Seat {
    stopped: watch::Receiver<bool>,
    /// Requests that are being answered.
    answering: Arc<AtomicUsize>,
}

impl Seat {
    fn is_idle(&self) -> bool {
        self.answering.load(Ordering::Acquire) == 0
    }

    /// Marks the connection as busy until the guard is dropped.
    fn answer(&self) -> Answering {
        self.answering.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(&self.answering))
    }
}

/// A request that is being answered.
struct Answering(Arc<AtomicUsize>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The open connections, oldest first.
struct Open {
    most: usize,
    connections: VecDeque<(AbortHandle, Seat)>,
}

impl Open {
    /// Makes room for one more, if need be by cutting off the oldest that is not being answered: clients that hold
    /// connections and send nothing must not keep others out. False when all are being answered.
    fn make_room(&mut self) -> bool {
        if self.connections.len() < self.most {
            return true;
        }
        self.connections.retain(|(task, _)| !task.is_finished());
        if self.connections.len() < self.most {
            return true;
        }
        let idle = self.connections.iter().position(|(_, seat)| seat.is_idle());
        let Some((task, _)) = idle.and_then(|at| self.connections.remove(at)) else { return false };
        task.abort();
        true
    }
}

/// Takes connections, at most `most` at a time, and serves each until `shutdown` completes; those that are open then
/// are told, and have a few seconds to finish.
pub async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    most: usize,
    shutdown: impl Future<Output = ()> + Send,
    serve: impl Fn(TcpStream, Seat) -> F,
) {
    let (stop, stopped) = watch::channel(false);
    let mut open = Open { most, connections: VecDeque::new() };
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let room = open.make_room();
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            // One that finishes an answer goes on with the next request, and is no event here: look again soon.
            () = tokio::time::sleep(LOOK_AGAIN), if !room => {}
            accepted = listener.accept(), if room => match accepted {
                Ok((stream, _)) => {
                    let seat = Seat { stopped: stopped.clone(), answering: Arc::default() };
                    let task = connections.spawn(serve(stream, seat.clone()));
                    open.connections.push_back((task, seat));
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
pub async fn connection<S>(stream: TcpStream, seat: Seat, read_timeout: Duration, keep_alive: bool, service: S)
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut stopped = seat.stopped.clone();
    let service = service_fn(|request| {
        let (answering, answer) = (seat.answer(), service.call(request));
        async move {
            let _answering = answering;
            answer.await
        }
    });
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

/// Whether a Host header, with a port or without, names this machine by a loopback name or address.
pub fn is_loopback_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, rest)) => (name, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("0"))),
            None => return false,
        },
        None => host.split_once(':').map_or((host, Some("0")), |(name, port)| (name, Some(port))),
    };
    let is_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    let is_ours =
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_port && is_ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_served() {
        for good in ["127.0.0.1", "127.0.0.1:4566", "localhost", "LocalHost:80", "[::1]", "[::1]:4566", "127.1.2.3:1"] {
            assert!(is_loopback_host(good), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "127.0.0.1.example.com",
            "localhost:",
            "localhost:x",
            "[::1",
            "[::1]x",
            "10.0.0.1:80",
            "::1",
            "localhost.evil:80",
        ] {
            assert!(!is_loopback_host(bad), "{bad}");
        }
    }
}
