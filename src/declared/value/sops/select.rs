//! The part of a file that is a value, seen through its ciphertext.

use super::cipher::{DataKey, Encrypted, Kind};
use super::file::{Format, SopsFile};
use super::mac::push_step;
use super::tree::Node;
use crate::value::MAX_VALUE_BYTES;
use crate::value::buffer::SecretBuffer;
use crate::value::error::ValueError;
use crate::value::source::SopsPart;

/// The most paths that an error names.
const MAX_SUGGESTIONS: usize = 20;

/// A place in a file: the selected one, or one beneath it.
pub(in crate::value) struct Selection<'a> {
    file: &'a SopsFile,
    node: &'a Node,
    /// Whether values that the file's own rules leave open may be part of it.
    allow_open: bool,
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
    /// A value that the file's own rules leave open, where that is allowed.
    Open(Open<'a>),
    /// Without the comments.
    List(Vec<Selection<'a>>),
    /// By key, sorted.
    Map(Vec<(&'a str, Selection<'a>)>),
}

/// A scalar that is not encrypted.
pub(in crate::value) enum Open<'a> {
    Text(&'a str),
    /// As SOPS writes it into the MAC.
    Number(&'a str),
    Bool(bool),
}

impl Open<'_> {
    /// What kind of value it is, in one word.
    pub(in crate::value) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "number",
            Self::Bool(_) => "boolean",
        }
    }

    pub(in crate::value) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
        }
    }
}

/// What a selection holds.
#[derive(Default)]
struct Survey {
    /// How many encrypted values.
    encrypted: usize,
    /// The fewest bytes that it can have when it is written.
    bytes: usize,
}

impl<'a> Selection<'a> {
    /// Selects a part of the file, and checks that it can be a value: something in it is encrypted, and everything
    /// unless a person has allowed otherwise, and it is not too large.
    pub(in crate::value) fn new(file: &'a SopsFile, part: &SopsPart) -> Result<Self, ValueError> {
        let key = part.key.as_deref().unwrap_or_default();
        let root = |document| Self {
            file,
            node: document,
            allow_open: part.allow_unencrypted,
            matched: false,
            path: String::new(),
            pointer: String::new(),
        };
        let selected = match (file.format, key) {
            (Format::Binary, "") => Self::find(file, root, "/data")?,
            (Format::Binary, _) => {
                return Err(ValueError::KeyInBinary { file: file.shown.clone(), key: key.to_owned() });
            }
            (_, "") => Self::whole(file, root)?,
            _ => Self::find(file, root, key)?,
        };
        let mut survey = Survey::default();
        selected.survey(&mut survey)?;
        if survey.encrypted == 0 {
            let file = file.shown.clone();
            return Err(match selected.file.format {
                Format::Binary => ValueError::EmptyFile { file },
                _ => ValueError::NothingEncrypted { file, key: key.to_owned() },
            });
        }
        Ok(selected)
    }

