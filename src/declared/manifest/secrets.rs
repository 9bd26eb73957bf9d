//! Secret documents: what is wrong with them as they are written, and what they are in each target.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::check::cross_account::Links;
use super::check::dependencies::{Built, check_dependencies};
use super::check::managed::managed_by;
use super::check::parity::ValueKeys;
use super::check::project::{Project, check_api_version, key_span};
use super::check::renamed::check_renames;
use super::check::replica_place::ReplicaPlaces;
use super::check::required;
use super::check::secret::{Builder, Document, Instance};
use super::check::target::TargetModel;
use super::codes;
use super::decode::decode;
use super::diagnostic::{Problem, Report, listed, nearest};
use super::entry::{List, SecretEntry};
use super::field::Field;
use super::interpolate::{Expansion, Variables, expand, fill};
use super::items::{self, AnyItem, ITEM_MARK, Item, ItemScope};
use super::layers::Layers;
use super::load::Loader;
use super::named::Files;
use super::schema::{ForEachSpec, SPEC_FIELDS, SecretDocument, SecretSpec};
use super::source::Span;
use super::tree::{Kind, Node};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, ForOthers, ListNames, Place, Prune, Target};
use crate::domain::{Part, SecretName};

/// Most secrets that the lists of a project make, over all targets.
pub(super) const MAX_MADE_BY_LISTS: usize = if cfg!(test) { 2_000 } else { 200_000 };

/// Most items that are looked at for them: an item may be for one target of many.
const MAX_ITEMS_LOOKED_AT: usize = 20 * MAX_MADE_BY_LISTS;

/// So many errors of one list in one target are enough: what is wrong with an item is often wrong with thousands, and
/// each is held against every name that it may have meant.
const MAX_ERRORS_OF_LIST: usize = if cfg!(test) { 1_600 } else { 5_000 };

/// The secrets of a target, and the names of the ones that are declared and wrong; `None` where not even those are all
/// known.
pub(super) struct TargetSecrets {
    pub(super) secrets: BTreeMap<SecretName, Built>,
    lists: Vec<ListNames>,
    /// The names that items for other targets alone would have here.
    of_other_targets: BTreeMap<SecretName, ForOthers>,
    unbuilt: BTreeSet<SecretName>,
    unknown: bool,
    /// Lists without an item: more often they were cut short than emptied on purpose.
    empty_lists: Vec<String>,
}

impl Loader {
    /// Reads every Secret document once as it is written: what is wrong with its structure is wrong for every target.
    pub(super) fn check_secret_documents(&mut self, project: &Project) {
        let mut entries = std::mem::take(&mut self.secrets);
        for entry in &mut entries {
            let tree = &entry.tree;
            let Some(document) = decode::<SecretDocument>(tree, true, &mut self.report) else { continue };
            let SecretDocument { api_version, kind: _, for_each, metadata, spec } = &document;
            check_api_version(api_version, key_span(tree, &["kind"]), &mut self.report);
            entry.list = match for_each {
                Field::Absent => List::None,
                Field::Invalid => List::Wrong,
                Field::Set(list) => match &list.value {
                    ForEachSpec::Inline => List::Inline,
                    ForEachSpec::File(file) => {
                        let key = key_span(tree, &["forEach"]);
                        let file = required(file, "Secret.forEach.file", key, &mut self.report);
                        file.map_or(List::Wrong, |file| List::File(file.value.clone(), file.span))
                    }
                },
            };
            let is_list = !matches!(entry.list, List::None);
            let metadata = required(metadata, "Secret.metadata", key_span(tree, &["kind"]), &mut self.report);
            if let Some(targets) = metadata.and_then(|metadata| metadata.value.targets.value()) {
                let by_item =
                    |target: &Field<String>| is_list && target.value().is_some_and(|text| text.contains("${"));
                entry.targets_by_item = targets.iter().any(by_item);
                if !entry.targets_by_item {
                    let mut named = BTreeSet::new();
                    for target in targets.iter().filter_map(Field::get) {
                        match project.members(&target.value, target.span) {
                            Ok(members) => named.extend(members.iter().cloned()),
                            Err(problem) => self.report.push(*problem),
                        }
                    }
                    entry.targets = Some(named);
                }
                if targets.is_empty() {
                    let place = key_span(tree, &["metadata", "targets"]);
                    self.skipped.push(self.sources.origin(place).to_string());
                    self.report.push(
                        Problem::new(&codes::PASSED_OVER, place, "this secret is passed over: it names no target")
                            .label("an empty list")
                            .help("leave `targets` out for all targets; `state: absent` deletes the secret"),
                    );
                }
            }
            check_override_targets(spec, project, &mut self.report);
            check_unsets(spec, &mut self.report);
        }
        self.secrets = entries;
    }

