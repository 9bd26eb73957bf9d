//! Foreign bytes: whatever a file, a policy or a request holds, there is an answer within a second, and no panic.
//!
//! A run of CI tries a bounded number of cases. `KEYWRIGHT_HOSTILE_MINUTES=60` goes on for as long as it says
//! (`just hostile`).

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]
#![expect(clippy::print_stdout, reason = "how much was tried, for whoever lets it run for an hour")]

#[path = "support/cpu_time.rs"]
mod cpu_time;

use std::cell::Cell;
use std::fmt::Debug;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keywright::domain::Partition;
use keywright::import::tfstate;
use keywright::live::PolicyCache;
use keywright::manifest::{LoadOptions, load};
use keywright::policy::{LintContext, LintedSecret, PolicyDocument, lint};
use keywright::render::{self, diagnostics};
use keywright::sandbox::{Options, Sandbox};
use keywright::workflow::ApprovedPlan;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::NamedTempFile;

/// How much memory the process may take in all, in KiB.
const MOST_MEMORY: u64 = 1024 * 1024;

/// Tries `check` on what `strategy` makes: some cases, or for the minutes that the environment names.
fn try_all<S: Strategy>(name: &str, cases: u32, strategy: &S, check: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let minutes = std::env::var("KEYWRIGHT_HOSTILE_MINUTES").ok().and_then(|text| text.parse::<f64>().ok());
    let end = Instant::now() + Duration::from_secs_f64(minutes.unwrap_or_default() * 60.0);
    let (tried, longest) = (Cell::new(0_u64), Cell::new(Duration::ZERO));
    loop {
        let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
        TestRunner::new(config)
            .run(strategy, |value| {
                let ((), took) = cpu_time::measure(|| check(value));
                prop_assert!(took < cpu_time::MOST, "{name} took {took:?}");
                tried.set(tried.get() + 1);
                longest.set(longest.get().max(took));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if Instant::now() >= end {
            break;
        }
    }
    println!("{name}: {} tried, the longest took {:?}", tried.get(), longest.get());
    assert!(tried.get() >= u64::from(cases));
    #[cfg(target_os = "linux")]
    assert_little_memory(name, "self");
}

/// A process, or this one, never took more memory than it may.
#[cfg(target_os = "linux")]
fn assert_little_memory(name: &str, process: &str) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("what Linux says of a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    assert!(peak.is_some_and(|peak: u64| peak < MOST_MEMORY), "{name}: {peak:?} KiB");
}

/// Bytes of no form at all, and a text in one of `seeds`' forms that was cut, repeated, nested and altered.
fn hostile(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let mutated =
        (prop::sample::select(seeds), prop::collection::vec(mutation(), 0..6)).prop_map(|(seed, mutations)| {
            let mut bytes = seed.as_bytes().to_vec();
            for mutation in &mutations {
                bytes = mutation.apply(bytes);
            }
            bytes
        });
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..600), 4 => mutated]
}

#[derive(Clone, Debug)]
enum Mutation {
    Cut(prop::sample::Index),
    Alter(prop::sample::Index, u8),
    /// Repeats what lies between two places.
    Repeat(prop::sample::Index, prop::sample::Index, usize),
    /// Puts a text in many times.
    Insert(prop::sample::Index, &'static str, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    let texts = &[
        "[",
        "{\"a\":",
        "- ",
        "\0",
        "\u{feff}",
        "&a [*a]",
        "\"",
        "\n",
        "${",
        "ä",
        "1e999",
        "-9223372036854775809",
        "%",
    ][..];
    prop_oneof![
        index().prop_map(Mutation::Cut),
        (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::Alter(at, byte)),
        (index(), index(), 1_usize..300).prop_map(|(from, to, times)| Mutation::Repeat(from, to, times)),
        (index(), prop::sample::select(texts), prop_oneof![1_usize..4, 1_000_usize..50_000])
            .prop_map(|(at, text, times)| Mutation::Insert(at, text, times)),
    ]
}

