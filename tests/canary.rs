//! The leak canary: values with marked strings run through every command, format and failure of the real binary, at log
//! level trace and with backtraces on. The marks must appear nowhere in what it prints or leaves behind.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use keywright::manifest::{LoadOptions, load};
use keywright::render::diagnostics;
use serde_json::json;

/// Every planted secret holds this.
const MARK: &str = "C4N4RY";

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  targets:
    - { name: dev, account: \"111111111111\", region: eu-west-1 }
  scope: { namePrefixes: [dev/shop/] }
  prune: delete
";

const GOOD: &str = "apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/db }
spec:
  description: From git
  tags: { team: shop }
  policy:
    Version: \"2012-10-17\"
    Statement: [{ Effect: Allow, Principal: { AWS: \"111111111111\" }, Action: \"secretsmanager:GetSecretValue\", \
        Resource: \"*\" }]
";

/// Manifests that are wrong in different ways, with something secret in or near the wrong place.
const BAD: &[&str] = &[
    // Pasted values, well-formed and not.
    "spec: { value: { text: C4N4RY-text, ownership: sometimes } }",
    "spec:\n  value:\n    text: [C4N4RY-list]\n",
    "spec:\n  value:\n    env: C4N4RY env with spaces\n",
    "spec:\n  value: C4N4RY-scalar\n",
    "spec:\n  value:\n    C4N4RY-as-a-key: x\n",
    "spec:\n  value:\n    json:\n      password: { text: C4N4RY-nested, unknown: C4N4RY-unknown }\n      user: \
     C4N4RY-user\n",
    "spec:\n  value:\n    text: \"${C4N4RY-variable} and C4N4RY-rest\"\n",
    "spec:\n  value:\n    text: |\n      C4N4RY-line-1\n      C4N4RY-line-2\n    text: again C4N4RY-dup\n",
    "spec:\n  value:\n    text: \"C4N4RY-unclosed\n  description: x\n",
    "spec:\n  value:\n    text: *C4N4RY-alias\n",
    "spec:\n  value:\n    text: !C4N4RY-tag x\n",
    "spec:\n  value:\n   text: C4N4RY-a\n     more: C4N4RY-b\n",
    "spec:\n  value: { text: C4N4RY-flow, { broken\n",
    "spec:\n  overrides:\n    dev:\n      value: { text: C4N4RY-override, file: C4N4RY-file }\n    nowhere:\n      \
     value: { text: C4N4RY-nowhere }\n",
    "spec:\n  value:\n    sops: { file: missing.yaml, key: /C4N4RY-key }\n",
    // Values where a file's name belongs: Base64, a JWT, a connection string.
    "spec:\n  value:\n    file: \"C4N4RY/x+y==\"\n",
    "spec:\n  value:\n    binaryFile: C4N4RY/x/y\n",
    "spec:\n  value:\n    file: eyJhbGciOiJIUzI1NiJ9.C4N4RY0IjoiMSJ9.\
     dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U\n",
    "spec:\n  value:\n    sops: { file: \"postgres://app:C4N4RY@db.example.com\" }\n",
    "spec:\n  value:\n    json:\n      password: { file: /C4N4RY/absolute }\n",
    // A policy file that is wrong: no line of a file that a manifest refers to is ever shown.
    "spec: { policy: { file: broken.json } }",
    "spec: { policy: { file: wrong.json } }",
];

#[test]
fn marked_values_appear_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    support::write_files(
        root,
        [
            ("keywright.yaml", PROJECT),
            ("secrets/db.yaml", GOOD),
            ("secrets/broken.json", "{ \"Version\": \"2012-10-17\", \"Statement\": [ C4N4RY-broken ] }"),
            (
                "secrets/wrong.json",
                "{ \"Version\": \"2012-10-17\", \"Statement\": [{ \"Effect\": \"C4N4RY\", \"C4N4RYkey\": 1 }] }",
            ),
        ],
    );
    let mut server = Server::start(root);
    for (name, value) in [("dev/shop/db", "C4N4RY-live-1"), ("dev/shop/orphan", "C4N4RY-live-2")] {
        let owner = keywright::desired::owner_tag::bind("shop/dev", name, "dev/shop/");
        let create = json!({
            "Name": name, "SecretString": value,
            "ClientRequestToken": format!("canary-{name:-<32}").replace('/', "-"),
                "Tags": [{ "Key": "keywright:project", "Value": owner }],
        });
        server.call("CreateSecret", &create);
    }
    server.call(
        "PutSecretValue",
        &json!({ "SecretId": "dev/shop/db", "SecretString": "C4N4RY-live-3", "ClientRequestToken": "0".repeat(32) }),
    );
    server.call_raw("PutSecretValue", "{ \"SecretId\": \"dev/shop/db\", \"SecretString\": \"C4N4RY-half");
    let too_long = "C4N4RY".repeat(20_000);
    server.call_raw(
        "PutSecretValue",
        &json!({ "SecretId": "dev/shop/db", "SecretString": too_long, "ClientRequestToken": "1".repeat(32) })
            .to_string(),
    );
    let both = json!({
        "Name": "dev/shop/two", "SecretString": "C4N4RY-both", "SecretBinary": "QzRONFJZ",
        "ClientRequestToken": "2".repeat(32),
    });
    server.call_raw("CreateSecret", &both.to_string());
    assert!(
        server.call("GetSecretValue", &json!({ "SecretId": "dev/shop/db" })).contains("C4N4RY-live-3"),
        "the canary is in there"
    );

    let endpoint = format!("http://{}", server.address);
    let mut ran = 0;
    let mut check = |args: &[&str]| {
        let printed = keywright(root, args);
        assert!(!printed.contains(MARK), "{args:?} shows a marked value:\n{printed}");
        ran += 1;
    };
    for args in [
        &["validate"][..],
        &["validate", "--format", "json"],
        &["validate", "--format", "sarif"],
        &["validate", "--format", "github"],
        &["iam-policy", "--for", "apply", "--read-values"],
        &["plan", "-vvv", "--endpoint-url", &endpoint],
        &["plan", "-vvv", "--format", "json", "--endpoint-url", &endpoint],
        &["plan", "-vvv", "--format", "markdown", "--endpoint-url", &endpoint],
        &["plan", "-vvv", "--format", "html", "--endpoint-url", &endpoint],
        &["plan", "-vvv", "--rehearse", "--endpoint-url", &endpoint],
        &["plan", "-vvv", "--rehearse", "--format", "json", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--audit", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "json", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "markdown", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "html", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "sarif", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "junit", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "github", "--endpoint-url", &endpoint],
        &["drift", "-vvv", "--format", "prometheus", "--endpoint-url", &endpoint],
        &["watch", "-vvv", "--rounds", "1", "--endpoint-url", &endpoint],
        &["graph", "-vvv", "--all", "--endpoint-url", &endpoint],
        &["graph", "--all", "--offline", "--format", "svg"],
        &["plan", "-vvv", "--sandbox"],
        // A guard refuses, a wrong target, a broken endpoint.
        &["apply", "-vvv", "--yes", "--max-deletes", "0", "--endpoint-url", &endpoint],
        &["plan", "--target", "nowhere"],
        &["plan", "-vvv", "--endpoint-url", "http://127.0.0.1:9"],
        &["release", "dev/shop/orphan", "-vvv", "--endpoint-url", &endpoint],
        &["import", "-vvv", "--all", "--dry-run", "--endpoint-url", &endpoint],
        &["apply", "-vvv", "--yes", "--endpoint-url", &endpoint],
        &["apply", "-vvv", "--yes", "--sandbox"],
        &["release", "dev/shop/db", "--yes", "-vvv", "--endpoint-url", &endpoint],
    ] {
        check(args);
    }
    for (index, spec) in BAD.iter().enumerate() {
        let manifest =
            format!("apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: dev/shop/bad-{index} }}\n{spec}\n");
        support::write_files(root, [("secrets/bad.yaml", manifest.as_str())]);
        for format in ["text", "json", "sarif", "github"] {
            check(&["validate", "--format", format]);
        }
        check(&["plan", "-vvv", "--endpoint-url", &endpoint]);
    }
    assert_eq!(ran, 31 + 5 * BAD.len());

    server.check_events(&["PutSecretValue", "errorCode"]);
    let logged = server.stop();
    assert!(!logged.contains(MARK), "the sandbox server shows a marked value:\n{logged}");
}

/// Ways in which people misspell `value` and its sources, and words that they write in their place.
const WRONG: [&str; 52] = [
    "secret_string",
    "secretString",
    "SecretString",
    "secret-string",
    "secret-value",
    "secretvalue",
    "secretBinary",
    "pasword",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "pass",
    "PASSWORD",
    "db_password",
    "dbPassword",
    "private_key",
    "privateKey",
    "private-key",
    "key",
    "apiKey",
    "api_key",
    "apikey",
    "API_KEY",
    "token",
    "auth_token",
    "accessToken",
    "bearer",
    "client_secret",
    "clientSecret",
    "credentials",
    "credential",
    "connectionString",
    "connection_string",
    "dsn",
    "url",
    "stringData",
    "data",
    "val",
    "vale",
    "valeu",
    "Value",
    "values",
    "vlaue",
    "value:text",
    "value.text",
    "value text",
    "text",
    "plaintext",
    "content",
    "C4N-not-the-mark",
    "sops-value",
];

/// What stands under a wrong key, with more lines indented below it.
const STYLES: [&str; 14] = [
    "{key}: C4N4RY",
    "{key}: \"C4N4RY\"",
    "{key}: { a: C4N4RY }",
    "{key}: [x, C4N4RY]",
    "{key}: |\n{indent}  C4N4RY\n{indent}  more",
    "{key}: x # C4N4RY",
    "{key}: &C4N4RY x",
    "{key}: !C4N4RY x",
    "{key}: \"${C4N4RY}\"",
    "{key}: \"${secret:dev/shop/C4N4RY:arn}\"",
    "{key}:\n{indent}  C4N4RY: x\n{indent}  C4N4RY: y",
    "{key}: x: C4N4RY",
    "{key}: \"C4N4RY\n{indent}a: [",
    "{key}: *C4N4RY",
];

/// Documents with a place for a wrong key; its indentation comes first.
const PLACES: [(usize, &str); 24] = [
    (0, "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\n@\nspec: {}\n"),
    (2, "apiVersion: keywright/v1\nkind: Secret\nmetadata:\n  name: dev/shop/a\n  @\nspec: {}\n"),
    (2, "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  tags: []\n  @\n"),
    (4, "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  policy:\n    @\n"),
    (
        8,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  policy:\n    \
         Statement:\n      - Effect: Allow\n        @\n",
    ),
    (
        4,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  rotation:\n    everyDays: \
         x\n    @\n",
    ),
    (
        6,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  rotation:\n    \
         externalRotation:\n      @\n",
    ),
    (
        6,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  replicas:\n    - region: \
         1\n      @\n",
    ),
    (4, "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  deletion:\n    @\n"),
    (
        6,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  overrides:\n    dev:\n      \
         @\n",
    ),
    (
        6,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  overrides:\n    \
         nowhere:\n      @\n",
    ),
    (4, "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  value:\n    @\n"),
    (
        6,
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec:\n  value:\n    json:\n      @\n",
    ),
    (0, "apiVersion: keywright/v1\nkind: Scret\nspec: {}\n@\n"),
    (0, "apiVersion: apps/v1\nkind: Deployment\n@\n"),
    (2, "apiVersion: v1\nkind: Secret\nstringData:\n  @\n"),
    (0, "@\n"),
    (2, "spec:\n  @\n"),
    (0, "PROJECT@\n"),
    (2, "PROJECT  @\n"),
    (4, "PROJECT  guards:\n    @\n"),
    (4, "PROJECT  defaults:\n    @\n"),
    (6, "PROJECT  rules:\n    - name: r\n      @\n"),
    (4, "PROJECT  pruneDeletion:\n    @\n"),
];

#[test]
fn values_under_wrong_keys_are_never_quoted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut tried = 0;
    for (at, (indent, document)) in PLACES.iter().enumerate() {
        for (word, key) in WRONG.iter().enumerate() {
            // Every key in every place, and every style in every place, but not every combination of the three.
            for style in STYLES.iter().skip((5 * at + word) % STYLES.len()).take(1) {
                let written = style.replace("{key}", key).replace("{indent}", &" ".repeat(*indent));
                let text = document.replace('@', &written).replace("PROJECT", PROJECT);
                let (name, other) = if document.starts_with("PROJECT") {
                    ("keywright.yaml", GOOD)
                } else {
                    ("secrets/bad.yaml", PROJECT)
                };
                let other_name = if name == "keywright.yaml" { "secrets/bad.yaml" } else { "keywright.yaml" };
                support::write_files(folder.path(), [(name, text.as_str()), (other_name, other)]);
                let found = load(folder.path(), &LoadOptions::default()).diagnostics;
                assert!(found.has_errors() || *key == "text" || *key == "key", "{text}");
                for shown in [
                    diagnostics::text(&found, false).into_owned(),
                    diagnostics::json(&found).into_owned(),
                    diagnostics::sarif(&found, "").into_owned(),
                    diagnostics::github(&found, "").into_owned(),
                ] {
                    assert!(!shown.contains(MARK), "{text}\nshows a marked value:\n{shown}");
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, PLACES.len() * WRONG.len());
}

/// Secrets whose values come from every kind of source.
const VALUES: &str = "apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/sops }
spec: { value: { sops: { file: db.sops.yaml, key: /db } }, labels: { MINE: git } }
---
apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/leaf }
spec: { value: { sops: { file: db.sops.yaml, key: /api } } }
---
apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/blob }
spec: { value: { sops: { file: blob.sops.bin } } }
---
apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/env }
spec: { value: { env: DB_PASSWORD } }
---
apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/file }
spec: { value: { file: plain.txt } }
---
apiVersion: keywright/v1
kind: Secret
metadata: { name: dev/shop/json }
spec: { value: { json: { a: { text: C4N4RY-text }, b: { sops: { file: db.sops.yaml, key: /api } }, c: { generate: { \
    length: 16 } } } } }
";

#[test]
fn values_of_every_source_appear_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/canary").join(name);
        std::fs::read_to_string(path).expect("a fixture")
    };
    let encrypted = fixture("db.sops.yaml");
    support::write_files(
        root,
        [
            ("keywright.yaml", PROJECT.replace("[secrets/]", "[secrets/values.yaml]").as_str()),
            ("secrets/values.yaml", VALUES),
            ("secrets/db.sops.yaml", &encrypted),
            ("secrets/blob.sops.bin", &fixture("blob.sops.bin")),
            ("secrets/plain.txt", "C4N4RY-plain-file"),
            ("right-key.txt", &fixture("age-key.txt")),
            ("wrong-key.txt", &fixture("wrong-key.txt")),
        ],
    );
    let mut server = Server::start(root);
    let endpoint = format!("http://{}", server.address);
    let right = root.join("right-key.txt");
    let wrong = root.join("wrong-key.txt");
    let with_key = |key: &Path, args: &[&str]| {
        let args: Vec<&str> = args.iter().copied().chain(["-vvv", "--endpoint-url", &endpoint]).collect();
        let printed = keywright_with(root, &args, &[("SOPS_AGE_KEY_FILE", key.to_string_lossy().as_ref())]);
        assert!(!printed.contains(MARK), "{args:?} shows a marked value:\n{printed}");
        printed
    };
    let apply = ["apply", "--yes", "--allow-env", "DB_*"];
    assert!(with_key(&wrong, &apply).contains("nothing was applied"));
    assert!(with_key(&right, &apply).contains("6 created"), "the values are really put");
    with_key(&right, &["plan", "--read-values", "--allow-env", "DB_*"]);
    with_key(&right, &["plan", "--read-values", "--format", "json", "--allow-env", "DB_*"]);
    with_key(&right, &["plan", "--read-values", "--format", "markdown", "--allow-env", "DB_*"]);
    with_key(&right, &["plan", "--read-values", "--format", "html", "--allow-env", "DB_*"]);
    with_key(&right, &["graph", "--all", "--format", "dot"]);
    // The embedded sandbox answers in one piece, which the SDK would log whole at trace level.
    for args in [&apply[..], &["plan", "--read-values", "--allow-env", "DB_*"]] {
        let args: Vec<&str> = args.iter().copied().chain(["-vvv", "--sandbox"]).collect();
        let printed = keywright_with(root, &args, &[("SOPS_AGE_KEY_FILE", right.to_string_lossy().as_ref())]);
        assert!(!printed.contains(MARK), "{args:?} shows a marked value:\n{printed}");
        assert!(printed.contains("dev:") || printed.contains("Nothing to do"), "it ran: {printed}");
    }
    // Somebody changes values by hand, and they are put back.
    for name in ["sops", "leaf", "env", "file"] {
        server.call(
            "PutSecretValue",
            &json!({ "SecretId": format!("dev/shop/{name}"), "SecretString": "C4N4RY-by-hand",
                "ClientRequestToken": format!("by-hand-{name:->32}") }),
        );
    }
    with_key(&right, &["plan", "--read-values", "--allow-env", "DB_*"]);
    with_key(&right, &["apply", "--yes", "--read-values", "--allow-env", "DB_*", "--max-changes-percent", "100"]);
    for name in ["sops", "leaf"] {
        server.call(
            "PutSecretValue",
            &json!({ "SecretId": format!("dev/shop/{name}"), "SecretString": "C4N4RY-again",
                "ClientRequestToken": format!("again-{name:->34}") }),
        );
    }
    with_key(&right, &["drift", "--read-values", "--format", "markdown", "--allow-env", "DB_*"]);
    with_key(&right, &["watch", "--read-values", "--apply", "--rounds", "1", "--allow-env", "DB_*"]);
    with_key(&right, &["versions", "dev/shop/sops"]);
    with_key(&right, &["versions", "dev/shop/sops", "--format", "json"]);
    with_key(&right, &["rollback", "dev/shop/sops", "--yes"]);

    // Files that are wrong in every way.
    let breakages: [(&str, String); 7] = [
        ("a changed ciphertext", encrypted.replacen("data:", "data:AA", 1)),
        ("another type", encrypted.replacen("type:str", "type:int", 1)),
        ("another MAC", encrypted.replacen("mac: ENC[AES256_GCM,data:", "mac: ENC[AES256_GCM,data:AA", 1)),
        ("no MAC", encrypted.lines().filter(|line| !line.contains("mac: ")).map(|line| format!("{line}\n")).collect()),
        ("a decrypted leaf", encrypted.replacen("api: ENC", "api: C4N4RY-decrypted #", 1)),
        ("half a file", encrypted[..encrypted.len() / 2].to_owned()),
        ("a plain file", "db: { password: C4N4RY-plain }\napi: [C4N4RY, \"C4N4RY-unclosed\n".to_owned()),
    ];
    for (_what, text) in &breakages {
        support::write_files(root, [("secrets/db.sops.yaml", text.as_str())]);
        with_key(&right, &apply);
        for format in ["text", "json", "sarif", "github"] {
            let printed = keywright(root, &["validate", "--format", format]);
            assert!(!printed.contains(MARK), "validate --format {format}:\n{printed}");
        }
        let printed = keywright(root, &["iam-policy", "--for", "apply", "--read-values"]);
        assert!(!printed.contains(MARK), "iam-policy:\n{printed}");
    }

    let journal = std::fs::read_to_string(root.join(".keywright/journal.jsonl")).expect("the rollback wrote a line");
    assert!(journal.contains("rollback") && !journal.contains(MARK), "{journal}");
    let logged = server.stop();
    assert!(!logged.contains(MARK), "the sandbox server shows a marked value:\n{logged}");
}

