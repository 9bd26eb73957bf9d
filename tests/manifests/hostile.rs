//! Hostile input: it ends soon, within bounds, with a diagnostic, and tells nothing that may be a secret.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{codes, load_files, secret};
use keywright::render::diagnostics;

/// Loads it. Nothing is timed: what is quadratic here takes minutes, and nobody overlooks that.
fn load_hostile(text: impl AsRef<[u8]>) -> Vec<&'static str> {
    let loaded = load_files(&[("a.yaml", text.as_ref())], &[]);
    let rendered = diagnostics::text(&loaded.diagnostics, false);
    assert!(rendered.len() < 1_000_000, "{} bytes of diagnostics", rendered.len());
    let mut codes = codes(&loaded);
    codes.dedup();
    codes
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut spec = "  a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(spec, "  a{level}: &a{level} [{aliases}]");
    }
    assert_eq!(load_hostile(secret("db", &spec)), ["yaml-too-large"]);
}

#[test]
fn depth_is_bounded() {
    assert_eq!(load_hostile(secret("db", &format!("  policy: {}", "[".repeat(10_000)))), ["yaml-too-deep"]);
    assert_eq!(load_hostile(secret("db", &format!("  policy: {}", "{a: ".repeat(10_000)))), ["yaml-too-deep"]);
    let block = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<Vec<String>>().concat();
    assert_eq!(load_hostile(block), ["yaml-too-deep"]);
    let chain = (1..100).map(|at| format!("  a{at}: &a{at} [*a{}]\n", at - 1)).collect::<Vec<String>>().concat();
    assert_eq!(load_hostile(secret("db", &format!("  a0: &a0 [x]\n{chain}"))), ["yaml-too-deep"]);
}

#[test]
fn size_is_bounded() {
    assert_eq!(load_hostile("x".repeat(10_000_000)), ["file-too-large"]);
    assert_eq!(load_hostile([b'a', b':', 0xff]), ["file-not-utf8"]);
}

#[test]
fn very_many_mistakes_are_counted_and_not_all_shown() {
    let fields = (0..20_000).map(|at| format!("  field{at}: x\n")).collect::<Vec<String>>().concat();
    assert_eq!(load_hostile(secret("db", &fields)), ["too-many-problems", "unknown-field"]);
    assert_eq!(load_hostile(secret("db", &"  description: x\n".repeat(20_000))), ["yaml-duplicate-key"]);
    assert_eq!(load_hostile("--- {a: b\n".repeat(20_000)), ["yaml-syntax"]);
    assert_eq!(load_hostile("---\na: b\n".repeat(5_000)), ["not-a-manifest"]);
    let one_line = (0..20_000).map(|at| format!("k{at}: 1, ")).collect::<Vec<String>>().concat();
    assert_eq!(
        load_hostile(secret("db", &format!("  tags: {{{one_line}}}"))),
        ["too-many-problems", "tag-limit", "wrong-type"]
    );
    assert_eq!(
        load_hostile(secret("db", &format!("  description: \"{}\"", "${a}".repeat(20_000)))),
        ["unknown-variable"]
    );
}

#[test]
fn rules_are_bounded() {
    let load = |rules: &str, secrets: usize| {
        let project = format!("{}  rules:\n{rules}", super::PROJECT);
        let secrets: String =
            (0..secrets).map(|at| format!("---\n{}", secret(&format!("s{at}"), "  tags: { a: x }"))).collect();
        let mut found = codes(&load_files(&[("keywright.yaml", project), ("a.yaml", secrets)], &[]));
        found.dedup();
        found
    };
    let rules = |number: usize| -> String {
        (0..number).map(|at| format!("    - {{ name: r{at}, requireTags: {{ a: x }} }}\n")).collect()
    };
    assert_eq!(load(&rules(100), 1), [""; 0]);
    assert_eq!(load(&rules(101), 1), ["rule"]);
    let patterns = |number: usize| {
        let tags: Vec<String> = (0..number).map(|at| format!("t{at}: \"x{at}\"")).collect();
        format!("    - {{ name: r, requireTags: {{ {} }} }}\n", tags.join(", "))
    };
    assert_eq!(load(&patterns(500), 1), ["project-rule"]);
    assert_eq!(load(&patterns(501), 1), ["rule"]);
    // Breaches are bounded as every other mistake is, and backtracking has no meaning to these expressions.
    assert_eq!(load("    - { name: r, requireTags: { b: \"\" } }\n", 3_000), ["project-rule"]);
    let slow =
        format!("    - {{ name: r, match: {{ names: [\"*{}\"] }}, namePattern: \"(s*)*z\" }}\n", "*a".repeat(500));
    assert_eq!(load(&slow, 100), [""; 0]);
}

