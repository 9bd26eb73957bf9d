//! The served sandbox: over HTTP everybody goes by its clock, as they do in the same process.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets: [{ name: dev, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [dev/] }
";

const SECRET: &str = "apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/late }
spec:
  value: { text: first }
  policy: null
  rotation: { lambdaArn: \"arn:aws:lambda:eu-west-1:111111111111:function:rotate\", everyDays: 7 }
";

/// `keywright sandbox serve`, until it is dropped.
struct Served(Child, String);

impl Served {
    fn start() -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(["sandbox", "serve", "--memory", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut ready = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut ready).expect("a ready line");
        let address = ready.trim().rsplit_once("http://").expect("an address").1.to_owned();
        Self(server, address)
    }

    /// Sends an order to the control path.
    fn order(&self, path: &str, body: &str) {
        let mut stream = TcpStream::connect(&self.1).expect("it listens");
        let head = format!("POST /_keywright/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close");
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Runs keywright against it: its exit code, and what it printed.
    fn run(&self, project: &Path, args: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(args)
            .args(["--endpoint-url", &format!("http://{}", self.1)])
            .current_dir(project)
            .env_clear()
            .env("HOME", project)
            .envs([("AWS_ACCESS_KEY_ID", "111111111111"), ("AWS_SECRET_ACCESS_KEY", "x")])
            .stdin(Stdio::null())
            .output()
            .expect("keywright runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A clock that was moved ten days on makes a rotation overdue, and a policy old enough for the cache.
#[test]
fn a_moved_clock_is_the_clock_of_those_who_ask() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets.yaml", SECRET)]);
    let served = Served::start();
    let run = |args: &[&str]| served.run(folder.path(), args);
    for args in [&["apply", "--yes"][..], &["rotate", "dev/late", "--yes", "--wait"]] {
        let (code, printed) = run(args);
        assert_eq!(code, Some(0), "{printed}");
    }
    let cached = || std::fs::read_to_string(folder.path().join("cache.json")).expect("a cache");
    let (code, printed) = run(&["drift", "--cache", "cache.json"]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(!cached().contains("dev/late"), "it was changed just now: {}", cached());

    served.order("faults", r#"{"rotations": [{"of": {"secret": "dev/late"}, "outcome": "notInvocable"}]}"#);
    served.order("clock", r#"{"advance": "PT242H"}"#);
    let (code, printed) = run(&["drift", "--cache", "cache.json"]);
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("should have been rotated by"), "{printed}");
    assert!(cached().contains("dev/late"), "it was changed long ago: {}", cached());
}

#[test]
fn an_inventory_counts_days_by_its_clock() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("late.yaml", SECRET)]);
    let served = Served::start();
    assert_eq!(served.run(folder.path(), &["apply", "--yes"]).0, Some(0));
    served.order("clock", r#"{ "advance": "PT4801H" }"#);
    let (code, text) = served.run(folder.path(), &["inventory"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("never read since it was made, 200 days ago"), "{text}");
}
