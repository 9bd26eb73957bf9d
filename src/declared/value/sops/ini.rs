//! The INI store, as far as version ids need it: only the `sops` program decrypts it.
//!
//! Read as go-ini does, with which SOPS reads and writes: keys and values may stand between backticks or three quotes,
//! and then run over several lines, as sops 3.13.0 and 3.13.1 wrote the metadata. What goes on behind a backslash is
//! refused: no encrypted file has it.

use std::collections::{HashMap, HashSet};

use super::tree::Node;
use super::{MAX_NODES, metadata};

/// Where keys before the first section are.
const DEFAULT_SECTION: &str = "DEFAULT";

const NO_KEY: &str = "it has a line that is neither a section nor `key = value`";

/// Reads a file: its sections, and its metadata. An error says what is wrong, and quotes nothing.
pub(super) fn read(text: &str) -> Result<(Node, serde_json::Value), &'static str> {
    let mut sections: Vec<(String, Vec<(String, Node)>)> = vec![(DEFAULT_SECTION.to_owned(), Vec::new())];
    let mut flat = Vec::new();
    let mut places = HashMap::from([(DEFAULT_SECTION.to_owned(), 0)]);
    let (mut current, mut seen) = (0, HashSet::new());
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let (name, _) = name.rsplit_once(']').ok_or("it has a section without `]`")?;
            current = *places.entry(name.to_owned()).or_insert_with(|| {
                sections.push((name.to_owned(), Vec::new()));
                sections.len() - 1
            });
            continue;
        }
        let (key, rest) = key(line)?;
        let value = value(rest, &mut lines)?;
        if !seen.insert((current, key.to_owned())) {
            return Err("it has a key twice in one section");
        }
        if seen.len() + sections.len() > MAX_NODES {
            return Err("it holds more than 200,000 values");
        }
        if sections[current].0 == "sops" {
            flat.push((key.to_owned(), value));
        } else {
            sections[current].1.push((key.to_owned(), Node::text(value)));
        }
    }
    if flat.is_empty() {
        return Err("it has no `sops` metadata");
    }
    let kept = |(name, entries): &(String, Vec<_>)| name != "sops" && (name != DEFAULT_SECTION || !entries.is_empty());
    let sections = sections.into_iter().filter(kept).map(|(name, entries)| (name, Node::Map(entries)));
    Ok((Node::Map(sections.collect()), metadata::unflatten(flat)?))
}

/// The key of a line, and what stands behind `=` or `:`.
fn key(line: &str) -> Result<(&str, &str), &'static str> {
    for quote in ["\"\"\"", "`", "\""] {
        if let Some(rest) = line.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote).ok_or("it has a key whose quotes do not end")?;
            let (_, value) = rest.split_once(['=', ':']).ok_or(NO_KEY)?;
            return Ok((key, value.trim_start()));
        }
    }
    let (key, value) = line.split_once(['=', ':']).ok_or(NO_KEY)?;
    Ok((key.trim(), value.trim_start()))
}

/// A value, with the lines that belong to it.
fn value<'a>(text: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<String, &'static str> {
    let quote = ["\"\"\"", "`"].into_iter().find(|quote| text.starts_with(quote) && text.len() > quote.len());
    if let Some(quote) = quote {
        let mut value = text[quote.len()..].to_owned();
        if let Some(end) = value.rfind(quote) {
            value.truncate(end);
            return Ok(value);
        }
        for line in lines {
            value.push('\n');
            if let Some(end) = line.rfind(quote) {
                value.push_str(&line[..end]);
                return Ok(value);
            }
            value.push_str(line);
        }
        return Err("it has a value whose quotes do not end");
    }
    if text.ends_with('\\') {
        return Err("it has a value that goes on behind a backslash, which is not supported");
    }
    let text = text.find(['#', ';']).map_or(text, |comment| text[..comment].trim_end());
    let inner =
        ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)));
    Ok(inner.unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_may_run_over_several_lines() -> Result<(), &'static str> {
        let text = "[a]\nb = ENC[x]\r\n`c=d` = `x#y`\n\"\"\"e`\"\"\" : \"\"\"one\ntwo\"\"\" ; why\n[sops]\n\
                    age__list_0__map_enc = \"\"\"-----BEGIN\nabc\n\"\"\"\nmac = ENC[y]\n";
        let (node, metadata) = read(text)?;
        let Some(section) = node.get("a") else { return Err("no section") };
        let value = |key: &str| match section.get(key) {
            Some(Node::Text(text)) => text.to_string(),
            _ => String::new(),
        };
        assert_eq!(value("b"), "ENC[x]");
        assert_eq!(value("c=d"), "x#y");
        assert_eq!(value("e`"), "one\ntwo");
        assert_eq!(metadata["age"][0]["enc"], "-----BEGIN\nabc\n");
        assert!(node.get("sops").is_none());
        Ok(())
    }

    #[test]
    fn what_is_open_at_the_end_is_refused() {
        for text in ["[a\nb = c\n", "a = \"\"\"b\n", "a = `b\n", "`a = b\n", "a = b \\\nc\n", "a\n", "a = b\na = c\n"] {
            assert!(read(&format!("[sops]\nmac = x\n[x]\n{text}")).is_err(), "{text}");
        }
    }
}
