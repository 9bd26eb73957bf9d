//! A process that is killed while it writes: whatever it was told is done, is there afterwards.
//!
//! The process is this test binary itself, which runs the one ignored test below as its whole work.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::Rng as _;

use super::*;

const FILE: &str = "KEYWRIGHT_TEST_CRASH_FILE";
const ROUND: &str = "KEYWRIGHT_TEST_CRASH_ROUND";
const ACKNOWLEDGED: &str = "acknowledged ";
const WRITERS: usize = 4;

fn open(path: &Path) -> Client {
    let clock = Clock::manual("2026-03-04T07:45:00.250Z".parse().unwrap());
    Client::of(Sandbox::open(path, Options { rng_seed: 1, clock: clock.clone() }).unwrap(), clock)
}

fn value_of(name: &str, number: u32) -> String {
    format!("{name} {number} {}", "x".repeat(300))
}

/// Not a test: the process that is killed. Several writers, whose changes share transactions, each make secrets, give
/// them a second value and tell their parent of every answer.
#[test]
#[ignore = "the child of another test"]
fn child_process_that_writes() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let sandbox = open(Path::new(&path));
    let round = std::env::var(ROUND).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (client, round) = (sandbox.as_account(DEFAULT_ACCOUNT), &round);
            scope.spawn(move || {
                for number in 0.. {
                    let name = format!("{round}/{writer}/{number}");
                    client.create_with_value(&name, &value_of(&name, 1));
                    tell(&name, 1);
                    let put =
                        json!({"SecretId": name, "ClientRequestToken": token(2), "SecretString": value_of(&name, 2)});
                    client.ok("PutSecretValue", put);
                    tell(&name, 2);
                }
            });
        }
    });
}

/// Says that a write was acknowledged. The harness writes to the same output, in the middle of a line too.
fn tell(name: &str, number: u32) {
    std::io::stdout().lock().write_all(format!("\n{ACKNOWLEDGED}{name} {number}\n").as_bytes()).unwrap();
}

#[test]
fn every_acknowledged_write_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    // The crate's name is no part of a test's.
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut acknowledged: Vec<(String, u32)> = Vec::new();
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("{module}::child_process_that_writes"), "--ignored", "--nocapture"])
            .envs([(FILE, path.as_os_str().to_owned()), (ROUND, round.to_string().into())])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let wanted = rand::rng().random_range(1..120);
        let mut heard = lines.by_ref().filter_map(|line| line.strip_prefix(ACKNOWLEDGED).map(str::to_owned));
        let mut answers: Vec<String> = heard.by_ref().take(wanted).collect();
        assert_eq!(answers.len(), wanted, "the child ended by itself");
        // In the middle of whatever it does next.
        std::thread::sleep(Duration::from_micros(rand::rng().random_range(0..4000)));
        child.kill().unwrap();
        child.wait().unwrap();
        answers.extend(heard);
        for answer in answers {
            // The last line may have been cut.
            let Some((name, number)) = answer.split_once(' ') else { continue };
            let Ok(number) = number.parse() else { continue };
            acknowledged.push((name.to_owned(), number));
        }
        let client = open(&path);
        for (name, number) in &acknowledged {
            let version = json!({"SecretId": name, "VersionId": token(*number)});
            assert_eq!(client.ok("GetSecretValue", version)["SecretString"], value_of(name, *number), "{name}");
            assert!(client.labels(name).to_string().contains("AWSCURRENT"), "{name}");
        }
    }
}
