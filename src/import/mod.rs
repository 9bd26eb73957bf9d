//! Manifests for secrets that are live already.
//!
//! A pure room: from live secrets to the texts of files, and from a plan to the verdict on them. What may not enter:
//! I/O, the AWS SDK, and secret values; nothing that is live is written without being quoted for YAML first.
//!
//! - `choice`: which secrets are imported, and why the others are not;
//! - `document`: one secret as a manifest for one target, with `cross_account` for its links with other accounts;
//! - `manifest`: a manifest while it is folded;
//! - `fold`: the manifests of several targets as one, where they say the same, with `overrides` for what differs;
//! - `lists`: manifests that differ by one text as a list;
//! - `common`: what all manifests of a folder have as its Defaults;
//! - `policies`: policies that several manifests have as files;
//! - `layout`: which file a manifest goes into;
//! - `yaml`: YAML that reads back as exactly what was meant;
//! - `proof`: whether a plan of the new manifests does nothing but adopt;
//! - `tfstate`: live secrets as a Terraform state shows them.

mod choice;
mod common;
mod cross_account;
mod document;
mod fold;
mod layout;
mod lists;
mod manifest;
mod overrides;
mod policies;
mod proof;
#[cfg(test)]
mod tests;
pub mod tfstate;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

pub use choice::{Choice, LeftOut, Reason, choose};
pub use layout::{ImportTarget, ImportedFile, import};
pub use proof::{Proof, prove};
pub(crate) use yaml::{scalar, shown};

use crate::collect::CollectMap as _;
use crate::desired::{Deletion, TagPatterns};
use crate::domain::{AccountId, Region, TagKey};
use crate::live::LiveSecret;
use crate::manifest::{Outline, TargetOutline};

/// Fewest secrets that make a pattern. What two have in common may be chance, and two are compared at a glance; the
/// third is where a change is forgotten.
const SHARED_BY_AT_LEAST: usize = 3;

/// A secret to write a manifest for.
#[derive(Clone, Debug)]
pub struct Importable {
    /// What is live, its policy and replicas read.
    pub secret: LiveSecret,
    /// How it would have been deleted by the tool that it comes from, where one says so.
    pub deletion: Option<Deletion>,
}

/// A field that an import can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportField {
    /// `description`
    Description,
    /// `type`
    Type,
    /// `kmsKeyId`
    KmsKeyId,
    /// `tags`, with `tagMode`
    Tags,
    /// `policy`
    Policy,
    /// `rotation`
    Rotation,
    /// `replicas`
    Replicas,
    /// `crossAccountReplica` and `crossAccountPrimary`, the latter with the key that it needs
    CrossAccount,
    /// `deletion`, where a Terraform state says how
    Deletion,
}

impl ImportField {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Description,
        Self::Type,
        Self::KmsKeyId,
        Self::Tags,
        Self::Policy,
        Self::Rotation,
        Self::Replicas,
        Self::CrossAccount,
        Self::Deletion,
    ];

    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Type => "type",
            Self::KmsKeyId => "kmsKeyId",
            Self::Tags => "tags",
            Self::Policy => "policy",
            Self::Rotation => "rotation",
            Self::Replicas => "replicas",
            Self::CrossAccount => "crossAccount",
            Self::Deletion => "deletion",
        }
    }

    /// The fields of manifests that it stands for.
    fn written(self) -> Vec<&'static str> {
        match self {
            Self::CrossAccount => vec!["crossAccountReplica", "crossAccountPrimary"],
            other => vec![other.name()],
        }
    }
}

/// Where manifests go, and what they have to go by in one target.
#[derive(Clone, Copy)]
pub struct Layout<'a> {
    /// The folder for the files, below the project's, without a slash at its end.
    pub folder: &'a str,
    /// Whether the project has the JSON Schema that `init` writes, for the line that editors read.
    pub schema: bool,
    /// What the project says of all its targets.
    pub outline: &'a Outline,
    /// What the project says of the target.
    pub target: &'a TargetOutline,
    /// The fields that are written; all of them when there is no choice.
    pub fields: Option<&'a BTreeSet<ImportField>>,
    /// Tags that are nobody's business.
    pub ignore_tags: &'a TagPatterns,
    /// Whether the secrets are as a Terraform state shows them, and not as they are live.
    pub from_state: bool,
    /// The target's account, when it is known.
    pub account: Option<&'a AccountId>,
    /// The target's region.
    pub region: &'a Region,
    /// The accounts of all targets, as far as they are known.
    pub accounts: &'a BTreeMap<String, AccountId>,
    /// Whether each secret is written out: no lists, Defaults or policy files.
    pub expanded: bool,
    /// Whether there is a file already at a path below the project's folder.
    pub taken: &'a dyn Fn(&str) -> bool,
    /// Whether there may be manifests in a folder or below it.
    pub settled: &'a dyn Fn(&str) -> bool,
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
        .collect_map()
}
