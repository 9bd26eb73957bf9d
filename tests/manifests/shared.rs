//! Folders that several projects share, and policies made of templates.

use std::fs;
use std::path::Path;

use super::{PROJECT, codes, load_files, secret};
use keywright::desired::DesiredSecret;
use keywright::domain::SecretName;
use keywright::manifest::{LoadOptions, Loaded, load};
use keywright::render::diagnostics;

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
    load(&folder.path().join("payments"), &LoadOptions { defaults: true, ..LoadOptions::default() })
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
    let tags: Vec<&str> =
        db.tags.iter().flat_map(|tags| tags.tags.keys()).map(keywright::domain::TagKey::as_str).collect();
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

/// What is found in a project that shares one folder with these files, as `code: message`.
fn found_in_shared(files: &[(&str, &str)]) -> Vec<String> {
    let manifest = secret("db", "  description: x");
    let files: Vec<_> = files.iter().copied().chain([("payments/a.yaml", manifest.as_str())]).collect();
    let loaded = work_tree("../common", &files);
    loaded.diagnostics.iter().map(|found| format!("{}: {}", found.code.id, found.message)).collect()
}

const DEFAULTS: &str = "apiVersion: keywright/v1\nkind: Defaults\nspec: { tags: { a: b } }\n";

#[test]
fn what_is_passed_over_in_a_shared_folder_is_told() {
    let deep = format!("common/{}x.yaml", "d/".repeat(70));
    let found = found_in_shared(&[
        ("common/ok.yaml", DEFAULTS),
        (&deep, DEFAULTS),
        ("common/old.yaml.bak", DEFAULTS),
        ("common/node_modules/x.yaml", DEFAULTS),
        ("common/other/keywright.yaml", PROJECT),
        ("common/none.yaml", "# apiVersion: keywright/v1\n"),
    ]);
    let passed_over: Vec<&str> = found.iter().filter_map(|found| found.strip_prefix("passed-over: ")).collect();
    assert_eq!(
        passed_over,
        [
            format!(
                "`../common/{}` is passed over: it lies more than 64 folders deep",
                "d/".repeat(65).trim_end_matches('/')
            ),
            "`../common/node_modules` is passed over: folders of this name are not searched".to_owned(),
            "`../common/none.yaml` is passed over: it holds no document".to_owned(),
            "`../common/old.yaml.bak` is passed over: its name does not end in .yaml or .yml".to_owned(),
            "`../common/other` is passed over: it holds a project of its own".to_owned(),
        ]
    );
    assert_eq!(found.len(), passed_over.len(), "{found:?}");
    let loaded = work_tree("../platform", &[("platform/keywright.yaml", PROJECT)]);
    assert_eq!(codes(&loaded), ["include"], "a project's own folder is not shared");
}

