//! YAML that a text proposes is YAML that keywright takes: what stands between backticks as `key: value` in the words
//! of the program has a place among manifests where it is no mistake of form.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use super::{PROJECT, codes, load_files, secret};

/// What a manifest has the wrong form with, whatever its values are.
const FORM: [&str; 6] =
    ["yaml-syntax", "unknown-field", "missing-field", "wrong-type", "invalid-choice", "not-a-manifest"];

/// Words of templates, with something that may stand in their place.
const FILLED: [(&str, &str); 5] = [("{service}", "rds"), ("{}", "app-x"), ("[...]", "[a]"), ("{{", "{"), ("}}", "}")];

/// Not of manifests: of IAM's policies or a workflow, as an example of what a map is, or cut short.
const OTHERS: [&str; 6] = ["Resource: ", "Version: ", "key: value", "text: …", "Cure: ", "lfs: true"];

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|_| unreachable!())
}

/// The texts of the program's own sources that propose something, by file.
fn proposed() -> BTreeSet<(String, String)> {
    let (snippet, broken) = (regex(r"`([a-zA-Z]+: [^`]+)`"), regex(r"\\\n\s*"));
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let named = |end: &str| path.extension().is_some_and(|found| found == end);
            if path.is_dir() {
                folders.push(path);
            } else if named("rs") || named("md") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                // A line that ends in a backslash goes on in the next one.
                let text = broken.replace_all(&text, "").into_owned();
                let said = text.lines().filter(|line| named("md") || !line.trim_start().starts_with("//"));
                let snippets =
                    said.flat_map(|line| snippet.captures_iter(line).map(|found| found[1].replace("\\\"", "\"")));
                found.extend(snippets.map(|snippet| (path.display().to_string(), snippet)));
            }
        }
    }
    found
}

/// The codes of form that are found with a snippet in one place.
fn wrong(files: &[(&str, String)]) -> Vec<&'static str> {
    let found = load_files(files, &[]);
    codes(&found).into_iter().filter(|code| FORM.contains(code)).collect()
}

#[test]
fn what_texts_propose_has_the_right_form() {
    let all = proposed();
    assert!(all.len() > 20, "{all:?}");
    let (mut refused, placeholder) = (Vec::new(), regex(r"(: )\{([a-z]+)\}"));
    for (file, written) in all.iter().filter(|(_, text)| !OTHERS.iter().any(|other| text.contains(other))) {
        let filled = FILLED.iter().fold(written.clone(), |text, (from, to)| text.replace(from, to));
        let snippet = placeholder.replace_all(&filled, "${1}x");
        let in_secret = |spec: &str| vec![("secrets/a.yaml", secret("a", spec))];
        let in_project = |from: &str, to: &str| vec![("keywright.yaml", PROJECT.replace(from, to))];
        let metadata = "metadata:\n  name: ${env}/payments/a";
        let places = [
            in_secret(&format!("  {snippet}")),
            in_secret(&format!("  value: {{ sops: {{ file: a.json, {snippet} }} }}")),
            in_secret(&format!("  value: {{ text: x, {snippet} }}")),
            in_secret(&format!("  replicas: [{{ region: us-west-2, {snippet} }}]")),
            in_secret(&format!("  overrides: {{ prod: {{ {snippet} }} }}")),
            vec![("secrets/a.yaml", secret("a", "").replace(metadata, &format!("{metadata}\n  {snippet}")))],
            in_project("  targets:", &format!("  {snippet}\n  targets:")),
            in_project("  targets:", &format!("  rules: [{{ name: a, requireKmsKey: true, {snippet} }}]\n  targets:")),
        ];
        if places.iter().all(|files| !wrong(files).is_empty()) {
            let why: Vec<_> = places.iter().map(|files| wrong(files)).collect();
            refused.push(format!("{file}: `{written}`: {why:?}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// The side of a link that is missing, written as the help for the other one says it, ends the warning.
#[test]
fn the_other_side_of_a_link_is_proposed_as_it_is_written() {
    let project = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: shop }\nspec:\n  manifests: [secrets]\n  \
                   targets:\n    - { name: prod, account: \"111111111111\", region: eu-west-1 }\n    - { name: data, \
                   account: \"222222222222\", region: eu-west-1 }\n  scope: { namePrefixes: [app/] }\n";
    let secret = |target: &str, spec: &str| {
        format!(
            "apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: app/1, targets: [{target}] }}\nspec:\n  \
             kmsKeyId: alias/{target}\n{spec}"
        )
    };
    let replica = "  crossAccountReplica: { secret: { target: data, name: app/1 } }\n";
    let primary = "  crossAccountPrimary: { target: prod, name: app/1 }\n";
    for (prod, data) in [(Some(replica), None), (None, Some(primary))] {
        let load = |prod: &str, data: &str| {
            let files = [
                ("keywright.yaml", project.to_owned()),
                ("secrets/prod.yaml", secret("prod", prod)),
                ("secrets/data.yaml", secret("data", data)),
            ];
            load_files(&files, &[])
        };
        let one_sided = load(prod.unwrap_or_default(), data.unwrap_or_default());
        assert_eq!(codes(&one_sided), ["cross-account-one-sided"]);
        let help = one_sided.diagnostics.iter().flat_map(|found| &found.help).next().cloned().unwrap_or_default();
        let written = help.split('`').nth(1).map(|field| format!("  {field}\n")).unwrap_or_default();
        let both = load(prod.unwrap_or(&written), data.unwrap_or(&written));
        assert_eq!(codes(&both), Vec::<&str>::new(), "{written}");
    }
}