#[test]
fn a_chain_of_many_dependencies_needs_no_deep_stack() {
    let mut text = String::new();
    for at in 0..3_000 {
        let next = (at + 1) % 3_000;
        let _ = writeln!(
            text,
            "---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: \"${{env}}/payments/s{at}\", \
             dependsOn: [\"${{env}}/payments/s{next}\"] }}"
        );
    }
    assert_eq!(load_hostile(text), ["dependency-cycle"]);
}

/// Variables that use one another in a chain, of so many links, in both orders of their lines.
fn load_chain(links: usize) -> [Vec<&'static str>; 2] {
    let last = format!("        v{links}: x\n");
    let chain = (0..links).map(|at| format!("        v{at}: \"${{v{}}}\"\n", at + 1)).chain([last]);
    let chain: Vec<String> = chain.collect();
    [chain.concat(), chain.iter().rev().cloned().collect()].map(|lines| {
        let project = super::PROJECT.replace("vars: { env: prod }", &format!("vars:\n        env: prod\n{lines}"));
        codes(&load_files(&[("keywright.yaml", project), ("a.yaml", secret("db", "  tags: {}"))], &[]))
    })
}

#[test]
fn depth_of_variables_does_not_depend_on_the_order_of_lines() {
    assert_eq!(load_chain(32), [[""; 0]; 2]);
    assert_eq!(load_chain(33), [["variable-cycle"]; 2]);
    assert_eq!(load_chain(20_000), [["variable-cycle"]; 2], "it needs no deep stack");
}

/// Every way in which somebody's password could end up in a diagnostic.
#[test]
fn no_output_shows_what_stands_beneath_value() {
    const SECRET: &str = "hunter2hunter2";
    let specs = [
        format!("  value: {SECRET}"),
        format!("  value: [{SECRET}]"),
        format!("  value: {{ text: {SECRET}, env: X, descripton: y }}"),
        format!("  value: {{ {SECRET}: x }}"),
        format!("  value: {{ text: {SECRET}, text: {SECRET} }}"),
        format!("  value:\n    {SECRET}: x\n    {SECRET}: y"),
        format!("  value:\n    text: {SECRET}\n   tags: x"),
        format!("  value:\n    text: \"{SECRET}\n  tags: {{}}"),
        format!("  value:\n    text: {SECRET} ${{{SECRET}}}"),
        format!("  value:\n    text: ${{secret:{SECRET}:arn}}"),
        format!("  value:\n    text: |\n      {SECRET}\n     {SECRET}: {{"),
        format!("  value: {{ text: !{SECRET} x }}"),
        format!("  value: {{ text: *{SECRET} }}"),
        format!("  value: {{ env: {SECRET}-! }}"),
        format!("  value: {{ file: {SECRET} }}"),
        format!("  value: {{ generate: {SECRET} }}"),
        format!("  value: {{ generate: {{ length: {SECRET} }} }}"),
        format!("  value: {{ ownership: {SECRET} }}"),
        format!("  value: {{ json: {{ {SECRET}: {{ {SECRET}: 1 }} }} }}"),
        format!("  value: {{ sops: {{ file: a, key: {SECRET} }} }}"),
        format!("  valeu: {{ text: {SECRET} }}"),
        format!("  text: {SECRET}"),
        format!("  secretString: {SECRET}"),
        format!("  description: &d [{SECRET}]\n  value: {{ text: *d }}"),
        format!("  overrides: {{ prod: {{ value: {SECRET} }} }}"),
        format!("  {{ value: {{ text: {SECRET} }}, description: [] }}"),
        format!("  tags: [], value: {{ text: {SECRET} }}"),
    ];
    for spec in specs {
        let loaded = load_files(&[("a.yaml", secret("db", &spec))], &[]);
        assert!(loaded.diagnostics.has_errors(), "{spec}");
        for output in [
            diagnostics::text(&loaded.diagnostics, false).into_owned(),
            diagnostics::json(&loaded.diagnostics).into_owned(),
            diagnostics::sarif(&loaded.diagnostics, "").into_owned(),
            diagnostics::github(&loaded.diagnostics, "").into_owned(),
        ] {
            assert!(!output.contains("hunter2"), "{spec}\n{output}");
        }
    }
}

