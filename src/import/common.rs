//! What all manifests of a folder have in common, as a Defaults document of the folder: tags, and the key.
//!
//! Only in folders that hold no manifests yet, so that nothing that people wrote changes its meaning. What lies beneath
//! a secret's own fields and what stands among them come to the same: a folder's Defaults are the layer right below.

use std::collections::BTreeSet;

use super::layout::file_path;
use super::lists::EACH;
use super::manifest::Manifest;
use super::yaml::Yaml;
use super::{Layout, SHARED_BY_AT_LEAST};

/// A Defaults document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FolderDefaults {
    /// The folder, below the project's.
    pub(super) folder: String,
    /// What it says.
    pub(super) text: String,
}

/// Takes what manifests have in common out of them, folder by folder, the outermost first.
pub(super) fn take_common(manifests: &mut [Manifest], layout: &Layout<'_>) -> Vec<FolderDefaults> {
    let folder_of = |manifest: &Manifest| {
        let path = file_path(layout, &manifest.path_name);
        path.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned())
    };
    let own: Vec<String> = manifests.iter().map(folder_of).collect();
    let mut made = Vec::new();
    for folder in folders(&own, layout.folder).into_iter().filter(|folder| !(layout.settled)(folder)) {
        let is_within = |own: &str, folder: &str| {
            own.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let below: BTreeSet<&str> = own.iter().map(String::as_str).filter(|own| is_within(own, &folder)).collect();
        let child = below.first().and_then(|own| own.get(folder.len() + 1..)?.split('/').next());
        if child.is_some_and(|child| below.iter().all(|own| is_within(own, &format!("{folder}/{child}")))) {
            // They are all in one folder of it, which is nearer to what they are.
            continue;
        }
        let both = manifests.iter_mut().zip(&own).filter(|(_, own)| is_within(own, &folder));
        let mut within: Vec<&mut Manifest> = both.map(|(manifest, _)| manifest).collect();
        let spec = common(&within);
        if spec.is_empty() {
            continue;
        }
        for manifest in &mut within {
            take(&spec, manifest);
        }
        let document = vec![
            ("apiVersion".to_owned(), Yaml::Text("keywright/v1".to_owned())),
            ("kind".to_owned(), Yaml::Text("Defaults".to_owned())),
            ("spec".to_owned(), Yaml::Map(spec)),
        ];
        made.push(FolderDefaults { folder, text: Yaml::Map(document).to_text() });
    }
    made
}

/// The folders of manifests and those around them, from the import's own; what is around comes first.
fn folders(own: &[String], outermost: &str) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for folder in own {
        let mut at = folder.as_str();
        while at.starts_with(outermost) && folders.insert(at.to_owned()) {
            let Some((around, _)) = at.rsplit_once('/') else { break };
            at = around;
        }
    }
    folders
}

/// The fields that all of them have; none where there are too few.
fn common(manifests: &[&mut Manifest]) -> Vec<(String, Yaml)> {
    let mut spec = Vec::new();
    let all: Vec<&Manifest> = manifests.iter().map(|manifest| &**manifest).collect();
    // Of a secret that a service manages, only tags can be declared; other defaults do not reach it.
    let keyed: Vec<&Manifest> = all.iter().copied().filter(|manifest| !manifest.is_managed()).collect();
    let key = shared(&keyed, |manifest| field(manifest, "kmsKeyId").cloned());
    spec.extend(key.filter(is_for_all).map(|key| ("kmsKeyId".to_owned(), key)));
    let mut tags = Vec::new();
    for (key, _) in all.first().map_or(&[][..], |first| tags_of(first)) {
        let same = |manifest: &Manifest| {
            tags_of(manifest).iter().find(|(other, _)| other == key).map(|(_, value)| value.clone())
        };
        let value = shared(&all, same).filter(is_for_all);
        tags.extend(value.map(|value| (key.clone(), value)));
    }
    if !tags.is_empty() {
        spec.push(("tags".to_owned(), Yaml::Map(tags)));
    }
    spec
}

/// What there are enough of, and all have the same of.
fn shared(manifests: &[&Manifest], of: impl Fn(&Manifest) -> Option<Yaml>) -> Option<Yaml> {
    let first = manifests.first().and_then(|first| of(first))?;
    let same =
        manifests.len() >= SHARED_BY_AT_LEAST && manifests.iter().all(|other| of(other).as_ref() == Some(&first));
    same.then_some(first)
}

/// Whether a text means something without an item.
fn is_for_all(value: &Yaml) -> bool {
    matches!(value, Yaml::Text(text) if !text.contains(EACH))
}

fn field<'a>(manifest: &'a Manifest, name: &str) -> Option<&'a Yaml> {
    manifest.spec.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

fn tags_of(manifest: &Manifest) -> &[(String, Yaml)] {
    match field(manifest, "tags") {
        Some(Yaml::Map(tags)) => tags,
        _ => &[],
    }
}

/// Takes fields out of a manifest that lie beneath it now.
fn take(common: &[(String, Yaml)], manifest: &mut Manifest) {
    let is_common = |own: &(String, Yaml)| common.contains(own);
    manifest.spec.retain(|own| !is_common(own));
    let Some((_, Yaml::Map(shared))) = common.iter().find(|(field, _)| field == "tags") else { return };
    for (field, value) in &mut manifest.spec {
        if let ("tags", Yaml::Map(tags)) = (field.as_str(), value) {
            tags.retain(|tag| !shared.contains(tag));
        }
    }
    manifest.spec.retain(|(field, value)| field != "tags" || !matches!(value, Yaml::Map(tags) if tags.is_empty()));
}