    /// The indexes of the targets that are asked for.
    pub(super) fn select(&mut self, project: &Project, wanted: &[String]) -> Vec<usize> {
        let mut chosen = BTreeSet::new();
        for name in wanted {
            match project.members(name, project.targets_span) {
                Ok(members) => chosen.extend(members.iter().cloned()),
                Err(problem) => {
                    let message = match problem.message.strip_prefix("unknown target ") {
                        Some(name) => format!("--target names the unknown target {name}"),
                        None => format!("--target: {}", problem.message),
                    };
                    self.misnamed += 1;
                    self.report.push(Problem { message, ..*problem });
                }
            }
        }
        let targets = project.targets.iter().enumerate();
        let is_chosen = |model: &TargetModel| wanted.is_empty() || chosen.contains(&model.target.name);
        targets.filter(|(_, model)| is_chosen(model)).map(|(at, _)| at).collect()
    }

    pub(super) fn build(&mut self, project: &Project, selected: &[usize]) -> Vec<Desired> {
        if self.secrets.is_empty() && !self.report.has_errors() {
            let place = self.nowhere("keywright.yaml");
            self.report.push(Problem::new(&codes::NO_SECRETS, place, "this project declares no secrets").help(
                "`spec.manifests` says where manifests are looked for; by default that is the project's whole folder",
            ));
        }
        let mut files = Files::new(self.folder.clone(), self.shared.clone(), self.added.clone());
        project.rules.read_schemas(&mut files, &self.sources, &mut self.report);
        let mut keys = ValueKeys::default();
        let mut links = Links::default();
        let of_run = selected.iter().filter_map(|index| project.targets.get(*index));
        let all = project.targets.iter().map(|model| &model.target);
        let mut places = ReplicaPlaces::new(all, of_run.map(|model| &model.target));
        let beside = self.beside(project, &places);
        let place = |target: &Target| Place { account: target.account.clone(), region: target.region.clone() };
        let all_targets: BTreeMap<String, Place> =
            project.targets.iter().map(|model| (model.target.name.clone(), place(&model.target))).collect_map();
        let left_out = Arc::new(std::mem::take(&mut self.left_out));
        let mut desired = Vec::new();
        for (at, &index) in selected.iter().enumerate() {
            let Some(model) = project.targets.get(index) else { continue };
            self.report.in_target(Some(index));
            let TargetSecrets { mut secrets, lists, mut of_other_targets, unbuilt, unknown, empty_lists } =
                self.target_secrets(project, model, &mut files, at + 1 == selected.len() && beside.is_empty());
            // They explain why a secret goes, and which name no item of a list gave.
            if project.prune != Prune::Report || !lists.is_empty() {
                of_other_targets.extend(self.of_other_targets(model, &mut files));
            }
            check_dependencies(&secrets, (!unknown).then_some(&unbuilt), &self.sources, &mut self.report);
            check_renames(&secrets, &mut self.report);
            keys.add(&model.target.name, &secrets);
            places.add(&model.target, &secrets);
            links.add(&model.target.name, &mut secrets);
            desired.push(Desired {
                project: project.name.clone(),
                target: model.target.clone(),
                targets: all_targets.clone(),
                scope: model.scope.clone(),
                prune: project.prune,
                prune_window_days: project.prune_window_days,
                ignore_tags: project.ignore_tags.clone(),
                guards: project.guards,
                audit: project.audit_of(model),
                value_owner_tag: project.value_owner_tag.clone(),
                skipped: self.skipped.iter().chain(&empty_lists).cloned().collect(),
                left_out: Arc::clone(&left_out),
                of_other_targets,
                lists,
                secrets: secrets.into_iter().map(|(name, built)| (name, built.secret)).collect(),
            });
        }
        self.report.in_target(None);
        self.add_beside(&beside, project, &mut files, &mut places);
        keys.compare(&mut self.report);
        links.compare(&desired, &mut self.report);
        places.compare(&mut self.report);
        // What only the manifests of other targets name was not looked at.
        if selected.len() == project.targets.len() {
            for (path, problem) in std::mem::take(&mut self.unnamed) {
                if !files.names(&path) {
                    self.report.push(problem);
                }
            }
        }
        desired
    }