impl Mutation {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = |index: &prop::sample::Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Cut(to) => bytes.truncate(at(to, &bytes)),
            Self::Alter(place, byte) => {
                let place = at(place, &bytes);
                if let Some(there) = bytes.get_mut(place) {
                    *there = *byte;
                }
            }
            Self::Repeat(from, to, times) => {
                let (from, to) = (at(from, &bytes), at(to, &bytes));
                let part = bytes[from.min(to)..from.max(to)].repeat(*times);
                bytes.splice(to..to, part);
            }
            Self::Insert(place, text, times) => {
                let place = at(place, &bytes);
                bytes.splice(place..place, text.repeat(*times).into_bytes());
            }
        }
        // Enough for every limit on depth and count, and little enough for many cases.
        bytes.truncate(1 << 17);
        bytes
    }
}

const PROJECT: &str = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: p }\nspec:\n  \
    targets: [{ name: t, region: eu-west-1, vars: { env: dev } }]\n  scope: { namePrefixes: [a/] }\n  \
    rules: [{ name: r, requireTags: { a: \"x+\" } }]\n";
const SECRET: &str = "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: \"a/${env}\" }\nspec: &s\n  tags: { \
    a: x, b: \"${target.name}\" }\n  \
    policy: { Version: \"2012-10-17\", Statement: [{ Effect: Allow, Principal: { AWS: \"111111111111\" }, \
    Action: \"*\", Resource: \"*\" }] }\n  \
    rotation: { lambdaArn: \"arn:aws:lambda:eu-west-1:111111111111:function:f\", schedule: \"cron(0 16 1,15 * ? *)\" \
    }\n  value: { json: { a: { text: x } } }\n";

#[test]
fn manifests() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let check = |name: &str, other: (&str, &str), bytes: Vec<u8>| {
        std::fs::write(folder.path().join(other.0), other.1).expect("a file");
        std::fs::write(folder.path().join(name), bytes).expect("a file");
        let loaded = load(folder.path(), &LoadOptions::default());
        diagnostics::text(&loaded.diagnostics, false);
        diagnostics::json(&loaded.diagnostics);
    };
    try_all("secrets", 50, &hostile(&[SECRET]), |bytes| check("s.yaml", ("keywright.yaml", PROJECT), bytes));
    try_all("projects", 50, &hostile(&[PROJECT]), |bytes| check("keywright.yaml", ("s.yaml", SECRET), bytes));
}

/// A text that names very many variables, known ones and unknown ones, costs no more than its length.
#[test]
fn texts_of_many_variables_are_filled_in_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let read = |vars: &str, description: &str| {
        let project = PROJECT.replace("vars: { env: dev }", &format!("vars: {{ env: dev, {vars} }}"));
        let secret = SECRET.replace("spec: &s\n", &format!("spec: &s\n  description: \"{description}\"\n"));
        std::fs::write(folder.path().join("keywright.yaml"), project).expect("a file");
        std::fs::write(folder.path().join("s.yaml"), secret).expect("a file");
        let (loaded, took) = cpu_time::measure(|| load(folder.path(), &LoadOptions::default()));
        assert!(took < cpu_time::MOST, "{took:?}");
        diagnostics::text(&loaded.diagnostics, false).into_owned()
    };
    let names = |number: usize| (0..number).map(|at| format!("${{a{at}}}")).collect::<String>();
    assert!(read(&format!("text: \"{}\"", names(100_000)), "x").contains("unknown variable `a9`"));
    let empty: String = (0..20_000).map(|at| format!("a{at}: \"\", ")).collect();
    let printed = read(&format!("{empty} text: \"{}\"", names(20_000)), &names(20_000).repeat(3));
    assert!(!printed.contains("error"), "{}", &printed[..printed.len().min(1_000)]);
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny",
    "NotPrincipal":{"AWS":["arn:aws:iam::111111111111:role/r"]},
    "Action":["secretsmanager:Get*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":["o-1"]}}}]}"#;

#[test]
fn policies() {
    let context = LintContext {
        secret: LintedSecret::Named { account: Some("111111111111"), region: "eu-west-1", name: "a/b" },
        caller: Some("arn:aws:iam::111111111111:role/path/keywright"),
    };
    let check = |text: &str| {
        let _ = PolicyDocument::parse(text);
        if let Some(policy) = PolicyDocument::parse_lenient(text, &Partition::default()) {
            policy.grants_broad_access();
            policy.to_pretty();
            lint(&policy, &context);
        }
    };
    try_all("policies", 300, &hostile(&[POLICY]), |bytes| check(&String::from_utf8_lossy(&bytes)));
    try_all("long policies", 30, &long_policies(), |text| check(&text));
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("keywright.yaml"), PROJECT).expect("a file");
    let manifest =
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: a/b }\nspec: { policy: { file: p.json } }\n";
    std::fs::write(folder.path().join("s.yaml"), manifest).expect("a file");
    try_all("policy files", 50, &hostile(&[POLICY]), |bytes| {
        std::fs::write(folder.path().join("p.json"), bytes).expect("a file");
        load(folder.path(), &LoadOptions::default());
    });
}

