//! The journal against the sandbox's own log: for every run of every scenario they say the same calls, secret by secret
//! and in the same order, lost answers and failures included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keywright::sandbox::{Call, Outcome};
use serde_json::Value;

use crate::support::is_write;

/// A call as both sides know it: the operation and the word for what came back.
type Told = (String, String);

/// The calls for each secret of each region.
type BySecret = BTreeMap<(String, String), Vec<Told>>;

/// The journal of one run.
pub(crate) struct JournalOf {
    path: PathBuf,
    before: usize,
}

impl JournalOf {
    /// The journal that a run is going to write: the one that its arguments name, or the one that it has by itself.
    /// None when it writes none, or into something that is no file.
    pub(crate) fn of(verb: &str, args: &mut Vec<String>, project: &Path, aside: &Path) -> Option<Self> {
        let named = args.iter().position(|arg| arg == "--journal").and_then(|at| args.get(at + 1)).map(PathBuf::from);
        let path = match (named, verb) {
            (Some(path), _) => path,
            (None, "release" | "rollback" | "restore" | "rotate" | "promote") => {
                project.join(".keywright").join("journal.jsonl")
            }
            (None, "apply") => aside.join("journal.jsonl"),
            (None, "watch") if args.iter().any(|arg| arg == "--apply") => aside.join("journal.jsonl"),
            _ => return None,
        };
        if path.exists() && !path.is_file() {
            return None;
        }
        if path.starts_with(aside) {
            args.extend(["--journal".to_owned(), path.to_string_lossy().into_owned()]);
        }
        let before = lines(&path).len();
        Some(Self { path, before })
    }

    /// What differs between the lines of the run and its calls, when anything does.
    pub(crate) fn compare(&self, calls: impl Iterator<Item = Call>) -> Result<(), String> {
        let mut called = BySecret::new();
        for call in calls.filter(is_write) {
            let word = match &call.outcome {
                Outcome::Ok => "done".to_owned(),
                Outcome::Error(code) => code.clone(),
                Outcome::Dropped => "lost".to_owned(),
                Outcome::Pending => "pending".to_owned(),
            };
            let place = (call.region, call.secret.unwrap_or_default());
            called.entry(place).or_default().push((call.operation, word));
        }
        let mut noted = BySecret::new();
        for line in lines(&self.path).iter().skip(self.before) {
            let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            // What was refused has the service's code, whether it came true in spite of that or not.
            let word = line["code"].as_str().map_or_else(|| text("result"), str::to_owned);
            if word != "lost" && line["requestId"].is_null() {
                return Err(format!("an answer without its request id: {line}"));
            }
            if line["arn"].is_null() && word == "done" && text("operation") != "StopReplicationToReplica" {
                return Err(format!("a call without the ARN that it had or got: {line}"));
            }
            noted.entry((text("region"), text("secret"))).or_default().push((text("operation"), word));
        }
        if noted == called { Ok(()) } else { Err(format!("the journal says {noted:#?}\nbut the log says {called:#?}")) }
    }
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
