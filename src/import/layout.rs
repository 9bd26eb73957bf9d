//! Which file a manifest goes into: one file for each prefix of names, as folders hold files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::common::{FolderDefaults, take_common};
use super::fold::manifests;
use super::manifest::Manifest;
use super::{Importable, Layout, lists, policies};
use crate::domain::SecretName;
use crate::sort_few::SortFew as _;

/// Most secrets of one file: what a reviewer still scrolls through.
const MAX_SECRETS: usize = 40;

/// Largest file, in bytes: well below what a manifest may have.
const MAX_BYTES: usize = 256 * 1024;

/// How many folders deep files lie at most; what is left of a name's prefix goes into the file's name.
const MAX_DEPTH: usize = 8;

/// Longest part of a path, in bytes.
const MAX_PART: usize = 80;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFile {
    /// Its path below the project's folder, with `/` between the parts.
    pub path: String,
    /// What it says.
    pub text: String,
    /// The secrets in it, those of each target.
    pub secrets: Vec<SecretName>,
    /// How many manifests it has.
    pub manifests: usize,
}

/// What is imported from one target.
pub struct ImportTarget<'a> {
    /// The secrets.
    pub secrets: &'a [Importable],
    /// What their manifests have to go by. Of several, the first says where files go.
    pub layout: Layout<'a>,
}

/// Writes manifests for the secrets of some targets, one for those that are the same in several or like each other, and
/// lays them out in files; what they have in common becomes Defaults and policy files.
pub fn import(targets: &[ImportTarget<'_>]) -> Vec<ImportedFile> {
    let Some(layout) = targets.first().map(|target| target.layout) else { return Vec::new() };
    let mut paths = Paths { layout: &layout, used: BTreeSet::new() };
    let mut manifests = manifests(targets);
    let mut files = Vec::new();
    if !layout.expanded {
        let beneath = |name: &str| layout.target.beneath(Path::new(&file_path(&layout, name))).0.to_owned();
        manifests = lists::fold(manifests, &beneath);
        for FolderDefaults { folder, text } in take_common(&mut manifests, &layout) {
            let path = paths.free(&format!("{folder}/defaults"), "yaml");
            let text = format!("{}{text}", defaults_header(&path, &layout));
            files.push(ImportedFile { path, text, secrets: Vec::new(), manifests: 0 });
        }
        let path = |manifest: &Manifest| file_path(&layout, &manifest.path_name);
        let mut free = |stem: &str| paths.free(stem, "json");
        files.extend(policies::share(&mut manifests, layout.folder, &path, &mut free));
    }
    let names: Vec<&str> = targets.iter().map(|target| target.layout.target.name.as_str()).collect();
    let mut by_stem: BTreeMap<String, Vec<Manifest>> = BTreeMap::new();
    for manifest in manifests {
        by_stem.entry(stem(&manifest.path_name)).or_default().push(manifest);
    }
    for (stem, mut members) in by_stem {
        members.sort_few_by(|a, b| a.path_name.cmp(&b.path_name));
        for (text, secrets, manifests) in split(members) {
            let path = paths.free(&format!("{}/{stem}", layout.folder), "yaml");
            let text = format!("{}{text}", header(&path, &layout, &names));
            files.push(ImportedFile { path, text, secrets, manifests });
        }
    }
    files
}

/// The texts of files for some manifests, each with its secrets and how many manifests it has.
fn split(manifests: Vec<Manifest>) -> Vec<(String, Vec<SecretName>, usize)> {
    let mut texts: Vec<(String, Vec<SecretName>, usize)> = Vec::new();
    for manifest in manifests {
        let text = manifest.text();
        match texts.last_mut() {
            Some((before, names, manifests)) if *manifests < MAX_SECRETS && before.len() + text.len() < MAX_BYTES => {
                before.push_str("---\n");
                before.push_str(&text);
                names.extend(manifest.secrets);
                *manifests += 1;
            }
            _ => texts.push((text, manifest.secrets, 1)),
        }
    }
    texts
}

/// The path of the file that a manifest goes into by its name, if it is free.
pub(super) fn file_path(layout: &Layout<'_>, path_name: &str) -> String {
    format!("{}/{}.yaml", layout.folder, stem(path_name))
}

/// The line that editors read, where the project has the schema.
fn schema_line(path: &str, name: &str, is_there: bool) -> String {
    let up = "../".repeat(path.matches('/').count());
    if is_there { format!("# yaml-language-server: $schema={up}{name}\n") } else { String::new() }
}

fn defaults_header(path: &str, layout: &Layout<'_>) -> String {
    let schema = "schemas/defaults.schema.json";
    format!(
        "{}# Written by `keywright import`: what all secrets of this folder and those below it had in common.\n\n",
        schema_line(path, schema, (layout.taken)(schema))
    )
}

fn header(path: &str, layout: &Layout<'_>, targets: &[&str]) -> String {
    let schema = schema_line(path, "schemas/secret.schema.json", layout.schema);
    let source = if layout.from_state {
        "a Terraform state".to_owned()
    } else {
        let targets = targets.join(", ");
        format!("what was live in target{} {targets}", if targets.contains(',') { "s" } else { "" })
    };
    format!("{schema}# Written by `keywright import` from {source}. A field that is left out is not managed.\n\n")
}

/// The paths that are given to files.
struct Paths<'a> {
    layout: &'a Layout<'a>,
    /// Not every file system tells large letters from small ones.
    used: BTreeSet<String>,
}

