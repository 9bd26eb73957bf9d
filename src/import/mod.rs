//! Manifests for secrets that are live already.
//!
//! A pure room: from live secrets to the texts of files, and from a plan to the verdict on them. What may not enter:
//! I/O, the AWS SDK, and secret values; nothing that is live is written without being quoted for YAML first.
//!
//! - `choice`: which secrets are imported, and why the others are not;
//! - `document`: one secret as a manifest;
//! - `layout`: which file a manifest goes into;
//! - `yaml`: YAML that reads back as exactly what was meant;
//! - `proof`: whether a plan of the new manifests does nothing but adopt;
//! - `tfstate`: live secrets as a Terraform state shows them.

mod choice;
mod document;
mod layout;
mod proof;
#[cfg(test)]
mod tests;
pub mod tfstate;
mod yaml;

use std::collections::BTreeMap;

pub use choice::{Choice, LeftOut, Reason, choose};
pub use layout::{ImportedFile, import};
pub use proof::{Proof, prove};
pub(crate) use yaml::scalar;

use crate::desired::{Deletion, TagPatterns};
use crate::domain::{AccountId, Region, TagKey};
use crate::live::LiveSecret;
use crate::manifest::TargetOutline;

/// Fewest secrets that must share a tag before it is a default of the project.
const SHARED_BY_AT_LEAST: usize = 3;

/// A secret to write a manifest for.
#[derive(Clone, Debug)]
pub struct Importable {
    /// What is live, its policy and replicas read.
    pub secret: LiveSecret,
    /// How it would have been deleted by the tool that it comes from, where one says so.
    pub deletion: Option<Deletion>,
}

/// Where manifests go, and what they have to go by.
pub struct Layout<'a> {
    /// The folder for the files, below the project's, without a slash at its end.
    pub folder: &'a str,
    /// Whether the project has the JSON Schema that `init` writes, for the line that editors read.
    pub schema: bool,
    /// What the project says of the target.
    pub target: &'a TargetOutline,
    /// Whether the manifests name the target: they need not, where it is the only one.
    pub name_target: bool,
    /// Tags that are nobody's business.
    pub ignore_tags: &'a TagPatterns,
    /// Whether the secrets are as a Terraform state shows them, and not as they are live.
    pub from_state: bool,
    /// The target's account, when it is known.
    pub account: Option<&'a AccountId>,
    /// The target's region.
    pub region: &'a Region,
    /// Whether there is a file already at a path below the project's folder.
    pub taken: &'a dyn Fn(&str) -> bool,
}

/// The tags that all of the secrets have, key and value, when there are enough secrets for that to mean something.
pub fn shared_tags(secrets: &[Importable], ignore_tags: &TagPatterns) -> BTreeMap<TagKey, String> {
    let [first, rest @ ..] = secrets else { return BTreeMap::new() };
    if secrets.len() < SHARED_BY_AT_LEAST {
        return BTreeMap::new();
    }
    let everywhere = |key: &TagKey, value: &String| rest.iter().all(|other| other.secret.tags.get(key) == Some(value));
    first
        .secret
        .tags
        .iter()
        .filter(|(key, value)| !ignore_tags.ignores(key.as_str()) && everywhere(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
