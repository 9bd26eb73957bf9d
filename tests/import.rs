//! Import over everything that can be live: its plan does nothing but adopt, and after an apply there is nothing to do.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use keywright::domain::Partition;
use keywright::exit_code::ExitCode;
use keywright::policy::PolicyDocument;
use proptest::prelude::*;
use serde_json::{Value, json};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";

/// A secret that somebody made without keywright.
#[derive(Clone, Debug)]
struct Made {
    name: String,
    description: Option<String>,
    tags: BTreeMap<String, String>,
    key: Option<String>,
    value: Option<String>,
    policy: Option<Value>,
    rotation: Option<Value>,
    replicas: Vec<Value>,
}

/// Text that tries to be YAML, an interpolation, a line of its own, or invisible.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| text.chars().take(60).collect()),
        "[-${}:#'\"\\\\ \n\ta-z*&!|>%@,\\[\\]?~]{0,30}",
        prop::sample::select(vec![
            "${env}",
            "$${env}",
            "${secret:dev/a:arn}",
            "yes",
            "null",
            "~",
            "1e3",
            "2026-01-01",
            "0x10",
            "---",
            "...",
            "- a",
            "a: b",
            " # no comment",
            "a #b",
            "|",
            ">-",
            "!!binary x",
            "&a",
            "*a",
            "\u{202e}evil",
            "\u{feff}bom",
            "\u{2028}",
            "\u{85}",
            "tab\tbed",
            "two\nlines\n",
            "trailing ",
            "'",
            "\"",
            "\\",
            "%YAML 1.1",
            "@",
            "`",
            "{}",
            "[",
            "?",
            ": ",
            "\u{1f511}",
            "\u{10ffff}",
            "\0",
        ])
        .prop_map(str::to_owned),
    ]
}

/// What a tag may be made of, which YAML finds interesting all the same.
fn tag_text(least: usize) -> impl Strategy<Value = String> {
    let interesting = vec![
        "yes",
        "1",
        "2026-01-01",
        "a: b",
        "- a",
        "=",
        "null",
        "1.5",
        "+1",
        "@x",
        "a/b",
        "Größe 1",
        ".",
        "on",
        "=:",
    ];
    prop_oneof![
        prop::sample::select(interesting).prop_map(str::to_owned),
        "[a-zA-Z0-9 _.:/=+@-]{0,20}".prop_filter("long enough", move |text| text.len() >= least),
    ]
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    let fits = |key: &String| {
        let lower = key.to_lowercase();
        !lower.starts_with("aws:") && !lower.starts_with("keywright:")
    };
    let key = prop_oneof![
        tag_text(1).prop_filter("a key of our own", fits),
        prop::sample::select(vec!["owner", "managed-by", "cost-center", "keywright:protect"]).prop_map(str::to_owned),
    ];
    prop::collection::btree_map(key, prop_oneof![tag_text(0), Just("platform".to_owned())], 0..6)
}

fn policies() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        Just(json!({ "AWS": ACCOUNT })),
        Just(json!({ "AWS": [format!("arn:aws:iam::{ACCOUNT}:role/app"), ACCOUNT] })),
        Just(json!({ "Service": "lambda.amazonaws.com" })),
    ];
    let condition = prop_oneof![
        Just(json!({ "StringEquals": { "aws:PrincipalTag/team": "${aws:ResourceTag/team}" } })),
        Just(json!({ "Bool": { "aws:SecureTransport": true }, "NumericLessThan": { "aws:MultiFactorAuthAge": 300 } })),
        "[a-z${}:*]{1,12}".prop_map(|text| json!({ "StringLike": { "aws:username": [text, "x"] } })),
    ];
    let statement = (principal, proptest::option::of(condition), proptest::option::of("[A-Za-z0-9]{1,8}")).prop_map(
        |(principal, condition, sid)| {
            let mut statement = json!({ "Effect": "Deny", "Principal": principal,
                "Action": ["secretsmanager:getsecretvalue", "secretsmanager:DeleteSecret"], "Resource": "*" });
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            if let Some(sid) = sid {
                statement["Sid"] = sid.into();
            }
            statement
        },
    );
    (prop::collection::vec(statement, 1..3), any::<bool>()).prop_map(|(mut statements, versioned)| {
        // A Sid stands once in a policy.
        statements.dedup_by_key(|statement| statement.get("Sid").cloned());
        let mut policy = json!({ "Statement": statements });
        if versioned {
            policy["Version"] = "2012-10-17".into();
        }
        policy
    })
}

