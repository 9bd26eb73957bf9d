//! `/healthz`, `/readyz` and `/metrics` over HTTP, to be read and nothing else: GET and HEAD, no body, one request a
//! connection. With a page, the inventory too, at `/` and `/inventory.json`.
//!
//! There is nobody to log in and nothing to write. Names of targets, numbers by class and no secret's name are shown,
//! so whoever may reach the address may read them. No header lets a page of another site read the answer (CORS). The
//! inventory names secrets, tags and policies: it is served under names of this machine, and those that were allowed,
//! so that no other site's name that was made to point here (DNS rebinding) can read it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use tokio::net::TcpListener;

use super::board::{Age, Board};
use crate::render::{escape, inventory};
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
    page: Option<Page>,
}

/// The page of the inventory.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The names of hosts under which it is served, beside those of this machine.
    pub hosts: Vec<String>,
}

impl Page {
    /// Why a request for it is refused, by its headers.
    fn refusal(&self, headers: &HeaderMap) -> Option<&'static str> {
        let fetched = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
        // A link on another site may lead here; what that site loads by itself may not.
        let follows_link = fetched("sec-fetch-mode", "navigate") && fetched("sec-fetch-dest", "document");
        if fetched("sec-fetch-site", "cross-site") && (headers.contains_key(ORIGIN) || !follows_link) {
            return Some("pages of other sites are refused\n");
        }
        let mut named = headers.get_all(HOST).iter();
        let host = named.next().and_then(|host| host.to_str().ok()).filter(|_| named.next().is_none());
        let is_allowed = |host: &str| {
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name) || allowed.eq_ignore_ascii_case(host))
        };
        let served = host.is_some_and(|host| serving::is_loopback_host(host) || is_allowed(host));
        (!served).then_some("the Host header must name this machine, or what --page-host allows\n")
    }
}

impl Server {
    /// Takes an address; port 0 takes any free port.
    pub async fn bind(board: Board, page: Option<Page>, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, board, page })
    }

    /// The address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes; requests that are under way then are finished.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self { listener, address: _, board, page } = self;
        serving::accept(listener, MAX_CONNECTIONS, shutdown, |stream, seat| {
            let (board, page) = (board.clone(), page.clone());
            async move {
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let (board, page) = (board.clone(), page.clone());
                    async move {
                        let head = request.into_parts().0;
                        // A page of 50,000 secrets takes its time.
                        let answered = tokio::task::spawn_blocking(move || answer(&board, page.as_ref(), &head)).await;
                        let failed =
                            |_| text(StatusCode::INTERNAL_SERVER_ERROR, "the request was not finished\n".into());
                        Ok::<_, Infallible>(answered.unwrap_or_else(failed).map(Full::new))
                    }
                });
                let served = serving::connection(stream, seat, READ_TIMEOUT, false, service);
                // A connection that is cut off has nobody to be told.
                let _ = tokio::time::timeout(LONGEST, served).await;
            }
        })
        .await;
    }
}

fn answer(board: &Board, page: Option<&Page>, head: &Parts) -> Response<Bytes> {
    let (method, path) = (&head.method, head.uri.path());
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
        "/" | "/inventory.json" if page.is_some() => page
            .and_then(|page| page.refusal(&head.headers))
            .map_or_else(|| of_inventory(board, path == "/"), |refusal| text(StatusCode::FORBIDDEN, refusal.into())),
        _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n".into()),
    }
}

