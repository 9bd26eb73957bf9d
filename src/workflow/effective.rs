//! One secret of a project field by field: what it is in each target, and which lines make it so.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::{Error, ErrorKind};
use super::problem::Problem;
use super::session::load_project;
use crate::collect::CollectSet as _;
use crate::domain::SecretName;
use crate::manifest::{Expand, ExpandedSecret, LoadOptions, load, nearest};

/// The secret `name`, as it is called in a target or as it is written, in every target that it belongs to.
pub fn effective(folder: &Path, name: &str) -> Result<Vec<ExpandedSecret>, Error> {
    let wrong = |words: String| Error::from(ErrorKind::Local(Problem::NothingToExplain)).because(words);
    let loaded = load_project(folder, &[])?;
    let as_named = SecretName::new(name);
    let found = loaded.desired.iter().find_map(|desired| desired.secrets.get(&as_named));
    let expand = match found {
        Some(secret) => Expand::Document { origin: secret.origin.clone(), item: secret.item.clone() },
        None => Expand::Written(name.to_owned()),
    };
    let expanded = load(folder, &LoadOptions { expand: Some(expand), ..LoadOptions::default() }).expanded;
    let Some(first) = expanded.first() else {
        let names = loaded.desired.iter().flat_map(|desired| desired.secrets.keys()).map(SecretName::as_str);
        let near = nearest(name, names).map(|near| format!(": did you mean {near}?"));
        return Err(wrong(format!("no manifest declares the secret {name}{}", near.unwrap_or_default())));
    };
    let items: BTreeSet<_> = expanded.iter().map(|secret| &secret.item).collect_set();
    if items.len() > 1 {
        let words = format!("{name} is a list of secrets: name one of them, such as {}", first.name);
        return Err(wrong(words));
    }
    Ok(expanded)
}
