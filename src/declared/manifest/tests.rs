//! Tests of limits, which are small in this package's tests. What a user reads of mistakes is in `tests/manifests/`,
//! at the top of the repository.

use std::fs;

use super::{LoadOptions, Loaded, load};

/// Two targets with one variable.
const PROJECT: &str = r#"apiVersion: keywright/v1
kind: Project
metadata:
  name: payments
spec:
  targets:
    - name: staging
      account: "111111111111"
      region: eu-west-1
      vars: { env: staging }
    - name: prod
      account: "222222222222"
      region: eu-west-1
      vars: { env: prod }
  scope:
    namePrefixes: ["${env}/payments/"]
"#;

fn load_files(files: &[(&str, &str)], targets: &[&str]) -> Loaded {
    let Ok(folder) = tempfile::tempdir() else { unreachable!("a temporary folder can be made") };
    for (name, text) in files.iter().chain([&("keywright.yaml", PROJECT)]) {
        assert!(fs::write(folder.path().join(name), text).is_ok(), "{name} is written");
    }
    let targets = targets.iter().map(ToString::to_string).collect();
    load(folder.path(), &LoadOptions { targets, ..LoadOptions::default() })
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|found| found.code.id).collect()
}

#[test]
fn lists_make_a_bounded_number_of_secrets_over_all_targets() {
    let items: String = (0..1_500).map(|number| format!("- t{number}\n")).collect();
    let manifest = "apiVersion: keywright/v1\nkind: Secret\nforEach: { file: list.yaml }\nmetadata: { name: \
                    \"${env}/payments/${each}\" }\n";
    let files = [("a.yaml", manifest), ("list.yaml", items.as_str())];
    let one = load_files(&files, &["prod"]);
    assert_eq!((codes(&one), one.secrets), (Vec::new(), 1_500));
    assert_eq!(codes(&load_files(&files, &[])), ["too-many-secrets"], "two targets are too many");
}

#[test]
fn items_for_other_targets_do_not_count_as_secrets() {
    let items: String = (0..1_500)
        .map(|at| format!("- {{ n: t{at}, t: {} }}\n", if at % 2 == 0 { "prod" } else { "staging" }))
        .collect();
    let manifest = "apiVersion: keywright/v1\nkind: Secret\nforEach: { file: list.yaml }\nmetadata:\n  name: \
                    \"${env}/payments/${each.n}\"\n  targets: [\"${each.t}\"]\n";
    let files = [("a.yaml", manifest), ("list.yaml", items.as_str())];
    let loaded = load_files(&files, &[]);
    let made: Vec<usize> = loaded.desired.iter().map(|desired| desired.secrets.len()).collect();
    assert_eq!((codes(&loaded), made), (Vec::new(), vec![750, 750]), "1,500 are made of 3,000 that are looked at");
    let items = items.replace("t: prod", "t: \"*\"").replace("t: staging", "t: \"*\"");
    let files = [("a.yaml", manifest), ("list.yaml", items.as_str())];
    assert_eq!(codes(&load_files(&files, &[])), ["too-many-secrets"]);
}

#[test]
fn a_list_of_wrong_items_is_not_looked_at_to_its_end() {
    let items: String = (0..2_000).map(|number| format!("- a b{number}\n")).collect();
    let manifest = "apiVersion: keywright/v1\nkind: Secret\nforEach: { file: list.yaml }\nmetadata: { name: \
                    \"${env}/payments/${each}\" }\n";
    let loaded = load_files(&[("a.yaml", manifest), ("list.yaml", items.as_str())], &["prod"]);
    assert_eq!(loaded.diagnostics.error_count(), 20);
    assert_eq!(loaded.diagnostics.left_out(), 1_581, "no more than 1,600 errors are looked for");
}
