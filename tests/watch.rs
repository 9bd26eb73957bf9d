//! `keywright watch` as a process: scraped, told of changes, told to stop.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use keywright::sandbox::Sandbox;
use keywright::sandbox::Server;
use serde_json::{Value, json};

/// Nothing in here takes longer; what does hangs.
const LIMIT: Duration = Duration::from_mins(1);

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets]
  targets: [{ name: dev, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [dev/] }
";

const SECRET: &str = "apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/db }
spec: { description: First, value: { text: C4N4RY } }
";

/// A watch under way.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    err: Receiver<String>,
    seen: Vec<Value>,
    talk: String,
}

impl Watch {
    fn start(root: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(["watch", "-v", "--jitter", "0%", "--project"])
            .arg(root)
            .args(args)
            .env_clear()
            .envs([("HOME", root.as_os_str()), ("AWS_ACCESS_KEY_ID", "111111111111".as_ref())])
            .envs([("AWS_SECRET_ACCESS_KEY", "not checked"), ("AWS_EC2_METADATA_DISABLED", "true")])
            .env("KEYWRIGHT_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("keywright starts");
        let lines = lines_of(child.stdout.take().expect("a pipe"));
        let err = lines_of(child.stderr.take().expect("a pipe"));
        Self { child, lines, err, seen: Vec::new(), talk: String::new() }
    }

    /// Reads on to the next event of this name.
    fn wait_for(&mut self, event: &str) -> Value {
        let until = Instant::now() + LIMIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("no {event} after {:#?}", self.seen) };
            let value: Value = serde_json::from_str(&line).expect("a line of JSON");
            self.seen.push(value.clone());
            if value["event"] == event {
                return value;
            }
        }
    }

    /// The address that it says it listens on.
    fn address(&mut self) -> SocketAddr {
        let until = Instant::now() + LIMIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.err.recv_timeout(left).expect("it says where it listens");
            self.talk.push_str(&format!("{line}\n"));
            if let Some(rest) = line.strip_prefix("keywright watch answers on http://") {
                return rest.split('/').next().and_then(|text| text.parse().ok()).expect("an address");
            }
        }
    }

    /// Sends SIGTERM, and returns the exit code and everything that was said.
    fn stop(mut self) -> (Option<i32>, String) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        self.wait_for("stopped");
        let code = self.child.wait().expect("it ends").code();
        self.talk.extend(self.err.iter().map(|line| format!("{line}\n")));
        self.talk.extend(self.seen.iter().map(|line| format!("{line}\n")));
        (code, self.talk)
    }
}

fn lines_of(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// One request, and the whole answer.
fn request(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    stream.write_all(format!("{head}\r\nHost: x\r\n\r\n").as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    answer
}

/// A webhook that takes what is posted. The first `busy` posts are answered with 503.
fn webhook(mut busy: usize) -> (SocketAddr, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).expect("a line") == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let status = if busy > 0 { "503 Busy" } else { "200 OK" };
            stream
                .write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
                .expect("it reads");
            if busy > 0 {
                busy -= 1;
            } else if sender.send((head, serde_json::from_slice(&body).expect("JSON"))).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

/// The sandbox over HTTP, until the process ends.
fn served(sandbox: &Sandbox) -> String {
    let (sender, receiver) = channel();
    let sandbox = sandbox.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let server = Server::bind(sandbox, ([127, 0, 0, 1], 0).into()).await.expect("a port");
            sender.send(server.local_addr()).expect("somebody waits");
            server.run(std::future::pending()).await;
        });
    });
    format!("http://{}", receiver.recv().expect("an address"))
}

fn describe(sandbox: &Sandbox, description: &str, token: &str) {
    let body =
        json!({ "SecretId": "dev/db", "Description": description, "ClientRequestToken": format!("{token:-<32}") });
    support::call(sandbox, "111111111111", "eu-west-1", "UpdateSecret", &body);
}

