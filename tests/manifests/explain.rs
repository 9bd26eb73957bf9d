//! What `explain` shows of defaults, and that it is what manifests get.

use serde_json::Value;

use super::{PROJECT, load_files, secret};
use keywright::manifest::explain::{explain, explain_schedule};
use keywright::render::diagnostics;
use keywright_declared::schemas;

/// The paths of all fields, with their schemas; a list's items need no step, and a free key is `any`.
fn fields(root: &Value, schema: &Value, path: &str, depth: usize, found: &mut Vec<(String, Value)>) {
    if depth == 0 {
        return;
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(path.trim_start_matches('#')));
    let faces = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    for face in faces.chain(schema.get("items")).chain(target) {
        fields(root, face, path, depth - 1, found);
    }
    if let Some(free) = schema.get("additionalProperties").filter(|free| free.is_object()) {
        fields(root, free, &format!("{path}.any"), depth - 1, found);
    }
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{path}.{name}");
        found.push((path.clone(), field.clone()));
        fields(root, field, &path, depth - 1, found);
    }
}

fn all_fields() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, schema) in [("Project", schemas::parsed(schemas::PROJECT)), ("Secret", schemas::parsed(schemas::SECRET))]
    {
        fields(&schema, &schema, name, 12, &mut found);
    }
    found
}

#[test]
fn a_default_is_shown_on_the_page_of_its_field_and_of_the_one_above() {
    assert!(explain("Secret.spec.deletion.recoveryWindowDays").is_ok_and(|page| page.contains("default: 30")));
    assert!(explain("Project.spec.guards").is_ok_and(|page| page.contains("maxDeletes (whole number, default: 5)")));
    assert!(explain("Secret.spec.policy").is_ok_and(|page| page.contains("optional, left out: not managed")));
    assert!(explain("Secret.spec").is_ok_and(|page| page.contains("tagMode (string, default: exact)")));
    let value = explain("Secret.spec.value").unwrap_or_default();
    assert!(value.contains("By default it is `seed` when rotation is set"), "{value}");
    for (path, field) in all_fields() {
        if let Some(default) = field.get("default") {
            let shown = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            let page = explain(&path).unwrap_or_default();
            assert!(page.contains(&format!("default: {shown}")), "{path}: {page}");
        }
    }
}

#[test]
fn every_heading_of_the_reference_is_a_path() {
    let page = include_str!("../../docs/reference/manifests.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")));
    let kinds = ["Project", "Secret", "Defaults", "Rules"];
    let paths: Vec<&str> = headings.filter(|path| kinds.iter().any(|kind| path.starts_with(kind))).collect();
    assert!(paths.len() > 40 && paths.iter().any(|path| path.ends_with("(3).Statement[]")), "{paths:?}");
    for path in paths {
        assert!(explain_schedule(path, jiff::Timestamp::UNIX_EPOCH).is_none(), "{path} is taken for a schedule");
        let explained = explain(path).unwrap_or_else(|error| unreachable!("{path}: {error}"));
        // The fields of this map, and those of no other one.
        let from = page.find(&format!("## {path}\n")).unwrap_or_default();
        let table = page[from..].split("\n|---").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
        for field in table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name) {
            assert!(explained.contains(&format!("\n    {field} (")), "{path} has {field}: {explained}");
        }
    }
    let template = explain("Secret.spec.policy (2)").unwrap_or_default();
    assert!(template.starts_with("Secret.spec.policy (2)\n") && !template.contains("Statement ("), "{template}");
    assert!(explain("Secret.spec.policy (9)").is_err());
}

/// Fields without which there is no such thing, by the end of their path: one of several sources or schedules,
/// conditions of a rule, parts of an IAM policy.
const NONE: &str = ".managedBy .vars .maps .labels .matrix.include .matrix.exclude \
    .defaults .ignoreTags .rules .overrides .unset .dependsOn .sops .env .file \
    .binaryFile .text .generate .json .excludeCharacters .lambdaArn .externalRotation \
    .externalRotation.metadata .schedule .everyDays .match.names .match.tags .match.targets \
    .requireTags .namePattern .rules.value .value.keys .value.schema .rules.rotation .rules.replicas .atLeastEveryDays \
    .replicas.required .replicas.forbidden .message .policy.Id .Sid .Effect .Principal .NotPrincipal .Action \
    .NotAction .Resource .NotResource .Condition";

