//! Which file a manifest goes into: one file for each prefix of names, as folders hold files.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{Manifest, manifests};
use super::{Importable, Layout};
use crate::domain::SecretName;

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

/// Writes manifests for the secrets of some targets, one for those that are the same in several, and lays them out in
/// files.
pub fn import(targets: &[ImportTarget<'_>]) -> Vec<ImportedFile> {
    let Some(layout) = targets.first().map(|target| target.layout) else { return Vec::new() };
    let mut by_stem: BTreeMap<String, Vec<Manifest>> = BTreeMap::new();
    for manifest in manifests(targets) {
        by_stem.entry(stem(&manifest.path_name)).or_default().push(manifest);
    }
    let names: Vec<&str> = targets.iter().map(|target| target.layout.target.name.as_str()).collect();
    let mut files = Vec::new();
    // Not every file system tells large letters from small ones.
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (stem, mut members) in by_stem {
        members.sort_by(|a, b| a.path_name.cmp(&b.path_name));
        let mut texts: Vec<(String, Vec<SecretName>, usize)> = Vec::new();
        for Manifest { text, secrets, path_name: _ } in members {
            match texts.last_mut() {
                Some((before, names, manifests))
                    if *manifests < MAX_SECRETS && before.len() + text.len() < MAX_BYTES =>
                {
                    before.push_str("---\n");
                    before.push_str(&text);
                    names.extend(secrets);
                    *manifests += 1;
                }
                _ => texts.push((text, secrets, 1)),
            }
        }
        for (text, secrets, manifests) in texts {
            let path = free_path(&format!("{}/{stem}", layout.folder), layout.taken, &mut used);
            let text = format!("{}{text}", header(&path, &layout, &names));
            files.push(ImportedFile { path, text, secrets, manifests });
        }
    }
    files
}

fn header(path: &str, layout: &Layout<'_>, targets: &[&str]) -> String {
    let up = "../".repeat(path.matches('/').count());
    let schema = if layout.schema {
        format!("# yaml-language-server: $schema={up}schemas/secret.schema.json\n")
    } else {
        String::new()
    };
    let source = if layout.from_state {
        "a Terraform state".to_owned()
    } else {
        let targets = targets.join(", ");
        format!("what was live in target{} {targets}", if targets.contains(',') { "s" } else { "" })
    };
    format!("{schema}# Written by `keywright import` from {source}. A field that is left out is not managed.\n\n")
}

/// `secrets/a/b.yaml`, or with the first number that is free.
fn free_path(stem: &str, taken: &dyn Fn(&str) -> bool, used: &mut BTreeSet<String>) -> String {
    let mut path = format!("{stem}.yaml");
    let mut number = 1_u32;
    while taken(&path) || used.contains(&path.to_ascii_lowercase()) {
        number += 1;
        path = format!("{stem}-{number}.yaml");
    }
    used.insert(path.to_ascii_lowercase());
    path
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

    #[test]
    fn no_file_is_named_twice() {
        let mut used = BTreeSet::new();
        let taken = |path: &str| path == "s/a.yaml";
        let mut free = |stem: &str| free_path(stem, &taken, &mut used);
        assert_eq!(
            [free("s/a"), free("s/a"), free("s/A"), free("s/b")],
            ["s/a-2.yaml", "s/a-3.yaml", "s/A.yaml", "s/b.yaml"]
        );
    }
}
