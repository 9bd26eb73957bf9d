//! The same secret in several targets as one manifest: what all have in common once, what differs as overrides, and
//! names, accounts and regions as the variables that they differ by.
//!
//! A manifest always names its targets: one that is added to the project later must not get secrets that nobody looked
//! at there.

use std::collections::{BTreeMap, BTreeSet};

use super::Layout;
use super::document::{Draft, draft};
use super::layout::ImportTarget;
use super::yaml::Yaml;
use crate::domain::SecretName;
use crate::manifest::escape_interpolation;

/// A manifest, as text.
pub(super) struct Manifest {
    /// The name by which its file is chosen.
    pub(super) path_name: String,
    pub(super) text: String,
    /// The secrets that it stands for, one in each of its targets.
    pub(super) secrets: Vec<SecretName>,
}

/// A secret in a target.
struct Member<'a> {
    /// The target's place in the project.
    at: usize,
    layout: &'a Layout<'a>,
    secret: &'a SecretName,
    draft: Draft,
}

/// What an override says.
struct Override {
    unset: Vec<String>,
    fields: Vec<(String, Yaml)>,
}

/// The name of a manifest, and what its metadata has beside that: the same for all that are folded into it.
type Key = (String, String);

/// The manifests for what is imported from some targets.
pub(super) fn manifests(targets: &[ImportTarget<'_>]) -> Vec<Manifest> {
    let mut groups: BTreeMap<Key, Vec<Member<'_>>> = BTreeMap::new();
    for (at, ImportTarget { secrets, layout }) in targets.iter().enumerate() {
        for importable in *secrets {
            let secret = &importable.secret.name;
            let draft = draft(importable, layout);
            let key = (draft.name.clone(), kind(&draft));
            groups.entry(key).or_default().push(Member { at, layout, secret, draft });
        }
    }
    fold_by_variables(&mut groups);
    groups.into_values().map(|members| manifest(members, targets.len())).collect()
}

fn kind(draft: &Draft) -> String {
    Yaml::Map(draft.metadata.clone()).to_text()
}

/// Of names that are in one target alone, those that are one with a variable in the place of some of their parts.
fn fold_by_variables(groups: &mut BTreeMap<Key, Vec<Member<'_>>>) {
    let mut alike: BTreeMap<Key, Vec<(Key, usize)>> = BTreeMap::new();
    for (key, members) in groups.iter() {
        let [member] = members.as_slice() else { continue };
        if let Some(name) = with_variables(member.secret.as_str(), member.layout) {
            alike.entry((name, key.1.clone())).or_default().push((key.clone(), member.at));
        }
    }
    for (folded, keys) in alike {
        let places: BTreeSet<usize> = keys.iter().map(|(_, at)| *at).collect();
        // Two secrets of one target can't be one manifest, and a name that is taken is another secret's.
        if places.len() < 2 || places.len() < keys.len() || groups.contains_key(&folded) {
            continue;
        }
        let mut members: Vec<Member<'_>> = keys.iter().filter_map(|(key, _)| groups.remove(key)).flatten().collect();
        members.sort_by_key(|member| member.at);
        for member in &mut members {
            member.draft.name.clone_from(&folded.0);
        }
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

fn manifest(mut members: Vec<Member<'_>>, targets: usize) -> Manifest {
    let secrets = members.iter().map(|member| member.secret.clone()).collect();
    let several = members.len() > 1;
    if several {
        for member in &mut members {
            for (_, value) in member.draft.spec.iter_mut().chain(&mut member.draft.over) {
                localise(value, member.layout);
            }
        }
    }
    let first = members.first();
    let name = first.map_or_else(String::new, |member| member.draft.name.clone());
    let filled = first.map_or_else(String::new, |member| member.secret.to_string());
    let path_name = if several && targets > 1 { without_variables(&name) } else { filled };
    let mut metadata = vec![("name".to_owned(), Yaml::Text(name))];
    let names = members.iter().map(|member| Yaml::Text(member.layout.target.name.clone()));
    metadata.push(("targets".to_owned(), Yaml::List(names.collect())));
    metadata.extend(first.map_or_else(Vec::new, |member| member.draft.metadata.clone()));
    let notes = notes(&members);
    let spec = spec(&members);
    let mut document = vec![
        ("apiVersion".to_owned(), Yaml::Text("keywright/v1".to_owned())),
        ("kind".to_owned(), Yaml::Text("Secret".to_owned())),
        ("metadata".to_owned(), Yaml::Map(metadata)),
    ];
    if !spec.is_empty() {
        document.push(("spec".to_owned(), Yaml::Map(spec)));
    }
    let text = format!("{notes}{}", Yaml::Map(document).to_text());
    Manifest { path_name, text, secrets }
}

/// Comments: those that hold in each target once.
fn notes(members: &[Member<'_>]) -> String {
    let Some((first, others)) = members.split_first() else { return String::new() };
    let everywhere = |note: &&String| others.iter().all(|member| member.draft.notes.contains(note));
    let shared: Vec<&String> = first.draft.notes.iter().filter(everywhere).collect();
    let mut lines: Vec<String> = shared.iter().map(|note| format!("# {note}\n")).collect();
    for member in members {
        let own = member.draft.notes.iter().filter(|note| !shared.contains(note));
        let place = if members.len() > 1 { format!("In {}: ", member.layout.target.name) } else { String::new() };
        lines.extend(own.map(|note| format!("# {place}{note}\n")));
    }
    lines.concat()
}

/// `spec`: what most targets have, and an override for each that differs.
fn spec(members: &[Member<'_>]) -> Vec<(String, Yaml)> {
    let mut spec: Vec<(String, Yaml)> = Vec::new();
    let mut own: Vec<Override> = members
        .iter()
        .map(|member| Override { unset: member.draft.unset.clone(), fields: member.draft.over.clone() })
        .collect();
    for field in fields(members) {
        let values: Vec<Option<&Yaml>> = members.iter().map(|member| find(&member.draft.spec, &field)).collect();
        if field == "tags" {
            tags(&values, &mut spec, &mut own);
            continue;
        }
        let base = most_common(&values);
        spec.extend(base.map(|base| (field.clone(), base.clone())));
        for (value, Override { unset, fields: over }) in values.iter().zip(&mut own) {
            match value {
                value if *value == base => {}
                // A map would be merged with the one beneath it.
                Some(value @ Yaml::Map(_)) if base.is_some() => {
                    unset.push(field.clone());
                    over.push((field.clone(), (*value).clone()));
                }
                Some(value) => over.push((field.clone(), (*value).clone())),
                None => unset.push(field.clone()),
            }
        }
    }
    let overrides: Vec<(String, Yaml)> = members
        .iter()
        .zip(own)
        .filter_map(|(member, Override { unset, fields: over })| {
            let unset = (!unset.is_empty())
                .then(|| ("unset".to_owned(), Yaml::List(unset.into_iter().map(Yaml::Text).collect())));
            let fields: Vec<(String, Yaml)> = unset.into_iter().chain(over).collect();
            (!fields.is_empty()).then(|| (member.layout.target.name.clone(), Yaml::Map(fields)))
        })
        .collect();
    if !overrides.is_empty() {
        spec.push(("overrides".to_owned(), Yaml::Map(overrides)));
    }
    spec
}

/// The fields that any of them has, in the order of manifests.
fn fields(members: &[Member<'_>]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for (field, _) in members.iter().flat_map(|member| &member.draft.spec) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    fields
}

/// Tags that all have are in the base, and the others in the overrides: maps are merged by key.
fn tags(values: &[Option<&Yaml>], spec: &mut Vec<(String, Yaml)>, own: &mut [Override]) {
    let of = |value: Option<&Yaml>| match value {
        Some(Yaml::Map(tags)) => tags.clone(),
        _ => Vec::new(),
    };
    let all: Vec<Vec<(String, Yaml)>> = values.iter().map(|value| of(*value)).collect();
    let Some((first, others)) = all.split_first() else { return };
    let shared = |tag: &(String, Yaml)| others.iter().all(|other| other.contains(tag));
    let base: Vec<(String, Yaml)> = first.iter().filter(|tag| shared(tag)).cloned().collect();
    for (tags, Override { unset: _, fields: over }) in all.iter().zip(own) {
        let rest: Vec<(String, Yaml)> = tags.iter().filter(|tag| !base.contains(tag)).cloned().collect();
        if !rest.is_empty() {
            over.push(("tags".to_owned(), Yaml::Map(rest)));
        }
    }
    if !base.is_empty() {
        spec.push(("tags".to_owned(), Yaml::Map(base)));
    }
}

fn find<'a>(fields: &'a [(String, Yaml)], name: &str) -> Option<&'a Yaml> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// What most of them are; of several, the first.
fn most_common<'a>(values: &[Option<&'a Yaml>]) -> Option<&'a Yaml> {
    let mut best = (0, None);
    for value in values {
        let number = values.iter().filter(|other| *other == value).count();
        if number > best.0 {
            best = (number, *value);
        }
    }
    best.1
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
