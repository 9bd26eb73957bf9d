//! `keywright watch` as a process: scraped, told of changes, told to stop.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod alerts;
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

    /// Reads the next event, and gives its name.
    fn next_event(&mut self, until: Instant) -> String {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(line) = self.lines.recv_timeout(left) else { panic!("nothing more after {:#?}", self.seen) };
        let value: Value = serde_json::from_str(&line).expect("a line of JSON");
        let name = value["event"].as_str().expect("a name").to_owned();
        self.seen.push(value);
        name
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

/// One request under a host's name that is not ours, and the whole answer.
fn request(address: SocketAddr, head: &str) -> String {
    request_under("x", address, head)
}

fn request_under(host: &str, address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    stream.write_all(format!("{head}\r\nHost: {host}\r\n\r\n").as_bytes()).expect("it reads");
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

    assert!(
        request(address, "GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "),
        "alive before the first round ended"
    );
    watch.wait_for("round");
    watch.wait_for("round");
    let ready = request(address, "GET /readyz HTTP/1.1");
    assert!(ready.starts_with("HTTP/1.1 200 ") && ready.contains("dev: read "), "{ready}");
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
    watch.wait_for("round-failed");
    assert!(request(address, "GET /metrics HTTP/1.1").contains("keywright_manifests_valid{project=\"shop\"} 0\n"));
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

/// A project that is applied, and its sandbox over HTTP.
fn applied(project: &str, secrets: &str) -> (tempfile::TempDir, Sandbox, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", project), ("secrets/db.yaml", secrets)]);
    let root = folder.path().to_string_lossy().into_owned();
    let sandbox = support::sandbox();
    let applied = support::keywright(&sandbox, &["apply", "--yes", "--sandbox", "--project", &root], None);
    assert_eq!(applied.code.code(), 0, "{}", applied.err);
    let endpoint = served(&sandbox);
    (folder, sandbox, endpoint)
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().expect("kill runs");
    assert!(sent.success(), "{name}");
}

#[test]
fn the_page_has_what_is_there_with_what_differs_and_is_served_to_this_machine() {
    let waits = "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/waits }\nspec: { description: x }\n";
    let (folder, sandbox, endpoint) = applied(PROJECT, &format!("{SECRET}---\n{waits}"));
    let listen = ["--interval", "1s", "--listen", "127.0.0.1:0", "--endpoint-url", &endpoint];
    let mut watch =
        Watch::start(folder.path(), &[&listen[..], &["--page", "--audit", "--page-host", "kw.example"]].concat());
    let address = watch.address();
    watch.wait_for("round");
    watch.wait_for("round");
    let under = |host: &str, path: &str| request_under(host, address, &format!("GET {path} HTTP/1.1"));
    let page = under("localhost:1", "/");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("content-type: text/html"), "{page}");
    assert!(page.contains("dev/db") && page.contains("connect-src 'self'") && !page.contains("C4N4RY"));
    assert!(under("kw.example", "/inventory.json").starts_with("HTTP/1.1 200 "));
    assert!(under("evil.example", "/inventory.json").starts_with("HTTP/1.1 403 "));
    describe(&sandbox, "by hand", "first");
    watch.wait_for("appeared");
    watch.wait_for("round");
    // What a round found is posted when it has ended.
    watch.wait_for("round");
    let answer = under("localhost", "/inventory.json");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let document: Value = serde_json::from_str(body).expect("a document");
    let secret = &document["targets"][0]["secrets"][0];
    assert_eq!((&secret["name"], &secret["drifts"][0]["class"]), (&json!("dev/db"), &json!("changed")), "{document}");
    let waiting = &document["targets"][0]["secrets"][1];
    assert_eq!((&waiting["name"], &waiting["drifts"]), (&json!("dev/waits"), &Value::Null), "{document}");
    assert_eq!((&secret["policy"]["state"], &document["audited"]), (&json!("none"), &json!(true)), "{document}");
    assert_eq!(watch.stop().0, Some(0));

    let mut watch = Watch::start(folder.path(), &listen);
    let address = watch.address();
    watch.wait_for("round");
    let refused = request_under("localhost", address, "GET /inventory.json HTTP/1.1");
    assert!(refused.starts_with("HTTP/1.1 404 "), "without --page nobody is told names: {refused}");
    assert_eq!(watch.stop().0, Some(0));
    let mut watch = Watch::start(folder.path(), &["--page", "--listen", "0.0.0.0:0", "--endpoint-url", &endpoint]);
    assert_eq!(watch.child.wait().expect("it ends").code(), Some(64), "an address beyond loopback needs --page-host");
}

#[test]
fn what_was_told_survives_a_restart() {
    let (folder, sandbox, endpoint) = applied(PROJECT, SECRET);
    let state = folder.path().join("state.json").to_string_lossy().into_owned();
    let args = ["--interval", "1s", "--endpoint-url", &endpoint, "--state", &state];
    describe(&sandbox, "by hand", "first");
    let mut watch = Watch::start(folder.path(), &args);
    watch.wait_for("appeared");
    watch.wait_for("round");
    watch.wait_for("round");
    assert_eq!(watch.stop().0, Some(0));
    let held = std::fs::read_to_string(&state).expect("a state");
    assert!(held.contains("dev/db") && !held.contains("C4N4RY"), "{held}");

    let mut watch = Watch::start(folder.path(), &args);
    watch.wait_for("round");
    describe(&sandbox, "First", "second");
    watch.wait_for("disappeared");
    assert!(watch.seen.iter().all(|event| event["event"] != "appeared"), "{:#?}", watch.seen);
    assert_eq!(watch.stop().0, Some(0));

    std::fs::write(&state, "{\n  \"kind\": \"keywright watch state\",\n  \"formatVersion\": \"9\"").expect("a file");
    let mut watch = Watch::start(folder.path(), &args);
    let told = watch.wait_for("not-remembered");
    assert!(told["reasons"][0].as_str().is_some_and(|reason| reason.contains("begun anew")), "{told}");
    assert_eq!(watch.stop().0, Some(0));
    std::fs::write(&state, "somebody's notes").expect("a file");
    let mut watch = Watch::start(folder.path(), &args);
    assert_eq!(watch.child.wait().expect("it ends").code(), Some(64), "another kind of file is not written over");
    let of_other = held.replace(r#""project": ""#, r#""project": "other-"#);
    assert_ne!(of_other, held);
    std::fs::write(&state, &of_other).expect("a file");
    let mut watch = Watch::start(folder.path(), &args);
    assert_eq!(watch.child.wait().expect("it ends").code(), Some(64), "another project's watch may need it");
    assert_eq!(std::fs::read_to_string(&state).expect("a state"), of_other);
}

#[test]
fn a_watch_that_looks_at_less_keeps_what_is_known_of_the_rest() {
    let targets = "dev, account: \"111111111111\", region: eu-west-1 },
    { name: west, account: \"111111111111\", region: us-west-2 }]";
    let project = PROJECT.replace("dev, account: \"111111111111\", region: eu-west-1 }]", targets);
    let secrets = format!("{SECRET}---\n{}", SECRET.replace("dev/db", "dev/other"));
    let (folder, sandbox, endpoint) = applied(&project, &secrets);
    let state = folder.path().join("state.json").to_string_lossy().into_owned();
    let run = |narrow: &[&str]| {
        let args = ["--rounds", "1", "--interval", "1s", "--endpoint-url", &endpoint, "--state", &state];
        let mut watch = Watch::start(folder.path(), &[&args, narrow].concat());
        watch.wait_for("stopped");
        let told = |name: &str| watch.seen.iter().filter(|event| event["event"] == name).count();
        (told("appeared"), told("disappeared"))
    };
    describe(&sandbox, "by hand", "first");
    assert_eq!(run(&[]), (1, 0));
    let narrower: [&[&str]; 4] =
        [&["--target", "west"], &["--select", "dev/other"], &["--shard", "1/2"], &["--shard", "2/2"]];
    for narrow in narrower {
        assert_eq!(run(narrow), (0, 0), "{narrow:?}");
    }
    assert_eq!(run(&[]), (0, 0), "it was told before");
    describe(&sandbox, "First", "second");
    assert_eq!(run(&["--select", "dev/db"]), (0, 1));
}

#[test]
fn a_hang_up_makes_it_look_at_once_and_a_second_change_is_told() {
    let (folder, sandbox, endpoint) = applied(PROJECT, SECRET);
    describe(&sandbox, "by hand", "first");
    let mut watch = Watch::start(folder.path(), &["--interval", "1h", "--endpoint-url", &endpoint]);
    watch.wait_for("appeared");
    watch.wait_for("round");
    sandbox.advance(Duration::from_hours(1)).expect("a clock that moves");
    describe(&sandbox, "by hand again", "second");
    signal(watch.child.id(), "HUP");
    watch.wait_for("reloaded");
    let again = watch.wait_for("changed-again");
    assert_eq!((&again["class"], &again["secret"]), (&json!("changed"), &json!("dev/db")));
    assert_eq!(watch.wait_for("round")["full"], json!(true));
    assert_eq!(watch.stop().0, Some(0));
}

const TWO: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets]
  targets:
    - { name: dead, account: \"111111111111\", region: us-east-1, endpointUrl: \"http://127.0.0.1:9\" }
    - { name: dev, account: \"111111111111\", region: eu-west-1, endpointUrl: \"ENDPOINT\" }
  scope: { namePrefixes: [dev/] }
";

#[test]
fn a_dead_target_stops_no_other_and_is_left_alone_for_longer_and_longer() {
    let (folder, sandbox, endpoint) = applied(PROJECT, SECRET);
    support::write_files(folder.path(), [("keywright.yaml", TWO.replace("ENDPOINT", &endpoint).as_str())]);
    describe(&sandbox, "by hand", "first");
    let mut watch = Watch::start(folder.path(), &["--interval", "1s", "--apply", "--listen", "127.0.0.1:0"]);
    let address = watch.address();
    let applied = watch.wait_for("applied");
    assert_eq!((&applied["exitCode"], &applied["targets"][0]["name"]), (&json!(0), &json!("dev")));
    watch.wait_for("disappeared");
    let mut quick = 0;
    for _ in 0..4 {
        quick += u32::from(watch.wait_for("round")["seconds"].as_f64().is_some_and(|seconds| seconds < 0.5));
    }
    assert!(quick >= 2, "{:#?}", watch.seen);
    let ready = request(address, "GET /readyz HTTP/1.1");
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("dead: not read yet"), "{ready}");
    assert!(request(address, "GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "));
    let metrics = request(address, "GET /metrics HTTP/1.1");
    assert!(metrics.contains("keywright_target_up{project=\"shop\",target=\"dead\"} 0\n"), "{metrics}");

    // What would be removed waits: it may have moved to the target that nobody can read.
    support::write_files(folder.path(), [("secrets/db.yaml", "")]);
    let project = TWO.replace("ENDPOINT", &endpoint) + "  prune: delete\n";
    support::write_files(
        folder.path(),
        [("keywright.yaml", project.as_str()), ("secrets/x.yaml", &SECRET.replace("dev/db", "dev/x"))],
    );
    let waits = |event: &Value| event["reasons"].to_string().contains("waits until dead can be read");
    while !waits(&watch.wait_for("not-applied")) {}
    assert_eq!(watch.stop().0, Some(0));
    let calls = sandbox.calls();
    assert!(calls.iter().all(|call| call.operation != "DeleteSecret"));
}

#[test]
fn a_webhook_that_hangs_delays_neither_rounds_nor_metrics() {
    let (folder, sandbox, endpoint) = applied(PROJECT, SECRET);
    describe(&sandbox, "by hand", "first");
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hook = format!("http://{}/x", deaf.local_addr().expect("an address"));
    let more = ["--interval", "1s", "--listen", "127.0.0.1:0", "--webhook", &hook, "--endpoint-url", &endpoint];
    let mut watch = Watch::start(folder.path(), &more);
    let address = watch.address();
    let begun = Instant::now();
    for _ in 0..3 {
        watch.wait_for("round");
    }
    assert!(begun.elapsed() < Duration::from_secs(9), "one attempt alone takes ten seconds");
    assert!(request(address, "GET /metrics HTTP/1.1").contains("class=\"changed\"} 1\n"));
    assert_eq!(watch.stop().0, Some(0));
}

/// Whether the tests themselves run under `nohup`, which those that they start inherit.
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map_or("", str::trim);
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 1 == 1)
}

#[test]
fn an_apply_whose_terminal_is_closed_finishes_what_is_in_flight_and_writes_it_down() {
    let secrets: String =
        (0..40).map(|number| format!("---\n{}", SECRET.replace("dev/db", &format!("dev/{number}")))).collect();
    for name in ["HUP", "QUIT", "USR1", "TERM"] {
        let (folder, sandbox, endpoint) = applied(PROJECT, SECRET);
        support::write_files(folder.path(), [("secrets/db.yaml", secrets.as_str())]);
        sandbox.apply_fault_file("{\"profile\": {\"latency\": \"PT0.1S\"}}").expect("a fault file");
        let before = sandbox.calls().len();
        let journal = folder.path().join("journal.jsonl");
        let mut child = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args([
                "apply",
                "--yes",
                "--concurrency",
                "2",
                "--max-changes-percent",
                "100",
                "--allow-remove-all",
                "--journal",
            ])
            .arg(&journal)
            .args(["--endpoint-url", &endpoint, "--project"])
            .arg(folder.path())
            .env_clear()
            .envs([("HOME", folder.path().as_os_str()), ("AWS_ACCESS_KEY_ID", "111111111111".as_ref())])
            .envs([("AWS_SECRET_ACCESS_KEY", "not checked"), ("AWS_EC2_METADATA_DISABLED", "true")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("keywright starts");
        let until = Instant::now() + LIMIT;
        while sandbox.calls()[before..].iter().filter(|call| support::is_write(call)).count() < 6 {
            assert!(Instant::now() < until, "nothing is written");
            std::thread::sleep(Duration::from_millis(20));
        }
        signal(child.id(), name);
        let code = child.wait().expect("it ends").code();
        if name == "HUP" && hang_up_is_ignored() {
            assert_eq!(code, Some(0), "what nohup began goes on");
            continue;
        }
        assert_eq!(code, Some(130), "{name}");
        let sent = sandbox.calls()[before..].iter().filter(|call| support::is_write(call)).count();
        let lines = std::fs::read_to_string(&journal).expect("a journal");
        let told = lines.lines().filter(|line| line.contains("\"requestId\"")).count();
        assert_eq!(told, sent, "{name}: {lines}");
        assert!(sent < 80, "{name}: it went on to the end");
    }
}

/// What a watch has to tell Prometheus after some rounds.
fn scraped(folder: &Path, endpoint: &str, more: &[&str], rounds: usize) -> Vec<alerts::Series> {
    let args = ["--interval", "1s", "--listen", "127.0.0.1:0", "--endpoint-url", endpoint];
    let mut watch = Watch::start(folder, &[&args, more].concat());
    let address = watch.address();
    for _ in 0..rounds {
        let until = Instant::now() + LIMIT;
        while !["round", "round-failed"].contains(&watch.next_event(until).as_str()) {}
    }
    std::thread::sleep(Duration::from_millis(300));
    let metrics = request(address, "GET /metrics HTTP/1.1");
    assert_eq!(watch.stop().0, Some(0));
    alerts::series(&metrics)
}

#[test]
fn each_alert_fires_when_it_should_and_stays_silent_when_all_is_well() {
    let now = || jiff::Timestamp::now().as_duration().as_secs_f64();
    let rules = alerts::rules();
    let (folder, sandbox, endpoint) = applied(PROJECT, SECRET);
    let calm = scraped(folder.path(), &endpoint, &[], 2);
    let mut untold: std::collections::BTreeSet<&str> = rules.keys().map(String::as_str).collect();
    for (name, rule) in &rules {
        let firing = alerts::firing(rule, &calm, &calm, now());
        assert!(firing.is_empty(), "{name}: {firing:?}");
        let selector = rule.split(['{', '[', ' ']).find(|part| part.contains("keywright_")).unwrap_or_default();
        let metric = selector.trim_start_matches("increase(");
        assert!(calm.iter().any(|series| series.name == metric), "{name}: no series of {metric}");
    }
    let mut fires = |name: &'static str, before: &[alerts::Series], series: &[alerts::Series], time: f64| {
        let firing = alerts::firing(&rules[name], before, series, time);
        assert!(!firing.is_empty(), "{name} is silent: {series:#?}");
        untold.remove(name);
    };

    fires("KeywrightLookIsOld", &calm, &calm, now() + 3_700.0);
    fires("KeywrightFullLookIsOld", &calm, &calm, now() + 11_000.0);
    fires("KeywrightRunIsOld", &calm, &calm, now() + 90_000.0);

    describe(&sandbox, "by hand", "first");
    let drifted = scraped(folder.path(), &endpoint, &[], 1);
    fires("KeywrightDrift", &calm, &drifted, now());

    let error = json!({ "error": { "status": 400, "code": "InvalidRequestException", "message": "no" } });
    let deny = json!({ "rules": [{ "operation": "UpdateSecret", "kind": error }] });
    sandbox.apply_fault_file(deny.to_string()).expect("a fault file");
    let failed = scraped(folder.path(), &endpoint, &["--apply"], 1);
    fires("KeywrightApplyFails", &calm, &failed, now());
    sandbox.clear_faults();

    sandbox.apply_fault_file("{\"profile\": {\"seed\": 7, \"throttled\": 0.5}}").expect("a fault file");
    let throttled = scraped(folder.path(), &endpoint, &[], 2);
    let answers = throttled.iter().find(|series| series.name == "keywright_throttled_calls_total").map(|s| s.value);
    assert!(answers.is_some_and(|answers| answers > 0.0), "{answers:?}");
    let many = alerts::series("keywright_throttled_calls_total{project=\"shop\"} 101\n");
    fires("KeywrightThrottled", &calm, &many, now());
    sandbox.clear_faults();

    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let hook = format!("http://{gone}/x");
    let lost = scraped(folder.path(), &endpoint, &["--webhook", &hook], 1);
    assert!(lost.iter().any(|series| series.name == "keywright_lost_notifications_total"));
    let many = alerts::series("keywright_lost_notifications_total{project=\"shop\"} 4\n");
    fires("KeywrightNotificationsLost", &calm, &many, now());

    let dead = format!("http://{gone}");
    let down = scraped(folder.path(), &dead, &[], 1);
    fires("KeywrightTargetDown", &calm, &down, now());

    support::write_files(folder.path(), [("secrets/db.yaml", "kind: Nonsense\n")]);
    let broken = scraped(folder.path(), &endpoint, &[], 1);
    fires("KeywrightManifestsBroken", &calm, &broken, now());

    let pruning = format!("{PROJECT}  prune: delete\n  guards: {{ maxDeletes: 0 }}\n");
    let other = SECRET.replace("dev/db", "dev/other");
    let waits = "---\napiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/waits }\nspec:\n  rotation:\n    \
                 lambdaArn: \"arn:aws:lambda:eu-west-1:111111111111:function:rotate\"\n    everyDays: 30\n";
    let secrets = format!("{other}{waits}");
    support::write_files(folder.path(), [("keywright.yaml", pruning.as_str()), ("secrets/db.yaml", secrets.as_str())]);
    let refused = scraped(folder.path(), &endpoint, &[], 1);
    fires("KeywrightGuardRefuses", &calm, &refused, now());
    fires("KeywrightHeldBack", &calm, &refused, now());

    assert!(untold.is_empty(), "no test for {untold:?}");
}