/// Every verb and every format that has values anywhere near: each line is run where all is well, where nothing
/// answers, and where a manifest is broken. `{url}` is the server, `{out}` a folder outside the project.
const EVERYTHING: &[&str] = &[
    "init shop-{n} --account 111111111111",
    "validate",
    "validate --format text",
    "validate --format json",
    "validate --format sarif",
    "validate --format github",
    "doctor {url} --format text --show-names",
    "doctor {url} --format json",
    "plan {url} --format text --read-values --out {out}/approved.json",
    "plan {url} --format json --read-values --rehearse --who",
    "plan {url} --format markdown --read-values --validate-policies",
    "plan {url} --format html --read-values --detailed-exitcode",
    "drift {url} --format text --read-values --audit --cache {out}/cache.json --who",
    "drift {url} --format json --read-values --also html={out}/drift.html --who",
    "drift {url} --format markdown --read-values",
    "drift {url} --format html --read-values",
    "drift {url} --format junit --read-values",
    "drift {url} --format sarif --read-values",
    "drift {url} --format github --read-values",
    "drift {url} --format prometheus --read-values",
    "inventory {url} --audit --all --who --format text",
    "inventory {url} --audit --all --who --format json",
    "inventory {url} --audit --all --who --format csv",
    "inventory {url} --audit --all --who --format html",
    "inventory {url} --audit --all --who --format junit",
    "inventory {url} --audit --all --who --format sarif",
    "watch {url} --rounds 1 --read-values",
    "watch {url} --rounds 1 --read-values --apply --journal {out}/watch.jsonl",
    "graph {url} --all --format mermaid",
    "graph {url} --all --format dot",
    "graph {url} --all --format svg",
    "versions {url} dev/shop/sops --format text",
    "versions {url} dev/shop/sops --format json --who",
    "iam-policy --for apply --read-values",
    "import {url} --all --dry-run",
    "explain Secret.spec.value",
    "schema secret",
    "completions bash",
    "man",
    "apply {url} --yes --read-values --format text --journal {out}/apply.jsonl --max-changes-percent 100",
    "apply {url} --yes --read-values --format json --allow-replace-values --max-changes-percent 100",
    "rollback {url} dev/shop/sops --yes",
    "rotate {url} dev/shop/sops --yes",
    "restore {url} dev/shop/gone --yes",
    "promote {url} dev/shop/sops --yes",
    "release {url} dev/shop/file --yes",
    "sandbox seed fixtures.yaml --file {out}/sandbox.redb",
    "sandbox advance PT1H --file {out}/sandbox.redb",
    "sandbox reset --file {out}/sandbox.redb",
];

