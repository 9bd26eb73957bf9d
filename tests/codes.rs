//! What is said of each code is so: every example is told of by its code and by no other, and every mended one by none.
//! `KEYWRIGHT_BLESS=1 cargo test --test codes` writes `docs/codes.md` anew.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use keywright::desired::AuditKind;
use keywright::drift::Class;
use keywright::exit_code::ExitCode;
use keywright::manifest::{LoadOptions, codes, load};
use keywright::render::explained::{Page, document, page, pages};

/// The project that examples belong to, above the keys of its `spec`.
const PROJECT: &str = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: payments }\nspec:\n";

const TARGETS: &str = "  targets:
    - { name: dev, account: \"111111111111\", region: eu-west-1, vars: { env: dev } }
    - { name: prod, account: \"222222222222\", region: eu-west-1, vars: { env: prod } }
";

const SCOPE: &str = "  scope: { namePrefixes: [\"${env}/payments/\"] }\n";

const SECRET: &str = "apiVersion: keywright/v1\nkind: Secret\n";

const NAMED: &str = "metadata: { name: \"${env}/payments/db\" }\n";

/// Codes without an example, each with the reason. What breaks them is made in `broken`, where it can be.
const WITHOUT_EXAMPLE: [(&str, &str); 9] = [
    ("file-unreadable", "a file's permissions are no text, and root may read everything"),
    ("file-too-large", "an example of 1 MiB is no example"),
    ("file-not-utf8", "a page is UTF-8 itself"),
    ("too-many-files", "100,000 files are no example"),
    ("yaml-too-large", "200,000 nodes are no example"),
    ("too-many-problems", "100 mistakes have codes of their own"),
    ("too-many-secrets", "a list of 200,000 items is no example"),
    ("description", "2,049 characters are no example"),
    ("tag-limit", "51 tags are no example"),
];

/// The name of a file, when a line of an example is one.
fn file_line(line: &str) -> Option<&str> {
    let name = line.strip_prefix("# ")?;
    let (stem, ending) = name.rsplit_once('.')?;
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    (!stem.is_empty() && !ending.is_empty() && is_name(name)).then_some(name)
}

/// The files of the project that an example stands for.
fn files(id: &str, example: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let first = example.lines().next().unwrap_or_default();
    if first == "# in the spec of keywright.yaml" {
        let has = |key: &str| example.lines().any(|line| line.starts_with(key));
        let mut project = PROJECT.to_owned();
        if !has("targets:") {
            project.push_str(TARGETS);
        }
        if !has("scope:") {
            project.push_str(SCOPE);
        }
        project.extend(example.lines().skip(1).map(|line| format!("  {line}\n")));
        files.insert("keywright.yaml".to_owned(), project);
    } else if file_line(first).is_some() {
        let mut name = String::new();
        for line in example.lines() {
            if let Some(file) = file_line(line) {
                file.clone_into(&mut name);
                files.insert(name.clone(), String::new());
            } else {
                let text = files.entry(name.clone()).or_default();
                text.push_str(line);
                text.push('\n');
            }
        }
    } else {
        let name = if example.starts_with("metadata:") { "" } else { NAMED };
        files.insert("db.yaml".to_owned(), format!("{SECRET}{name}{example}"));
    }
    if files.len() == 1 && files.contains_key("keywright.yaml") && id != "no-secrets" {
        let name =
            if files["keywright.yaml"].contains("env") { NAMED } else { "metadata: { name: dev/payments/db }\n" };
        files.insert("db.yaml".to_owned(), format!("{SECRET}{name}"));
    }
    files.entry("keywright.yaml".to_owned()).or_insert_with(|| format!("{PROJECT}{TARGETS}{SCOPE}"));
    files
}

/// The codes of what `validate` tells of a project with these files.
fn told<T: AsRef<[u8]>>(files: &BTreeMap<String, T>) -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
    load(folder.path(), &LoadOptions::default()).diagnostics.iter().map(|found| found.code.id).collect()
}

#[test]
fn every_example_is_told_of_by_its_code_alone_and_mended_by_none() {
    let mut wrong = Vec::new();
    for Page { id, wrong: example, right, .. } in pages() {
        if let Some(example) = example {
            let told = told(&files(id, example));
            if told != BTreeSet::from([*id]) {
                wrong.push(format!("{id}: the example is told of by {told:?}"));
            }
        }
        // A project without secrets mends by having one.
        if let Some(example) = right {
            let told = told(&files("", example));
            if !told.is_empty() {
                wrong.push(format!("{id}: the mended example is told of by {told:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_of_manifests_has_an_example_or_a_reason() {
    let known = WITHOUT_EXAMPLE.map(|(id, _)| id);
    for code in codes::ALL {
        let has = page(code.id).is_some_and(|page| page.wrong.is_some());
        assert_ne!(has, known.contains(&code.id), "{}", code.id);
    }
}

/// The codes whose breach is too large or no text, made here.
#[test]
fn what_is_no_example_is_told_of_by_its_code() {
    let secret = |spec: &str| format!("{SECRET}{NAMED}spec:\n{spec}").into_bytes();
    let tags: String = (0..51).map(|nth| format!("    t{nth}: x\n")).collect();
    let wrong: String = (0..101).map(|nth| format!("  f{nth}: x\n")).collect();
    let nodes = "x,".repeat(200_001);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("file-too-large", secret(&format!("  description: x\n{}", "#\n".repeat(600_000)))),
        ("file-not-utf8", b"apiVersion: keywright/v1 # \xff\n".to_vec()),
        ("yaml-too-large", secret(&format!("  policy: [{nodes}]\n"))),
        ("description", secret(&format!("  description: {}\n", "x".repeat(2_049)))),
        ("tag-limit", secret(&format!("  tags:\n{tags}"))),
        ("too-many-problems", secret(&wrong)),
    ];
    for (id, bytes) in cases {
        let project = format!("{PROJECT}{TARGETS}{SCOPE}").into_bytes();
        let files = BTreeMap::from([("keywright.yaml".to_owned(), project), ("db.yaml".to_owned(), bytes)]);
        let told = told(&files);
        assert!(told.contains(id), "{id}: {told:?}");
    }
}

#[test]
fn explain_prints_the_page_of_every_code_and_knows_what_was_meant() {
    let sandbox = support::sandbox();
    let list = support::keywright(&sandbox, &["explain", "--codes"], None);
    let classes = Class::ALL.map(Class::word);
    let findings = AuditKind::ALL.map(AuditKind::word);
    for id in codes::ALL.iter().map(|code| code.id).chain(classes).chain(findings) {
        let run = support::keywright(&sandbox, &["explain", id], None);
        assert_eq!(run.code, ExitCode::Success, "{id}: {}", run.err);
        assert!(run.out.starts_with(&format!("{id}\n")) && run.out.contains("What mends it"), "{id}: {}", run.out);
        assert!(list.out.contains(&format!("\n  {id} ")), "{id} is not listed");
    }
    let near = support::keywright(&sandbox, &["explain", "unknown-feild"], None);
    assert_eq!(near.code, ExitCode::Error);
    assert!(near.err.contains("did you mean unknown-field?"), "{}", near.err);
    for still in ["Secret.spec.policy", "rate(30 days)"] {
        assert_eq!(support::keywright(&sandbox, &["explain", still], None).code, ExitCode::Success, "{still}");
    }
}

#[test]
fn the_page_of_codes_is_what_explain_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        std::fs::write(&path, document()).expect("docs/ can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == document(), "docs/codes.md is stale: KEYWRIGHT_BLESS=1 cargo test --test codes");
}
