//! Plans as a reviewer gets them: a mixed one of 31 changes and one of 500, in each format, at the widths of two
//! terminals; and what git tells of manifests that are gone.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use keywright::exit_code::ExitCode;
use keywright::sandbox::Sandbox;
use tempfile::TempDir;

const READER: &str = "arn:aws:iam::222222222222:role/reader";
const OTHER: &str = "arn:aws:iam::222222222222:role/disputes-api";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:222222222222:function:rotate";

/// One half of a change: as it was applied, and as it is planned.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Before,
    After,
}

fn project(state: State) -> String {
    let cost_centre = if state == State::Before { 41 } else { 42 };
    format!(
        "apiVersion: keywright/v1
kind: Project
metadata: {{ name: shop }}
spec:
  targets:
    - {{ name: eu, account: \"222222222222\", region: eu-west-1, vars: {{ stage: eu }} }}
    - {{ name: us, account: \"222222222222\", region: us-east-1, vars: {{ stage: us }} }}
  defaults: {{ tags: {{ cost-centre: \"{cost_centre}\" }} }}
  scope: {{ namePrefixes: [\"${{stage}}/\"] }}
  prune: delete
  guards: {{ maxDeletes: 10, maxChangesPercent: 100 }}
"
    )
}

fn policy(role: &str) -> String {
    format!(
        "{{ Version: \"2012-10-17\", Statement: [{{ Effect: Allow, Principal: {{ AWS: \"{role}\" }}, \
         Action: \"secretsmanager:GetSecretValue\", Resource: \"*\" }}] }}"
    )
}

fn secret(out: &mut String, name: &str, only_eu: bool, spec: &str) {
    let targets = if only_eu { ", targets: [eu]" } else { "" };
    write!(
        out,
        "---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: \"${{stage}}/{name}\"{targets} }}\nspec:\n  \
         {spec}\n"
    )
    .expect("a String takes all");
}

/// Changes of other kinds than a tag.
const OTHERS: usize = 11;

/// Manifests with so many changes; most of them, over both targets, are a tag and nothing else.
fn manifests(state: State, changes: usize) -> String {
    let after = state == State::After;
    let mut out = String::new();
    let tagged = changes - OTHERS;
    for number in 0..tagged.div_ceil(2) {
        let alone = number == tagged / 2;
        secret(&mut out, &format!("tenant-{number:03}"), alone, "description: One tenant's key");
    }
    let readers = if after { OTHER } else { READER };
    for name in ["api", "batch", "web"] {
        secret(&mut out, &format!("{name}/key"), true, &format!("policy: {}", policy(readers)));
    }
    let schedule = if after { "cron(0 16 1 * ? *)" } else { "rate(30 days)" };
    let rotation =
        format!("value: {{ generate: {{}} }}\n  rotation: {{ lambdaArn: \"{FUNCTION}\", schedule: \"{schedule}\" }}");
    secret(&mut out, "db/main", true, &rotation);
    let text = if after { "host=db2\\nport=5432" } else { "host=db1\\nport=5432" };
    secret(&mut out, "settings", true, &format!("value: {{ text: \"{text}\", ownership: enforce }}"));
    let words = if after {
        "The key that payments use to sign what they send to the bank, renewed each spring by hand"
    } else {
        "The key that payments use to sign what they send to the bank, renewed each year by hand"
    };
    secret(&mut out, "signing", true, &format!("description: {words}"));
    if after {
        secret(&mut out, "new/one", true, "description: Made by this plan");
        secret(&mut out, "new/two", true, "description: Made by this plan");
    } else {
        secret(&mut out, "old/broker", false, "description: Gone soon");
        secret(&mut out, "old/queue", true, &format!("policy: {}", policy(READER)));
    }
    out
}

/// A project whose first state was applied, with the second one in its files.
fn changed(changes: usize) -> (TempDir, Sandbox) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sandbox = support::sandbox();
    let write = |state| {
        let (project, secrets) = (project(state), manifests(state, changes));
        let files = [("keywright.yaml", project.as_str()), ("secrets.yaml", secrets.as_str())];
        support::write_files(folder.path(), files);
    };
    write(State::Before);
    let applied = run(None, &sandbox, folder.path(), &["apply", "--sandbox", "--yes"]);
    assert_eq!(applied.code, ExitCode::Success, "{}{}", applied.out, applied.err);
    write(State::After);
    (folder, sandbox)
}

fn run(columns: Option<usize>, sandbox: &Sandbox, folder: &Path, args: &[&str]) -> support::Run {
    let folder = folder.to_str().expect("a path of text");
    support::keywright_within(columns, sandbox, &[args, &["--project", folder]].concat(), None)
}

/// What a plan prints in a format, on a terminal of some columns.
fn planned(changed: &(TempDir, Sandbox), columns: Option<usize>, format: &str) -> String {
    let (folder, sandbox) = changed;
    let planned = run(columns, sandbox, folder.path(), &["plan", "--sandbox", "--format", format]);
    assert_eq!(planned.code, ExitCode::Success, "{}", planned.err);
    planned.out
}

fn changed_secrets(json: &serde_json::Value) -> usize {
    let targets = json["targets"].as_array().expect("targets");
    targets.iter().map(|target| target["secrets"].as_array().map_or(0, Vec::len)).sum()
}

/// Lines that could have been broken and were not.
fn too_long(text: &str, columns: usize) -> Vec<&str> {
    let long = text.lines().filter(|line| line.chars().count() > columns);
    // Policies and other blocks of text stay as they are, and so do names and places.
    long.filter(|line| line.trim_start().matches(' ').count() > 3 && !line.contains('"')).collect()
}

#[test]
fn a_plan_of_31_changes_reads_well_in_each_format() {
    let changed = changed(31);
    for columns in [80, 120] {
        let text = planned(&changed, Some(columns), "text");
        assert_eq!(too_long(&text, columns), Vec::<&str>::new());
        insta::assert_snapshot!(format!("mixed_31_text_{columns}"), text);
    }
    let json: serde_json::Value = serde_json::from_str(&planned(&changed, None, "json")).expect("JSON");
    assert_eq!(changed_secrets(&json), 31, "in JSON each stands by itself");
    insta::assert_snapshot!("mixed_31_json", serde_json::to_string_pretty(&json).expect("JSON"));
    insta::assert_snapshot!("mixed_31_markdown", planned(&changed, None, "markdown"));
    insta::assert_snapshot!("mixed_31_html", without_style(&planned(&changed, None, "html")));
}

#[test]
fn a_plan_of_500_changes_is_no_longer_than_one_of_31() {
    let (few, many) = (changed(31), changed(500));
    let lines = |changed, columns, format| planned(changed, columns, format).lines().count();
    for (columns, format) in [(Some(80), "text"), (Some(120), "text"), (None, "markdown")] {
        let (few, many) = (lines(&few, columns, format), lines(&many, columns, format));
        assert!(many <= few + 2, "{format}: {few} lines and {many}");
    }
    for columns in [80, 120] {
        insta::assert_snapshot!(format!("mixed_500_text_{columns}"), planned(&many, Some(columns), "text"));
    }
    let markdown = planned(&many, None, "markdown");
    assert!(markdown.len() < 60_000 && !markdown.contains("Cut:"), "{} bytes", markdown.len());
    insta::assert_snapshot!("mixed_500_markdown", markdown);
    let html = without_style(&planned(&many, None, "html"));
    insta::assert_snapshot!("mixed_500_html", html);
    let json: serde_json::Value = serde_json::from_str(&planned(&many, None, "json")).expect("JSON");
    let groups = json["groups"].as_array().expect("groups");
    assert_eq!(changed_secrets(&json), 500);
    insta::assert_snapshot!("mixed_500_json_groups", serde_json::to_string_pretty(groups).expect("JSON"));
}

/// A page without its style sheet, which is the same everywhere.
fn without_style(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").expect("a style sheet");
    let (_, body) = rest.split_once("</style>").expect("its end");
    format!("{head}<style></style>{body}")
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(args);
    for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"] {
        command.env(name, "A person");
    }
    for name in ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
        command.env(name, "person@example.com");
    }
    for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        command.env(name, "2026-01-01T12:00:00Z");
    }
    let output = command.env("GIT_CONFIG_GLOBAL", "/nonexistent").output().expect("git");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_delete_names_the_commit_that_took_its_manifest_away() {
    let (folder, sandbox) = changed(OTHERS);
    let path = folder.path();
    std::fs::write(path.join("secrets.yaml"), manifests(State::Before, OTHERS)).expect("a file");
    git(path, &["init", "--quiet"]);
    git(path, &["add", "."]);
    git(path, &["commit", "--quiet", "-m", "First"]);
    std::fs::write(path.join("secrets.yaml"), manifests(State::After, OTHERS)).expect("a file");
    let deletes = |args: &[&str]| {
        let out = run(None, &sandbox, path, &[&["plan", "--sandbox"], args].concat()).out;
        out.lines().filter(|line| line.contains(" deletion ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let unsaid = deletes(&[]);
    assert!(unsaid.len() == 3 && unsaid.iter().all(|line| line.contains("no manifest names it any longer")));

    git(path, &["add", "."]);
    git(path, &["commit", "--quiet", "-m", "Drop the \u{1b}[2Jbroker"]);
    let said = deletes(&[]);
    let left = |line: &String| line.contains("its manifest left git in ") && line.contains("of 2026-01-01 (Drop the");
    assert!(said.len() == 3 && said.iter().all(left), "{said:#?}");
    assert!(said.iter().all(|line| line.contains("\\u{1b}[2Jbroker")), "{said:#?}");
    let json: serde_json::Value =
        serde_json::from_str(&run(None, &sandbox, path, &["plan", "--sandbox", "--format", "json"]).out).expect("JSON");
    let secrets = json["targets"][0]["secrets"].as_array().expect("secrets");
    let removed: Vec<_> = secrets.iter().filter(|secret| secret["verb"] == "delete").collect();
    assert_eq!(removed.len(), 2);
    assert!(removed.iter().all(|secret| secret["leaving"]["removedIn"]["date"] == "2026-01-01T12:00:00Z"));
}

/// A job that checks out a part of the repository sees fewer manifests than there are.
#[test]
fn what_a_sparse_checkout_leaves_out_is_not_taken_for_deleted() {
    let (folder, sandbox) = (tempfile::tempdir().expect("a folder"), support::sandbox());
    let path = folder.path();
    let files = [
        ("keywright.yaml", sparse_project("")),
        ("secrets/a/a.yaml", sparse_secret("a")),
        ("secrets/b/b.yaml", sparse_secret("b")),
    ];
    commit_files(path, &files);
    let apply = |args: &[&str]| run(None, &sandbox, path, &[&["apply", "--sandbox", "--yes"], args].concat());
    assert_eq!(apply(&[]).code, ExitCode::Success);

    git(path, &["sparse-checkout", "set", "--no-cone", "/keywright.yaml", "/secrets/a/"]);
    assert!(!path.join("secrets/b/b.yaml").exists(), "git left it out");
    let refused = || {
        let refused = apply(&[]);
        assert_eq!(refused.code, ExitCode::Guard, "{}", refused.out);
        let why = "although git has secrets/b/b.yaml, which this sparse checkout leaves out";
        assert!(refused.out.contains(why), "{}", refused.out);
    };
    refused();
    let validated = run(None, &sandbox, path, &["validate"]);
    let warning = "`secrets/b/b.yaml` is passed over: git has it, and this sparse checkout leaves it out";
    assert!(validated.out.contains(warning), "{}", validated.out);
    // The other forms of git's index.
    git(path, &["update-index", "--index-version", "4"]);
    refused();
    git(path, &["update-index", "--split-index"]);
    refused();
    git(path, &["update-index", "--no-split-index"]);

    // What cannot be told is no leave either.
    std::fs::write(path.join(".git/index"), "no index").expect("a broken index");
    let unknown = apply(&[]);
    assert_eq!(unknown.code, ExitCode::Guard, "{}", unknown.out);
    let why = "it is not known whether this checkout leaves manifests out: git's index has a form that is not known";
    assert!(unknown.out.contains(why), "{}", unknown.out);
    std::fs::remove_file(path.join(".git/index")).expect("it is there");
    git(path, &["reset", "--quiet"]);
    git(path, &["sparse-checkout", "reapply"]);
    refused();

    // One that git itself no longer has goes.
    git(path, &["sparse-checkout", "disable"]);
    git(path, &["rm", "--quiet", "secrets/b/b.yaml"]);
    let gone = apply(&[]);
    assert!(gone.code == ExitCode::Success && gone.out.contains("1 deleted"), "{}{}", gone.out, gone.err);
}

fn sparse_project(more: &str) -> String {
    format!(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: pay }}\nspec:\n  manifests: [secrets]\n  \
         targets: [{{ name: prod, account: \"111111111111\", region: eu-west-1 }}]\n  \
         scope: {{ namePrefixes: [app/] }}\n  prune: delete\n  guards: {{ maxChangesPercent: 100 }}\n{more}"
    )
}

fn sparse_secret(name: &str) -> String {
    format!("apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: app/{name} }}\n")
}

fn commit_files(path: &Path, files: &[(&str, String)]) {
    support::write_files(path, files.iter().map(|(name, text)| (*name, text.as_str())));
    git(path, &["init", "--quiet"]);
    git(path, &["add", "."]);
    git(path, &["commit", "--quiet", "-m", "First"]);
}

/// The folder that the project names is a link, which is followed; and the whole of a folder is left out, of which a
/// sparse index says no more.
#[cfg(unix)]
#[test]
fn what_is_left_out_behind_a_link_and_of_a_sparse_index_is_seen() {
    let (folder, sandbox) = (tempfile::tempdir().expect("a folder"), support::sandbox());
    let path = folder.path();
    std::os::unix::fs::symlink("real", path.join("secrets")).expect("a link");
    let files = [
        ("keywright.yaml", sparse_project("")),
        ("real/a.yaml", sparse_secret("a")),
        ("real/team/deep/b.yaml", sparse_secret("b")),
        ("real/kept/c.yaml", sparse_secret("c")),
    ];
    commit_files(path, &files);
    let apply = || run(None, &sandbox, path, &["apply", "--sandbox", "--yes"]);
    assert_eq!(apply().code, ExitCode::Success);
    for (form, left_out) in [("--no-sparse-index", "real/team/deep/b.yaml"), ("--sparse-index", "real/team")] {
        git(path, &["sparse-checkout", "set", "--cone", form, "real/kept"]);
        assert!(!path.join("real/team").exists(), "git left it out");
        let refused = apply();
        assert_eq!(refused.code, ExitCode::Guard, "{}", refused.out);
        assert!(refused.out.contains(&format!("although git has {left_out}, which")), "{}", refused.out);
    }
}

/// Defaults and Rules that are left out neither take tags off nor let pass what they forbid.
#[test]
fn defaults_and_rules_that_a_sparse_checkout_leaves_out_keep_secrets_from_changes() {
    let (folder, sandbox) = (tempfile::tempdir().expect("a folder"), support::sandbox());
    let path = folder.path();
    let of_kind = |kind: &str, spec: &str| format!("apiVersion: keywright/v1\nkind: {kind}\nspec: {spec}\n");
    let rules = of_kind("Rules", "{ rules: [{ name: r, requireTags: { team: \".+\" }, severity: error }] }");
    let files = [
        ("app/keywright.yaml", sparse_project("  include: [../common]\n")),
        ("app/secrets/shop/a.yaml", sparse_secret("a") + "spec: { tags: { team: x } }\n"),
        ("app/secrets/defaults.yaml", of_kind("Defaults", "{ tags: { abac: payments } }")),
        ("common/rules.yaml", rules),
        ("common/more.yaml", of_kind("Defaults", "{ tags: { more: x } }")),
    ];
    commit_files(path, &files);
    let project = path.join("app");
    let apply = || run(None, &sandbox, &project, &["apply", "--sandbox", "--yes"]);
    assert_eq!(apply().code, ExitCode::Success);
    for (left_out, shown) in [
        ("app/secrets/defaults.yaml", "secrets/defaults.yaml"),
        ("common/rules.yaml", "../common/rules.yaml"),
        ("common/more.yaml", "../common/more.yaml"),
    ] {
        git(path, &["sparse-checkout", "set", "--no-cone", "/*", &format!("!/{left_out}")]);
        // Whatever is changed of it.
        let text = sparse_secret("a") + "spec: { description: new, tags: { team: x } }\n";
        std::fs::write(project.join("secrets/shop/a.yaml"), text).expect("a change");
        let validated = run(None, &sandbox, &project, &["validate"]);
        assert!(validated.out.contains(&format!("`{shown}` is passed over: git has it")), "{}", validated.out);
        let refused = apply();
        assert_eq!(refused.code, ExitCode::Guard, "{left_out}: {}{}", refused.out, refused.err);
        assert!(refused.out.contains(&format!("would be changed although git has {shown}")), "{}", refused.out);
        git(path, &["checkout", "--quiet", "--", "app/secrets/shop/a.yaml"]);
        git(path, &["sparse-checkout", "disable"]);
    }
    assert_eq!(apply().code, ExitCode::Success);
}
