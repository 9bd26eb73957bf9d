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

fn control(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let request = format!(
        "{method} /_keywright/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    let answer = exchange(address, &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_path_does_what_tests_need() {
    let client = Client::new();
    let running = serve(&client).await;
    let tell = |method: &str, path: &str, body: &str| control(running.address, method, path, body);
    assert_eq!(tell("POST", "seed", "- { name: a, region: eu-west-1, value: x }"), (200, json!({"made": 1})));
    assert_eq!(client.value("a"), "x");
    let (status, problem) = tell("POST", "seed", "- { nam: a }");
    assert_eq!(status, 400);
    assert!(text(&problem["error"]).contains("line 1"), "{problem}");
    assert_eq!(
        tell("GET", "calls", "").1,
        json!({"calls": [{
            "operation": "GetSecretValue", "account": DEFAULT_ACCOUNT, "region": REGION, "outcome": "ok", "secret": "a"
        }]})
    );
    assert_eq!(tell("DELETE", "calls", ""), (200, json!({})));
    assert_eq!(tell("GET", "calls", "").1, json!({"calls": []}));
    assert_eq!(tell("POST", "clock", r#"{"advance": "PT240H"}"#), (200, json!({"now": "2026-03-14T07:45:00.25Z"})));
    assert_eq!(tell("POST", "clock", r#"{"advance": 90}"#), (200, json!({"now": "2026-03-14T07:46:30.25Z"})));
    for bad in ["", "{}", r#"{"advance": -1}"#, r#"{"advance": "soon"}"#, r#"{"advance": "-PT1H"}"#, r#"{"to": 1}"#] {
        assert_eq!(tell("POST", "clock", bad).0, 400, "{bad}");
    }
    let faults = json!({
        "rules": [
            {"operation": "DescribeSecret", "secret": "a", "times": 1, "kind": "accessDenied"},
            {"operation": "DescribeSecret", "times": 1, "kind": {"error": {
                "status": 400, "code": "ThrottlingException", "message": "Rate exceeded"
            }}},
            {"operation": "TagResource", "kind": {"slow": {"by": "PT0.01S"}}},
            {"operation": "UntagResource", "kind": {"dropped": {"carriedOut": true}}},
        ],
        "rotations": [{"of": {"secret": "a"}, "outcome": {"failAt": "test"}}, {"of": "any", "outcome": "notInvocable"}],
        "profile": {"seed": 3, "latency": 0.001, "listLag": "PT1M"}
    });
    assert_eq!(tell("POST", "faults", &faults.to_string()), (200, json!({})));
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})).code, "AccessDeniedException");
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})).code, "ThrottlingException");
    let profile = client.sandbox.fault_profile();
    assert_eq!((profile.rng_seed, profile.list_lag), (3, Duration::from_mins(1)));
    for bad in ["[]", r#"{"rules": [{"kind": "nonsense"}]}"#, r#"{"profile": {"rain": 1}}"#] {
        assert_eq!(tell("POST", "faults", bad).0, 400, "{bad}");
    }
    let untag = client.request("UntagResource", json!({"SecretId": "a", "TagKeys": ["k"]}).to_string());
    assert_eq!(exchange(running.address, &raw(&untag, "")), "", "the connection is closed without an answer");
    assert_eq!(tell("DELETE", "faults", "").0, 200);
    assert!(exchange(running.address, &raw(&untag, "")).starts_with("HTTP/1.1 200 "));
    assert_eq!(tell("POST", "reset", "").0, 200);
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    assert_eq!(tell("GET", "reset", "").0, 405);
    assert_eq!(tell("GET", "nonsense", "").0, 404);
    let nothing = json!({"Statement": []}).to_string();
    assert_eq!(tell("POST", "policy", &nothing).0, 200);
    assert_eq!(client.refused("ListSecrets", json!({})).code, "AccessDeniedException");
    assert_eq!(tell("POST", "policy", "{}").0, 400, "and the one before stays");
    assert_eq!(client.refused("ListSecrets", json!({})).code, "AccessDeniedException");
    assert_eq!(tell("DELETE", "policy", "").0, 200);
    client.ok("ListSecrets", json!({}));
    let from_a_page = "POST /_keywright/reset HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: http://localhost\r\n\
                       content-length: 0\r\nconnection: close\r\n\r\n";
    assert!(exchange(running.address, from_a_page).starts_with("HTTP/1.1 403 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_loopback_it_listens_only_when_told() {
    let client = Client::new();
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Server::bind(client.sandbox.clone(), anywhere).await.err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    let server = Server::bind_beyond_loopback(client.sandbox.clone(), anywhere).await.unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], server.local_addr().port()));
    let (_stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(server.run(async move { drop(stopped.await) }));
    let mut request = client.request("ListSecrets", "{}");
    request.headers_mut().insert("host", "sandbox:4566".parse().unwrap());
    assert!(exchange(address, &raw(&request, "")).starts_with("HTTP/1.1 200 "));
    assert!(exchange(address, &raw(&request, "origin: http://sandbox\r\n")).starts_with("HTTP/1.1 403 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_comes_over_a_connection_the_server_goes_on() {
    let client = Client::new();
    let running = serve(&client).await;
    let good = raw(&client.request("ListSecrets", "{}"), "");
    let mut streams: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\0\x01\x02\xff".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 99999999999999999999\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: {}\r\n\r\n", "x".repeat(1_000_000)).into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n{}\r\n", "a: b\r\n".repeat(10_000)).into_bytes(),
    ];
    // A request that ends anywhere.
    streams.extend((0..good.len()).step_by(17).map(|end| good.as_bytes()[..end].to_vec()));
    for bytes in streams {
        let mut stream = TcpStream::connect(running.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // The server may close before everything is sent.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        let hung = ended
            .is_err_and(|error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
        assert!(!hung, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
    }
    assert!(exchange(running.address, &good).starts_with("HTTP/1.1 200 "));
}
