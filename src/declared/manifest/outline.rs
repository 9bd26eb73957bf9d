//! What a project says about itself beside its secrets: for commands that write manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::check::project::Project;
use super::check::target::TargetModel;
use super::diagnostic::Report;
use super::folder_defaults::FolderDefaults;
use super::group::{Groups, Labelled};
use super::interpolate::{expand, fill};
use super::layers::Layers;
use super::source::{Sources, Span};
use super::tree::{Kind, Node};
use crate::collect::CollectMap as _;
use crate::domain::Part;
use crate::origin::Origin;

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
    /// The account, when the project names one.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// The role to assume, when there is one.
    pub assume_role: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its variables as they are filled in, in the order in which they are written; look-ups are not among them.
    pub vars: Vec<(String, String)>,
    /// The combination of a matrix that it was made of, for people; empty where there is none.
    pub combination: String,
    /// Where its name is written.
    pub origin: Option<Origin>,
    /// The scope.
    pub prefixes: Vec<ScopePrefix>,
    /// What lies beneath the `spec` of secrets, by folder: of the project's own folder, and of each that has Defaults.
    /// Empty where nobody asked for it.
    pub defaults: BTreeMap<PathBuf, DefaultFields>,
}

/// A prefix of the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopePrefix {
    /// As it is written, with its variables.
    pub written: String,
    /// As it is in this target.
    pub filled: String,
}

/// What lies beneath a secret's `spec`: the Defaults of shared folders, of the project, and of the folders around it.
#[derive(Clone, Debug, Default)]
pub struct DefaultFields {
    /// The fields that are declared there, `tags` included.
    pub fields: BTreeSet<String>,
    /// The tags as they are in this target; none where the value needs another secret's ARN.
    pub tags: BTreeMap<String, Option<String>>,
    /// The key as it is in this target, where there is one.
    pub kms_key: Option<String>,
}

/// Nothing lies beneath.
static NO_DEFAULTS: DefaultFields = DefaultFields { fields: BTreeSet::new(), tags: BTreeMap::new(), kms_key: None };

impl TargetOutline {
    /// What lies beneath the secrets of a manifest, and the folder that has it.
    pub fn beneath(&self, manifest: &Path) -> (&Path, &DefaultFields) {
        let around = manifest.ancestors().skip(1);
        let mut found = around.filter_map(|folder| self.defaults.get_key_value(folder));
        found.next().map_or((Path::new(""), &NO_DEFAULTS), |(folder, fields)| (folder.as_path(), fields))
    }
}

impl Outline {
    /// The names of the targets that a text stands for: a name, a glob or a selector of labels. Or what is wrong with
    /// it, in words.
    pub fn members(&self, text: &str) -> Result<BTreeSet<String>, String> {
        let targets =
            || self.targets.iter().map(|target| Labelled { name: &target.name, labels: &target.labels }).collect();
        match Groups::default().members(text, Span::default(), targets) {
            Ok(members) => Ok(members.iter().cloned().collect()),
            Err(problem) => Err(format!("{} ({})", problem.message, problem.label)),
        }
    }

    pub(super) fn of(project: &Project, folders: Option<&FolderDefaults>, sources: &Sources) -> Self {
        let manifests = project.manifests.as_ref();
        Self {
            manifests: manifests.map(|listed| listed.iter().map(|(named, _)| named.clone()).collect()),
            targets: project.targets.iter().map(|model| target(project, folders, model, sources)).collect(),
        }
    }
}

fn target(
    project: &Project,
    folders: Option<&FolderDefaults>,
    model: &TargetModel,
    sources: &Sources,
) -> TargetOutline {
    let filled = |written: &String| match expand(written, model).filled.ok()?.as_slice() {
        [Part::Text(filled)] => Some(ScopePrefix { written: written.clone(), filled: filled.clone() }),
        _ => None,
    };
    TargetOutline {
        name: model.target.name.clone(),
        account: model.target.account.as_ref().map(ToString::to_string),
        region: model.target.region.to_string(),
        assume_role: model.target.assume_role.clone(),
        labels: model.labels.clone(),
        vars: model.vars.texts().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        combination: model.combination.clone(),
        origin: Some(model.target.origin.clone()),
        prefixes: project.prefixes.iter().filter_map(filled).collect(),
        defaults: folders.map(|folders| beneath_all(project, folders, model, sources)).unwrap_or_default(),
    }
}

fn beneath_all(
    project: &Project,
    folders: &FolderDefaults,
    model: &TargetModel,
    sources: &Sources,
) -> BTreeMap<PathBuf, DefaultFields> {
    let of = |folder: &Path| (folder.to_owned(), beneath(project, folders, folder, model, sources));
    folders.folders().into_iter().map(of).collect_map()
}

/// What lies beneath the secrets of a folder in a target.
fn beneath(
    project: &Project,
    folders: &FolderDefaults,
    folder: &Path,
    model: &TargetModel,
    sources: &Sources,
) -> DefaultFields {
    let own = Node::new(Span::default(), Kind::Map(Vec::new()));
    let around = folders.around(folder.join("any"));
    let layers = Layers { shared: &project.shared, project: project.defaults.as_ref(), folders: around, own: &own };
    let mut node = layers.merged(Span::default(), false, &|text| project.names(text, model));
    // What is wrong in here has been reported with the first secret that it lies beneath, or will be.
    fill(&mut node, model, sources, &mut Report::default());
    let tags = node.get("tags").map_or(&[][..], Node::entries);
    DefaultFields {
        fields: node.entries().iter().map(|(key, _)| key.text.to_string()).collect(),
        tags: tags.iter().map(|(key, value)| (key.text.to_string(), value.as_str().map(str::to_owned))).collect_map(),
        kms_key: node.get("kmsKeyId").and_then(Node::as_str).map(str::to_owned),
    }
}
