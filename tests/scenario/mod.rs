//! One scenario: its sections, what each does, and the comparison with what was expected.

mod files;
mod fits;
mod live;
pub(crate) mod operations;
mod replay;
mod sections;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use keywright::sandbox::{Fault, FaultKind, Sandbox};
use replay::JournalOf;
use sections::{Header, Section};
use similar::TextDiff;

use crate::support::{self, is_write};

/// Verbs that are run on the scenario's sandbox.
const TALKS_TO_AWS: [&str; 14] = [
    "doctor",
    "plan",
    "apply",
    "drift",
    "inventory",
    "watch",
    "graph",
    "import",
    "release",
    "versions",
    "rollback",
    "rotate",
    "restore",
    "promote",
];

/// Runs the scenario in `path`. An error says where it differs from what is written.
pub(crate) fn run(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let written = sections::parse(&text)?;
    let mut stage = Stage::new();
    let mut played: Vec<Section> = Vec::with_capacity(written.len());
    for section in &written {
        let body = stage.play(section).map_err(|error| format!("--- {}: {error}", section.title))?;
        played.push(Section { body, ..section.clone() });
    }
    let finished = stage.finish();

    let happened = sections::write(&played);
    if happened == text {
        return finished;
    }
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        return std::fs::write(path, happened).map_err(|error| error.to_string()).and(finished);
    }
    finished?;
    let diff = TextDiff::from_lines(text.as_str(), happened.as_str());
    Err(format!("what is written (-) is not what happened (+):\n{}", diff.unified_diff().context_radius(4)))
}

/// The state of the scenario so far.
struct Stage {
    folder: tempfile::TempDir,
    /// Where journals are that the scenario does not ask for.
    aside: tempfile::TempDir,
    sandbox: Sandbox,
    answer: Option<String>,
    /// Calls already told by a `calls` section.
    told: usize,
    /// Where the scenario may end with a plan that is not empty.
    open: bool,
    ran: bool,
}

impl Stage {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            aside: tempfile::tempdir().expect("a temporary folder"),
            sandbox: support::sandbox(),
            answer: None,
            told: 0,
            open: false,
            ran: false,
        }
    }

    /// Does what a section says, and returns the body that it should have.
    fn play(&mut self, section: &Section) -> Result<String, String> {
        let body = section.body.as_str();
        match &section.header {
            Header::Story | Header::Situation => {}
            Header::File(name) => support::write_files(self.folder.path(), [(name.as_str(), body)]),
            Header::FileAfter(name) => {
                let text = std::fs::read_to_string(self.folder.path().join(name)).map_err(|error| error.to_string())?;
                return Ok(tidy(&text, &self.folder.path().to_string_lossy()));
            }
            Header::Bytes(_) | Header::Remove(_) | Header::Move { .. } | Header::Link { .. } => {
                files::change(self.folder.path(), &section.header, body).map_err(|error| error.to_string())?;
            }
            Header::Live { account, region } => {
                live::make(&self.sandbox, account, region, body)?;
                self.told = 0;
            }
            Header::Meanwhile { operation, secret, nth, account, region } => {
                let calls = live::parse_calls(body)?;
                let (operation, secret, nth) = (operation.clone(), secret.clone(), *nth);
                let (account, region) = (account.clone(), region.clone());
                let (seen, calls) = (AtomicUsize::new(0), Mutex::new(calls));
                self.sandbox.on_call(Box::new(move |call, sandbox| {
                    let is_about = secret.is_empty() || call.secret.as_deref() == Some(secret.as_str());
                    let matches = call.operation == operation && is_about;
                    if matches && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                        for (operation, body) in calls.lock().expect("no hook panicked").drain(..) {
                            support::call(sandbox, &account, &region, &operation, &body);
                        }
                    }
                }));
            }
            Header::Fault { operation, secret } => {
                let kind = if body.trim() == "answer lost" {
                    FaultKind::AnswerLost
                } else {
                    let (code, message) = body.trim().split_once(": ").ok_or("a fault reads `Code: message`")?;
                    FaultKind::Error { status: 400, code: code.to_owned(), message: message.to_owned() }
                };
                self.sandbox.inject(Fault {
                    operation: Some(operation.clone()),
                    secret: Some(secret.clone()),
                    skip: 0,
                    times: Some(1),
                    kind,
                });
            }
            Header::Faults if body.trim() == "{}" => self.sandbox.clear_faults(),
            Header::Faults => self.sandbox.apply_fault_file(body).map_err(|error| error.to_string())?,
            Header::Later(hours) => {
                let hours = std::time::Duration::from_secs(hours * 3_600);
                self.sandbox.advance(hours).map_err(|error| error.to_string())?;
            }
            Header::Answer(answer) => self.answer = Some(answer.clone()),
            Header::Run(line) => return Ok(self.run(line)),
            Header::Writes => return Ok(self.writes()),
            Header::Calls => return Ok(self.calls()),
            Header::ByHand { account, region, caller } => {
                for (operation, body) in live::parse_calls(body)? {
                    let caller = caller.as_deref();
                    support::call_as(&self.sandbox, (account, region), caller, &operation, &body);
                }
                // What somebody else did is not what keywright did.
                self.told = self.sandbox.calls().len();
            }
            Header::LiveAfter { account, region } => {
                return Ok(tidy(&live::dump(&self.sandbox, account, region), "\0"));
            }
            Header::Open => self.open = true,
        }
        Ok(section.body.clone())
    }

    fn run(&mut self, line: &str) -> String {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let line = line.replace("PROJECT", &folder);
        let mut args: Vec<&str> = line.split_whitespace().collect();
        if args.first() == Some(&"keywright") {
            args.remove(0);
        }
        let verb = args.first().copied().unwrap_or_default().to_owned();
        args.extend(["--project", &folder]);
        // What needs no live state, or takes a Terraform state instead, talks to nobody.
        let offline = args.iter().any(|arg| ["--offline", "--from-tfstate"].contains(arg));
        if TALKS_TO_AWS.contains(&verb.as_str()) && !offline {
            args.push("--sandbox");
        }
        if verb == "apply" {
            // One secret after the other, so that the scenario has one order.
            args.extend(["--concurrency", "1"]);
        }
        let before = self.sandbox.calls().len();
        let answer = self.answer.take();
        let mut args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let journal = JournalOf::of(&verb, &mut args, self.folder.path(), self.aside.path());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = support::keywright(&self.sandbox, &args, answer.as_deref());
        if let Some(journal) = journal {
            let calls = self.sandbox.calls().into_iter().skip(before);
            journal.compare(calls).expect("the journal is the log of the calls");
        }
        operations::called_by_keywright(self.sandbox.calls().into_iter().skip(before));
        let may_write = verb == "watch" && args.contains(&"--apply");
        if !may_write
            && !["apply", "release", "rollback", "restore", "rotate", "promote", "sandbox"].contains(&verb.as_str())
        {
            let wrote = self.sandbox.calls().into_iter().skip(before).any(|call| is_write(&call));
            assert!(!wrote, "{verb} must never write");
        }
        fits::assert_fits(&verb, &args, &run.out);
        self.ran = true;
        let mut body = run.out;
        if !run.err.is_empty() {
            body.push_str("~~~ stderr\n");
            body.push_str(&run.err);
        }
        body.push_str(&format!("~~~ exit {}\n", run.code.code()));
        tidy(&body, &folder)
    }

    /// The writing calls since the last such section, one a line.
    fn writes(&mut self) -> String {
        let calls = self.sandbox.calls();
        let lines = live::tell_calls(calls.iter().skip(self.told).filter(|call| is_write(call)));
        self.told = calls.len();
        lines
    }

    /// How often each operation was called since the last such section.
    fn calls(&mut self) -> String {
        let calls = self.sandbox.calls();
        let mut counts = std::collections::BTreeMap::<&str, usize>::new();
        for call in calls.iter().skip(self.told) {
            *counts.entry(&call.operation).or_default() += 1;
        }
        let text = counts.iter().map(|(operation, number)| format!("{operation} {number}\n")).collect();
        self.told = calls.len();
        text
    }

    /// Every scenario ends with a plan that has nothing to do, unless it says why not.
    fn finish(self) -> Result<(), String> {
        if self.open || !self.ran {
            return Ok(());
        }
        let folder = self.folder.path().to_string_lossy().into_owned();
        let run = support::keywright(
            &self.sandbox,
            &["plan", "--detailed-exitcode", "--sandbox", "--project", &folder],
            None,
        );
        if run.code.code() == 0 {
            return Ok(());
        }
        Err(format!("the scenario does not end with an empty plan:\n{}{}", run.out, run.err))
    }
}

