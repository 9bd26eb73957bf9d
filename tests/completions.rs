//! Completion scripts and manual pages: each names every verb, and the programs that read them take them.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

mod support;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use keywright::exit_code::ExitCode;

/// The verbs that a completion has to know.
fn verbs() -> Vec<String> {
    let command = keywright::cli::command();
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    assert!(verbs.iter().any(|verb| verb == "apply"), "{verbs:?}");
    verbs
}

fn printed(args: &[&str]) -> String {
    let run = support::keywright(&support::sandbox(), args, None);
    assert_eq!(run.code, ExitCode::Success, "{args:?}: {}", run.err);
    run.out
}

/// Feeds a script to a program that is asked to read it and do nothing. False when the program is not here.
fn is_read_by(program: &str, args: &[&str], script: &str) -> bool {
    let child =
        Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return false };
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && complaint.is_empty(), "{program} {args:?}: {complaint}");
    true
}

#[test]
fn each_completion_names_every_verb_and_its_flags() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for verb in verbs() {
            assert!(script.contains(&verb), "{shell} does not know {verb}");
        }
        assert!(script.contains("detailed-exitcode"), "{shell} does not know the flags of plan");
        // The other two complete no values.
        let values = matches!(shell, "bash" | "fish" | "zsh");
        assert!(!values || script.contains("markdown"), "{shell} does not know the formats of plan");
    }
    let wrong = support::keywright(&support::sandbox(), &["completions", "tcsh"], None);
    assert_eq!(wrong.code, ExitCode::Usage);
    assert!(wrong.err.contains("bash, elvish, fish, powershell, zsh"), "{}", wrong.err);
}

#[test]
fn shells_read_their_completion() {
    for (shell, args) in [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])] {
        let script = printed(&["completions", shell]);
        is_read_by(shell, &args, &script);
    }
}

#[test]
fn bash_completes_a_verb_a_flag_and_a_format() {
    let script = printed(&["completions", "bash"]);
    let completed = |words: &str| {
        let asked = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _keywright keywright \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let done = Command::new("bash").args(["--norc", "-c", &asked]).output().ok()?;
        Some(String::from_utf8(done.stdout).expect("UTF-8"))
    };
    // Without bash there is nothing to see.
    let Some(verbs) = completed("keywright pl") else { return };
    assert_eq!(verbs, "plan\n");
    assert_eq!(completed("keywright plan --detailed"), Some("--detailed-exitcode\n".to_owned()));
    assert_eq!(completed("keywright plan --format mark"), Some("markdown\n".to_owned()));
}

#[test]
fn a_manual_page_for_each_verb() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pages = folder.path().join("man1");
    printed(&["man", "--dir", &pages.to_string_lossy()]);
    for verb in verbs() {
        let page = fs::read_to_string(pages.join(format!("keywright-{verb}.1"))).expect("a page of each verb");
        assert!(page.contains(".SH EXAMPLES") || page.contains(".SH \"EXAMPLES\""), "{verb} has no example");
        assert!(page.contains(".SH OPTIONS"), "{verb}");
    }
    // The verbs below a verb have pages of their own, the verb `help` has none.
    assert!(pages.join("keywright-sandbox-serve.1").is_file());
    assert!(!pages.join("keywright-help.1").exists());
    let main = printed(&["man"]);
    assert_eq!(main, fs::read_to_string(pages.join("keywright.1")).expect("the main page"));
    assert!(main.contains("keywright\\-plan(1)") && main.contains("EXIT STATUS"), "{main}");
    // Where there is a reader of manual pages, it has nothing to complain of, and keeps the lines of examples apart.
    for entry in fs::read_dir(&pages).expect("the folder") {
        let page = fs::read_to_string(entry.expect("an entry").path()).expect("a page");
        is_read_by("groff", &["-man", "-Kutf8", "-ww", "-Tutf8", "-z"], &page);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let run = support::keywright(&support::sandbox(), &["man", "--dir", &file.to_string_lossy()], None);
    assert_eq!(run.code, ExitCode::Error);
    assert!(run.err.contains("could not be written") && run.err.contains("--dir"), "{}", run.err);
}
