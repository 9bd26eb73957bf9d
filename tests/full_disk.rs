//! A disk that is full, and a file that must not grow: what was there stays whole, nothing is left under another name,
//! and the error says why.
//!
//! The limit on the size of files (RLIMIT_FSIZE) works for everybody. The tiny file system needs a mount namespace,
//! which root has, and others where the system lets them; where it cannot be made, the test says so and only the first
//! ran.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]
#![expect(clippy::print_stdout, reason = "a test that cannot run here is not passed over in silence")]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets: [{ name: dev, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [dev/] }
";

/// Secrets with descriptions and policies that take some room wherever they are written.
fn secrets(count: usize) -> String {
    let secret = |number: usize| {
        format!(
            "---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: dev/s{number} }}\nspec:\n  \
             description: {}\n  policy: {{ Version: \"2012-10-17\", Statement: [{{ Sid: {}, Effect: Allow, Principal: \
             {{ AWS: \"111111111111\" }}, Action: \"secretsmanager:GetSecretValue\", Resource: \"*\" }}] }}\n",
            "d".repeat(1000),
            "S".repeat(1000)
        )
    };
    (0..count).map(secret).collect()
}

/// What keeps files from growing.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// No file may become longer than some hundred bytes more than nothing.
    FileSize,
    /// The file system has not a page left.
    Disk,
}

/// No file may grow: SIGXFSZ is ignored, so that writing is an error and not the end.
const FILE_SIZE: &str = "trap '' XFSZ; cd \"$1\" || exit 99; shift; ulimit -f 1; exec \"$@\"";

/// Mounts a tiny file system over the folder, copies into it what was there, fills it up, and copies back what is there
/// after the command.
const DISK: &str = "
    folder=$1; shift; out=$(mktemp -d) || exit 99
    cp -a \"$folder/.\" \"$out\" && mount -t tmpfs -o size=8m none \"$folder\" || exit 99
    cp -a \"$out/.\" \"$folder\" || exit 99
    cd \"$folder\" || exit 99
    cat /dev/zero > filler 2> \"$out.log\"
    \"$@\"; status=$?
    rm filler; cd /; rm -r \"$out\"; mkdir \"$out\"; cp -a \"$folder/.\" \"$out\"; umount \"$folder\"
    rm -rf \"$folder\"/..?* \"$folder\"/.[!.]* \"$folder\"/*; cp -a \"$out/.\" \"$folder\"; rm -r \"$out\" \"$out.log\"
    exit $status";

/// How a mount namespace is made here; none where that is not allowed.
fn namespace() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--map-root-user", "--mount"]];
    ways.into_iter().find(|way| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["mount", "-t", "tmpfs", "none"]).arg(folder.path());
        command.output().is_ok_and(|output| output.status.success())
    })
}

/// The embedded sandbox as a process of its own, which no limit touches.
struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(["sandbox", "serve", "--memory", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut ready).expect("a ready line");
        let endpoint =
            ready.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned();
        Self { child, endpoint }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder whose files cannot grow, and a project beside it.
struct Stage {
    server: Server,
    project: tempfile::TempDir,
    small: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder");
        let stage = Self { server: Server::start(), project: folder(), small: folder() };
        stage.declare(2);
        stage
    }

    fn declare(&self, count: usize) {
        let secrets = secrets(count);
        support::write_files(self.project.path(), [("keywright.yaml", PROJECT), ("secrets.yaml", &secrets)]);
    }

    /// Runs keywright in the folder, under a limit or under none.
    fn run(&self, limit: Option<Limit>, args: &str) -> Output {
        let keywright = env!("CARGO_BIN_EXE_keywright");
        let mut command = match limit {
            None => Command::new(keywright),
            Some(limit) => {
                let (way, script) = match limit {
                    Limit::FileSize => (&[][..], FILE_SIZE),
                    Limit::Disk => (namespace().expect("it was there a moment ago"), DISK),
                };
                let words: Vec<&str> = way.iter().copied().chain(["sh", "-c", script, "sh"]).collect();
                let mut command = Command::new(words[0]);
                command.args(&words[1..]).arg(self.small.path()).arg(keywright);
                command
            }
        };
        command.args(args.split_whitespace()).arg("--project").arg(self.project.path());
        if !args.contains("--sandbox") {
            command.args(["--endpoint-url", &self.server.endpoint]);
        }
        command.current_dir(self.small.path()).env("AWS_ACCESS_KEY_ID", "111111111111");
        command.env("AWS_SECRET_ACCESS_KEY", "x").output().expect("it runs")
    }

    /// The same with an end that is good.
    fn done(&self, args: &str) -> Output {
        let output = self.run(None, args);
        // A drift that finds something ends well too.
        let well = if args.starts_with("drift") { &[0, 2][..] } else { &[0] };
        assert!(output.status.code().is_some_and(|code| well.contains(&code)), "{args}: {}", shown(&output));
        output
    }

    /// Everything in the folder, byte for byte.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.small.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    files.insert(path.clone(), std::fs::read(path).expect("a file"));
                }
            }
        }
        files
    }
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The limits that can be had here.
fn limits() -> Vec<Limit> {
    if namespace().is_some() {
        return vec![Limit::FileSize, Limit::Disk];
    }
    println!("NOT RUN with a full file system: this system lets nobody but root mount one");
    vec![Limit::FileSize]
}

