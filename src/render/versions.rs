//! The versions of one secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::escape;
use super::paint::Paint;
use crate::desired::VALUE_TAG;
use crate::domain::{KmsKey, StagingLabel};
use crate::live::{LiveSecret, VersionEntry};

/// The version of the format of [`json`].
pub const FORMAT_VERSION: &str = "1";

/// Whether a version holds git's value: it has git's id, or the tag `keywright:value` calls the two equal.
fn is_gits(secret: &LiveSecret, id: &str, git: Option<&str>) -> bool {
    git.is_some_and(|git| {
        git == id
            || (secret.tags.get(VALUE_TAG) == Some(&format!("{git}={id}")) && secret.current_version() == Some(id))
    })
}

fn day(date: Option<jiff::Timestamp>) -> String {
    date.map_or_else(|| "-".to_owned(), |date| date.strftime("%Y-%m-%d").to_string())
}

/// One version a block, the newest first.
///
/// `compared` says of the versions whose value was read whether it equals git's.
pub fn text(
    paint: Paint,
    secret: &LiveSecret,
    entries: &[VersionEntry],
    git: Option<&str>,
    compared: &BTreeMap<String, bool>,
) -> String {
    let mut out = format!("{}\n", paint.strong(escape::line(secret.name.as_str())));
    for VersionEntry { id, labels, created, last_accessed, kms_key_ids } in entries {
        let labels: Vec<_> = labels.iter().map(|label| escape::line(label.as_str())).collect();
        let labels = if labels.is_empty() { paint.faint("deprecated") } else { paint.added(labels.join(", ")) };
        let gits = match compared.get(id.as_str()) {
            Some(true) => paint.moved("  git's value, compared"),
            Some(false) if git == Some(id.as_str()) => paint.error("  NOT git's value, although its id says so"),
            Some(false) => paint.faint("  another value than git's"),
            None if is_gits(secret, id.as_str(), git) => paint.moved("  git's value"),
            None => String::new(),
        };
        let _ = writeln!(out, "\n  {}  {labels}{gits}", escape::line(id.as_str()));
        let made = created.map_or_else(|| "-".to_owned(), |date| date.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        let keys: Vec<_> = kms_key_ids.iter().map(|key| escape::line(key.as_str())).collect();
        let keys = if keys.is_empty() { "-".to_owned() } else { keys.join(", ") };
        let _ = writeln!(out, "      made {made}, last read {}, key {keys}", day(*last_accessed));
    }
    if entries.is_empty() {
        out.push_str("\n  It has no version: nobody has given it a value yet.\n");
    }
    out.push_str(&keys_needed(secret, entries));
    let known = |git: &&str| {
        entries.iter().any(|entry| {
            is_gits(secret, entry.id.as_str(), Some(git)) || compared.get(entry.id.as_str()) == Some(&true)
        })
    };
    if let Some(git) = git.filter(|git| !known(git)) {
        let _ = writeln!(out, "\n  git's value ({git}) is not among them.");
    }
    out
}

/// Whether a key that the secret no longer uses still encrypts versions. When the key changes, UpdateSecret encrypts
/// the versions with AWSCURRENT, AWSPENDING and AWSPREVIOUS anew, if the caller may encrypt with the new key; all
/// others keep the old one until they are removed (UpdateSecret, `KmsKeyId`).
fn keys_needed(secret: &LiveSecret, entries: &[VersionEntry]) -> String {
    let current = secret.current_version();
    let now: BTreeSet<&KmsKey> = entries
        .iter()
        .filter(|entry| current == Some(entry.id.as_str()))
        .flat_map(|entry| &entry.kms_key_ids)
        .collect();
    let old: BTreeSet<&KmsKey> =
        entries.iter().flat_map(|entry| &entry.kms_key_ids).filter(|key| !now.contains(key)).collect();
    if now.is_empty() {
        return String::new();
    }
    if old.is_empty() {
        return "\n  No version needs another key than the current one's.\n".to_owned();
    }
    let needs = |key: &KmsKey| {
        let versions: Vec<_> = entries
            .iter()
            .filter(|entry| entry.kms_key_ids.contains(key))
            .map(|entry| escape::line(entry.id.as_str()))
            .collect();
        format!(
            "\n  {} is still needed by {}: do not delete or disable it yet.\n",
            escape::line(key.as_str()),
            versions.join(", ")
        )
    };
    old.into_iter().map(needs).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    format_version: &'static str,
    name: &'a str,
    arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_version: Option<&'a str>,
    versions: Vec<Version<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version<'a> {
    id: &'a str,
    labels: Vec<&'a str>,
    deprecated: bool,
    is_gits: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    equals_git: Option<bool>,
    created: Option<String>,
    last_accessed: Option<String>,
    kms_key_ids: &'a [KmsKey],
}

/// The same for programs.
pub fn json(
    secret: &LiveSecret,
    entries: &[VersionEntry],
    git: Option<&str>,
    compared: &BTreeMap<String, bool>,
) -> String {
    let date = |date: &Option<jiff::Timestamp>| date.map(|date| date.to_string());
    let document = Document {
        format_version: FORMAT_VERSION,
        name: secret.name.as_str(),
        arn: secret.arn.as_str(),
        git_version: git,
        versions: entries
            .iter()
            .map(|entry| Version {
                id: entry.id.as_str(),
                labels: entry.labels.iter().map(StagingLabel::as_str).collect(),
                deprecated: entry.labels.is_empty(),
                is_gits: is_gits(secret, entry.id.as_str(), git),
                equals_git: compared.get(entry.id.as_str()).copied(),
                created: date(&entry.created),
                last_accessed: date(&entry.last_accessed),
                kms_key_ids: &entry.kms_key_ids,
            })
            .collect(),
    };
    super::json_text(&document)
}