#[test]
fn an_optional_field_says_what_leaving_it_out_means() {
    let mut silent = Vec::new();
    for (path, _) in all_fields() {
        let page = explain(&path).unwrap_or_default();
        let says = ["required", "default: ", "left out: ", "By default", "Without it", "Left out", "left out"];
        let listed = NONE.split(' ').any(|end| path.ends_with(end));
        // Of an object, the defaults of its fields count.
        let page = page.split("\n  Example:").next().unwrap_or_default();
        let text = page.split_whitespace().collect::<Vec<_>>().join(" ");
        if !listed && !says.iter().any(|word| text.contains(word)) && !silent.contains(&path) {
            silent.push(path);
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Each default that the code does not take from the place where it is applied: without the field and with it, a
/// manifest means the same.
#[test]
fn a_default_is_what_a_manifest_without_the_field_means() {
    // Places differ, and are no part of what is meant.
    let places = regex::Regex::new(r"(line|column|start|end|span|origin)[^,}]*").unwrap_or_else(|_| unreachable!());
    let in_short = |desired: &dyn std::fmt::Debug| places.replace_all(&format!("{desired:?}"), "").into_owned();
    let rotation = "rotation: { lambdaArn: 'arn:aws:lambda:eu-west-1:111111111111:function:r', everyDays: 30";
    let sops = "value: { sops: { file: v.sops.yaml, key: /db";
    let sops_file = include_bytes!("../fixtures/sops/day-one.yaml");
    let rows: &[(&str, &str, &str, &str)] = &[
        ("tagMode", "tags: { a: b }\n", "", "  tagMode: exact\n"),
        ("blockPublicPolicy", "policy: null\n", "", "  blockPublicPolicy: true\n"),
        ("rotation.rotateImmediately", rotation, " }\n", ", rotateImmediately: false }\n"),
        ("replicas.overwrite", "replicas: [{ region: us-east-1", " }]\n", ", overwrite: false }]\n"),
        ("deletion.force", "deletion: {", " }\n", " force: false }\n"),
        ("deletion.recoveryWindowDays", "deletion: {", " }\n", " recoveryWindowDays: 30 }\n"),
        ("value.sops.allowUnencrypted", sops, " } }\n", ", allowUnencrypted: false } }\n"),
    ];
    for (path, spec, without, with) in rows {
        let meaning = |end: &str| {
            let manifest = secret("a", &format!("  {spec}{end}"));
            let loaded = load_files(&[("a.yaml", manifest.as_bytes()), ("v.sops.yaml", &sops_file[..])], &[]);
            let found = diagnostics::text(&loaded.diagnostics, false).to_string();
            assert!(!loaded.desired.is_empty() && !found.contains("error["), "{path}: {found}");
            in_short(&loaded.desired)
        };
        assert_eq!(meaning(without), meaning(with), "{path}");
    }
    let meaning = |project: &str| {
        let manifest = secret("a", "  description: x");
        let loaded = load_files(&[("keywright.yaml", project.as_bytes()), ("a.yaml", manifest.as_bytes())], &[]);
        assert!(!loaded.desired.is_empty());
        in_short(&loaded.desired)
    };
    let with = |line: &str| meaning(&PROJECT.replace("  scope:", &format!("  {line}\n  scope:")));
    for line in [
        "prune: report",
        "pruneDeletion: { recoveryWindowDays: 30 }",
        "guards: { maxDeletes: 5, maxChangesPercent: 30 }",
    ] {
        assert_eq!(meaning(PROJECT), with(line), "{line}");
    }
    assert_ne!(meaning(PROJECT), with("prune: delete"));
}