    /// The secrets of a target. Of those of the last one, the documents are let go: a fleet's are half of all memory.
    pub(super) fn target_secrets(
        &mut self,
        project: &Project,
        model: &TargetModel,
        files: &mut Files,
        last: bool,
    ) -> TargetSecrets {
        let mut found = TargetSecrets {
            secrets: BTreeMap::new(),
            lists: Vec::new(),
            of_other_targets: BTreeMap::new(),
            unbuilt: BTreeSet::new(),
            unknown: self.incomplete,
            empty_lists: Vec::new(),
        };
        let mut entries = std::mem::take(&mut self.secrets);
        for entry in &mut entries {
            if !entry.is_of(model) {
                continue;
            }
            let Some(items) = self.items(entry, model, files) else {
                found.unknown = true;
                continue;
            };
            if items.as_ref().is_some_and(|items| items.is_empty()) {
                let place = key_span(&entry.tree, &["forEach"]);
                found.empty_lists.push(format!("{} (its list has no items)", self.sources.origin(place)));
                self.report.push(no_items(place));
            }
            self.entry_secrets(entry, items.as_deref().map(Vec::as_slice), project, model, files, &mut found);
            if last {
                entry.tree = Node::new(entry.tree.span, Kind::Null);
            }
        }
        self.secrets = entries;
        found
    }

    /// The items of a document's list in a target: nothing when the list is wrong, and none when there is no list.
    #[expect(clippy::option_option, reason = "a list that is wrong is not the same as no list")]
    fn items(
        &mut self,
        entry: &mut SecretEntry,
        model: &TargetModel,
        files: &mut Files,
    ) -> Option<Option<Rc<Vec<Item>>>> {
        let items = match &entry.list {
            List::None => return Some(None),
            List::Wrong => return None,
            List::Inline => {
                let mut list = entry.tree.get("forEach")?.clone();
                fill(&mut list, model, &self.sources, &mut self.report);
                let Kind::Seq(nodes) = &list.kind else { return None };
                let mut problems = Vec::new();
                let items = items::of_list(nodes, &mut problems);
                let whole = problems.is_empty() && items.len() == nodes.len();
                for problem in problems {
                    self.report.push(problem);
                }
                whole.then(|| Rc::new(items))?
            }
            List::File(named, span) => {
                let named = self.file_name(named, *span, model)?;
                files.list((&named, *span), &mut self.sources, &mut self.report)?
            }
        };
        entry.items = entry.items.max(items.len());
        self.items_looked_at += items.len();
        // Where each item says for which targets it is, what is made is counted when it is.
        self.made_by_lists += if entry.targets_by_item { 0 } else { items.len() };
        let place = key_span(&entry.tree, &["forEach"]);
        if self.items_looked_at > MAX_ITEMS_LOOKED_AT {
            let message =
                format!("the lists of this project have more than {MAX_ITEMS_LOOKED_AT} items over all targets");
            self.report.push(Problem::new(&codes::TOO_MANY_SECRETS, place, message).label("with this one"));
            return None;
        }
        if self.made_by_lists > MAX_MADE_BY_LISTS {
            self.report.push(too_many_made(place));
            return None;
        }
        Some(Some(items))
    }

