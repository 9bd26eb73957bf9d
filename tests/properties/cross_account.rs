//! Replicas in other accounts, over two targets: whatever is declared and whatever is live, an apply converges, values
//! stay where nobody links them to, and nothing is deleted but what is replaced or absent.
//!
//! `prod` has the primaries and `data` the replicas. What is live was made by an apply of another generated project,
//! and then changed by hand, from either side.

use std::collections::BTreeSet;

use keywright::exit_code::ExitCode;
use keywright::sandbox::{Call, Sandbox, SecretDump};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::stage::{APPLY, REGION, cases, run};
use crate::support;

const PROD: &str = "111111111111";
const DATA: &str = "222222222222";

const PRIMARIES: [&str; 2] = ["shared/p0", "shared/p1"];
const REPLICAS: [&str; 2] = ["shared/r0", "shared/r1"];

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shared }
spec:
  targets:
    - { name: prod, account: \"111111111111\", region: eu-west-1 }
    - { name: data, account: \"222222222222\", region: eu-west-1 }
  scope: { namePrefixes: [shared/] }
";

/// What a manifest says of its side of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Nothing.
    Unsaid,
    /// There must be none.
    Null,
    /// It is linked with this one on the other side.
    With(usize),
}

impl Side {
    /// The field's value, where it is written.
    fn of(self, link: impl Fn(usize) -> Value) -> Option<Value> {
        match self {
            Self::Unsaid => None,
            Self::Null => Some(Value::Null),
            Self::With(other) => Some(link(other)),
        }
    }
}

/// A manifest for one side.
#[derive(Clone, Debug)]
struct Manifest {
    absent: bool,
    side: Side,
    /// Of a primary, its value.
    value: Option<&'static str>,
    /// Of a primary, whether it is copied under a role.
    role: bool,
}

/// The manifests of both targets.
#[derive(Clone, Debug)]
struct Project {
    primaries: Vec<Manifest>,
    replicas: Vec<Manifest>,
}

impl Project {
    /// Whether a primary is there, and declares this replica.
    fn links(&self, primary: usize, replica: usize) -> bool {
        let manifest = &self.primaries[primary];
        !manifest.absent && manifest.side == Side::With(replica)
    }

    fn documents(&self) -> String {
        let mut text = String::new();
        for (name, manifest) in PRIMARIES.iter().zip(&self.primaries) {
            let replica = manifest.side.of(|other| {
                let mut replica = json!({ "secret": { "target": "data", "name": REPLICAS[other] } });
                if manifest.role {
                    replica["role"] = format!("arn:aws:iam::{PROD}:role/copy").into();
                }
                replica
            });
            let mut spec = json!({ "kmsKeyId": "alias/prod" });
            if let Some(value) = manifest.value {
                spec["value"] = json!({ "text": value });
            }
            text += &manifest.document(name, "prod", spec, ("crossAccountReplica", replica));
        }
        for (name, manifest) in REPLICAS.iter().zip(&self.replicas) {
            let primary = manifest.side.of(|other| json!({ "target": "prod", "name": PRIMARIES[other] }));
            let spec = json!({ "kmsKeyId": "alias/data", "tags": { "team": "data" } });
            text += &manifest.document(name, "data", spec, ("crossAccountPrimary", primary));
        }
        text
    }
}

impl Manifest {
    fn document(&self, name: &str, target: &str, mut spec: Value, (field, link): (&str, Option<Value>)) -> String {
        let mut metadata = json!({ "name": name, "targets": [target] });
        if self.absent {
            metadata["state"] = "absent".into();
            spec = json!({});
        } else if let Some(link) = link {
            spec[field] = link;
        }
        format!(
            "---\n{}\n",
            json!({ "apiVersion": "keywright/v1", "kind": "Secret", "metadata": metadata, "spec": spec })
        )
    }
}

/// Something that people or the service do to what is live.
#[derive(Clone, Copy, Debug)]
enum Hand {
    /// The owner of a primary ends its link.
    Disassociate(usize),
    /// The owner of a replica ends its link.
    Promote(usize),
    /// A value is put that cannot be copied; the next one can.
    Fail(usize),
    /// A value is put.
    Put(usize),
    /// A replica loses its owner tag.
    Disown(usize),
}

impl Hand {
    /// Done where it can be done.
    fn act(self, sandbox: &Sandbox, token: usize) {
        let call = |account, operation, body: Value| support::try_call(sandbox, account, REGION, operation, &body);
        match self {
            Self::Disassociate(at) => {
                let link = secret(sandbox, PROD, PRIMARIES[at]).and_then(|secret| secret.cross_account_replica);
                let replica = link.map(|link| link.arn);
                let body = json!({ "SecretId": PRIMARIES[at], "CrossAccountReplicaARN": replica });
                call(PROD, "DisassociateCrossAccountReplica", body);
            }
            Self::Promote(at) => {
                call(DATA, "StopReplicationToReplica", json!({ "SecretId": REPLICAS[at] }));
            }
            Self::Fail(at) => {
                let fail = |name: &str| json!({ "of": { "secret": name }, "outcome": { "fail": "no use of the key" } });
                let faults = json!({ "replications": PRIMARIES.map(fail) });
                sandbox.apply_fault_file(faults.to_string()).expect("a fault file");
                put(sandbox, at, &format!("by-hand-{token:032}"));
                // A look at it makes what is due happen.
                let _ = secret(sandbox, DATA, REPLICAS[at]);
                sandbox.clear_faults();
            }
            Self::Put(at) => put(sandbox, at, &format!("by-hand-{token:032}")),
            Self::Disown(at) => {
                call(DATA, "UntagResource", json!({ "SecretId": REPLICAS[at], "TagKeys": ["keywright:project"] }));
            }
        }
    }
}

/// Puts a value into a primary, where there is one.
fn put(sandbox: &Sandbox, at: usize, token: &str) {
    let body = json!({ "SecretId": PRIMARIES[at], "SecretString": "by hand", "ClientRequestToken": token });
    support::try_call(sandbox, PROD, REGION, "PutSecretValue", &body);
}

fn sides() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Unsaid), Just(Side::Null), (0..2_usize).prop_map(Side::With)]
}