impl Paths<'_> {
    /// `secrets/a/b.yaml`, or with the first number that is free.
    fn free(&mut self, stem: &str, extension: &str) -> String {
        let mut path = format!("{stem}.{extension}");
        let mut number = 1_u32;
        while (self.layout.taken)(&path) || self.used.contains(&path.to_ascii_lowercase()) {
            number += 1;
            path = format!("{stem}-{number}.{extension}");
        }
        self.used.insert(path.to_ascii_lowercase());
        path
    }
}

/// All parts of a name but the last one, as a path without its ending.
fn stem(name: &str) -> String {
    let mut parts: Vec<String> = name.split('/').map(part).collect();
    parts.pop();
    if parts.is_empty() {
        return "top-level".to_owned();
    }
    if parts.len() > MAX_DEPTH {
        let rest = parts.split_off(MAX_DEPTH - 1);
        parts.push(part(&rest.join("-")));
    }
    parts.join("/")
}

/// A part of a name as a part of a path that the search for manifests goes into.
fn part(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '-' };
    let mut part: String = text.chars().map(safe).take(MAX_PART).collect();
    // Hidden folders are not searched, nor are these; a folder with a project file is another project; and some endings
    // say that a file is encrypted.
    let lower = part.to_ascii_lowercase();
    let reserved = matches!(lower.as_str(), "" | "target" | "node_modules" | "keywright")
        || [".sops", ".enc", ".encrypted"].iter().any(|ending| lower.ends_with(ending));
    if reserved {
        part.push('_');
    }
    if part.starts_with('.') {
        part.insert(0, '_');
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_that_are_searched() {
        assert_eq!(stem("staging/payments/db"), "staging/payments");
        assert_eq!(stem("db"), "top-level");
        assert_eq!(stem("/db"), "_");
        assert_eq!(stem("../../etc/passwd"), "_../_../etc");
        assert_eq!(stem("a//.hidden/target/x.sops/keywright/db"), "a/_/_.hidden/target_/x.sops_/keywright_");
        assert_eq!(stem("a+b=c@d/x"), "a-b-c-d");
        assert_eq!(stem(&"p/".repeat(12)), format!("{}{}", "p/".repeat(7), "p-p-p-p-p"));
        assert_eq!(stem(&format!("{}/x", "n".repeat(500))).len(), MAX_PART);
    }
}
