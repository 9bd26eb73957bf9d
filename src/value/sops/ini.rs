//! The INI store, as far as version ids need it: only the `sops` program decrypts it.
//!
//! Encrypted files hold nothing but sections, `key = value` and comments. Whatever else INI allows is refused.

use std::collections::HashSet;

use super::metadata;
use super::tree::Node;

/// Where keys before the first section are.
const DEFAULT_SECTION: &str = "DEFAULT";

/// Reads a file: its sections, and its metadata. An error says what is wrong, and quotes nothing.
pub(super) fn read(text: &str) -> Result<(Node, serde_json::Value), &'static str> {
    let mut sections: Vec<(String, Vec<(String, Node)>)> = vec![(DEFAULT_SECTION.to_owned(), Vec::new())];
    let mut flat = Vec::new();
    let (mut section, mut seen) = (DEFAULT_SECTION.to_owned(), HashSet::new());
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            if section != "sops" && !sections.iter().any(|(known, _)| *known == section) {
                sections.push((section.clone(), Vec::new()));
            }
            continue;
        }
        let (key, value) = line.split_once('=').ok_or("it has a line that is neither a section nor `key = value`")?;
        let (key, value) = (key.trim_end(), value.trim_start());
        if key.contains(['"', '`', '\'']) || value.starts_with(['"', '`', '\'']) || value.ends_with('\\') {
            return Err("it has quoted or continued text, which is not supported");
        }
        if !seen.insert((section.clone(), key)) {
            return Err("it has a key twice in one section");
        }
        if section == "sops" {
            flat.push((key.to_owned(), value.to_owned()));
        } else if let Some((_, entries)) = sections.iter_mut().find(|(known, _)| *known == section) {
            entries.push((key.to_owned(), Node::text(value)));
        }
    }
    if flat.is_empty() {
        return Err("it has no `sops` metadata");
    }
    let sections = sections.into_iter().filter(|(name, entries)| name != DEFAULT_SECTION || !entries.is_empty());
    Ok((Node::Map(sections.map(|(name, entries)| (name, Node::Map(entries))).collect()), metadata::unflatten(flat)?))
}