fn manifest(primary: bool) -> impl Strategy<Value = Manifest> {
    let value = option::weighted(0.5, select(vec!["one", "two"]));
    let placed = (proptest::bool::weighted(0.1), select(vec![Side::Unsaid, Side::Null]));
    (placed, value, any::<bool>()).prop_map(move |((absent, side), value, role)| Manifest {
        absent,
        side,
        value: value.filter(|_| primary),
        role,
    })
}

/// The replica of each primary.
type Links = [Option<usize>; 2];

fn links() -> impl Strategy<Value = Links> {
    select(vec![[None, None], [Some(0), None], [Some(1), None], [Some(0), Some(1)], [Some(1), Some(0)]])
}

/// The project that made what is live, and the one that is applied, which has the same links half of the time.
fn projects() -> impl Strategy<Value = (Project, Project)> {
    links().prop_flat_map(|before| (project(7, Just(before)), project(1, prop_oneof![Just(before), links()])))
}

/// Links are declared on both sides as a rule, and now and then some side says something else. Of what is linked with
/// nothing on the replicas' side, `bare` of ten are absent.
fn project(bare: u32, links: impl Strategy<Value = Links>) -> impl Strategy<Value = Project> {
    let odd = option::weighted(0.3, (any::<bool>(), 0..2_usize, sides()));
    let manifests = ([manifest(true), manifest(true)], [manifest(false), manifest(false)]);
    let bare = [0, 1].map(|_| proptest::bool::weighted(f64::from(bare) / 10.0));
    (manifests, links, odd, bare).prop_map(|((primaries, replicas), links, odd, bare)| {
        let mut project = Project { primaries: primaries.into(), replicas: replicas.into() };
        for (replica, bare) in project.replicas.iter_mut().zip(bare) {
            replica.absent |= bare;
        }
        for (primary, replica) in links.into_iter().enumerate() {
            let Some(replica) = replica else { continue };
            project.primaries[primary].side = Side::With(replica);
            project.replicas[replica].side = Side::With(primary);
            project.replicas[replica].absent = false;
        }
        if let Some((of_primary, at, side)) = odd {
            let manifests = if of_primary { &mut project.primaries } else { &mut project.replicas };
            manifests[at].side = side;
        }
        project
    })
}

