//! What good manifests become.

use std::collections::BTreeMap;

use super::{PROJECT, codes, load_files, secret};
use keywright::desired::{Declared, Deletion, DesiredRotation, DesiredSecret, Rotator, State, TagMode};
use keywright::domain::{Arn, Frequency, KmsKey, RotationDuration, SecretName};
use keywright::manifest::explain::{ExplainError, explain};
use keywright::manifest::schema::SPEC_FIELDS;
use keywright::render::diagnostics;
use keywright_declared::schemas;

/// The secret of one target.
fn one<'a>(loaded: &'a super::Loaded, target: &str, name: &str) -> &'a DesiredSecret {
    let text = diagnostics::text(&loaded.diagnostics, false);
    let desired = loaded.desired.iter().find(|desired| desired.target.name == target);
    let secret = desired.and_then(|desired| desired.secrets.get(&SecretName::new(name)));
    assert!(secret.is_some(), "{target}: {name}\n{text}");
    secret.unwrap_or_else(|| unreachable!())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that templates ask for")]
fn arn(name: &SecretName) -> Option<Arn> {
    Some(Arn::of_service(format!("arn:{name}")))
}

#[test]
fn defaults_specs_and_overrides_merge_for_each_target() {
    let project = PROJECT.replace(
        "  scope:",
        "  defaults:\n    description: Low\n    tags: { owner: platform, tier: low }\n    policy: null\n  scope:",
    );
    let manifest = secret(
        "db",
        "  description: Database in ${target.region} of ${target.account}, $${x}\n  tags: { tier: high }\n  \
         overrides:\n    prod:\n      \
         tags: { tier: highest }\n      deletion: { recoveryWindowDays: 7 }\n      unset: [policy, tags.owner]",
    );
    let loaded = load_files(&[("keywright.yaml", project.as_str()), ("secrets/db.yaml", &manifest)], &[]);
    let staging = one(&loaded, "staging", "staging/payments/db");
    let prod = one(&loaded, "prod", "prod/payments/db");
    let tags = |secret: &DesiredSecret| -> BTreeMap<String, String> {
        let tags = secret.tags.as_ref().map(|tags| &tags.tags);
        tags.into_iter()
            .flatten()
            .filter_map(|(key, (value, _))| Some((key.to_string(), value.resolve(&arn).ok()?)))
            .collect()
    };
    let expect = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(tags(staging), expect(&[("owner", "platform"), ("tier", "high")]));
    assert_eq!(tags(prod), expect(&[("tier", "highest")]));
    assert_eq!((staging.deletion, prod.deletion), (Deletion::Window(30), Deletion::Window(7)));
    assert!(staging.policy.as_ref().is_some_and(|policy| policy.value.is_none()), "a declared null is kept");
    assert!(prod.policy.is_none(), "unset makes a field unmanaged");
    let description = prod.description.as_ref().and_then(|description| description.value.as_ref()?.resolve(&arn).ok());
    assert_eq!(description.as_deref(), Some("Database in eu-west-1 of 222222222222, ${x}"));
    let origins: Vec<String> = [
        staging.tags.as_ref().and_then(|tags| tags.tags.get("owner")).map(|(_, origin)| origin.to_string()),
        prod.tags.as_ref().and_then(|tags| tags.tags.get("tier")).map(|(_, origin)| origin.to_string()),
        staging.policy.as_ref().map(|policy| policy.origin.to_string()),
        Some(staging.origin.to_string()),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert_eq!(
        origins,
        ["keywright.yaml:17:13", "secrets/db.yaml:10:15", "keywright.yaml:18:5", "secrets/db.yaml:4:9"]
    );
}

#[test]
fn references_become_templates_and_dependencies() {
    let db = secret(
        "db",
        "  description: see ${secret:${env}/payments/admin:arn}.\n  policy:\n    Version: \"2012-10-17\"\n    \
         Statement:\n      - Effect: Allow\n        \
         Principal: { AWS: \"arn:aws:iam::111111111111:role/x\" }\n        Action: \
             secretsmanager:GetSecretValue\n        Resource: ${secret:${env}/payments/other:arn}",
    );
    let files = [
        ("db.yaml", db),
        ("rest.yaml", format!("{}---\n{}", secret("admin", "  tags: {}"), secret("other", "  tags: null"))),
    ];
    let loaded = load_files(&files, &["prod"]);
    assert_eq!(loaded.desired.len(), 1, "only what is asked for");
    let db = one(&loaded, "prod", "prod/payments/db");
    let depends_on: Vec<&str> = db.depends_on.iter().map(SecretName::as_str).collect();
    assert_eq!(depends_on, ["prod/payments/admin", "prod/payments/other"]);
    let description = db.description.as_ref().and_then(|description| description.value.as_ref()?.resolve(&arn).ok());
    assert_eq!(description.as_deref(), Some("see arn:prod/payments/admin."));
    let policy = db.policy.as_ref().and_then(|policy| policy.value.as_ref());
    assert_eq!(
        policy.map(|policy| policy.holes.keys().map(String::as_str).collect()),
        Some(vec!["/Statement/0/Resource"])
    );
    let admin = one(&loaded, "prod", "prod/payments/admin");
    assert!(admin.tags.as_ref().is_some_and(|tags| tags.tags.is_empty() && tags.mode == TagMode::Exact));
    assert!(one(&loaded, "prod", "prod/payments/other").tags.as_ref().is_some_and(|tags| tags.tags.is_empty()));
}

#[test]
fn rotation_replicas_and_labels_become_desired_state() {
    let manifest = secret(
        "db",
        "  value: { json: { user: { text: payments }, password: { generate: { length: 32 } } } }\n  labels: { blue: \
         git }\n  rotation: { lambdaArn: \"arn:aws:lambda:${target.region}:222222222222:function:r\", everyDays: \
         30, duration: 2h }\n  replicas: [{ region: us-west-2, kmsKeyId: alias/p }, { region: us-east-1, overwrite: \
         true }]",
    );
    let loaded = load_files(&[("a.yaml", manifest)], &["prod"]);
    let db = one(&loaded, "prod", "prod/payments/db");
    let Some(Declared { value: Some(DesiredRotation { setup, rotate_immediately }), origin }) = &db.rotation else {
        unreachable!("{:?}", db.rotation)
    };
    assert_eq!(origin.to_string(), "a.yaml:8:3");
    assert!(!rotate_immediately, "RotateSecret's own default is not ours");
    assert_eq!(setup.frequency, Frequency::EveryDays(30));
    assert_eq!(setup.duration.as_ref().map(RotationDuration::as_str), Some("2h"));
    assert!(matches!(&setup.rotator, Rotator::Lambda(arn) if arn.as_str().ends_with(":222222222222:function:r")));
    let Some(Declared { value: Some(replicas), .. }) = &db.replicas else { unreachable!("{:?}", db.replicas) };
    assert_eq!(replicas.keys().collect::<Vec<_>>(), ["us-east-1", "us-west-2"]);
    assert!(replicas["us-east-1"].overwrite && replicas["us-east-1"].kms_key_id.is_none());
    assert_eq!(replicas["us-west-2"].kms_key_id.as_ref().map(KmsKey::as_str), Some("alias/p"));
    assert!(db.value.as_ref().is_some_and(|value| value.source.is_made_once() && value.ownership.is_none()));
    assert_eq!(db.labels.keys().collect::<Vec<_>>(), ["blue"]);
}

#[test]
fn null_declares_that_there_is_none() {
    let loaded = load_files(&[("a.yaml", secret("db", "  rotation: null\n  replicas: null\n  type: null"))], &["prod"]);
    let db = one(&loaded, "prod", "prod/payments/db");
    assert!(db.rotation.as_ref().is_some_and(|declared| declared.value.is_none()));
    assert!(db.replicas.as_ref().is_some_and(|declared| declared.value.is_none()));
    assert!(db.secret_type.as_ref().is_some_and(|declared| declared.value.is_none()));
}

#[test]
fn metadata_says_where_and_whether() {
    let absent = "apiVersion: keywright/v1\nkind: Secret\nmetadata:\n  name: prod/payments/old\n  targets: \
        [prod]\n  state: absent\nspec:\n  deletion: { force: true }\n";
    let protected =
        "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: \"${env}/payments/db\", protect: true }\n";
    let loaded = load_files(&[("a.yaml", absent), ("b/c.yml", protected)], &[]);
    assert_eq!(loaded.desired.iter().map(|desired| desired.secrets.len()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((loaded.secrets, loaded.files, loaded.project.as_deref()), (2, 3, Some("payments")));
    let old = one(&loaded, "prod", "prod/payments/old");
    assert_eq!((old.state, old.deletion), (State::Absent, Deletion::Force));
    let db = one(&loaded, "staging", "staging/payments/db");
    assert!(db.protect == Some(true) && db.block_public_policy && db.tags.is_none() && db.description.is_none());
}

#[test]
fn files_are_found_and_read_once() {
    let project = PROJECT.replace("spec:\n", "spec:\n  manifests: [secrets/, secrets/a.yaml, ./secrets]\n");
    let other = "apiVersion: v1\nkind: ConfigMap\n";
    let a = secret("a", "  tags: {}");
    let loaded = load_files(&[("keywright.yaml", project.as_str()), ("secrets/a.yaml", &a), ("k8s.yaml", other)], &[]);
    assert_eq!((codes(&loaded).len(), loaded.files), (0, 2));
    let hidden = [
        (".github/x.yaml", other.to_owned()),
        ("node_modules/x.yaml", other.to_owned()),
        ("db.sops.yaml", other.to_owned()),
        ("nested/keywright.yaml", PROJECT.to_owned()),
        ("nested/a.yaml", secret("a", "  tags: {}")),
        ("a.yaml", secret("a", "  tags: {}")),
    ];
    let loaded = load_files(&hidden, &[]);
    assert_eq!((codes(&loaded).len(), loaded.files), (2, 2), "{}", diagnostics::text(&loaded.diagnostics, false));
}

#[test]
fn encrypted_files_lie_beside_manifests() {
    let project = PROJECT.replace("spec:\n", "spec:\n  manifests: [secrets/]\n");
    let files = |encrypted: &str| {
        [
            ("keywright.yaml".to_owned(), project.clone()),
            ("secrets/db.sops.yaml".to_owned(), encrypted.to_owned()),
            ("secrets/a.yaml".to_owned(), secret("a", "  tags: {}")),
        ]
    };
    let loaded = load_files(&files("db: ENC[AES256_GCM,data:x]\nsops: {}\n"), &[]);
    assert_eq!((codes(&loaded).len(), loaded.secrets), (0, 1));
    let loaded = load_files(&files(&secret("b", "  tags: {}")), &[]);
    assert_eq!((codes(&loaded).len(), loaded.secrets), (0, 2), "a manifest is read whatever its file is called");
}

#[cfg(unix)]
#[test]
fn links_to_manifests_are_followed_inside_the_project_only() -> std::io::Result<()> {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir()?;
    std::fs::write(outside.path().join("b.yaml"), secret("b", "  tags: {}"))?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("keywright.yaml"), PROJECT)?;
    std::fs::create_dir(folder.path().join(".hidden"))?;
    std::fs::write(folder.path().join(".hidden/a.yaml"), secret("a", "  tags: {}"))?;
    symlink(folder.path().join(".hidden/a.yaml"), folder.path().join("a.yaml"))?;
    symlink(folder.path(), folder.path().join("circle"))?;
    let loaded = super::load(folder.path(), &super::LoadOptions::default());
    assert_eq!((codes(&loaded), loaded.secrets), (vec!["passed-over"], 1));
    symlink(outside.path().join("b.yaml"), folder.path().join("b.yaml"))?;
    let loaded = super::load(folder.path(), &super::LoadOptions::default());
    assert_eq!(codes(&loaded), ["file-outside-project", "passed-over"]);
    Ok(())
}

#[test]
fn a_byte_order_mark_is_no_character() {
    let text = format!("\u{feff}{}", secret("a", "  descripton: x"));
    let loaded = load_files(&[("a.yaml", text)], &[]);
    let origins: Vec<String> = loaded.diagnostics.iter().map(|found| found.place.origin.to_string()).collect();
    assert_eq!(origins, ["a.yaml:6:3"]);
}

#[test]
fn a_manifest_in_utf_16_says_how_to_save_it() {
    let texts = ["\u{feff}", ""].map(|mark| format!("{mark}{}", secret("a", "  description: x")));
    for (text, unit) in
        texts.iter().flat_map(|text| [(text, u16::to_le_bytes as fn(u16) -> _), (text, u16::to_be_bytes)])
    {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
        let loaded = load_files(&[("a.yaml", bytes)], &[]);
        assert_eq!(codes(&loaded), ["file-not-utf8"]);
        let shown = diagnostics::text(&loaded.diagnostics, false);
        assert!(shown.contains("is UTF-16, not UTF-8") && shown.contains("utf8NoBOM"), "{shown}");
    }
}

#[test]
fn a_folder_without_a_project_says_where_one_is() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner)?;
    let found =
        |loaded: &super::Loaded| loaded.diagnostics.iter().flat_map(|found| found.help.clone()).collect::<String>();
    let nothing = super::load(&inner, &super::LoadOptions::default());
    assert_eq!(codes(&nothing), ["project-missing"]);
    assert!(found(&nothing).contains("keywright init"));
    std::fs::write(folder.path().join("keywright.yaml"), PROJECT)?;
    assert!(found(&super::load(&inner, &super::LoadOptions::default())).contains("there is one above"));
    let gone = super::load(&folder.path().join("gone"), &super::LoadOptions::default());
    assert_eq!(codes(&gone), ["project-missing"]);
    Ok(())
}

