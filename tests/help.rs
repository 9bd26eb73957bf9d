//! The help of every verb as one snapshot, so that no flag changes unseen (`INSTA_UPDATE=always cargo test --test help`
//! writes it anew), and what wrong usage is told.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use clap::Command;
use keywright::exit_code::ExitCode;

/// The help of a command and of everything below it.
fn help(command: &mut Command, path: &str, out: &mut String) {
    let text = command.render_long_help().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    out.push_str(&format!("===== {path}\n{}\n\n", lines.join("\n").trim_end()));
    for child in command.get_subcommands_mut().filter(|child| child.get_name() != "help") {
        let path = format!("{path} {}", child.get_name());
        help(child, &path, out);
    }
}

#[test]
fn help_of_every_verb() {
    let mut command = keywright::cli::command();
    command.build();
    let mut out = String::new();
    help(&mut command, "keywright", &mut out);
    insta::assert_snapshot!(out);
}

/// The verbs that do something, with the words that lead to them.
fn verbs(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, String)>) {
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        let path = [path, &[child.get_name().to_owned()]].concat();
        let after = child.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        found.push((path.clone(), after));
        verbs(child, &path, found);
    }
}

#[test]
fn every_verb_has_an_example_that_keywright_understands() {
    let mut found = Vec::new();
    verbs(&keywright::cli::command(), &[], &mut found);
    assert!(found.len() > 20);
    for (path, after) in found {
        let verb = format!("keywright {}", path.join(" "));
        let examples = after.split("\n\n").find(|part| part.starts_with("Example")).unwrap_or_default();
        // The width of the help, which would break a longer one.
        assert!(examples.lines().all(|line| line.chars().count() <= 100), "{verb}: a long line\n{after}");
        let calls: Vec<Vec<String>> = examples
            .lines()
            .flat_map(|line| line.split("&&"))
            .filter_map(shlex::split)
            .map(|words| words.into_iter().skip_while(|word| word.contains('=')).collect::<Vec<_>>())
            .filter(|words| words.first().is_some_and(|word| word == "keywright"))
            .map(|words| words.into_iter().take_while(|word| !matches!(word.as_str(), ">" | "|" | "<")).collect())
            .collect();
        let of_verb = |call: &&Vec<String>| call.get(1..=path.len()).is_some_and(|words| words == path);
        assert!(calls.iter().any(|call| of_verb(&call)), "{verb}: no example\n{after}");
        for call in calls {
            let parsed = keywright::cli::command().try_get_matches_from(&call);
            assert!(parsed.is_ok(), "{verb}: {call:?}: {}", parsed.expect_err("an error"));
        }
    }
}

fn told(args: &[&str]) -> String {
    let run = support::keywright(&support::sandbox(), args, None);
    assert_eq!(run.code, ExitCode::Usage, "{args:?}: {}{}", run.out, run.err);
    run.err
}

#[test]
fn wrong_usage_is_told_what_would_be_right() {
    // A file of the sandbox's own, given as a word: apply would take it for an approved plan, the other verbs have
    // none.
    let text = told(&["plan", "--sandbox", "here.redb"]);
    assert!(text.contains("tip: to name the sandbox's file, write '--sandbox=here.redb'"), "{text}");
    for line in [
        &["apply", "--sandbox", "here.redb", "--yes"][..],
        &["drift", "--sandbox", "here.redb"],
        &["rotate", "--sandbox", "here.redb", "dev/x"],
        &["versions", "dev/x", "--sandbox", "here.redb"],
        &["import", "--sandbox", "here.redb"],
    ] {
        let text = told(line);
        assert!(text.contains("unexpected argument 'here.redb' found"), "{line:?}: {text}");
        assert!(text.contains("tip: to name the sandbox's file, write '--sandbox=here.redb'"), "{line:?}: {text}");
    }
    let text = told(&["rotate", "--sandbox", "here", "dev/x"]);
    assert!(text.contains("tip: to name the sandbox's file, write '--sandbox=here'"), "{text}");
    let text = told(&["plan", "here.redb", "--sandbox"]);
    assert!(!text.contains("--sandbox=here.redb"), "{text}");
    for wrong in ["localhost", "127.0.0.1:4566", "ftp://localhost", "http://"] {
        let text = told(&["plan", "--endpoint-url", wrong]);
        assert!(text.contains("for example http://127.0.0.1:4566"), "{text}");
    }
    assert!(told(&["plna"]).contains("plan"));
}

#[test]
fn folder_of_the_project_stands_before_or_behind_the_verb() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shown = folder.path().to_string_lossy().into_owned();
    let sandbox = support::sandbox();
    assert_eq!(support::keywright(&sandbox, &["init", "-C", &shown, "shop"], None).code, ExitCode::Success);
    for line in [
        &["-C", &shown, "validate"][..],
        &["validate", "-C", &shown],
        &["--project", &shown, "--color", "never", "plan", "--sandbox"],
    ] {
        let run = support::keywright(&sandbox, line, None);
        assert_eq!(run.code, ExitCode::Success, "{line:?}: {}{}", run.out, run.err);
    }
    let twice = support::keywright(&sandbox, &["-C", &shown, "validate", "-C", &shown], None);
    assert_eq!(twice.code, ExitCode::Usage, "{}", twice.err);
    let none = support::keywright(&sandbox, &["-C", &shown, "completions", "bash"], None);
    assert_eq!(none.code, ExitCode::Usage, "{}", none.err);
}

#[test]
fn init_names_a_project_after_its_folder() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let init = |name: &str| {
        let folder = parent.path().join(name);
        let shown = folder.to_string_lossy().into_owned();
        let sandbox = support::sandbox();
        let run = support::keywright(&sandbox, &["init", "--project", &shown], None);
        (run, folder, shown, sandbox)
    };
    let (run, folder, shown, sandbox) = init("Café secrets_2");
    assert_eq!(run.code, ExitCode::Success, "{}", run.err);
    let project = std::fs::read_to_string(folder.join("keywright.yaml")).expect("the project file");
    assert!(project.contains("\n  name: caf--secrets-2\n"), "{project}");
    assert_eq!(std::fs::read_to_string(folder.join(".gitignore")).expect("a .gitignore"), ".keywright/\n");
    let plan = support::keywright(&sandbox, &["plan", "--project", &shown, "--sandbox"], None);
    assert_eq!(plan.code, ExitCode::Success, "{}", plan.err);
    let (run, folder, ..) = init("___");
    assert_eq!(run.code, ExitCode::Usage);
    assert!(run.err.contains("keywright init NAME") && !folder.exists(), "{}", run.err);
}