/// What costs most in a policy: one of its parts very often, or very long.
fn long_policies() -> impl Strategy<Value = String> {
    // A part of a statement, what stands in it very often, and what lies between.
    let parts = &[
        ("@", r#""Colour":1"#, ","),
        ("@", r#""Sid":"a""#, ","),
        (r#""Action":[@]"#, r#""secretsmanager:Gett""#, ","),
        (r#""Action":[@]"#, r#""*a*a*a*a*a*a*a*a*b""#, ","),
        (r#""Action":"secretsmanager:@b""#, "*e", ""),
        (r#""Resource":[@]"#, r#""*a*e*s*r*:*-*?*?*?!""#, ","),
        (r#""Resource":"@!""#, "*a", ""),
        (r#""Principal":{"AWS":[@]}"#, r#""arn:aws:iam::222222222222:role/x""#, ","),
        (r#""NotPrincipal":{"AWS":[@]}"#, r#""111111111111""#, ","),
        (r#""Condition":{@}"#, r#""StringEqual":{"aws:x":1}"#, ","),
        (r#""Condition":{"StringEquals":{@}}"#, r#""aws:sourceVpc":[1]"#, ","),
        (r#""Condition":{"ArnLike":{"aws:PrincipalArn":[@]}}"#, r#""*:role/*k*e*y*?x""#, ","),
        (r#""Condition":{"@":{}}"#, "StringEqual", ""),
        (r#""@":1"#, "k", ""),
    ][..];
    let length = prop_oneof![Just(15_000_usize), Just(20_000), Just(100_000), Just(150_000)];
    (prop::sample::select(parts), length).prop_map(|((part, repeated, between), length)| {
        let many = vec![repeated; length / (repeated.len() + between.len())].join(between);
        let part = part.replacen('@', &many, 1);
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny",{part},"Z":1}}]}}"#)
    })
}

const STATE: &str = r#"{"version":4,"resources":[{"module":"module.a[\"b\"]","mode":"managed",
    "type":"aws_secretsmanager_secret","name":"s",
    "instances":[{"index_key":0,"attributes":{
    "arn":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf","name":"a",
    "policy":"{}","replica":[{"region":"us-east-1"}],"tags_all":{"a":"b"},
    "rotation_rules":[{"automatically_after_days":3}]}}]},
    {"mode":"managed","type":"aws_secretsmanager_secret_policy","name":"p",
    "instances":[{"attributes":{"secret_arn":"a","policy":"{}"}}]}]}"#;

#[test]
fn terraform_states() {
    try_all("states", 300, &hostile(&[STATE]), |bytes| {
        let _ = tfstate::parse(&bytes);
    });
}

/// What belongs to a secret is found by its name, and not by looking through everything.
#[test]
fn states_of_many_resources_are_read_at_once() {
    let resource = |kind: &str, at: usize, attributes: &str| {
        format!(
            r#"{{"mode":"managed","type":"aws_secretsmanager_{kind}","name":"r{at}",
                "instances":[{{"attributes":{attributes}}}]}}"#
        )
    };
    let resources: Vec<String> = (0..20_000)
        .flat_map(|at| {
            let arn = format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:s{at}-AbCdEf");
            [
                resource("secret", at, &format!(r#"{{"arn":"{arn}","name":"s{at}"}}"#)),
                resource("secret_policy", at, &format!(r#"{{"secret_arn":"{arn}","policy":"{{}}"}}"#)),
            ]
        })
        .collect();
    let state = format!(r#"{{"version":4,"resources":[{}]}}"#, resources.join(","));
    let (state, took) = cpu_time::measure(|| tfstate::parse(state.as_bytes()).expect("a state"));
    assert_eq!(state.secrets.len(), 20_000);
    assert!(took < cpu_time::MOST, "{took:?}");
}

const CACHE: &str = r#"{"kind":"keywright policy cache","formatVersion":1,"policies":{
    "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf":
    {"lastChanged":"2026-01-01T00:00:00Z","readAt":"2026-01-01T01:00:00Z","policy":"{}"}}}"#;

#[test]
fn policy_caches() {
    try_all("caches", 300, &hostile(&[CACHE]), |bytes| {
        if let Ok(cache) = PolicyCache::parse(&bytes) {
            cache.names();
            cache.to_text("2026-01-01T02:00:00Z".parse().expect("a time"));
        }
    });
}

#[test]
fn plan_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("approved.json");
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("a file");
        ApprovedPlan::read(&file)
    };
    let lines = ["run p", "t create a/b", "t put a/b {\"text\":\"\\u001b[2J ::error::\"}"].map(str::to_owned);
    let whole: &'static str = written(&ApprovedPlan::new(lines.to_vec())).leak();
    let plan = read(whole.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(plan.lines(), lines, "the others begin with one that is whole");
    try_all("plan files", 300, &hostile(vec![whole].leak()), |bytes| {
        if let Err(error) = read(&bytes) {
            render::error::text(&error);
            render::error::hints(&error);
        }
    });
    // Whoever edits one can write the fingerprint of what it says now: it is read, as lines that no plan has.
    let line = prop_oneof![any::<String>(), ".{0,20}".prop_map(|text| text.repeat(100))];
    let forged = (prop::collection::vec(line, 0..10), prop_oneof![Just(1_usize), Just(20)]);
    try_all("forged plan files", 50, &forged, |(lines, times)| {
        let lines = vec![lines; times].concat();
        let plan = read(written(&ApprovedPlan::new(lines.clone())).as_bytes());
        assert_eq!(plan.unwrap_or_else(|error| panic!("{error:?}")).lines(), lines);
    });
}

/// The text that an approved plan has in its file.
fn written(plan: &ApprovedPlan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan is text")
}

const FAULTS: &str = r#"{"rules":[{"operation":"PutSecretValue","secret":"dev/db","times":1,"kind":"answerLost"}],
    "profile":{"seed":7,"throttled":0.05,"failing":0.01,"quotas":true}}"#;
const FIXTURES: &str =
    "- { account: \"111111111111\", region: eu-west-1, name: &n dev/db, value: x, tags: { a: b } }\n- { name: *n }\n";

#[test]
fn faults_fixtures_and_identity_policies() {
    let sandbox = Sandbox::in_memory(Options::default());
    try_all("faults", 200, &hostile(&[FAULTS]), |bytes| {
        let _ = sandbox.apply_fault_file(&bytes);
    });
    try_all("identity policies", 200, &hostile(&[POLICY]), |bytes| {
        let _ = sandbox.enforce_policy(&String::from_utf8_lossy(&bytes));
    });
    // Repeated fixtures are many writes, each of them on its own: a tenth of a second for some thousand of them.
    let small = hostile(&[FIXTURES]).prop_map(|mut bytes| {
        bytes.truncate(4096);
        bytes
    });
    try_all("fixtures", 100, &small, |bytes| {
        let _ = Sandbox::in_memory(Options::default()).make_fixtures(&String::from_utf8_lossy(&bytes));
    });
}

/// A billion laughs: aliases of aliases.
#[test]
fn aliases_do_not_swell() {
    let mut text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("b{level}: &a{level} [{items}]\n"));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_project(folder.path(), &text);
    let ((), took) = cpu_time::measure(|| {
        assert!(Sandbox::in_memory(Options::default()).make_fixtures(&text).is_err());
        assert!(load(folder.path(), &LoadOptions::default()).diagnostics.has_errors());
    });
    assert!(took < cpu_time::MOST, "{took:?}");
}

/// Something that answers every request in the place of AWS, one after the other, and counts the bytes that were taken.
fn endpoint(answer: impl Fn(&mut TcpStream) -> std::io::Result<u64> + Send + 'static) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            counted.fetch_add(answer(&mut stream).unwrap_or_default(), Ordering::SeqCst);
        }
    });
    (address, taken)
}

/// Waits until an endpoint has counted what it sent before: it answers one request after the other, and this one last.
fn wait_for_the_count(address: &str) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a limit");
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("a request");
    stream.read_exact(&mut [0]).expect("an answer begins");
}

/// Runs keywright against an endpoint; what it printed.
fn plan_at(address: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_project(
        folder.path(),
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: a/b }\nspec: { tags: { a: x } }\n",
    );
    let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(["plan", "--endpoint-url", &format!("http://{address}"), "--project"])
        .arg(folder.path())
        .envs([("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()
        .expect("keywright runs");
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code < 6) && !printed.contains("panicked"), "{printed}");
    printed
}

const PAGE: &str = r#"{"SecretList":[{"Name":"a/b","Tags":[{"Key":"a","Value":"x"}],"DeletedDate":1.7e9,
    "ARN":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:a/b-AbCdEf",
    "SecretVersionsToStages":{"v":["AWSCURRENT"]},"RotationRules":{"ScheduleExpression":"rate(1 day)"}}]}"#;

/// Whatever an endpoint answers, in the body or in the head: the command ends, and does not panic.
#[test]
fn hostile_answers() {
    let answer = Arc::new(Mutex::new(Vec::new()));
    let next = Arc::clone(&answer);
    let (address, _) = endpoint(move |stream| {
        let answer = next.lock().map_err(|_| std::io::ErrorKind::Other)?.clone();
        stream.write_all(&answer).map(|()| 0)
    });
    let cases = (hostile(&[PAGE]), prop::sample::select(vec![200_u16, 400, 500, 301, 204]), 0_u8..10);
    try_all("answers", 60, &cases, |(body, status, form)| {
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\n");
        let whole = match form {
            0 => body,
            1 => [head.as_bytes(), b"content-length: 9999999\r\n\r\n", &body].concat(),
            _ => [head.as_bytes(), format!("content-length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat(),
        };
        *answer.lock().expect("nobody panicked") = whole;
        plan_at(&address);
    });
}

#[test]
fn endless_answers_are_broken_off() {
    let (address, taken) = endpoint(|stream| {
        stream.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        )?;
        let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x1_0000], b"\r\n"].concat();
        let mut sent = 0;
        while stream.write_all(&chunk).is_ok() {
            sent += 0x1_0000;
        }
        Ok(sent)
    });
    let printed = plan_at(&address);
    assert!(printed.contains("the answer is longer than 32 MiB"), "{printed}");
    wait_for_the_count(&address);
    // Once, and what lay in the buffers between the two.
    let taken = taken.load(Ordering::SeqCst);
    assert!((32 << 20..48 << 20).contains(&taken), "{taken} bytes were taken");
}

/// `keywright sandbox serve`, and what it said on standard error.
struct Served {
    process: Child,
    address: String,
    said: NamedTempFile,
}

impl Served {
    fn start() -> Self {
        let said = NamedTempFile::new().expect("a temporary file");
        let mut process = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(["sandbox", "serve", "--memory", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(said.reopen().expect("the file"))
            .spawn()
            .expect("keywright starts");
        let mut ready = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut ready).expect("a ready line");
        let address = ready.trim().rsplit_once("http://").expect("an address").1.to_owned();
        Self { process, address, said }
    }

    /// What comes back for some bytes, until the server closes the connection or `patience` is at its end.
    fn send(&self, bytes: &[u8], patience: Duration) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(patience)).expect("a limit");
        // A server that has seen enough need not read the rest.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// A whole request, which is answered whatever stands in it.
    fn ask(&self, head: &str, body: &[u8]) -> String {
        let length = body.len();
        let head = format!("{head}\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        let answer = self.send(&[head.as_bytes(), body].concat(), Duration::from_secs(30));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 "), "{head}: {answer:?}");
        assert!(!answer.contains("the request was not finished"), "{head}: {answer:?}");
        answer
    }

    /// It still answers, holds nothing of what was sent, and has not panicked.
    fn check_and_reset(&self) {
        for order in ["DELETE /_keywright/faults", "DELETE /_keywright/policy", "POST /_keywright/reset"] {
            assert!(self.ask(&format!("{order} HTTP/1.1"), b"").starts_with("HTTP/1.1 200"), "{order}");
        }
        let said = std::fs::read_to_string(self.said.path()).expect("what it said");
        assert!(!said.contains("panicked"), "{said}");
    }

    /// The processor's time that it took since it began.
    #[cfg(target_os = "linux")]
    fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("it runs");
        // In hundredths of a second, twelve and thirteen fields after the name, in which blanks may stand.
        let fields: Vec<&str> = stat.rsplit_once(')').expect("its name").1.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const OPERATIONS: &[&str] = &[
    "CreateSecret",
    "UpdateSecret",
    "PutSecretValue",
    "GetSecretValue",
    "BatchGetSecretValue",
    "DescribeSecret",
    "ListSecrets",
    "ListSecretVersionIds",
    "PutResourcePolicy",
    "ValidateResourcePolicy",
    "TagResource",
    "UntagResource",
    "RotateSecret",
    "ReplicateSecretToRegions",
    "UpdateSecretVersionStage",
    "DeleteSecret",
    "GetRandomPassword",
    "\u{e4}",
];

const BODIES: &[&str] = &[
    r#"{"SecretId":"a/b","Name":"a/b","ClientRequestToken":"00000000-0000-0000-0000-000000000000","SecretString":"x",
        "SecretBinary":"eA==","Description":"d","KmsKeyId":"k","Tags":[{"Key":"a","Value":"b"}],"TagKeys":["a"],
        "AddReplicaRegions":[{"Region":"us-east-1"}],"ResourcePolicy":"{\"Version\":\"2012-10-17\",\"Statement\":[]}",
        "RotationRules":{"ScheduleExpression":"cron(0 16 1,15 * ? *)","Duration":"3h"},"RecoveryWindowInDays":7,
        "VersionStage":"AWSCURRENT","MaxResults":3,"NextToken":"t","Filters":[{"Key":"name","Values":["a"]}]}"#,
    r#"{"SecretId":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:a/b-AbCdEf"}"#,
    "Action=GetCallerIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fr",
];

