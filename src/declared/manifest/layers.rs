//! What lies beneath and over a secret's `spec`: the project's defaults, those of its folders from the outermost to the
//! nearest, the secret's own fields, and the overrides for a target.
//!
//! Everything is merged as a tree, in which each value keeps the place where it was written. So a value's place tells
//! the layer that it came from.

use super::check::managed;
use super::merge::{merge, unset, without};
use super::source::Span;
use super::tree::{Kind, Node};

/// The trees of one Secret document, the lowest first.
pub(crate) struct Layers<'a> {
    /// The Defaults documents of folders that several projects share, in the order of `spec.include`.
    pub(crate) shared: &'a [Node],
    /// `spec.defaults` of the project.
    pub(crate) project: Option<&'a Node>,
    /// The Defaults documents of the folders, the outermost first.
    pub(crate) folders: Vec<&'a Node>,
    /// The Secret document.
    pub(crate) own: &'a Node,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A Defaults document of a folder that several projects share.
    Shared,
    /// `spec.defaults` of the project.
    Project,
    /// A folder's Defaults document; in it, the override of these targets.
    Folder(Option<String>),
    /// The Secret document's own `spec`.
    Secret,
    /// The Secret document's override of these targets.
    Override(String),
    /// The template of a policy.
    Template,
}

impl Layers<'_> {
    /// The layers merged, for a target that `names` tells. Of a secret that a service manages, defaults hold for tags
    /// alone: what else they say is for secrets of our own.
    pub(crate) fn merged(&self, start: Span, is_managed: bool, names: &dyn Fn(&str) -> bool) -> Node {
        let beneath = |defaults: &Node| if is_managed { managed::tags_alone(defaults) } else { defaults.clone() };
        let mut spec = Node::new(start, Kind::Map(Vec::new()));
        for shared in self.shared {
            if let Some(defaults) = shared.get("spec").filter(|defaults| is_map(defaults)) {
                lay(&mut spec, defaults, &beneath, names);
            }
        }
        match self.project {
            Some(defaults) if is_map(defaults) && self.shared.is_empty() => spec = beneath(defaults),
            Some(defaults) if is_map(defaults) => merge(&mut spec, &beneath(defaults)),
            _ => {}
        }
        for folder in &self.folders {
            if let Some(defaults) = folder.get("spec").filter(|defaults| is_map(defaults)) {
                lay(&mut spec, defaults, &beneath, names);
            }
        }
        if let Some(own) = self.own.get("spec").filter(|own| is_map(own)) {
            lay(&mut spec, own, &Node::clone, names);
        }
        spec
    }

    /// The layer that a place belongs to.
    pub(crate) fn of(&self, span: Span) -> Layer {
        if contains(self.own, span) {
            return override_at(self.own, span).map_or(Layer::Secret, Layer::Override);
        }
        for folder in &self.folders {
            if contains(folder, span) {
                return Layer::Folder(override_at(folder, span));
            }
        }
        if self.shared.iter().any(|shared| contains(shared, span)) {
            return Layer::Shared;
        }
        if self.project.is_some_and(|project| project.span.file == span.file) {
            Layer::Project
        } else {
            Layer::Template
        }
    }
}

/// Lays a `spec` and the overrides in it over what is beneath.
fn lay(spec: &mut Node, over: &Node, of: &dyn Fn(&Node) -> Node, names: &dyn Fn(&str) -> bool) {
    merge(spec, &of(&without(over, "overrides")));
    let overrides = over.get("overrides").map_or(&[][..], Node::entries);
    for (_, over) in overrides.iter().filter(|(named, over)| is_map(over) && names(&named.text)) {
        if let Some(Node { kind: Kind::Seq(fields), .. }) = over.get("unset") {
            fields.iter().filter_map(Node::as_str).for_each(|field| unset(spec, field));
        }
        merge(spec, &of(&without(over, "unset")));
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_))
}

fn contains(node: &Node, span: Span) -> bool {
    node.span.file == span.file && node.span.start <= span.start && span.end <= node.span.end
}

/// The override of a document that a place stands in.
fn override_at(document: &Node, span: Span) -> Option<String> {
    let overrides = document.get("spec")?.get("overrides")?.entries();
    overrides.iter().find(|(_, over)| contains(over, span)).map(|(named, _)| named.text.to_string())
}
