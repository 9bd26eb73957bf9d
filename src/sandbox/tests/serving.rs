//! The server, over real connections. The client's side blocks, which the thread of a test may: the server runs on
//! others.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::Server;
use super::*;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn serve(client: &Client) -> Running {
    let server = Server::bind(client.sandbox.clone(), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(server.run(async move { drop(stopped.await) }));
    Running { address, stop, server }
}

/// Sends text over a new connection and reads until the server closes it.
fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn raw(request: &Request<Bytes>, headers: &str) -> String {
    let line =
        |(name, value): (&http::HeaderName, &http::HeaderValue)| format!("{name}: {}\r\n", value.to_str().unwrap());
    let own: String = request.headers().iter().map(line).collect();
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let length = body.len();
    format!("POST / HTTP/1.1\r\n{own}{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_and_stops() {
    let client = Client::new();
    let running = serve(&client).await;
    let created = exchange(
        running.address,
        &raw(&client.request("CreateSecret", json!({"Name": "a", "ClientRequestToken": token(1)}).to_string()), ""),
    );
    assert!(created.starts_with("HTTP/1.1 200 OK\r\n"), "{created}");
    client.describe("a");
    let health =
        exchange(running.address, "GET /_keywright/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n") && health.ends_with("\r\n\r\nok"), "{health}");
    // A connection that is kept open for nothing does not hold the server up.
    let _idle = TcpStream::connect(running.address).unwrap();
    running.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), running.server).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_browser_could_send_is_refused() {
    let client = Client::new();
    let running = serve(&client).await;
    let good = client.request("ListSecrets", "{}");
    for headers in
        ["origin: http://localhost\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n", "host: evil.example\r\n"]
    {
        let answer = exchange(running.address, &raw(&good, headers));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{headers} {answer}");
    }
    let mut rebound = good.clone();
    rebound.headers_mut().insert("host", "evil.example:4566".parse().unwrap());
    assert!(exchange(running.address, &raw(&rebound, "")).starts_with("HTTP/1.1 403 "));
    assert!(exchange(running.address, &raw(&good, "")).starts_with("HTTP/1.1 200 "));
    assert_eq!(client.sandbox.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_bounded() {
    let client = Client::new();
    let running = serve(&client).await;
    let large = client.request("ListSecrets", " ".repeat(1024 * 1024 + 1));
    let mut stream = TcpStream::connect(running.address).unwrap();
    // The server may close before everything is sent.
    let _ = stream.write_all(raw(&large, "").as_bytes());
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    let largest = format!("{{}}{}", " ".repeat(1024 * 1024 - 2));
    assert!(exchange(running.address, &raw(&client.request("ListSecrets", largest), "")).starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_serves_many_requests() {
    let client = Client::new();
    let running = serve(&client).await;
    let mut stream = TcpStream::connect(running.address).unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /_keywright/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok") {
            let mut piece = [0; 512];
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "the connection was closed");
            answer.extend_from_slice(&piece[..count]);
        }
    }
}