const CREDENTIAL: &str = "authorization: AWS4-HMAC-SHA256 \
    Credential=111111111111/20260101/eu-west-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0";

const RAW: &[&str] = &[
    "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: secretsmanager.ListSecrets\r\nauthorization: AWS4-HMAC-SHA256 \
     Credential=1/2/eu-west-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0\r\n\
     content-length: 2\r\n\r\n{}",
    "POST /_keywright/clock HTTP/1.1\r\nhost: [::1]:1\r\ntransfer-encoding: chunked\r\n\r\n\
     f\r\n{\"advance\": \"PT\r\n4\r\n1H\"}\r\n0\r\na: b\r\n\r\n",
    "POST /_keywright/seed HTTP/1.1\r\nhost: localhost\r\ncontent-length: 18446744073709551615\r\n\r\n[",
    "POST / HTTP/1.0\r\nhost: localhost\r\nexpect: 100-continue\r\nupgrade: h2c\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\x16\x03\x01\x02\0\x01\0",
];

/// Whatever comes over a connection to the served sandbox, as a request or as none: it is answered or cut off, the next
/// one is answered too, and the answer costs little.
#[test]
fn bytes_for_the_served_sandbox() {
    let served = Served::start();
    let check = |send: &dyn Fn()| {
        #[cfg(target_os = "linux")]
        let begun = served.cpu_time();
        send();
        served.check_and_reset();
        #[cfg(target_os = "linux")]
        {
            let took = served.cpu_time().saturating_sub(begun);
            assert!(took < cpu_time::MOST, "{took:?}");
        }
    };
    // Where it waits for more, so do we, but not for long.
    try_all("bytes", 60, &hostile(RAW), |bytes| {
        check(&|| {
            served.send(&bytes, Duration::from_millis(50));
        });
    });
    try_all("requests", 150, &(prop::sample::select(OPERATIONS), hostile(BODIES)), |(operation, body)| {
        check(&|| {
            served.ask(&format!("POST / HTTP/1.1\r\nx-amz-target: secretsmanager.{operation}\r\n{CREDENTIAL}"), &body);
        });
    });
    let orders = (
        prop::sample::select(vec!["clock", "faults", "policy", "seed", "calls", "..", ""]),
        // Repeated fixtures are many writes.
        hostile(&[r#"{"advance":"PT240H"}"#, FAULTS, POLICY, FIXTURES]).prop_map(|mut bytes| {
            bytes.truncate(4096);
            bytes
        }),
    );
    try_all("orders", 100, &orders, |(path, body)| {
        check(&|| {
            served.ask(&format!("POST /_keywright/{path} HTTP/1.1"), &body);
        });
    });
    #[cfg(target_os = "linux")]
    assert_little_memory("the served sandbox", &served.process.id().to_string());
}

fn write_project(folder: &Path, secret: &str) {
    std::fs::write(folder.join("keywright.yaml"), PROJECT).expect("a file");
    std::fs::write(folder.join("s.yaml"), secret).expect("a file");
}
