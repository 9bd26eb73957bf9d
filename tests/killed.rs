//! An apply that is killed at any of its API calls, before the call and after it: the next apply finishes the work, and
//! nothing is made twice or lost.
//!
//! The real binary, killed by the sandbox's own faults at exactly one call. The run holds every kind of action; each
//! call of it is tried, reads and the answers that never arrive included.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};

use keywright::sandbox::{Fault, FaultKind, SecretDump};
use keywright::workflow::open_sandbox;
use serde_json::{Value, json};

const ACCOUNT: &str = "111111111111";
/// The account that a value is copied to.
const OTHER: &str = "222222222222";
const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "us-west-2"];
const SIGKILL: i32 = 9;

/// The guards that such a run would stop at.
const APPLY: [&str; 20] = [
    "apply",
    "--yes",
    "--concurrency",
    "1",
    "--allow-remove-all",
    "--allow-cross-account-replica",
    "--allow-replace-replicas",
    "--allow-moves",
    "--allow-copy-values",
    "--allow-lose-value",
    "--allow-restore-unowned",
    "--allow-undo-rotation",
    "--allow-remove-replicas",
    "--allow-cancel-rotation",
    "--allow-replace-values",
    "--allow-rotate-now",
    "--max-deletes",
    "99",
    "--max-changes-percent",
    "100",
];

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets: [{ name: dev, account: \"111111111111\", region: eu-west-1 }]
  scope: { namePrefixes: [dev/] }
  prune: delete
";

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111111111111:function:rotate";

fn policy(role: &str) -> String {
    format!(
        "{{ Version: \"2012-10-17\", Statement: [{{ Effect: Allow, Principal: {{ AWS: \
         \"arn:aws:iam::111111111111:role/{role}\" }}, Action: \"secretsmanager:GetSecretValue\", Resource: \"*\" }}] \
         }}"
    )
}

fn manifests<'a>(secrets: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let document = |(name, spec): (&str, String)| {
        let state = if name == "absent" { ", state: absent" } else { "" };
        format!("---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: dev/{name}{state} }}\nspec: {spec}\n")
    };
    secrets.into_iter().map(document).collect()
}

/// What is live at first, by two applies: the second gives `reverted` its second version.
fn first(reverted: &str) -> String {
    let rotation = format!("{{ value: {{ text: first }}, rotation: {{ lambdaArn: \"{FUNCTION}\", everyDays: 30 }} }}");
    manifests([
        ("cancelled", rotation.clone()),
        ("labelled", "{ value: { text: one }, labels: { BLUE: git } }".to_owned()),
        ("orphan", "{ value: { text: old }, replicas: [{ region: us-east-1 }] }".to_owned()),
        ("plain", format!("{{ description: Before, tags: {{ team: a, gone: x }}, policy: {} }}", policy("old"))),
        ("policied", format!("{{ policy: {} }}", policy("old"))),
        ("replicated", "{ value: { text: copied }, replicas: [{ region: us-east-1 }] }".to_owned()),
        ("restored", "{ description: Before, value: { text: kept } }".to_owned()),
        ("reverted", format!("{{ value: {{ text: {reverted} }} }}")),
        ("rotated", rotation),
        ("unlabelled", "{ value: { text: one }, labels: { OLD: git } }".to_owned()),
        ("unwanted", "{ value: { text: unwanted } }".to_owned()),
    ])
}

