//! Documents made at random, in every format that sops has.

use proptest::prelude::*;
use serde_json::Value;

use super::super::Result;

/// Texts that YAML, JSON and dotenv each have their trouble with.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9]{1,12}",
        2 => any::<String>().prop_map(|text| text.replace('\0', "")),
        2 => prop::sample::select(vec![
            "", " ", "yes", "no", "on", "~", "null", "NULL", "true", "True", "017", "1_000", "0x1F", "1e3",
            ".5", "1.", ".inf", "-.INF",
            ".nan", "0b1", "0o7", "08", "+1", "-0", "2024-01-02", "2024-01-02T03:04:05Z", "1:30", "<<", "=", "- a",
            "a: b", "a #b", "#a", "|", ">",
            "line\nline\n", "\nleading", "trailing \n", "  indented\n more\n", "tab\there", "\t", "quote\"s'",
            "back\\slash", "\\n", "\r\n", "a\rb",
            "\u{85}", "\u{2028}", "a\u{2028}b", "a\nb\u{2029}", "\u{feff}", "88e4566", "1e400", ".0_",
            "1_e3", "-.5e_1", "é", "🔑", "%", "@", "`", "!x", "&x", "*x", "{a", "[a", "?",
            "? a", ":", "---", "...", "a\n---\nb",
            "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]", "ENC[", "123456789012345678901234567890",
        ]).prop_map(str::to_owned),
        1 => "(?s).{60,200}".prop_map(|text: String| text.replace('\0', "")),
        1 => "([a-z]{1,9}[ \n]){10,40}",
    ]
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z]{1,6}(_unencrypted|_enc)?",
        1 => any_text().prop_filter("a short key", |text| text.len() < 100 && text != "<<"),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => any_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-1000_i64..1000).prop_map(Value::from),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        1 => (-100.0_f64..100.0).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

pub(super) fn any_document() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(
        any_key().prop_filter("not the metadata", |key| !key.starts_with("sops")),
        any_value(),
        1..6,
    )
    .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// YAML with comments at random places. What it means is what sops makes of it.
pub(super) fn yaml(document: &Value, comments: u64) -> Result<String> {
    let text = serde_yaml::to_string(document)?;
    let mut bits = comments;
    let mut in_text = false;
    Ok(text
        .lines()
        .map(|line| {
            // Comments within a block of text would be text.
            in_text =
                line.trim_end().ends_with(['|', '>', '-', '+', '1', '2', '4', '8']) || in_text && line.starts_with(' ');
            bits = bits.rotate_left(1);
            let indent = &line[..line.len() - line.trim_start().len()];
            if bits & 3 == 3 && !in_text && !line.contains(['"', '\'', '#', '|', '>']) {
                format!("{indent}# comment {}\n{line} # line\n", bits & 7)
            } else {
                format!("{line}\n")
            }
        })
        .collect())
}

/// A dotenv file of the document's top level, with its nested parts as JSON text.
pub(super) fn dotenv(document: &Value) -> String {
    let mut lines = Vec::new();
    for (place, (key, value)) in document.as_object().into_iter().flatten().enumerate() {
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace(['\n', '\r'], "\\n");
        lines.extend([format!("# comment {place}"), format!("K{place}{key}={value}"), String::new()]);
    }
    lines.join("\n")
}

/// An INI file of two sections.
pub(super) fn ini(document: &Value) -> String {
    let mut lines = vec!["; of the whole".to_owned(), "[one]".to_owned()];
    for (place, (key, value)) in document.as_object().into_iter().flatten().enumerate() {
        if place == 2 {
            lines.push("[two]".to_owned());
        }
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value: String = value.chars().filter(|letter| !letter.is_control() && *letter != '`').collect();
        lines.push(format!("k{place}{key} = `{value}`"));
    }
    lines.join("\n") + "\n"
}

/// YAML with an anchor, an alias for it and a merge of it, which sops writes out or refuses.
pub(super) fn anchored(document: &Value, merge: bool) -> Result<String> {
    let indented: String = serde_yaml::to_string(document)?.lines().map(|line| format!("    {line}\n")).collect();
    let user = if merge { "merged:\n    <<: *it\n    more: x\n" } else { "again: *it\nlist: [*it, *it]\n" };
    Ok(format!("first: &it\n{indented}{user}"))
}

/// Plain scalars of the kinds that go-yaml has its own mind about.
pub(super) fn any_scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[-+]?[0-9]{1,3}[eE][-+]?[0-9]{1,4}",
        4 => "[0-9a-f]{3,7}",
        4 => "[-+]?[.0-9_eE]{1,9}",
        2 => "0[xXoObB]_?[0-9a-fA-F_]{1,17}",
        2 => "[-+]?[0-9]{15,21}",
        2 => "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
        2 => "20[0-9]{2}-(0?[1-9]|1[0-3])-[0-3]?[0-9]\
            ([Tt ][0-2]?[0-9]:[0-6]?[0-9]:[0-6]?[0-9]([.,][0-9]{1,10})?(Z|[-+][0-2][0-9]:[0-6][0-9])?)?",
        2 => prop::sample::select(vec![
            "~", "null", "Null", "yes", "True", ".inf", "+.INF", "-.Inf", ".NaN", "1:30", "<<", "=", "y", "n", "-",
            "+", ".", "..",
            "0x", "0o", "0b", "-0b1", "-0o7", "+0x1F", "00", "007", "0_7", "1__0", "-_1", "1e", "e1", "0.0", "-0",
            "-0.0", "1.", "0x1p4",
        ]).prop_map(str::to_owned),
    ]
}

/// Texts with line breaks that only YAML 1.1 has.
pub(super) fn any_broken_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b c", " ", "  d", "'", "\"", ": ", "#", "\n", "\u{2028}", "\u{2029}", "\u{85}", "é",
    ]);
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}