#[test]
fn a_change_is_told_once_and_can_be_scraped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets/db.yaml", SECRET)]);
    let root = folder.path().to_string_lossy().into_owned();
    let sandbox = support::sandbox();
    let applied = support::keywright(&sandbox, &["apply", "--yes", "--sandbox", "--project", &root], None);
    assert_eq!(applied.code.code(), 0, "{}", applied.err);

    let endpoint = served(&sandbox);
    let (hook, posts) = webhook(1);
    support::write_files(folder.path(), [("hook", format!("http://{hook}/services/T0K3N\n").as_str())]);
    let hook = folder.path().join("hook").to_string_lossy().into_owned();
    let more = ["--interval", "1s", "--listen", "127.0.0.1:0", "--webhook-file", &hook, "--endpoint-url", &endpoint];
    let mut watch = Watch::start(folder.path(), &more);
    let address = watch.address();

    watch.wait_for("round");
    watch.wait_for("round");
    assert!(request(address, "GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "));
    let metrics = request(address, "GET /metrics HTTP/1.1");
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    assert!(metrics.contains("keywright_drift{project=\"shop\",target=\"dev\",class=\"changed\"} 0\n"), "{metrics}");
    assert!(metrics.contains("keywright_rounds_total{project=\"shop\",result=\"complete\"}"), "{metrics}");
    let head = request(address, "HEAD /metrics HTTP/1.1");
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("keywright_drift"), "{head}");
    assert!(request(address, "POST /metrics HTTP/1.1\r\ncontent-length: 0").starts_with("HTTP/1.1 405 "));

    describe(&sandbox, "by hand", "first");
    let appeared = watch.wait_for("appeared");
    assert_eq!((&appeared["class"], &appeared["secret"]), (&json!("changed"), &json!("dev/db")));
    let (head, message) = posts.recv_timeout(LIMIT).expect("a post, though the first was answered 503");
    assert!(head.starts_with("POST /services/T0K3N HTTP/1.1"), "{head}");
    assert_eq!(message["text"], "keywright drift of shop: 1 new, 0 gone, 1 in all\n+ changed: dev dev/db description");
    assert_eq!(message["keywright"]["counts"], json!({ "changed": 1 }));
    watch.wait_for("round");
    watch.wait_for("round");
    assert!(request(address, "GET /metrics HTTP/1.1").contains("target=\"dev\",class=\"changed\"} 1\n"));
    assert!(posts.try_recv().is_err(), "what stays is told once");

    support::write_files(folder.path(), [("secrets/db.yaml", "kind: Nonsense\n")]);
    watch.wait_for("round-failed");
    assert!(request(address, "GET /metrics HTTP/1.1").contains("target=\"dev\",class=\"changed\"} 1\n"));
    support::write_files(folder.path(), [("secrets/db.yaml", SECRET)]);
    describe(&sandbox, "First", "second");
    watch.wait_for("disappeared");
    let (_, message) = posts.recv_timeout(LIMIT).expect("a post");
    assert_eq!(message["text"], "keywright drift of shop: 0 new, 1 gone, 0 in all\n- changed: dev dev/db description");

    let events = |watch: &Watch, name: &str| watch.seen.iter().filter(|event| event["event"] == name).count();
    assert_eq!((events(&watch, "appeared"), events(&watch, "disappeared")), (1, 1));
    let (code, said) = watch.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("T0K3N") && !said.contains("C4N4RY"), "{said}");
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_rounds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets/db.yaml", SECRET)]);
    let store = format!("--sandbox={}", folder.path().join("sandbox.redb").display());
    let mut watch =
        Watch::start(folder.path(), &["--interval", "0s", "--rounds", "1000", "--listen", "127.0.0.1:0", &store]);
    let resident = |watch: &Watch| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", watch.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    };
    let mut sizes = Vec::new();
    for round in 1..=990 {
        watch.wait_for("round");
        watch.seen.clear();
        if [300, 990].contains(&round) {
            sizes.push(resident(&watch));
        }
    }
    assert!(sizes[1] < sizes[0] + 4 * 1024, "kB after 300 and 990 rounds: {sizes:?}");
    watch.wait_for("stopped");
    assert_eq!(watch.child.wait().expect("it ends").code(), Some(2), "the exit code of the last round");
}
