//! `/healthz`, `/readyz` and `/metrics` over HTTP, to be read and nothing else: GET and HEAD, no body, one request a
//! connection.
//!
//! There is nobody to log in and nothing to write. Names of targets, numbers by class and no secret's name are shown,
//! so whoever may reach the address may read them. No header lets a page of another site read the answer (CORS).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use tokio::net::TcpListener;

use super::board::{Age, Board};
use crate::render::escape;
use crate::serving;

/// A client that has not sent its headers by then is cut off.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that is still there by then is cut off, whatever it waits for.
const LONGEST: Duration = Duration::from_secs(15);
/// How many connections are open at a time. One more takes the place of the oldest that is not being answered.
const MAX_CONNECTIONS: usize = 32;
/// The media type of Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    board: Board,
}

impl Server {
    /// Takes an address; port 0 takes any free port.
    pub async fn bind(board: Board, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, board })
    }

    /// The address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes; requests that are under way then are finished.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self { listener, address: _, board } = self;
        serving::accept(listener, MAX_CONNECTIONS, shutdown, |stream, seat| {
            let board = board.clone();
            async move {
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let answer = answer(&board, request.method(), request.uri().path());
                    async move { Ok::<_, Infallible>(answer.map(Full::new)) }
                });
                let served = serving::connection(stream, seat, READ_TIMEOUT, false, service);
                // A connection that is cut off has nobody to be told.
                let _ = tokio::time::timeout(LONGEST, served).await;
            }
        })
        .await;
    }
}

fn answer(board: &Board, method: &Method, path: &str) -> Response<Bytes> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/healthz" if board.is_alive() => text(StatusCode::OK, "ok\n".into()),
        "/healthz" => text(StatusCode::SERVICE_UNAVAILABLE, "the rounds hang\n".into()),
        "/readyz" => ready(&board.ages()),
        "/metrics" => {
            let mut response = text(StatusCode::OK, board.metrics().into());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(METRICS_TYPE));
            response
        }
        _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n".into()),
    }
}

/// Ready is a watch that has read every target at least once; how long ago is told for each.
fn ready(ages: &BTreeMap<String, Age>) -> Response<Bytes> {
    let line = |(name, age): (&String, &Age)| match age {
        Some(age) => format!("{}: read {} s ago\n", escape::line(name), age.as_secs()),
        None => format!("{}: not read yet\n", escape::line(name)),
    };
    let ready = !ages.is_empty() && ages.values().all(Option::is_some);
    let lines: String = ages.iter().map(line).collect();
    let body = if ages.is_empty() { "no target was read yet\n".to_owned() } else { lines };
    text(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body.into())
}

fn text(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_reads_of_three_paths() {
        let board = Board::default();
        let status = |method: &Method, path: &str| answer(&board, method, path).status().as_u16();
        assert_eq!((status(&Method::GET, "/healthz"), status(&Method::GET, "/readyz")), (200, 503));
        board.looked([("eu", true), ("us", false)].into_iter());
        assert_eq!(status(&Method::GET, "/readyz"), 503, "one target was not read yet");
        board.looked([("eu", false), ("us", true)].into_iter());
        assert_eq!(status(&Method::HEAD, "/readyz"), 200);
        let ready = answer(&board, &Method::GET, "/readyz");
        assert_eq!(ready.body().as_ref(), b"eu: read 0 s ago\nus: read 0 s ago\n");
        board.post("keywright_drift 1\n".to_owned());
        assert_eq!(answer(&board, &Method::GET, "/metrics").body().as_ref(), b"keywright_drift 1\n");
        assert_eq!(status(&Method::GET, "/"), 404);
        assert_eq!(status(&Method::GET, "/metrics/"), 404);
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
            assert_eq!(status(&method, "/metrics"), 405, "{method}");
        }
        let answer = answer(&board, &Method::OPTIONS, "/metrics");
        assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}