/// Verbs that cannot stand in the list: the server of these tests itself.
const ELSEWHERE: [&str; 1] = ["sandbox serve"];

const FLEET: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  targets:
    - { name: \"${stage}\", matrix: { stage: [dev] }, account: \"111111111111\", region: eu-west-1 }
  scope: { namePrefixes: [dev/shop/] }
  rules: [{ name: shape, value: { keys: [user] } }]
  guards: { maxChangesPercent: 100 }
";

/// Values in items of lists, in expanded secrets, in what a watch remembers, and in a secret that moves.
#[test]
fn values_of_a_fleet_appear_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let secret = |metadata: &str, spec: &str| {
        format!("apiVersion: keywright/v1\nkind: Secret\nmetadata: {metadata}\nspec: {spec}\n")
    };
    let list =
        secret("{ name: \"dev/shop/${each.name}\" }", "{ value: { json: { user: { text: \"${each.token}\" } } } }")
            + "forEach: { file: tenants.csv }\n";
    let moved = secret("{ name: dev/shop/new, renamedFrom: dev/shop/old }", "{ description: Moved }");
    support::write_files(
        root,
        [
            ("keywright.yaml", FLEET),
            ("secrets/list.yaml", list.as_str()),
            ("secrets/tenants.csv", "name,token\nacme,C4N4RY-one\nbeta,C4N4RY-two\n"),
            ("secrets/moved.yaml", moved.as_str()),
        ],
    );
    let mut server = Server::start(root);
    let owner = keywright::desired::owner_tag::bind("shop/dev", "dev/shop/old", "dev/shop/");
    let create = json!({
        "Name": "dev/shop/old", "SecretString": "C4N4RY-moved", "ClientRequestToken": "3".repeat(32),
        "Tags": [{ "Key": "keywright:project", "Value": owner }],
    });
    server.call("CreateSecret", &create);
    let endpoint = format!("http://{}", server.address);
    let (journal, state) = (root.join("journal.jsonl"), root.join("state.json"));
    let (journal, state) = (journal.to_string_lossy().into_owned(), state.to_string_lossy().into_owned());
    let watch = ["watch", "-vvv", "--rounds", "1", "--state", &state, "--endpoint-url", &endpoint];
    let moving = [
        &["apply", "-vvv", "--yes", "--allow-copy-values", "--allow-moves", "--format", "json"][..],
        &["--journal", &journal, "--endpoint-url", &endpoint],
    ]
    .concat();
    for args in [
        &["validate", "--expanded"][..],
        &["validate", "--expanded", "--format", "json"],
        &["explain", "targets"],
        &["explain", "--effective", "dev/shop/acme"],
        &watch,
        &["plan", "-vvv", "--read-values", "--endpoint-url", &endpoint],
        &["apply", "-vvv", "--yes", "--endpoint-url", &endpoint],
        &moving,
        &watch,
        &["drift", "-vvv", "--read-values", "--format", "json", "--endpoint-url", &endpoint],
        &["import", "-vvv", "--fields", "tags,policy", "--dry-run", "--endpoint-url", &endpoint],
    ] {
        let printed = keywright(root, args);
        assert!(!printed.contains(MARK), "{args:?} shows a marked value:\n{printed}");
    }
    let read = server.call("GetSecretValue", &json!({ "SecretId": "dev/shop/new" }));
    assert!(read.contains("C4N4RY-moved"), "it has moved: {read}");
    for file in [&journal, &state] {
        let held = std::fs::read_to_string(file).expect("a file that was written");
        assert!(!held.is_empty() && !held.contains(MARK), "{file}: {held}");
    }
    // Items that are wrong, with something secret in or near the wrong place.
    for wrong in [
        "name,token\nacme,C4N4RY\nacme,C4N4RY-again\n",
        "name,token\nacme,\"C4N4RY-unclosed\n",
        "name,token\nacme,C4N4RY,C4N4RY-third\n",
        "name,C4N4RY-column\nacme,C4N4RY\n",
        "C4N4RY-name,C4N4RY-name\nC4N4RY,C4N4RY\n",
    ] {
        support::write_files(root, [("secrets/tenants.csv", wrong)]);
        for args in [&["validate"][..], &["validate", "--format", "json"], &["validate", "--expanded"]] {
            let printed = keywright(root, args);
            assert!(!printed.contains(MARK), "{wrong:?}, {args:?}:\n{printed}");
        }
    }
    let logged = server.stop();
    assert!(!logged.contains(MARK), "the sandbox server shows a marked value:\n{logged}");
}

