//! What looks like a manifest and is not read, since its name or its folder says that it is none.
//!
//! Such files are warned of, and while there is one no orphan is removed. Only what begins as a manifest does counts: a
//! README with an example, a schema and what builds leave behind are passed over without a word.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::files::{EntryKind, ProjectFolder};

/// So much of a file is looked at, in bytes.
const HEAD: u64 = 4096;

/// So many entries of a folder that is not searched are looked at.
const MOST_ENTRIES: usize = 1_000;

/// Whether a file begins as a manifest does, whatever its name.
pub(super) fn is_manifest(project: &ProjectFolder, path: &Path) -> bool {
    let mut head = Vec::new();
    let read = project.open_file(path, u64::MAX).map(|file| file.take(HEAD).read_to_end(&mut head));
    matches!(read, Ok(Ok(_))) && begins_as_manifest(&String::from_utf8_lossy(&head))
}

/// Whether there is a manifest in a folder that is not searched, or below it, and is not among those that are `read` by
/// a link: looked for in its first entries.
pub(super) fn holds_manifest(project: &ProjectFolder, folder: &Path, read: &BTreeSet<PathBuf>) -> bool {
    let mut folders = vec![folder.to_owned()];
    let mut left = MOST_ENTRIES;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = project.entries(&folder) else { continue };
        for (name, kind) in entries {
            left = left.saturating_sub(1);
            if left == 0 {
                return false;
            }
            let path: PathBuf = folder.join(name);
            match kind {
                EntryKind::Folder => folders.push(path),
                EntryKind::File if !read.contains(&path) && is_manifest(project, &path) => return true,
                _ => {}
            }
        }
    }
    false
}

/// Whether the first key of the first document is one of a manifest's, and our API is named near it.
fn begins_as_manifest(text: &str) -> bool {
    let mut lines =
        text.lines().map(|line| line.trim_start_matches('\u{feff}').trim().trim_start_matches(['{', '"', ' ']));
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', '%']) && *line != "---");
    let keys = ["apiVersion", "kind", "metadata", "spec"];
    first.is_some_and(|line| keys.iter().any(|key| line.starts_with(key))) && text.contains("keywright/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_as_a_manifest_is_one() {
        let manifest = "# Ours\n---\napiVersion: keywright/v1\nkind: Secret\n";
        let json = "{\n  \"kind\": \"Secret\",\n  \"apiVersion\": \"keywright/v1\"\n}";
        for text in
            [manifest, json, "{\"apiVersion\":\"keywright/v1\"}", "\u{feff}kind: Secret\napiVersion: keywright/v1"]
        {
            assert!(begins_as_manifest(text), "{text}");
        }
        let example = "# Secrets\n\nWrite:\n\n```yaml\napiVersion: keywright/v1\n```\n";
        let schema =
            "{\n  \"$schema\": \"x\",\n  \"properties\": { \"apiVersion\": { \"const\": \"keywright/v1\" } }\n}";
        for text in [example, schema, "apiVersion: v1\nkind: ConfigMap\n", "", "#!/bin/sh\nkeywright/v1\n"] {
            assert!(!begins_as_manifest(text), "{text}");
        }
    }
}
