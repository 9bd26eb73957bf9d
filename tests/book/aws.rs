//! The lines of the AWS CLI in a page, carried out on the sandbox of the project in which they are typed.
//!
//! Only what the pages use: `aws [--profile P] [--region R] secretsmanager OPERATION --member VALUE …`, tags in the
//! short form, `--query` of members of members, `--output text`. `tests/interop/` holds the genuine one against a
//! served sandbox.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::stage::Ended;
use crate::support;

/// The accounts of the profiles that pages name; `prod` without a profile. A profile may be an account as well.
const PROFILES: [(&str, &str); 3] = [("prod", "111111111111"), ("data", "222222222222"), ("staging", "333333333333")];

/// `secret-id` as `SecretId`.
fn pascal(words: &str) -> String {
    words.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// `Key=team,Value=a Key=b,Value=c`.
fn tags(words: &[String]) -> Value {
    let tag = |word: &String| {
        let (key, value) = word.strip_prefix("Key=")?.split_once(",Value=")?;
        Some(json!({ "Key": key, "Value": value }))
    };
    words.iter().map(|word| tag(word).expect("Key=…,Value=…")).collect()
}

fn member(folder: &Path, name: &str, words: &[String]) -> Value {
    match (name, words) {
        ("tags", words) => tags(words),
        ("tag-keys", words) => json!(words),
        ("recovery-window-in-days", [days]) => json!(days.parse::<u8>().expect("days")),
        (_, []) => Value::Bool(true),
        (_, [value]) => match value.strip_prefix("file://") {
            Some(file) => Value::String(fs::read_to_string(folder.join(file)).expect("a file")),
            None => Value::String(value.clone()),
        },
        (name, words) => panic!("--{name} {words:?}"),
    }
}

/// Carries out a line, given in words, in a project's folder.
pub(crate) fn run(folder: &Path, words: &[String]) -> Ended {
    let service = words.iter().position(|word| word == "secretsmanager").expect("aws secretsmanager");
    let operation = pascal(&words[service + 1]);
    let (mut profile, mut region, mut query) = ("prod".to_owned(), "eu-west-1".to_owned(), None);
    let mut body = Map::new();
    let mut rest = [&words[1..service], &words[service + 2..]].concat().into_iter().peekable();
    while let Some(flag) = rest.next() {
        let name = flag.strip_prefix("--").expect("a flag").to_owned();
        let mut values = Vec::new();
        while let Some(value) = rest.next_if(|word| !word.starts_with("--")) {
            values.push(value);
        }
        match (name.as_str(), values.as_slice()) {
            ("profile", [value]) => profile.clone_from(value),
            ("region", [value]) => region.clone_from(value),
            ("query", [value]) => query = Some(value.clone()),
            ("output", _) => {}
            (name, values) => drop(body.insert(pascal(name), member(folder, name, values))),
        }
    }
    let puts = matches!(operation.as_str(), "PutSecretValue" | "CreateSecret" | "UpdateSecret" | "RotateSecret");
    if puts && !body.contains_key("ClientRequestToken") {
        // As the CLI does; the same each time, so that pages stay the same.
        let digest =
            words.iter().flat_map(|word| word.bytes()).fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        body.insert("ClientRequestToken".to_owned(), json!(format!("5b1c7a10-0000-4000-8000-{:012x}", digest >> 16)));
    }
    let known = PROFILES.iter().find(|(name, _)| *name == profile);
    let account = known.map_or(profile.as_str(), |(_, account)| account);
    let file = folder.join(".keywright/sandbox.redb");
    let sandbox = keywright::workflow::open_sandbox(Some(&file), folder).expect("the sandbox");
    let Some(answer) = support::try_call(&sandbox, account, &region, &operation, &Value::Object(body)) else {
        return Ended { code: 254, printed: vec![format!("{operation}: refused")] };
    };
    let printed = match query {
        None => serde_json::to_string_pretty(&answer).expect("JSON"),
        Some(query) => match answer.pointer(&format!("/{}", query.replace('.', "/"))) {
            Some(Value::String(text)) => text.clone(),
            other => other.unwrap_or(&Value::Null).to_string(),
        },
    };
    Ended { code: 0, printed: printed.lines().map(str::to_owned).collect() }
}

/// What this file promises of itself.
pub(crate) fn check() {
    assert_eq!(pascal("put-secret-value"), "PutSecretValue");
    assert_eq!(tags(&["Key=a,Value=b".to_owned()]), json!([{ "Key": "a", "Value": "b" }]));
}