    fn whole(file: &'a SopsFile, root: impl Fn(&'a Node) -> Self) -> Result<Self, ValueError> {
        let mut documents =
            file.documents.iter().filter(|document| !matches!(document, Node::Map(map) if map.is_empty()));
        match (documents.next(), documents.next()) {
            (Some(document), None) => Ok(root(document)),
            (None, _) => Err(ValueError::NothingEncrypted { file: file.shown.clone(), key: String::new() }),
            (Some(_), Some(_)) => Err(ValueError::SeveralDocuments { file: file.shown.clone() }),
        }
    }

    /// The place that a JSON pointer leads to, in the one document that has it.
    fn find(file: &'a SopsFile, root: impl Fn(&'a Node) -> Self, key: &str) -> Result<Self, ValueError> {
        let mut found = Vec::new();
        let mut existing = Vec::new();
        for document in &file.documents {
            match root(document).descend(key) {
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
                let existing = reached.flat_map(Self::children).take(MAX_SUGGESTIONS).collect();
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
            let child = match place.node {
                Node::Map(entries) => {
                    entries.iter().find(|(key, _)| *key == step).map(|(key, node)| place.beneath_key(key, node))
                }
                Node::List(items) => place.items(items).into_iter().find(|child| child.pointer == pointer),
                _ => None,
            };
            match child {
                Some(child) => place = child,
                None => return Err(place),
            }
        }
        Ok(place)
    }

    /// The pointers to the first places beneath.
    fn children(&self) -> Vec<String> {
        match self.node {
            Node::Map(entries) => {
                let first = entries.iter().take(MAX_SUGGESTIONS);
                first.map(|(key, node)| self.beneath_key(key, node).pointer).collect()
            }
            Node::List(items) => self.items(items).into_iter().map(|child| child.pointer).collect(),
            _ => Vec::new(),
        }
    }

    fn beneath_key(&self, key: &str, node: &'a Node) -> Self {
        let mut pointer = self.pointer.clone();
        push_step(&mut pointer, key);
        let matched = self.matched || self.file.metadata.rules.matches(key);
        Self { node, matched, path: format!("{}{key}:", self.path), pointer, ..*self }
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
                Self { node, path: self.path.clone(), pointer, ..*self }
            })
            .collect()
    }

    fn is_encrypted(&self) -> bool {
        self.file.metadata.rules.encrypts(self.matched)
    }

    /// What stands here. What is not encrypted is refused, unless the file's own rules leave it open and that is
    /// allowed.
    pub(in crate::value) fn part(&self) -> Result<Part<'a>, ValueError> {
        Ok(match self.node {
            Node::Null => Part::Null,
            Node::Text(text) if text.is_empty() => Part::Empty,
            Node::Text(text) if self.is_encrypted() => match Encrypted::parse(text) {
                Some(value) if value.kind != Kind::Comment => Part::Leaf(value),
                _ => self.open_value(Open::Text(text))?,
            },
            Node::Text(text) => self.open_value(Open::Text(text))?,
            Node::Number(text) => self.open_value(Open::Number(text))?,
            Node::Bool(set) => self.open_value(Open::Bool(*set))?,
            Node::List(items) => Part::List(self.items(items)),
            Node::Map(entries) => {
                let mut parts: Vec<_> =
                    entries.iter().map(|(key, node)| (key.as_str(), self.beneath_key(key, node))).collect();
                parts.sort_unstable_by_key(|(key, _)| *key);
                Part::Map(parts)
            }
        })
    }

    fn open_value(&self, open: Open<'a>) -> Result<Part<'a>, ValueError> {
        let (file, path) = (self.file.shown.clone(), self.pointer.clone());
        let rules = &self.file.metadata.rules;
        if self.is_encrypted() && !rules.by_comments() {
            return Err(self.file.plain_value(&path));
        }
        if self.allow_open {
            Ok(Part::Open(open))
        } else {
            Err(ValueError::NotEncrypted { file, path, rule: rules.name() })
        }
    }

    /// Counts what there is, and stops where it is too much for a value.
    fn survey(&self, so_far: &mut Survey) -> Result<(), ValueError> {
        so_far.bytes += match self.part()? {
            Part::Null | Part::Empty => 1,
            Part::Open(open) => open.text().len(),
            Part::Leaf(value) => {
                so_far.encrypted += 1;
                value.plain_len()
            }
            Part::List(items) => {
                items.iter().try_for_each(|item| item.survey(so_far))?;
                2 + items.len().saturating_sub(1)
            }
            Part::Map(entries) => {
                entries.iter().try_for_each(|(_, part)| part.survey(so_far))?;
                // With its quotes, the colon and the comma.
                1 + entries.iter().map(|(key, _)| key.len() + 4).sum::<usize>()
            }
        };
        if so_far.bytes > MAX_VALUE_BYTES { Err(ValueError::TooLarge) } else { Ok(()) }
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

    pub(in crate::value) fn format(&self) -> Format {
        self.file.format
    }

    pub(in crate::value) fn shown(&self) -> &'a str {
        &self.file.shown
    }
}
