//! The sandbox on a TCP address, for the AWS CLI, boto3 and anything else that speaks HTTP.
//!
//! It is meant for loopback, and whoever binds it sees to that. Even there a web page that somebody has open could
//! send requests, so those that come from a browser (an `Origin` or `Sec-Fetch-Site` header) or under another host's
//! name (a name that was made to point at this machine) are refused.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::service::Sandbox;

/// The largest body: sixteen times the largest value.
const MAX_BODY: usize = 1024 * 1024;
/// A client that has not sent its headers or its body by then is cut off; so is a connection that is kept open for
/// nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections are served at a time; more wait.
const MAX_CONNECTIONS: usize = 512;
/// How long requests that are under way have when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// A sandbox that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    sandbox: Sandbox,
}

impl Server {
    /// Takes an address; port 0 takes any free port. That it is a loopback address is the caller's duty.
    pub async fn bind(sandbox: Sandbox, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, sandbox })
    }

    /// The address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes; requests that are under way then are finished.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (self.listener.accept().await, place)
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                (accepted, place) = accepted => match accepted {
                    Ok((stream, _)) => {
                        let served = serve(stream, self.sandbox.clone(), stopped.clone());
                        connections.spawn(async move {
                            let _place = place;
                            served.await;
                        });
                    }
                    Err(error) => {
                        // Such as too many open files: that passes, and trying again at once would only spin.
                        tracing::warn!(%error, "the sandbox could not accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(self.listener);
        // The receivers live as long as their connections; with none left there is nobody to tell.
        let _ = stop.send(true);
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            connections.shutdown().await;
        }
    }
}

/// Serves one connection until the client closes it or the server stops.
async fn serve(stream: TcpStream, sandbox: Sandbox, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let sandbox = sandbox.clone();
        async move { Ok::<_, Infallible>(answer(sandbox, request).await.map(Full::new)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
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
        tracing::debug!(%error, "a connection to the sandbox ended early");
    }
}

async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> Response<Bytes> {
    if let Some(refusal) = refuse_browsers(request.headers()) {
        return plain(StatusCode::FORBIDDEN, refusal);
    }
    if request.uri().path() == "/_keywright/health" {
        return if request.method() == Method::GET {
            plain(StatusCode::OK, "ok")
        } else {
            plain(StatusCode::METHOD_NOT_ALLOWED, "only GET")
        };
    }
    let (head, body) = request.into_parts();
    let body = match timeout(READ_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB");
        }
        Ok(Err(_)) => return plain(StatusCode::BAD_REQUEST, "the body could not be read"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    };
    let request = Request::from_parts(head, body);
    // The sandbox waits for the disk.
    match tokio::task::spawn_blocking(move || sandbox.respond(&request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a request to the sandbox was not finished");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the request was not finished")
        }
    }
}

/// Why a request is refused that a browser sent, or could have been made to send.
fn refuse_browsers(headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Some("requests from browsers are refused");
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() || !host.is_some_and(is_loopback) {
        return Some("the Host header must name a loopback address, such as 127.0.0.1 or localhost");
    }
    None
}

/// Whether a Host header, with a port or without, names this machine by a loopback name or address.
fn is_loopback(host: &str) -> bool {
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

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_served() {
        for good in ["127.0.0.1", "127.0.0.1:4566", "localhost", "LocalHost:80", "[::1]", "[::1]:4566", "127.1.2.3:1"] {
            assert!(is_loopback(good), "{good}");
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
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
