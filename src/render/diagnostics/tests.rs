//! Each format, with text in it that would like to break out.

use std::fs;
use std::io;

use serde_json::Value;

use super::{github, json, sarif, text};
use crate::manifest::{Diagnostics, LoadOptions, load};

/// The folder of a project that has no secrets yet.
fn project() -> io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("keywright.yaml"),
        "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: p }\nspec:\n  \
         targets: [{ name: t, region: eu-west-1 }]\n  scope: { namePrefixes: [a/] }\n",
    )?;
    Ok(folder)
}

/// A project with one unknown field in a file that has a dangerous name, and a wrong tag with dangerous text.
fn hostile() -> io::Result<Diagnostics> {
    let folder = project()?;
    fs::write(
        folder.path().join("a,b:c%.yaml"),
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: a/b }\nspec:\n  \"\\e[31mfield\\n::error::x\": y\n  \
         kmsKeyId: \"\u{202e}key\"\n",
    )?;
    Ok(load(folder.path(), &LoadOptions::default()).diagnostics)
}

#[test]
fn text_holds_no_control_characters_of_others() -> io::Result<()> {
    let plain = text(&hostile()?, false);
    assert!(plain.contains("unknown field `\\u{1b}[31mfield\\n::error::x`"), "{plain}");
    assert!(plain.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{plain}");
    assert!(plain.contains("\n2 errors\nkeywright explain unknown-field"), "{plain}");
    assert!(!plain.lines().any(|line| line.starts_with("::")));
    let colour = text(&hostile()?, true);
    assert!(colour.contains("\u{1b}[") && !colour.contains("\u{1b}[31mfield"));
    Ok(())
}

/// Lines of a file that a runner would take for commands, as they stand and where they are quoted.
#[test]
fn a_quoted_line_is_no_workflow_command() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("keywright.yaml"),
        "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: p }\nspec:\n  scope: { namePrefixes: [a/] }\n  \
         targets: [{ name: t, region: eu-west-1, vars: { e: x } }]\n",
    )?;
    fs::write(
        folder.path().join("a.yaml"),
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: a/b }\nspec:\n  \
         tags: { k: \"##[set-output name=plan]pwned\", l: \"##vso[task.setvariable]x\" }\n  \
         ::stop-commands::token: 1\n",
    )?;
    let diagnostics = load(folder.path(), &LoadOptions::default()).diagnostics;
    assert!(diagnostics.has_errors());
    for text in [
        text(&diagnostics, false).into_owned(),
        text(&diagnostics, true).into_owned(),
        json(&diagnostics).into_owned(),
        sarif(&diagnostics, "").into_owned(),
        github(&diagnostics, "").into_owned(),
    ] {
        assert!(!text.contains("##[") && !text.contains("##vso["), "{text}");
        let ours = |line: &str| line.starts_with("::error file=") || line.starts_with("::warning file=");
        let mut commands = text.lines().filter(|line| line.trim_start().starts_with("::"));
        assert!(commands.all(ours), "{text}");
    }
    Ok(())
}

#[test]
fn json_has_a_version_and_everything_that_the_text_shows() -> io::Result<()> {
    let document: Value = serde_json::from_str(&json(&hostile()?))?;
    assert_eq!(document["formatVersion"], "1");
    assert_eq!(document["summary"]["errors"], 2);
    let first = &document["diagnostics"][0];
    assert_eq!(first["code"], "unknown-field");
    assert_eq!(first["location"]["file"], "a,b:c%.yaml");
    assert_eq!(first["location"]["line"], 5);
    assert!(first["help"][0].as_str().is_some_and(|help| help.contains("`description`")));
    Ok(())
}

#[test]
fn sarif_refers_to_its_rules() -> io::Result<()> {
    let log: Value = serde_json::from_str(&sarif(&hostile()?, ""))?;
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX);
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "a%2Cb%3Ac%25.yaml");
    assert_eq!(location["region"]["startLine"], 5);
    Ok(())
}

#[test]
fn workflow_commands_stay_one_line_each() -> io::Result<()> {
    let commands = github(&hostile()?, "");
    let lines: Vec<&str> = commands.lines().collect();
    assert_eq!(lines.len(), 2, "{commands}");
    assert!(lines.iter().all(|line| line.starts_with("::error file=a%2Cb%3Ac%25.yaml,line=")), "{commands}");
    assert!(commands.contains(",title=unknown-field::unknown field "), "{commands}");
    Ok(())
}

#[test]
fn what_github_hides_is_counted() -> io::Result<()> {
    let folder = project()?;
    let annotated = |secrets: usize| -> io::Result<String> {
        for number in 0..secrets {
            let text = "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: a/b }\nspec: { descriptionn: y }\n";
            fs::write(folder.path().join(format!("{number:02}.yaml")), text)?;
        }
        let loaded = load(folder.path(), &LoadOptions::default());
        let errors = loaded.diagnostics.into_iter().count();
        let text = github(&loaded.diagnostics, "").into_owned();
        assert_eq!(text.matches("::error ").count(), errors);
        Ok(text)
    };
    assert!(!annotated(1)?.contains("::notice"));
    let many = annotated(14)?;
    let last = many.lines().last().unwrap_or_default();
    let errors = many.matches("::error ").count();
    assert!(errors > 10, "{many}");
    assert!(last.starts_with("::notice title=keywright validate::") && last.contains(&format!("{errors} mistakes")));
    assert!(last.contains(&format!("hides {} of them", errors - 10)), "{last}");
    Ok(())
}

#[test]
fn nothing_is_printed_about_nothing() {
    let nothing = Diagnostics::default();
    assert!(text(&nothing, true).is_empty() && github(&nothing, "").is_empty());
}