#[test]
fn policy_files_are_never_quoted() {
    let policy = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": hunter2\n}";
    let manifest = secret("db", "  policy: { file: p.json }");
    let loaded = load_files(&[("a.yaml", manifest.as_str()), ("p.json", policy)], &[]);
    let text = diagnostics::text(&loaded.diagnostics, false);
    assert_eq!(codes(&loaded), ["policy"]);
    assert!(text.contains("p.json:3") && !text.contains("hunter2"), "{text}");
}

#[cfg(unix)]
#[test]
fn links_cannot_lead_out_of_the_project() -> std::io::Result<()> {
    let outside = tempfile::tempdir()?;
    std::fs::write(outside.path().join("p.json"), "{}")?;
    let project = tempfile::tempdir()?;
    std::fs::write(project.path().join("keywright.yaml"), super::PROJECT)?;
    std::fs::write(project.path().join("a.yaml"), secret("db", "  policy: { file: p.json }"))?;
    std::os::unix::fs::symlink(outside.path().join("p.json"), project.path().join("p.json"))?;
    let loaded = super::load(project.path(), &super::LoadOptions::default());
    assert_eq!(codes(&loaded), ["file-outside-project"]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        load_files(&[("a.yaml", &bytes)], &[]);
    }

    #[test]
    fn any_yaml_like_text_is_taken_without_panic(text in "[a-z:{}\\[\\]&*!|>'\"#%@,\\- \n\t?~<$ü]{0,200}") {
        load_files(&[("a.yaml", &text)], &[]);
        let loaded = load_files(&[("a.yaml", secret("db", &text))], &[]);
        diagnostics::text(&loaded.diagnostics, true);
        diagnostics::sarif(&loaded.diagnostics, "");
    }

    #[test]
    fn any_tree_beneath_known_fields_is_taken_without_panic(
        spec in proptest::collection::vec((prop::sample::select(FIELDS), tree()), 0..6),
    ) {
        let spec: Vec<String> = spec.iter().map(|(field, tree)| format!("  {field}: {tree}\n")).collect();
        let loaded = load_files(&[("a.yaml", secret("db", &spec.concat()))], &[]);
        diagnostics::text(&loaded.diagnostics, false);
        prop_assert_eq!(loaded.desired.is_empty(), loaded.diagnostics.has_errors());
    }
}

const FIELDS: &[&str] = &[
    "description",
    "kmsKeyId",
    "tags",
    "tagMode",
    "value",
    "labels",
    "policy",
    "blockPublicPolicy",
    "rotation",
    "replicas",
    "deletion",
    "overrides",
    "other",
];

/// Flow YAML of any shape, with the words of the schema in it.
fn tree() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(
            &[
                "null",
                "true",
                "1",
                "1.5",
                "~",
                "''",
                "exact",
                "\"${env}\"",
                "\"${x}\"",
                "\"${secret:a:arn}\"",
                "git",
                "x"
            ][..]
        )
        .prop_map(str::to_owned),
        "\"[a-zé ]{0,8}\"",
    ];
    let key = prop::sample::select(
        &[
            "text",
            "sops",
            "json",
            "file",
            "Statement",
            "Version",
            "Effect",
            "lambdaArn",
            "schedule",
            "region",
            "prod",
            "unset",
            "force",
            "k",
        ][..],
    );
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::btree_map(key.clone(), inner, 0..4).prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

#[test]
fn many_wrong_items_are_told_for_some_of_them() {
    let items: String = (0..1_500).map(|number| format!("- a b{number}\n")).collect();
    let manifest = "apiVersion: keywright/v1\nkind: Secret\nforEach: { file: list.yaml }\nmetadata: { name: \
                    \"${env}/payments/${each}\" }\n";
    let loaded = load_files(&[("a.yaml", manifest), ("list.yaml", items.as_str())], &["prod"]);
    assert_eq!(loaded.diagnostics.error_count(), 20);
    assert_eq!(loaded.diagnostics.left_out(), 1_480);
}
