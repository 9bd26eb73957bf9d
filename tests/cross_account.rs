//! docs/cross-account.md does what it says: its project is applied and done, and the policies that `iam-policy` prints
//! for it are enough and no more.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod support;

use std::path::Path;

use keywright::sandbox::Sandbox;
use serde_json::{Value, json};
use support::{Run, call, keywright, write_files};

const PAGE: &str = include_str!("../docs/cross-account.md");
const PRIMARY: &str = "111111111111";
const REPLICA: &str = "222222222222";
const REGION: &str = "eu-west-1";

/// The project and the manifests of the page.
fn project() -> tempfile::TempDir {
    let blocks: Vec<&str> = PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [project, secrets] = blocks[..] else { panic!("the page has a project and its manifests") };
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_files(folder.path(), [("keywright.yaml", project), ("secrets.yaml", secrets)]);
    folder
}

fn run(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> Run {
    let folder = folder.to_string_lossy();
    keywright(sandbox, &[args, &["--project", &folder]].concat(), None)
}

const APPLY: [&str; 4] = ["apply", "--sandbox", "--yes", "--allow-cross-account-replica"];

#[test]
fn the_project_of_the_page_is_applied_and_its_values_are_copied() {
    let (sandbox, folder) = (support::sandbox(), project());
    let applied = run(&sandbox, folder.path(), &APPLY);
    assert_eq!(applied.code.code(), 0, "{}{}", applied.out, applied.err);
    let token = "a-token-of-at-least-32-characters";
    let put = json!({ "SecretId": "shared/partner-key", "SecretString": "of people", "ClientRequestToken": token });
    call(&sandbox, PRIMARY, REGION, "PutSecretValue", &put);
    let read = call(&sandbox, REPLICA, REGION, "GetSecretValue", &json!({ "SecretId": "shared/partner-key" }));
    assert_eq!(read["SecretString"], "of people");
    let again = run(&sandbox, folder.path(), &["plan", "--sandbox", "--detailed-exitcode"]);
    assert_eq!(again.code.code(), 0, "{}{}", again.out, again.err);
}

/// The printed policy of the role that applies.
fn policy(folder: &Path, more: &[&str]) -> Value {
    let printed = run(&support::sandbox(), folder, &[&["iam-policy", "--for", "apply"], more].concat());
    assert_eq!(printed.code.code(), 0, "{}", printed.err);
    serde_json::from_str(&printed.out).expect("standard output is one policy")
}

/// What the role with this policy comes to.
fn applied_with(policy: &Value) -> Run {
    let (sandbox, folder) = (support::sandbox(), project());
    sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
    run(&sandbox, folder.path(), &APPLY)
}

#[test]
fn the_printed_policy_is_enough_and_no_more() {
    let folder = project();
    let policy = policy(folder.path(), &[]);
    let run = applied_with(&policy);
    assert_eq!(run.code.code(), 0, "{}{}\n{policy:#}", run.out, run.err);
    let statements = policy["Statement"].as_array().expect("statements");
    // Whether a role may be passed is asked of IAM, which the sandbox is not.
    for sid in ["MakeReplicas", "AssociateReplicas", "ReplicateToOtherAccounts"] {
        let at =
            statements.iter().position(|statement| statement["Sid"].as_str().is_some_and(|id| id.starts_with(sid)));
        let mut less = policy.clone();
        less["Statement"]
            .as_array_mut()
            .expect("statements")
            .remove(at.unwrap_or_else(|| panic!("no {sid}: {policy:#}")));
        assert_ne!(applied_with(&less).code.code(), 0, "nothing is refused without {sid}");
    }
}

/// A replica of another primary than git says; with `begun`, what is left where an apply that was to make it anew came
/// no further than to promote it, and somebody then gave it a replica in another region.
fn replaced_with(policy: Option<&Value>, begun: bool) -> Run {
    let (sandbox, folder) = (support::sandbox(), project());
    let owner = keywright::desired::owner_tag::bind("shared/data", "shared/partner-key", "shared/");
    let tags = |more: &str| format!("tags: {{ 'keywright:project': '{owner}'{more} }}");
    let arn = format!("arn:aws:secretsmanager:{REGION}:{PRIMARY}:secret:shared/old-AbCdEf");
    let partner = if begun {
        format!(
            "value: old, {}, replicas: [{{ region: us-east-1 }}]",
            tags(&format!(", 'keywright:replacing': '{arn}'"))
        )
    } else {
        format!("crossAccountPrimary: {{ account: '{PRIMARY}', name: shared/old }}, {}", tags(""))
    };
    let live = format!(
        "- {{ name: shared/old, account: '{PRIMARY}', region: {REGION}, kmsKeyId: alias/prod, value: old }}\n\
         - {{ name: shared/partner-key, account: '{REPLICA}', region: {REGION}, kmsKeyId: alias/data, {partner} }}\n"
    );
    sandbox.make_fixtures(&live).expect("what is live before");
    if let Some(policy) = policy {
        sandbox.enforce_policy(&policy.to_string()).expect("a policy that the sandbox evaluates");
    }
    let apply = [&APPLY[..], &["--allow-replace-replicas", "--max-changes-percent", "100"]].concat();
    run(&sandbox, folder.path(), &apply)
}

/// The policy without one action of the statements whose Sid begins so.
fn without(policy: &Value, sid: &str, action: &str) -> Value {
    let mut less = policy.clone();
    let statements = less["Statement"].as_array_mut().expect("statements");
    let named = |statement: &Value| statement["Sid"].as_str().is_some_and(|id| id.starts_with(sid));
    let kept: Vec<Value> = std::mem::take(statements)
        .into_iter()
        .filter_map(|mut statement| {
            if !named(&statement) {
                return Some(statement);
            }
            let Value::Array(actions) = &mut statement["Action"] else { return None };
            actions.retain(|other| other != action);
            Some(statement)
        })
        .collect();
    *statements = kept;
    less
}

#[test]
fn a_replacement_needs_what_is_printed_for_it_and_no_more() {
    let folder = project();
    let whole = policy(folder.path(), &["--allow-replace-replicas"]);
    for begun in [false, true] {
        let run = replaced_with(Some(&whole), begun);
        assert_eq!(run.code.code(), 0, "{}{}", run.out, run.err);
    }
    let needed = [
        ("EndReplacedReplicas", "StopReplicationToReplica", false),
        ("EndReplacedReplicas", "RemoveRegionsFromReplication", true),
        ("TakeReplacedPolicyOff", "DeleteResourcePolicy", false),
        ("DeleteReplacedReplicas", "DeleteSecret", false),
    ];
    for (sid, action, begun) in needed {
        let action = format!("secretsmanager:{action}");
        let less = without(&whole, sid, &action);
        assert_ne!(less, whole, "{sid}: {whole:#}");
        let run = replaced_with(Some(&less), begun);
        let told = format!("{}{}", run.out, run.err);
        assert!(told.contains(&format!("not authorized to perform: {action} ")), "{sid}: {told}");
    }
    let never = policy(folder.path(), &[]);
    assert!(!never.to_string().contains("ForceDeleteWithoutRecovery"), "{never:#}");
}

/// Both sides of a link lose their manifests.
fn pruned(policy: Option<&Value>) -> (Value, Run) {
    let (sandbox, folder) = (support::sandbox(), project());
    let applied = run(&sandbox, folder.path(), &APPLY);
    assert_eq!(applied.code.code(), 0, "{}{}", applied.out, applied.err);
    let pruning = std::fs::read_to_string(folder.path().join("keywright.yaml")).expect("the project") + PRUNE;
    write_files(folder.path(), [("keywright.yaml", pruning.as_str())]);
    std::fs::remove_file(folder.path().join("secrets.yaml")).expect("the manifests go");
    let printed = run(&sandbox, folder.path(), &["iam-policy", "--for", "apply"]);
    let whole: Value = serde_json::from_str(&printed.out).expect("standard output is one policy");
    sandbox.enforce_policy(&policy.unwrap_or(&whole).to_string()).expect("a policy that the sandbox evaluates");
    let flags = ["apply", "--sandbox", "--yes", "--allow-remove-all", "--allow-empty", "--max-changes-percent", "100"];
    (whole, run(&sandbox, folder.path(), &flags))
}

const PRUNE: &str = "  prune: delete\n";

#[test]
fn links_of_secrets_without_manifests_end_with_what_is_printed_for_it_and_no_less() {
    let (whole, run) = pruned(None);
    assert_eq!(run.code.code(), 0, "{}{}", run.out, run.err);
    let needed = [
        ("EndLinksBeforeDeletion", "DisassociateCrossAccountReplica"),
        ("EndLinksBeforeDeletion", "StopReplicationToReplica"),
        ("TakeReplicationPolicyOffBeforeDeletion", "DeleteResourcePolicy"),
    ];
    for (sid, action) in needed {
        let action = format!("secretsmanager:{action}");
        let less = without(&whole, sid, &action);
        assert_ne!(less, whole, "{sid}: {whole:#}");
        let (_, run) = pruned(Some(&less));
        assert_ne!(run.code.code(), 0, "{sid} {action}");
        assert!(run.err.contains(&format!("not authorized to perform: {action} ")), "{sid}: {}", run.err);
    }
}

#[test]
fn a_target_alone_gets_the_account_and_the_key_of_the_other() {
    let folder = project();
    let alone = policy(folder.path(), &["--target", "prod"]);
    let statements = alone["Statement"].as_array().expect("statements");
    let of = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid).expect("the statement");
    let replica = format!("arn:aws:secretsmanager:{REGION}:{REPLICA}:secret:shared/partner-key-??????");
    assert_eq!(of("ReplicateToOtherAccounts")["Resource"], replica);
    let key = of("UseKeysOfOtherAccounts");
    assert_eq!(key["Resource"], format!("arn:aws:kms:{REGION}:{REPLICA}:key/*"));
    assert_eq!(key["Condition"]["ForAnyValue:StringEquals"]["kms:ResourceAliases"], "alias/data");
    assert!(!alone.to_string().contains(":222222222222:secret:shared/*"), "nothing else of that target: {alone:#}");
}