/// The inventory of the last round, as a page or as the document that the page asks for again.
fn of_inventory(board: &Board, as_page: bool) -> Response<Bytes> {
    let Some(published) = board.inventory() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, "the first round is under way\n".into());
    };
    let document = || inventory::json::document(&published.inventory);
    // Whoever asks at the same time waits for the same text.
    let (body, media_type) = if as_page {
        let page = published.page.get_or_init(|| inventory::html(&document(), true).into_owned().into());
        (page, "text/html; charset=utf-8")
    } else {
        let line = published.document.get_or_init(|| escape::json_line(&document()).into_owned().into());
        (line, "application/json")
    };
    let mut response = text(StatusCode::OK, body.clone());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
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
#[expect(clippy::unwrap_used, reason = "the requests of these tests are well-formed")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inventory::tests::empty;

    fn request(method: &Method, path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_page_is_served_under_names_of_this_machine_and_those_that_are_allowed() {
        let board = Board::default();
        let page = Page { hosts: vec!["keywright.example.com".to_owned()] };
        let answer =
            |path: &str, headers: &[(&str, &str)]| answer(&board, Some(&page), &request(&Method::GET, path, headers));
        let status = |path: &str, host: &str| answer(path, &[("host", host)]).status().as_u16();
        assert_eq!(status("/", "localhost:9090"), 503, "there was no round yet");
        board.post_inventory(Arc::new(empty()));
        for host in ["localhost:9090", "127.0.0.1", "[::1]:80", "keywright.example.com", "Keywright.Example.com:443"] {
            assert_eq!((status("/", host), status("/inventory.json", host)), (200, 200), "{host}");
        }
        for host in ["evil.example.com", "keywright.example.com.evil.com", "", "10.0.0.1:9090"] {
            assert_eq!((status("/", host), status("/inventory.json", host)), (403, 403), "{host}");
        }
        assert_eq!(answer("/", &[]).status().as_u16(), 403);
        assert_eq!(answer("/", &[("host", "localhost"), ("host", "evil.com")]).status().as_u16(), 403);
        let other_site = [("host", "localhost"), ("origin", "https://evil.com"), ("sec-fetch-site", "cross-site")];
        assert_eq!(answer("/inventory.json", &other_site).status().as_u16(), 403);
        let image = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")];
        assert_eq!(answer("/", &image).status().as_u16(), 403);
        let link = [
            ("host", "localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(answer("/", &link).status().as_u16(), 200);
        let served = answer("/", &[("host", "localhost")]);
        let text = String::from_utf8_lossy(served.body());
        assert!(text.contains("connect-src 'self'") && text.starts_with("<!DOCTYPE html>"));
        assert_eq!(served.headers()["x-frame-options"], "DENY");
        let document: serde_json::Value =
            serde_json::from_slice(answer("/inventory.json", &[("host", "localhost")]).body()).unwrap();
        assert_eq!(document["project"], "payments");
        // Metrics are for whoever reaches the address, under any name.
        assert_eq!(status("/metrics", "evil.example.com"), 200);
    }

    #[test]
    fn it_answers_reads_of_three_paths() {
        let board = Board::default();
        let answer = |method: &Method, path: &str| answer(&board, None, &request(method, path, &[]));
        let status = |method: &Method, path: &str| answer(method, path).status().as_u16();
        assert_eq!((status(&Method::GET, "/healthz"), status(&Method::GET, "/readyz")), (200, 503));
        board.looked([("eu", true), ("us", false)].into_iter());
        assert_eq!(status(&Method::GET, "/readyz"), 503, "one target was not read yet");
        board.looked([("eu", false), ("us", true)].into_iter());
        assert_eq!(status(&Method::HEAD, "/readyz"), 200);
        let ready = answer(&Method::GET, "/readyz");
        assert_eq!(ready.body().as_ref(), b"eu: read 0 s ago\nus: read 0 s ago\n");
        board.post("keywright_drift 1\n".to_owned());
        assert_eq!(answer(&Method::GET, "/metrics").body().as_ref(), b"keywright_drift 1\n");
        assert_eq!(status(&Method::GET, "/"), 404);
        assert_eq!(status(&Method::GET, "/metrics/"), 404);
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
            assert_eq!(status(&method, "/metrics"), 405, "{method}");
        }
        let answer = answer(&Method::OPTIONS, "/metrics");
        assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}
