//! The dotenv store: one `KEY=value` a line.

use std::collections::HashSet;

use super::tree::Node;
use super::{MAX_NODES, metadata};

/// The beginning of the keys that hold the metadata.
const METADATA: &str = "sops_";

/// Reads a file: its values, and its metadata. An error says what is wrong, and quotes nothing.
pub(super) fn read(text: &str) -> Result<(Node, serde_json::Value), &'static str> {
    let mut entries = Vec::new();
    let mut flat = Vec::new();
    let mut seen = HashSet::new();
    for line in text.split('\n') {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').ok_or("it has a line without `=`")?;
        if !seen.insert(key) {
            return Err("it has a key twice");
        }
        if seen.len() > MAX_NODES {
            return Err("it holds more than 200,000 values");
        }
        match key.strip_prefix(METADATA) {
            Some(key) => flat.push((key.to_owned(), value.to_owned())),
            None => entries.push((key.to_owned(), Node::text(value.replace("\\n", "\n")))),
        }
    }
    if flat.is_empty() {
        return Err("it has no `sops` metadata");
    }
    Ok((Node::Map(entries), metadata::unflatten(flat)?))
}