/// The printed proposal for key policies.
fn proposal(folder: &Path, more: &[&str]) -> Value {
    let args = [&["iam-policy", "--for", "apply", "--key-policies"], more].concat();
    let printed = run(&support::sandbox(), folder, &args);
    assert_eq!(printed.code.code(), 0, "{}", printed.err);
    serde_json::from_str(&printed.out).expect("standard output is the proposal")
}

/// The policy of the page that lets the other account encrypt.
fn policy_of_the_page() -> Value {
    let text = PAGE.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a key policy");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_keys_of_both_sides_get_what_the_page_says() {
    let folder = project();
    let both = proposal(folder.path(), &[]);
    assert_eq!(both, proposal(folder.path(), &["--target", "data"]), "a link is of both its sides");
    let keys = both["keyPolicies"].as_array().expect("keys");
    let names: Vec<_> = keys.iter().map(|key| (&key["account"], &key["key"])).collect();
    assert_eq!(names, [(&json!(PRIMARY), &json!("alias/prod")), (&json!(REPLICA), &json!("alias/data"))]);
    let of_replica = keys[1]["statements"].as_array().expect("statements");
    let copies = of_replica.iter().find(|statement| statement["Action"] == "kms:Encrypt").expect("one to encrypt");
    assert_eq!(copies, &policy_of_the_page());
    // A role that is assumed takes the place of the account.
    let page = std::fs::read_to_string(folder.path().join("keywright.yaml")).expect("the project");
    let role = format!("arn:aws:iam::{PRIMARY}:role/keywright");
    let assumed = page.replace("name: prod,", &format!("name: prod, assumeRole: \"{role}\","));
    assert_ne!(page, assumed);
    write_files(folder.path(), [("keywright.yaml", assumed.as_str())]);
    let narrower = proposal(folder.path(), &[]);
    let principals = &narrower["keyPolicies"][0]["statements"][0]["Principal"]["AWS"];
    assert_eq!(principals, &json!([role, format!("arn:aws:iam::{PRIMARY}:role/secret-replication")]));
}