    /// The name of a list's file in a target.
    fn file_name(&mut self, named: &str, span: Span, model: &TargetModel) -> Option<String> {
        let Expansion { filled, uses: _ } = expand(named, model);
        match filled {
            Ok(parts) => match parts.as_slice() {
                [] => Some(String::new()),
                [Part::Text(text)] => Some(text.clone()),
                _ => {
                    let message = "another secret's ARN cannot stand in a file's name";
                    self.report.push(Problem::new(&codes::REFERENCE_NOT_ALLOWED, span, message));
                    None
                }
            },
            Err(faults) => {
                for fault in faults {
                    self.report.push(fault.in_text(named, span, &self.sources));
                }
                None
            }
        }
    }

    /// The secrets of one document in a target.
    fn entry_secrets(
        &mut self,
        entry: &SecretEntry,
        items: Option<&[Item]>,
        project: &Project,
        model: &TargetModel,
        files: &mut Files,
        found: &mut TargetSecrets,
    ) {
        let tree = &entry.tree;
        let layers = Layers {
            shared: &project.shared,
            project: project.defaults.as_ref(),
            folders: self.defaults.around(&*self.sources.name(tree.span.file)),
            own: tree,
        };
        let is_managed = tree.get("metadata").and_then(managed_by).is_some();
        let names = |text: &str| project.names(text, model);
        let spec = layers.merged(key_span(tree, &["metadata"]), is_managed, &names);
        let document = Document { tree, layers: &layers, spec: &spec };
        let mut builder = Builder {
            project,
            sources: &mut self.sources,
            files,
            report: &mut self.report,
            expand: self.expand.as_ref(),
            expanded: &mut self.expanded,
        };
        let Some(items) = items else {
            let built = builder.build(&document, &Instance { target: model, variables: model, item: None });
            found.take(built, builder.report);
            return;
        };
        let name_node = tree.get("metadata").and_then(|metadata| metadata.get("name"));
        let names = ["renamedFrom", "name"].map(|field| tree.get("metadata")?.get(field)?.as_str());
        let before = builder.report.errors();
        for (index, item) in items.iter().enumerate() {
            if builder.report.errors() - before > MAX_ERRORS_OF_LIST {
                found.unknown = true;
                break;
            }
            let index = index.to_string();
            let scope = ItemScope { target: model, item, index: &index };
            builder.report.in_item(Some(item.span));
            if entry.targets_by_item {
                if !builder.is_for(tree, &scope, model) {
                    let names_here = names.into_iter().flatten().filter_map(|name| plain(name, &scope));
                    let origin = || builder.sources.origin(name_node.map_or(tree.span, |name| name.span));
                    let for_others = || ForOthers { origin: origin(), item: Some(builder.sources.origin(item.span)) };
                    found.of_other_targets.extend(names_here.map(|name| (SecretName::new(name), for_others())));
                    continue;
                }
                self.made_by_lists += 1;
                if self.made_by_lists > MAX_MADE_BY_LISTS {
                    builder.report.push(too_many_made(key_span(tree, &["forEach"])));
                    found.unknown = true;
                    break;
                }
            }
            let built = builder.build(&document, &Instance { target: model, variables: &scope, item: Some(item.span) });
            found.take(built, builder.report);
        }
        self.report.in_item(None);
        let place = key_span(tree, &["forEach"]);
        let pattern = names[1].and_then(|name| plain(name, &AnyItem { target: model }));
        if let Some(pattern) = pattern.filter(|pattern| pattern.contains(ITEM_MARK)) {
            found.lists.push(ListNames::new(pattern.split(ITEM_MARK), self.sources.origin(place)));
        }
    }
}

