//! What a reader of a plan wants to know of a secret that goes: why, and what still counts on it. Nothing of it decides
//! anything, and nothing of it is in a fingerprint.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::desired::{Desired, ListNames, State};
use crate::domain::SecretName;
use crate::origin::Origin;

/// Characters that the service puts behind the name in an ARN, after a hyphen.
const SUFFIX: usize = 6;

/// Why a secret goes, and what counts on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// The manifest that would still name it, were this target one of its own.
    pub other_targets: Option<Origin>,
    /// The item that gave its name and left its list.
    pub left_list: Option<LeftItem>,
    /// The commit that took its manifest away, when that was looked for and found.
    pub removed_in: Option<Commit>,
    /// Secrets that stay and whose declared policies name its ARN.
    pub named_by: BTreeSet<SecretName>,
}

/// An item that left its list, as the secret's name tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftItem {
    /// What the item says in the name.
    pub item: String,
    /// Where the list is written, or named.
    pub list: Origin,
}

impl LeftItem {
    /// The item that must have given a name which no manifest gives any more.
    pub(super) fn of(desired: &Desired, name: &SecretName) -> Option<Self> {
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

/// The secrets that stay and whose declared policies name the ARN of one that goes.
pub(super) fn named_by(desired: &Desired, name: &SecretName) -> BTreeSet<SecretName> {
    let stays = desired.secrets.values().filter(|secret| secret.state == State::Present && secret.name != *name);
    let names = stays.filter(|secret| {
        let template = secret.policy.as_ref().and_then(|declared| declared.value.as_ref());
        template.is_some_and(|template| names_arn_of(&template.document, name))
    });
    names.map(|secret| secret.name.clone()).collect()
}

/// Whether a text somewhere in a document is the ARN of a secret of this name, with its suffix or a pattern for it.
fn names_arn_of(document: &serde_json::Value, name: &SecretName) -> bool {
    match document {
        serde_json::Value::String(text) => is_arn_of(text, name.as_str()),
        serde_json::Value::Array(items) => items.iter().any(|item| names_arn_of(item, name)),
        serde_json::Value::Object(members) => members.values().any(|member| names_arn_of(member, name)),
        _ => false,
    }
}

fn is_arn_of(text: &str, name: &str) -> bool {
    let Some((_, resource)) = text.split_once(":secret:").filter(|_| text.starts_with("arn:")) else { return false };
    resource.strip_prefix(name).is_some_and(|rest| match rest.strip_prefix('-') {
        None => matches!(rest, "" | "*"),
        Some(suffix) => suffix == "*" || suffix.chars().count() == SUFFIX && !suffix.contains(['*', '/']),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_secret_with_its_suffix_or_a_pattern_for_it() {
        let arn = |resource: &str| format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:{resource}");
        for resource in ["app/db", "app/db*", "app/db-*", "app/db-??????", "app/db-AbCdEf"] {
            assert!(is_arn_of(&arn(resource), "app/db"), "{resource}");
        }
        for resource in ["app/db2", "app/db/x", "app/db-replica", "app/db-a/bcde", "app/other", "app/*"] {
            assert!(!is_arn_of(&arn(resource), "app/db"), "{resource}");
        }
        assert!(!is_arn_of("see the secret:secret:app/db", "app/db"));
    }
}