/// The error names the file and the reason.
fn says_why(limit: Limit, output: &Output, file: &str) {
    let why = match limit {
        Limit::FileSize => "File too large",
        Limit::Disk => "No space left on device",
    };
    let printed = shown(output);
    assert!(printed.contains(why) && printed.contains(file), "{limit:?}: {printed}");
    assert!(!printed.contains("panicked"), "{limit:?}: {printed}");
}

/// A cache of what was read a moment ago, which every run writes back.
fn cache() -> String {
    let now = jiff::Timestamp::now();
    let entry = |number: usize| {
        let arn = format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:dev/other{number}-AbCdEf");
        format!(r#""{arn}":{{"lastChanged":"2026-01-01T00:00:00Z","readAt":"{now}","policy":null}}"#)
    };
    let entries: Vec<String> = (0..40).map(entry).collect();
    format!(r#"{{"kind":"keywright policy cache","formatVersion":1,"policies":{{{}}}}}"#, entries.join(","))
}

#[test]
fn files_that_are_replaced_stay_whole() {
    for limit in limits() {
        let stage = Stage::new();
        let writing = [
            ("approved.json", "plan --out approved.json"),
            ("drift.html", "drift --also html=drift.html"),
            ("drift.prom", "drift --also prometheus=drift.prom"),
        ];
        for (_, args) in writing {
            stage.done(args);
        }
        stage.done("apply --yes");
        support::write_files(stage.small.path(), [("cache.json", cache().as_str())]);
        let before = stage.files();
        assert_eq!(before.len(), 4, "{:?}", before.keys());
        // Another plan, and other reports.
        stage.declare(6);
        for (file, args) in writing {
            let output = stage.run(Some(limit), args);
            assert!(!output.status.success(), "{limit:?} {args}: {}", shown(&output));
            says_why(limit, &output, file);
            assert_eq!(stage.files(), before, "{limit:?} {args}");
        }
        // A cache that cannot be written costs calls and ends nothing: it warns.
        says_why(limit, &stage.run(Some(limit), "drift --cache cache.json"), "cache.json");
        assert_eq!(stage.files(), before, "{limit:?} cache");
    }
}

#[test]
fn new_files_leave_nothing_behind() {
    for limit in limits() {
        let stage = Stage::new();
        stage.done("apply --yes");
        stage.declare(6);
        for (file, args) in
            [("approved.json", "plan --out approved.json"), ("drift.html", "drift --also html=drift.html")]
        {
            says_why(limit, &stage.run(Some(limit), args), file);
            assert_eq!(stage.files(), BTreeMap::new(), "{limit:?} {args}");
        }
        // The key of a sandbox is whole before the sandbox is begun, and is taken by the next one.
        says_why(limit, &stage.run(Some(limit), "plan --sandbox=new.redb"), "new.redb");
        let left: Vec<PathBuf> = stage.files().into_keys().collect();
        assert!(left.iter().all(|path| path.ends_with("new.redb.key")), "{left:?}");
        stage.done("apply --yes --sandbox=new.redb");
    }
}

#[test]
fn a_journal_holds_whole_lines_and_stops_the_run() {
    for limit in limits() {
        let stage = Stage::new();
        stage.done("apply --yes --journal journal.jsonl");
        let journal =
            |stage: &Stage| stage.files().remove(&stage.small.path().join("journal.jsonl")).expect("a journal");
        let before = journal(&stage);
        stage.declare(40);
        let output = stage.run(Some(limit), "apply --yes --journal journal.jsonl --max-changes-percent 100");
        assert!(!output.status.success(), "{}", shown(&output));
        says_why(limit, &output, "journal.jsonl");
        let after = journal(&stage);
        assert!(after.starts_with(&before) && after.ends_with(b"\n"), "{limit:?}: {}", String::from_utf8_lossy(&after));
        for line in after.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            serde_json::from_slice::<serde_json::Value>(line).expect("a whole line");
        }
        assert_eq!(stage.files().len(), 1);
        stage.done("apply --yes --journal journal.jsonl --max-changes-percent 100");
        stage.done("plan --detailed-exitcode");
    }
}

#[test]
fn a_sandbox_keeps_what_it_was_told() {
    for limit in limits() {
        let stage = Stage::new();
        stage.done("apply --yes --sandbox=sandbox.redb");
        stage.declare(400);
        let output = stage.run(Some(limit), "apply --yes --sandbox=sandbox.redb --max-changes-percent 100");
        assert!(!output.status.success(), "{}", shown(&output));
        assert!(!shown(&output).contains("panicked"), "{}", shown(&output));
        stage.declare(2);
        let plan = shown(&stage.done("plan --sandbox=sandbox.redb --detailed-exitcode"));
        assert!(plan.contains("Nothing to apply: 2 secrets wait"), "{limit:?}: {plan}");
    }
}