fn rotations() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({ "AutomaticallyAfterDays": 30 }),
        json!({ "AutomaticallyAfterDays": 1, "Duration": "3h" }),
        json!({ "ScheduleExpression": "rate(10 days)" }),
        json!({ "ScheduleExpression": "rate(8 hours)", "Duration": "2h" }),
        json!({ "ScheduleExpression": "cron(0 16 1,15 * ? *)", "Duration": "2h" }),
        json!({ "ScheduleExpression": "cron(0 8 ? * MON#1 *)" }),
    ])
}

fn made() -> impl Strategy<Value = Made> {
    let names = "[a-z]{1,3}(/[a-z.=+@_-]{1,6}){0,3}";
    let keys = prop::sample::select(vec![
        "alias/payments",
        "alias/aws/secretsmanager",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ]);
    let replica_sets = prop::sample::subsequence(
        vec![json!({ "Region": "us-east-1" }), json!({ "Region": "us-west-2", "KmsKeyId": "alias/payments" })],
        0..=2,
    );
    (
        (
            names,
            proptest::option::of(hostile()),
            tags(),
            proptest::option::of(keys),
            proptest::option::of("[a-z]{1,8}"),
        ),
        (proptest::option::of(policies()), proptest::option::of(rotations()), replica_sets),
    )
        .prop_map(|((name, description, tags, key, value), (policy, rotation, replicas))| Made {
            name: format!("dev/{name}"),
            description,
            tags,
            key: key.map(str::to_owned),
            value,
            policy,
            rotation,
            replicas,
        })
}

fn make(sandbox: &keywright::sandbox::Sandbox, number: usize, made: &Made) {
    make_in(sandbox, (ACCOUNT, REGION), number, made);
}

/// Makes a secret in an account and region, which take the place of the usual ones in whatever names them.
fn make_in(sandbox: &keywright::sandbox::Sandbox, (account, region): (&str, &str), number: usize, made: &Made) {
    let call = |operation: &str, body: &Value| {
        let text = body.to_string().replace(ACCOUNT, account).replace(&format!(":{REGION}:"), &format!(":{region}:"));
        let body = serde_json::from_str(&text).expect("JSON stays JSON");
        support::call(sandbox, account, region, operation, &body)
    };
    let tags: Vec<Value> = made.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let mut create = json!({ "Name": made.name, "Tags": tags, "ClientRequestToken": format!("make-{number:032}") });
    if let Some(description) = &made.description {
        create["Description"] = description.as_str().into();
    }
    if let Some(key) = &made.key {
        create["KmsKeyId"] = key.as_str().into();
    }
    // Rotation needs a value to begin with.
    let value = made.value.clone().or_else(|| made.rotation.as_ref().map(|_| "first".to_owned()));
    if let Some(value) = value {
        create["SecretString"] = value.into();
    }
    if !made.replicas.is_empty() {
        create["AddReplicaRegions"] = made.replicas.clone().into();
    }
    call("CreateSecret", &create);
    if let Some(policy) = &made.policy {
        call("PutResourcePolicy", &json!({ "SecretId": made.name, "ResourcePolicy": policy.to_string() }));
    }
    if let Some(rules) = &made.rotation {
        let rotate = json!({ "SecretId": made.name, "RotationRules": rules, "RotateImmediately": false,
            "RotationLambdaARN": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"),
            "ClientRequestToken": format!("turn-{number:032}") });
        call("RotateSecret", &rotate);
    }
}

