//! What a project says about itself beside its secrets: for commands that write manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::check::project::Project;
use super::check::target::TargetModel;
use super::diagnostic::Report;
use super::interpolate::{expand, fill};
use super::source::Sources;
use super::tree::Node;
use crate::domain::Part;

/// A project's folders and targets, as its file has them.
#[derive(Clone, Debug)]
pub struct Outline {
    /// `spec.manifests`; none stands for the project's whole folder.
    pub manifests: Option<Vec<String>>,
    /// The targets, in the order of the file.
    pub targets: Vec<TargetOutline>,
}

/// What a manifest for one target has to go by.
#[derive(Clone, Debug, Default)]
pub struct TargetOutline {
    /// The target's name.
    pub name: String,
    /// The scope.
    pub prefixes: Vec<ScopePrefix>,
    /// What lies beneath every secret's `spec`.
    pub defaults: DefaultFields,
}

/// A prefix of the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopePrefix {
    /// As it is written, with its variables.
    pub written: String,
    /// As it is in this target.
    pub filled: String,
}

/// `spec.defaults`.
#[derive(Clone, Debug, Default)]
pub struct DefaultFields {
    /// The fields that are declared there, `tags` included.
    pub fields: BTreeSet<String>,
    /// The tags as they are in this target; none where the value needs another secret's ARN.
    pub tags: BTreeMap<String, Option<String>>,
}

impl Outline {
    pub(super) fn of(project: &Project, sources: &Sources) -> Self {
        let manifests = project.manifests.as_ref();
        Self {
            manifests: manifests.map(|listed| listed.iter().map(|(named, _)| named.clone()).collect()),
            targets: project.targets.iter().map(|model| target(project, model, sources)).collect(),
        }
    }
}

fn target(project: &Project, model: &TargetModel, sources: &Sources) -> TargetOutline {
    let filled = |written: &String| match expand(written, model).filled.ok()?.as_slice() {
        [Part::Text(filled)] => Some(ScopePrefix { written: written.clone(), filled: filled.clone() }),
        _ => None,
    };
    TargetOutline {
        name: model.target.name.clone(),
        prefixes: project.prefixes.iter().filter_map(filled).collect(),
        defaults: project.defaults.as_ref().map(|node| defaults(node, model, sources)).unwrap_or_default(),
    }
}

fn defaults(node: &Node, model: &TargetModel, sources: &Sources) -> DefaultFields {
    let mut node = node.clone();
    // What is wrong in here has been reported with the first secret that it lies beneath, or will be.
    fill(&mut node, model, sources, &mut Report::default());
    let tags = node.get("tags").map_or(&[][..], Node::entries);
    DefaultFields {
        fields: node.entries().iter().map(|(key, _)| key.text.to_string()).collect(),
        tags: tags.iter().map(|(key, value)| (key.text.to_string(), value.as_str().map(str::to_owned))).collect(),
    }
}