fn hands() -> impl Strategy<Value = Vec<Hand>> {
    let hand = (0..2_usize).prop_flat_map(|at| {
        prop_oneof![
            2 => Just(Hand::Fail(at)),
            4 => select(vec![Hand::Disassociate(at), Hand::Promote(at), Hand::Put(at), Hand::Disown(at)]),
        ]
    });
    proptest::collection::vec(hand, 0..3)
}

fn secret(sandbox: &Sandbox, account: &str, name: &str) -> Option<SecretDump> {
    sandbox.dump(account, REGION).into_iter().find(|secret| secret.name == name)
}

fn replicas(sandbox: &Sandbox) -> Vec<Option<SecretDump>> {
    REPLICAS.iter().map(|name| secret(sandbox, DATA, name)).collect()
}

/// The version that readers get.
fn current(secret: &SecretDump) -> Option<&String> {
    secret.labels.get("AWSCURRENT")
}

/// Whether values are copied to a replica.
fn is_linked(replica: &SecretDump) -> bool {
    replica.cross_account_primary.as_ref().is_some_and(|link| link.status != "Detached" && link.status != "Pending")
}

/// The primary whose replica it is.
fn primary_of(replica: &SecretDump) -> Option<usize> {
    let link = replica.cross_account_primary.as_ref()?;
    PRIMARIES.iter().position(|name| link.arn.contains(&format!(":{name}-")))
}

fn apply(sandbox: &Sandbox, folder: &tempfile::TempDir) -> support::Run {
    let others = ["--allow-cross-account-replica", "--allow-replica-anywhere", "--allow-replace-replicas"];
    run(sandbox, folder, &[&APPLY[..], &others].concat())
}

/// What a plan as JSON says of its targets.
fn targets(planned: &support::Run) -> Vec<Value> {
    let mut plan: Value = serde_json::from_str(&planned.out).unwrap_or_default();
    serde_json::from_value(plan["targets"].take()).unwrap_or_default()
}

/// Whether a secret cannot be what its manifest says.
fn is_refused(planned: &support::Run) -> bool {
    targets(planned).iter().any(|target| target["summary"]["blocked"] != json!(0))
}

/// Whether a plan has no change. Where a secret is refused, removals wait, since they come last.
fn nothing_to_apply(planned: &support::Run) -> bool {
    let (targets, is_refused) = (targets(planned), is_refused(planned));
    let waits = |secret: &Value| is_refused && secret["verb"] == "delete";
    let plans_nothing = |target: &Value| target["secrets"].as_array().is_some_and(|secrets| secrets.iter().all(waits));
    targets.len() == 2 && targets.iter().all(plans_nothing) && (planned.code == ExitCode::Success || is_refused)
}

