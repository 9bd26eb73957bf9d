//! What a reader of a plan wants to know of a secret that goes: why, and what still counts on it. Nothing of it decides
//! anything, and nothing of it is in a fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::desired::{Desired, ForOthers, ListNames, State};
use crate::domain::SecretName;
use crate::origin::Origin;

/// Characters that the service puts behind the name in an ARN, after a hyphen.
const SUFFIX: usize = 6;

/// Why a secret goes, and what counts on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// Somebody asked for it by the secret's name, whatever the manifests say.
    pub by_hand: bool,
    /// The manifest that would still name it, were this target one of its own.
    pub other_targets: Option<ForOthers>,
    /// Whether its replicas stay while those are being made of what another target of the run has under its name.
    pub replicas_wait: bool,
    /// The item that would give its name, and that is in no list.
    pub left_list: Option<LeftItem>,
    /// The commit that took its manifest away, when that was looked for and found.
    pub removed_in: Option<Commit>,
    /// Secrets that stay and whose declared policies name its ARN.
    pub named_by: BTreeSet<SecretName>,
}

/// An item that a list does not have, as the secret's name tells it. Whether it left the list or was never in it is not
/// known: the secret may have had a manifest of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftItem {
    /// What the item says in the name.
    pub item: String,
    /// Where the list is written, or named.
    pub list: Origin,
}

impl LeftItem {
    /// The item that would give a name which no manifest gives any more. One that is for other targets now is in
    /// its list still.
    pub(super) fn of(desired: &Desired, name: &SecretName) -> Option<Self> {
        if desired.of_other_targets.contains_key(name) {
            return None;
        }
        let left = |list: &ListNames| Some(Self { item: list.item(name.as_str())?, list: list.origin.clone() });
        desired.lists.iter().find_map(left)
    }
}

/// A commit of the repository that a project lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its abbreviated id.
    pub id: String,
    /// When it was committed.
    pub date: Option<Timestamp>,
    /// The first line of its message.
    pub subject: String,
}

/// For each name of a secret, the secrets that stay and whose declared policies name its ARN.
pub(super) fn named_in_policies(desired: &Desired) -> BTreeMap<String, BTreeSet<SecretName>> {
    let mut named: BTreeMap<String, BTreeSet<SecretName>> = BTreeMap::new();
    for secret in desired.secrets.values().filter(|secret| secret.state == State::Present) {
        let Some(template) = secret.policy.as_ref().and_then(|declared| declared.value.as_ref()) else { continue };
        each_text(&template.document, &mut |text| {
            for name in names_of(text).filter(|name| *name != secret.name.as_str()) {
                named.entry(name.to_owned()).or_default().insert(secret.name.clone());
            }
        });
    }
    named
}

fn each_text<'d>(document: &'d serde_json::Value, visit: &mut dyn FnMut(&'d str)) {
    match document {
        serde_json::Value::String(text) => visit(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| each_text(item, visit)),
        serde_json::Value::Object(members) => members.values().for_each(|member| each_text(member, visit)),
        _ => {}
    }
}

/// The names that an ARN of a secret may stand for: with its suffix, a pattern for it, or without.
fn names_of(text: &str) -> impl Iterator<Item = &str> {
    let resource = text.split_once(":secret:").filter(|_| text.starts_with("arn:")).map(|(_, resource)| resource);
    let forms = resource.into_iter().flat_map(|resource| {
        let pattern = resource.strip_suffix('*').map(|named| named.strip_suffix('-').unwrap_or(named));
        let suffixed = resource.rsplit_once('-').filter(|(_, suffix)| suffix.chars().count() == SUFFIX);
        [Some(resource), pattern, suffixed.map(|(named, _)| named)]
    });
    forms.flatten().filter(|name| !name.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_secret_with_its_suffix_or_a_pattern_for_it() {
        let names = |resource: &str| {
            let arn = format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:{resource}");
            names_of(&arn).any(|name| name == "app/db")
        };
        for resource in ["app/db", "app/db*", "app/db-*", "app/db-??????", "app/db-AbCdEf"] {
            assert!(names(resource), "{resource}");
        }
        for resource in ["app/db2", "app/db/x", "app/db-replica", "app/other", "app/*"] {
            assert!(!names(resource), "{resource}");
        }
        assert_eq!(names_of("see the secret:secret:app/db").count(), 0);
    }
}
