//! What the integration tests share: a raw client of the sandbox, and runs of keywright with their output caught.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use keywright::cli::Output;
use keywright::cli::Shell;
use keywright::exit_code::ExitCode;
use keywright::sandbox::{Call, Clock, Options, Sandbox};
use serde_json::Value;

/// A sandbox in memory whose clock stands still and whose ARNs are always the same.
pub(crate) fn sandbox() -> Sandbox {
    let start = "2026-01-01T12:00:00Z".parse().expect("a timestamp");
    Sandbox::in_memory(Options { rng_seed: 7, clock: Clock::manual(start) })
}

/// Calls an operation as an AWS client would, without keywright. Panics when the sandbox answers with an error.
pub(crate) fn call(sandbox: &Sandbox, account: &str, region: &str, operation: &str, body: &Value) -> Value {
    let answer = respond(sandbox, account, region, operation, body);
    assert!(answer.is_ok(), "{operation} {body}: {answer:?}");
    answer.unwrap_or_default()
}

/// The same as somebody: an IAM user by its name, or a session of a role as `ROLE/SESSION`; the role may have a path.
pub(crate) fn call_as(
    sandbox: &Sandbox,
    (account, region): (&str, &str),
    caller: Option<&str>,
    operation: &str,
    body: &Value,
) -> Value {
    let answer = match caller {
        None => respond(sandbox, account, region, operation, body),
        Some(caller) => respond_to(sandbox, &Keys::of(sandbox, account, region, caller), region, operation, body),
    };
    assert!(answer.is_ok(), "{operation} {body}: {answer:?}");
    answer.unwrap_or_default()
}

/// Keys that say who sends a request.
struct Keys {
    access_key_id: String,
    session_token: Option<String>,
}

impl Keys {
    fn of(sandbox: &Sandbox, account: &str, region: &str, caller: &str) -> Self {
        let Some((role, session)) = caller.rsplit_once('/') else {
            return Self { access_key_id: format!("{account}.{caller}"), session_token: None };
        };
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::{account}:role/{role}&RoleSessionName={session}"
        );
        let credential = format!("{account}/20260101/{region}/sts/aws4_request");
        let request = http::Request::post("http://sts.example/")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=00"))
            .body(Bytes::from(form))
            .expect("a request");
        let answer = String::from_utf8_lossy(sandbox.respond(&request).body()).into_owned();
        let member = |name: &str| {
            let rest = answer.split(&format!("<{name}>")).nth(1).expect("AssumeRole answers with keys");
            rest.split("</").next().expect("a text has a first part").to_owned()
        };
        Self { access_key_id: member("AccessKeyId"), session_token: Some(member("SessionToken")) }
    }
}

/// The same; none when the sandbox answers with an error.
pub(crate) fn try_call(sandbox: &Sandbox, account: &str, region: &str, operation: &str, body: &Value) -> Option<Value> {
    respond(sandbox, account, region, operation, body).ok()
}

fn respond(sandbox: &Sandbox, account: &str, region: &str, operation: &str, body: &Value) -> Result<Value, String> {
    let keys = Keys { access_key_id: account.to_owned(), session_token: None };
    respond_to(sandbox, &keys, region, operation, body)
}

fn respond_to(sandbox: &Sandbox, keys: &Keys, region: &str, operation: &str, body: &Value) -> Result<Value, String> {
    let Keys { access_key_id, session_token } = keys;
    let credential = format!("{access_key_id}/20260101/{region}/secretsmanager/aws4_request");
    let request = http::Request::post("http://secretsmanager.example/")
        .header("x-amz-target", format!("secretsmanager.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("user-agent", "aws-cli/2.31.0")
        .header("x-amz-security-token", session_token.as_deref().unwrap_or_default())
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"))
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let response = sandbox.respond(&request);
    let text = String::from_utf8_lossy(response.body()).into_owned();
    if response.status() != 200 {
        return Err(text);
    }
    Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") })
}

/// Whether an operation can change anything.
pub(crate) fn is_write(call: &Call) -> bool {
    !matches!(
        call.operation.as_str(),
        "DescribeSecret"
            | "ListSecrets"
            | "ListSecretVersionIds"
            | "GetResourcePolicy"
            | "ListResourcePolicies"
            | "GetSecretValue"
            | "BatchGetSecretValue"
            | "GetCallerIdentity"
            | "ValidateResourcePolicy"
            | "GetRandomPassword"
            | "LookupEvents"
    )
}

/// No values: for tests of everything else.
pub(crate) struct NoValues;

impl keywright::value::Values for NoValues {
    async fn render(
        &self,
        _: &keywright::value::Source,
        _: Option<&keywright::value::SecretValue>,
        _: &keywright::value::Arns<'_>,
    ) -> Result<keywright::value::SecretValue, keywright::value::ValueError> {
        unreachable!("no value is declared")
    }

    fn identity(
        &self,
        _: &keywright::domain::SecretName,
        _: &keywright::value::Source,
        _: &keywright::value::Arns<'_>,
    ) -> Result<keywright::value::Identity, keywright::value::ValueError> {
        unreachable!("no value is declared")
    }
}

/// What one run of keywright left behind.
pub(crate) struct Run {
    /// What it ended with.
    pub(crate) code: ExitCode,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Caught {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no run panicked").clone()).expect("UTF-8 output")
    }
}

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no run panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a command line in this process, against `sandbox`. `answer` is typed at the terminal, when there is one.
pub(crate) fn keywright(sandbox: &Sandbox, args: &[&str], answer: Option<&str>) -> Run {
    keywright_within(None, sandbox, args, answer)
}

/// The same on a terminal of so many columns.
pub(crate) fn keywright_within(columns: Option<usize>, sandbox: &Sandbox, args: &[&str], answer: Option<&str>) -> Run {
    let (out, err) = (Caught::default(), Caught::default());
    let mut shell = Shell {
        out: Output::new(Box::new(out.clone()), false).within(columns),
        err: Output::new(Box::new(err.clone()), false).within(columns),
        input: Mutex::new(answer.map(|answer| Box::new(Cursor::new(format!("{answer}\n"))) as Box<_>)),
        interactive: answer.is_some(),
        progress: false,
        sandbox: Some(sandbox.clone()),
        wrote: AtomicBool::new(false),
    };
    let line = std::iter::once("keywright").chain(args.iter().copied()).map(OsString::from);
    let code = keywright::cli::run(line.collect(), &mut shell);
    drop(shell);
    Run { code, out: out.text(), err: err.text() }
}

/// Writes files below a folder.
pub(crate) fn write_files<'a>(root: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
}