/// What is wanted then: every kind of action.
fn second() -> String {
    let created = format!(
        "{{ description: New, tags: {{ team: a }}, policy: {}, value: {{ text: new }}, labels: {{ MINE: git }}, \
         replicas: [{{ region: us-east-1 }}], rotation: {{ lambdaArn: \"{FUNCTION}\", schedule: rate(10 days) }} }}",
        policy("new")
    );
    let rotated = format!(
        "{{ value: {{ text: first }}, rotation: {{ lambdaArn: \"{FUNCTION}\", everyDays: 7, rotateImmediately: true \
         }} }}"
    );
    manifests([
        ("absent", "{ deletion: { recoveryWindowDays: 7 } }".to_owned()),
        ("cancelled", "{ rotation: null }".to_owned()),
        ("created", created),
        ("generated", "{ value: { generate: { length: 20 } } }".to_owned()),
        ("labelled", "{ value: { text: two }, labels: { BLUE: git } }".to_owned()),
        ("plain", "{ description: After, kmsKeyId: alias/other, tags: { team: b, new: y }, policy: null }".to_owned()),
        ("policied", format!("{{ policy: {} }}", policy("new"))),
        ("replicated", "{ value: { text: copied }, replicas: [{ region: us-west-2 }] }".to_owned()),
        ("restored", "{ description: After, value: { text: kept } }".to_owned()),
        ("reverted", "{ value: { text: one } }".to_owned()),
        ("rotated", rotated),
        ("unlabelled", "{ value: { text: one }, labels: {} }".to_owned()),
    ])
}

/// The manifests of secrets that move, under their old names or under the new ones.
fn moving(renamed: bool) -> String {
    let rotation = format!("{{ lambdaArn: \"{FUNCTION}\", everyDays: 30 }}");
    let secrets = [
        ("db", format!("{{ tags: {{ team: a }}, policy: {}, replicas: [{{ region: us-east-1 }}] }}", policy("app"))),
        ("generated", "{ value: { generate: { length: 20 } }, labels: { STABLE: git } }".to_owned()),
        ("rotated", format!("{{ rotation: {rotation} }}")),
        ("text", format!("{{ value: {{ text: of git }}, policy: {} }}", policy("app"))),
    ];
    let document = |(name, spec): (&str, String)| {
        let named = if renamed { format!("dev/new-{name}, renamedFrom: dev/{name}") } else { format!("dev/{name}") };
        format!("---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: {named} }}\nspec: {spec}\n")
    };
    secrets.into_iter().map(document).collect()
}

