//! Folders that several projects share, and policies made of templates.

use std::fs;
use std::path::Path;

use super::super::{LoadOptions, Loaded, load};
use super::{PROJECT, codes, load_files, secret};
use crate::desired::DesiredSecret;
use crate::domain::SecretName;
use crate::render::diagnostics;

const TEMPLATE: &str = r#"{
  "x-parameters": ["roles", "service"],
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Principal": { "AWS": ["<<roles>>", "arn:aws:iam::111111111111:role/break-glass"] },
      "Action": "secretsmanager:GetSecretValue", "Resource": "*",
      "Condition": { "StringLike": { "aws:PrincipalTag/service": "${aws:PrincipalTag/team}/<<service>> << x >>" } } }
  ]
}
"#;

/// A work tree with a project and a folder beside it.
fn work_tree(include: &str, files: &[(&str, &str)]) -> Loaded {
    let Ok(folder) = tempfile::tempdir() else { unreachable!("a temporary folder can be made") };
    let project = PROJECT.replace("  targets:", &format!("  include: [{include}]\n  targets:"));
    let files = files.iter().copied().chain([("payments/keywright.yaml", project.as_str()), (".git/config", "token")]);
    for (name, text) in files {
        let path = folder.path().join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        assert!(written.is_ok(), "{name}");
    }
    load(&folder.path().join("payments"), &LoadOptions::default())
}

fn secret_of<'a>(loaded: &'a Loaded, name: &str) -> &'a DesiredSecret {
    let text = diagnostics::text(&loaded.diagnostics, false);
    let secret = loaded.desired.first().and_then(|desired| desired.secrets.get(&SecretName::new(name)));
    assert!(secret.is_some(), "{name}\n{text}");
    secret.unwrap_or_else(|| unreachable!())
}

fn policy(secret: &DesiredSecret) -> serde_json::Value {
    let template = secret.policy.as_ref().and_then(|policy| policy.value.as_ref());
    template.map(|template| template.document.clone()).unwrap_or_default()
}

#[test]
fn a_template_takes_lists_for_lists_and_texts_for_parts() {
    let manifest = secret(
        "db",
        "  policy:\n    template: readers.json\n    with:\n      roles: [\"arn:aws:iam::${target.account}:role/a\", \
         \"arn:aws:iam::111111111111:role/b\"]\n      service: ${env}-db",
    );
    let loaded = load_files(&[("a.yaml", manifest.as_str()), ("readers.json", TEMPLATE)], &[]);
    let policy = policy(secret_of(&loaded, "staging/payments/db"));
    assert_eq!(
        policy["Statement"][0]["Principal"]["AWS"],
        serde_json::json!([
            "arn:aws:iam::111111111111:role/a",
            "arn:aws:iam::111111111111:role/b",
            "arn:aws:iam::111111111111:role/break-glass"
        ])
    );
    let condition = &policy["Statement"][0]["Condition"]["StringLike"]["aws:PrincipalTag/service"];
    assert_eq!(condition, "${aws:PrincipalTag/team}/staging-db << x >>");
    assert!(policy.get("x-parameters").is_none());
}

#[test]
fn shared_folders_give_defaults_rules_and_templates() {
    let manifest = secret(
        "db",
        "  tags: { tier: gold }\n  policy: { template: ../platform/common/readers.json, with: { roles: \
         \"arn:aws:iam::111111111111:role/a\", service: x } }",
    );
    let defaults = "apiVersion: keywright/v1\nkind: Defaults\nspec:\n  tags: { owner: platform, tier: none }\n  \
                    overrides: { \"nobody=has-this\": { description: x } }\n";
    let rules =
        "apiVersion: keywright/v1\nkind: Rules\nspec:\n  rules: [{ name: cost, requireTags: { cost: \"\" } }]\n";
    let loaded = work_tree(
        "../platform/common",
        &[
            ("payments/a.yaml", &manifest),
            ("platform/common/defaults.yaml", defaults),
            ("platform/common/readers.json", TEMPLATE),
            ("platform/common/other.yaml", "a: b\n"),
        ],
    );
    let db = secret_of(&loaded, "staging/payments/db");
    let tags: Vec<&str> = db.tags.iter().flat_map(|tags| tags.tags.keys()).map(crate::domain::TagKey::as_str).collect();
    assert_eq!(tags, ["owner", "tier"]);
    assert!(db.description.is_none(), "a group of another project fits nothing here, and is no mistake");
    assert!(policy(db)["Statement"].is_array());
    let loaded = work_tree(
        "../platform",
        &[
            ("payments/a.yaml", &manifest),
            ("platform/common/rules.yaml", rules),
            ("platform/common/readers.json", TEMPLATE),
        ],
    );
    assert_eq!(codes(&loaded).first(), Some(&"project-rule"));
}

#[test]
fn nothing_but_the_named_folders_of_the_work_tree_is_reached() {
    let of = |include: &str, files: &[(&str, &str)]| codes(&work_tree(include, files));
    let plain = ("payments/a.yaml", secret("db", "  description: x"));
    let plain = (plain.0, plain.1.as_str());
    assert_eq!(of("../../outside", &[plain]), ["include"]);
    assert_eq!(of("../.git", &[plain]), ["file-outside-project"]);
    assert_eq!(of("/etc", &[plain]), ["include"]);
    assert_eq!(of("..", &[plain]), ["include"], "the project lies in it");
    assert_eq!(of("../nowhere", &[plain]), ["file-missing"]);
    let beside = secret("db", "  policy: { template: ../other/readers.json, with: { roles: a, service: b } }");
    let files = [("payments/a.yaml", beside.as_str()), ("other/readers.json", TEMPLATE), ("common/x.yaml", "a: b\n")];
    assert_eq!(of("../common", &files), ["file-outside-project"]);
    let secret_beside = secret("x", "  description: y");
    assert_eq!(of("../common", &[plain, ("common/s.yaml", &secret_beside)]), ["include"]);
}

#[cfg(unix)]
#[test]
fn a_link_in_a_shared_folder_does_not_lead_out_of_it() {
    let Ok(folder) = tempfile::tempdir() else { unreachable!("a temporary folder can be made") };
    let root = folder.path();
    let manifest = secret("db", "  policy: { template: ../common/link.json, with: { roles: a, service: b } }");
    let project = PROJECT.replace("  targets:", "  include: [../common]\n  targets:");
    for (name, text) in [
        ("payments/keywright.yaml", project.as_str()),
        ("payments/a.yaml", &manifest),
        ("common/x", ""),
        (".git/secret.json", TEMPLATE),
        ("other/readers.json", TEMPLATE),
    ] {
        let path = root.join(name);
        assert!(path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text)).is_ok());
    }
    for target in ["../.git/secret.json", "../other/readers.json", "/etc/passwd"] {
        let link = root.join("common/link.json");
        let _ = fs::remove_file(&link);
        assert!(std::os::unix::fs::symlink(Path::new(target), &link).is_ok());
        let found = codes(&load(&root.join("payments"), &LoadOptions::default()));
        assert_eq!(found, ["file-outside-project"], "{target}");
    }
}