#[test]
fn many_files_in_a_shared_folder_are_all_read() {
    let names: Vec<String> = (0..1_100).map(|at| format!("common/f{at}/defaults.yaml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), DEFAULTS)).collect();
    let last = DEFAULTS.replace("a: b", "z: last");
    let files: Vec<_> = files.into_iter().chain([("common/z.yaml", last.as_str())]).collect();
    let manifest = secret("db", "  description: x");
    let files: Vec<_> = files.into_iter().chain([("payments/a.yaml", manifest.as_str())]).collect();
    let loaded = work_tree("../common", &files);
    let db = secret_of(&loaded, "staging/payments/db");
    let tags: Vec<&str> =
        db.tags.iter().flat_map(|tags| tags.tags.keys()).map(keywright::domain::TagKey::as_str).collect();
    assert_eq!(tags, ["a", "z"]);
}

#[test]
fn shared_documents_are_held_to_what_local_ones_are() {
    let wrong = [
        ("kind: Defaults\nspec: { tags: { \"keywright/\": b } }\n", "missing-field"),
        ("apiVersion: keywright/v2\nkind: Defaults\nspec: {}\n", "api-version"),
        ("apiVersion: keywright/v1\nkind: Defaults\n", "missing-field"),
        ("apiVersion: keywright/v1\nkind: Defaults\nspec: { overrides: { x: { unset: [tgas] } } }\n", "unset"),
        ("apiVersion: keywright/v2\nkind: Rules\nspec: { rules: [] }\n", "api-version"),
        ("apiVersion: keywright/v1\nkind: Rules\n", "missing-field"),
        ("apiVersion: keywright/v1\nkind: Rules\nspec: {}\n", "missing-field"),
    ];
    for (text, code) in wrong {
        let found = found_in_shared(&[("common/x.yaml", text)]);
        assert!(found.len() == 1 && found[0].starts_with(code), "{text}{found:?}");
    }
    let found = found_in_shared(&[("common/a.yaml", DEFAULTS), ("common/b.yaml", DEFAULTS)]);
    assert_eq!(found, ["defaults-twice: there are two Defaults documents in ../common"]);
}

#[test]
fn limits_of_rules_hold_for_the_whole_project() {
    let rules = |prefix: &str, count: usize| {
        let rules: Vec<String> = (0..count).map(|at| format!("{{ name: {prefix}{at}, requireTags: {{}} }}")).collect();
        format!("apiVersion: keywright/v1\nkind: Rules\nspec:\n  rules: [{}]\n", rules.join(", "))
            .replace("requireTags: {}", "forbidForceDeletion: true")
    };
    let found = found_in_shared(&[("common/a.yaml", &rules("a", 60)), ("common/b.yaml", &rules("b", 60))]);
    assert_eq!(found, ["rule: a project has at most 100 rules"]);
    let found = found_in_shared(&[("common/a.yaml", &rules("a", 1)), ("common/b.yaml", &rules("a", 1))]);
    assert_eq!(found, ["rule: there are two rules named `a0`"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_shared_folder_are_followed_within_it_or_told() {
    let Ok(folder) = tempfile::tempdir() else { unreachable!("a temporary folder can be made") };
    let root = folder.path();
    let project = PROJECT.replace("  targets:", "  include: [../common]\n  targets:");
    let manifest = secret("db", "  description: x");
    for (name, text) in [
        ("payments/keywright.yaml", project.as_str()),
        ("payments/a.yaml", &manifest),
        ("common/inner/notes.txt", "notes"),
        ("other/defaults.yaml", DEFAULTS),
        (".git/config", ""),
        (".gitmodules", "[submodule \"rules\"]\npath = common/rules\n"),
    ] {
        let path = root.join(name);
        assert!(path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text)).is_ok());
    }
    assert!(fs::create_dir(root.join("common/rules")).is_ok());
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.join(name)).is_ok();
    assert!(link("../other/defaults.yaml", "common/out.yaml") && link("../other", "common/folder"));
    let loaded = load(&root.join("payments"), &LoadOptions::default());
    let found: Vec<String> =
        loaded.diagnostics.iter().map(|found| format!("{}: {}", found.code.id, found.message)).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    let submodule = "passed-over: `../common/rules` is passed over: it is a git submodule that is not checked out";
    assert!(found[1].starts_with(submodule), "{found:?}");
    assert!(found[0].starts_with("passed-over: `../common/folder`"), "{found:?}");
    assert!(found[2].starts_with("file-outside-project: `../other/defaults.yaml`"), "{found:?}");
}

#[test]
fn what_lies_beneath_a_manifest_is_told_for_its_folder() {
    let defaults = |spec: &str| format!("apiVersion: keywright/v1\nkind: Defaults\nspec:\n{spec}");
    let shared = defaults("  tags: { shared: \"1\", team: all }\n  value: { text: not-a-secret }\n");
    let outer = defaults("  kmsKeyId: alias/outer\n  tags: { team: outer, env: \"${env}\" }\n");
    let inner = defaults(
        "  tags: { team: inner }\n  overrides:\n    \"*\": { unset: [tags.shared, kmsKeyId], policy: null }\n",
    );
    let loaded = work_tree(
        "../platform/common",
        &[
            ("platform/common/defaults.yaml", &shared),
            ("payments/a/defaults.yaml", &outer),
            ("payments/a/b/defaults.yaml", &inner),
            ("payments/a/db.yaml", &secret("db", "  description: x")),
        ],
    );
    let text = diagnostics::text(&loaded.diagnostics, false);
    let target = loaded.outline.and_then(|outline| outline.targets.into_iter().next());
    let Some(target) = target else { unreachable!("{text}") };
    let beneath = |manifest: &str| {
        let (folder, fields) = target.beneath(Path::new(manifest));
        let tags = fields.tags.iter().map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or("?")));
        let (tags, fields_there) =
            (tags.collect::<Vec<_>>().join(" "), fields.fields.iter().cloned().collect::<Vec<_>>());
        format!(
            "{} | {} | {tags} | {}",
            folder.display(),
            fields_there.join(" "),
            fields.kms_key.as_deref().unwrap_or("-")
        )
    };
    assert_eq!(beneath("x/y.yaml"), " | tags value | shared=1 team=all | -");
    assert_eq!(beneath("a/new.yaml"), "a | kmsKeyId tags value | env=staging shared=1 team=outer | alias/outer");
    let deep = beneath("a/b/c/d.yaml");
    assert_eq!(deep, "a/b | policy tags value | env=staging team=inner | -");
}
