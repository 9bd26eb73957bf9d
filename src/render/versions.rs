//! The versions of one secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::escape::{self, Escaped, Json, Terminal};
use super::escaped;
use super::paint::Paint;
use super::who::{self, WhoDocument};
use crate::attribution::Answer;
use crate::desired::VALUE_TAG;
use crate::domain::{KmsKey, StagingLabel, VersionId};
use crate::live::{LiveSecret, VersionEntry};

/// The version of the format of [`json`].
pub const FORMAT_VERSION: &str = "1";

/// Whether a version holds git's value: it has git's id, or the tag `keywright:value` calls the two equal.
fn is_gits(secret: &LiveSecret, id: &VersionId, git: Option<&VersionId>) -> bool {
    git.is_some_and(|git| {
        git == id
            || (secret.tags.get(VALUE_TAG) == Some(&format!("{git}={id}")) && secret.current_version() == Some(id))
    })
}

/// What is known of versions beside what the service lists.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The id of git's value.
    pub git: Option<&'a VersionId>,
    /// Of the versions whose value was read, whether it equals git's.
    pub compared: &'a BTreeMap<VersionId, bool>,
    /// Who put them, as far as CloudTrail was asked.
    pub who: &'a BTreeMap<VersionId, Answer>,
}

/// One version a block, the newest first.
pub fn text(paint: Paint, secret: &LiveSecret, entries: &[VersionEntry], known: Known<'_>) -> Escaped<Terminal> {
    let Known { git, compared, who } = known;
    let mut out = escaped!("{}\n", paint.strong(escape::line(secret.name.as_str())));
    for VersionEntry { id, labels, created, last_accessed, kms_key_ids } in entries {
        let labels = Escaped::join(labels.iter().map(|label| escape::line(label.as_str())), ", ");
        let labels = if labels.is_empty() { paint.faint("deprecated") } else { paint.added(labels) };
        let gits = match compared.get(id) {
            Some(true) => Some(paint.moved("  git's value, compared")),
            Some(false) if git == Some(id) => Some(paint.error("  NOT git's value, although its id says so")),
            Some(false) => Some(paint.faint("  another value than git's")),
            None if is_gits(secret, id, git) => Some(paint.moved("  git's value")),
            None => None,
        };
        out.push(&escaped!("\n  {}  {}{}\n", escape::line(id.as_str()), labels, gits));
        let keys = Escaped::join(kms_key_ids.iter().map(|key| escape::line(key.as_str())), ", ");
        out.push(&escaped!(
            "      made {}, {}, key {}\n",
            created.map_or_else(|| "-".into(), |date| escape::time(date, "%Y-%m-%d %H:%M:%S UTC")),
            last_accessed.map_or_else(
                || "no read recorded".into(),
                |date| -> Escaped<Terminal> { escaped!("last read {}", escape::time::<Terminal>(date, "%Y-%m-%d")) }
            ),
            if keys.is_empty() { "-".into() } else { keys }
        ));
        for line in who.get(id).into_iter().flat_map(who::lines) {
            out.push(&escaped!("      {}\n", escape::line(&line)));
        }
    }
    if entries.is_empty() {
        out.push(&"\n  It has no version: it was never given a value.\n");
    }
    out.push(&keys_needed(secret, entries));
    let known = |git: &&VersionId| {
        entries.iter().any(|entry| is_gits(secret, &entry.id, Some(git)) || compared.get(&entry.id) == Some(&true))
    };
    if let Some(git) = git.filter(|git| !known(git)) {
        out.push(&escaped!("\n  git's value ({}) is not among them.\n", escape::line(git.as_str())));
    }
    out
}

/// Whether a key that the secret no longer uses still encrypts versions. When the key changes, UpdateSecret encrypts
/// the versions with AWSCURRENT, AWSPENDING and AWSPREVIOUS anew, if the caller may encrypt with the new key; all
/// others keep the old one until they are removed (UpdateSecret, `KmsKeyId`).
fn keys_needed(secret: &LiveSecret, entries: &[VersionEntry]) -> Escaped<Terminal> {
    let current = secret.current_version();
    let now: BTreeSet<&KmsKey> =
        entries.iter().filter(|entry| current == Some(&entry.id)).flat_map(|entry| &entry.kms_key_ids).collect();
    let old: BTreeSet<&KmsKey> =
        entries.iter().flat_map(|entry| &entry.kms_key_ids).filter(|key| !now.contains(key)).collect();
    if now.is_empty() {
        return Escaped::default();
    }
    if old.is_empty() {
        return escaped!("\n  No version needs another key than the current one's.\n");
    }
    let needs = |key: &KmsKey| -> Escaped<Terminal> {
        let versions = entries.iter().filter(|entry| entry.kms_key_ids.contains(key));
        let versions = Escaped::join(versions.map(|entry| escape::line(entry.id.as_str())), ", ");
        escaped!(
            "\n  {} is still needed by {}: do not delete or disable it yet.\n",
            escape::line(key.as_str()),
            versions
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
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<WhoDocument>,
}

/// The same for programs.
pub fn json(secret: &LiveSecret, entries: &[VersionEntry], known: Known<'_>) -> Escaped<Json> {
    let Known { git, compared, who } = known;
    let date = |date: &Option<jiff::Timestamp>| date.map(|date| date.to_string());
    let document = Document {
        format_version: FORMAT_VERSION,
        name: secret.name.as_str(),
        arn: secret.arn.as_str(),
        git_version: git.map(VersionId::as_str),
        versions: entries
            .iter()
            .map(|entry| Version {
                id: entry.id.as_str(),
                labels: entry.labels.iter().map(StagingLabel::as_str).collect(),
                deprecated: entry.labels.is_empty(),
                is_gits: is_gits(secret, &entry.id, git),
                equals_git: compared.get(&entry.id).copied(),
                created: date(&entry.created),
                last_accessed: date(&entry.last_accessed),
                kms_key_ids: &entry.kms_key_ids,
                who: who.get(&entry.id).map(who::document),
            })
            .collect(),
    };
    escape::json(&document)
}
