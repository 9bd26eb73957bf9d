//! What manifests and lists that are for other targets alone would be named in a target, or were before: a secret of
//! such a name did not leave git.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::check::target::TargetModel;
use super::diagnostic::Report;
use super::entry::{List, SecretEntry};
use super::interpolate::fill;
use super::items::{self, ItemScope};
use super::load::Loader;
use super::named::Files;
use super::secrets::plain;
use super::tree::Kind;
use crate::collect::CollectMap as _;
use crate::desired::ForOthers;
use crate::domain::SecretName;

impl Loader {
    /// What manifests of other targets would be named in this one, where that can be told.
    pub(super) fn of_other_targets(
        &mut self,
        model: &TargetModel,
        files: &mut Files,
    ) -> BTreeMap<SecretName, ForOthers> {
        let entries = std::mem::take(&mut self.secrets);
        let others = entries.iter().filter(|entry| !entry.is_of(model));
        let named = others.flat_map(|entry| match entry.list {
            List::None => entry.names_in(model, &self.sources),
            List::Inline | List::File(..) => self.items_of_others(entry, model, files),
            List::Wrong => Vec::new(),
        });
        let named = named.collect_map();
        self.secrets = entries;
        named
    }

    /// What the items of a list that is for other targets would be named in this one. What is wrong with them is said
    /// in their own targets.
    fn items_of_others(
        &mut self,
        entry: &SecretEntry,
        model: &TargetModel,
        files: &mut Files,
    ) -> Vec<(SecretName, ForOthers)> {
        let mut unsaid = Report::default();
        let items = match &entry.list {
            List::None | List::Wrong => None,
            List::Inline => entry.tree.get("forEach").cloned().and_then(|mut list| {
                fill(&mut list, model, &self.sources, &mut unsaid);
                let Kind::Seq(nodes) = &list.kind else { return None };
                Some(Rc::new(items::of_list(nodes, &mut Vec::new())))
            }),
            List::File(named, span) => {
                plain(named, model).and_then(|named| files.list((&named, *span), &mut self.sources, &mut unsaid))
            }
        };
        let field = |field: &str| entry.tree.get("metadata").and_then(|metadata| metadata.get(field));
        let (Some(items), Some(name)) = (items, field("name")) else { return Vec::new() };
        let texts: Vec<&str> = ["renamedFrom", "name"].into_iter().filter_map(|of| field(of)?.as_str()).collect();
        let named = items.iter().enumerate().flat_map(|(index, item)| {
            let scope = ItemScope { target: model, item, index: &index.to_string() };
            let of_item = Some(self.sources.origin(item.span));
            let here = texts.iter().filter_map(|text| {
                let of_others = ForOthers { origin: self.sources.origin(name.span), item: of_item.clone() };
                Some((SecretName::new(plain(text, &scope)?), of_others))
            });
            here.collect::<Vec<_>>()
        });
        named.collect()
    }
}
