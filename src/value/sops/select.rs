//! The part of a file that is a value, seen through its ciphertext.

use super::cipher::{DataKey, Encrypted, Kind};
use super::file::{Format, SopsFile};
use super::mac::push_step;
use super::tree::Node;
use crate::value::MAX_VALUE_BYTES;
use crate::value::buffer::SecretBuffer;
use crate::value::error::ValueError;

/// The most paths that an error names.
const MAX_SUGGESTIONS: usize = 20;

/// A place in a file: the selected one, or one beneath it.
pub(in crate::value) struct Selection<'a> {
    file: &'a SopsFile,
    node: &'a Node,
    /// Whether a key on the way here matches the file's selection mode.
    matched: bool,
    /// The keys to here, each with a colon behind it: what the ciphertext is bound to.
    path: String,
    /// JSON pointer to here.
    pub(in crate::value) pointer: String,
}

/// What stands at a place.
pub(in crate::value) enum Part<'a> {
    Null,
    /// An empty text, which SOPS does not encrypt.
    Empty,
    Leaf(Encrypted<'a>),
    /// Without the comments.
    List(Vec<Selection<'a>>),
    /// By key, sorted.
    Map(Vec<(&'a str, Selection<'a>)>),
}

impl<'a> Selection<'a> {
    /// Selects a part of the file, and checks that it can be a value: everything in it is encrypted, and it is not too
    /// large.
    pub(in crate::value) fn new(file: &'a SopsFile, key: Option<&str>) -> Result<Self, ValueError> {
        let key = key.unwrap_or_default();
        let selected = match (file.format, key) {
            (Format::Binary, "") => Self::find(file, "/data")?,
            (Format::Binary, _) => {
                return Err(ValueError::KeyInBinary { file: file.shown.clone(), key: key.to_owned() });
            }
            (_, "") => Self::whole(file)?,
            _ => Self::find(file, key)?,
        };
        let (leaves, bytes) = selected.survey()?;
        if leaves == 0 {
            return Err(ValueError::NothingEncrypted { file: file.shown.clone(), key: key.to_owned() });
        }
        if bytes > MAX_VALUE_BYTES {
            return Err(ValueError::TooLarge);
        }
        Ok(selected)
    }

    fn root(file: &'a SopsFile, document: &'a Node) -> Self {
        Self { file, node: document, matched: false, path: String::new(), pointer: String::new() }
    }

    fn whole(file: &'a SopsFile) -> Result<Self, ValueError> {
        let mut documents =
            file.documents.iter().filter(|document| !matches!(document, Node::Map(map) if map.is_empty()));
        match (documents.next(), documents.next()) {
            (Some(document), None) => Ok(Self::root(file, document)),
            (None, _) => Err(ValueError::NothingEncrypted { file: file.shown.clone(), key: String::new() }),
            (Some(_), Some(_)) => Err(ValueError::SeveralDocuments { file: file.shown.clone() }),
        }
    }

    /// The place that a JSON pointer leads to, in the one document that has it.
    fn find(file: &'a SopsFile, key: &str) -> Result<Self, ValueError> {
        let mut found = Vec::new();
        let mut existing = Vec::new();
        for document in &file.documents {
            match Self::root(file, document).descend(key) {
                Ok(place) => found.push(place),
                Err(reached) => existing.push(reached),
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(place), true) => Ok(place),
            (Some(_), false) => Err(ValueError::AmbiguousKey { file: file.shown.clone(), key: key.to_owned() }),
            (None, _) => {
                let deepest = existing.iter().map(|place| place.pointer.len()).max();
                let reached = existing.iter().filter(|place| Some(place.pointer.len()) == deepest);
                let existing =
                    reached.flat_map(Self::children).map(|child| child.pointer).take(MAX_SUGGESTIONS).collect();
                Err(ValueError::MissingKey { file: file.shown.clone(), key: key.to_owned(), existing })
            }
        }
    }

    /// Follows a JSON pointer; the error is the last place on its way that exists.
    fn descend(self, key: &str) -> Result<Self, Self> {
        let mut place = self;
        for step in key.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let mut pointer = place.pointer.clone();
            push_step(&mut pointer, &step);
            let Some(child) = place.children().into_iter().find(|child| child.pointer == pointer) else {
                return Err(place);
            };
            place = child;
        }
        Ok(place)
    }

    fn children(&self) -> Vec<Self> {
        match self.node {
            Node::Map(entries) => entries.iter().map(|(key, node)| self.beneath_key(key, node)).collect(),
            Node::List(items) => self.items(items),
            _ => Vec::new(),
        }
    }

    fn beneath_key(&self, key: &str, node: &'a Node) -> Self {
        let mut pointer = self.pointer.clone();
        push_step(&mut pointer, key);
        let matched = self.matched || self.file.metadata.rules.matches(key);
        Self { file: self.file, node, matched, path: format!("{}{key}:", self.path), pointer }
    }

    fn items(&self, items: &'a [Node]) -> Vec<Self> {
        let is_comment = |item: &&Node| match item {
            Node::Text(text) if self.is_encrypted() => {
                Encrypted::parse(text).is_some_and(|value| value.kind == Kind::Comment)
            }
            _ => false,
        };
        let values = items.iter().filter(|item| !is_comment(item));
        values
            .enumerate()
            .map(|(place, node)| {
                let mut pointer = self.pointer.clone();
                push_step(&mut pointer, &place.to_string());
                Self { file: self.file, node, matched: self.matched, path: self.path.clone(), pointer }
            })
            .collect()
    }

    fn is_encrypted(&self) -> bool {
        self.file.metadata.rules.encrypts(self.matched)
    }

    /// What stands here. What is not encrypted is refused.
    pub(in crate::value) fn part(&self) -> Result<Part<'a>, ValueError> {
        Ok(match self.node {
            Node::Null => Part::Null,
            Node::Text(text) if text.is_empty() => Part::Empty,
            Node::Text(text) if self.is_encrypted() => match Encrypted::parse(text) {
                Some(value) if value.kind != Kind::Comment => Part::Leaf(value),
                _ => return Err(ValueError::PlainValue { file: self.file.shown.clone(), path: self.pointer.clone() }),
            },
            Node::Text(_) | Node::Number(_) | Node::Bool(_) => {
                return Err(ValueError::NotEncrypted { file: self.file.shown.clone(), path: self.pointer.clone() });
            }
            Node::List(items) => Part::List(self.items(items)),
            Node::Map(entries) => {
                let mut parts: Vec<_> =
                    entries.iter().map(|(key, node)| (key.as_str(), self.beneath_key(key, node))).collect();
                parts.sort_unstable_by_key(|(key, _)| *key);
                Part::Map(parts)
            }
        })
    }

    /// How many encrypted values there are, and how many bytes of plaintext they have together.
    fn survey(&self) -> Result<(usize, usize), ValueError> {
        let parts: Vec<Self> = match self.part()? {
            Part::Null | Part::Empty => return Ok((0, 0)),
            Part::Leaf(value) => return Ok((1, value.plain_len())),
            Part::List(items) => items,
            Part::Map(entries) => entries.into_iter().map(|(_, part)| part).collect(),
        };
        parts.iter().try_fold((0, 0), |(leaves, bytes), part| {
            part.survey().map(|(more_leaves, more_bytes)| (leaves + more_leaves, bytes + more_bytes))
        })
    }

    /// Decrypts one value of this selection.
    pub(super) fn open(&self, value: &Encrypted<'_>, key: &DataKey) -> Result<SecretBuffer, ValueError> {
        value
            .open(key, &self.path)
            .ok_or_else(|| ValueError::Tampered { file: self.file.shown.clone(), path: self.pointer.clone() })
    }

    /// The same place in another tree of the same shape: what the `sops` program decrypted.
    pub(in crate::value) fn in_plain<'b>(&self, root: &'b Node) -> Option<&'b Node> {
        self.pointer.split('/').skip(1).try_fold(root, |node, step| match node {
            Node::Map(_) => node.get(&step.replace("~1", "/").replace("~0", "~")),
            Node::List(items) => step.parse::<usize>().ok().and_then(|place| items.get(place)),
            _ => None,
        })
    }

    pub(in crate::value) fn shown(&self) -> &'a str {
        &self.file.shown
    }
}