const DEFAULTS: [&str; 3] = [
    "",
    "  defaults: { tags: { owner: platform, managed-by: keywright } }\n",
    "  defaults: { tags: { owner: \"${env}\" }, description: d, kmsKeyId: alias/d, replicas: [{ region: us-west-1 }], \
     rotation: { lambdaArn: \"arn:aws:lambda:eu-west-1:111111111111:function:d\", everyDays: 2, duration: 1h }, \
     policy: { Id: d, Statement: [{ Effect: Deny, Principal: \"*\", Action: \"secretsmanager:DeleteSecret\", \
         Resource: \"*\" }] } }\n",
];

fn project(targets: usize, defaults: &str) -> String {
    let other = if targets > 1 {
        "    - { name: prod, account: \"222222222222\", region: eu-west-1, vars: { env: prod } }\n"
    } else {
        ""
    };
    format!(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  targets:\n    \
         - {{ name: dev, account: \"{ACCOUNT}\", region: {REGION}, vars: {{ env: dev }} }}\n\
         {other}{defaults}  scope: {{ namePrefixes: [\"${{env}}/\"] }}\n  ignoreTags: [\"cost-*\"]\n"
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_live_is_imported_and_only_adopted(
        made in prop::collection::vec(made(), 1..6),
        targets in 1..=2_usize,
        defaults in prop::sample::select(DEFAULTS.to_vec()),
    ) {
        let sandbox = support::sandbox();
        let mut names = std::collections::BTreeSet::new();
        for (number, made) in made.iter().enumerate() {
            if names.insert(made.name.clone()) {
                make(&sandbox, number, made);
            }
        }
        sandbox.clear_calls();
        let folder = tempfile::tempdir().expect("a temporary folder");
        support::write_files(folder.path(), [("keywright.yaml", project(targets, defaults).as_str())]);
        let root = folder.path().to_string_lossy().into_owned();
        let run = |args: &[&str]| {
            let place = ["--sandbox", "--target", "dev", "--project", &root];
        let args: Vec<&str> = args.iter().copied().chain(place).collect();
            support::keywright(&sandbox, &args, None)
        };

        let imported = run(&["import"]);
        prop_assert_eq!(imported.code, ExitCode::Success, "{}{}{}", imported.out, imported.err, files(folder.path()));
        let adopted = format!("({} to adopt)", names.len());
        prop_assert!(imported.out.contains(&adopted), "{}{}", imported.out, imported.err);
        prop_assert!(!sandbox.calls().iter().any(support::is_write), "an import wrote");

        let before = sandbox.dump(ACCOUNT, REGION);
        let applied = run(&["apply", "--yes"]);
        prop_assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
        let planned = run(&["plan", "--detailed-exitcode"]);
        prop_assert_eq!(planned.code, ExitCode::Success, "{}{}{}", planned.out, planned.err, files(folder.path()));
        let mut after = sandbox.dump(ACCOUNT, REGION);
        for secret in &mut after {
            secret.tags.remove("keywright:project");
        }
        prop_assert_eq!(json!(before), json!(after), "more than the owner tag was changed");

        // A plan cannot tell what an import forgot. So another account that has nothing but the names is made the same
        // by it.
        let bare = support::sandbox();
        for name in &names {
            let create = json!({ "Name": name, "SecretString": "first", "ClientRequestToken": "0".repeat(32) });
            support::call(&bare, ACCOUNT, REGION, "CreateSecret", &create);
        }
        let args = ["apply", "--yes", "--sandbox", "--target", "dev", "--project", &root];
        let applied = support::keywright(&bare, &args, None);
        prop_assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
        for name in &names {
            let place = (ACCOUNT, REGION);
            prop_assert_eq!(facts(&bare, place, name), facts(&sandbox, place, name), "{}", files(folder.path()));
        }
    }
}

/// The targets of a fleet: name, account, region, and the variable that names begin with.
const FLEET: [(&str, &str, &str); 3] =
    [("dev", ACCOUNT, REGION), ("prod", "222222222222", "eu-central-1"), ("test", "333333333333", REGION)];

fn fleet(targets: usize, defaults: &str) -> String {
    let targets: String = FLEET[..targets]
        .iter()
        .map(|(name, account, region)| {
            format!("    - {{ name: {name}, account: \"{account}\", region: {region}, vars: {{ env: {name} }} }}\n")
        })
        .collect();
    format!(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  targets:\n{targets}{defaults}  \
         scope: {{ namePrefixes: [dev/, prod/, test/, shared/] }}\n  ignoreTags: [\"cost-*\"]\n"
    )
}

/// A secret of a fleet.
type InFleet = (Made, Vec<bool>, bool, Vec<Option<Made>>);

/// A secret of a fleet: in which targets it is, whether under a name of the target's own, and what differs there.
fn in_fleet() -> impl Strategy<Value = InFleet> {
    let places = prop::collection::vec(any::<bool>(), FLEET.len());
    let others = prop::collection::vec(proptest::option::weighted(0.3, made()), FLEET.len());
    (made(), places, any::<bool>(), others)
}

/// Secrets that are like each other but for a word: what becomes a list, or has its tags, key and policy in common.
fn family() -> impl Strategy<Value = Vec<InFleet>> {
    let words = prop::collection::btree_set(prop_oneof!["[a-z]{1,3}", "[0-9]{1,2}", Just("env".to_owned())], 3..5);
    let forms = prop::sample::select(vec!["fam/{}/db", "fam/svc/{}", "fam/db-{}", "fam/{}/{}-key", "{}"]);
    let told = prop::sample::select(vec!["same", "of {}", "${} {}$", "{}", "$${each} {} ${env} <<account>>"]);
    let differ = proptest::option::weighted(0.3, made());
    (in_fleet(), words, forms, told, any::<bool>(), differ).prop_map(
        |((made, places, own_name, mut others), words, form, told, of_word, differ)| {
            for other in others.iter_mut().flatten() {
                other.description.clone_from(&made.description);
            }
            let mut family = Vec::new();
            for (number, word) in words.iter().enumerate() {
                let fill = |text: &str| text.replace("{}", word);
                let like = |made: &Made| {
                    let mut made = Made { name: format!("dev/{}", fill(form)), ..made.clone() };
                    if of_word {
                        made.description = Some(fill(told));
                        made.tags
                            .insert("word".to_owned(), fill(told).chars().filter(|c| c.is_alphanumeric()).collect());
                        let principal = json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:role/{word}") });
                        made.policy = Some(json!({ "Statement": [{ "Effect": "Allow", "Principal": principal,
                            "Action": "secretsmanager:GetSecretValue", "Resource": "*" }] }));
                    } else if number % 2 == 1 && told != "same" {
                        // No list, but all else in common.
                        made.description = Some(format!("number {number}"));
                    }
                    made
                };
                let others = others.iter().map(|other| other.as_ref().map(like)).collect();
                family.push((like(&made), places.clone(), own_name, others));
            }
            if let (Some(differ), Some((last, ..))) = (differ, family.last_mut()) {
                *last = Made { name: last.name.clone(), ..differ };
            }
            family
        },
    )
}

/// Defaults of folders that import writes into, made by people before.
const FOLDER_DEFAULTS: [&str; 4] = [
    "",
    "apiVersion: keywright/v1\nkind: Defaults\nspec:\n  tags: { owner: folder, team: x }\n  \
     value: { text: not-a-secret }\n",
    "apiVersion: keywright/v1\nkind: Defaults\nspec:\n  overrides: { dev: { kmsKeyId: alias/payments } }\n",
    "apiVersion: keywright/v1\nkind: Defaults\nspec:\n  kmsKeyId: alias/payments\n  overrides:\n    \"*d*\":\n      \
     unset: [tags.owner]\n      tags: { env: \"${env}\" }\n      \
     policy: { Id: f, Statement: [{ Effect: Deny, Principal: \"*\", Action: \"secretsmanager:DeleteSecret\", \
     Resource: \"*\" }] }\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_is_live_in_several_targets_is_imported_together_and_only_adopted(
        secrets in prop::collection::vec(in_fleet(), 0..4),
        families in prop::collection::vec(family(), 1..3),
        later in prop::collection::vec(in_fleet(), 0..2),
        targets in 2..=3_usize,
        defaults in prop::sample::select(DEFAULTS.to_vec()),
        folder_defaults in prop::sample::select(FOLDER_DEFAULTS.to_vec()),
        place in prop::sample::select(vec!["", "fam/", "shared/fam/"]),
        expanded in prop::bool::weighted(0.2),
    ) {
        let sandbox = support::sandbox();
        let mut names = std::collections::BTreeSet::new();
        let mut number = 0;
        let mut add = |secrets: &[InFleet]| {
            for (made, places, own_name, others) in secrets {
                let name = made.name.strip_prefix("dev/").expect("a prefix");
                let targets = FLEET[..targets].iter().enumerate().filter(|(at, _)| places[*at]);
                for (at, (target, account, region)) in targets {
                    let prefix = if *own_name { target } else { "shared" };
                    let name = format!("{prefix}/{name}");
                    if names.insert((at, name.clone())) {
                        let here = others[at].as_ref().unwrap_or(made);
                        // No replica in its own region, nor twice the name of one.
                        let here = Made { name, replicas: Vec::new(), ..here.clone() };
                        number += 1;
                        make_in(&sandbox, (account, region), number, &here);
                    }
                }
            }
            names.clone()
        };
        let families: Vec<_> = families.into_iter().flatten().collect();
        add(&secrets);
        let names = add(&families);
        sandbox.clear_calls();
        let folder = tempfile::tempdir().expect("a temporary folder");
        support::write_files(folder.path(), [("keywright.yaml", fleet(targets, defaults).as_str())]);
        if !folder_defaults.is_empty() {
            let place = format!("secrets/{place}defaults.yaml");
            support::write_files(folder.path(), [(place.as_str(), folder_defaults)]);
        }
        let root = folder.path().to_string_lossy().into_owned();
        let run = |args: &[&str]| {
            let args: Vec<&str> = args.iter().copied().chain(["--sandbox", "--project", &root]).collect();
            support::keywright(&sandbox, &args, None)
        };
        let import = || if expanded { run(&["import", "--expanded"]) } else { run(&["import"]) };
        let dump = || -> Vec<Value> {
            let all = FLEET.iter().flat_map(|(_, account, region)| sandbox.dump(account, region));
            let without_owner = all.map(|mut secret| {
                secret.tags.remove("keywright:project");
                json!(secret)
            });
            without_owner.collect()
        };
        // Imports, and says what the next apply would adopt; applies, and nothing else was changed.
        let adopt = |number: usize| -> Result<(), TestCaseError> {
            let imported = import();
            let printed = || format!("{}{}{}", imported.out, imported.err, files(folder.path()));
            prop_assert_eq!(imported.code, ExitCode::Success, "{}", printed());
            let adopted = format!("({number} to adopt)");
            prop_assert!(imported.out.contains(&adopted), "{}{}", imported.out, imported.err);
            prop_assert!(!sandbox.calls().iter().any(support::is_write), "an import wrote");
            let before = dump();
            let applied = run(&["apply", "--yes"]);
            prop_assert_eq!(applied.code, ExitCode::Success, "{}{}{}", applied.out, applied.err, files(folder.path()));
            let planned = run(&["plan", "--detailed-exitcode"]);
            prop_assert_eq!(planned.code, ExitCode::Success, "{}{}{}", planned.out, planned.err, files(folder.path()));
            prop_assert_eq!(before, dump(), "more than the owner tag was changed");
            sandbox.clear_calls();
            Ok(())
        };
        if names.is_empty() {
            return Ok(());
        }
        adopt(names.len())?;
        let again = files(folder.path());
        let imported = import();
        prop_assert!(imported.out.contains("Nothing to import."), "{}{}", imported.out, imported.err);
        prop_assert_eq!(&again, &files(folder.path()), "importing again changed a file");

        // A plan cannot tell what an import forgot. So other accounts that have nothing but the names are made the
        // same.
        let bare = support::sandbox();
        for (at, name) in &names {
            let (_, account, region) = FLEET[*at];
            let create = json!({ "Name": name, "SecretString": "first", "ClientRequestToken": "0".repeat(32) });
            support::call(&bare, account, region, "CreateSecret", &create);
        }
        let applied = support::keywright(&bare, &["apply", "--yes", "--sandbox", "--project", &root], None);
        prop_assert_eq!(applied.code, ExitCode::Success, "{}{}{}", applied.out, applied.err, again);
        for (at, name) in &names {
            let (_, account, region) = FLEET[*at];
            let place = (account, region);
            prop_assert_eq!(facts(&bare, place, name), facts(&sandbox, place, name), "{} {}", name, again);
        }

        // What comes later is merged: no file is changed, and it lies on whatever an earlier import made.
        let all = add(&later);
        sandbox.clear_calls();
        if all.len() > names.len() {
            let before: Vec<(String, String)> = each_file(folder.path());
            adopt(all.len() - names.len())?;
            let after = each_file(folder.path());
            prop_assert!(before.iter().all(|file| after.contains(file)), "a second import changed a file");
        }

        // A target that comes later gets nothing.
        support::write_files(folder.path(), [("keywright.yaml", fleet(3, defaults).as_str())]);
        if targets < 3 {
            let planned = run(&["plan", "--detailed-exitcode", "--target", "test"]);
            prop_assert_eq!(planned.code, ExitCode::Success, "{}{}", planned.out, planned.err);
        }
    }
}

/// Everything about a secret that a manifest can say, but for its value.
fn facts(sandbox: &keywright::sandbox::Sandbox, (account, region): (&str, &str), name: &str) -> Value {
    let call = |operation: &str| support::call(sandbox, account, region, operation, &json!({ "SecretId": name }));
    let described = call("DescribeSecret");
    let text = |field: &str| described[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for tag in described["Tags"].as_array().into_iter().flatten() {
        let key = tag["Key"].as_str().expect("a key");
        // Ignored by the project; and of the protecting tag only the key means something.
        let value = if key == "keywright:protect" { "" } else { tag["Value"].as_str().expect("a value") };
        if !key.starts_with("cost-") {
            tags.insert(key.to_owned(), value.to_owned());
        }
    }
    let replicas: BTreeMap<String, Value> = described["ReplicationStatus"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|replica| (replica["Region"].to_string(), replica["KmsKeyId"].clone()))
        .collect();
    let policy = call("GetResourcePolicy")["ResourcePolicy"]
        .as_str()
        .and_then(|text| PolicyDocument::parse_lenient(text, &Partition::default()));
    json!({
        "description": text("Description"),
        "key": text("KmsKeyId").filter(|key| key != "alias/aws/secretsmanager"),
        "tags": tags,
        "policy": policy.map(|policy| policy.canonical().clone()),
        "rotation": [&described["RotationEnabled"], &described["RotationLambdaARN"], &described["RotationRules"]],
        "replicas": replicas,
    })
}

fn files(root: &Path) -> String {
    each_file(root).into_iter().map(|(path, text)| format!("\n==> {path}\n{text}")).collect()
}

fn each_file(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if let Ok(content) = std::fs::read_to_string(entry.path()) {
                files.push((entry.path().display().to_string(), content));
            }
        }
    }
    files.sort();
    files
}

/// In the place of every value in the state.
const MARK: &str = "NOT-TO-BE-PRINTED";

/// Runs the real binary at the most talkative, and gives all that it printed.
fn keywright(root: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(args)
        .args(["-vvv", "--project"])
        .arg(root)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("keywright runs");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn values_in_a_terraform_state_appear_nowhere() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tfstate/terraform.tfstate");
    let genuine = std::fs::read_to_string(&fixture).expect("a fixture");
    assert!(genuine.matches(MARK).count() >= 3, "the marks are in there");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let project = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: shop }\nspec:\n  targets: [{ name: \
        prod, region: us-east-1 }]\n  \
                   scope: { namePrefixes: [prod/] }\n";
    support::write_files(root, [("keywright.yaml", project)]);
    let state = tempfile::tempdir().expect("a temporary folder");
    let path = state.path().join("terraform.tfstate");
    let import = |text: &str, more: &[&str]| {
        std::fs::write(&path, text).expect("a file");
        let shown = path.to_string_lossy().into_owned();
        let args: Vec<&str> = ["import", "--from-tfstate", &shown].into_iter().chain(more.iter().copied()).collect();
        let (code, printed) = keywright(root, &args);
        assert!(!printed.contains(MARK), "{args:?} shows a value:\n{printed}");
        (code, printed)
    };

    // Broken in every way: cut off anywhere, of another version, with values where something else belongs.
    for end in (0..genuine.len()).step_by(997) {
        assert_eq!(import(&genuine[..end], &[]).0, Some(1));
    }
    assert_eq!(import(&genuine.replace("\"version\": 4", &format!("\"version\": \"{MARK}\"")), &[]).0, Some(1));
    assert_eq!(import(&genuine.replace("\"instances\": [", &format!("\"instances\": [\"{MARK}\", ")), &[]).0, Some(1));
    assert_eq!(
        import(&genuine.replace("\"attributes\": {", &format!("\"attributes\": {{\"{MARK}\" 1")), &[]).0,
        Some(1)
    );
    assert!(!files(root).contains(MARK), "something was left behind");

    let (code, printed) = import(&genuine, &["--dry-run"]);
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = import(&genuine, &[]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("(6 to adopt)"), "{printed}");
    let written = files(root);
    assert!(!written.contains(MARK), "{written}");
    for wanted in [
        "name: prod/fleet/node-${each}",
        "recoveryWindowDays: 7",
        "schedule: cron(0 16 1,15 * ? *)",
        "AWS: arn:aws:iam::123456789012:role/ledger",
        "from = aws_secretsmanager_secret_version.svc",
        "which stays as Terraform set it",
    ] {
        assert!(written.contains(wanted), "{wanted} is missing:\n{written}");
    }
    // Once more: nothing is left, and nothing is overwritten.
    let (code, printed) = import(&genuine, &[]);
    assert!(code == Some(0) && printed.contains("Nothing to import."), "{printed}");
}

#[test]
fn nothing_is_written_when_something_is_in_the_way() {
    let sandbox = support::sandbox();
    for name in ["dev/a/one", "dev/b/two"] {
        support::call(
            &sandbox,
            ACCOUNT,
            REGION,
            "CreateSecret",
            &json!({ "Name": name, "ClientRequestToken": "0".repeat(32) }),
        );
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    // A file where a folder is needed.
    support::write_files(folder.path(), [("keywright.yaml", project(1, "").as_str()), ("secrets/dev", "not a folder")]);
    let root = folder.path().to_string_lossy().into_owned();
    let run = support::keywright(&sandbox, &["import", "--sandbox", "--project", &root], None);
    assert_eq!(run.code, ExitCode::Error);
    assert!(run.err.contains("cannot be written, so no file was"), "{}", run.err);
    assert!(!folder.path().join("removed.tf").exists() && !folder.path().join("secrets/dev.yaml").exists());

    // A manifest that is wrong keeps everything as it is.
    support::write_files(
        folder.path(),
        [("bad.yaml", "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: elsewhere/x }\n")],
    );
    let run = support::keywright(&sandbox, &["import", "--sandbox", "--project", &root], None);
    assert_eq!(run.code, ExitCode::Error);
    assert!(run.err.contains("outside the project's scope"), "{}", run.err);
}

#[test]
fn secrets_of_services_and_full_ones_are_left_out() {
    let sandbox = support::sandbox();
    let create = |name: &str, tags: usize| {
        let tags: Vec<Value> = (0..tags).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect();
        let body = json!({ "Name": name, "Tags": tags, "ClientRequestToken": "0".repeat(32) });
        support::call(&sandbox, ACCOUNT, REGION, "CreateSecret", &body);
    };
    create("dev/full", 50);
    create("dev/nearly", 49);
    create("dev/rds", 0);
    assert!(sandbox.set_owning_service(ACCOUNT, REGION, "dev/rds", "rds").expect("the sandbox"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::write_files(folder.path(), [("keywright.yaml", project(1, "").as_str())]);
    let root = folder.path().to_string_lossy().into_owned();
    let run = support::keywright(&sandbox, &["import", "--sandbox", "--project", &root], None);
    assert_eq!(run.code, ExitCode::Success, "{}{}", run.out, run.err);
    assert!(run.err.contains("left out, since the AWS service rds owns it:\n  dev/rds\n"), "{}", run.err);
    assert!(
        run.err.contains("left out, since it has 50 tags, and keywright needs one for the owner:\n  dev/full\n"),
        "{}",
        run.err
    );
    assert!(run.out.contains("(1 to adopt)"), "{}", run.out);
    let applied = support::keywright(&sandbox, &["apply", "--yes", "--sandbox", "--project", &root], None);
    assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
}

/// States as backends compress them and PowerShell pipes them, into a folder that is not there yet.
#[test]
fn every_encoding_of_a_state_is_read_into_a_new_folder() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tfstate/terraform.tfstate");
    let genuine = std::fs::read_to_string(&fixture).expect("a fixture");
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let utf16: Vec<u8> = format!("\u{feff}{genuine}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    for (number, bytes) in
        [genuine.as_bytes(), format!("\u{feff}{genuine}").as_bytes(), &utf16, &gzip(genuine.as_bytes()), &gzip(&utf16)]
            .into_iter()
            .enumerate()
    {
        let state = root.join(format!("{number}.tfstate"));
        std::fs::write(&state, bytes).expect("a file");
        // Below the current folder by a path with a dot, and not there yet.
        let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(["import", "--init", &format!("shop-{number}"), "--prefix", "prod/", "--region", "us-east-1"])
            .args(["-C", &format!("./new/{number}"), "--from-tfstate"])
            .arg(&state)
            .current_dir(root)
            .output()
            .expect("keywright runs");
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{number}: {printed}");
        assert!(printed.contains("(6 to adopt)") && !printed.contains(MARK), "{number}: {printed}");
        let written = files(&root.join(format!("new/{number}")));
        assert!(written.contains("name: prod/fleet/node-${each}") && !written.contains(MARK), "{number}: {written}");
    }
}

/// The project's own sandbox lies in the folder that the import is about to make.
#[test]
fn a_sandbox_is_imported_into_a_new_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(["import", "--init", "shop", "--prefix", "prod/", "-C", "./new/project", "--sandbox"])
        .current_dir(folder.path())
        .output()
        .expect("keywright runs");
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!((output.status.code(), printed.as_str()), (Some(0), "Nothing to import.\n"));
    std::fs::write(folder.path().join("file"), "").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(["import", "--init", "shop", "--prefix", "prod/", "-C", "file/project", "--sandbox"])
        .current_dir(folder.path())
        .output()
        .expect("keywright runs");
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && printed.contains("file/project cannot be made"), "{printed}");
}
