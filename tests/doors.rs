//! What a pull request, a link, a pipe, a signal or a crash brings cannot bend the program: the real binary, from
//! outside.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What is not waited for ends long before; a program that is not optimised needs a moment to start.
const SOON: Duration = Duration::from_secs(10);

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  targets: [{ name: dev, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [dev/] }
";

fn secret(name: &str, spec: &str) -> String {
    format!("apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: dev/{name} }}\nspec: {spec}\n")
}

/// A project of one secret.
fn project(spec: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets/a.yaml", &secret("a", spec))]);
    folder
}

fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywright"));
    command.args(args).current_dir(root).env_clear().env("HOME", root).stdin(Stdio::null());
    command
}

/// Runs it to its end, which must come soon.
fn run(root: &Path, args: &[&str]) -> (i32, String) {
    let mut command = command(root, args);
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keywright starts");
    while child.try_wait().expect("a child").is_none() {
        if begun.elapsed() > SOON {
            child.kill().expect("it ends");
            panic!("{args:?} waits for something");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().expect("its output");
    let printed = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(!printed.contains("panicked"), "{args:?}: {printed}");
    (status.code().unwrap_or(-1), printed)
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// One door in and one door out: the rest of the crate has no other way to a file.
#[test]
fn only_the_room_of_files_opens_them() {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut looked_at = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.extend(
                    (path.file_name() != Some("tests".as_ref()) && !path.ends_with("src/ground/files")).then_some(path),
                );
                continue;
            }
            if path.extension() != Some("rs".as_ref()) || path.file_name() == Some("tests.rs".as_ref()) {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for call in ["File::open", "File::create", "OpenOptions", "fs::read", "fs::write", "fs::rename", "fs::copy"]
            {
                assert!(!code.contains(call), "{}: {call}", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 200);
}

/// Code 1 promises that nothing was applied.
#[test]
fn what_was_done_and_could_not_be_told_is_no_error_that_did_nothing() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let folder = project("{}");
    let code = |args: &[&str]| {
        let full = full.try_clone().expect("a handle");
        let ended = command(folder.path(), args).stdout(full).stderr(Stdio::piped()).output().expect("keywright runs");
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(told.contains("standard output could not be written"), "{told}");
        ended.status.code()
    };
    assert_eq!(code(&["plan", "--sandbox"]), Some(1));
    assert_eq!(code(&["apply", "--yes", "--sandbox"]), Some(5));
    assert_eq!(code(&["apply", "--yes", "--sandbox"]), Some(1), "there was nothing left to do");
    assert_eq!(code(&["release", "dev/a", "--yes", "--sandbox"]), Some(5));
}

#[test]
fn project_file_that_is_a_link_out_is_refused() {
    let folder = project("{}");
    let (root, outside) = (folder.path(), tempfile::tempdir().expect("a folder"));
    std::fs::write(outside.path().join("keywright.yaml"), "C4N4RY: [C4N4RY").expect("a file");
    for target in [Path::new("/proc/self/environ").to_owned(), outside.path().join("keywright.yaml")] {
        std::fs::remove_file(root.join("keywright.yaml")).expect("it is there");
        symlink(&target, root.join("keywright.yaml")).expect("a link");
        for verb in [&["validate"][..], &["plan", "--sandbox"]] {
            let output = command(root, verb).env("AWS_SECRET_ACCESS_KEY", "C4N4RY").output().expect("keywright runs");
            let printed = format!("{output:?}");
            assert_ne!(output.status.code(), Some(0));
            assert!(printed.contains("outside the project") && !printed.contains("C4N4RY"), "{printed}");
        }
    }
}

#[test]
fn git_and_keywright_folders_are_no_source_for_any_field() {
    let folder = project("{}");
    let root = folder.path();
    support::write_files(
        root,
        [
            (".git/config", "[http]\n\textraheader = AUTHORIZATION: basic C4N4RY\n"),
            (".git/policy.json", "{ \"C4N4RY\": 1 }"),
            (".git/x.yaml", "C4N4RY: 1"),
            (".git/db.sops.yaml", "db: C4N4RY\nsops: {}\n"),
            (".keywright/journal.jsonl", "C4N4RY\n"),
        ],
    );
    symlink("../.git", root.join("secrets/innocent")).expect("a link");
    for spec in [
        "{ value: { file: ../.git/config } }",
        "{ value: { binaryFile: ../.git/config } }",
        "{ value: { file: innocent/config } }",
        "{ value: { file: ../.GIT/config } }",
        "{ value: { sops: { file: ../.git/db.sops.yaml, key: /db } } }",
        "{ value: { json: { a: { file: ../.keywright/journal.jsonl } } } }",
        "{ policy: { file: ../.git/policy.json } }",
    ] {
        std::fs::write(root.join("secrets/a.yaml"), secret("a", spec)).expect("a file");
        let (code, printed) = run(root, &["apply", "--sandbox", "--yes"]);
        assert!(code != 0 && !printed.contains("C4N4RY"), "{spec}: {printed}");
    }
    std::fs::write(root.join("secrets/a.yaml"), secret("a", "{}")).expect("a file");
    std::fs::write(root.join("keywright.yaml"), PROJECT.replace("[secrets/]", "[.git/]")).expect("a file");
    let (code, printed) = run(root, &["validate"]);
    assert!(code != 0 && printed.contains("never read") && !printed.contains("C4N4RY"), "{printed}");
}

#[test]
fn pipes_are_never_waited_for() {
    let folder = project("{ value: { file: ../pipe } }");
    let root = folder.path();
    pipe(&root.join("pipe"));
    let (code, printed) = run(root, &["validate"]);
    assert!(code != 0 && printed.contains("not a regular file"), "{printed}");
    std::fs::write(root.join("secrets/a.yaml"), secret("a", "{ policy: { file: ../pipe } }")).expect("a file");
    assert_ne!(run(root, &["validate"]).0, 0);
    std::fs::write(root.join("secrets/a.yaml"), secret("a", "{}")).expect("a file");
    for args in [
        &["apply", "pipe", "--sandbox"][..],
        &["plan", "--sandbox", "--sandbox-faults", "pipe"],
        &["plan", "--sandbox", "--sandbox-policy", "pipe"],
        &["sandbox", "seed", "pipe"],
        &["import", "--from-tfstate", "pipe"],
        &["watch", "--sandbox", "--rounds", "1", "--webhook-file", "pipe"],
        // Nobody reads it.
        &["plan", "--sandbox", "--out", "pipe"],
        &["drift", "--sandbox", "--also", "json=pipe"],
    ] {
        let (code, printed) = run(root, args);
        assert!(code != 0 && code != 2, "{args:?}: {printed}");
    }
    run(root, &["plan", "--sandbox", "--cache", "pipe"]);
    let output = command(root, &["apply", "--sandbox", "--yes"]).env("SOPS_AGE_KEY_FILE", "pipe").output();
    assert!(output.expect("keywright runs").status.success(), "no key is needed, and none is waited for");
    assert!(std::fs::symlink_metadata(root.join("pipe")).expect("it is there").file_type().is_fifo());
    std::fs::rename(root.join("pipe"), root.join("secrets/b.yaml")).expect("it moves");
    let (_, printed) = run(root, &["validate"]);
    assert!(printed.contains("`secrets/b.yaml` is passed over: it is no regular file"), "{printed}");
    symlink("b.yaml", root.join("secrets/c.yaml")).expect("a link");
    let (_, printed) = run(root, &["validate"]);
    assert!(printed.contains("`secrets/c.yaml` is passed over: it leads to what is no regular file"), "{printed}");
    std::fs::remove_file(root.join("secrets/c.yaml")).expect("it is there");
    std::fs::remove_file(root.join("keywright.yaml")).expect("it is there");
    std::fs::rename(root.join("secrets/b.yaml"), root.join("keywright.yaml")).expect("it moves");
    let (code, printed) = run(root, &["validate"]);
    assert!(code != 0 && printed.contains("not a regular file"), "{printed}");
}

#[test]
fn pipes_are_written_into() {
    let folder = project("{}");
    let root = folder.path();
    pipe(&root.join("pipe"));
    let reader = std::thread::spawn({
        let pipe = root.join("pipe");
        move || std::fs::read_to_string(pipe).expect("a report")
    });
    let also = || run(root, &["drift", "--sandbox", "--also", "json=pipe"]);
    while also().1.contains("nobody reads") {}
    assert!(reader.join().expect("a report").contains("\"formatVersion\""));
    assert!(std::fs::symlink_metadata(root.join("pipe")).expect("it is there").file_type().is_fifo());
    let output = command(root, &["plan", "--sandbox", "--out", "/dev/stdout"]).output().expect("keywright runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("keywright approved plan"), "{output:?}");
}

#[test]
fn private_folder_that_is_a_link_is_refused() {
    let folder = project("{}");
    let (root, outside) = (folder.path(), tempfile::tempdir().expect("a folder"));
    symlink(outside.path(), root.join(".keywright")).expect("a link");
    let (code, printed) = run(root, &["plan", "--sandbox"]);
    assert!(code == 1 && printed.contains("is a link"), "{printed}");
    std::fs::remove_file(root.join(".keywright")).expect("it is there");
    std::fs::create_dir(root.join(".keywright")).expect("a folder");
    symlink(outside.path().join("x"), root.join(".keywright/.gitignore")).expect("a link");
    let (code, printed) = run(root, &["plan", "--sandbox"]);
    assert!(code == 1 && printed.contains("is a link"), "{printed}");
    assert_eq!(names(outside.path()), [""; 0]);
}

/// A user who owns nothing, as Linux and macOS number one.
const NOBODY: u32 = 65_534;

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = project("{}");
    let root = folder.path();
    let mode = |name: &str, mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(root.join(name), permissions).expect("a mode");
    };
    let validate = || {
        let mut command = command(root, &["validate"]);
        if rustix::process::getuid().is_root() {
            // Root may read everything.
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output()
    };
    for (name, text) in [("team/b.yaml", "b"), ("team/c.enc.yaml", "c")] {
        let path = root.join("secrets").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, secret(text, "{}")).expect("a file");
    }
    for name in ["", "keywright.yaml", "secrets", "secrets/a.yaml", "secrets/team", "secrets/team/b.yaml"] {
        mode(name, 0o755);
    }
    match validate() {
        Ok(whole) => assert!(whole.status.success(), "{whole:?}"),
        // The folder of the build is for its owner alone.
        Err(error) => return assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    for (name, closed) in [("secrets/team/b.yaml", 0), ("secrets/team", 0), ("secrets/team", 0o444)] {
        mode(name, closed);
        let output = validate().expect("it runs");
        mode(name, 0o755);
        assert_eq!(output.status.code(), Some(1), "{name} {closed:o}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("cannot be read"), "{output:?}");
    }
    // What is called encrypted is no manifest by its name, and may be one all the same.
    mode("secrets/team/c.enc.yaml", 0);
    let output = validate().expect("it runs");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("passed over"), "{output:?}");
}

#[test]
fn output_over_another_kind_of_file_is_refused() {
    let folder = project("{}");
    let root = folder.path();
    let manifest = secret("a", "{}");
    for args in [
        &["plan", "--sandbox", "--out", "secrets/a.yaml"][..],
        &["plan", "--sandbox", "--cache", "secrets/a.yaml"],
        &["drift", "--sandbox", "--cache", "secrets/a.yaml"],
        &["watch", "--sandbox", "--rounds", "1", "--cache", "secrets/a.yaml"],
        &["apply", "--sandbox", "--yes", "--journal", "secrets/a.yaml"],
        &["watch", "--sandbox", "--rounds", "1", "--apply", "--journal", "secrets/a.yaml"],
        &["drift", "--sandbox", "--also", "json=secrets/a.yaml"],
        &["drift", "--sandbox", "--also", "text=secrets/a.yaml"],
        &["drift", "--sandbox", "--also", "prometheus=secrets/a.yaml"],
        // Before anything is looked for: none of these would get as far as its first call.
        &["apply", "approved-nowhere", "--sandbox", "--journal", "secrets/a.yaml"],
        &["release", "dev/a", "--sandbox", "--yes", "--journal", "secrets/a.yaml"],
        &["rollback", "dev/a", "--sandbox", "--yes", "--journal", "secrets/a.yaml"],
        &["rotate", "dev/a", "--sandbox", "--yes", "--journal", "secrets/a.yaml"],
        &["restore", "dev/a", "--sandbox", "--yes", "--journal", "secrets/a.yaml"],
        &["promote", "dev/a", "--sandbox", "--yes", "--journal", "secrets/a.yaml"],
    ] {
        let (code, printed) = run(root, args);
        assert!(code == 64 && printed.contains("delete it first"), "{args:?}: {printed}");
        assert_eq!(std::fs::read_to_string(root.join("secrets/a.yaml")).expect("it is there"), manifest);
    }
    // What is of its own kind is written again.
    for format in ["text", "json", "markdown", "html", "junit", "sarif", "github", "prometheus"] {
        for _ in 0..2 {
            let (code, printed) = run(root, &["drift", "--sandbox", "--also", &format!("{format}={format}")]);
            assert_eq!(code, 2, "{format}: {printed}");
        }
    }
    for _ in 0..2 {
        assert_eq!(run(root, &["plan", "--sandbox", "--out", "plan", "--cache", "cache"]).0, 0);
        assert_eq!(run(root, &["apply", "--sandbox", "--yes", "--journal", "journal"]).0, 0);
    }
}

#[test]
fn other_accounts_are_refused_before_anything_is_read() {
    let folder = project("{}");
    let root = folder.path();
    let (code, printed) = run(root, &["plan", "--sandbox", "--only-account", "222222222222"]);
    assert!(code == 3 && printed.contains("account 111111111111 is not one"), "{printed}");
    assert_eq!(run(root, &["plan", "--sandbox", "--only-account", "111111111111"]).0, 0);
    let allowed = |accounts: &str| {
        let mut command = command(root, &["plan", "--sandbox"]);
        command.env("KEYWRIGHT_ONLY_ACCOUNTS", accounts).output().expect("keywright runs").status.code()
    };
    assert_eq!((allowed("222222222222,111111111111"), allowed("222222222222")), (Some(0), Some(3)));
    assert_eq!(
        (allowed(""), allowed("11111111111")),
        (Some(64), Some(64)),
        "a variable that is set wrong allows nothing"
    );
    let role = "assumeRole: \"arn:aws:iam::333333333333:role/r\", region";
    std::fs::write(root.join("keywright.yaml"), PROJECT.replace("account: \"111111111111\", region", role))
        .expect("a file");
    let (code, printed) = run(root, &["plan", "--sandbox", "--only-account", "111111111111"]);
    assert!(code == 3 && printed.contains("account 333333333333"), "{printed}");
    // A target that names no account: its credentials do.
    std::fs::write(root.join("keywright.yaml"), PROJECT.replace("account: \"111111111111\", ", "")).expect("a file");
    let (code, printed) = run(root, &["plan", "--sandbox", "--only-account", "999999999999"]);
    assert!(code == 1 && printed.contains("--only-account"), "{printed}");
}

#[test]
fn two_signals_at_once_end_gracefully() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let secrets: Vec<String> = (0..5).map(|at| secret(&at.to_string(), "{ tags: { a: b } }")).collect();
    let slow = r#"{"rules":[],"profile":{"latency":"PT0.3S"}}"#;
    support::write_files(
        root,
        [("keywright.yaml", PROJECT), ("secrets/a.yaml", &secrets.join("---\n")), ("slow.json", slow)],
    );
    let args = ["apply", "--sandbox", "--yes", "--concurrency", "1", "--sandbox-faults", "slow.json"];
    let mut child = command(root, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut err = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("Applying to") {
        line.clear();
        assert_ne!(err.read_line(&mut line).expect("a line"), 0, "it ended too early");
    }
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..2 {
        kill_process(pid(&child), Signal::TERM).expect("it runs");
    }
    let mut rest = String::new();
    err.read_to_string(&mut rest).expect("text");
    let output = child.wait_with_output().expect("it ends");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{printed}{rest}");
    assert!(rest.contains("what is in flight is finished first"), "{rest}");
    assert!(printed.contains("verified"), "what was done was read again: {printed}{rest}");
    assert_eq!(run(root, &["apply", "--sandbox", "--yes"]).0, 0);
    assert_eq!(run(root, &["plan", "--sandbox", "--detailed-exitcode"]).0, 0);
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

#[test]
fn sandbox_that_was_killed_while_it_was_made_can_be_opened() {
    let folder = project("{}");
    let root = folder.path();
    for round in 0..24 {
        for name in ["s.redb", "s.redb.key"] {
            let _ = std::fs::remove_file(root.join(name));
        }
        let mut first = command(root, &["plan", "--sandbox=s.redb"]);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(round * 4));
        first.kill().expect("it runs, or has ended");
        first.wait().expect("it has ended");
        let (code, printed) = run(root, &["plan", "--sandbox=s.redb"]);
        assert_eq!(code, 0, "round {round}: {printed}");
        assert_eq!(names(root), ["keywright.yaml", "s.redb", "s.redb.key", "secrets"]);
    }
}

#[test]
fn served_sandbox_answers_while_others_hold_connections() {
    let folder = project("{}");
    let mut server = command(folder.path(), &["sandbox", "serve", "--memory", "--port", "0"]);
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut ready = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut ready).expect("a ready line");
    let address = ready.trim().rsplit_once("http://").expect("an address").1.to_owned();
    let held: Vec<TcpStream> = (0..700)
        .map(|at| {
            let mut stream = TcpStream::connect(&address).expect("it listens");
            // Nothing, half a line, half a head, half a body. The server may have made room for others already.
            let text = [
                "",
                "POST / HT",
                "POST / HTTP/1.1\r\nhost: localhost\r\n",
                "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nx",
            ];
            let _ = stream.write_all(text[at % 3].as_bytes());
            stream
        })
        .collect();
    for _ in 0..3 {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a limit");
        stream
            .write_all(b"GET /_keywright/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    drop(held);
    server.kill().expect("it runs");
    server.wait().expect("it has ended");
}

/// A proxy would see what is meant for this machine, wherever the endpoint came from.
#[test]
fn requests_to_this_machine_go_through_no_proxy() {
    let folder = project("{}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let body = r#"{"__type":"AccessDeniedException","message":"reached"}"#;
            let head = format!("HTTP/1.1 400 x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    std::fs::write(folder.path().join("keywright.yaml"), PROJECT.replace("account: \"111111111111\", ", ""))
        .expect("a file");
    let mut command = command(folder.path(), &["plan"]);
    for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command.envs([("AWS_ENDPOINT_URL", address.as_str()), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")]);
    let output = command.output().expect("keywright runs");
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("AccessDeniedException: reached"), "{printed}");
}

/// The folder above one that is named is the current one, whose path is empty.
#[test]
fn the_project_above_a_folder_is_named() {
    let folder = project("{ description: A }");
    for named in ["nope", "nope/deep"] {
        let (code, printed) = run(folder.path(), &["validate", "-C", named]);
        assert_eq!(code, 1, "{printed}");
        assert!(printed.contains("there is one above: -C .\n"), "{printed}");
    }
    let (code, printed) = run(folder.path(), &["validate", "-C", "."]);
    assert_eq!(code, 0, "{printed}");
}