impl TargetSecrets {
    /// Takes what was built in, unless there is one of that name.
    fn take(&mut self, built: Result<Built, Option<SecretName>>, report: &mut Report) {
        let built = match built {
            Ok(built) => built,
            Err(name) => {
                self.unknown |= name.is_none();
                self.unbuilt.extend(name);
                return;
            }
        };
        let Some(first) = self.secrets.get(&built.secret.name) else {
            self.secrets.insert(built.secret.name.clone(), built);
            return;
        };
        let name = &built.secret.name;
        if let (Some(item), Some(other)) = (built.item, first.item)
            && built.name_span == first.name_span
        {
            // The item itself is told with every problem that is found for it.
            report.push(
                Problem::new(&codes::SECRET_DUPLICATE, built.name_span, format!("two items make the secret `{name}`"))
                    .label("the same name for both")
                    .related(other, "the first item")
                    .related(item, "the second item")
                    .help("put something into the name in which the items differ"),
            );
            return;
        }
        report.push(
            Problem::new(&codes::SECRET_DUPLICATE, built.name_span, format!("secret `{name}` is declared twice"))
                .label("again here")
                .related(first.name_span, "first here")
                .help(
                    "one secret has one manifest for each target; `metadata.targets` says which targets a manifest is \
                     for",
                ),
        );
    }
}

/// A text with variables filled in, where it is plain text then.
pub(super) fn plain(text: &str, variables: &dyn Variables) -> Option<String> {
    match expand(text, variables).filled.ok()?.as_slice() {
        [Part::Text(text)] => Some(text.clone()),
        _ => None,
    }
}

/// Like `targets: []` and a file that was emptied.
fn no_items(place: Span) -> Problem {
    Problem::new(&codes::PASSED_OVER, place, "this secret is passed over: its list has no items")
        .label("an empty list")
        .help("while it is empty, no secret without a manifest is removed; delete the manifest with its last item")
}

fn too_many_made(place: Span) -> Problem {
    let message = format!("the lists of this project make more than {MAX_MADE_BY_LISTS} secrets");
    Problem::new(&codes::TOO_MANY_SECRETS, place, message).label("with this one")
}

/// The targets that the overrides of a `spec` name.
pub(super) fn check_override_targets(spec: &Field<SecretSpec>, project: &Project, report: &mut Report) {
    let overrides = spec.value().and_then(|spec| spec.overrides.value()).map_or(&[][..], |overrides| &overrides.0);
    for (target, _) in overrides {
        if let Err(problem) = project.members(&target.value, target.span) {
            report.push(*problem);
        }
    }
}

/// The fields that the overrides of a `spec` take away.
pub(super) fn check_unsets(spec: &Field<SecretSpec>, report: &mut Report) {
    let overrides = spec.value().and_then(|spec| spec.overrides.value()).map_or(&[][..], |overrides| &overrides.0);
    for (_, over) in overrides {
        let fields = over.value().and_then(|over| over.unset.value()).map_or(&[][..], Vec::as_slice);
        for field in fields.iter().filter_map(Field::get) {
            check_unset(&field.value, field.span, report);
        }
    }
}

/// A name in `unset`.
fn check_unset(field: &str, span: Span, report: &mut Report) {
    let known = SPEC_FIELDS;
    if field.strip_prefix("tags.").is_some_and(|tag| !tag.is_empty()) || known.contains(&field) {
        return;
    }
    report.push(
        Problem::new(&codes::UNSET, span, format!("`unset` names no field of `spec`: `{field}`"))
            .label(
                nearest(field, known.iter().copied())
                    .map_or_else(|| "unknown field".to_owned(), |near| format!("did you mean `{near}`?")),
            )
            .help(format!("it names {}, or `tags.KEY`", listed(known.iter().copied()))),
    );
}
