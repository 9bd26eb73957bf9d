//! A manifest while it is folded: its parts, until they are text.

use std::collections::BTreeSet;

use super::yaml::Yaml;
use crate::collect::CollectSet as _;
use crate::domain::SecretName;

/// A Secret document.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    /// The name by which its file is chosen.
    pub(super) path_name: String,
    /// Comments above it.
    pub(super) notes: Vec<Note>,
    /// The items of its `forEach`; of a manifest for one secret, none.
    pub(super) items: Vec<String>,
    /// `metadata.name`, with its variables.
    pub(super) name: String,
    /// The names of its targets.
    pub(super) targets: Vec<String>,
    /// What stands in `metadata` beside them.
    pub(super) metadata: Vec<(String, Yaml)>,
    /// `spec`, the overrides included.
    pub(super) spec: Vec<(String, Yaml)>,
    /// The secrets that it stands for, those of each of its targets.
    pub(super) secrets: Vec<SecretName>,
}

/// A comment above a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    /// The day on which the value was last changed.
    pub(super) changed: Option<String>,
}

impl Note {
    /// A comment that says nothing of a day.
    pub(super) fn of(text: String) -> Self {
        Self { text, changed: None }
    }
}

impl Manifest {
    /// Whether a service manages what it declares.
    pub(super) fn is_managed(&self) -> bool {
        self.metadata.iter().any(|(field, _)| field == "managedBy")
    }

    /// How many names it stands for in a target.
    pub(super) fn names(&self) -> usize {
        self.items.len().max(1)
    }

    /// The document as text, with its comments.
    pub(super) fn text(&self) -> String {
        let texts = |texts: &[String], of: fn(&str) -> Yaml| Yaml::List(texts.iter().map(|text| of(text)).collect());
        let plain = |text: &str| Yaml::Text(text.to_owned());
        let mut metadata = vec![("name".to_owned(), plain(&self.name))];
        metadata.push(("targets".to_owned(), texts(&self.targets, |text| Yaml::Text(text.to_owned()))));
        metadata.extend(self.metadata.iter().cloned());
        let mut document = vec![("apiVersion".to_owned(), plain("keywright/v1")), ("kind".to_owned(), plain("Secret"))];
        if !self.items.is_empty() {
            document.push(("forEach".to_owned(), texts(&self.items, Yaml::literal)));
        }
        document.push(("metadata".to_owned(), Yaml::Map(metadata)));
        if !self.spec.is_empty() {
            document.push(("spec".to_owned(), Yaml::Map(self.spec.clone())));
        }
        format!("{}{}", self.comments(), Yaml::Map(document).to_text())
    }

    fn comments(&self) -> String {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut lines = String::new();
        for note in self.notes.iter().filter(|note| seen.insert(&note.text)) {
            let days =
                self.notes.iter().filter(|other| other.text == note.text).filter_map(|note| note.changed.as_ref());
            let days: BTreeSet<&String> = days.collect_set();
            let changed = match (days.first(), days.last()) {
                (Some(first), Some(last)) if first != last => format!(" Last changed {first} to {last}."),
                (Some(day), _) => format!(" Last changed {day}."),
                _ => String::new(),
            };
            lines.push_str(&format!("# {}{changed}\n", note.text));
        }
        lines
    }
}
