//! The sandbox on a TCP address, for the AWS CLI, boto3 and anything else that speaks HTTP.
//!
//! It is meant for loopback, and goes beyond it only by `bind_beyond_loopback`. Even there a web page that somebody has
//! open could send requests, so those that come from a browser (an `Origin` or `Sec-Fetch-Site` header) or under
//! another host's name (a name that was made to point at this machine) are refused.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::control::{self, text};
use super::dispatch::Dropped;
use super::sandbox::Sandbox;
use crate::wire::Peer;
use keywright_ground::serving::{self, Seat, is_loopback_host};

/// The largest body: sixteen times the largest value.
const MAX_BODY: usize = 1024 * 1024;
/// The largest body on the control path: the fixtures of many secrets.
const MAX_CONTROL_BODY: usize = 256 * 1024 * 1024;
/// A client that has not sent its headers or its body by then is cut off; so is a connection that is kept open for
/// nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections are open at a time. One more takes the place of the oldest that is not being answered.
const MAX_CONNECTIONS: usize = 512;

/// A sandbox that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    endpoint: Endpoint,
}

/// What a connection reaches, and under which names of hosts.
#[derive(Clone)]
struct Endpoint {
    sandbox: Sandbox,
    /// Whether the Host header must name a loopback address.
    loopback_only: bool,
}

impl Server {
    /// Takes a loopback address; port 0 takes any free port. Any other address is refused (`InvalidInput`).
    pub async fn bind(sandbox: Sandbox, address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let text = "the sandbox listens on loopback addresses only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Self::listen(Endpoint { sandbox, loopback_only: true }, address).await
    }

    /// Takes any address, for a container or a network of one's own: whoever reaches it may do everything, the control
    /// path included. Requests may come under any host's name; those of browsers are still refused.
    pub async fn bind_beyond_loopback(sandbox: Sandbox, address: SocketAddr) -> io::Result<Self> {
        Self::listen(Endpoint { sandbox, loopback_only: false }, address).await
    }

    async fn listen(endpoint: Endpoint, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, endpoint })
    }

    /// The address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes; requests that are under way then are finished.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self { listener, address: _, endpoint } = self;
        serving::accept(listener, MAX_CONNECTIONS, shutdown, |stream, seat| serve(stream, endpoint.clone(), seat))
            .await;
    }
}

/// Serves one connection until the client closes it or the server stops.
async fn serve(stream: TcpStream, endpoint: Endpoint, seat: Seat) {
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let endpoint = endpoint.clone();
        // An error closes the connection without an answer.
        async move { Ok::<_, Dropped>(answer(endpoint, request).await?.map(Full::new)) }
    });
    serving::connection(stream, seat, READ_TIMEOUT, true, service).await;
}

async fn answer(endpoint: Endpoint, request: Request<Incoming>) -> Result<Response<Bytes>, Dropped> {
    let Endpoint { sandbox, loopback_only } = endpoint;
    if let Some(refusal) = refuse_browsers(request.headers(), loopback_only) {
        return Ok(text(StatusCode::FORBIDDEN, refusal));
    }
    let is_control = request.uri().path().starts_with(control::PREFIX);
    let (head, body) = request.into_parts();
    let limit = if is_control { MAX_CONTROL_BODY } else { MAX_BODY };
    let body = match timeout(READ_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
        }
        Ok(Err(_)) => return Ok(text(StatusCode::BAD_REQUEST, "the body could not be read")),
        Err(_) => return Ok(text(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    };
    // The sandbox waits for the disk, and sleeps where a fault makes it slow.
    let answered = tokio::task::spawn_blocking(move || {
        if is_control {
            return Ok(control::answer(&sandbox, &head.method, head.uri.path(), &body));
        }
        sandbox.answer(&Request::from_parts(head, body))
    });
    answered.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request to the sandbox was not finished");
        Ok(text(StatusCode::INTERNAL_SERVER_ERROR, "the request was not finished"))
    })
}

/// Why a request is refused that a browser sent, or could have been made to send.
fn refuse_browsers(headers: &HeaderMap, loopback_only: bool) -> Option<&'static str> {
    if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Some("requests from browsers are refused");
    }
    if !loopback_only {
        return None;
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() || !host.is_some_and(is_loopback_host) {
        return Some("the Host header must name a loopback address, such as 127.0.0.1 or localhost");
    }
    None
}