/// The secrets that were deleted, by account and name.
fn deleted(calls: &[Call]) -> BTreeSet<(String, String)> {
    let deletions = calls.iter().filter(|call| call.operation == "DeleteSecret");
    deletions.map(|call| (call.account.clone(), call.secret.clone().unwrap_or_default())).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn links_with_another_account_converge_and_values_stay_where_nobody_links_them_to(
        (before, project) in projects(),
        hands in hands(),
    ) {
        let (folder, sandbox) = (tempfile::tempdir().expect("a temporary folder"), support::sandbox());
        let write = |project: &Project| {
            let documents = project.documents();
            let files = [("keywright.yaml", PROJECT), ("secrets.yaml", documents.as_str())];
            support::write_files(folder.path(), files);
        };
        write(&before);
        apply(&sandbox, &folder);
        apply(&sandbox, &folder);
        for (token, hand) in hands.iter().enumerate() {
            hand.act(&sandbox, token);
        }
        let live = replicas(&sandbox);

        write(&project);
        sandbox.clear_calls();
        let first = apply(&sandbox, &folder);
        let second = apply(&sandbox, &folder);
        let calls = sandbox.calls();
        let planned = run(&sandbox, &folder, &["plan", "--sandbox", "--format", "json"]);
        let told = || format!("{}{}\nand then\n{}{}\nand then\n{}{}", first.out, first.err, second.out, second.err,
            planned.out, planned.err);
        prop_assert!(nothing_to_apply(&planned), "{}", told());
        sandbox.clear_calls();
        apply(&sandbox, &folder);
        prop_assert!(!sandbox.calls().iter().any(support::is_write), "an apply with nothing to do wrote\n{}", told());

        let deleted = deleted(&calls);
        for (account, name) in &deleted {
            let primary = PRIMARIES.iter().position(|other| other == name).filter(|_| account == PROD);
            let replica = REPLICAS.iter().position(|other| other == name).filter(|_| account == DATA);
            let is_absent = primary.is_some_and(|at| project.primaries[at].absent)
                || replica.is_some_and(|at| project.replicas[at].absent);
            let is_replaced = replica.is_some_and(|at| {
                let was = live[at].as_ref().and_then(primary_of);
                was.is_some() && matches!(project.replicas[at].side, Side::With(primary) if Some(primary) != was)
            });
            prop_assert!(is_absent || is_replaced, "{name} was deleted in {account}\n{}", told());
        }

        let after = replicas(&sandbox);
        for (at, manifest) in project.replicas.iter().enumerate().filter(|(_, manifest)| !manifest.absent) {
            let replica = after[at].as_ref();
            let status = replica.and_then(|replica| Some(replica.cross_account_primary.as_ref()?.status.as_str()));
            let is_at = |other: usize| replica.and_then(primary_of) == Some(other);
            match manifest.side {
                Side::With(other) if project.links(other, at) && (!is_refused(&planned) || is_at(other)) => {
                    let is_in_sync = is_at(other) && status == Some("InSync");
                    prop_assert!(is_in_sync, "{} is {status:?}\n{}", REPLICAS[at], told());
                }
                Side::Null => prop_assert_eq!(status, None, "{} is a replica still\n{}", REPLICAS[at], told()),
                Side::Unsaid | Side::With(_) => {}
            }
        }
        for (name, manifest) in PRIMARIES.iter().zip(&project.primaries) {
            if !manifest.absent && manifest.side == Side::Null {
                let link = secret(&sandbox, PROD, name).and_then(|secret| secret.cross_account_replica);
                prop_assert_eq!(link, None, "{} has a replica still\n{}", name, told());
            }
        }
        for (at, (was, is)) in live.iter().zip(&after).enumerate() {
            let (Some(was), Some(is)) = (was, is) else { continue };
            // A link ends before a value is put where the primary's manifest says that it ends, or where another one
            // takes its place; where the replica's alone does, a value of the same run may come before that.
            let is_ended = primary_of(was).is_some_and(|primary| match project.primaries[primary].side {
                _ if project.primaries[primary].absent => false,
                Side::Null => true,
                Side::Unsaid => false,
                Side::With(other) => other != at && after[other].as_ref().and_then(primary_of) == Some(primary),
            });
            let is_same = !deleted.contains(&(DATA.to_owned(), is.name.clone()));
            if is_same && !is_linked(is) && (is_ended || !is_linked(was)) {
                prop_assert_eq!(current(was), current(is), "{} got a value as its link ended\n{}", &is.name, told());
            }
        }
        for at in 0..PRIMARIES.len() {
            put(&sandbox, at, &format!("afterwards-{at:032}"));
        }
        for (was, is) in after.iter().zip(&replicas(&sandbox)) {
            let (Some(was), Some(is)) = (was, is) else { continue };
            match primary_of(is).filter(|_| is_linked(was)) {
                None => prop_assert_eq!(current(was), current(is), "{} is not linked\n{}", &is.name, told()),
                Some(at) => {
                    let token = format!("afterwards-{at:032}");
                    prop_assert_eq!(current(is), Some(&token), "{} is linked\n{}", &is.name, told());
                }
            }
        }
    }
}