/// The path of each command that does something, and the values that its --format takes.
fn verbs(command: &clap::Command, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    let children = command.get_subcommands().filter(|child| child.get_name() != "help").collect::<Vec<_>>();
    if children.is_empty() {
        let format = command.get_arguments().find(|argument| argument.get_id() == "format");
        let values = format.map(clap::Arg::get_possible_values).unwrap_or_default();
        found.push((path.to_owned(), values.iter().map(|value| value.get_name().to_owned()).collect()));
    }
    for child in children {
        verbs(child, format!("{path} {}", child.get_name()).trim_start(), found);
    }
}

#[test]
fn every_verb_and_format_is_in_the_canary() {
    let mut command = keywright::cli::command();
    command.build();
    let mut found = Vec::new();
    verbs(&command, "", &mut found);
    assert!(found.len() > 20);
    for (verb, formats) in found.iter().filter(|(verb, _)| !ELSEWHERE.contains(&verb.as_str())) {
        let is_of = |line: &&&str| line.split_whitespace().take(verb.split(' ').count()).eq(verb.split(' '));
        let lines: Vec<&&str> = EVERYTHING.iter().filter(is_of).collect();
        assert!(!lines.is_empty(), "`{verb}` is not in the canary: add a line to EVERYTHING");
        for format in formats {
            let written = format!("--format {format}");
            let has = |line: &&&str| format!("{line} ").contains(&format!("{written} "));
            assert!(lines.iter().any(has), "`{verb} {written}` is not in the canary");
        }
    }
}

