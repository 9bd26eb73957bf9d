//! A Secret document, before it is built for each of its targets.

use std::collections::BTreeSet;

use super::check::target::TargetModel;
use super::interpolate::expand;
use super::source::{Sources, Span};
use super::tree::{Kind, Node};
use crate::desired::ForOthers;
use crate::domain::{SecretName, Template};

/// A Secret document.
pub(super) struct SecretEntry {
    pub(super) tree: Node,
    /// The targets that it names; `None` for all.
    pub(super) targets: Option<BTreeSet<String>>,
    /// What it names depends on the item.
    pub(super) targets_by_item: bool,
    pub(super) list: List,
    /// Most items that its list had in a target.
    pub(super) items: usize,
}

/// `forEach` of a document.
pub(super) enum List {
    None,
    Inline,
    File(String, Span),
    /// It is wrong, which is reported.
    Wrong,
}

impl SecretEntry {
    /// A document that nothing is known of but its text.
    pub(super) fn of(tree: Node) -> Self {
        Self { tree, targets: None, targets_by_item: false, list: List::None, items: 0 }
    }

    /// How many secrets it declares, each counted once for all targets.
    pub(super) fn count(&self) -> usize {
        if matches!(self.list, List::None) { 1 } else { self.items }
    }

    /// Whether it is for a target.
    pub(super) fn is_of(&self, model: &TargetModel) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.contains(&model.target.name))
    }

    /// The name that it had before, and the one that it has, or would have, in a target, each with where the latter is
    /// written; without those that cannot be told.
    pub(super) fn names_in(&self, model: &TargetModel, sources: &Sources) -> Vec<(SecretName, ForOthers)> {
        let Some(metadata) = self.tree.get("metadata") else { return Vec::new() };
        let Some(name) = metadata.get("name") else { return Vec::new() };
        let here = |field: &str| {
            let Kind::String(text) = &metadata.get(field)?.kind else { return None };
            let name_here = Template::new(expand(text, model).filled.ok()?).resolve(&|_| None).ok()?;
            Some((SecretName::new(name_here), ForOthers { origin: sources.origin(name.span), item: None }))
        };
        ["renamedFrom", "name"].into_iter().filter_map(here).collect()
    }
}