#[test]
fn an_unknown_target_on_the_command_line_is_an_error() {
    let loaded = load_files(&[("a.yaml", secret("a", "  tags: {}"))], &["prd"]);
    assert_eq!(codes(&loaded), ["unknown-target"]);
    assert!(diagnostics::text(&loaded.diagnostics, false).contains("did you mean `prod`?"));
}

#[test]
fn every_field_is_documented_in_the_schemas() {
    fn walk(schema: &serde_json::Value, path: &str, missing: &mut Vec<String>) {
        for (name, field) in schema.get("properties").and_then(|all| all.as_object()).into_iter().flatten() {
            if field.get("description").is_none() {
                missing.push(format!("{path}.{name}"));
            }
            walk(field, &format!("{path}.{name}"), missing);
        }
        for (name, definition) in schema.get("$defs").and_then(|all| all.as_object()).into_iter().flatten() {
            walk(definition, name, missing);
        }
    }
    let mut missing = Vec::new();
    for (schema, path) in [(schemas::parsed(schemas::PROJECT), "Project"), (schemas::parsed(schemas::SECRET), "Secret")]
    {
        walk(&schema, path, &mut missing);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
    assert_eq!(missing, [""; 0]);
    let defaults: Vec<String> = schemas::parsed(schemas::PROJECT)["$defs"]["Defaults"]["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(defaults, SPEC_FIELDS);
}

#[test]
fn explain_answers_from_the_schemas() {
    let page = explain("Secret.spec.policy").unwrap_or_default();
    for part in ["object or null", "The resource policy", "Statement", "secretsmanager:GetSecretValue"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(explain("Project.spec.targets.region").unwrap_or_default().contains("required"));
    assert!(explain("secret.spec.overrides.prod.unset").unwrap_or_default().contains("list of string"));
    assert!(explain("Secret.spec.value.json.password.generate.length").unwrap_or_default().contains("default: 32"));
    assert!(matches!(
        explain("Secret.spec.polcy"),
        Err(ExplainError::UnknownField { nearest: Some(near), .. }) if near == "policy"
    ));
    assert!(matches!(explain("Pod"), Err(ExplainError::UnknownKind { .. })));
}

/// Files that are taken as they stand are looked at before any plan: nothing of them may fail at apply.
#[test]
fn files_of_values_are_checked() {
    let manifest = |spec: &str| secret("a", &format!("  value: {spec}"));
    let found = |spec: &str, bytes: &[u8]| {
        let loaded = load_files(&[("a.yaml", manifest(spec).as_bytes()), ("v.bin", bytes)], &[]);
        diagnostics::text(&loaded.diagnostics, false).to_string()
    };
    let large = vec![b'x'; 65_537];
    for (spec, bytes, says) in [
        ("{ file: v.bin }", &b""[..], "v.bin is empty"),
        ("{ binaryFile: v.bin }", b"", "v.bin is empty"),
        ("{ file: v.bin }", b"caf\xe9", "v.bin is not text"),
        ("{ json: { a: { file: v.bin } } }", b"caf\xe9", "v.bin is not text"),
        ("{ file: v.bin }", &large, "v.bin is larger than 65536 bytes"),
        ("{ binaryFile: v.bin }", &large, "v.bin is larger than 65536 bytes"),
    ] {
        let text = found(spec, bytes);
        assert!(text.contains("error[value-file]") && text.contains(says), "{spec}: {text}");
        assert!(text.contains("in targets `staging` and `prod`"), "{spec}: {text}");
        assert!(!text.contains("caf"), "{text}");
    }
    assert_eq!(found("{ binaryFile: v.bin }", b"caf\xe9"), "");
    assert_eq!(found("{ json: { a: { file: v.bin } } }", b""), "");
    assert_eq!(found("{ file: v.bin }", &large[1..]), "");
}

#[test]
fn what_only_other_targets_name_is_no_mistake_when_one_is_asked_for() {
    let of = |target: &str, more: &str| {
        let manifest =
            format!("apiVersion: keywright/v1\nkind: Secret\n{more}\nmetadata: {{ name: x, targets: [{target}] }}\n");
        manifest.replace("name: x", "name: \"${env}/payments/${each}\"")
    };
    let prod = of("prod", "forEach: { file: list.yaml }");
    let staging = secret("a", "  description: x");
    let template = r#"{ "x-parameters": ["p"], "Version": "2012-10-17", "Statement": [] }"#;
    let with_template = secret("b", "  policy: { template: readers.yaml, with: { p: a } }")
        .replace("metadata:\n", "metadata:\n  targets: [prod]\n");
    let files = [
        ("a.yaml", staging.as_str()),
        ("p.yaml", prod.as_str()),
        ("b.yaml", &with_template),
        ("list.yaml", "- one\n"),
        ("readers.yaml", template),
    ];
    assert_eq!(codes(&load_files(&files, &["staging"])), [""; 0]);
    let stray = [("a.yaml", staging.as_str()), ("list.yaml", "- one\n")];
    assert_eq!(codes(&load_files(&stray, &["staging"])), [""; 0], "whether anything names it was not looked at");
    assert_eq!(codes(&load_files(&stray, &[])), ["not-a-manifest"]);
}

#[test]
fn an_item_that_is_for_other_targets_now_is_known_there() {
    let manifest = "apiVersion: keywright/v1\nkind: Secret\nforEach: [{ n: a, t: prod }, { n: b, t: staging }]\n\
                    metadata: { name: \"${env}/payments/${each.n}\", targets: [\"${each.t}\"] }\n";
    let loaded = load_files(&[("a.yaml", manifest)], &[]);
    let others: Vec<Vec<&str>> = loaded
        .desired
        .iter()
        .map(|desired| desired.of_other_targets.keys().map(SecretName::as_str).collect())
        .collect();
    assert_eq!(others, [["staging/payments/a"], ["prod/payments/b"]]);
}