#[test]
fn every_verb_and_format_shows_no_value() {
    let (folder, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let root = folder.path();
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/canary").join(name);
        std::fs::read_to_string(path).expect("a fixture")
    };
    let files = [
        ("keywright.yaml", PROJECT.to_owned()),
        ("secrets/values.yaml", VALUES.to_owned()),
        ("secrets/db.sops.yaml", fixture("db.sops.yaml")),
        ("secrets/blob.sops.bin", fixture("blob.sops.bin")),
        ("secrets/plain.txt", "C4N4RY-plain-file".to_owned()),
        ("right-key.txt", fixture("age-key.txt")),
        ("fixtures.yaml", "- { name: dev/shop/sops, value: C4N4RY-fixture }\n".to_owned()),
    ];
    let lay_out = || support::write_files(root, files.iter().map(|(name, text)| (*name, text.as_str())));
    lay_out();
    let mut server = Server::start(root);
    let key = root.join("right-key.txt").to_string_lossy().into_owned();
    let mut numbers = 0..;
    let mut run = |line: &str, endpoint: &str| {
        let out = outside.path().to_string_lossy();
        let line = line.replace("{url}", &format!("--endpoint-url {endpoint}")).replace("{out}", &out);
        let line = line.replace("{n}", &numbers.next().map_or_else(String::new, |number: u32| number.to_string()));
        let mut args: Vec<&str> = line.split_whitespace().collect();
        if ["plan", "drift", "watch", "apply"].contains(&args[0]) {
            args.extend(["--allow-env", "DB_*"]);
        }
        args.push("-vvv");
        let mut command = Command::new(env!("CARGO_BIN_EXE_keywright"));
        command.args(&args).current_dir(root).envs(environment());
        let output = command.envs([("SOPS_AGE_KEY_FILE", key.as_str()), ("AWS_MAX_ATTEMPTS", "1")]).output();
        let output = output.expect("keywright runs");
        let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!printed.contains(MARK), "{line} shows a marked value:\n{printed}");
        assert!(!printed.contains("panicked"), "{line} panicked:\n{printed}");
        (output.status.code(), printed)
    };
    let live = format!("http://{}", server.address);
    for line in EVERYTHING {
        let (code, printed) = run(line, &live);
        assert_ne!(code, Some(64), "{line} is not understood:\n{printed}");
    }
    assert!(server.call("ListSecrets", &json!({})).contains("dev/shop/env"), "the values were really put");
    // Nothing answers; then the service answers, and refuses or fails.
    for line in EVERYTHING.iter().filter(|line| line.contains("{url}")) {
        run(line, "http://127.0.0.1:9");
    }
    for (status, code) in [(400, "AccessDeniedException"), (500, "InternalServiceError"), (400, "DecryptionFailure")] {
        server.control("DELETE", "faults", "");
        let kind = json!({ "error": { "status": status, "code": code, "message": "no" } });
        let only = ["PutSecretValue", "GetSecretValue", "BatchGetSecretValue", "CreateSecret", "GetResourcePolicy"];
        let rules: Vec<_> = only.map(|operation| json!({ "operation": operation, "kind": kind })).to_vec();
        server.control("POST", "faults", &json!({ "rules": rules }).to_string());
        for line in EVERYTHING.iter().filter(|line| line.contains("{url}")) {
            run(line, &live);
        }
    }
    server.control("DELETE", "faults", "");
    // A value that was pasted in the wrong place.
    let broken =
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: dev/shop/a }\nspec: { pasword: C4N4RY-pasted }\n";
    support::write_files(root, [("secrets/values.yaml", broken)]);
    for line in EVERYTHING {
        run(line, &live);
    }
    for entry in std::fs::read_dir(outside.path()).expect("what was written") {
        let path = entry.expect("a file").path();
        let text = std::fs::read(&path).expect("a file");
        assert!(!String::from_utf8_lossy(&text).contains(MARK), "{} holds a marked value", path.display());
    }
    server.check_events(&["CreateSecret"]);
    let logged = server.stop();
    assert!(!logged.contains(MARK), "the sandbox server shows a marked value:\n{logged}");
}