/// Takes out what differs from run to run: the temporary folder, request ids and random version ids. Lines lose their
/// trailing spaces.
fn tidy(text: &str, folder: &str) -> String {
    let text = text.replace(folder, "PROJECT");
    let uuid = regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern");
    let text = uuid.replace_all(&text, "RANDOM-UUID");
    // Of keywright itself, and of the machine.
    let own = regex::Regex::new(&format!("(keywright |\"version\": \"){}", regex::escape(env!("CARGO_PKG_VERSION"))));
    let text = own.expect("a pattern").replace_all(&text, "${1}VERSION");
    let built = regex::Regex::new("VERSION \\([a-z]+, [a-z0-9_]+ [a-z]+\\)").expect("a pattern");
    let text = built.replace_all(&text, "VERSION (BUILD)");
    let built = regex::Regex::new("(\"(build|platform)\": )\"[^\"]*\"").expect("a pattern");
    let text = built.replace_all(&text, "$1\"(masked)\"");
    // Of the SDK under keywright, as events show it.
    let agent = regex::Regex::new("aws-sdk-rust/[^)(\"]+( \\(event|\")").expect("a pattern");
    let text = agent.replace_all(&text, "aws-sdk-rust/VERSION$1");
    let journal = regex::Regex::new("\"time\":\"[^\"]*\"|\"requestId\":\"[^\"]*\"").expect("a pattern");
    let text = journal.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("{}\"(masked)\"", &found[0][..=found[0].find(':').unwrap_or_default()])
    });
    let seconds = regex::Regex::new("(\"seconds\": ?)[0-9.e-]+").expect("a pattern");
    let text = seconds.replace_all(&text, "${1}0.0");
    let lasted = regex::Regex::new("(_duration_seconds\\{[^}]*\\} | time=\")[0-9.e-]+").expect("a pattern");
    let text = lasted.replace_all(&text, "${1}0.0");
    let took = regex::Regex::new("took [0-9.]+ s(; journal: /[^ ]*/journal\\.jsonl)?").expect("a pattern");
    let text = took.replace_all(&text, "took 0.0 s");
    let config = regex::Regex::new("[^ ]*/sops/age/keys.txt").expect("a pattern");
    let text = config.replace_all(&text, "CONFIG/sops/age/keys.txt");
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut line = line.trim_end().to_owned();
        if let Some(start) = line.find("(request id ")
            && let Some(length) = line[start..].find(')')
        {
            line.replace_range(start..=start + length, "(request id)");
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}
