//! The same secret in several targets as one manifest: what all have in common once, what differs as overrides, and
//! names, accounts and regions as the variables that they differ by.
//!
//! A manifest always names its targets: one that is added to the project later must not get secrets that nobody looked
//! at there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::document::{Draft, draft, metadata, name};
use super::layout::{ImportTarget, file_path};
use super::manifest::{Manifest, Note};
use super::overrides::spec;
use super::yaml::Yaml;
use super::{Importable, Layout};
use crate::collect::CollectSet as _;
use crate::manifest::escape_interpolation;
use crate::sort_few::SortFew as _;

/// A secret in a target.
struct Member<'a> {
    /// The target's place in the project.
    at: usize,
    layout: &'a Layout<'a>,
    importable: &'a Importable,
}

/// What a target says of the secret of a manifest.
pub(super) struct InTarget<'a> {
    pub(super) layout: &'a Layout<'a>,
    pub(super) draft: Draft,
}

/// The name of a manifest, what its metadata has beside that, and whether it is a replica in another account, which has
/// other fields than its primary: the same for all that are folded into it.
type Key = (String, String, bool);

/// The manifests for what is imported from some targets.
pub(super) fn manifests(targets: &[ImportTarget<'_>]) -> Vec<Manifest> {
    let mut groups: BTreeMap<Key, Vec<Member<'_>>> = BTreeMap::new();
    for (at, ImportTarget { secrets, layout }) in targets.iter().enumerate() {
        for importable in *secrets {
            let secret = &importable.secret;
            let is_replica = secret.cross_account.primary.is_some();
            let key = (name(secret.name.as_str(), layout), Yaml::Map(metadata(secret, layout)).to_text(), is_replica);
            groups.entry(key).or_default().push(Member { at, layout, importable });
        }
    }
    fold_by_variables(&mut groups);
    groups.into_iter().map(|((name, ..), members)| manifest(name, &members, targets.len())).collect()
}

/// Of names that are in one target alone, those that are one with a variable in the place of some of their parts.
fn fold_by_variables(groups: &mut BTreeMap<Key, Vec<Member<'_>>>) {
    let mut alike: BTreeMap<Key, Vec<(Key, usize)>> = BTreeMap::new();
    for (key, members) in groups.iter() {
        let [member] = members.as_slice() else { continue };
        if let Some(name) = with_variables(member.importable.secret.name.as_str(), member.layout) {
            alike.entry((name, key.1.clone(), key.2)).or_default().push((key.clone(), member.at));
        }
    }
    for (folded, keys) in alike {
        let places: BTreeSet<usize> = keys.iter().map(|(_, at)| *at).collect_set();
        // Two secrets of one target can't be one manifest, and a name that is taken is another secret's.
        if places.len() < 2 || places.len() < keys.len() || groups.contains_key(&folded) {
            continue;
        }
        let mut members: Vec<Member<'_>> = keys.iter().filter_map(|(key, _)| groups.remove(key)).flatten().collect();
        members.sort_few_by_key(|member| member.at);
        groups.insert(folded, members);
    }
}

/// A name with the target's variables in the place of the parts that they have the value of; none where there are none.
fn with_variables(name: &str, layout: &Layout<'_>) -> Option<String> {
    let own = [("target.region", layout.target.region.as_str()), ("target.name", layout.target.name.as_str())];
    let vars = layout.target.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let vars: Vec<(&str, &str)> = vars.chain(own).filter(|(_, value)| !value.is_empty()).collect();
    let mut any = false;
    let parts: Vec<String> = name
        .split('/')
        .map(|part| match vars.iter().find(|(_, value)| *value == part) {
            Some((variable, _)) => {
                any = true;
                format!("${{{variable}}}")
            }
            None => escape_interpolation(part),
        })
        .collect();
    any.then(|| parts.join("/"))
}

fn manifest(name: String, members: &[Member<'_>], targets: usize) -> Manifest {
    let several = members.len() > 1;
    let first = members.first();
    let filled = first.map_or_else(String::new, |member| member.importable.secret.name.to_string());
    let path_name = if several && targets > 1 { without_variables(&name) } else { filled };
    let mut drafts: Vec<InTarget<'_>> = members
        .iter()
        .map(|Member { at: _, layout, importable }| {
            let path = file_path(layout, &path_name);
            let (_, beneath) = layout.target.beneath(Path::new(&path));
            InTarget { layout, draft: draft(importable, layout, beneath) }
        })
        .collect();
    if drafts.iter().all(|member| member.draft.key_as_beneath) {
        for member in &mut drafts {
            member.draft.spec.retain(|(field, _)| field != "kmsKeyId");
        }
    }
    if several {
        for InTarget { layout, draft } in &mut drafts {
            for (_, value) in draft.spec.iter_mut().chain(&mut draft.over) {
                localise(value, layout);
            }
        }
    }
    Manifest {
        path_name,
        notes: notes(&drafts),
        items: Vec::new(),
        name,
        targets: members.iter().map(|member| member.layout.target.name.clone()).collect(),
        metadata: first.map_or_else(Vec::new, |member| metadata(&member.importable.secret, member.layout)),
        spec: spec(&drafts),
        secrets: members.iter().map(|member| member.importable.secret.name.clone()).collect(),
    }
}

/// Comments: those that hold in each target once.
fn notes(members: &[InTarget<'_>]) -> Vec<Note> {
    let Some((first, others)) = members.split_first() else { return Vec::new() };
    let everywhere = |note: &&Note| others.iter().all(|member| member.draft.notes.contains(note));
    let shared: Vec<&Note> = first.draft.notes.iter().filter(everywhere).collect();
    let mut notes: Vec<Note> = shared.iter().map(|note| (*note).clone()).collect();
    for InTarget { layout, draft } in members {
        let own = draft.notes.iter().filter(|note| !shared.contains(note));
        let place = if members.len() > 1 { format!("In {}: ", layout.target.name) } else { String::new() };
        notes.extend(own.map(|note| Note { text: format!("{place}{}", note.text), ..note.clone() }));
    }
    notes
}

/// Puts the target's variables in the place of its account and region in ARNs, and of its account where that stands
/// alone.
fn localise(value: &mut Yaml, layout: &Layout<'_>) {
    match value {
        Yaml::Null | Yaml::Raw(_) => {}
        Yaml::List(items) => items.iter_mut().for_each(|item| localise(item, layout)),
        Yaml::Map(entries) => entries.iter_mut().for_each(|(_, value)| localise(value, layout)),
        Yaml::Text(text) => {
            let (account, region) = (layout.target.account.as_deref(), layout.target.region.as_str());
            if Some(text.as_str()) == account {
                "${target.account}".clone_into(text);
                return;
            }
            let mut parts: Vec<&str> = text.split(':').collect();
            // arn:PARTITION:SERVICE:REGION:ACCOUNT:…
            for at in 0..parts.len().saturating_sub(5) {
                if parts[at] != "arn" {
                    continue;
                }
                if parts[at + 3] == region {
                    parts[at + 3] = "${target.region}";
                }
                if Some(parts[at + 4]) == account {
                    parts[at + 4] = "${target.account}";
                }
            }
            *text = parts.join(":");
        }
    }
}

/// A name by which a file is chosen: without the parts that are only a variable.
fn without_variables(name: &str) -> String {
    let parts: Vec<&str> = name.split('/').filter(|part| !(part.starts_with("${") && part.ends_with('}'))).collect();
    parts.join("/")
}