/// Two targets in two accounts: a value that is copied from one to the other, one whose copying ends, one whose replica
/// gets another primary, and one that goes on both sides.
fn linking(later: bool) -> String {
    let project = "---
apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets:
    - { name: dev, account: \"111111111111\", region: eu-west-1 }
    - { name: data, account: \"222222222222\", region: eu-west-1 }
  scope: { namePrefixes: [dev/] }
  prune: delete
";
    let document = |target: &str, name: &str, spec: String| {
        let head = "---\napiVersion: keywright/v1\nkind: Secret\nmetadata";
        format!("{head}: {{ name: dev/{name}, targets: [{target}] }}\nspec: {spec}\n")
    };
    let primary = |name: &str, value: &str, replica: Option<&str>| {
        let replica =
            replica.map_or("null".to_owned(), |name| format!("{{ secret: {{ target: data, name: dev/{name} }} }}"));
        document("dev", name, format!("{{ value: {{ text: {value} }}, crossAccountReplica: {replica} }}"))
    };
    let replica = |name: &str, primary: Option<&str>| {
        let primary = primary.map_or("null".to_owned(), |name| format!("{{ target: dev, name: dev/{name} }}"));
        document("data", name, format!("{{ kmsKeyId: alias/data, crossAccountPrimary: {primary} }}"))
    };
    let mut documents = vec![project.to_owned()];
    if later {
        documents.extend([primary("made", "one", Some("made")), replica("made", Some("made"))]);
        documents.extend([primary("kept", "two", Some("kept")), replica("kept", Some("kept"))]);
        documents.extend([primary("ended", "two", None), replica("ended", None)]);
        documents.extend([primary("second", "two", Some("other")), replica("other", Some("second"))]);
        documents.push(primary("first", "one", None));
    } else {
        documents.extend([primary("kept", "one", Some("kept")), replica("kept", Some("kept"))]);
        documents.extend([primary("ended", "one", Some("ended")), replica("ended", Some("ended"))]);
        documents.extend([primary("first", "one", Some("other")), replica("other", Some("first"))]);
        documents.extend([primary("gone", "one", Some("gone")), replica("gone", Some("gone"))]);
    }
    documents.concat()
}

/// What is live, by region and name.
type Dump = BTreeMap<(&'static str, String), SecretDump>;

/// A folder with the project, in which `sandbox.redb` holds what is live.
struct Stage(tempfile::TempDir);

impl Stage {
    /// What is live before secrets move: values of people, one of them binary, with a label of an operator, a policy,
    /// replicas and rotation; a value of git, and a generated one.
    fn before_moves() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let sandbox = open_sandbox(Some(&root.join("sandbox.redb")), root).expect("a sandbox");
        let documents = moving(false);
        support::write_files(root, [("keywright.yaml", PROJECT), ("secrets.yaml", &documents)]);
        let project = root.to_string_lossy();
        let args: Vec<&str> = APPLY.iter().copied().chain(["--sandbox", "--project", &project]).collect();
        let run = support::keywright(&sandbox, &args, None);
        assert_eq!(run.code, keywright::exit_code::ExitCode::Success, "{}{}", run.out, run.err);
        for (name, labels, value) in [("db", json!(["AWSCURRENT", "OPS"]), "first"), ("db", json!([]), "b2xk")] {
            let mut put =
                json!({ "SecretId": format!("dev/{name}"), "ClientRequestToken": format!("operator-{value:->32}") });
            match value {
                "first" => put["SecretString"] = "an operator's first".into(),
                binary => put["SecretBinary"] = binary.into(),
            }
            if labels != json!([]) {
                put["VersionStages"] = labels;
            }
            support::call(&sandbox, ACCOUNT, REGIONS[0], "PutSecretValue", &put);
        }
        let token = format!("operator-{:->32}", "r");
        let put = json!({ "SecretId": "dev/rotated", "SecretString": "rotated", "ClientRequestToken": token });
        support::call(&sandbox, ACCOUNT, REGIONS[0], "PutSecretValue", &put);
        drop(sandbox);
        // The second apply puts the rotation on, which waited for a value.
        let stage = Self(folder);
        let run = stage.run(&APPLY);
        assert!(run.status.success(), "{}", shown(&run));
        support::write_files(stage.path(), [("secrets.yaml", moving(true).as_str()), ("journal.jsonl", "")]);
        stage
    }

    /// The values that readers get, by name; none where there is none to be got.
    fn values(&self, names: &[&str]) -> BTreeMap<String, Option<Value>> {
        let sandbox = open_sandbox(Some(&self.path().join("sandbox.redb")), self.path()).expect("a sandbox");
        let read = |name: &&str| {
            let answer = support::try_call(
                &sandbox,
                ACCOUNT,
                REGIONS[0],
                "GetSecretValue",
                &json!({ "SecretId": format!("dev/{name}") }),
            );
            let value = answer.map(|answer| json!([answer.get("SecretString"), answer.get("SecretBinary")]));
            ((*name).to_owned(), value)
        };
        names.iter().map(read).collect()
    }

    /// What is live before the run that is killed, with a label and a version of an operator on every secret with a
    /// value.
    fn before() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let sandbox = open_sandbox(Some(&root.join("sandbox.redb")), root).expect("a sandbox");
        for manifests in [first("one"), first("two")] {
            // Under the name that `absent` has later, so that it can be declared as such.
            let manifests = manifests.replace("dev/unwanted", "dev/absent");
            support::write_files(root, [("keywright.yaml", PROJECT), ("secrets.yaml", &manifests)]);
            let project = root.to_string_lossy();
            let args: Vec<&str> = APPLY.iter().copied().chain(["--sandbox", "--project", &project]).collect();
            let run = support::keywright(&sandbox, &args, None);
            assert_eq!(run.code, keywright::exit_code::ExitCode::Success, "{}{}", run.out, run.err);
        }
        for name in ["labelled", "replicated", "reverted", "rotated", "cancelled"] {
            let put = json!({ "SecretId": format!("dev/{name}"), "SecretString": "operator", "VersionStages": ["OPS"],
                "ClientRequestToken": format!("operator-{name:->32}") });
            support::call(&sandbox, ACCOUNT, REGIONS[0], "PutSecretValue", &put);
        }
        let delete = json!({ "SecretId": "dev/restored", "RecoveryWindowInDays": 30 });
        support::call(&sandbox, ACCOUNT, REGIONS[0], "DeleteSecret", &delete);
        support::write_files(root, [("secrets.yaml", second().as_str())]);
        Self(folder)
    }

    fn copy(&self) -> Self {
        let copy = tempfile::tempdir().expect("a temporary folder");
        for entry in std::fs::read_dir(self.0.path()).expect("the stage") {
            let path = entry.expect("a file").path();
            std::fs::copy(&path, copy.path().join(path.file_name().expect("a name"))).expect("a copy");
        }
        Self(copy)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the real binary in it.
    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(args)
            .args((args[0] == "apply").then_some(["--journal", "journal.jsonl"]).iter().flatten())
            .arg(format!("--sandbox={}", self.path().join("sandbox.redb").display()))
            .current_dir(self.path())
            .output()
            .expect("keywright runs")
    }

    /// An apply, and the one that removes the replicas which that has kept, where there are any.
    fn run_to_the_end(&self) -> Output {
        let applied = self.run(&APPLY);
        let kept = String::from_utf8_lossy(&applied.stdout).contains("that no manifest wants: they stay until");
        if kept && applied.status.success() { self.run(&APPLY) } else { applied }
    }

    /// The same with the process killed at the call after `passed` others.
    fn run_killed(&self, passed: usize, carried_out: bool) -> Output {
        let faults =
            json!({ "rules": [{ "skip": passed, "times": 1, "kind": { "killed": { "carriedOut": carried_out } } }] });
        support::write_files(self.path(), [("faults.json", faults.to_string().as_str())]);
        let faults = self.path().join("faults.json");
        let faults = faults.to_string_lossy();
        let args: Vec<&str> = APPLY.iter().copied().chain(["--sandbox-faults", &faults]).collect();
        self.run(&args)
    }

    /// What is live before links between accounts change.
    fn before_links() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        support::write_files(folder.path(), [("keywright.yaml", linking(false).as_str())]);
        let stage = Self(folder);
        let run = stage.run(&APPLY);
        assert!(run.status.success(), "{}", shown(&run));
        support::write_files(stage.path(), [("keywright.yaml", linking(true).as_str()), ("journal.jsonl", "")]);
        stage
    }

    /// What the replicas of the other account hold.
    fn dump_other(&self) -> Dump {
        let sandbox = open_sandbox(Some(&self.path().join("sandbox.redb")), self.path()).expect("a sandbox");
        sandbox.dump(OTHER, REGIONS[0]).into_iter().map(|dump| ((REGIONS[0], dump.name.clone()), dump)).collect()
    }

    fn dump(&self) -> Dump {
        let sandbox = open_sandbox(Some(&self.path().join("sandbox.redb")), self.path()).expect("a sandbox");
        let of =
            |region| sandbox.dump(ACCOUNT, region).into_iter().map(move |dump| ((region, dump.name.clone()), dump));
        REGIONS.into_iter().flat_map(of).collect()
    }

    /// The lines of the journal, each of which is whole.
    fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path().join("journal.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect()
    }
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A state without what is made at random: version ids, in whose place stands who carries them, and the endings of
/// ARNs.
fn essence(dump: &Dump) -> String {
    let endings = regex::Regex::new("(:secret:[^\"]*)-[A-Za-z0-9]{6}\"").expect("a pattern");
    let of = |(key, secret): (&(&str, String), &SecretDump)| {
        let mut secret = secret.clone();
        for version in secret.labels.values_mut() {
            if !version.starts_with("kw1-") && !version.starts_with("operator-") {
                "made at random".clone_into(version);
            }
        }
        endings.replace_all(&format!("{key:?} {secret:?}\n"), "$1\"").into_owned()
    };
    dump.iter().map(of).collect()
}

/// What is gone of what was there before the run, and must never be.
fn lost(before: &Dump, after: &Dump) -> Option<String> {
    for ((region, name), secret) in before.iter().filter(|((region, _), _)| *region == REGIONS[0]) {
        let Some(now) = after.get(&(*region, name.clone())) else { return Some(format!("{name} is gone")) };
        if now.versions < secret.versions {
            return Some(format!("{name} lost a version"));
        }
        if now.labels.get("OPS") != secret.labels.get("OPS") {
            return Some(format!("{name} lost the label OPS"));
        }
        let current = secret.labels.get("AWSCURRENT");
        if current.is_some_and(|current| !now.labels.values().any(|version| version == current)) {
            return Some(format!("{name}: nothing names the version that was current"));
        }
    }
    None
}

/// Kills the run at each of its calls, and finishes it every time.
fn sweep(carried_out: bool) {
    let base = Stage::before();
    let before = base.dump();
    let whole = base.copy();
    let run = whole.run_to_the_end();
    assert!(run.status.success(), "{}", shown(&run));
    let wanted = whole.dump();
    assert_eq!(lost(&before, &wanted), None);
    let operations: BTreeSet<String> =
        whole.journal().iter().map(|line| line["operation"].as_str().unwrap_or_default().to_owned()).collect();
    let every = [
        "CancelRotateSecret",
        "CreateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "PutResourcePolicy",
        "PutSecretValue",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RestoreSecret",
        "RotateSecret",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    ];
    assert_eq!(operations, BTreeSet::from(every.map(str::to_owned)), "every kind of action");

    let (killed, finished) = kill_at_each_call(&base, carried_out, &wanted, |stage, killed, after| {
        if let Some(after) = after {
            assert_eq!(lost(&before, after), None, "call {killed}");
            let noted = stage.journal().len();
            assert!(noted <= killed, "call {killed}: {noted} lines");
        }
    });
    // The reads before the first write, some two dozen writes, and what is read to verify them.
    assert!(killed > 60 && finished > 20, "{killed} calls, {finished} states");
}

/// Kills a run at each of its calls, and lets the next one finish it: the number of calls, and of states that were
/// found. `check` looks at each stage after it was cut, with what is live then, and again once it is finished.
fn kill_at_each_call(
    base: &Stage,
    carried_out: bool,
    wanted: &Dump,
    check: impl Fn(&Stage, usize, Option<&Dump>),
) -> (usize, usize) {
    // From a state that was finished once, the next apply does what it did then.
    let mut finished = BTreeSet::new();
    let mut killed = 0;
    loop {
        let stage = base.copy();
        let cut = stage.run_killed(killed, carried_out);
        if cut.status.success() {
            return (killed, finished.len());
        }
        assert_eq!(cut.status.signal(), Some(SIGKILL), "call {killed}: {}", shown(&cut));
        let after = stage.dump();
        check(&stage, killed, Some(&after));
        let is_new = finished.insert(essence(&after));
        killed += 1;
        if !is_new {
            continue;
        }
        let next = stage.run_to_the_end();
        assert!(next.status.success(), "after call {killed}: {}\nand then\n{}", shown(&cut), shown(&next));
        assert_eq!(essence(&stage.dump()), essence(wanted), "after call {killed}: {}", shown(&next));
        check(&stage, killed, None);
        let plan = stage.run(&["plan", "--detailed-exitcode"]);
        assert!(plan.status.success(), "after call {killed}: {}", shown(&plan));
    }
}

/// Kills the run at each of its calls, over two accounts.
fn sweep_links(carried_out: bool) {
    let base = Stage::before_links();
    let whole = base.copy();
    let run = whole.run(&APPLY);
    assert!(run.status.success(), "{}", shown(&run));
    let wanted = whole.dump();
    let operations: BTreeSet<String> =
        whole.journal().iter().map(|line| line["operation"].as_str().unwrap_or_default().to_owned()).collect();
    let every = ["AssociateCrossAccountReplica", "DisassociateCrossAccountReplica", "StopReplicationToReplica"];
    assert!(every.iter().all(|operation| operations.contains(*operation)), "{operations:?}");
    let states = |dump: &Dump| -> Vec<String> {
        dump.values().map(|secret| format!("{} {:?} {:?}", secret.name, secret.labels, secret.tags)).collect()
    };
    let wanted_there = states(&whole.dump_other());
    let (killed, finished) = kill_at_each_call(&base, carried_out, &wanted, |stage, killed, after| {
        // A value that is not to be copied any more is copied by no half of the run.
        let there = stage.dump_other();
        let ended = there.get(&(REGIONS[0], "dev/ended".to_owned())).expect("the replica stays");
        let current = ended.labels.get("AWSCURRENT").expect("it keeps its value");
        let first = base.dump_other();
        assert_eq!(
            first[&(REGIONS[0], "dev/ended".to_owned())].labels.get("AWSCURRENT"),
            Some(current),
            "call {killed}"
        );
        if after.is_none() {
            assert_eq!(states(&there), wanted_there, "call {killed}");
        }
    });
    assert!(killed > 40 && finished > 10, "{killed} calls, {finished} states");
}

#[test]
fn links_between_accounts_that_are_killed_before_any_call_are_finished_by_the_next_apply() {
    sweep_links(false);
}

#[test]
fn links_between_accounts_that_are_killed_after_any_call_are_finished_by_the_next_apply() {
    sweep_links(true);
}

/// The answer of each call of the run is lost, one at a time: the call was carried out, and is made again. By turns the
/// answer is an error of the service and none at all.
#[test]
fn an_apply_that_loses_any_answer_does_nothing_twice() {
    let base = Stage::before();
    let before = base.dump();
    let whole = base.copy();
    assert!(whole.run(&APPLY).status.success());
    let wanted = whole.dump();
    let mut lost_so_far = 0;
    loop {
        let stage = base.copy();
        let sandbox = open_sandbox(Some(&stage.path().join("sandbox.redb")), stage.path()).expect("a sandbox");
        let kind = if lost_so_far % 2 == 0 { FaultKind::AnswerLost } else { FaultKind::Dropped { carried_out: true } };
        let fault = Fault { operation: None, secret: None, skip: lost_so_far, times: Some(1), kind };
        sandbox.inject(fault);
        let project = stage.path().to_string_lossy().into_owned();
        let args: Vec<&str> = APPLY.iter().copied().chain(["--sandbox", "--project", &project]).collect();
        let run = support::keywright(&sandbox, &args, None);
        let calls = sandbox.calls().len();
        drop(sandbox);
        assert_eq!(run.code, keywright::exit_code::ExitCode::Success, "call {lost_so_far}: {}{}", run.out, run.err);
        let after = stage.dump();
        assert_eq!(lost(&before, &after), None, "call {lost_so_far}");
        assert_eq!(essence(&after), essence(&wanted), "call {lost_so_far}: {}", run.err);
        lost_so_far += 1;
        if lost_so_far as usize >= calls {
            break;
        }
    }
    assert!(lost_so_far > 60, "{lost_so_far} calls");
}

#[test]
fn killed_before_any_call_an_apply_is_finished_by_the_next() {
    sweep(false);
}

#[test]
fn killed_after_any_call_an_apply_is_finished_by_the_next() {
    sweep(true);
}

/// Kills a run in which secrets move at each of its calls: readers get the same value under one of the two names at
/// every moment, and the next apply goes on to the same end.
fn sweep_moves(carried_out: bool) {
    const OLD: [&str; 4] = ["db", "generated", "rotated", "text"];
    const NEW: [&str; 4] = ["new-db", "new-generated", "new-rotated", "new-text"];
    let base = Stage::before_moves();
    let values: Vec<Option<Value>> = base.values(&OLD).into_values().collect();
    assert!(values.iter().all(Option::is_some), "{values:?}");
    let whole = base.copy();
    let run = whole.run(&APPLY);
    assert!(run.status.success(), "{}", shown(&run));
    assert_eq!(whole.values(&NEW).into_values().collect::<Vec<_>>(), values);
    assert!(whole.values(&OLD).into_values().all(|value| value.is_none()), "the old ones are on their way out");
    let wanted = whole.dump();
    let (killed, finished) = kill_at_each_call(&base, carried_out, &wanted, |stage, killed, after| {
        let (old, new) = (stage.values(&OLD), stage.values(&NEW));
        if after.is_none() {
            assert_eq!(new.into_values().collect::<Vec<_>>(), values, "after call {killed}");
            return;
        }
        for ((value, old), (name, new)) in values.iter().zip(old.values()).zip(&new) {
            assert!(old == value || (old.is_none() && new == value), "call {killed}: {name} has lost its value");
        }
    });
    assert!(killed > 40 && finished > 14, "{killed} calls, {finished} states");
}

#[test]
fn killed_before_any_call_a_move_goes_on_with_the_next_apply() {
    sweep_moves(false);
}

#[test]
fn killed_after_any_call_a_move_goes_on_with_the_next_apply() {
    sweep_moves(true);
}

/// With answers that take a while, more secrets are on their way than the eight of a fast service.
#[test]
fn killed_with_many_secrets_half_way_an_apply_is_finished_by_the_next() {
    const SECRETS: usize = 60;
    let stage = Stage(tempfile::tempdir().expect("a temporary folder"));
    let spec = format!("{{ value: {{ text: new }}, policy: {} }}", policy("new"));
    let names: Vec<String> = (0..SECRETS).map(|number| format!("s{number:02}")).collect();
    let documents = manifests(names.iter().map(|name| (name.as_str(), spec.clone())));
    let faults = json!({
        "rules": [{
            "operation": "PutSecretValue", "skip": 4, "times": 1, "kind": { "killed": { "carriedOut": true } },
        }],
        "profile": { "latency": "PT0.15S" },
    });
    let files = [("keywright.yaml", PROJECT), ("secrets.yaml", &*documents), ("faults.json", &*faults.to_string())];
    support::write_files(stage.path(), files);
    let cut = stage.run(&["apply", "--yes", "--sandbox-faults", "faults.json"]);
    assert_eq!(cut.status.signal(), Some(SIGKILL), "{}", shown(&cut));
    let before = stage.dump();
    let half_way = before.values().filter(|secret| secret.labels.is_empty()).count();
    assert!(half_way > 8, "{half_way} of {}", before.len());

    let next = stage.run(&["apply", "--yes"]);
    assert!(next.status.success(), "{}\nand then\n{}", shown(&cut), shown(&next));
    assert_eq!(lost(&before, &stage.dump()), None);
    let whole = |secret: &SecretDump| secret.versions == 1 && secret.policy.is_some() && !secret.labels.is_empty();
    let after = stage.dump();
    assert!(after.len() == SECRETS && after.values().all(whole), "{}", essence(&after));
    let plan = stage.run(&["plan", "--detailed-exitcode"]);
    assert!(plan.status.success(), "{}", shown(&plan));
}