/// Runs the real binary with everything turned on, and returns all that it printed.
fn keywright(root: &Path, args: &[&str]) -> String {
    keywright_with(root, args, &[])
}

/// The same with more of an environment.
fn keywright_with(root: &Path, args: &[&str], more: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(args)
        .arg("--project")
        .arg(root)
        .envs(environment())
        .envs(more.iter().copied())
        .output()
        .expect("keywright runs");
    let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.push_str(&String::from_utf8_lossy(&output.stderr));
    assert!(!printed.contains("panicked"), "{args:?} panicked:\n{printed}");
    printed
}

fn environment() -> [(&'static str, &'static str); 6] {
    [
        ("KEYWRIGHT_LOG", "trace"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
        ("AWS_ACCESS_KEY_ID", "111111111111"),
        ("AWS_SECRET_ACCESS_KEY", "C4N4RY-secret-access-key"),
        ("DB_PASSWORD", "C4N4RY-environment"),
    ]
}

/// The sandbox as a process of its own, with its output kept.
struct Server {
    child: Child,
    address: String,
    lines: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(root: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(["sandbox", "serve", "--memory", "--port", "0", "-vvv", "--project"])
            .arg(root)
            .envs(environment())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(root.join("server.log")).expect("a log file"))
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut ready = String::new();
        lines.read_line(&mut ready).expect("a ready line");
        let address = ready.trim().rsplit_once("http://").map(|(_, address)| address.to_owned());
        let address = address.unwrap_or_else(|| panic!("what does the ready line say? {ready}"));
        std::fs::rename(root.join("server.log"), root.with_extension("server-log"))
            .expect("the log moves out of the project");
        Self { child, address, lines }
    }

    fn call(&mut self, operation: &str, body: &serde_json::Value) -> String {
        let answer = self.call_raw(operation, &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 200"), "{operation}: {answer}");
        answer
    }

    fn call_raw(&mut self, operation: &str, body: &str) -> String {
        self.send("secretsmanager", &format!("secretsmanager.{operation}"), body)
    }

    /// CloudTrail's events of changes have these words, and no value in any form.
    fn check_events(&mut self, expected: &[&str]) {
        let events = self.events();
        assert!(expected.iter().all(|word| events.contains(word)), "{expected:?}: {events}");
        assert!(!events.contains(MARK) && !events.contains("QzRONFJZ"), "an event holds a marked value:\n{events}");
    }

    /// Every page of CloudTrail's events of changes.
    fn events(&mut self) -> String {
        let (mut all, mut token) = (String::new(), None::<String>);
        loop {
            let attribute = json!({ "AttributeKey": "ReadOnly", "AttributeValue": "false" });
            let mut body = json!({ "LookupAttributes": [attribute] });
            if let Some(token) = &token {
                body["NextToken"] = token.as_str().into();
            }
            let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
            let answer = self.send("cloudtrail", target, &body.to_string());
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            let page = answer.split_once("\r\n\r\n").map_or("", |(_, page)| page);
            let page: serde_json::Value = serde_json::from_str(page).expect("an answer in JSON");
            all.push_str(&page.to_string());
            token = page["NextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return all;
            }
        }
    }

    fn send(&mut self, service: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.1\r\n\
             x-amz-target: {target}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=111111111111/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, \
             Signature=0\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Gives an order on the control path.
    fn control(&mut self, method: &str, path: &str, body: &str) {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let head = format!("{method} /_keywright/{path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Ends the server and returns all that it printed.
    fn stop(mut self) -> String {
        self.child.kill().expect("the server ends");
        self.child.wait().expect("the server has ended");
        let mut printed = String::new();
        self.lines.read_to_string(&mut printed).expect("UTF-8 output");
        printed
    }
}

/// Panics while it holds values, and with them in its message: what a bug in keywright would do.
#[test]
#[ignore = "it panics on purpose; a_panic_shows_no_value runs it"]
fn provoked() {
    let value = |text: &str| keywright::value::SecretValue::text(format!("{MARK}-{text}"));
    let live = keywright::live::LiveValue {
        version_id: keywright::domain::VersionId::of_service("0".repeat(32)),
        value: value("live"),
    };
    assert!(live.version_id.as_str().is_empty(), "provoked by {:?}", (&live, value("declared")));
}

#[test]
fn a_panic_shows_no_value() {
    let output = Command::new(std::env::current_exe().expect("this test program"))
        .args(["--ignored", "--exact", "provoked", "--nocapture"])
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("this test program runs");
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("provoked") && printed.contains("panicked"), "it panicked: {printed}");
    assert!(printed.contains("redacted"), "the values are in the message, redacted: {printed}");
    assert!(!printed.contains(MARK), "a panic shows a marked value:\n{printed}");
}
