//! A history as it goes: the sandbox, the project's folder, what git said and says, and a ledger of what keywright came
//! to own, kept from the log of calls alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use keywright::sandbox::{Call, Fault, FaultKind, Outcome, Sandbox};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::git::{Git, TARGETS};
use super::troubles::Trouble;
use crate::stage::ACCOUNT;
use crate::support::{self, Run, call, is_write};

/// The tag by which keywright knows what is its own.
pub(super) const OWNER: &str = "keywright:project";

/// A command of a handful of secrets ends within this, whatever goes wrong: what passes is waited out, for a bounded
/// time.
const LONGEST: Duration = Duration::from_mins(2);

/// A live secret.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) arn: String,
    pub(super) description: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) policy: Option<Value>,
    pub(super) scheduled: bool,
    /// The version with AWSCURRENT.
    pub(super) current: Option<String>,
    pub(super) pending: Option<String>,
    pub(super) value: Option<String>,
    pub(super) rotating: bool,
}

impl Seen {
    pub(super) fn is_protected(&self) -> bool {
        self.tags.contains_key("keywright:protect")
    }

    /// The current version, when neither git nor keywright made it.
    pub(super) fn not_of_git(&self) -> Option<&str> {
        self.current.as_deref().filter(|id| !id.starts_with("kw1-"))
    }
}

/// What is live, by region and name.
pub(super) type Snapshot = BTreeMap<(&'static str, String), Seen>;

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) folder: tempfile::TempDir,
    pub(super) commits: Vec<Git>,
    /// By ARN, the owner tag that keywright last wrote.
    ledger: BTreeMap<String, String>,
    tokens: usize,
    /// How many writing calls are carried out before the rest is refused; below zero there is no end.
    left: Arc<AtomicIsize>,
}

/// One command on the world, and what came of it.
pub(super) struct Done {
    pub(super) before: Snapshot,
    pub(super) after: Snapshot,
    /// The writing calls that succeeded, and those of which nobody knows.
    pub(super) writes: Vec<Call>,
    pub(super) run: Run,
}

impl World {
    pub(super) fn new(git: Git) -> Self {
        let world = Self {
            sandbox: support::sandbox(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            commits: Vec::new(),
            ledger: BTreeMap::new(),
            tokens: 0,
            left: Arc::new(AtomicIsize::new(-1)),
        };
        let left = Arc::clone(&world.left);
        world.sandbox.on_call(Box::new(move |call, sandbox| {
            if is_write(call) && left.load(Ordering::SeqCst) >= 0 && left.fetch_sub(1, Ordering::SeqCst) == 0 {
                let message = "killed".to_owned();
                let kind = FaultKind::Error { status: 400, code: "AccessDeniedException".to_owned(), message };
                sandbox.inject(Fault { operation: None, secret: None, skip: 0, times: None, kind });
            }
        }));
        Self { commits: Vec::new(), ..world }.committed(git)
    }

    fn committed(mut self, git: Git) -> Self {
        self.commit(git);
        self
    }

    pub(super) fn commit(&mut self, git: Git) {
        for (name, text) in git.files() {
            support::write_files(self.folder.path(), [(name, text.as_str())]);
            if text.is_empty() {
                // An empty file is passed over, which is a guard of its own.
                std::fs::remove_file(self.folder.path().join(name)).expect("it was just written");
            }
        }
        self.commits.push(git);
    }

    pub(super) fn git(&self) -> &Git {
        self.commits.last().expect("there is a first commit")
    }

    pub(super) fn token(&mut self) -> String {
        self.tokens += 1;
        format!("by-hand-{:024}", self.tokens)
    }

    /// Whether keywright owns a live secret: it wrote the tag that is there.
    pub(super) fn owns(&self, secret: &Seen) -> bool {
        let tag = secret.tags.get(OWNER);
        tag.is_some() && self.ledger.get(&secret.arn) == tag
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new();
        for (_, region) in TARGETS {
            for secret in self.sandbox.dump(ACCOUNT, region) {
                let id = json!({ "SecretId": secret.name });
                let described = call(&self.sandbox, ACCOUNT, region, "DescribeSecret", &id);
                let value = support::try_call(&self.sandbox, ACCOUNT, region, "GetSecretValue", &id);
                let seen = Seen {
                    arn: described["ARN"].as_str().unwrap_or_default().to_owned(),
                    description: secret.description.unwrap_or_default(),
                    tags: secret.tags,
                    policy: secret.policy,
                    scheduled: secret.scheduled_for_deletion,
                    current: secret.labels.get("AWSCURRENT").cloned(),
                    pending: secret.labels.get("AWSPENDING").cloned(),
                    value: value.and_then(|value| value["SecretString"].as_str().map(str::to_owned)),
                    rotating: secret.rotation_enabled.unwrap_or_default(),
                };
                snapshot.insert((region, secret.name), seen);
            }
        }
        snapshot
    }

    /// Runs a command that must not write.
    pub(super) fn look(&self, args: &[&str]) -> Run {
        let calls = self.sandbox.calls().len();
        let run = crate::stage::run(&self.sandbox, &self.folder, args);
        assert!(!self.sandbox.calls().iter().skip(calls).any(is_write), "{args:?} wrote");
        run
    }

    /// Runs a command in some trouble; after `killed` writing calls everything is refused. It has to end.
    pub(super) fn run(
        &mut self,
        args: &[&str],
        killed: Option<usize>,
        trouble: &Trouble,
    ) -> Result<Done, TestCaseError> {
        let fault_file = trouble.fault_file(self.git());
        let before = self.snapshot();
        let calls = self.sandbox.calls().len();
        self.sandbox.apply_fault_file(&fault_file).expect("a fault file");
        let begun = Instant::now();
        self.left.store(killed.map_or(-1, |calls| isize::try_from(calls).unwrap_or(-1)), Ordering::SeqCst);
        let run = crate::stage::run(&self.sandbox, &self.folder, args);
        let took = begun.elapsed();
        self.left.store(-1, Ordering::SeqCst);
        self.sandbox.clear_faults();
        if took > LONGEST {
            return Err(TestCaseError::fail(format!("{args:?} took {took:?} under {fault_file}")));
        }
        let calls = self.sandbox.calls().into_iter().skip(calls);
        // A call whose answer was lost was carried out.
        let may_be_done = |call: &Call| matches!(call.outcome, Outcome::Ok | Outcome::Dropped);
        let writes: Vec<Call> = calls.filter(|call| is_write(call) && may_be_done(call)).collect();
        let after = self.snapshot();
        self.keep_ledger(&before, &after, &writes);
        Ok(Done { before, after, writes, run })
    }

    /// A tag that came or changed during a run, on a secret that the run wrote to, is keywright's.
    fn keep_ledger(&mut self, before: &Snapshot, after: &Snapshot, writes: &[Call]) {
        for write in writes.iter().filter(|call| ["CreateSecret", "TagResource"].contains(&call.operation.as_str())) {
            let is_it =
                |(region, name): &(&str, String)| *region == write.region && Some(name) == write.secret.as_ref();
            let Some((place, seen)) = after.iter().find(|(place, _)| is_it(place)) else { continue };
            let tag = seen.tags.get(OWNER);
            let had = before.get(place).filter(|was| was.arn == seen.arn).and_then(|was| was.tags.get(OWNER));
            if let Some(tag) = tag.filter(|tag| had != Some(tag)) {
                self.ledger.insert(seen.arn.clone(), tag.clone());
            }
        }
    }
}
